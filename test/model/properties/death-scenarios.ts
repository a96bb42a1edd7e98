// SPDX-License-Identifier: GPL-2.0-only
//
// All that a thread does when it dies: one operation each, on a world made for it. By subject in deaths/.

import { ACCESSES } from "./deaths/accesses.ts";
import { ADDRESS_SPACES } from "./deaths/address-spaces.ts";
import { ALLOCATIONS } from "./deaths/allocations.ts";
import { DESTROYS } from "./deaths/destroys.ts";
import { FILES } from "./deaths/files.ts";
import { LOOKUPS } from "./deaths/lookups.ts";
import { PROCESSES } from "./deaths/processes.ts";
import type { Scenario } from "./deaths/scenario.ts";
import { USER_MEMORY } from "./deaths/user-memory.ts";

export const SCENARIOS: readonly Scenario[] = [
  ...ALLOCATIONS,
  ...LOOKUPS,
  ...DESTROYS,
  ...FILES,
  ...USER_MEMORY,
  ...PROCESSES,
  ...ADDRESS_SPACES,
  ...ACCESSES,
];

// SPDX-License-Identifier: GPL-2.0-only

import type { Operation } from "./operation-sweep.ts";
import { ACCESS_OPERATIONS } from "./operations-access.ts";
import { MEMORY_OPERATIONS } from "./operations-memory.ts";
import { PROCESS_OPERATIONS } from "./operations-process.ts";
import { SPACE_OPERATIONS } from "./operations-space.ts";
import { FILE_OPERATIONS, OBJECT_OPERATIONS } from "./operations.ts";

/** Everything of the public API that may run out of something or copy user memory, and what must never fail. */
export const ALL_OPERATIONS: readonly Operation[] = [
  ...OBJECT_OPERATIONS,
  ...FILE_OPERATIONS,
  ...MEMORY_OPERATIONS,
  ...PROCESS_OPERATIONS,
  ...SPACE_OPERATIONS,
  ...ACCESS_OPERATIONS,
];

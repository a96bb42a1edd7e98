// SPDX-License-Identifier: GPL-2.0-only
//
// The rivals that stand in for ours on one thread, by the name that the reader sees.

import { makeAtomicsTable } from "./atomics.ts";
import { makeMapTable } from "./map.ts";
import type { MakeRival } from "./rival.ts";

export const RIVALS: Readonly<Record<string, MakeRival>> = {
  Map: makeMapTable,
  "Atomics by hand": makeAtomicsTable,
};

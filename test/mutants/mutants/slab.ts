// SPDX-License-Identifier: GPL-2.0-only
//
// Faults of assembly/core/slab.ts.

import { mutantsOf } from "../mutant.ts";

const FREE = `  lock(mutex, RANK_CLASS);
  changetype<Slot>(slot).link = slab.free;
  slab.free = <u32>slot;
  store<u32>(handWord, 0);
  if (MODEL_BUILD) modelFree(slot, slab.slotBytes);
  unlock(mutex, RANK_CLASS);`;

export const SLAB = mutantsOf("slab.ts", [
  { name: "used-slot-is-not-zeroed", kind: "wipe", find: "    fill(slot, 0, slab.slotBytes);\n", replace: "" },
  {
    name: "slot-behind-the-chunk",
    kind: "bounds",
    find: "if (slab.bump + slab.slotBytes > slab.bumpEnd) {",
    replace: "if (slab.bump > slab.bumpEnd) {",
  },
  {
    name: "slot-is-freed-without-the-lock",
    kind: "locking",
    find: FREE,
    replace: FREE.replace("  lock(mutex, RANK_CLASS);\n", "").replace("  unlock(mutex, RANK_CLASS);", ""),
  },
  {
    name: "slot-is-freed-with-the-page-lock-outside",
    kind: "locking",
    find: FREE,
    replace: `  lock(PAGES, RANK_PAGE);
${FREE}
  unlock(PAGES, RANK_PAGE);`,
    imports: 'import { PAGES } from "./memory-map";\nimport { RANK_PAGE } from "./mutex";',
  },
  {
    name: "alloc-without-memory-keeps-the-lock",
    kind: "locking",
    find: `    if (chunk == 0) {
      unlock(mutex, RANK_CLASS);
      return 0;`,
    replace: `    if (chunk == 0) {
      return 0;`,
  },
  {
    name: "freed-slot-stays-in-hand",
    kind: "repair",
    find: "  store<u32>(handWord, 0);\n",
    replace: "",
  },
]);

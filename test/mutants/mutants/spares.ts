// SPDX-License-Identifier: GPL-2.0-only
//
// Faults of assembly/core/spares.ts.

import { mutantsOf } from "../mutant.ts";

export const SPARES = mutantsOf("spares.ts", [
  {
    name: "spare-of-any-class-is-taken",
    kind: "bounds",
    find: "return loadRelaxed32(spareOf(file)) != 0 && loadRelaxed32(classOf(file)) == slab;",
    replace: "return loadRelaxed32(spareOf(file)) != 0;",
  },
  {
    name: "spare-is-not-emptied",
    kind: "wipe",
    find: "at < bytes; at += 8) store<u64>(slot + at, 0);",
    replace: "at < bytes - 8; at += 8) store<u64>(slot + at, 0);",
  },
  {
    name: "spare-that-is-taken-is-not-in-hand",
    kind: "repair",
    find: "  setHand(slot | HAND_MEMORY, slab);\n",
    replace: "",
  },
  {
    name: "spares-of-several-classes-are-kept",
    kind: "bounds",
    find: "context.spare != 0 || changetype<SlabClass>",
    replace: "changetype<SlabClass>",
  },
  {
    name: "spares-are-not-given-back",
    kind: "undo",
    find: "    slabFree(context.spareClass, slot, hand());\n",
    replace: "",
  },
  {
    name: "spares-are-not-repaired",
    kind: "repair",
    find: "  if (slot != 0 && slot == context.spare) {",
    replace: "  if (false) {",
  },
]);

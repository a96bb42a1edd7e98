// SPDX-License-Identifier: GPL-2.0-only
//
// Faults of the files of IO address spaces: interval_tree.ts, arena.ts, io_pagetable.ts, ioas.ts, vfio_compat.ts, owned.ts.

import { mutantsOf } from "../mutant.ts";

export const INTERVAL_TREE = mutantsOf("interval_tree.ts", [
  {
    name: "gap-must-be-larger-than-what-fits",
    kind: "bounds",
    find: "if (level > 1 && gapAt(node, at) >= length) {",
    replace: "if (level > 1 && gapAt(node, at) > length) {",
  },
  {
    name: "hole-of-one-byte-fits",
    kind: "bounds",
    find: "if (address >= last || last - address < length - 1) return false;",
    replace: "if (address > last || last - address < length - 1) return false;",
  },
  {
    name: "united-node-keeps-the-other",
    kind: "undo",
    find: "  arenaGive(file, ARENA_NODE, right);\n",
    replace: "",
  },
]);

export const ARENA = mutantsOf("arena.ts", [
  {
    name: "chunk-leaves-the-list-before-it-is-in-hand",
    kind: "repair",
    find: "    setHand(chunk | HAND_MEMORY, ARENA_CLASS);\n    space.chunks = changetype<ArenaChunk>(chunk).link;",
    replace: "    space.chunks = changetype<ArenaChunk>(chunk).link;\n    setHand(chunk | HAND_MEMORY, ARENA_CLASS);",
  },
  {
    name: "area-is-not-wiped",
    kind: "wipe",
    find: "const cleared: u32 = kind == ARENA_NODE ? <u32>offsetof<TreeNode>() : bytes;",
    replace: "const cleared: u32 = kind == ARENA_NODE ? <u32>offsetof<TreeNode>() : 0;",
  },
]);

export const IO_PAGETABLE = mutantsOf("io_pagetable.ts", [
  {
    name: "fixed-iova-may-wrap",
    kind: "bounds",
    find: "  if (last < iova) return -EOVERFLOW;\n",
    replace: "",
  },
  {
    name: "allowed-neighbours-are-two-windows",
    kind: "bounds",
    find: "      while (end < last && treeMeets(allowed, end + 1, end + 1)) end = thread.rangeLast; // neighbours are one window\n",
    replace: "",
  },
  {
    name: "cut-looks-at-the-iova-alone",
    kind: "errno",
    find: "const bits = iova | (area.offset + (iova - first));",
    replace: "const bits = iova;",
  },
  {
    name: "cut-leaves-one-byte",
    kind: "errno",
    find: "if (found == 0 || thread.rangeFirst >= iova - 1) return 0;",
    replace: "if (found == 0 || thread.rangeFirst >= iova) return 0;",
  },
]);

export const IOAS = mutantsOf("ioas.ts", [
  {
    name: "allowed-range-of-one-byte",
    kind: "bounds",
    find: "  if (start >= last) return -EINVAL;",
    replace: "  if (start > last) return -EINVAL;",
  },
  {
    name: "ranges-answer-before-the-count",
    kind: "errno",
    find: "return cmd.num_iovas > capacity ? -EMSGSIZE : 0;",
    replace: "return 0;",
  },
]);

export const VFIO_COMPAT = mutantsOf("vfio_compat.ts", [
  {
    name: "serial-of-vfio-is-not-asked",
    kind: "generation",
    find: "  if (serialOfSlot(ioasOf(handle) - SLOT_PAYLOAD) == serial) return handle;",
    replace: "  if (serial != 0) return handle;",
  },
  {
    name: "start-is-cut-first",
    kind: "undo",
    find: "  let result: i32 = end == 0 ? 0 : cutArea(file, ioas, end);\n  if (result == 0 && iova != 0) result = cutArea(file, ioas, iova);",
    replace:
      "  let result: i32 = iova == 0 ? 0 : cutArea(file, ioas, iova);\n  if (result == 0 && end != 0) result = cutArea(file, ioas, end);",
  },
]);

export const OWNED = mutantsOf("owned.ts", [
  {
    name: "row-of-another-close-is-marked",
    kind: "locking",
    find: "  if ((state & KEEPER_MASK) != KEEPER_OPEN) return 0;\n",
    replace: "",
  },
  {
    name: "user-of-the-dead-owner-stays",
    kind: "repair",
    find: "      if (findKept(file, was.id, <f64>was.serial) != 0) dropKept(entry, file, was.id);\n",
    replace: "",
  },
]);

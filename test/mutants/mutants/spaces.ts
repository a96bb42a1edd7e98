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
  {
    name: "rounds-of-all-areas-are-one",
    kind: "counts",
    find: "  thread.unmapTries = thread.unmapAt == at ? tries : 0;",
    replace: "  thread.unmapTries = tries;",
  },
  {
    name: "area-in-the-way-is-pinned-anew",
    kind: "locking",
    find: "  area.preventAccess = 1;\n  thread.unmapAt",
    replace: "  thread.unmapAt",
  },
  {
    name: "pinned-area-is-cut",
    kind: "errno",
    find: " || area.accesses != 0) return -EINVAL;",
    replace: ") return -EINVAL;",
  },
  {
    name: "copier-is-not-seen",
    kind: "locking",
    find: "    if (load32(copyingOf(thread)) != <u32>area) continue;",
    replace: "    if (load32(copyingOf(thread)) != 1) continue;",
  },
  {
    name: "pins-need-no-whole-pages",
    kind: "bounds",
    find: " || is.pinners != 0 ? PAGE_SIZE : 1;",
    replace: " ? PAGE_SIZE : 1;",
  },
  {
    name: "failed-copy-stays",
    kind: "undo",
    find: "  if (result != 0 && at != iova) removeAll(file, to, chosen, chosen + (at - iova) - 1);\n",
    replace: "",
  },
  {
    name: "copy-may-write-what-was-mapped-to-read",
    kind: "errno",
    find: "(changetype<PagesObject>(area.pages).flags & PAGES_WRITABLE) == 0) result = -EPERM;",
    replace: "area.pages == 0) result = -EPERM;",
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
  {
    name: "file-that-was-not-mapped-is-held",
    kind: "counts",
    find: "  if (result != 0) memfdPut(memfd);\n",
    replace: "",
  },
  {
    name: "mode-changes-beside-objects",
    kind: "errno",
    find: ".taken != 0) result = -EBUSY;",
    replace: ".taken == u32.MAX_VALUE) result = -EBUSY;",
  },
  {
    name: "everybody-sets-the-mode",
    kind: "errno",
    find: " && !capable(CAP_SYS_RESOURCE)) return -EPERM;",
    replace: " && !capable(0)) return -EPERM;",
  },
  {
    name: "list-meets-what-is-reserved",
    kind: "errno",
    find: "result = -EADDRINUSE;",
    replace: "result = 0;",
  },
  {
    name: "address-space-that-nobody-was-told-of-stays",
    kind: "undo",
    find: "    abort(file, handle);\n",
    replace: "",
  },
  {
    name: "last-range-does-not-fit",
    kind: "bounds",
    find: "if (count < capacity && !copyToUser",
    replace: "if (count + 1 < capacity && !copyToUser",
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
  {
    name: "unmap-of-all-ignores-its-range",
    kind: "errno",
    find: "    if (unmap.iova != 0 || unmap.size != 0) return NO_REPLY - EINVAL;\n",
    replace: "",
  },
  {
    name: "mappings-are-cut-in-large-pages",
    kind: "errno",
    find: "  if (changetype<Ioas>(ioas).smallPages != 0) {",
    replace: "  if (true) {",
  },
  {
    name: "ranges-are-written-without-room",
    kind: "bounds",
    find: "if (argsz >= total && !writeRanges",
    replace: "if (argsz >= rangesAt && !writeRanges",
  },
  {
    name: "bytes-of-an-earlier-unmap-go-back",
    kind: "counts",
    find: "  changetype<Thread>(current()).unmapBytes = 0;\n",
    replace: "",
  },
  {
    name: "struct-may-be-too-short",
    kind: "bounds",
    find: "return load<u32>(current() + THREAD_COMMAND) < least ? -EINVAL : 0;",
    replace: "return 0;",
  },
  {
    name: "right-to-write-is-one-to-read",
    kind: "bounds",
    find: "VFIO_DMA_MAP_FLAG_WRITE) != 0) rights |= AREA_WRITE;",
    replace: "VFIO_DMA_MAP_FLAG_WRITE) != 0) rights |= AREA_READ;",
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
    name: "another-user-is-dropped-for-the-owner-who-had-dropped-his",
    kind: "repair",
    find: '  changeNote(row + offsetof<Keeper>("payload"), 0);\n',
    replace: "",
  },
  {
    name: "owner-that-finds-no-row-keeps-its-id",
    kind: "undo",
    find: "    abort(file, handle);\n    return -EMFILE;",
    replace: "    return -EMFILE;",
  },
  {
    name: "open-owner-has-no-user",
    kind: "counts",
    find: "  keepUserOfReserved(file, handle);\n",
    replace: "",
  },
  {
    name: "owner-that-is-aborted-keeps-its-row",
    kind: "undo",
    find: "  freeKeeper(row);\n  abort(file, handle);",
    replace: "  abort(file, handle);",
  },
  {
    name: "row-is-ended-without-a-swap",
    kind: "locking",
    find: "  return compareExchange32(keeperState(row), state, keeperMaking(keptBy(state))) == state;",
    replace: "  store32(keeperState(row), keeperMaking(keptBy(state)));\n  return true;",
  },
  {
    name: "object-goes-from-under-other-users",
    kind: "bounds",
    find: "usersOf(word) == own + 1;",
    replace: "usersOf(word) >= own + 1;",
  },
]);

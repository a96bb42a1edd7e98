// SPDX-License-Identifier: GPL-2.0-only
//
// Faults of assembly/core: access.ts, attached.ts, access_pin.ts and access_copy.ts.

import { mutantsOf } from "../mutant.ts";

export const ACCESS = mutantsOf("access.ts", [
  {
    name: "access-of-another-serial",
    kind: "generation",
    find: ' && <f64>load64(row + offsetof<Keeper>("serial")) == serial) return row;',
    replace: ") return row;",
  },
  {
    name: "access-of-a-poisoned-file-goes-on",
    kind: "locking",
    find: "return isPoisoned(fileOf(row)) ? leave(fileOf(row), -EIO) : <i32>row;",
    replace: "return <i32>row;",
  },
  {
    name: "access-leaves-twice",
    kind: "locking",
    find: "else if (access.leaving != 0 || isCopied(access)) result = -EBUSY;",
    replace: "else if (isCopied(access)) result = -EBUSY;",
  },
  {
    name: "access-is-attached-while-it-leaves",
    kind: "locking",
    find: "access.leaving != 0 ? -EBUSY : attach",
    replace: "attach",
  },
  {
    name: "access-ends-in-a-copy",
    kind: "locking",
    find: "  if (isCopied(access) || (isWhole",
    replace: "  if ((isWhole",
  },
  {
    name: "leaving-never-ends",
    kind: "undo",
    find: "  access.leaving = 0;\n  let result: i32 = 0;",
    replace: "  let result: i32 = 0;",
  },
]);

export const ATTACHED = mutantsOf("attached.ts", [
  {
    name: "access-that-leaves-stays-a-pinner",
    kind: "counts",
    find: "  if ((access.flags & ACCESS_PINS) != 0) ioas.pinners--;\n",
    replace: "",
  },
]);

export const ACCESS_PIN = mutantsOf("access_pin.ts", [
  {
    name: "pages-before-the-first-bad-one-stay-pinned",
    kind: "undo",
    find: "    unpinAll(file, areas, iova, at - 1);\n",
    replace: "",
  },
  {
    name: "pin-that-is-not-noted-stays",
    kind: "undo",
    find: "    unpinAll(file, areas, iova, last);\n",
    replace: "",
  },
  {
    name: "part-of-a-pin-is-undone",
    kind: "bounds",
    find: " && is.iova == iova && is.length == length) break;",
    replace: " && is.iova == iova) break;",
  },
  {
    name: "pin-of-another-access-is-undone",
    kind: "bounds",
    find: "    if (is.access == <u32>changetype<usize>(access) && is.iova",
    replace: "    if (is.iova",
  },
  {
    name: "one-unpin-forgets-all",
    kind: "counts",
    find: "  if (--pin.count == 0) {",
    replace: "  pin.count--;\n  if (pin.count >= 0) {",
  },
  {
    name: "part-of-a-page-is-pinned",
    kind: "bounds",
    find: "(first & (PAGE_SIZE - 1)) != 0 || (!isLast",
    replace: "(!isLast",
  },
  {
    name: "pin-needs-no-right",
    kind: "errno",
    find: "  return (area.flags & rightFor(writes)) == 0 ? -EPERM : 0;",
    replace: "  return 0;",
  },
  {
    name: "area-that-is-unmapped-is-pinned",
    kind: "locking",
    find: "  if (area.pages == 0 || area.preventAccess != 0) return -EINVAL;",
    replace: "  if (area.pages == 0) return -EINVAL;",
  },
]);

export const ACCESS_COPY = mutantsOf("access_copy.ts", [
  {
    name: "copy-in-a-copy",
    kind: "locking",
    find: "  if (load32(copyingOf(current())) != 0) return -EDEADLK;\n",
    replace: "",
  },
  {
    name: "area-that-is-unmapped-is-copied",
    kind: "locking",
    find: "  if (area.pages == 0 || area.preventAccess != 0) return -EINVAL;",
    replace: "  if (area.pages == 0) return -EINVAL;",
  },
  {
    name: "copy-for-an-access-wakes-nobody",
    kind: "waking",
    find: '  if (load32(thread + offsetof<Thread>("copyWaited")) == 0) return;\n',
    replace: "  return;\n",
  },
  {
    name: "piece-reaches-beyond-its-area",
    kind: "bounds",
    find: "min(min(length, thread.rangeLast - iova + 1), LONGEST_PIECE)",
    replace: "min(length, LONGEST_PIECE)",
  },
  {
    name: "copy-of-the-dead-is-waited-for",
    kind: "repair",
    find: '  const thread = current();\n  store32(copyingOf(thread), 0);\n  store32(copiesOf(thread), load<u32>(copiesOf(thread)) + 1);\n  store32(thread + offsetof<Thread>("copyWaited"), 0);',
    replace:
      '  const thread = current();\n  store32(copiesOf(thread), load<u32>(copiesOf(thread)) + 1);\n  store32(thread + offsetof<Thread>("copyWaited"), 0);',
  },
  {
    name: "copy-of-pinned-pages-keeps-nothing",
    kind: "locking",
    find: "  if (thread.result3 != 0 && thread.result2 == 0) pinKept(thread.result3);\n",
    replace: "",
  },
  {
    name: "write-needs-only-reading",
    kind: "bounds",
    find: "writes ? PROT_WRITE : PROT_READ)",
    replace: "PROT_READ)",
  },
]);

// SPDX-License-Identifier: GPL-2.0-only
//
// Faults of assembly/core: pin.ts and pages.ts.

import { mutantsOf } from "../mutant.ts";

export const PIN = mutantsOf("pin.ts", [
  {
    name: "pin-that-fails-stays",
    kind: "undo",
    find: "  else drop(file, pages, first, last);\n",
    replace: "",
  },
  {
    name: "second-part-of-a-cut-keeps-nothing",
    kind: "counts",
    find: "  if (range.mapping != 0) keepPinOf(range.mapping);\n",
    replace: "",
  },
  {
    name: "second-part-of-a-cut-is-the-first",
    kind: "bounds",
    find: "  const address = range.address + <u32>((at - first) << PAGE_SHIFT);",
    replace: "  const address = range.address;",
  },
  {
    name: "unpinned-pages-stay-charged",
    kind: "counts",
    find: "  uncharge(object, before - object.pinned);\n",
    replace: "",
  },
  {
    name: "pages-behind-the-end-of-a-file-are-pinned",
    kind: "bounds",
    find: "    if (start > size || wanted > size - start) return -EINVAL;\n",
    replace: "",
  },
  {
    name: "cut-that-fails-stays-charged",
    kind: "undo",
    find: "      uncharge(object, object.pinned - before);\n",
    replace: "",
  },
  {
    name: "pins-of-a-broken-file-stay-charged",
    kind: "counts",
    find: "  uncharge(pages, count);\n  subPinned(pages.process, count);",
    replace: "  subPinned(pages.process, count);",
  },
  {
    name: "read-only-pages-are-pinned-for-writing",
    kind: "bounds",
    find: "(object.flags & PAGES_WRITABLE) != 0 ? PROT_WRITE : PROT_READ;",
    replace: "PROT_READ;",
  },
]);

export const PAGES = mutantsOf("pages.ts", [
  {
    name: "user-is-the-spaces-though-it-changed",
    kind: "generation",
    find: "<u32>process && space.sourceUser == pages.user) return;",
    replace: "<u32>process) return;",
  },
  {
    name: "old-owner-stays-charged",
    kind: "counts",
    find: "  if (isOfOther(pages, mode, process, user)) uncharge(pages, count);\n",
    replace: "",
  },
  {
    name: "memory-of-a-process-changes-owner",
    kind: "errno",
    find: "  if (!areAllOfFiles(file)) result = -EINVAL;\n  else if",
    replace: "  if",
  },
  {
    name: "space-keeps-its-source",
    kind: "counts",
    find: "  if (process != 0) dropSource(process, space.sourceUser);\n",
    replace: "",
  },
  {
    name: "pages-keep-their-file",
    kind: "counts",
    find: "  pages.memfd = 0;\n  memfdPut(memfd);",
    replace: "  pages.memfd = 0;",
  },
  {
    name: "who-may-lock-pays",
    kind: "counts",
    find: "capable(CAP_IPC_LOCK) ? ACCOUNT_NONE : changetype",
    replace: "changetype",
  },
]);

// SPDX-License-Identifier: GPL-2.0-only
//
// Faults of assembly/core/page-alloc.ts.

import { mutantsOf } from "../mutant.ts";

export const PAGE_ALLOC = mutantsOf("page-alloc.ts", [
  {
    name: "freed-pages-are-not-wiped",
    kind: "wipe",
    find: "    if ((load<u8>(frameOf(at)) & FRAME_USER) != 0) fill(at, 0, PAGE_SIZE);\n",
    replace: "",
  },
  {
    name: "last-page-of-a-run-is-not-claimed",
    kind: "bounds",
    find: "claim(page + 1 - count, count, frame);",
    replace: "claim(page + 1 - count, count - 1, frame);",
  },
  {
    name: "freed-pages-are-never-found-again",
    kind: "undo",
    find: "  if (first < state.low) state.low = first;\n",
    replace: "",
  },
  {
    name: "kernel-memory-grows-into-user-pages",
    kind: "bounds",
    find: "if (missing <= first && isFree(first - missing, missing)) {",
    replace: "if (missing <= first) {",
  },
  { name: "freed-pages-stay-counted", kind: "counts", find: "    state.used--;\n", replace: "" },
  {
    name: "kernel-memory-without-the-lock",
    kind: "locking",
    find: `  lock(PAGE_LOCK, RANK_PAGE);
  let at: usize = 0;
  if (fitsExtent(bytes, align) || growExtent(bytes, align)) {
    at = (state.extentTop - bytes) & ~(align - 1);
    setHandMemory(at | kind, file);
    state.extentTop = <u32>at;
    if (MODEL_BUILD) modelAlloc(at, bytes);
  }
  unlock(PAGE_LOCK, RANK_PAGE);`,
    replace: `  let at: usize = 0;
  if (fitsExtent(bytes, align) || growExtent(bytes, align)) {
    at = (state.extentTop - bytes) & ~(align - 1);
    setHandMemory(at | kind, file);
    state.extentTop = <u32>at;
    if (MODEL_BUILD) modelAlloc(at, bytes);
  }`,
  },
]);

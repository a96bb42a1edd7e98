// SPDX-License-Identifier: GPL-2.0-only
//
// Faults of assembly/core/memfd.ts.

import { mutantsOf } from "../mutant.ts";

export const MEMFD = mutantsOf("memfd.ts", [
  {
    name: "another-file-has-the-number",
    kind: "bounds",
    find: "file != 0 && changetype<Memfd>(file).generation == generation ? file : 0;",
    replace: "file;",
  },
  {
    name: "file-may-be-longer-than-its-pages",
    kind: "bounds",
    find: "bytes > MAX_BYTES || pagesOf(bytes) > row.pages",
    replace: "bytes > MAX_BYTES",
  },
  {
    name: "lost-bytes-come-back",
    kind: "undo",
    find: "    if (bytes > size) fill(row.backing + size, 0, min(end, row.written) - size);\n",
    replace: "",
  },
  {
    name: "written-pages-are-forgotten",
    kind: "undo",
    find: "(<u64>max(end, row.written)) << 32",
    replace: "(<u64>end) << 32",
  },
  {
    name: "close-ends-a-file-that-is-mapped",
    kind: "bounds",
    find: "  if (isMapped(file)) return false;\n",
    replace: "",
  },
  {
    name: "close-ends-a-file-that-is-held",
    kind: "bounds",
    find: ' || load32(file + offsetof<Memfd>("holders")) != 0) return false;',
    replace: ") return false;",
  },
  {
    name: "last-reference-is-looked-for-after-the-lock",
    kind: "locking",
    find: "  const isLast = file != 0 && beginEnd(file);\n  unlock(MAP_LOCK, RANK_MAP);",
    replace: "  unlock(MAP_LOCK, RANK_MAP);\n  const isLast = file != 0 && beginEnd(file);",
  },
  {
    name: "get-counts-after-the-lock",
    kind: "locking",
    find: '  if (file != 0) add32(file + offsetof<Memfd>("holders"), 1);\n  unlock(MAP_LOCK, RANK_MAP);',
    replace: '  unlock(MAP_LOCK, RANK_MAP);\n  if (file != 0) add32(file + offsetof<Memfd>("holders"), 1);',
  },
  {
    name: "pages-of-a-file-are-not-wiped",
    kind: "undo",
    find: "  wipePages(backing, pagesOf(row.written));\n",
    replace: "",
  },
  {
    name: "file-that-nobody-has-stays",
    kind: "repair",
    find: "    if (isOwn || beginEnd(file)) finishMemfd(file);",
    replace: "",
  },
  {
    name: "next-file-is-the-one-before",
    kind: "generation",
    find: "  file.generation++;\n",
    replace: "",
  },
]);

// SPDX-License-Identifier: GPL-2.0-only
//
// Faults of assembly/core/gup.ts.

import { mutantsOf } from "../mutant.ts";

const UNPIN = `  store32(pinned, 0);
  const state = load32(stateOf(row));`;

export const GUP = mutantsOf("gup.ts", [
  {
    name: "copy-that-ends-wakes-nobody",
    kind: "waking",
    find: "  if (state == MAPPING_LEAVING) notify(pinned, -1);\n  else if",
    replace: "  if",
  },
  {
    name: "copy-looks-before-it-unpins",
    kind: "waking",
    find: UNPIN,
    replace: `  const state = load32(stateOf(row));
  store32(pinned, 0);`,
  },
  {
    name: "copy-pins-after-the-lock",
    kind: "locking",
    find: `    if (reach != 0) store32(pinnedOf(current()), <u32>row);
  }
  unlock(MAP_LOCK, RANK_MAP);`,
    replace: `    unlock(MAP_LOCK, RANK_MAP);
    if (reach != 0) store32(pinnedOf(current()), <u32>row);
    return reach;
  }
  unlock(MAP_LOCK, RANK_MAP);`,
  },
  {
    name: "mapping-without-access-is-pinned",
    kind: "undo",
    find: "if (reach != 0) store32(pinnedOf(current()), <u32>row);",
    replace: "store32(pinnedOf(current()), <u32>row);",
  },
  {
    name: "protection-is-not-looked-at",
    kind: "bounds",
    find: " && (load<u8>(protections + page) & prot) == prot) page++;",
    replace: ") page++;",
  },
  {
    name: "row-outlasts-its-pages",
    kind: "repair",
    find: "  store32(stateOf(row), MAPPING_UNUSED);\n  freePages(own, pages);",
    replace: "  freePages(own, pages);\n  store32(stateOf(row), MAPPING_UNUSED);",
  },
  {
    name: "pinned-pages-are-wiped",
    kind: "locking",
    find: '  if ((load32(row + offsetof<Mapping>("pins")) != 0 || isCopied(row)) && leaveToPins(row)) return;\n',
    replace: "",
  },
  {
    name: "file-is-reached-beyond-its-size",
    kind: "bounds",
    find: "  if (mapping.kind == MAPPING_MEMFD) end = min(end, fileReach(row));\n",
    replace: "",
  },
  {
    name: "external-memory-is-copied",
    kind: "bounds",
    find: "  if (reach == 0 || pinnedKind() != MAPPING_EXTERNAL) return reach;\n",
    replace: "  if (reach != 0) return reach;\n",
  },
]);

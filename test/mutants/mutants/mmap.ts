// SPDX-License-Identifier: GPL-2.0-only
//
// Faults of assembly/core/mmap.ts.

import { mutantsOf } from "../mutant.ts";

const UNPIN = `  store32(pinned, 0);
  const state = load32(stateOf(row));`;

export const MMAP = mutantsOf("mmap.ts", [
  {
    name: "unmap-does-not-wait-for-copies",
    kind: "locking",
    find: "  waitForPins(row);\n",
    replace: "",
  },
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
    name: "mapping-may-end-outside",
    kind: "bounds",
    find: "length > TASK_SIZE || va > TASK_SIZE - length) return -EINVAL;",
    replace: "length > TASK_SIZE) return -EINVAL;",
  },
  {
    name: "mapping-has-a-byte-behind-its-end",
    kind: "bounds",
    find: "if (endOf(ordered(middle)) <= va) low = middle + 1;",
    replace: "if (endOf(ordered(middle)) < va) low = middle + 1;",
  },
  {
    name: "order-of-mappings-is-overwritten",
    kind: "bounds",
    find: "  copy(at + 2, at, (state.count - position) * 2);\n",
    replace: "",
  },
  {
    name: "unmap-leaves-no-name",
    kind: "repair",
    find: "  changetype<Mapping>(row).unmapper = nameOfThread(current());\n",
    replace: "",
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
  {
    name: "the-ended-can-map",
    kind: "bounds",
    find: "  if (!isAlive(currentProcess())) result = -ESRCH;\n  else if",
    replace: "  if",
  },
  {
    name: "unmap-reaches-other-processes",
    kind: "bounds",
    find: "  if (va > TASK_SIZE) return -EINVAL;\n",
    replace: "",
  },
  {
    name: "mappings-of-the-ended-stay",
    kind: "repair",
    find: "  mapDone();\n  takeOver();",
    replace: "  mapDone();",
  },
  {
    name: "pin-of-the-dead-stays",
    kind: "repair",
    find: "  store32(pinned, 0);\n  notify(pinned, -1);",
    replace: "",
  },
]);

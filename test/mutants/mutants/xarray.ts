// SPDX-License-Identifier: GPL-2.0-only
//
// Faults of assembly/core/xarray.ts.

import { mutantsOf } from "../mutant.ts";

export const XARRAY = mutantsOf("xarray.ts", [
  {
    name: "lookup-has-no-limit",
    kind: "bounds",
    find: "  if (slot >= changetype<Identity>(IDENTITY).rootSlots) return 0;\n  const root",
    replace: "  const root",
  },
  {
    name: "highest-id-is-never-given",
    kind: "bounds",
    find: "if (id > identity.idLimit) return -EBUSY;",
    replace: "if (id >= identity.idLimit) return -EBUSY;",
  },
  {
    name: "id-0-is-given",
    kind: "bounds",
    find: "  if (id < LEAF_ENTRIES) store<u64>(inner + INNER_TAKEN, load<u64>(inner + INNER_TAKEN) | 1); // ID 0 is never handed out\n",
    replace: "",
  },
  {
    name: "leaf-is-full-64-ids-too-early",
    kind: "bounds",
    find: " & load<u64>(taken, 16) & load<u64>(taken, 24)) != ALL) return;",
    replace: " & load<u64>(taken, 16)) != ALL) return;",
  },
  {
    name: "full-leaf-stays-full",
    kind: "undo",
    find: "    store<u64>(inner + INNER_FULL, full & ~((<u64>1) << leaf));\n",
    replace: "",
  },
  {
    name: "full-inner-node-stays-full",
    kind: "undo",
    find: "    store<u64>(rootWord, load<u64>(rootWord) & ~((<u64>1) << (slot & 63)));\n",
    replace: "",
  },
  {
    name: "file-is-asked-for-a-leaf-that-it-does-not-name",
    kind: "bounds",
    find: "const leaf: usize = number < FIRST_LEAVES ?",
    replace: "const leaf: usize = number <= FIRST_LEAVES ?",
  },
  {
    name: "released-file-names-its-leaves",
    kind: "wipe",
    find: "  for (let number: u32 = 0; number < FIRST_LEAVES; number++) store32(firstLeaf(file, number), 0);\n",
    replace: "",
  },
  {
    name: "free-id-is-looked-for-below-the-hint",
    kind: "bounds",
    find: "return free == 0 ? 0 : from + ctz(free);",
    replace: "return free == 0 ? 0 : (from & ~63) + ctz(free);",
  },
  {
    name: "erased-id-does-not-lower-the-hint",
    kind: "undo",
    find: "min(id, context.freeHint)",
    replace: "context.freeHint",
  },
  {
    name: "freed-node-is-not-emptied",
    kind: "wipe",
    find: "  fillRelaxed(node, pagesOf(kind) << PAGE_SHIFT);\n",
    replace: "",
  },
  {
    name: "node-pool-without-its-lock",
    kind: "locking",
    find: `  lock(NODES, RANK_NODES);
  store<u32>(linkOf(kind, node), load<u32>(headOf(kind)));
  store<u32>(headOf(kind), <u32>node);
  clearHandMemory();
  unlock(NODES, RANK_NODES);`,
    replace: `  store<u32>(linkOf(kind, node), load<u32>(headOf(kind)));
  store<u32>(headOf(kind), <u32>node);
  clearHandMemory();`,
  },
  {
    name: "node-that-leaves-its-table-is-not-in-hand",
    kind: "repair",
    find: "  setHandMemory(node | (kind + 1), file);\n  store32(at, 0);",
    replace: "  store32(at, 0);",
  },
  {
    name: "repaired-table-counts-no-ids",
    kind: "repair",
    find: "      bits |= (<u64>1) << bit;\n      context.taken++;",
    replace: "      bits |= (<u64>1) << bit;",
  },
]);

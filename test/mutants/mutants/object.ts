// SPDX-License-Identifier: GPL-2.0-only
//
// Faults of assembly/core/object.ts.

import { mutantsOf } from "../mutant.ts";

export const OBJECT = mutantsOf("object.ts", [
  {
    name: "refused-alloc-keeps-its-mark",
    kind: "undo",
    find: "  if (handle < 0) fileLeave(file);\n",
    replace: "",
  },
  {
    name: "alloc-without-an-id-loses-its-slot",
    kind: "undo",
    find: "    slabFree(slab, slot, hand());\n    return <i32>found;",
    replace: "    return <i32>found;",
  },
  {
    name: "id-is-looked-for-without-the-lock",
    kind: "locking",
    find: `  lock(tableLockOf(file), RANK_TABLE);
  const found = xaFindFree(file);`,
    replace: `  const found = xaFindFree(file);
  lock(tableLockOf(file), RANK_TABLE);`,
  },
  {
    name: "word-is-reserved-before-the-entry-has-its-slot",
    kind: "repair",
    find: `  changetype<Entry>(entry).slot = <u32>slot;
  changetype<Entry>(entry).kept = 0;
  store64(entry, reservedWord(load64(entry), type)); // who reads a free word changes nothing`,
    replace: `  store64(entry, reservedWord(load64(entry), type));
  changetype<Entry>(entry).slot = <u32>slot;
  changetype<Entry>(entry).kept = 0;`,
  },
  {
    name: "reserved-object-is-memory-in-hand",
    kind: "repair",
    find: "  setHand(slot | HAND_NO_CALLBACK, slab);\n  changetype<Entry>",
    replace: "  changetype<Entry>",
  },
  {
    name: "all-objects-have-one-serial",
    kind: "generation",
    find: "object.serial = context.serial++;",
    replace: "object.serial = context.serial;",
  },
  {
    name: "finalize-publishes-with-a-plain-store",
    kind: "locking",
    find: "  store64(entry, withPhase(word, PHASE_LIVE));",
    replace: "  store<u64>(entry, withPhase(word, PHASE_LIVE));",
  },
  {
    name: "publication-is-not-noted",
    kind: "repair",
    find: "  thread.publishing = <u32>entry;\n",
    replace: "",
  },
  {
    name: "finalize-keeps-its-mark",
    kind: "undo",
    find: "  thread.publishing = 0;\n  fileLeave(file);",
    replace: "  thread.publishing = 0;",
  },
  {
    name: "abort-does-not-give-the-id-back",
    kind: "undo",
    find: "  xaErase(file, id);\n",
    replace: "",
  },
  { name: "freed-object-keeps-its-holds", kind: "undo", find: "  else dropHolds(slot);\n", replace: "" },
]);

// SPDX-License-Identifier: GPL-2.0-only
//
// Faults of assembly/core/object.ts.

import { mutantsOf } from "../mutant.ts";

export const OBJECT = mutantsOf("object.ts", [
  {
    name: "refused-alloc-does-not-resume-the-release",
    kind: "waking",
    find: "  if (slot != 0) slabFree(slab, slot, hand());\n  fileUnlocked(file);",
    replace: "  if (slot != 0) slabFree(slab, slot, hand());",
  },
  {
    name: "alloc-does-not-look-at-the-file",
    kind: "locking",
    find: "const entry = mayUse(file, expected) ? reserve(file, type, slab, slot, isSpare) : refusal(file, expected);",
    replace: "const entry = reserve(file, type, slab, slot, isSpare);",
  },
  {
    name: "alloc-that-finds-no-spare-gives-up",
    kind: "errno",
    find: "  if (slot == 0 && isSpare) slot = slabAlloc(slab, hand()); // another thread was faster\n",
    replace: "",
  },
  {
    name: "alloc-without-an-id-loses-its-slot",
    kind: "undo",
    find: "  if (slot != 0) slabFree(slab, slot, hand());\n",
    replace: "",
  },
  {
    name: "id-is-looked-for-without-the-lock",
    kind: "locking",
    find: `  lockNow(tableLockOf(file), RANK_TABLE);
  const entry = mayUse(file, expected) ? reserve(file, type, slab, slot, isSpare) : refusal(file, expected);`,
    replace: `  const entry = mayUse(file, expected) ? reserve(file, type, slab, slot, isSpare) : refusal(file, expected);
  lockNow(tableLockOf(file), RANK_TABLE);`,
  },
  {
    name: "reservation-given-back-opens-the-table",
    kind: "repair",
    find: "  unlock(tableLockOf(file), RANK_TABLE); // a reaper gives",
    replace: "  unlockNow(tableLockOf(file), RANK_TABLE); // a reaper gives",
  },
  {
    name: "word-is-reserved-before-the-entry-has-its-slot",
    kind: "repair",
    find: `  changetype<Entry>(entry).slot = <u32>slot;
  if (DEBUG_BUILD) assertInvariant(changetype<Entry>(entry).kept == 0); // nobody is left who could drop a user of a free entry
  // Who reads a free word changes nothing, and neither half of a reserved one looks like a published object. The unlock orders it.
  storeRelaxed64(entry, reservedWord(loadRelaxed64(entry), type));`,
    replace: `  storeRelaxed64(entry, reservedWord(loadRelaxed64(entry), type));
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
    find: "initSlot(slot, id, type, file, context.serial++);",
    replace: "initSlot(slot, id, type, file, context.serial);",
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
    name: "finalize-does-not-resume-the-release",
    kind: "waking",
    find: "  thread.publishing = 0;\n  fileUnlocked(file);",
    replace: "  thread.publishing = 0;",
  },
  {
    name: "abort-does-not-resume-the-release",
    kind: "waking",
    find: "  if (!isSpare) slabFree(slab, slot, hand());\n  fileUnlocked(file);",
    replace: "  if (!isSpare) slabFree(slab, slot, hand());",
  },
  {
    name: "aborted-object-forgets-its-holds",
    kind: "undo",
    find: "  if (hasHolds(slot)) return abortHolding(file, record, slot, slab);\n",
    replace: "",
  },
  {
    name: "record-of-an-aborted-object-is-freed-late",
    kind: "repair",
    find: `  freeRecord(record); // before the slot is out of hand: until then the hand tells what became of the record's entry
  const isSpare = keepSpare(file, slot, slab);`,
    replace: "  const isSpare = keepSpare(file, slot, slab);\n  freeRecord(record);",
  },
  {
    name: "abort-does-not-give-the-id-back",
    kind: "undo",
    find: "  xaErase(file, id);\n",
    replace: "",
  },
  { name: "freed-object-keeps-its-holds", kind: "undo", find: "    dropHolds(slot);\n  }\n", replace: "  }\n" },
]);

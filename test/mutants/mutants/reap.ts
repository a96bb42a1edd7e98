// SPDX-License-Identifier: GPL-2.0-only
//
// Faults of assembly/core/reap.ts, recount.ts and repair.ts: what is done for a thread that died.

import { mutantsOf } from "../mutant.ts";

export const REAP = mutantsOf("reap.ts", [
  { name: "change-of-the-dead-stays", kind: "repair", find: "  recoverChange();\n", replace: "" },
  {
    name: "slot-in-a-dead-hand-is-lost",
    kind: "repair",
    find: "  recoverHand();\n  notify",
    replace: "  notify",
  },
  {
    name: "several-reap-the-same-thread",
    kind: "locking",
    dies: true,
    find: "return isFree && compareExchange32(word, reaper, own) == reaper ? DONE : blockedBy(word, reaper);",
    replace: "store32(word, own);\n  return isFree ? DONE : DONE;",
  },
  {
    name: "what-was-not-certain-is-not-counted",
    kind: "repair",
    find: "isPoisoned(file) ? INCONSISTENT : recount(target);",
    replace: "isPoisoned(file) ? INCONSISTENT : DONE;",
  },
  {
    name: "published-object-is-aborted",
    kind: "repair",
    find: "    if (kind == RECORD_RESERVED && wasPublished(target)) freeRecord(record);\n    else giveBack(record);",
    replace: "    giveBack(record);",
  },
  {
    name: "callback-runs-twice",
    kind: "repair",
    find: "if ((type & SLOT_CALLBACK_RAN) != 0 || !hasCallback(type & SLOT_TYPE_MASK)) {",
    replace: "if (!hasCallback(type & SLOT_TYPE_MASK)) {",
  },
  {
    name: "release-of-the-dead-is-nobodys",
    kind: "repair",
    find: "  if (inherits) inheritRelease(was.releasing);\n",
    replace: "",
  },
  {
    name: "node-in-a-dead-hand-is-lost",
    kind: "repair",
    find: "  recoverMemory();\n  recoverList",
    replace: "  recoverList",
  },
]);

export const RECOUNT = mutantsOf("recount.ts", [
  {
    name: "lost-holder-keeps-its-user",
    kind: "repair",
    find: "  for (let count: u32 = 0; count < surplus; count++) next = minusUser(next);\n",
    replace: "",
  },
  {
    name: "lost-destroyer-stays",
    kind: "repair",
    find: " - (destroyersOf(word) - destroyers) * DESTROYER;",
    replace: ";",
  },
  {
    name: "living-thread-in-a-swap-is-not-awaited",
    kind: "locking",
    dies: true,
    find: "else if (kind == RECORD_BUSY && !isDead) {",
    replace: "else if (kind == RECORD_BUSY && !isDead && entry == 0) {",
  },
]);

export const REPAIR = mutantsOf("repair.ts", [
  { name: "mappings-are-not-repaired", kind: "repair", find: "    repairMappings();\n", replace: "" },
  {
    name: "pages-of-nobody-stay",
    kind: "repair",
    find: "    changetype<Thread>(current()).sweeps = 1;\n",
    replace: "",
  },
  {
    name: "table-is-not-repaired",
    kind: "repair",
    find: "else if (index < QUEUE_INDEX) repairTable(FILES + (index - FIRST_TABLE) * FILE_BYTES);",
    replace: "else if (index < QUEUE_INDEX) return;",
  },
  {
    name: "slab-is-not-repaired",
    kind: "repair",
    find: "else if (index < NODES_INDEX) repairClass(index - FIRST_CLASS);",
    replace: "else if (index < NODES_INDEX) return;",
  },
  { name: "pages-are-not-repaired", kind: "repair", find: "  else repairPages();\n", replace: "" },
]);

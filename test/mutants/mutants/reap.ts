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
    imports: 'import { store32 } from "./atomics";',
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
    find: "if (hasCallbackRun(slot) || !hasCallback(type)) {",
    replace: "if (!hasCallback(type)) {",
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
  {
    name: "list-in-a-dead-hand-is-lost",
    kind: "repair",
    find: '  slabFree(HOLD_LIST_CLASS, list, current() + offsetof<Thread>("handList"));',
    replace: "  thread.handList = 0;",
  },
  {
    name: "list-in-a-dead-hand-is-freed-though-it-hangs",
    kind: "repair",
    find: "  if (isListOf(thread.hand & ~HAND_FLAGS, list)) {",
    replace: "  if (false) {",
  },
  {
    name: "reservation-in-a-dead-hand-keeps-its-id",
    kind: "repair",
    find: "    eraseReserved(file, slot);\n",
    replace: "",
  },
  {
    name: "records-of-what-is-in-hand-stay",
    kind: "repair",
    find: "  dropRecordsOf(slot, entry);\n  const type",
    replace: "  const type",
  },
  {
    name: "broken-file-is-not-poisoned",
    kind: "repair",
    find: "      poison(file);\n      break;",
    replace: "      break;",
  },
  {
    name: "later-owner-of-the-slot-is-reaped",
    kind: "generation",
    dies: true,
    find: 'if (load32(dead + offsetof<Thread>("incarnation")) != incarnation || load32(state) == THREAD_FREE) {',
    replace: "if (load32(state) == THREAD_FREE) {",
  },
  {
    name: "slot-is-free-before-its-release-is-inherited",
    kind: "repair",
    find: "  if (isDone && !inherits) {",
    replace: "  if (isDone || inherits) {",
  },
  {
    name: "locks-of-other-dead-threads-stay",
    kind: "repair",
    find: 'if (load32(thread + offsetof<Thread>("state")) == THREAD_DEAD) recoverLocks(thread, dead);',
    replace: "if (thread == dead) recoverLocks(thread, dead);",
  },
  {
    name: "dead-reaper-is-waited-for",
    kind: "waking",
    dies: true,
    find: "  forgetReaper(nameOfThread(dead));\n",
    replace: "",
  },
  {
    name: "copy-beside-the-unmap-of-the-dead-is-not-awaited",
    kind: "locking",
    dies: true,
    find: '    if (copier != 0) return blockedBy(copier + offsetof<Thread>("pinned"), <u32>row);\n',
    replace: "",
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
  {
    name: "locks-of-the-living-are-not-counted",
    kind: "locking",
    dies: true,
    find: "if (kind == RECORD_LOCKED) holders++;",
    replace: "if (kind == RECORD_LOCKED && isDead) holders++;",
  },
  {
    name: "frozen-entry-is-recounted",
    kind: "locking",
    dies: true,
    find: "    if (freezerOf(word) != 0) return blockedByChange(entry, word);\n",
    replace: "",
  },
  {
    name: "more-may-be-missing-than-was-uncertain",
    kind: "bounds",
    dies: true,
    find: " || surplus > busy) {",
    replace: ") {",
  },
  {
    name: "what-is-uncertain-stays-uncertain",
    kind: "repair",
    find: "  endChange(entry, next);\n  endBusy(entry, dead);",
    replace: "  endChange(entry, next);",
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
    find: "  repairTable(file);\n",
    replace: "",
  },
  {
    name: "file-that-was-changed-is-not-looked-at",
    kind: "repair",
    find: "  changetype<Thread>(current()).suspect = <u32>file;\n",
    replace: "",
  },
  {
    name: "destroy-that-had-not-begun-is-finished",
    kind: "repair",
    find: "  if (slotOf(entry) == slot && phase != PHASE_FREE && phase != PHASE_RESERVED) clearHand();\n",
    replace: "",
  },
  {
    name: "slab-is-not-repaired",
    kind: "repair",
    find: "else if (index < NODES_INDEX) repairClass(index - FIRST_CLASS);",
    replace: "else if (index < NODES_INDEX) return;",
  },
  { name: "pages-are-not-repaired", kind: "repair", find: "  else repairPages();\n", replace: "" },
  {
    name: "queue-is-not-repaired",
    kind: "repair",
    find: "else if (index == QUEUE_INDEX) repairQueue();",
    replace: "else if (index == QUEUE_INDEX) return;",
  },
  {
    name: "chunk-in-a-dead-hand-is-lost",
    kind: "repair",
    find: "    else addChunk(number, chunk);\n",
    replace: "    else clearHandMemory();\n",
  },
  {
    name: "slot-that-was-not-taken-yet-is-freed",
    kind: "repair",
    find: "if (thread.handClass == number && thread.hand != 0 && isNextFree(number, thread.hand & ~HAND_FLAGS)) {",
    replace: "if (false) {",
  },
  {
    name: "list-that-was-not-taken-yet-is-freed",
    kind: "repair",
    find: "if (number == HOLD_LIST_CLASS && thread.handList != 0 && isNextFree(number, thread.handList & ~HAND_FLAGS)) {",
    replace: "if (false) {",
  },
  {
    name: "node-that-was-not-taken-yet-is-freed",
    kind: "repair",
    find: "  if (isNextNode(kind - 1, memory & ~MEMORY_FLAGS)) clearHandMemory();",
    replace: "",
  },
  {
    name: "reaper-keeps-locks-when-one-is-taken",
    kind: "undo",
    dies: true,
    find: "    while (index > 0) release(lockAt(--index));\n",
    replace: "",
  },
]);

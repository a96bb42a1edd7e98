// SPDX-License-Identifier: GPL-2.0-only
//
// Faults of assembly/core/destroy.ts.

import { mutantsOf } from "../mutant.ts";

export const DESTROY = mutantsOf("destroy.ts", [
  {
    name: "destroy-ignores-waiting-destroyers",
    kind: "locking",
    find: "if (phaseOf(word) != PHASE_LIVE || (destroyersOf(word) != 0 && isRfc())) return -ENOENT;",
    replace: "if (phaseOf(word) != PHASE_LIVE) return -ENOENT;",
  },
  {
    name: "destroy-ignores-the-phase",
    kind: "locking",
    find: "if (phaseOf(word) != PHASE_LIVE || (destroyersOf(word) != 0 && isRfc())) return -ENOENT;",
    replace: "if (destroyersOf(word) != 0 && isRfc()) return -ENOENT;",
  },
  {
    name: "destroy-of-a-foreign-callback-is-allowed",
    kind: "errno",
    find: "    if (!isRunnable(typeOf(word))) return -ENOSYS;\n",
    replace: "",
  },
  {
    name: "destroy-allows-one-user-more",
    kind: "bounds",
    find: "if (usersOf(word) != 1) return -EBUSY;",
    replace: "if (usersOf(word) > 2) return -EBUSY;",
  },
  {
    name: "removal-stores-blindly",
    kind: "locking",
    find: "    if (compareExchange64(entry, word, freedWord(word)) == word) {\n      xaErase",
    replace: "    store<u64>(entry, freedWord(word));\n    if (true) {\n      xaErase",
  },
  {
    name: "idle-removal-stores-blindly",
    kind: "locking",
    find: "    if (compareExchange64(entry, word, freedWord(word)) == word) {\n      isOut",
    replace: "    store<u64>(entry, freedWord(word));\n    if (true) {\n      isOut",
  },
  {
    name: "idle-removal-does-not-look-at-the-file",
    kind: "locking",
    find: "mayUse(file, expected) && loadRelaxed64(entry) == word",
    replace: "loadRelaxed64(entry) == word",
  },
  {
    name: "idle-removal-takes-what-is-not-there",
    kind: "repair",
    find: " && loadRelaxed64(entry) == word) slot =",
    replace: ") slot =",
  },
  {
    name: "idle-removal-forgets-holds",
    kind: "undo",
    find: "if (slot != 0 && !hasHolds(slot)) {",
    replace: "if (slot != 0) {",
  },
  {
    name: "idle-removal-does-not-resume-the-release",
    kind: "waking",
    find: "  if (isOut && !isSpare) slabFree(slab, slot, hand());\n  fileUnlocked(file);",
    replace: "  if (isOut && !isSpare) slabFree(slab, slot, hand());",
  },
  {
    name: "missing-object-of-a-closed-file-is-enoent",
    kind: "errno",
    find: `phaseOf(load64(entry)) != PHASE_LIVE && load32(file + offsetof<File>("state")) == expected) {`,
    replace: "phaseOf(load64(entry)) != PHASE_LIVE) {",
  },
  {
    name: "object-with-a-callback-is-removed-at-once",
    kind: "undo",
    find: "if (isPlainType(typeOf(word)) && removeIdle(",
    replace: "if (removeIdle(",
  },
  {
    name: "removal-takes-no-lock",
    kind: "locking",
    find: `  lock(tableLockOf(file), RANK_TABLE);
  // Only what is in the table now, and stays there under the lock, may be taken into the hand.
  let slot = load64(entry) == word ? slotOf(entry) : 0;
  if (slot != 0) {
    setHand(slot, classOfType(typeOf(word)));
    if (compareExchange64(entry, word, freedWord(word)) == word) {
      xaErase(file, id);
    } else {
      clearHand();
      slot = 0;
    }
  }
  unlock(tableLockOf(file), RANK_TABLE);`,
    replace: `  let slot = load64(entry) == word ? slotOf(entry) : 0;
  if (slot != 0) {
    setHand(slot, classOfType(typeOf(word)));
    if (compareExchange64(entry, word, freedWord(word)) == word) {
      xaErase(file, id);
    } else {
      clearHand();
      slot = 0;
    }
  }`,
  },
  {
    name: "removed-object-is-not-in-hand",
    kind: "repair",
    find: "    setHand(slot, classOfType(typeOf(word)));\n",
    replace: "",
  },
  {
    name: "removal-does-not-give-the-id-back",
    kind: "undo",
    find: "      isOut = true;\n      xaEraseNow(file, id);\n",
    replace: "      isOut = true;\n",
  },
  {
    name: "queued-destroyer-is-not-announced",
    kind: "repair",
    find: "    announceRecord(record, name, entry, file);\n    if (compareExchange64",
    replace: "    if (compareExchange64",
  },
  {
    name: "destroyer-queues-blindly",
    kind: "locking",
    find: `    if (compareExchange64(entry, word, next) == word) {
      const handle = takeRecord(entry, file, RECORD_QUEUED);`,
    replace: `    store<u64>(entry, next);
    if (true) {
      const handle = takeRecord(entry, file, RECORD_QUEUED);`,
  },
  {
    name: "waiting-destroyer-ignores-other-users",
    kind: "bounds",
    find: "if (usersOf(word) == 2) {",
    replace: "if (usersOf(word) >= 2) {",
  },
  {
    name: "refused-destroyer-stays-queued",
    kind: "undo",
    find: "const next = minusUser(word) - DESTROYER;",
    replace: "const next = minusUser(word);",
  },
  {
    name: "refused-destroyer-stores-blindly",
    kind: "locking",
    find: `    if (compareExchange64(entry, word, next) != word) {
      nameRecord(record, kind);`,
    replace: `    store<u64>(entry, next);
    if (false) {
      nameRecord(record, kind);`,
  },
  {
    name: "destroyer-sleeps-on-what-it-did-not-look-at",
    kind: "waking",
    find: "wait64(thread.result1, word, milliseconds",
    replace: "wait64(thread.result1, load64(thread.result1), milliseconds",
  },
  {
    name: "destroyer-waits-for-its-own-lock",
    kind: "errno",
    find: "    if (blocking && holdsTarget(entry, RECORD_LOCKED)) return -EDEADLK;\n    const next",
    replace: "    const next",
  },
  {
    name: "one-destroyer-too-many",
    kind: "bounds",
    find: "destroyersOf(word) == MAX_DESTROYERS ? -EAGAIN : 0;",
    replace: "0;",
  },
  {
    name: "given-up-destroy-loses-the-kept-user",
    kind: "undo",
    find: "  if (kept) changeKept(entry, changetype<Entry>(entry).kept + 1);\n",
    replace: "",
  },
  {
    name: "destroy-keeps-its-mark",
    kind: "undo",
    find: "  if (result != MUST_WAIT && result != MUST_DESTROY) fileLeave(file);\n",
    replace: "",
  },
  {
    name: "callback-that-began-is-not-noted",
    kind: "repair",
    find: "  changetype<Slot>(slot).owner |= SLOT_CALLBACK_RAN;\n",
    replace: "",
  },
  {
    name: "access-that-could-not-end-is-nobodys",
    kind: "undo",
    find: "  if (handle == -EDEADLK || handle == -EAGAIN || handle == -ENOMEM) openKeeper(row, file);\n  else freeKeeper(row);",
    replace: "  freeKeeper(row);",
  },
  {
    name: "row-of-an-access-is-freed-twice",
    kind: "undo",
    find: "  if (handle >= 0) return destroyPoll(file, handle);\n",
    replace:
      "  if (handle >= 0) {\n    const result = destroyPoll(file, handle);\n    if (result != MUST_WAIT) freeKeeper(row);\n    return result;\n  }\n",
  },
]);

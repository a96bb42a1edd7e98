// SPDX-License-Identifier: GPL-2.0-only
//
// Breakages that several properties must notice. The same edits make the same module, which is built once.

import type { Edit } from "../property.ts";

/** The last holder wakes nobody. */
export const LAST_HOLDER_WAKES_NOBODY: readonly Edit[] = [
  { file: "core/refcount.ts", find: "      if (wakesDestroyers(next)) notify(entry, -1);", replace: "" },
];

/** The end of a change wakes those who wait for the thaw, but no destroyer. */
export const CHANGE_FORGETS_DESTROYERS: readonly Edit[] = [
  {
    file: "core/change.ts",
    find: "if ((exchange64(entry, next) & WAITED) != 0 || wakesDestroyers(next)) notify",
    replace: "if ((exchange64(entry, next) & WAITED) != 0) notify",
  },
];

/** And the other way round. */
export const CHANGE_FORGETS_THE_FROZEN: readonly Edit[] = [
  {
    file: "core/change.ts",
    find: "if ((exchange64(entry, next) & WAITED) != 0 || wakesDestroyers(next)) notify",
    replace: "exchange64(entry, next);\n  if (wakesDestroyers(next)) notify",
  },
];

/** put subtracts from a word that it has read before. */
export const PUT_STORES_BLINDLY: readonly Edit[] = [
  {
    file: "core/lookup.ts",
    find: `  renameRecord(record, handle, file, RECORD_BUSY);
  if (compareExchange64(entry, word, word - USER - HOLDER) != word) {
    renameRecord(record, handle, file, RECORD_LOCKED);
    return PUT_SLOWLY;
  }`,
    replace: "  store64(entry, word - USER - HOLDER);",
  },
  { file: "core/lookup.ts", find: "loadRelaxed64 } from", replace: "loadRelaxed64, store64 } from" },
];

/** A removal stores the free word without looking whether the word is still the one that was decided on. */
export const REMOVAL_STORES_BLINDLY: readonly Edit[] = [
  {
    file: "core/destroy.ts",
    find: "    if (compareExchange64(entry, word, freedWord(word)) == word) {\n      xaErase(file, id);",
    replace: "    store64(entry, freedWord(word));\n    if (slot != 0) {\n      xaErase(file, id);",
  },
  {
    file: "core/destroy.ts",
    find: "    if (compareExchange64(entry, word, freedWord(word)) == word) {\n      isOut",
    replace: "    store64(entry, freedWord(word));\n    if (slot != 0) {\n      isOut",
  },
  {
    file: "core/destroy.ts",
    find: "import { compareExchange64, load32, load64, loadRelaxed64, wait64 }",
    replace: "import { compareExchange64, load32, load64, loadRelaxed64, store64, wait64 }",
  },
];

/** A removal changes the ID table without its lock. */
export const REMOVAL_TAKES_NO_LOCK: readonly Edit[] = [
  { file: "core/destroy.ts", find: "  lock(tableLockOf(file), RANK_TABLE);\n  // Only", replace: "  // Only" },
  { file: "core/destroy.ts", find: "  lockNow(tableLockOf(file), RANK_TABLE);\n", replace: "" },
  { file: "core/destroy.ts", find: "  unlockNow(tableLockOf(file), RANK_TABLE);\n", replace: "" },
  {
    file: "core/destroy.ts",
    find: "  unlock(tableLockOf(file), RANK_TABLE);\n  return slot;",
    replace: "  return slot;",
  },
];

/** The fast get and put take a word of any phase for a published one. */
export const ANY_PHASE_IS_LIVE: readonly Edit[] = [
  {
    file: "core/refcount.ts",
    find: "(word & (PHASE_MASK | FROZEN | DESTROYERS_MASK | TOO_MANY_HOLDERS | SATURATED)) == LIVE;",
    replace: "(word & PHASE_MASK) != 0 && (word & (FROZEN | DESTROYERS_MASK | TOO_MANY_HOLDERS | SATURATED)) == 0;",
  },
];

/** mainline's destroy takes one more user than the table for nobody. */
export const DESTROY_ALLOWS_A_USER: readonly Edit[] = [
  {
    file: "core/destroy.ts",
    find: "      if (usersOf(word) != 1) return -EBUSY;\n      if (hasCallback",
    replace: "      if (usersOf(word) > 2) return -EBUSY;\n      if (hasCallback",
  },
];

/** Who takes a change's first look forgets that the word may be frozen. */
export const FROZEN_IS_NOT_ASKED: readonly Edit[] = [
  {
    file: "core/refcount.ts",
    find: "  const word = load64(entry);\n  return (word & FROZEN) == 0 ? word : awaitThaw(entry);",
    replace: "  return load64(entry);",
  },
];

/** A hold list can be seen before it says what follows. */
export const LIST_BEFORE_ITS_LINK: readonly Edit[] = [
  {
    file: "core/hold.ts",
    find: '  changetype<HoldList>(fresh).link = <u32>list;\n  store32(slot + offsetof<Slot>("link"), <u32>fresh);',
    replace: '  store32(slot + offsetof<Slot>("link"), <u32>fresh);\n  changetype<HoldList>(fresh).link = <u32>list;',
  },
];

/** A copy looks at the protection of its pages while protect may be writing it. */
export const PROTECTION_AFTER_THE_LOCK: readonly Edit[] = [
  {
    file: "core/gup.ts",
    find: `    reach = accessible(row, va, length, prot);
    if (reach != 0) store32(pinnedOf(current()), <u32>row);
  }
  unlock(MAP_LOCK, RANK_MAP);
  return reach;`,
    replace: `    store32(pinnedOf(current()), <u32>row);
    unlock(MAP_LOCK, RANK_MAP);
    reach = accessible(row, va, length, prot);
    if (reach == 0) unpin();
    return reach;
  }
  unlock(MAP_LOCK, RANK_MAP);
  return 0;`,
  },
];

// SPDX-License-Identifier: GPL-2.0-only
/**
 * Changes of an object in more than one word: its state word and its count of kept users, or a note that another object
 * holds it.
 *
 *   beginChange    freezes the state word: every other swap of it waits
 *   changeKept, changeNote
 *   endChange      stores the new state word, which thaws it, and wakes who waited
 *
 * A change is a few stores without a call out, and takes no lock inside. It is all or nothing even if its thread dies: what is
 * about to be overwritten is written down in the thread's slot first, so that recoverChange can put it back.
 *
 *     changing, changeWord  →  swap: frozen by me  →  old values, changeStarted  →  changes  →  swap: thawed
 *
 * The frozen word names its thread, so whether a dead thread was in a change of the entry is no guess.
 *
 * Kernel counterpart: none; the kernel's threads do not die in the middle of a call.
 */
import { compareExchange64, exchange64, load64, notify, storeRelaxed32 } from "./atomics";
import { Entry, Thread } from "./memory-map";
import { WAITED, freezerOf, frozenWord, settled, wakesDestroyers } from "./refcount";
import { current, nameOfThread } from "./thread";

/** Context: may sleep; the caller has no change in progress, and keeps the object alive. Return: the word before. */
export function beginChange(entry: usize): u64 {
  while (true) {
    const word = settled(entry);
    if (freeze(entry, word)) return word;
  }
}

/** Return: whether the entry still had this word, and is the caller's to change now. */
export function freeze(entry: usize, word: u64): bool {
  const thread = changetype<Thread>(current());
  thread.changeStarted = 0;
  thread.changing = <u32>entry;
  thread.changeWord = word;
  if (compareExchange64(entry, word, frozenWord(word, nameOfThread(current()))) != word) return false;
  thread.changeKept = changetype<Entry>(entry).kept;
  thread.changeNote = 0;
  thread.changeStarted = 1;
  return true;
}

/** Context: within a change of `entry`. */
export function changeKept(entry: usize, kept: u32): void {
  changetype<Entry>(entry).kept = kept;
}

/** At most one in a change. Context: the note is in an object of the caller. */
export function changeNote(at: usize, target: usize): void {
  const thread = changetype<Thread>(current());
  thread.changeNoteOld = load<u32>(at);
  thread.changeNote = <u32>at;
  storeRelaxed32(at, <u32>target);
}

/** `next`: the new word, not frozen. */
export function endChange(entry: usize, next: u64): void {
  if ((exchange64(entry, next) & WAITED) != 0 || wakesDestroyers(next)) notify(entry, -1);
}

/** Undoes what the thread was in the middle of when it died. Context: acting as that thread. */
export function recoverChange(): void {
  const thread = changetype<Thread>(current());
  const entry: usize = thread.changing;
  if (entry == 0) return;
  if (freezerOf(load64(entry)) != nameOfThread(current())) {
    notify(entry, -1); // it may have died between thawing and waking
    return;
  }
  if (thread.changeStarted != 0) {
    changetype<Entry>(entry).kept = thread.changeKept;
    if (thread.changeNote != 0) storeRelaxed32(thread.changeNote, thread.changeNoteOld);
  }
  endChange(entry, thread.changeWord);
}

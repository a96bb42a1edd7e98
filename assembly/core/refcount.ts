// SPDX-License-Identifier: GPL-2.0-only
/**
 * The state word: all that decides an object's fate, in 64 bits that change by one compare-and-swap.
 *
 *   63 62  61   60        54 53      43 42    37  36   35        26 25         0
 *  ┌─────┬──────┬────────────┬──────────┬────────┬──────┬────────────┬────────────┐
 *  │phase│frozen│ destroyers │ holders  │  type  │waited│ generation │   users    │
 *  └─────┴──────┴────────────┴──────────┴────────┴──────┴────────────┴────────────┘
 *
 *  users       refcount_t `users`: everyone who needs the object to exist. The ID table is one. Its top bit means saturated:
 *              it never moves again and the object leaks, as a saturated refcount_t does.
 *  holders     the read side of `destroy_rwsem`: those who promise to let go soon. Each also counts in users. Its top bit
 *              stays 0.
 *  destroyers  those who wait for the write side. Each also counts in users. In the rfc profile any of them makes new
 *              lookups fail; a count, not a bit, because the first EBUSY must not re-open an object that another
 *              destroyer still waits for.
 *  type        fixed from reservation to removal.
 *  phase       FREE → RESERVED → LIVE → FREE, or LIVE → LEAKED at release.
 *  frozen      one thread changes the object in more than one word (change.ts): every other swap waits. Besides phase and
 *              waited the word then is that thread's name only.
 *  waited      and somebody may sleep until it is thawed.
 *  generation  counts the removals of this ID: a swap that was prepared for an earlier object fails, instead of meeting a
 *              word that looks the same.
 *
 * The two top bits make the hot question one comparison of a masked word: phase LIVE, not frozen, no destroyer, neither count full. One
 * more user or holder than fits carries into its top bit, so the question is asked of the word that would be stored.
 *
 * The word lies in the ID table's entry, not in the object: a lookup touches one line less, and needs no protection
 * from the object being freed, because nothing of the object is read before the swap. Why no recycled entry is ever
 * locked by mistake: everything that get() checks (phase, type, destroyers) is inside the word that the swap compares. If
 * the entry was freed and reused in between, either some field differs and the swap fails, or the entry again describes
 * a live object of the same ID, context and type, and locking that one is what a lookup at this instant would do. That
 * the entry is still part of the caller's table is checked after the swap (object.ts).
 *
 * Kernel counterpart: refcount_t, struct rw_semaphore destroy_rwsem, and xarray's zero entry (RESERVED).
 */
import { compareExchange64, load64, notify, pause, wait64 } from "./atomics";
import { MODEL_BUILD, SMALL_BUILD } from "./config";
import { RECORD_BUSY, Thread, WARN_DEC_LEAK, WARN_HOLDERS_FULL, WARN_SATURATED } from "./memory-map";
import { current, nameRecord, warn } from "./thread";

export const USERS_BITS: u64 = SMALL_BUILD ? 5 : 26;
export const HOLDERS_BITS: u64 = SMALL_BUILD ? 4 : 11;
export const DESTROYERS_BITS: u64 = SMALL_BUILD ? 2 : 7;
export const TYPE_BITS: u64 = 6;
export const PHASE_BITS: u64 = 2;

export const GENERATION_BITS: u64 = 62 - USERS_BITS - HOLDERS_BITS - DESTROYERS_BITS - TYPE_BITS - PHASE_BITS;

export const GENERATION_SHIFT: u64 = USERS_BITS;
export const WAITED_SHIFT: u64 = GENERATION_SHIFT + GENERATION_BITS;
export const TYPE_SHIFT: u64 = WAITED_SHIFT + 1;
export const HOLDERS_SHIFT: u64 = TYPE_SHIFT + TYPE_BITS;
export const DESTROYERS_SHIFT: u64 = HOLDERS_SHIFT + HOLDERS_BITS;
export const FROZEN_SHIFT: u64 = DESTROYERS_SHIFT + DESTROYERS_BITS;
export const PHASE_SHIFT: u64 = FROZEN_SHIFT + 1;

const ONE: u64 = 1;
const USERS_MASK: u64 = (ONE << USERS_BITS) - 1;
const GENERATION_MASK: u64 = ((ONE << GENERATION_BITS) - 1) << GENERATION_SHIFT;
const HOLDERS_MASK: u64 = ((ONE << HOLDERS_BITS) - 1) << HOLDERS_SHIFT;
const DESTROYERS_MASK: u64 = ((ONE << DESTROYERS_BITS) - 1) << DESTROYERS_SHIFT;
const TYPE_MASK: u64 = (ONE << TYPE_BITS) - 1;
const PHASE_MASK: u64 = ((ONE << PHASE_BITS) - 1) << PHASE_SHIFT;

/** users: saturated. */
const SATURATED: u64 = ONE << (USERS_BITS - 1);
/** holders: one more than fit. */
const TOO_MANY_HOLDERS: u64 = ONE << (HOLDERS_SHIFT + HOLDERS_BITS - 1);

/** One thread changes the object; the word is its alone but for WAITED. */
export const FROZEN: u64 = ONE << FROZEN_SHIFT;
/** With FROZEN: wake who sleeps on the word. */
export const WAITED: u64 = ONE << WAITED_SHIFT;

/** What a thread leaves in the place of `word` while it changes the object. */
// @ts-ignore: a decorator on a function
@inline export function frozenWord(word: u64, threadName: u32): u64 {
  return (word & PHASE_MASK) | FROZEN | threadName;
}
/** Return: name of the thread that has frozen the word, 0 when nobody has. */
// @ts-ignore: a decorator on a function
@inline export function freezerOf(word: u64): u32 {
  return (word & FROZEN) != 0 ? (<u32>word) & THREAD_NAME_MASK : 0;
}

/** Rounds of looking at a frozen word before a thread sleeps: a change takes a few dozen instructions. */
const SPINS: u32 = MODEL_BUILD ? 0 : 100;
const THREAD_NAME_MASK: u32 = 0xff;

export const USER: u64 = ONE;
export const HOLDER: u64 = ONE << HOLDERS_SHIFT;
export const DESTROYER: u64 = ONE << DESTROYERS_SHIFT;
export const MAX_DESTROYERS: u64 = DESTROYERS_MASK >> DESTROYERS_SHIFT;

export const PHASE_FREE: u32 = 0;
/** The ID is taken, every lookup sees nothing. */
export const PHASE_RESERVED: u32 = 1;
export const PHASE_LIVE: u32 = 2;
/** Removed by release while it still had users: never reused. */
export const PHASE_LEAKED: u32 = 3;

// @ts-ignore: a decorator on a function
@inline export function usersOf(word: u64): u32 {
  return <u32>(word & USERS_MASK);
}
// @ts-ignore: a decorator on a function
@inline export function holdersOf(word: u64): u32 {
  return <u32>((word & HOLDERS_MASK) >> HOLDERS_SHIFT);
}
// @ts-ignore: a decorator on a function
@inline export function destroyersOf(word: u64): u32 {
  return <u32>((word & DESTROYERS_MASK) >> DESTROYERS_SHIFT);
}
// @ts-ignore: a decorator on a function
@inline export function typeOf(word: u64): u32 {
  return <u32>((word >> TYPE_SHIFT) & TYPE_MASK);
}
// @ts-ignore: a decorator on a function
@inline export function phaseOf(word: u64): u32 {
  return <u32>((word & PHASE_MASK) >> PHASE_SHIFT);
}
/** refcount_set(users, 1) on a fresh object. */
// @ts-ignore: a decorator on a function
@inline export function reservedWord(old: u64, type: u32): u64 {
  return (old & GENERATION_MASK) | ((<u64>PHASE_RESERVED) << PHASE_SHIFT) | ((<u64>type) << TYPE_SHIFT) | USER;
}
// @ts-ignore: a decorator on a function
@inline export function withPhase(word: u64, phase: u32): u64 {
  return (word & ~PHASE_MASK) | ((<u64>phase) << PHASE_SHIFT);
}
/** Return: the word of a free entry, one generation later. */
// @ts-ignore: a decorator on a function
@inline export function freedWord(word: u64): u64 {
  return ((word & GENERATION_MASK) + (ONE << GENERATION_SHIFT)) & GENERATION_MASK;
}

const LIVE: u64 = (<u64>PHASE_LIVE) << PHASE_SHIFT;

/** Whether this is the word of a published, locked object without anything unusual: no destroyer, both counts in range. */
// @ts-ignore: a decorator on a function
@inline export function isPlainlyLocked(word: u64): bool {
  return (word & (PHASE_MASK | FROZEN | DESTROYERS_MASK | TOO_MANY_HOLDERS | SATURATED)) == LIVE;
}
const IDLE_MASK: u64 = PHASE_MASK | FROZEN | DESTROYERS_MASK | HOLDERS_MASK | USERS_MASK;

/** Whether this is the word of a published object that only the table uses: a destroy may take it out at once. */
// @ts-ignore: a decorator on a function
@inline export function isIdle(word: u64): bool {
  return (word & IDLE_MASK) == (LIVE | USER);
}
/** Whether a thread has the object locked or reserved. */
// @ts-ignore: a decorator on a function
@inline export function isHeld(word: u64): bool {
  return (word & HOLDERS_MASK) != 0 || phaseOf(word) == PHASE_RESERVED;
}
// @ts-ignore: a decorator on a function
@inline export function holdersFull(word: u64): bool {
  return ((word + HOLDER) & TOO_MANY_HOLDERS) != 0;
}

/** users + 1, or no change when saturated. */
// @ts-ignore: a decorator on a function
@inline export function plusUser(word: u64): u64 {
  return (word & SATURATED) != 0 ? word : word + USER;
}
/** users − 1. From saturated: no change. From 1 or 0: saturated, because the last reference may only go by decision. */
// @ts-ignore: a decorator on a function
@inline export function minusUser(word: u64): u64 {
  if ((word & SATURATED) != 0) return word;
  return usersOf(word) <= 1 ? (word & ~USERS_MASK) | SATURATED : word - USER;
}

/** Counts what refcount_inc() and refcount_dec() would warn about, after the swap took place. */
// @ts-ignore: a decorator on a function
@inline export function warnPlus(before: u64, after: u64, file: usize, id: u32): void {
  if ((~before & after & SATURATED) != 0) warn(WARN_SATURATED, file, id);
}
// @ts-ignore: a decorator on a function
@inline export function warnMinus(before: u64, file: usize, id: u32): void {
  if (usersOf(before) <= 1) warn(WARN_DEC_LEAK, file, id);
}
export function warnHolders(file: usize, id: u32): void {
  warn(WARN_HOLDERS_FULL, file, id);
}

// ---------------------------------------------------------------------------------------------------- frozen words

/**
 * The word, once it is not frozen.
 *
 * Context: may sleep; nothing of the caller's is announced for the entry (no BUSY record, no change), or whoever has frozen
 * it may wait for the caller.
 */
// @ts-ignore: a decorator on a function
@inline export function settled(entry: usize): u64 {
  const word = load64(entry);
  return (word & FROZEN) == 0 ? word : awaitThaw(entry);
}

function awaitThaw(entry: usize): u64 {
  for (let spin: u32 = 0; spin < SPINS; spin++) {
    const word = load64(entry);
    if ((word & FROZEN) == 0) return word;
  }
  const mayBlock = changetype<Thread>(current()).mayBlock != 0;
  while (true) {
    const word = load64(entry);
    if ((word & FROZEN) == 0) return word;
    if (!mayBlock) pause(entry, <u32>word);
    else if ((word & WAITED) != 0 || compareExchange64(entry, word, word | WAITED) == word) {
      wait64(entry, word | WAITED, -1);
    }
  }
}

/** Whether a destroyer that sleeps on the word must be woken. */
// @ts-ignore: a decorator on a function
@inline export function wakesDestroyers(word: u64): bool {
  return (word & DESTROYERS_MASK) != 0 && (word & HOLDERS_MASK) == 0;
}

/**
 * up_read(): one holder and one user less in the same step, so that a destroyer that sees no holder never sees a transient
 * user.
 *
 * Context: the caller is one of the holders, by `record`, which is left BUSY: to be freed. A destroyer that queued itself before
 * the last holder left is woken by that holder; one that comes later sees no holder and does not sleep, because both are
 * fields of one word.
 */
export function dropHolder(entry: usize, record: usize, kind: u32): void {
  while (true) {
    const word = settled(entry);
    const next = minusUser(word) - HOLDER;
    nameRecord(record, RECORD_BUSY);
    if (compareExchange64(entry, word, next) == word) {
      if (wakesDestroyers(next)) notify(entry, -1);
      return;
    }
    nameRecord(record, kind);
  }
}

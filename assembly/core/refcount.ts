// SPDX-License-Identifier: GPL-2.0-only
/**
 * The state word: all that decides an object's fate, in 64 bits that change by one compare-and-swap.
 *
 *   63 62 61        55 54      44 43    38 37        26 25         0
 *  ┌─────┬────────────┬──────────┬────────┬────────────┬────────────┐
 *  │phase│ destroyers │ holders  │  type  │ generation │   users    │
 *  └─────┴────────────┴──────────┴────────┴────────────┴────────────┘
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
 *  generation  counts the removals of this ID: a swap that was prepared for an earlier object fails, instead of meeting a
 *              word that looks the same.
 *
 * The two top bits make the hot question one comparison of a masked word: phase LIVE, no destroyer, neither count full. One
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
import { compareExchange64, load64, notify } from "./atomics";
import { SMALL_BUILD } from "./config";
import { WARN_DEC_LEAK, WARN_HOLDERS_FULL, WARN_SATURATED } from "./memory-map";
import { warn } from "./thread";

const USERS_BITS: u64 = SMALL_BUILD ? 5 : 26;
const HOLDERS_BITS: u64 = SMALL_BUILD ? 4 : 11;
const DESTROYERS_BITS: u64 = SMALL_BUILD ? 2 : 7;
const TYPE_BITS: u64 = 6;
const PHASE_BITS: u64 = 2;

const GENERATION_BITS: u64 = 64 - USERS_BITS - HOLDERS_BITS - DESTROYERS_BITS - TYPE_BITS - PHASE_BITS;

const GENERATION_SHIFT: u64 = USERS_BITS;
const TYPE_SHIFT: u64 = GENERATION_SHIFT + GENERATION_BITS;
const HOLDERS_SHIFT: u64 = TYPE_SHIFT + TYPE_BITS;
const DESTROYERS_SHIFT: u64 = HOLDERS_SHIFT + HOLDERS_BITS;
const PHASE_SHIFT: u64 = DESTROYERS_SHIFT + DESTROYERS_BITS;

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
  return (word & (PHASE_MASK | DESTROYERS_MASK | TOO_MANY_HOLDERS | SATURATED)) == LIVE;
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

/** refcount_inc(). Context: the caller keeps the object alive. */
export function incrementUsers(entry: usize, file: usize, id: u32): void {
  let word = load64(entry);
  while (true) {
    const next = plusUser(word);
    const seen = compareExchange64(entry, word, next);
    if (seen == word) {
      warnPlus(word, next, file, id);
      return;
    }
    word = seen;
  }
}

/** refcount_dec(). Context: the caller owns one of the users. */
export function decrementUsers(entry: usize, file: usize, id: u32): void {
  let word = load64(entry);
  while (true) {
    const seen = compareExchange64(entry, word, minusUser(word));
    if (seen == word) {
      warnMinus(word, file, id);
      return;
    }
    word = seen;
  }
}

/**
 * up_read(): one holder less, and with `keepUser` false one user less in the same step, so that a destroyer that sees no
 * holder never sees a transient user.
 *
 * Context: the caller is one of the holders. A destroyer that queued itself before the last holder left is woken by that
 * holder; one that comes later sees no holder and does not sleep, because both are fields of one word.
 */
export function dropHolder(entry: usize, keepUser: bool): void {
  let word = load64(entry);
  while (true) {
    const next = (keepUser ? word : minusUser(word)) - HOLDER;
    const seen = compareExchange64(entry, word, next);
    if (seen == word) {
      if ((next & DESTROYERS_MASK) != 0 && (next & HOLDERS_MASK) == 0) notify(entry, -1);
      return;
    }
    word = seen;
  }
}

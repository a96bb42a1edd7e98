// SPDX-License-Identifier: GPL-2.0-only
/**
 * A futex mutex that knows its owner.
 *
 *   word = 0                          free
 *   word = owner << 1                 held; owner is the holder's name, its slot number + 1
 *   word = owner << 1 | CONTENDED     held, and somebody may sleep on the word
 *
 * Exclusion: the word leaves 0 by a compare-and-swap only. No lost wake-up: whoever is about to sleep has first seen or
 * set CONTENDED, and sleeps only while the word still has that value; unlock exchanges the word for 0 and wakes one
 * sleeper if the bit was set. A sleeper that wakes takes the lock with the bit set, because others may still sleep: at
 * worst one needless wake-up follows. Fairness: who unlocks may be the next to lock, so a waiter has no turn of its own; it sleeps at
 * most once for each section of the others (test/model), and sections are short and bounded.
 *
 * All sections are short and call no JavaScript. A thread that may not block (a browser's main thread) spins instead.
 *
 * Order, outermost first: registry, space, map, table, queue, class, nodes, page. The debug build asserts it.
 *
 * Kernel counterpart: struct mutex, and spinlock_t where the kernel would spin.
 */
import { compareExchange32, exchange32, load32, notify, pause, wait32 } from "./atomics";
import { DEBUG_BUILD, MODEL_BUILD, assertInvariant } from "./config";
import { Thread } from "./memory-map";
import { current, nameOfThread } from "./thread";

const CONTENDED: u32 = 1;
/** Rounds of looking before a thread sleeps: about as long as a section takes, far less than a wake-up costs. */
const SPINS: u32 = MODEL_BUILD ? 0 : 100;

// Ranks of the lock order; a thread takes locks in ascending rank.
export const RANK_REGISTRY: u32 = 1;
export const RANK_SPACE: u32 = 2;
export const RANK_MAP: u32 = 3;
export const RANK_TABLE: u32 = 4;
export const RANK_QUEUE: u32 = 5;
export const RANK_CLASS: u32 = 6;
export const RANK_NODES: u32 = 7;
export const RANK_PAGE: u32 = 8;

// @ts-ignore: a decorator on a function
@inline function ownWord(): u32 {
  return nameOfThread(current()) << 1;
}

/** Context: may sleep; not held by the caller; no lock of this or a higher rank is held. */
export function lock(mutex: usize, rank: u32): void {
  lockNow(mutex, rank);
}

/** The same without a call, for the hottest sections. */
// @ts-ignore: a decorator on a function
@inline export function lockNow(mutex: usize, rank: u32): void {
  if (DEBUG_BUILD && changetype<Thread>(current()).reaping == 0) {
    assertInvariant(changetype<Thread>(current()).lockRank >> rank == 0);
    changetype<Thread>(current()).lockRank |= 1 << rank;
  }
  if (compareExchange32(mutex, 0, ownWord()) != 0) lockSlow(mutex);
}

function lockSlow(mutex: usize): void {
  const own = ownWord();
  if (changetype<Thread>(current()).reaping != 0) {
    if (DEBUG_BUILD) assertInvariant((load32(mutex) | CONTENDED) == (own | CONTENDED));
    return;
  }
  for (let spin: u32 = 0; spin < SPINS; spin++) {
    if (load32(mutex) == 0 && compareExchange32(mutex, 0, own) == 0) return;
  }
  const mayBlock = changetype<Thread>(current()).mayBlock != 0;
  while (true) {
    const seen = load32(mutex);
    if (seen == 0) {
      if (compareExchange32(mutex, 0, mayBlock ? own | CONTENDED : own) == 0) return;
    } else if (mayBlock) {
      if ((seen & CONTENDED) != 0 || compareExchange32(mutex, seen, seen | CONTENDED) == seen) {
        wait32(mutex, seen | CONTENDED, -1);
      }
    } else {
      pause(mutex, seen);
    }
  }
}

/** Context: held by the caller. */
export function unlock(mutex: usize, rank: u32): void {
  if (changetype<Thread>(current()).reaping != 0) return;
  unlockNow(mutex, rank);
}

/**
 * The same without a call, and for living threads only: a reaper keeps all locks of the thread that it acts as until everything is
 * in order. So not in abort, nor in any other end of what a dead thread may have had.
 */
// @ts-ignore: a decorator on a function
@inline export function unlockNow(mutex: usize, rank: u32): void {
  if (DEBUG_BUILD) {
    assertInvariant(changetype<Thread>(current()).reaping == 0);
    assertInvariant((load32(mutex) | CONTENDED) == (ownWord() | CONTENDED));
    changetype<Thread>(current()).lockRank &= ~(1 << rank);
  }
  if ((exchange32(mutex, 0) & CONTENDED) != 0) notify(mutex, 1);
}

// ---------------------------------------------------------------------------------------------------- for the reaper

/** Return: name of the thread that holds the lock, 0 when it is free. */
export function ownerOf(mutex: usize): u32 {
  return load32(mutex) >> 1;
}

/** Takes a lock without ever sleeping. Return: false when it stayed taken for `rounds` looks. */
export function tryLock(mutex: usize, rounds: u32): bool {
  for (let round: u32 = 0; round < rounds; round++) {
    const seen = load32(mutex);
    if (seen == 0 && compareExchange32(mutex, 0, ownWord()) == 0) return true;
    if (seen != 0 && !MODEL_BUILD) pause(mutex, seen);
  }
  return false;
}

/** Frees a lock of the thread that the caller acts as, and wakes all who sleep on it: one of them may have died awake. */
export function release(mutex: usize): void {
  exchange32(mutex, 0);
  notify(mutex, -1);
}

// SPDX-License-Identifier: GPL-2.0-only
/**
 * The only file that names `atomic.*`.
 *
 * Everything that two threads may touch at the same time goes through here; plain `load`/`store` elsewhere means "mine
 * alone", either because a lock is held, because nobody else has the address yet, or because the word lives in the
 * calling thread's slot and is read by others only after that thread is gone.
 *
 * WebAssembly has one memory order for atomics, sequential consistency. An atomic store is a full barrier, and today's
 * engines check bounds and alignment of every atomic access by extra instructions, so the hot path has only those that
 * its argument needs. The two `relaxed` loads are plain ones, for words that others write atomically meanwhile: an
 * aligned word of 32 bits does not tear, and no engine invents or repeats the access. They may be used where each value
 * that the word ever has is a good answer, or where an atomic operation confirms the value before anything depends on it.
 *
 * Kernel counterpart: atomic_t, READ_ONCE/WRITE_ONCE, smp_mb(), and the futex calls for waiting.
 */
import { SINK } from "./memory-map";

// @ts-ignore: a decorator on a function
@inline export function load32(address: usize): u32 {
  return atomic.load<u32>(address);
}

/** WRITE_ONCE(): for a word of this thread's own that others may read meanwhile. */
// @ts-ignore: a decorator on a function
@inline export function storeRelaxed32(address: usize, value: u32): void {
  store<u32>(address, value);
}

/** As storeRelaxed32; may tear into its halves. */
// @ts-ignore: a decorator on a function
@inline export function storeRelaxed64(address: usize, value: u64): void {
  store<u64>(address, value);
}

/** Spinning on a word that somebody else will change. */
// @ts-ignore: a decorator on a function
@inline export function pause(address: usize, seen: u32): void {}

/** READ_ONCE(). See above. */
// @ts-ignore: a decorator on a function
@inline export function loadRelaxed32(address: usize): u32 {
  return load<u32>(address);
}

/** A first guess at a 64-bit word, which may tear: to be confirmed by a compare-and-swap. */
// @ts-ignore: a decorator on a function
@inline export function loadRelaxed64(address: usize): u64 {
  return load<u64>(address);
}

// @ts-ignore: a decorator on a function
@inline export function store32(address: usize, value: u32): void {
  atomic.store<u32>(address, value);
}

/** Return: the value before the addition. */
// @ts-ignore: a decorator on a function
@inline export function add32(address: usize, value: u32): u32 {
  return atomic.add<u32>(address, value);
}

/** Return: the value before the exchange. */
// @ts-ignore: a decorator on a function
@inline export function exchange32(address: usize, value: u32): u32 {
  return atomic.xchg<u32>(address, value);
}

/** Return: the value found; the swap took place if it equals `expected`. */
// @ts-ignore: a decorator on a function
@inline export function compareExchange32(address: usize, expected: u32, replacement: u32): u32 {
  return atomic.cmpxchg<u32>(address, expected, replacement);
}

// @ts-ignore: a decorator on a function
@inline export function load64(address: usize): u64 {
  return atomic.load<u64>(address);
}

// @ts-ignore: a decorator on a function
@inline export function store64(address: usize, value: u64): void {
  atomic.store<u64>(address, value);
}

/** Return: the value before the exchange. */
// @ts-ignore: a decorator on a function
@inline export function exchange64(address: usize, value: u64): u64 {
  return atomic.xchg<u64>(address, value);
}

/** Return: the value found; the swap took place if it equals `expected`. */
// @ts-ignore: a decorator on a function
@inline export function compareExchange64(address: usize, expected: u64, replacement: u64): u64 {
  return atomic.cmpxchg<u64>(address, expected, replacement);
}

/**
 * Sleeps while the word holds `expected`; `nanoseconds` < 0 means for ever.
 *
 * Context: a thread that may block; traps on a browser's main thread.
 */
// @ts-ignore: a decorator on a function
@inline
export function wait32(address: usize, expected: u32, nanoseconds: i64): void {
  store<i32>(SINK, atomic.wait<i32>(address, expected, nanoseconds));
}

/** As wait32. */
// @ts-ignore: a decorator on a function
@inline
export function wait64(address: usize, expected: u64, nanoseconds: i64): void {
  store<i32>(SINK, atomic.wait<i64>(address, expected, nanoseconds));
}

/** Wakes up to `count` waiters of the word, synchronous and asynchronous ones alike. */
// @ts-ignore: a decorator on a function
@inline export function notify(address: usize, count: i32): void {
  atomic.notify(address, count);
}

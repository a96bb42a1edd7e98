// SPDX-License-Identifier: GPL-2.0-only
/**
 * The only file that names `atomic.*`.
 *
 * Everything that two threads may touch at the same time goes through here; plain `load`/`store` elsewhere means "mine
 * alone", either because a lock is held or the entry is frozen, because nobody else has the address yet, or because the word lives
 * in the calling thread's slot and is read by others only after that thread is gone.
 *
 * WebAssembly has one memory order for atomics, sequential consistency. An atomic store is a full barrier, and today's
 * engines check bounds and alignment of every atomic access by extra instructions, so the hot path has only those that
 * its argument needs. The `relaxed` accesses are plain ones, for words that others read or write meanwhile: an
 * aligned word of 32 bits does not tear, and no engine invents or repeats the access. They may be used where each value
 * that the word ever has is a good answer, or where an atomic operation confirms the value before anything depends on it.
 *
 * In the model build each function here reports to `env.point` before it acts. The import may suspend the calling thread and run
 * others first, so every interleaving of these operations can be tried (test/model). `copy` and `fill` report what they touch,
 * `modelAlloc` and `modelFree` what is alive; neither suspends. In the other builds nothing of that exists.
 *
 * Kernel counterpart: atomic_t, READ_ONCE/WRITE_ONCE, smp_mb(), and the futex calls for waiting.
 */
import { MODEL_BUILD } from "./config";
import { SINK } from "./memory-map";

// What the model build reports; test/model/operation.ts has the same numbers.
const LOAD32: u32 = 0;
const LOAD64: u32 = 1;
const STORE32: u32 = 2;
const STORE64: u32 = 3;
const ADD32: u32 = 4;
const EXCHANGE32: u32 = 5;
const COMPARE_EXCHANGE32: u32 = 6;
const COMPARE_EXCHANGE64: u32 = 7;
const LOAD_RELAXED32: u32 = 8;
const LOAD_RELAXED64: u32 = 9;
const STORE_RELAXED32: u32 = 10;
const STORE_RELAXED64: u32 = 11;
const WAIT32: u32 = 12;
const WAIT64: u32 = 13;
const NOTIFY: u32 = 14;
const PAUSE: u32 = 15;
const EXCHANGE64: u32 = 16;
const FILL_RELAXED: u32 = 17;

const RANGE_READ: u32 = 0;
const RANGE_WRITE: u32 = 1;
const RANGE_ALLOC: u32 = 2;
const RANGE_FREE: u32 = 3;

/** `a` and `b` are the operands, low half first; for a wait, b is 1 when it can time out. */
// @ts-ignore: a decorator on a function
@external("env", "point")
declare function point(kind: u32, address: usize, aLow: u32, aHigh: u32, bLow: u32, bHigh: u32): void;
// @ts-ignore: a decorator on a function
@external("env", "range")
declare function range(kind: u32, address: usize, bytes: usize): void;

// @ts-ignore: a decorator on a function
@inline function report(kind: u32, address: usize, a: u64, b: u64): void {
  if (MODEL_BUILD) point(kind, address, <u32>a, <u32>(a >> 32), <u32>b, <u32>(b >> 32));
}

// @ts-ignore: a decorator on a function
@inline export function load32(address: usize): u32 {
  report(LOAD32, address, 0, 0);
  return atomic.load<u32>(address);
}

/** READ_ONCE(). See above. */
// @ts-ignore: a decorator on a function
@inline export function loadRelaxed32(address: usize): u32 {
  report(LOAD_RELAXED32, address, 0, 0);
  return load<u32>(address);
}

/** A first guess at a 64-bit word, which may tear: to be confirmed by a compare-and-swap. */
// @ts-ignore: a decorator on a function
@inline export function loadRelaxed64(address: usize): u64 {
  report(LOAD_RELAXED64, address, 0, 0);
  return load<u64>(address);
}

// @ts-ignore: a decorator on a function
@inline export function store32(address: usize, value: u32): void {
  report(STORE32, address, value, 0);
  atomic.store<u32>(address, value);
}

/** Return: the value before the addition. */
// @ts-ignore: a decorator on a function
@inline export function add32(address: usize, value: u32): u32 {
  report(ADD32, address, value, 0);
  return atomic.add<u32>(address, value);
}

/** Return: the value before the exchange. */
// @ts-ignore: a decorator on a function
@inline export function exchange32(address: usize, value: u32): u32 {
  report(EXCHANGE32, address, value, 0);
  return atomic.xchg<u32>(address, value);
}

/** Return: the value found; the swap took place if it equals `expected`. */
// @ts-ignore: a decorator on a function
@inline export function compareExchange32(address: usize, expected: u32, replacement: u32): u32 {
  report(COMPARE_EXCHANGE32, address, expected, replacement);
  return atomic.cmpxchg<u32>(address, expected, replacement);
}

// @ts-ignore: a decorator on a function
@inline export function load64(address: usize): u64 {
  report(LOAD64, address, 0, 0);
  return atomic.load<u64>(address);
}

// @ts-ignore: a decorator on a function
@inline export function store64(address: usize, value: u64): void {
  report(STORE64, address, value, 0);
  atomic.store<u64>(address, value);
}

/** Return: the value before the exchange. */
// @ts-ignore: a decorator on a function
@inline export function exchange64(address: usize, value: u64): u64 {
  report(EXCHANGE64, address, value, 0);
  return atomic.xchg<u64>(address, value);
}

/** Return: the value found; the swap took place if it equals `expected`. */
// @ts-ignore: a decorator on a function
@inline export function compareExchange64(address: usize, expected: u64, replacement: u64): u64 {
  report(COMPARE_EXCHANGE64, address, expected, replacement);
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
  report(WAIT32, address, expected, nanoseconds < 0 ? 0 : 1);
  if (!MODEL_BUILD) store<i32>(SINK, atomic.wait<i32>(address, expected, nanoseconds));
}

/** As wait32. */
// @ts-ignore: a decorator on a function
@inline
export function wait64(address: usize, expected: u64, nanoseconds: i64): void {
  report(WAIT64, address, expected, nanoseconds < 0 ? 0 : 1);
  if (!MODEL_BUILD) store<i32>(SINK, atomic.wait<i64>(address, expected, nanoseconds));
}

/** Wakes up to `count` waiters of the word, synchronous and asynchronous ones alike. */
// @ts-ignore: a decorator on a function
@inline export function notify(address: usize, count: i32): void {
  report(NOTIFY, address, count, 0);
  if (!MODEL_BUILD) atomic.notify(address, count);
}

/** WRITE_ONCE(), for a word that others read meanwhile with loadRelaxed32; orders nothing. */
// @ts-ignore: a decorator on a function
@inline export function storeRelaxed32(address: usize, value: u32): void {
  report(STORE_RELAXED32, address, value, 0);
  store<u32>(address, value);
}

/** The same for 64 bits: who reads it meanwhile may see half of it. */
// @ts-ignore: a decorator on a function
@inline export function storeRelaxed64(address: usize, value: u64): void {
  report(STORE_RELAXED64, address, value, 0);
  store<u64>(address, value);
}

/** A hint in a loop that spins: nothing will change for the caller before the word is something else than `seen`. */
// @ts-ignore: a decorator on a function
@inline export function pause(address: usize, seen: u32): void {
  report(PAUSE, address, seen, 0);
}

/** memcpy() of plain memory. */
// @ts-ignore: a decorator on a function
@inline export function copy(to: usize, from: usize, bytes: usize): void {
  if (MODEL_BUILD) {
    range(RANGE_READ, from, bytes);
    range(RANGE_WRITE, to, bytes);
  }
  memory.copy(to, from, bytes);
}

/** memset() of plain memory. */
// @ts-ignore: a decorator on a function
@inline export function fill(to: usize, value: u8, bytes: usize): void {
  if (MODEL_BUILD) range(RANGE_WRITE, to, bytes);
  memory.fill(to, value, bytes);
}

/** Zeros for words that others read meanwhile with relaxed loads or try to swap; orders nothing. Whole words. */
// @ts-ignore: a decorator on a function
@inline export function fillRelaxed(to: usize, bytes: usize): void {
  report(FILL_RELAXED, to, bytes, 0);
  memory.fill(to, 0, bytes);
}

/** The range belongs to the caller from here on. Call it under `if (MODEL_BUILD)`: arguments that load are code otherwise. */
// @ts-ignore: a decorator on a function
@inline export function modelAlloc(address: usize, bytes: usize): void {
  if (MODEL_BUILD) range(RANGE_ALLOC, address, bytes);
}

/** Nobody may touch the range until it is allocated again. As modelAlloc. */
// @ts-ignore: a decorator on a function
@inline export function modelFree(address: usize, bytes: usize): void {
  if (MODEL_BUILD) range(RANGE_FREE, address, bytes);
}

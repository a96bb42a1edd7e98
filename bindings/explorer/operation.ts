// SPDX-License-Identifier: GPL-2.0-only
//
// What a thread can be about to do: the numbers that assembly/core/atomics.ts reports, and a few that only the scheduler has.
//
// `WRITES` are those that may change memory. A compare-and-swap that fails has only read; the scheduler knows that once it runs.

export const LOAD32 = 0;
export const LOAD64 = 1;
export const STORE32 = 2;
export const STORE64 = 3;
export const ADD32 = 4;
export const EXCHANGE32 = 5;
export const COMPARE_EXCHANGE32 = 6;
export const COMPARE_EXCHANGE64 = 7;
export const LOAD_RELAXED32 = 8;
export const LOAD_RELAXED64 = 9;
export const STORE_RELAXED32 = 10;
export const STORE_RELAXED64 = 11;
export const WAIT32 = 12;
export const WAIT64 = 13;
export const NOTIFY = 14;
export const PAUSE = 15;
export const EXCHANGE64 = 16;
/** Zeros over a range, `aLow` bytes: one step. */
export const FILL_RELAXED = 17;
/** A sleeper goes on, after a notify or a timeout. */
export const WAKE = 18;
/** A program begins. */
export const START = 19;
/** A wait ends without a notify. */
export const TIMEOUT = 20;
/** A program's own shared variable, a number that is no address. */
export const READ_VARIABLE = 21;
export const WRITE_VARIABLE = 22;
/** Nothing is about to happen. */
export const NONE = 23;

export const RANGE_READ = 0;
export const RANGE_WRITE = 1;
export const RANGE_ALLOC = 2;
export const RANGE_FREE = 3;

export const NAMES = [
  "load32",
  "load64",
  "store32",
  "store64",
  "add32",
  "xchg32",
  "cas32",
  "cas64",
  "relaxed load32",
  "relaxed load64",
  "relaxed store32",
  "relaxed store64",
  "wait32",
  "wait64",
  "notify",
  "pause",
  "xchg64",
  "relaxed fill",
  "wake",
  "start",
  "timeout",
  "read",
  "write",
  "none",
] as const;

const table = (kinds: readonly number[]): boolean[] => NAMES.map((_, kind) => kinds.includes(kind));

export const IS_64 = table([LOAD64, STORE64, EXCHANGE64, COMPARE_EXCHANGE64, LOAD_RELAXED64, STORE_RELAXED64, WAIT64]);
export const WRITES = table([
  STORE32,
  STORE64,
  ADD32,
  EXCHANGE32,
  EXCHANGE64,
  COMPARE_EXCHANGE32,
  COMPARE_EXCHANGE64,
  STORE_RELAXED32,
  STORE_RELAXED64,
  FILL_RELAXED,
]);
export const IS_RELAXED = table([LOAD_RELAXED32, LOAD_RELAXED64, STORE_RELAXED32, STORE_RELAXED64, FILL_RELAXED]);
export const IS_WAIT = table([WAIT32, WAIT64]);
/** Loads and stores: instrument-memory reports them too, right after the point. */
export const IS_REPORTED_TWICE = NAMES.map(
  (_, kind) => kind <= STORE64 || (IS_RELAXED[kind] === true && kind !== FILL_RELAXED),
);
/** Operations on the bytes at their address. */
export const TOUCHES_MEMORY = NAMES.map(
  (_, kind) => kind <= WAIT64 || kind === PAUSE || (kind >= EXCHANGE64 && kind <= FILL_RELAXED),
);
/** A thread can be killed right before one of these: after it, somebody else could tell. */
export const IS_KILL_POINT = NAMES.map((_, kind) => WRITES[kind] === true || IS_WAIT[kind] === true || kind === NOTIFY);

/** Bytes that an operation on memory touches. */
export function bytesOf({ kind, aLow }: Operation): number {
  if (kind === FILL_RELAXED) return aLow;
  return IS_64[kind] ? 8 : 4;
}

/** One thread's next operation; 64-bit operands are halves, low first. */
export interface Operation {
  kind: number;
  address: number;
  aLow: number;
  aHigh: number;
  bLow: number;
  bHigh: number;
}

export function noOperation(): Operation {
  return { kind: NONE, address: 0, aLow: 0, aHigh: 0, bLow: 0, bHigh: 0 };
}

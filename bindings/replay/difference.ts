// SPDX-License-Identifier: GPL-2.0-only
//
// Where an answer differs from the recorded one.
//
// A difference names the record and holds one finding per thing that is not equal: the result, a piece of memory, the
// warnings. Memory is kept as a window around its first differing bytes, so that a difference stays small however large
// the argument was.

import type { CallRecord } from "./records.js";

/** The result: a value of 0 or more, or a negative errno. */
export interface ResultFinding {
  readonly what: "result";
  readonly expected: number;
  readonly got: number;
}

/** The warnings, in order. */
export interface WarningsFinding {
  readonly what: "warnings";
  readonly expected: readonly string[];
  readonly got: readonly string[];
}

/** Bytes of the argument, of the guard behind it, or of other memory that the call may touch. */
export interface BytesFinding {
  readonly what: "argument" | "guard" | "memory";
  /** Address of the piece of memory. */
  readonly address: bigint;
  /** Where in it the window starts, in bytes. */
  readonly offset: number;
  /** The window, as recorded. */
  readonly expected: Uint8Array;
  /** The window, as it is now. */
  readonly got: Uint8Array;
  /** How many bytes differ, in the window and behind it. */
  readonly count: number;
}

/** One thing that is not as recorded. */
export type Finding = ResultFinding | WarningsFinding | BytesFinding;

/** One record whose answer is not the recorded one. */
export interface Difference {
  readonly record: CallRecord;
  readonly findings: readonly Finding[];
}

/** Bytes of the window; at least this much of a struct is shown. */
const WINDOW = 128;
/** The window starts at a multiple of this, so that its rows stand where a dump of the whole memory would have them. */
const ROW = 16;

/** Undefined when the bytes are equal. */
export function compareBytes(
  what: BytesFinding["what"],
  address: bigint,
  expected: Uint8Array,
  got: Uint8Array,
): BytesFinding | undefined {
  let first = -1;
  let count = 0;
  for (let i = 0; i < expected.length; i++) {
    if (expected[i] === got[i]) continue;
    if (first < 0) first = i;
    count++;
  }
  if (first < 0) return undefined;
  const offset = first < WINDOW ? 0 : first - (first % ROW);
  const end = offset + WINDOW;
  // Copies: `got` is live memory, which the next call changes.
  return { what, address, offset, expected: expected.slice(offset, end), got: got.slice(offset, end), count };
}

/** Undefined when the lists are equal. */
export function compareWarnings(expected: readonly string[], got: readonly string[]): WarningsFinding | undefined {
  const equal = expected.length === got.length && expected.every((kind, index) => kind === got[index]);
  return equal ? undefined : { what: "warnings", expected, got: [...got] };
}

/** Undefined when the results are equal. */
export function compareResult(expected: number, got: number): ResultFinding | undefined {
  return expected === got ? undefined : { what: "result", expected, got };
}

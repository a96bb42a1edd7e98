// SPDX-License-Identifier: GPL-2.0-only
//
// Words that the graph's modules share. `ObjectInfo` of the library is such a record; the modules ask for no more than this,
// so that they can be tried with records that no kernel made.

/** Where an object is in its life. */
export type State = "reserved" | "live" | "destroying" | "leaked";

/** All states, in the order of a life. */
export const STATES: readonly State[] = ["reserved", "live", "destroying", "leaked"];

/** One object at one moment. */
export interface ObjectFacts {
  readonly id: number;
  readonly type: { readonly name: string; readonly number: number };
  readonly state: State;
  readonly users: number;
  readonly holders: number;
  /** IDs of the objects that it holds, one entry per reference. */
  readonly references: readonly number[];
}

const THOUSANDS = new Intl.NumberFormat("en");

/** "12,000"; fast for what is small. */
export function grouped(count: number): string {
  return count < 1000 ? `${count}` : THOUSANDS.format(count);
}

/** "1 user", "12,000 users". */
export function counted(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? "" : "s"}`;
}

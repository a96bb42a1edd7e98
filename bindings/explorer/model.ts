// SPDX-License-Identifier: GPL-2.0-only
//
// What a model is made of: set-up once, then programs of threads for each execution. test/model/README.md explains how to write one.

/** One call of an export of the core: `call("get", file, expected, id)`. */
export interface Call {
  readonly name: string;
  readonly args: readonly (number | bigint)[];
}

/** A scheduling point of the program itself, on a variable of its own. */
export interface Access {
  readonly variable: number;
  readonly writes: boolean;
}

export type Step = Call | Access;

/** Part of a program that answers a T. What a call answers is the value of `yield`. */
export type Calls<T> = Generator<Step, T, number>;

/** A thread's program; what it returns is in `results` at the end. */
export type Program = Calls<unknown>;

export function call(name: string, ...args: (number | bigint)[]): Call {
  return { name, args };
}

/** For variables that programs share in JavaScript: numbers 0 … 63. The access itself follows the yield. */
export function reads(variable: number): Access {
  return { variable, writes: false };
}
export function writes(variable: number): Access {
  return { variable, writes: true };
}

export interface Thread {
  /** Column head in traces. */
  readonly name: string;
  readonly program: () => Program;
  /** Index of a thread whose death starts this one. It does not run when nobody dies. */
  readonly afterDeathOf?: number;
  /** Index of a thread whose end, in whatever way, starts this one. */
  readonly afterEndOf?: number;
}

/** Calls outside of the schedule: in set-up and at the end. */
export interface Core {
  /** Size of the core's memory, for init(). */
  readonly bytes: number;
  call(thread: number, name: string, ...args: (number | bigint)[]): number;
  /** A constant of assembly/core/layout.ts, as this build has it. */
  constant(name: string): number;
  /** All of them by name. */
  readonly constants: Readonly<Record<string, number>>;
  u8(address: number): number;
  u32(address: number): number;
  u64(address: number): bigint;
  setU32(address: number, value: number): void;
  /** Forbids a range until the core allocates from it. */
  unallocated(from: number, to: number): void;
  /** Reads below are fine, writes are not. */
  nullPage(end: number): void;
  /** Plain accesses to the range may race (user memory). */
  mayRace(from: number, to: number): void;
  /** How many bytes of the range are allocated, and how many are free after an allocation. */
  liveBytes(from: number, to: number): { live: number; freed: number };
}

/** One execution: made anew each time, so what its programs share may live in variables. */
export interface Run {
  readonly threads: readonly Thread[];
  /**
   * When all are done; no scheduling. `sleeps`: how often each thread went to sleep. Return: what happened, as a short text: equal
   * texts are equal outcomes.
   */
  finish?(results: readonly unknown[], died: readonly boolean[], sleeps: Int32Array): string;
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a model of any state is a Model
export interface Model<S = any> {
  readonly name: string;
  /** Wasm pages of the core's memory. */
  readonly pages?: number;
  /** Spurious wake-ups of each thread's waits; 0 unless told. */
  readonly spurious?: number;
  /** More steps than this in one execution are a livelock; 4000 unless told. */
  readonly steps?: number;
  /** Once. What it returns must not change. */
  setup(core: Core): S;
  run(core: Core, state: S): Run;
  /** A readable name for an address in traces. */
  describeAddress?(address: number, state: S): string | undefined;
}

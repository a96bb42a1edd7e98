// SPDX-License-Identifier: GPL-2.0-only
//
// How kernel code is written down here: as generators that stop in front of each atomic step.
//
// A step is what one processor does at once as far as others can see: an atomic read-modify-write, a load, a store under a
// lock that the code holds. Between two steps any other task may run. A step that blocks (a spin lock, down_write) says when
// it can be taken.
//
// Invariant, on which explore.ts rests: code between two steps looks only at what its steps returned, and at what never
// changes once others can see it (an object's type, ID and holds). So what a task does next depends on the answers of its
// steps and on nothing else.

/** What a task is about to do. */
export interface Step {
  readonly label: string;
  /** Does it. The answer is a plain value, or something of the kernel that has an `address`. */
  readonly run: () => unknown;
  /** Whether the step can be taken now; absent: always. */
  readonly when?: () => boolean;
  /** The task sleeps this many milliseconds in front of the step. */
  readonly sleeps?: number;
}

/** Kernel code that ends with a T. */
export type Steps<T> = Generator<Step, T, unknown>;

/** Takes one step. */
export function* step<T>(label: string, run: () => T, when?: () => boolean): Steps<T> {
  return (yield when === undefined ? { label, run } : { label, run, when }) as T;
}

export function* msleep(msecs: number): Steps<void> {
  yield { label: `msleep(${msecs})`, run: () => undefined, sleeps: msecs };
}

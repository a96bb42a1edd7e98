// SPDX-License-Identifier: GPL-2.0-only
//
// What a stress is: something that goes on with real threads until its time is up, in Node and in a page alike.
//
// One file for each, and a line in ./all.ts. A stress throws an Error that says all that is needed to repeat what failed. What it
// runs leaves no thread and no Iommufd behind.

export interface StressOptions {
  seed: number;
  seconds: number;
  /** Numbers of threads to try, in turn. */
  threads: readonly number[];
}

/** Counts, by what was counted; "operations" is in all of them. */
export type StressCounts = Record<string, number> & { operations: number };

export interface Stress {
  readonly name: string;
  /** The longest that it may take, whatever `seconds` says, for one that counts its work and not the time. */
  readonly minutes?: number;
  readonly run: (options: StressOptions) => Promise<StressCounts>;
}

// SPDX-License-Identifier: GPL-2.0-only
/**
 * Measures candidates against each other in alternating rounds of one process, because on a shared machine only a ratio
 * within a round means something.
 *
 * Each round runs every candidate once, in rotating order, for the same number of operations; figures are medians over
 * the rounds, the spread is the range from the 10th to the 90th percentile. A candidate returns a checksum that is looked at after
 * the clock has stopped, so the compiler cannot drop the work and a wrong result cannot be fast.
 */
import type { Spread } from "./bench.ts";

export interface Candidate {
  /** Not timed. */
  prepare?(operations: number): void;
  /** Timed. Returns a checksum. */
  run(operations: number): number;
  /** Throws for a wrong checksum. Without it the checksum must be the number of operations. Not timed. */
  check?(sum: number, operations: number): void;
}

export interface RoundOptions {
  /** Of each candidate in each round. */
  readonly operations: number;
  readonly rounds: number;
  /** Rounds before the first that counts; default 5. */
  readonly warmup?: number;
}

/** Milliseconds: no clock of a page tells less, and no time is 0. */
export const CLOCK_STEP = 0.005;

/** Nanoseconds per operation, by candidate and round. */
export function alternate(
  candidates: Readonly<Record<string, Candidate>>,
  { operations, rounds, warmup = 5 }: RoundOptions,
): Record<string, number[]> {
  const all = Object.entries(candidates).map(([name, candidate]) => ({ name, candidate, samples: [] as number[] }));
  for (let round = -warmup; round < rounds; round++) {
    for (let turn = 0; turn < all.length; turn++) {
      const each = all[(round + warmup + turn) % all.length];
      if (each === undefined) continue;
      const nanoseconds = time(each.name, each.candidate, operations);
      if (round >= 0) each.samples.push(nanoseconds / operations);
    }
  }
  return Object.fromEntries(all.map(({ name, samples }) => [name, samples]));
}

function time(name: string, candidate: Candidate, operations: number): number {
  candidate.prepare?.(operations);
  const start = performance.now();
  const sum = candidate.run(operations);
  const elapsed = Math.max(performance.now() - start, CLOCK_STEP);
  if (candidate.check) candidate.check(sum, operations);
  else if (sum !== operations) throw new Error(`${name} computed ${sum} instead of ${operations}`);
  return elapsed * 1e6;
}

/** Median and spread. */
export function summary(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (fraction: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? NaN;
  return { median: at(0.5), low: at(0.1), high: at(0.9) };
}

/** a / b, round by round. */
export function ratio(a: readonly number[], b: readonly number[]): Spread {
  if (a.length !== b.length) throw new Error(`a ratio of ${a.length} rounds to ${b.length}`);
  return summary(a.map((value, round) => value / (b[round] ?? NaN)));
}

/** The spread of each candidate. */
export function summaries(samples: Readonly<Record<string, readonly number[]>>): Record<string, Spread> {
  return Object.fromEntries(Object.entries(samples).map(([name, values]) => [name, summary(values)]));
}

/**
 * The ratios of `ours` to every candidate of `samples` that is not ours, and of ours to each other never: by the names that
 * bench.ts asks for. `situation` goes in front.
 */
export function ratiosOf(
  samples: Readonly<Record<string, readonly number[]>>,
  ours: readonly string[],
  situation = "",
): Record<string, Spread> {
  const ratios: Record<string, Spread> = {};
  for (const our of ours) {
    for (const [rival, values] of Object.entries(samples)) {
      if (!ours.includes(rival)) ratios[`${situation}${our} / ${rival}`] = ratio(samples[our] ?? [], values);
    }
  }
  return ratios;
}

/** The same with `situation` in front of each name. */
export function within<V>(situation: string, values: Readonly<Record<string, V>>): Record<string, V> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`${situation}${name}`, value]));
}

/**
 * The same function once more, for the compiler another one: what it learns of one candidate's calls does not slow the loop of the
 * next. `loop` may use its arguments only.
 */
let copies = 0;

export function fresh<F extends (...args: never[]) => number>(loop: F): F {
  return (0, eval)(`(${loop.toString()}) // ${++copies}`) as F;
}

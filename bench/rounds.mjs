// SPDX-License-Identifier: GPL-2.0-only
//
// Measures candidates against each other in alternating rounds of one process, because on a shared machine only a ratio
// within a round means something.
//
// Each round runs every candidate once, in rotating order, for the same number of operations; the figures are medians over
// the rounds, the spread is the range from the 10th to the 90th percentile. A candidate returns a checksum that is
// compared with the expected one, so the compiler cannot drop the work and a wrong result cannot be fast.

import { cpus } from "node:os";

/** Runs `candidates` ({ name: (operations) => checksum }) and returns nanoseconds per operation, by name and round. */
export function alternate(candidates, { operations, rounds, warmup = 5, expected }) {
  const names = Object.keys(candidates);
  const samples = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = -warmup; round < rounds; round++) {
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(((round + turn) % names.length) + names.length) % names.length];
      const start = performance.now();
      const sum = candidates[name](operations);
      const elapsed = performance.now() - start;
      if (expected?.[name] !== undefined && sum !== expected[name]) throw new Error(`${name} computed ${sum}`);
      if (round >= 0) samples[name].push((elapsed * 1e6) / operations);
    }
  }
  return samples;
}

/** Median and spread of numbers. */
export function summary(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (fraction) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))];
  return { median: at(0.5), low: at(0.1), high: at(0.9) };
}

/** Ratio a/b, round by round. */
export function ratio(a, b) {
  return summary(a.map((value, round) => value / b[round]));
}

/** "12.3 (11.9 … 14.0)" */
export function show({ median, low, high }, unit = "") {
  return `${median.toFixed(2)}${unit} (${low.toFixed(2)} … ${high.toFixed(2)})`;
}

/** One line that says where the figures come from. */
export function machine() {
  return `${cpus()[0]?.model ?? "unknown processor"}, ${cpus().length} cores, ${process.platform} ${process.arch}, Node ${process.versions.node}, V8 ${process.versions.v8}`;
}

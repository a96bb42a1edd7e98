// SPDX-License-Identifier: GPL-2.0-only
//
// Storms (test/support/storm.ts), one after the other, with fewer and with more threads than there are cores, in both profiles.
// After each round nothing may be left: no object, file, mapping, handle or byte.

import { runStorm } from "../support/storm.ts";
import type { Stress } from "./stress.ts";

const ABIS = ["rfc", "mainline"] as const;
/** Calls of each thread in a round, and the rounds of a storm. */
const OPERATIONS = 4000;
const ROUNDS = 4;
const MEMORY_BYTES = 32 * 1024 * 1024;

export const storms: Stress = {
  name: "storms",
  async run({ seed, seconds, threads }) {
    const end = performance.now() + seconds * 1000;
    const counts = { operations: 0, storms: 0 };
    while (counts.storms === 0 || performance.now() < end) {
      for (const count of threads) {
        for (const abi of ABIS) {
          const storm = { threads: count, operations: OPERATIONS, rounds: ROUNDS, seed: seed + counts.storms * 1000 };
          try {
            const tally = await runStorm({ abi, memoryBytes: MEMORY_BYTES, ...storm });
            counts.operations += tally.steps ?? 0;
          } catch (error) {
            throw new Error(`a storm of ${JSON.stringify({ abi, ...storm })} failed`, { cause: error });
          }
          counts.storms++;
        }
      }
    }
    return counts;
  },
};

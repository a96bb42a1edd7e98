// SPDX-License-Identifier: GPL-2.0-only
//
// Storms on address spaces (test/support/space-storm.ts), one after the other.

import { runSpaceStorm } from "../support/space-storm.ts";
import type { Stress } from "./stress.ts";

/** Steps of each thread in a round, and the rounds of a storm. */
const OPERATIONS = 4000;
const ROUNDS = 3;

export const spaceStorms: Stress = {
  name: "space-storms",
  async run({ seed, seconds, threads }) {
    const end = performance.now() + seconds * 1000;
    const counts = { operations: 0, storms: 0 };
    while (counts.storms === 0 || performance.now() < end) {
      for (const count of threads) {
        const storm = { threads: count, operations: OPERATIONS, rounds: ROUNDS, seed: seed + counts.storms * 1000 };
        try {
          const tally = await runSpaceStorm(storm);
          counts.operations += tally.steps ?? 0;
        } catch (error) {
          throw new Error(`a storm of ${JSON.stringify(storm)} on address spaces failed`, { cause: error });
        }
        counts.storms++;
      }
    }
    return counts;
  },
};

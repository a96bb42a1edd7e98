// SPDX-License-Identifier: GPL-2.0-only
//
// The recorded races (test/races.test.ts), for as long as there is time: each outcome must be one that the kernel may show.

import { startLabThreads } from "../support/lab-threads.ts";
import { raceTogether } from "../support/race-together.ts";
import { loadRaces } from "../support/races.ts";
import type { Stress } from "./stress.ts";

const TRIES = 3000;

export const races: Stress = {
  name: "races",
  async run({ seed, seconds }) {
    const together = (await loadRaces()).filter(({ kind }) => kind === "together");
    const most = Math.max(...together.map(({ actors }) => actors.length));
    const lab = await startLabThreads(most);
    const end = performance.now() + seconds * 1000;
    const counts = { operations: 0, tries: 0, outcomes: 0 };
    const seen = new Set<string>();
    try {
      for (let turn = 0; turn === 0 || performance.now() < end; turn++) {
        for (const race of together) {
          const raceSeed = seed + turn * most;
          const { outcomes, others } = await raceTogether(lab, race, TRIES, raceSeed);
          if (others.length > 0) {
            throw new Error(`${race.race}, seed ${raceSeed}: not the kernel's: ${JSON.stringify(others)}`);
          }
          counts.tries += TRIES;
          counts.operations += TRIES * race.actors.length;
          for (const { results, after } of outcomes) seen.add(JSON.stringify([race.race, results, after]));
        }
      }
      counts.outcomes = seen.size;
      const { objects, waiting } = lab.iommufd.stats();
      if (objects.live + objects.reserved + objects.queued + waiting.length > 0) {
        throw new Error(`left after the races: ${JSON.stringify({ objects, waiting })}`);
      }
      return counts;
    } finally {
      await lab.end();
    }
  },
};

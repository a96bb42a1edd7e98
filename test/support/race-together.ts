// SPDX-License-Identifier: GPL-2.0-only
//
// A recorded race whose actors are all released at once, many times, on the threads of ./lab-threads.ts.

import type { LabThreads } from "./lab-threads.ts";
import { type Outcome, type Race, possibleOutcomes } from "./races.ts";

export interface CountedOutcome extends Outcome {
  count: number;
}

/** What came up, and what of it the kernel may not show. */
export async function raceTogether(
  { workers, logFd }: LabThreads,
  race: Race,
  tries: number,
  seed: number,
): Promise<{ outcomes: CountedOutcome[]; others: CountedOutcome[] }> {
  const actors = workers.slice(0, race.actors.length);
  actors.forEach((worker, actor) => worker.post({ task: "together", race, actor, tries, logFd, seed }));
  const answers = await Promise.all(actors.map((worker) => worker.next<{ outcomes: CountedOutcome[] }>()));
  const outcomes = answers[0]?.outcomes ?? [];
  const possible = possibleOutcomes(race).map((outcome) => JSON.stringify(outcome));
  const others = outcomes.filter(
    ({ results, after, warn }) => !possible.includes(JSON.stringify({ results, after, warn })),
  );
  return { outcomes, others };
}

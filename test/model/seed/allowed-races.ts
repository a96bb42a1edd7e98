// SPDX-License-Identifier: GPL-2.0-only
//
// The text of bindings/generated/races.ts: what the race element knows of the recorded races, so that it ships no recording and no
// transcription.
//
// An outcome is allowed if the kernel showed it, how often is kept, or if the transcription of its code can have it.

import { format, resolveConfig } from "prettier";
import { RACE_TEXTS } from "../../../bindings/lab/race/race-texts.js";
import { type Race, loadRaces } from "../../support/races.ts";
import { outside, raceSets, union } from "./outcomes.ts";

/** Below the root. */
export const RACES_FILE = "bindings/generated/races.ts";

/** The file's text, in the tree's format. */
export async function racesText(): Promise<string> {
  const recorded = new Map((await loadRaces()).map((race) => [race.race.replaceAll("_", "-"), race]));
  const rows = RACE_TEXTS.map(({ name }) => {
    const race = recorded.get(name);
    if (race?.kind !== "together") throw new Error(`${name} is not a recorded race of threads that start together`);
    return rowOf(name, race);
  });
  const text = `// SPDX-License-Identifier: GPL-2.0-only
    //
    // Generated from test/vectors/races-rfc.jsonl.gz and the transcription in test/model/seed by test/model/seed/write-races.ts; do not edit.
    // \`npm run build:races\` writes this file, test/node/lab-races.test.ts compares it.

    /** \`recorded\`: how often the kernel showed the outcome in \`tries\`; 0 where only its code says that it may. */
    export const RACES = ${JSON.stringify(rows)} as const;
    `;
  return format(text, { ...(await resolveConfig(RACES_FILE)), filepath: RACES_FILE });
}

function rowOf(name: string, race: Race) {
  const sets = raceSets(race);
  const outcomes = union(sets).map((outcome) => ({
    ...outcome,
    recorded: race.outcomes
      .filter(({ results, after, warn = [] }) => outside([{ results, after, warn }], [outcome]).length === 0)
      .reduce((sum, { count }) => sum + count, 0),
  }));
  const { tries, setup, actors, after_calls } = race;
  return { name, tries, setup, actors, after_calls, outcomes };
}

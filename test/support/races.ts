// SPDX-License-Identifier: GPL-2.0-only
//
// The recorded races of test/vectors/races-rfc.jsonl.gz: what they are and which outcomes the kernel may show.

import type { Call } from "./lab-calls.js";
import { loadVector } from "./vectors.ts";

/** What one try of a race came to. */
export interface Outcome {
  results: string[];
  after: string[];
  warn: string[];
}

interface RecordedOutcome extends Omit<Outcome, "warn"> {
  warn?: string[];
  waited?: number[];
  count: number;
}

export interface TimedActor extends Call {
  at_ms: number;
}

export interface Race {
  race: string;
  kind: "timed" | "together" | "invariant";
  what: string;
  /** Of those that were released together. */
  tries?: number;
  setup: Call[];
  actors: Call[];
  after_calls: Call[];
  outcomes: RecordedOutcome[];
}

export interface TimedRace extends Race {
  kind: "timed";
  actors: TimedActor[];
}

export async function loadRaces(): Promise<Race[]> {
  const text = new TextDecoder().decode(await loadVector("races-rfc"));
  const lines = text.trimEnd().split("\n").slice(1); // the first line is about the recording
  return lines.map((line) => JSON.parse(line) as Race);
}

export function isTimed(race: Race): race is TimedRace {
  return race.kind === "timed";
}

/** Everything the kernel may do: what was recorded, and what the vectors' README names besides. */
export function possibleOutcomes(race: Race): Outcome[] {
  const recorded = race.outcomes.map(({ results, after, warn = [] }) => ({ results, after, warn }));
  return [...recorded, ...unrecorded(race.race, recorded)];
}

/** "Possible by the code but not recorded", test/vectors/README.md. */
function unrecorded(race: string, recorded: readonly Outcome[]): Outcome[] {
  const [first] = recorded;
  if (first === undefined) return [];
  // Two DESTROYs with a HOLD where one gets EBUSY.
  if (race === "destroy_destroy_hold1ms") {
    const destroys = [
      ["0", "EBUSY"],
      ["EBUSY", "0"],
    ];
    return destroys.flatMap((pair) => ["0", "ENOENT"].map((hold) => ({ ...first, results: [...pair, hold] })));
  }
  // A STATE of 3: KEEP and GET both at work.
  if (race === "keep_get_state") return [{ ...first, results: ["0", "0", "users=3,type=2"] }];
  return [];
}

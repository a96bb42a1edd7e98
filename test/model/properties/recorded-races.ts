// SPDX-License-Identifier: GPL-2.0-only
//
// The races of the recorded kernel, and some that it was not asked about, as properties: each outcome of the compiled core is one that
// the kernel showed, or one that the seed's step-by-step transcription can have (../seed).
//
// Races of two are explored completely; of three as far as the budget goes, then with bounded preemptions. A complete exploration
// also has to find all that the kernel showed, but for the races in DECIDES_AT_ONCE: there the seed works in steps between
// which other calls see a DESTROY that is going to fail, and the library decides in one step.
//
// raceTable() prints the three sets side by side, for what was explored so far.

import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import type { Outcome, Race } from "../../support/races.ts";
import type { Property, Twin } from "../property.ts";
import { type RaceSets, outside, raceSets, seedOutcomes, sideBySide, union } from "../seed/outcomes.ts";
import { raceModel } from "../../../bindings/explorer/race-model.js";
import { type LabRace, UNRECORDED_RACES } from "../seed/unrecorded-races.ts";

/** From the package's root, where the program is started. */
const RECORDING = "test/vectors/races-rfc.jsonl.gz";

const DECIDES_AT_ONCE = new Set([
  "destroy_destroy",
  "destroy_destroy_destroy",
  "destroy_drop_kept",
  "destroy_get_kept",
  "destroy_destroy_kept",
  "destroy_state_kept",
  "destroy_destroy_get_kept",
]);

/** The subset of `npm test`: one of each kind, a second in all. */
const QUICK = new Set([
  "destroy_destroy",
  "destroy_get",
  "destroy_keep",
  "destroy_held_and_holder",
  "abort_get",
  "destroy_alloc_reuse",
  "close_get",
]);

/** Executions and seconds of one race before its preemptions are bounded, and of the bounded search. */
const BUDGET = { executions: 40_000, seconds: 6 };
/** The same for recorded races of two, so that they are explored completely. */
const FULL_BUDGET = { executions: 500_000, seconds: 60 };

const TWINS: Record<string, readonly Twin[]> = {
  destroy_get: [
    {
      name: "destroy-does-not-wait",
      edits: [{ file: "core/destroy.ts", find: "if (holdersOf(word) == 0 || !isRfc()) {", replace: "if (true) {" }],
    },
  ],
  drop_drop_kept: [
    {
      name: "drop-counts-nothing",
      edits: [
        {
          file: "core/kept.ts",
          find: "  changeKept(entry, kept - 1);\n  endChange(entry, minusUser(word));",
          replace: "  endChange(entry, minusUser(word));",
        },
      ],
    },
  ],
  destroy_alloc_reuse: [
    {
      name: "freed-id-stays-taken",
      edits: [
        {
          file: "core/xarray.ts",
          find: "store<u64>(word, bits & ~((<u64>1) << (id & 63)));",
          replace: "",
        },
      ],
    },
  ],
};

interface Explored {
  readonly sets: RaceSets;
  /** Texts of outcomes. */
  readonly ours: Set<string>;
}

/** What was explored on the core as it is, by race. */
const explored = new Map<string, Explored>();

function propertyOf(race: LabRace, budget: typeof BUDGET, setsOf: () => RaceSets): Property {
  const { race: name } = race;
  let known: { sets: RaceSets; allowed: Set<string> } | undefined;
  const sets = () => (known ??= withTexts(setsOf()));
  return {
    name: propertyName(name),
    promise: `every outcome of ${name} is the kernel's or the transcription's`,
    profiles: ["rfc"],
    quick: QUICK.has(name),
    ...budget,
    model() {
      const { allowed, sets: both } = sets();
      const ours = new Set<string>();
      if (!explored.has(name)) explored.set(name, { sets: both, ours });
      return raceModel(race, (outcome) => {
        ours.add(outcome);
        return allowed.has(outcome)
          ? undefined
          : `neither the kernel nor the transcription has this outcome: ${outcome}`;
      });
    },
    judge(outcomes) {
      const found = [...outcomes.keys()].map((text) => JSON.parse(text) as Outcome);
      const missing = DECIDES_AT_ONCE.has(name) ? [] : outside(sets().sets.kernel, found);
      return missing.length > 0 ? `the kernel's ${JSON.stringify(missing)} is never seen` : undefined;
    },
    twins: TWINS[name] ?? [],
  };
}

function propertyName(race: string): string {
  return `race-${race.replaceAll("_", "-")}`;
}

function withTexts(sets: RaceSets): { sets: RaceSets; allowed: Set<string> } {
  const text = ({ results, after, warn }: Outcome) => JSON.stringify({ results, after, warn });
  return { sets, allowed: new Set(union(sets).map(text)) };
}

function recordedRaces(): Race[] {
  const lines = gunzipSync(readFileSync(RECORDING)).toString().trimEnd().split("\n").slice(1);
  return lines.map((line) => JSON.parse(line) as Race).filter(({ kind }) => kind === "together");
}

function unrecordedSets({ race, setup, actors, after_calls }: LabRace): RaceSets {
  return { race, kernel: [], transcription: seedOutcomes(setup, actors, after_calls) };
}

export const RECORDED_RACES: readonly Property[] = [
  ...recordedRaces().map((race) =>
    propertyOf(race, race.actors.length === 2 ? FULL_BUDGET : BUDGET, () => raceSets(race)),
  ),
  ...UNRECORDED_RACES.map((race) => propertyOf(race, BUDGET, () => unrecordedSets(race))),
];

/** The kernel's, the transcription's and our outcomes of the races whose properties were explored in this process. */
export function raceTable(properties: ReadonlySet<string>): string {
  const all = [...explored].filter(([name]) => properties.has(propertyName(name))).map(([, sets]) => sets);
  if (all.length === 0) return "";
  const ours = all.map(({ sets, ours }) => [sets.race, [...ours].map((text) => JSON.parse(text) as Outcome)] as const);
  const sets = all.map(({ sets }) => sets);
  return sideBySide(sets, new Map(ours));
}

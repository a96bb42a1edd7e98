// SPDX-License-Identifier: GPL-2.0-only
//
// The lab's calls as programs over the core's raw exports (test/model/seed/lab-programs.ts), on the published core.
//
// Alone, a thread's calls answer what the seed's transcription answers. In races of two, whatever the order of their calls of
// the core, what comes out is what the kernel showed or the transcription can do.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CallExplorer } from "../model/seed/by-calls.ts";
import { type Call, outside, raceSets, seedOutcomes, union } from "../model/seed/outcomes.ts";
import { UNRECORDED_RACES } from "../model/seed/unrecorded-races.ts";
import { Random } from "../support/random.ts";
import { loadRaces } from "../support/races.ts";

const SEED = 20220318;
const SEQUENCES = 300;
const CALLS = 40;

const here = import.meta.url;
const module = new WebAssembly.Module(readFileSync(new URL("../../dist/core.wasm", here)));
const explorer = new CallExplorer(module);
const pairs = (await loadRaces()).filter(({ kind, actors }) => kind === "together" && actors.length === 2);

test(`one thread's random calls answer what the transcription answers (seed ${SEED})`, () => {
  const random = new Random(SEED);
  const answered = new Set<string>();
  for (let sequence = 0; sequence < SEQUENCES; sequence++) {
    const calls = Array.from({ length: CALLS }, () => randomCall(random));
    const ours = explorer.outcomes([], [calls], [{ call: "LOG", fd: 1 }]);
    expect(ours, JSON.stringify(calls)).toEqual(seedOutcomes([], [calls], [{ call: "LOG", fd: 1 }]));
    for (const answer of ours[0]?.results[0]?.split(" ") ?? []) answered.add(answer);
  }
  for (const answer of ["0", "ENOENT", "EBUSY", "EINVAL", "EOPNOTSUPP", "EBADF", "id=1,invisible"]) {
    expect([...answered]).toContain(answer);
  }
});

describe("released together, in any order of their calls of the core", () => {
  test("the recording has the races that this is about", () => {
    expect(pairs.length).toBe(21);
  });

  test.each(pairs.map((race) => [race.race, race] as const))("%s", (_, race) => {
    const ours = explorer.raceOutcomes(race);
    expect(ours.length).toBeGreaterThan(0);
    expect(outside(ours, union(raceSets(race)))).toEqual([]);
  });
});

describe("where the kernel was not asked, the transcription alone says what may come out", () => {
  const unrecorded = UNRECORDED_RACES.filter(({ actors }) => actors.length === 2);

  test.each(unrecorded.map((race) => [race.race, race] as const))("%s", (_, { setup, actors, after_calls }) => {
    const possible = seedOutcomes(setup, actors, after_calls);
    const ours = explorer.outcomes(setup, actors, after_calls);
    expect(possible.length).toBeGreaterThan(1);
    expect(ours.length).toBeGreaterThan(1);
    expect(outside(ours, possible)).toEqual([]);
  });
});

/** Any call with arguments that are mostly good; closing is rare. */
function randomCall(random: Random): Call {
  const id = random.below(7);
  const type = random.pick([0, 0, 0, 1, 2, 3, 4]);
  switch (random.below(14)) {
    case 0:
    case 1:
    case 2:
      return {
        call: "ALLOC",
        fd: 0,
        args: [random.pick([1, 2, 3, 3, 0, 4]), 0, random.pick([0, 0, 0, id]), random.below(5)],
      };
    case 3:
    case 4:
      return {
        call: "ALLOC",
        fd: 0,
        args: [random.pick([1, 2, 3]), id, random.pick([0, 0, id, 1]), random.pick([0, 0, 0, 1])],
      };
    case 5:
    case 6:
      return { call: "DESTROY", fd: 0, args: [id] };
    case 7:
      return { call: "GET", fd: 0, args: [id, type] };
    case 8:
      return { call: "KEEP", fd: 0, args: [id, type] };
    case 9:
      return { call: "DROP", fd: 0, args: [id] };
    case 10:
      return { call: "HOLD", fd: 0, args: [id, type, random.pick([0, 1, 10_000, 10_001])] };
    case 11:
      return { call: "STATE", fd: 0, args: [id] };
    case 12:
      return random.pick([
        { call: "LOG", fd: 1 },
        { call: "FGET", fd: 0 },
      ]);
    default:
      return random.below(8) === 0 ? { call: "CLOSE", fd: 0 } : { call: "STATE", fd: 0, args: [id] };
  }
}

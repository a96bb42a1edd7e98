// SPDX-License-Identifier: GPL-2.0-only
//
// The seed reference (test/model/seed): the step-by-step transcription of the seed can do all that the recorded kernel did,
// ordered by time it does exactly that, and a transcription with a fault is told apart.

import { describe, expect, test } from "vitest";
import { type World, explore } from "../model/seed/explore.ts";
import {
  type RaceSets,
  exploreSeed,
  outside,
  raceOutcomes,
  raceSets,
  seedOutcomes,
  sideBySide,
  union,
} from "../model/seed/outcomes.ts";
import { type Steps, step } from "../model/seed/steps.ts";
import { type Race, isTimed, loadRaces, possibleOutcomes } from "../support/races.ts";
import { Random } from "../support/random.ts";

const races = await loadRaces();
const together = races.filter(({ kind }) => kind === "together");
const timed = races.filter(isTimed);
const named = (race: Race) => [race.race, race] as const;
const setsOf = new Map(together.map((race) => [race.race, raceSets(race)]));

describe("released together, the transcription does all that the kernel did, and all that is known to be possible", () => {
  test.each(together.map(named))("%s", (name, race) => {
    const { kernel = [], transcription = [] } = setsOf.get(name) ?? {};
    expect(kernel.length).toBeGreaterThan(0);
    expect(outside(kernel, transcription)).toEqual([]);
    expect(outside(possibleOutcomes(race), transcription)).toEqual([]);
  });

  test("what it can do besides are a few outcomes of races of three", () => {
    const more = [...setsOf.values()].map(({ race, kernel, transcription }) => {
      const results = outside(transcription, kernel).map(({ results }) => results.join(" "));
      return [race, results.sort()] as const;
    });
    expect(Object.fromEntries(more.filter(([, results]) => results.length > 0))).toEqual({
      destroy_destroy_destroy: ["0 EBUSY EBUSY", "EBUSY 0 EBUSY", "EBUSY EBUSY 0"],
      destroy_destroy_hold1ms: ["0 EBUSY 0", "0 EBUSY ENOENT", "EBUSY 0 0", "EBUSY 0 ENOENT"],
      destroy_destroy_get_kept: ["EBUSY ENOENT ENOENT"],
      keep_get_state: ["0 0 users=3,type=2"],
    });
  });
});

describe("in the recorded order of time, the transcription does exactly what the kernel did", () => {
  test.each(timed.map(named))("%s", (_, race) => {
    const { kernel, transcription } = raceSets(race, { clock: "virtual" });
    expect(transcription).toEqual(kernel);
  });
});

describe("a transcription with a fault is told apart", () => {
  test("readers that overtake a waiting DESTROY answer what the kernel never did", () => {
    const twin = { trylock_ignores_waiting: true };
    const caught = timed.filter((race) => {
      const { kernel, transcription } = raceSets(race, { clock: "virtual", twin });
      return outside(transcription, kernel).length > 0;
    });
    expect(caught.map(({ race }) => race)).toEqual([
      "hold_destroy_others",
      "hold_destroy_kept",
      "hold_destroy_kept_twice",
      "hold_hold_destroy",
      "hold_destroy_hold",
    ]);
  });

  test("a DESTROY that takes no lock frees an object under a GET, and the schedule is told", () => {
    const race = together.find(({ race }) => race === "destroy_get");
    expect(() => raceOutcomes(race as Race, { twin: { destroy_without_rwsem: true } })).toThrow(
      /use after free: up_read\n( {2}\d: .*\n)+ {2}0: kfree\n {2}0: fput\n {2}1: up_read$/,
    );
  });
});

describe("outside of the recorded races", () => {
  const alloc = { call: "ALLOC", fd: 0, args: [2, 0, 0, 0] };
  const destroy = { call: "DESTROY", fd: 0, args: [1] };

  test("an actor may make several calls, one after the other", () => {
    const [only, ...more] = seedOutcomes([], [[alloc, destroy, destroy]], [{ call: "LOG", fd: 1 }]);
    expect(only).toEqual({ results: ["id=1 0 ENOENT"], after: ["[2:1]"], warn: [] });
    expect(more).toEqual([]);
  });

  test("a file that a driver refers to is released by whoever lets go last", () => {
    const close = { call: "CLOSE", fd: 0 };
    const outcomes = seedOutcomes([alloc], [close, { call: "FGET", fd: 0 }, destroy], [{ call: "LOG", fd: 1 }]);
    expect(outcomes.map(({ results }) => results.join(" ")).sort()).toEqual([
      "0 0 0",
      "0 0 EBADF",
      "0 EBADF 0",
      "0 EBADF EBADF",
    ]);
    for (const { after, warn } of outcomes) expect({ after, warn }).toEqual({ after: ["[2:1]"], warn: [] });
  });
});

test("the table has the three sets side by side, and marks what is only ours", () => {
  const sets = setsOf.get("keep_get_state") as RaceSets;
  const [common] = sets.kernel;
  const alien = { results: ["0", "0", "users=9,type=2"], after: [], warn: [] };
  const rows = sideBySide([sets], new Map([["keep_get_state", [...(common ? [common] : []), alien]]])).split("\n");
  expect(union(sets).length).toBe(3);
  expect(rows.map((row) => row.replace(/ {2}then .*/, ""))).toEqual([
    "kernel  transcription  ours",
    "",
    "keep_get_state",
    "  x       x             x   0  0  users=1,type=2",
    "  x       x             .   0  0  users=2,type=2",
    "  .       x             .   0  0  users=3,type=2",
    "! .       .             x   0  0  users=9,type=2",
  ]);
});

describe("the search", () => {
  const SEED = 20220318;

  test("with and without pruning finds the same outcomes, in random programs on three words and a lock", () => {
    const random = new Random(SEED);
    let pruned = 0;
    let all = 0;
    for (let round = 0; round < 40; round++) {
      const plans = [2, 2, 1].map((length) => Array.from({ length }, () => random.below(6)));
      const some = explore(() => worldOf(plans), "any");
      const every = explore(() => worldOf(plans), "any", false);
      const texts = [some, every].map(({ outcomes }) => outcomes.map((outcome) => JSON.stringify(outcome)).sort());
      expect(texts[0], JSON.stringify(plans)).toEqual(texts[1]);
      pruned += some.runs;
      all += every.runs;
    }
    expect(pruned).toBeLessThan(all / 2);
  });

  test.each(["STATE", "GET", "KEEP", "DESTROY"])("loses nothing of %s × CLOSE by pruning", (name) => {
    const setup = [{ call: "ALLOC", fd: 0, args: [2, 0, 0, 0] }];
    const actors = [
      { call: name, fd: 0, args: [1] },
      { call: "CLOSE", fd: 0 },
    ];
    const [pruned, every] = [true, false].map((prune) =>
      exploreSeed(setup, actors, [{ call: "LOG", fd: 1 }], { prune }),
    );
    const texts = [pruned, every].map((explored) =>
      explored?.outcomes.map((outcome) => JSON.stringify(outcome)).sort(),
    );
    expect(texts[0]).toEqual(texts[1]);
    expect(pruned?.runs).toBeLessThan((every?.runs ?? 0) / 2);
  });

  test("tells a deadlock with the schedule that leads there", () => {
    const twoLocks = () => {
      const held = [false, false];
      const lock = (which: number) =>
        step(
          `lock ${which}`,
          () => (held[which] = true),
          () => !held[which],
        );
      function* both(first: number, second: number): Steps<string> {
        yield* lock(first);
        yield* lock(second);
        yield* step("unlock", () => held.fill(false).length);
        return "done";
      }
      return { tasks: [both(0, 1), both(1, 0)], snapshot: () => held.join(), finish: (results: string[]) => results };
    };
    expect(() => explore(twoLocks)).toThrow("deadlock\n  0: lock 0\n  1: lock 1");
  });
});

/** Three tasks; an operation reads a word, adds to one, writes what was read last to one, or does that under the lock. */
function worldOf(plans: number[][]): World<unknown> {
  const words = [0, 0, 0];
  let locked = false;
  function* task(plan: number[]): Steps<string> {
    let seen = 1;
    for (const operation of plan) {
      const word = operation % 3;
      if (operation < 3) {
        seen = yield* step("read", () => words[word] ?? 0);
      } else {
        const by = seen;
        yield* step(
          "lock",
          () => {
            locked = true;
          },
          () => !locked,
        );
        yield* step("add", () => {
          words[word] = (words[word] ?? 0) + by + 1;
        });
        yield* step("unlock", () => {
          locked = false;
        });
      }
    }
    return `${seen}`;
  }
  return {
    tasks: plans.map(task),
    snapshot: () => `${locked} ${words.join()}`,
    finish: (results) => ({ results, words: [...words] }),
  };
}

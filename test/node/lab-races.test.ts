// SPDX-License-Identifier: GPL-2.0-only
//
// What the lab's race element knows and steps through (bindings/lab/race), without a page: its races are the recording's, its schedules
// come to what the explorer's properties allow, and its rows and words say what happened.

import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { ALL_RACES, type Race, keyOf } from "../../bindings/lab/race/race.js";
import { RaceSteps } from "../../bindings/lab/race/race-steps.js";
import { bitsOf } from "../../bindings/lab/race/state-word.js";
import { threadStates } from "../../bindings/lab/race/time-line.js";
import { RECORDED_RACES } from "../model/properties/recorded-races.ts";
import { RACES_FILE, racesText } from "../model/seed/allowed-races.ts";

const here = import.meta.url;
const module = new WebAssembly.Module(await readFile(new URL("../../dist/core.model.wasm", here)));

/** More schedules than any of the races of two has. */
const MANY = 5000;

function raceOf(name: string): Race {
  const race = ALL_RACES.find((each) => each.name === name);
  if (race === undefined) throw new Error(`there is no race ${name}`);
  return race;
}

function stepsOf(race: Race, most = MANY): RaceSteps {
  const steps = new RaceSteps(module, race);
  steps.search(() => steps.found.length >= most);
  return steps;
}

test("the races are those of the recording and of the transcription", async () => {
  expect(await readFile(new URL(`../../${RACES_FILE}`, here), "utf8")).toBe(await racesText());
});

describe("all schedules of a race of two come to what its property says", () => {
  test.each(ALL_RACES.filter(({ actors }) => actors.length === 2).map((race) => [race.name, race] as const))(
    "%s",
    (name, race) => {
      const steps = stepsOf(race);
      expect(steps.isComplete).toBe(true);
      const seen = steps.outcomes();
      expect(seen.filter(({ allowed }) => !allowed)).toEqual([]);
      expect(seen.reduce((sum, { count }) => sum + count, 0)).toBe(steps.found.length);

      const property = RECORDED_RACES.find((each) => each.name === `race-${name}`);
      if (property?.judge === undefined) throw new Error(`no property judges ${name}`);
      expect(property.judge(new Map(seen.map((outcome) => [keyOf(outcome), outcome.count])), "rfc")).toBeUndefined();
    },
  );
});

test.each(ALL_RACES.filter(({ actors }) => actors.length > 2).map((race) => [race.name, race] as const))(
  "the first schedules of a race of three, %s, come to nothing that is not allowed",
  (_, race) => {
    const steps = stepsOf(race, 500);
    const seen = steps.outcomes();
    expect(seen.length).toBeGreaterThan(1);
    expect(seen.filter(({ allowed }) => !allowed)).toEqual([]);
  },
);

describe("destroy × get, where the lock comes first", () => {
  const race = raceOf("destroy-get");
  const steps = stepsOf(race);
  const { layout } = steps;
  /** The destroyer sleeps until the lock is given back. */
  const index = steps.found.findIndex((_, at) => steps.show(at).rows.some(({ state }) => state === "asleep"));
  const shown = steps.show(index);
  const rowWith = (text: RegExp): number => shown.rows.findIndex((row) => text.test(row.text));

  test("a schedule is found in which the destroyer sleeps", () => {
    expect(index).toBeGreaterThanOrEqual(0);
    expect(shown.outcome?.results).toEqual(["0", "0"]);
  });

  test("the word before everything is that of a published object", () => {
    const [word = 0n] = shown.words;
    expect(layout.summary(word)).toBe("live, users 1");
    expect(layout.inWords(word, "type")).toBe("2");
  });

  test("the lock is one more user and one more holder", () => {
    const row = rowWith(/holders 0 → 1, users \d → \d/);
    const [before = 0n] = shown.rows[row - 1]?.words ?? [];
    const [after = 0n] = shown.rows[row]?.words ?? [];
    expect(shown.rows[row]?.thread).toBe(1);
    expect(layout.valueOf(after, "users")).toBe(layout.valueOf(before, "users") + 1n);
    expect(layout.changed(before, after).map(({ name }) => name)).toEqual(["holders", "users"]);
    const lowest = bitsOf(after, before, layout.field("holders")).at(-1);
    expect(lowest).toEqual({ on: true, changed: true });
  });

  test("while it sleeps the destroyer counts, and the unlock wakes it", () => {
    const asleep = shown.rows.findIndex(({ state }) => state === "asleep");
    expect(threadStates(shown.rows, asleep + 1, 2)).toEqual(["asleep", "running"]);
    expect(layout.summary(shown.rows[asleep]?.words[0] ?? 0n)).toMatch(/destroyers 1/);
    const wake = rowWith(/^wakes thread 1$/);
    expect(wake).toBeGreaterThan(asleep);
    expect(threadStates(shown.rows, wake + 1, 2)[0]).toBe("running");
  });

  test("at the end the ID is free, one generation later, and both have answered", () => {
    const [first = 0n] = shown.words;
    const last = shown.rows.at(-1)?.words[0] ?? 0n;
    expect(layout.inWords(last, "phase")).toBe("free");
    expect(layout.valueOf(last, "generation")).toBe(layout.valueOf(first, "generation") + 1n);
    expect(threadStates(shown.rows, shown.rows.length, 2)).toEqual(["done", "done"]);
    expect(shown.rows.filter(({ kind }) => kind === "answer").map(({ text }) => text)).toEqual([
      "answers 0",
      "answers 0",
    ]);
  });

  test("the short form leaves out only what it counts", () => {
    const all = steps.show(index, true).rows;
    const left = shown.rows
      .filter(({ kind }) => kind === "own")
      .reduce((sum, { text }) => sum + Number(/^\d+/.exec(text)?.[0]), 0);
    expect(all.filter(({ kind }) => kind === "event").length).toBe(
      left + shown.rows.filter(({ kind }) => kind === "event").length,
    );
    expect(all.some(({ kind }) => kind === "own")).toBe(false);
  });

  test("the core's functions are named", () => {
    expect(shown.rows[rowWith(/holders 0 → 1/)]?.within).toBe("lookup/get");
  });
});

test("the fields of a state word cover its 64 bits, each once", () => {
  const { layout } = stepsOf(raceOf("abort-get"));
  const positions = layout.fields.flatMap(({ shift, bits }) => Array.from({ length: bits }, (_, n) => shift + n));
  expect(positions.sort((a, b) => a - b)).toEqual(Array.from({ length: 64 }, (_, n) => n));
});

test("when a file is released, its objects are not looked at any more", () => {
  const steps = stepsOf(raceOf("close-get"), 1);
  const { rows, words } = steps.show(0);
  expect(steps.hasTable(words)).toBe(true);
  expect(steps.hasTable(rows.at(-1)?.words ?? [])).toBe(false);
});

test("a schedule with a given outcome is found, and after the last one the first again", () => {
  const steps = stepsOf(raceOf("destroy-get"));
  const [outcome] = steps.outcomes();
  if (outcome === undefined) throw new Error("there is no outcome");
  const places: number[] = [];
  let at = -1;
  for (let n = 0; n <= outcome.count; n++) places.push((at = steps.scheduleWith(outcome, at)));
  expect(new Set(places).size).toBe(outcome.count);
  expect(places.at(-1)).toBe(places[0]);
});

// SPDX-License-Identifier: GPL-2.0-only
//
// Which outcomes a race may have: what the kernel showed, joined with all that the seed's code can do.
//
// An outcome is one of the recording's: what each actor's calls answered, what the calls made afterwards answered, and what
// the kernel warned of, file 0 being closed at the end if it is still open.

import type { Outcome, Race } from "../../support/races.ts";
import { type Clock, type Explored, explore, runAlone } from "./explore.ts";
import { type Call, boot, snapshot, system_call } from "./lab.ts";
import type { Twin, kernel } from "./seed.ts";
import { type Steps, msleep } from "./steps.ts";

export type { Call } from "./lab.ts";
export type { Outcome } from "../../support/races.ts";

/** One task's calls, made one after the other; `at_ms` is when a recorded one starts, with a virtual clock. */
export type Actor = (Call & { readonly at_ms?: number }) | readonly Call[];

export interface SeedOptions {
  readonly clock?: Clock;
  /** Explore the transcription with this fault instead. */
  readonly twin?: Twin;
  /** False: as explore(). */
  readonly prune?: boolean;
}

/** All that the seed can make of these actors, released together after `setup`. */
export function seedOutcomes(
  setup: readonly Call[],
  actors: readonly Actor[],
  after: readonly Call[],
  options: SeedOptions = {},
): Outcome[] {
  return exploreSeed(setup, actors, after, options).outcomes;
}

/** The same with the size of the search. */
export function exploreSeed(
  setup: readonly Call[],
  actors: readonly Actor[],
  after: readonly Call[],
  { clock = "any", twin = {}, prune = true }: SeedOptions = {},
): Explored<Outcome> {
  return explore(
    () => {
      const k = boot(twin);
      for (const call of setup) runAlone(system_call(k, call));
      return {
        tasks: actors.map((actor) => program(k, actor)),
        snapshot: () => snapshot(k),
        finish: (results) => {
          const answers = after.map((call) => runAlone(system_call(k, call)));
          runAlone(system_call(k, { call: "CLOSE", fd: 0 }));
          return { results, after: answers, warn: [...k.warnings] };
        },
      };
    },
    clock,
    prune,
  );
}

/** An actor of several calls answers all of them, with a space between. */
function* program(k: kernel, actor: Actor): Steps<string> {
  const answers: string[] = [];
  if ("at_ms" in actor && actor.at_ms !== undefined) yield* msleep(actor.at_ms);
  for (const call of "call" in actor ? [actor] : actor) answers.push(yield* system_call(k, call));
  return answers.join(" ");
}

/** What is known about a recorded race. */
export interface RaceSets {
  readonly race: string;
  /** What the kernel showed. */
  readonly kernel: Outcome[];
  /** What the seed's code can do. */
  readonly transcription: Outcome[];
}

export function raceSets(race: Race, options: SeedOptions = {}): RaceSets {
  const kernel = race.outcomes.map(({ results, after, warn = [] }) => ({ results, after, warn }));
  return { race: race.race, kernel, transcription: raceOutcomes(race, options) };
}

/** What the seed's code can make of a recorded race. A timed one goes by its milliseconds only with a virtual clock. */
export function raceOutcomes(race: Race, options: SeedOptions = {}): Outcome[] {
  const actors =
    options.clock === "virtual" ? race.actors : race.actors.map(({ call, fd, args = [] }) => ({ call, fd, args }));
  return seedOutcomes(race.setup, actors, race.after_calls, options);
}

/** What both sets have, each outcome once, the kernel's first. */
export function union({ kernel, transcription }: RaceSets): Outcome[] {
  return [...new Map([...kernel, ...transcription].map((outcome) => [keyOf(outcome), outcome])).values()];
}

/** The outcomes of `some` that are not among `others`. */
export function outside(some: readonly Outcome[], others: readonly Outcome[]): Outcome[] {
  const known = new Set(others.map(keyOf));
  return some.filter((outcome) => !known.has(keyOf(outcome)));
}

function keyOf({ results, after, warn }: Outcome): string {
  return JSON.stringify([results, after, warn]);
}

/**
 * The sets side by side: one block a race, one line an outcome; a column has `x` where the outcome is in its set, `.` where not.
 *
 * `ours`: race → the outcomes of the library. What is only ours is marked with `!`.
 */
export function sideBySide(races: readonly RaceSets[], ours: ReadonlyMap<string, readonly Outcome[]>): string {
  const lines = ["kernel  transcription  ours"];
  for (const sets of races) {
    const found = ours.get(sets.race) ?? [];
    const allowed = union(sets);
    const wrong = outside(found, allowed);
    lines.push("", sets.race);
    for (const outcome of [...allowed, ...wrong]) {
      const [kernel, transcription, own] = [sets.kernel, sets.transcription, found].map((set) =>
        outside([outcome], set).length === 0 ? "x" : ".",
      );
      const mark = wrong.includes(outcome) ? "! " : "  ";
      lines.push(`${mark}${kernel}       ${transcription}             ${own}   ${describe(outcome)}`);
    }
  }
  return lines.join("\n");
}

function describe({ results, after, warn }: Outcome): string {
  const afterwards = after.length > 0 ? `  then  ${after.join("  ")}` : "";
  return `${results.join("  ")}${afterwards}${warn.length > 0 ? `  warn  ${warn.join("  ")}` : ""}`;
}

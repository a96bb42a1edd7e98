// SPDX-License-Identifier: GPL-2.0-only
//
// A race that the element offers: what its threads call, what is said about it, and which outcomes the kernel allows.
//
// An outcome is what the recording calls one: the answer of each thread's call, the answers of the calls that are made afterwards,
// and the kernel's warnings.

import type { LabRace } from "../../explorer/race-model.js";
import type { SystemCall } from "../../explorer/lab-programs.js";
import { RACES } from "../../generated/races.js";
import { RACE_TEXTS, type RaceText } from "./race-texts.js";

/** What one try of a race came to. */
export interface RaceOutcome {
  /** Of each thread, in order: "0", a value, or an errno's name. */
  readonly results: readonly string[];
  /** Of the calls afterwards. */
  readonly after: readonly string[];
  /** Kernel warnings. */
  readonly warn: readonly string[];
}

/** An outcome that the kernel allows. */
export interface AllowedOutcome extends RaceOutcome {
  /** How often the recorded kernel showed it; 0 where only its code says that it may. */
  readonly recorded: number;
}

/** A race of the catalogue. */
export interface Race extends RaceText, LabRace {
  readonly actors: readonly SystemCall[];
  /** How often the recorded kernel ran it. */
  readonly tries: number;
  readonly outcomes: readonly AllowedOutcome[];
}

/** All races, in the order in which they are offered. */
export const ALL_RACES: readonly Race[] = RACE_TEXTS.map((text) => {
  const recorded = RACES.find(({ name }) => name === text.name);
  if (recorded === undefined) throw new Error(`no recording of ${text.name}`);
  return { ...text, ...recorded, race: text.name };
});

/** The race of that name. */
export function raceOf(name: string): Race | undefined {
  return ALL_RACES.find((race) => race.name === name);
}

/** Equal texts are equal outcomes. */
export function keyOf({ results, after, warn }: RaceOutcome): string {
  return JSON.stringify({ results, after, warn });
}

/** How the kernel's own recording and its code judge an outcome. */
export function allowedOutcome(race: Race, outcome: RaceOutcome): AllowedOutcome | undefined {
  const key = keyOf(outcome);
  return race.outcomes.find((allowed) => keyOf(allowed) === key);
}

// ------------------------------------------------------------------------------------------------------ in words

const TYPE_NAMES = ["any", "DEVICE", "HWPT", "IOAS"];
const ABORTS = 1;

/** A call as one would say it: "DESTROY 1". */
export function callInWords({ call, args = [] }: SystemCall): string {
  const [first = 0, hold0 = 0, hold1 = 0, flags = 0] = args;
  if (call === "ALLOC") {
    const holds = [hold0, hold1].filter((id) => id !== 0);
    const held = holds.length > 0 ? `, holding ${holds.join(" and ")}` : "";
    return `ALLOC ${TYPE_NAMES[first] ?? first}${held}${(flags & ABORTS) !== 0 ? ", then abort" : ""}`;
  }
  if (call === "CLOSE") return "CLOSE";
  return `${call} ${first}`;
}

/** What each thread calls; with the threads' numbers where two call the same. */
export function actorNames({ actors }: Race): string[] {
  const names = actors.map(callInWords);
  return new Set(names).size === names.length ? names : names.map((name, thread) => `${thread + 1}: ${name}`);
}

const RELEASE_WARNINGS: Readonly<Record<string, string>> = {
  "release:users": "the kernel warns: the release found an object that somebody still uses",
};

/** What is seen when all threads are done, as sentences without their ends. */
export function afterInWords(race: Race, { after, warn }: RaceOutcome): string[] {
  const sentences = race.after_calls.flatMap(({ call, args = [] }, index): string[] => {
    const answer = after[index] ?? "";
    if (call === "STATE") {
      const users = /users=(\d+)/.exec(answer)?.[1];
      const id = args[0] ?? 0;
      return [users === undefined ? `object ${id} is gone` : `object ${id} is there, users ${users}`];
    }
    if (call === "LOG") {
      const ids = [...answer.matchAll(/:(\d+)/g)].map(([, id]) => id);
      return [ids.length === 0 ? "nothing is destroyed by the end" : `destroyed by the end: ${ids.join(", then ")}`];
    }
    return answer === "0" ? [] : [`${callInWords({ call, fd: 0, args })} answers ${answer}`];
  });
  return [...sentences, ...warn.map((kind) => RELEASE_WARNINGS[kind] ?? `the kernel warns: ${kind}`)];
}

// SPDX-License-Identifier: GPL-2.0-only
//
// A storm: several threads make random calls of every kind on the same files, and afterwards the books are even.
//
//   published = destroyed, each object once         nothing live, reserved, locked, waiting, mapped or open
//   no warning, nothing leaked                      no byte more in use than before the storm
//
// The memory is warmed up first: slabs and tables keep what they have once needed, so as many objects and files as a storm
// can have at a time are made before the first look at the bytes.

import type { DyingObject, IommufdOptions } from "iommufd-wasm";
import { expect } from "vitest";
import { type Crew, expectNothingLeft, startCrew, takeLog, until } from "./crew.ts";
import { firstWord } from "./objects-in-threads.js";
import { TYPES } from "./storm-thread.js";

export interface StormOptions extends IommufdOptions {
  threads: number;
  /** Calls of each thread in each round, and the rounds. */
  operations: number;
  rounds: number;
  seed: number;
}

type Tally = Record<string, number>;

/** What the log calls the test's own thread. */
const TEST = 99;
/** Files that stay open during a storm. */
const FILES = 3;
/** Objects that a storm may have at a time, per type, queued ones included; and files. */
const MOST_OBJECTS = 1600;
const MOST_FILES = FILES + 16;

/** Runs the rounds and checks the books after each. Returns how often each call gave each answer, in all of them. */
export async function runStorm({ threads, operations, rounds, seed, ...options }: StormOptions): Promise<Tally> {
  const crew = await startCrew("storm.js", threads, options);
  const { iommufd, board, warnings } = crew;
  warmUp(crew);
  const total: Tally = {};
  const before = iommufd.stats().bytes.used;
  for (let round = 0; round < rounds; round++) {
    const contexts = Array.from({ length: FILES }, () => iommufd.open());
    const fds = contexts.map(({ fd }) => fd);
    const tallies = await crew.all<Tally>("storm", { fds, operations, threads, seed: seed + round * threads });
    for (const context of contexts) context.close();
    await until(() => iommufd.stats().objects.queued === 0);
    await crew.all("idle"); // whoever took the last of the queue has destroyed it
    const sums = addUp(tallies);
    const destroyed = takeLog(board).map(([, value]) => value);
    expect(new Set(destroyed).size, `round ${round}: an object was destroyed twice`).toBe(destroyed.length);
    expect(destroyed.length, `round ${round}: destroyed`).toBe(sums["finalize done"]);
    expect(warnings).toEqual([]);
    expectNothingLeft(iommufd);
    const { objects, bytes, warnings: counted } = iommufd.stats();
    expect(objects.leaked).toBe(0);
    expect(Object.values(counted).every((count) => count === 0)).toBe(true);
    expect(bytes.used, `round ${round}: bytes in use`).toBe(before);
    for (const [key, count] of Object.entries(sums)) total[key] = (total[key] ?? 0) + count;
  }
  expect(takeLog(board)).toEqual([]);
  return total;
}

/** Takes the memory that a storm can need at most, and gives it back to slabs and tables. */
function warmUp({ iommufd, board }: Crew): void {
  // Stays bound: the test's thread destroys queued objects too.
  const destroy = ({ payload }: DyingObject): void => board.log.append(TEST, firstWord(payload));
  const [holder, held, rare] = TYPES.map((name) => iommufd.defineObjectType({ name, payloadBytes: 8, destroy }));
  if (holder === undefined || held === undefined || rare === undefined) throw new Error("no types");
  const contexts = Array.from({ length: MOST_FILES }, () => iommufd.open());
  for (const context of contexts) {
    const target = context.get(context.alloc(held).finalize());
    for (let n = 0; n < MOST_OBJECTS / MOST_FILES; n++) {
      for (const type of [held, rare]) context.alloc(type).finalize();
      const object = context.alloc(holder);
      for (let holds = 0; holds < 6; holds++) object.hold(target);
      object.finalize();
    }
    target.put();
  }
  for (const context of contexts) context.close();
  takeLog(board);
}

function addUp(tallies: readonly Tally[]): Tally {
  const sums: Tally = {};
  for (const tally of tallies) for (const [key, count] of Object.entries(tally)) sums[key] = (sums[key] ?? 0) + count;
  return sums;
}

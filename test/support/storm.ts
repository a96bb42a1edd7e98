// SPDX-License-Identifier: GPL-2.0-only
//
// A storm: several threads make random calls of every kind on the same files, and afterwards the books are even.
//
//   published = destroyed, each object once         nothing live, reserved, locked, waiting, mapped or open
//   no warning, nothing leaked                      no byte more in use than before the storm
//
// The memory is warmed up first: slabs and tables keep what they have once needed, so as many objects and files as a storm
// can have at a time are made before the first look at the bytes.

import { type DyingObject, Iommufd, type IommufdOptions, type IommufdWarning } from "iommufd-wasm";
import { type CrewThreads, NOTHING, startCrewThreads, takeLog, until, whatIsLeft } from "./crew-threads.ts";
import { mustEqual } from "./even.ts";
import { nullPageLeftovers } from "./null-page.ts";
import { firstWord } from "./objects-in-threads.js";
import { TYPES } from "./storm-thread.js";

export interface StormOptions extends IommufdOptions {
  threads: number;
  /** Calls of each thread in each round, and the rounds. */
  operations: number;
  rounds: number;
  seed: number;
}

export type Tally = Record<string, number>;

/** What the log calls the starting thread. */
const STARTER = 99;
/** Files that stay open during a storm. */
const FILES = 3;
/** What a storm may have at a time for each of its threads: objects per type, queued ones included; further files. */
const OBJECTS_PER_THREAD = 400;
const FILES_PER_THREAD = 4;
const MEMORY_BYTES = 8 * 1024 * 1024;

/** Runs the rounds and checks the books after each. Returns how often each call gave each answer, in all of them. */
export async function runStorm(options: StormOptions): Promise<Tally> {
  const { threads, operations, rounds, seed, ...create } = options;
  const warnings: IommufdWarning[] = [];
  const onWarning = (warning: IommufdWarning): void => void warnings.push(warning);
  const iommufd = await Iommufd.create({ memoryBytes: MEMORY_BYTES, onWarning, ...create });
  const crew = await startCrewThreads("storm.js", threads);
  try {
    await crew.attachTo(iommufd);
    const storm = new Storm(iommufd, crew, warnings);
    storm.warmUp(threads);
    for (let round = 0; round < rounds; round++) {
      await storm.round(round, { operations, threads, seed: seed + round * threads });
    }
    mustEqual(takeLog(crew.board), [], "destroyed after the storm");
    return storm.total;
  } finally {
    await crew.end();
    iommufd.detach();
  }
}

class Storm {
  readonly total: Tally = {};
  readonly #iommufd: Iommufd;
  readonly #crew: CrewThreads;
  readonly #warnings: readonly IommufdWarning[];
  #before = 0;

  constructor(iommufd: Iommufd, crew: CrewThreads, warnings: readonly IommufdWarning[]) {
    this.#iommufd = iommufd;
    this.#crew = crew;
    this.#warnings = warnings;
  }

  async round(round: number, task: { operations: number; threads: number; seed: number }): Promise<void> {
    const [iommufd, { all, board }] = [this.#iommufd, this.#crew];
    const contexts = Array.from({ length: FILES }, () => iommufd.open());
    const tallies = await all<Tally>("storm", { fds: contexts.map(({ fd }) => fd), ...task });
    for (const context of contexts) context.close();
    await until(() => iommufd.stats().objects.queued === 0);
    await all("idle"); // whoever took the last of the queue has destroyed it
    const sums = addUp(tallies);
    const destroyed = takeLog(board).map(([, value]) => value);
    const where = `round ${round}, seed ${task.seed}`;
    mustEqual(new Set(destroyed).size, destroyed.length, `${where}: objects destroyed, each once`);
    mustEqual(destroyed.length, sums["finalize done"] ?? 0, `${where}: destroyed`);
    mustEqual(this.#warnings, [], `${where}: warnings`);
    mustEqual(whatIsLeft(iommufd), NOTHING, `${where}: left`);
    const { objects, bytes, warnings } = iommufd.stats();
    mustEqual(objects.leaked, 0, `${where}: leaked`);
    const counted = Object.entries(warnings).filter(([, count]) => count > 0);
    mustEqual(counted, [], `${where}: counted warnings`);
    mustEqual(bytes.used, this.#before, `${where}: bytes in use`);
    mustEqual(nullPageLeftovers(iommufd), {}, `${where}: in the null page`);
    for (const [key, count] of Object.entries(sums)) this.total[key] = (this.total[key] ?? 0) + count;
  }

  /** Takes the memory that a storm can need at most, and gives it back to slabs and tables. */
  warmUp(threads: number): void {
    const [iommufd, { board }] = [this.#iommufd, this.#crew];
    // Stays bound: the starting thread destroys queued objects too.
    const destroy = ({ payload }: DyingObject): void => board.log.append(STARTER, firstWord(payload));
    const [holder, held, rare] = TYPES.map((name) => iommufd.defineObjectType({ name, payloadBytes: 8, destroy }));
    if (holder === undefined || held === undefined || rare === undefined) throw new Error("no types");
    const files = FILES + FILES_PER_THREAD * threads;
    const contexts = Array.from({ length: files }, () => iommufd.open());
    for (const context of contexts) {
      const target = context.get(context.alloc(held).finalize());
      for (let n = 0; n < (OBJECTS_PER_THREAD * threads) / files; n++) {
        for (const type of [held, rare]) context.alloc(type).finalize();
        const object = context.alloc(holder);
        for (let holds = 0; holds < 6; holds++) object.hold(target);
        object.finalize();
      }
      target.put();
    }
    for (const context of contexts) context.close();
    takeLog(board);
    this.#before = iommufd.stats().bytes.used;
  }
}

function addUp(tallies: readonly Tally[]): Tally {
  const sums: Tally = {};
  for (const tally of tallies) for (const [key, count] of Object.entries(tally)) sums[key] = (sums[key] ?? 0) + count;
  return sums;
}

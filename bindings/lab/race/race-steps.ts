// SPDX-License-Identifier: GPL-2.0-only
//
// A race as its schedules: found one after the other by the explorer, each to be looked at step by step. Nothing here is about pages.
//
// Objects are looked at as long as the file has its ID table; when it is released, its entries are other things' memory.

import { entryOf } from "../../explorer/final-state.js";
import { type LabState, raceModel } from "../../explorer/race-model.js";
import { type FoundSchedule, ScheduleSearch } from "../../explorer/schedule-search.js";
import { type Race, type RaceOutcome, allowedOutcome, keyOf } from "./race.js";
import { StateWordLayout } from "./state-word.js";
import { type Row, timeLine } from "./time-line.js";

/** As the explorer names it. */
const FILE_STATE = "file state";
const FILE_PHASES = ["free", "open", "closed", "draining"];

/** The address of the file's ID table is in the upper half of the word that begins with the file's state. */
const ROOT_SHIFT = 32n;

/** A schedule, ready to be stepped through. */
export interface ShownSchedule {
  /** Its number, from 0. */
  readonly index: number;
  readonly rows: readonly Row[];
  /** The watched words before the first row. */
  readonly words: readonly bigint[];
  /** Undefined when the execution failed. */
  readonly outcome: RaceOutcome | undefined;
  /** Why it failed: a fault of the core, which the explorer has found. */
  readonly failure: string | undefined;
}

/** What the schedules found so far came to. */
export interface StepOutcome extends RaceOutcome {
  /** How many schedules come to it. */
  readonly count: number;
  readonly allowed: boolean;
}

/** The schedules of one race. */
export class RaceSteps {
  readonly layout: StateWordLayout;
  /** IDs of the objects that the race is about. */
  readonly ids: readonly number[];
  readonly #race: Race;
  readonly #search: ScheduleSearch;
  readonly #addresses: readonly number[];

  /** Sets the race up: some milliseconds. `module` is the model build of the core. */
  constructor(module: WebAssembly.Module, race: Race) {
    this.#race = race;
    this.#search = new ScheduleSearch(
      module,
      raceModel(race, () => undefined),
    );
    const { core, state } = this.#search.scheduler;
    const { file } = state as LabState;
    this.layout = new StateWordLayout(core.constants);
    const made = [...race.setup, ...race.actors].filter(({ call }) => call === "ALLOC").length;
    this.ids = Array.from({ length: made }, (_, index) => index + 1);
    this.#addresses = [...this.ids.map((id) => entryOf(core, file, id)), file + core.constant("FILE_STATE")];
  }

  get found(): readonly FoundSchedule[] {
    return this.#search.found;
  }

  get isComplete(): boolean {
    return this.#search.isComplete;
  }

  /** Looks for more schedules until all are found, or `isEnough` says so; it is asked after each execution. */
  search(isEnough: () => boolean): void {
    this.#search.search(isEnough);
  }

  /** Executes schedule `index` again. `everything`: with the events that no other thread sees. */
  show(index: number, everything = false): ShownSchedule {
    const found = this.found[index];
    if (found === undefined) throw new Error(`schedule ${index} is not found yet`);
    const { scheduler } = this.#search;
    const recording = this.#search.record(found, this.#addresses);
    const rows = timeLine(recording, {
      describe: (address) => scheduler.describe(address),
      layout: this.layout,
      valueInWords: (name, value) => (name === FILE_STATE ? this.#filePhase(value) : undefined),
      ids: this.ids,
      everything,
    });
    return { index, rows, words: recording.words, ...judged(found) };
  }

  /** Whether the objects' words are still entries of the file's ID table. */
  hasTable(words: readonly bigint[]): boolean {
    return (words[this.ids.length] ?? 0n) >> ROOT_SHIFT !== 0n;
  }

  #filePhase(value: bigint): string {
    const { core } = this.#search.scheduler;
    const phase = Number(value) & core.constant("FILE_PHASE_MASK");
    return FILE_PHASES.find((name) => core.constant(`FILE_${name.toUpperCase()}`) === phase) ?? "being released";
  }

  /** The first schedule after `from` with that outcome, else the first of all; -1 when there is none. */
  scheduleWith(outcome: RaceOutcome, from: number): number {
    const key = keyOf(outcome);
    const later = this.found.findIndex(({ outcome: text }, index) => index > from && text === key);
    return later >= 0 ? later : this.found.findIndex(({ outcome: text }) => text === key);
  }

  /** What the schedules found so far came to, those that failed left out. */
  outcomes(): StepOutcome[] {
    const counts = new Map<string, number>();
    for (const { outcome, failed } of this.found) if (!failed) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    return [...counts].map(([text, count]) => {
      const outcome = JSON.parse(text) as RaceOutcome;
      return { ...outcome, count, allowed: allowedOutcome(this.#race, outcome) !== undefined };
    });
  }
}

function judged({ outcome, failed }: FoundSchedule): Pick<ShownSchedule, "outcome" | "failure"> {
  return failed
    ? { outcome: undefined, failure: outcome }
    : { outcome: JSON.parse(outcome) as RaceOutcome, failure: undefined };
}

// SPDX-License-Identifier: GPL-2.0-only
//
// Where the reader is: which race, which schedule of it, which step; and the search for more schedules, in slices of a few
// milliseconds between two frames, so that the page stays alive.
//
// A step is a row that is not a thread's own business: position 0 is before the first, `steps` behind the last.

import { type Race, type RaceOutcome, allowedOutcome } from "./race.js";
import type { FinishedOutcome } from "./race-event.js";
import { RaceSteps, type ShownSchedule, type StepOutcome } from "./race-steps.js";

/** Milliseconds of a frame that a search may take. */
const SLICE = 6;
/** Milliseconds between two looks of the reader at how far the search is. */
const TELL_EVERY = 150;
/** Schedules that are looked for at once; more when the reader asks. */
const PORTION = 2000;

/** A reader's way through a race. */
export class RaceWalk {
  /** Why nothing can be shown. */
  problem: string | undefined;
  #race: Race | undefined;
  #steps: RaceSteps | undefined;
  #shown: ShownSchedule | undefined;
  /** Rows at which a step ends. */
  #stops: number[] = [];
  #position = 0;
  #everything = false;
  #limit = PORTION;
  #picked: number | undefined;
  #isAwake = false;
  #isSearching = false;
  /** Schedules whose end was reached and told. */
  #told = new Set<number>();
  readonly #load: () => Promise<WebAssembly.Module>;
  readonly #update: () => void;
  readonly #finished: (outcome: FinishedOutcome) => void;

  constructor(
    load: () => Promise<WebAssembly.Module>,
    update: () => void,
    finished: (outcome: FinishedOutcome) => void,
  ) {
    this.#load = load;
    this.#update = update;
    this.#finished = finished;
  }

  get race(): Race | undefined {
    return this.#race;
  }
  get shown(): ShownSchedule | undefined {
    return this.#shown;
  }
  get index(): number {
    return this.#shown?.index ?? 0;
  }
  get count(): number {
    return this.#steps?.found.length ?? 0;
  }
  get isComplete(): boolean {
    return this.#steps?.isComplete ?? false;
  }
  /** The search rests although there is more. */
  get isPaused(): boolean {
    return this.#steps !== undefined && !this.isComplete && this.count >= this.#limit;
  }
  get position(): number {
    return this.#position;
  }
  get steps(): number {
    return this.#stops.length;
  }
  get everything(): boolean {
    return this.#everything;
  }
  get stepper(): RaceSteps | undefined {
    return this.#steps;
  }

  /** The row that happened last, -1 before the first. */
  get row(): number {
    return this.#stops[this.#position - 1] ?? -1;
  }
  /** The watched words now, and before the last step. */
  get words(): readonly bigint[] {
    return this.#wordsAt(this.#position);
  }
  get wordsBefore(): readonly bigint[] {
    return this.#wordsAt(this.#position - 1);
  }
  /** Index of the object whose word is shown: the one that was picked, else the one that the last step about any was about. */
  get object(): number {
    if (this.#picked !== undefined) return this.#picked;
    const rows = this.#shown?.rows.slice(0, this.row + 1) ?? [];
    return rows.filter(({ object }) => object >= 0).at(-1)?.object ?? 0;
  }

  /** Goes to the race, or goes on with it; loads what that needs. */
  start(race: Race): void {
    this.#isAwake = true;
    if (race !== this.#race) {
      this.#race = race;
      this.#steps = undefined;
      this.#shown = undefined;
      this.#stops = [];
      this.#position = 0;
      this.#limit = PORTION;
      this.#picked = undefined;
      this.#told = new Set();
    }
    void this.#go(race);
  }

  /** Stops searching, until the next start. */
  rest(): void {
    this.#isAwake = false;
  }

  /** Looks for another portion of schedules. */
  findMore(): void {
    this.#limit += PORTION;
    if (this.#race !== undefined) this.start(this.#race);
    this.#update();
  }

  /** Shows another schedule from its beginning; a number that is not found yet changes nothing. */
  showSchedule(index: number): void {
    if (this.#steps === undefined || index < 0 || index >= this.count) return;
    this.#shown = this.#steps.show(index, this.#everything);
    this.#stops = this.#shown.rows.flatMap(({ kind }, row) => (kind === "own" ? [] : [row]));
    this.#position = 0;
    this.#picked = undefined;
    this.#update();
  }

  /** Shows a schedule that ends so, another one each time. */
  showOutcome(outcome: RaceOutcome): void {
    if (this.#steps === undefined) return;
    this.showSchedule(this.#steps.scheduleWith(outcome, this.index));
    this.moveTo(this.steps);
  }

  /** With the steps that no other thread sees, or without. Stays at the same event. */
  showEverything(everything: boolean): void {
    const words = this.words;
    const row = this.#shown?.rows[this.row];
    this.#everything = everything;
    this.showSchedule(this.index);
    const rows = this.#shown?.rows ?? [];
    const same = row === undefined ? -1 : rows.findIndex((other) => isSame(other, row, words));
    this.moveTo(this.#stops.indexOf(same) + 1);
  }

  pick(object: number): void {
    this.#picked = object;
    this.#update();
  }

  move(steps: number): void {
    this.moveTo(this.#position + steps);
  }

  moveToRow(row: number): void {
    this.moveTo(this.#stops.indexOf(row) + 1);
  }

  moveTo(position: number): void {
    const to = Math.max(0, Math.min(position, this.steps));
    if (to !== this.#position) this.#picked = undefined;
    this.#position = to;
    this.#update();
    if (to > 0 && to === this.steps) this.#tellEnd();
  }

  outcomes(): readonly StepOutcome[] {
    return this.#steps?.outcomes() ?? [];
  }

  #wordsAt(position: number): readonly bigint[] {
    if (this.#shown === undefined) return [];
    const row = this.#stops[position - 1];
    return row === undefined ? this.#shown.words : (this.#shown.rows[row]?.words ?? []);
  }

  #tellEnd(): void {
    const { outcome, index = 0 } = this.#shown ?? {};
    if (outcome === undefined || this.#race === undefined || this.#told.has(index)) return;
    this.#told.add(index);
    this.#finished({ ...outcome, count: 1, allowed: allowedOutcome(this.#race, outcome) !== undefined });
  }

  async #go(race: Race): Promise<void> {
    if (this.#isSearching) return;
    this.#isSearching = true;
    try {
      const module = await this.#load();
      this.problem = undefined;
      let told = 0;
      while (this.#isAwake && this.#race !== undefined && !this.#isDone()) {
        this.#steps ??= new RaceSteps(module, this.#race);
        const steps = this.#steps;
        const end = performance.now() + SLICE;
        steps.search(() => performance.now() >= end || steps.found.length >= this.#limit);
        if (this.#shown === undefined) this.showSchedule(0);
        if (end >= told + TELL_EVERY || this.#isDone()) {
          told = end;
          this.#update();
        }
        await nextFrame();
      }
    } catch (error) {
      this.problem = `${race.title} cannot be stepped: ${error instanceof Error ? error.message : String(error)}`;
      this.#update();
    } finally {
      this.#isSearching = false;
    }
  }

  #isDone(): boolean {
    return this.#steps !== undefined && (this.#steps.isComplete || this.count >= this.#limit);
  }
}

function isSame(
  a: { thread: number; text: string; words: readonly bigint[] },
  b: { thread: number; text: string },
  words: readonly bigint[],
): boolean {
  return a.thread === b.thread && a.text === b.text && a.words.every((word, index) => word === words[index]);
}

function nextFrame(): Promise<unknown> {
  return new Promise((resolve) => requestAnimationFrame(resolve));
}

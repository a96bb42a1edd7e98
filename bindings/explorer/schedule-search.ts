// SPDX-License-Identifier: GPL-2.0-only
//
// The schedules of a model, found one after the other: as far as somebody wants to see them, and in pieces, so that a page stays alive.
//
// Those that differ only in the order of independent neighbours are one (reduction.ts): two schedules that are found differ in what
// some thread sees.

import type { Model } from "./model.js";
import { type Recording, record } from "./recording.js";
import { Reduction } from "./reduction.js";
import { parseSchedule, scheduleText } from "./schedule.js";
import { Scheduler } from "./scheduler.js";

/** A schedule, and what came of it. */
export interface FoundSchedule {
  /** The choices: scheduleText() of schedule.ts. */
  readonly choices: string;
  /** The model's text, or what failed. */
  readonly outcome: string;
  readonly failed: boolean;
}

/** Searches one model. */
export class ScheduleSearch {
  /** In the order in which they were found. */
  readonly found: FoundSchedule[] = [];
  readonly scheduler: Scheduler;
  readonly #reduction: Reduction;
  #isComplete = false;

  constructor(module: WebAssembly.Module, model: Model) {
    this.scheduler = new Scheduler(module, model);
    this.#reduction = new Reduction(this.scheduler.places, { reduces: true });
  }

  /** Every schedule has been found. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** Goes on until all are found, or `isEnough` says so; it is asked after each execution. */
  search(isEnough: () => boolean): void {
    while (!this.#isComplete) {
      const { kind, text } = this.scheduler.execute(this.#reduction);
      if (kind !== "pruned")
        this.found.push({ choices: scheduleText(this.#reduction.choices), outcome: text, failed: kind === "failed" });
      this.#isComplete = !this.#reduction.next();
      if (isEnough()) return;
    }
  }

  /** Executes a schedule again, and keeps what happens. `watched` are addresses of 64-bit words. */
  record({ choices }: FoundSchedule, watched: readonly number[]): Recording {
    return record(this.scheduler, parseSchedule(choices), watched);
  }
}

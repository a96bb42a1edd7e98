// SPDX-License-Identifier: GPL-2.0-only
//
// The runs of a race on real threads: at most one at a time, its counts, and why there can be none.

import { Iommufd, type Support } from "../../index.js";
import { type Race, allowedOutcome } from "./race.js";
import type { FinishedOutcome } from "./race-event.js";
import { type RunCounts, runRace } from "./race-run.js";

/** How long a run may take, in seconds. */
export const DURATIONS: readonly number[] = [1, 3, 10, 30];
const DEFAULT_SECONDS = 3;
const NOTHING: RunCounts = { outcomes: [], tries: 0 };

/** Runs races, one at a time. */
export class RaceRunner {
  /** How long the next run takes, in seconds. */
  seconds = DEFAULT_SECONDS;
  counts: RunCounts = NOTHING;
  /** Why the last run failed. */
  problem: string | undefined;
  /** Whether a worker of the last run got stuck: `counts` are the tries before. */
  stalled = false;
  #running: AbortController | undefined;
  readonly #update: () => void;
  readonly #finished: (outcomes: readonly FinishedOutcome[], stalled: boolean) => void;

  constructor(update: () => void, finished: (outcomes: readonly FinishedOutcome[], stalled: boolean) => void) {
    this.#update = update;
    this.#finished = finished;
  }

  /** Whether this page may have threads, and if not, why. */
  get support(): Support {
    return Iommufd.isSupported();
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** Starts a run, unless one is under way or the page has one thread only. */
  run(race: Race): void {
    if (this.isRunning || !this.support.threads) return;
    void this.#run(race);
  }

  /** Ends the run; what was counted stays. */
  stop(): void {
    this.#running?.abort();
  }

  /** For another race: ends the run and forgets the counts. */
  reset(): void {
    this.stop();
    this.#running = undefined;
    this.#forget();
  }

  #forget(): void {
    this.counts = NOTHING;
    this.problem = undefined;
    this.stalled = false;
  }

  async #run(race: Race): Promise<void> {
    const running = new AbortController();
    this.#running = running;
    this.#forget();
    this.#update();
    const isCurrent = (): boolean => this.#running === running;
    try {
      const result = await runRace(race, {
        milliseconds: this.seconds * 1000,
        signal: running.signal,
        onCounts: (counts) => {
          if (!isCurrent()) return;
          this.counts = counts;
          this.#update();
        },
      });
      if (!isCurrent()) return;
      this.counts = result;
      this.stalled = result.stalled;
      this.#running = undefined;
      this.#finished(
        result.outcomes.map((outcome) => ({ ...outcome, allowed: allowedOutcome(race, outcome) !== undefined })),
        result.stalled,
      );
    } catch (error) {
      if (isCurrent()) this.problem = `The run failed: ${error instanceof Error ? error.message : String(error)}`;
    } finally {
      if (isCurrent()) this.#running = undefined;
      this.#update();
    }
  }
}

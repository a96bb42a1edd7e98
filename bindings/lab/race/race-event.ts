// SPDX-License-Identifier: GPL-2.0-only
//
// The event "iommufd-race": a schedule was stepped to its end, or a run has ended.

import type { RaceOutcome } from "./race.js";

/** An outcome, how often it came up, and whether the kernel allows it. */
export interface FinishedOutcome extends RaceOutcome {
  readonly count: number;
  readonly allowed: boolean;
}

/** What the event tells. */
export interface RaceFinished {
  readonly race: string;
  readonly mode: "step" | "run";
  /** Of the tries that came to their end. */
  readonly outcomes: readonly FinishedOutcome[];
  /** Whether the run ended because a thread got stuck; the try that it got stuck in has no outcome. */
  readonly stalled: boolean;
}

/** "iommufd-race", which bubbles and leaves shadow trees. */
export class RaceFinishedEvent extends CustomEvent<RaceFinished> {
  constructor(detail: RaceFinished) {
    super("iommufd-race", { detail, bubbles: true, composed: true });
  }
}

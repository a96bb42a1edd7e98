// SPDX-License-Identifier: GPL-2.0-only
//
// What a replay comes to: per scenario, and in all.
//
// Every record of a recording is counted exactly once, as matched, differed or skipped. One thing more can differ that
// has no record: the recorder wrote the closing of a scenario's files down only when the kernel warned about it, so a
// warning of the library where nothing was recorded is counted as one difference of its own.

import type { Difference } from "./difference.js";

/**
 * Why a record is not the library's to reproduce. `vfs`: a request that Linux answers before the driver sees it;
 * `compat32`: a 32-bit caller; `fork`: a forked child, and what follows one in its scenario; `syscall`: another system
 * call; `path`: another device node.
 */
export type SkipReason = "vfs" | "compat32" | "fork" | "syscall" | "path";

/** How often each reason was met; absent: never. */
export type SkipCounts = Readonly<Partial<Record<SkipReason, number>>>;

/** What became of one scenario. */
export interface ScenarioResult {
  readonly scenario: string;
  readonly matched: number;
  readonly differed: number;
  readonly skipped: number;
  readonly skippedBy: SkipCounts;
  /** The first differences, in order; ReplayOptions.differencesPerScenario says how many. */
  readonly differences: readonly Difference[];
}

/** What became of a recording. */
export interface ReplayTotals {
  readonly scenarios: number;
  readonly matched: number;
  readonly differed: number;
  readonly skipped: number;
  readonly skippedBy: SkipCounts;
}

/** Nothing replayed yet. */
export const NO_TOTALS: ReplayTotals = { scenarios: 0, matched: 0, differed: 0, skipped: 0, skippedBy: {} };

/** The totals with one more scenario. */
export function addTotals(totals: ReplayTotals, result: ScenarioResult): ReplayTotals {
  const skippedBy: Partial<Record<SkipReason, number>> = { ...totals.skippedBy };
  for (const [reason, count] of Object.entries(result.skippedBy) as [SkipReason, number][]) {
    skippedBy[reason] = (skippedBy[reason] ?? 0) + count;
  }
  return {
    scenarios: totals.scenarios + 1,
    matched: totals.matched + result.matched,
    differed: totals.differed + result.differed,
    skipped: totals.skipped + result.skipped,
    skippedBy,
  };
}

// SPDX-License-Identifier: GPL-2.0-only
// What <iommufd-race> says by its event, as a lesson wants it.

import type { RaceFinished } from "iommufd-wasm/lab";
import type { RaceSeen } from "./lessons/lesson.js";

/** The finished look at a race. Two outcomes are the same if all answers and warnings are. */
export function raceSeen({ race, mode, outcomes }: RaceFinished): RaceSeen {
  return { race, mode, outcomes: outcomes.map(({ results, after, warn }) => JSON.stringify([results, after, warn])) };
}

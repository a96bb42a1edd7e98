// SPDX-License-Identifier: GPL-2.0-only
// What <iommufd-race> says by its event, as a lesson wants it.

import type { RaceSeen } from "./lessons/lesson.js";

/** Reads the detail of an `iommufd-race` event; undefined when it says nothing of a finished look. */
export function raceSeen(detail: unknown): RaceSeen | undefined {
  if (typeof detail !== "object" || detail === null) return undefined;
  const { mode, race, outcomes } = detail as { mode?: unknown; race?: unknown; outcomes?: unknown };
  if (mode !== "step" && mode !== "run") return undefined;
  const names = Array.isArray(outcomes)
    ? outcomes.map((outcome) => JSON.stringify(outcome))
    : [JSON.stringify(outcomes)];
  return { mode, race: typeof race === "string" ? race : "", outcomes: names };
}

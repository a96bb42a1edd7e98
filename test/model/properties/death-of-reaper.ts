// SPDX-License-Identifier: GPL-2.0-only
//
// The reaper dies too, at its points, for each point at which the first thread died. A second reaper gives back what both have left:
// it reaps the reaper first, or the other first, whichever the property says. Then all is as after one death.

import { makeWorld, type World } from "../death.ts";
import { call, type Calls, type Core, type Model } from "../model.ts";
import type { ProfileName, Property } from "../property.ts";
import { CallbackLog, reap } from "../reaper.ts";
import { checkWorld } from "./death-operations.ts";
import { SCENARIOS } from "./death-scenarios.ts";
import type { Prepared, Scenario } from "./deaths/scenario.ts";

const VICTIM = 0;
const REAPER = 1;
const SECOND = 2;

function model(
  scenario: Scenario,
  profile: ProfileName,
  order: readonly number[],
): Model<World & { prepared: Prepared }> {
  return {
    name: `death of the reaper: ${scenario.name}`,
    pages: 4,
    setup(core: Core) {
      const world = makeWorld(core, profile, 3);
      return { ...world, prepared: scenario.prepare?.(core, world) ?? {} };
    },
    run(core, state) {
      const log = new CallbackLog(core, state.slots);
      function* victim(): Calls<void> {
        yield* scenario.program(core, state, state.prepared, log);
        yield call("modelStore", state.slots[VICTIM]! + core.constant("THREAD_WINDOW"), 1);
      }
      return {
        threads: [
          { name: "victim", program: victim },
          { name: "reaper", program: () => reap(core, log, REAPER, [VICTIM]), afterDeathOf: VICTIM },
          { name: "second", program: () => reap(core, log, SECOND, order), afterDeathOf: REAPER },
        ],
        finish(_, died) {
          if (died[VICTIM] !== true) return "nobody died";
          const reaped = died[REAPER] === true ? [VICTIM, REAPER] : [VICTIM];
          return checkWorld(core, state, log, reaped, SECOND);
        },
      };
    },
  };
}

/** Every n-th point of the reaper, others for each point of the victim: all of them take minutes for each scenario (11 was run once). */
const STEP = 53;
const ORDERS = { "victim-first": [VICTIM, REAPER], "reaper-first": [REAPER, VICTIM] };

export const DEATHS_OF_REAPERS: readonly Property[] = Object.entries(ORDERS).flatMap(([name, order]) =>
  SCENARIOS.filter(({ reaped }) => reaped === true).map((scenario) => ({
    name: `reaper-${name}-${scenario.name}`,
    promise: `a reaper that dies while it reaps a thread that died in ${scenario.name} leaves nothing behind`,
    profiles: scenario.profiles ?? ["rfc"],
    model: (profile: ProfileName) => model(scenario, profile, order),
    kill: { thread: VICTIM, then: REAPER, step: STEP },
    judge(outcomes: ReadonlyMap<string, number>) {
      const states = new Set([...outcomes.keys()].map((text) => text.replace(/; callbacks .*/, "")));
      states.delete("nobody died");
      return states.size > scenario.states ? `${states.size} states: ${[...states].join(" | ")}` : undefined;
    },
    twins: [],
  })),
);

// SPDX-License-Identifier: GPL-2.0-only
//
// The reaper dies too, at its points, for each point at which the first thread died. A second reaper gives back what both have left:
// it reaps the reaper first, or the other first, whichever the property says. Then all is as after one death.
//
// reaper-alone: the second one watches the reaper only. The first thread's locks come free with that, once it is known to be dead, so
// nobody hangs; what else it had waits for somebody to reap it, which comes last here.

import { makeWorld, runDirectly, type World } from "../world.ts";
import { call, type Calls, type Core, type Model } from "../../../bindings/explorer/model.js";
import type { ProfileName, Property } from "../property.ts";
import { CallbackLog, reap } from "../reaper.ts";
import { checkWorld } from "./death-operations.ts";
import { SCENARIOS } from "./death-scenarios.ts";
import type { Prepared, Scenario } from "./deaths/scenario.ts";

const VICTIM = 0;
const REAPER = 1;
const SECOND = 2;

function model(scenario: Scenario, profile: ProfileName, order: Order): Model<World & { prepared: Prepared }> {
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
      const isKnownDead = (): boolean =>
        core.u32(state.slots[VICTIM]! + core.constant("THREAD_STATE")) === core.constant("THREAD_DEAD");
      function* second(): Calls<void> {
        yield* reap(core, log, SECOND, order === "alone" && !isKnownDead() ? BOTH : ORDERS[order]);
      }
      return {
        threads: [
          { name: "victim", program: victim },
          { name: "reaper", program: () => reap(core, log, REAPER, [VICTIM]), afterDeathOf: VICTIM },
          { name: "second", program: second, afterDeathOf: REAPER },
        ],
        finish(_, died) {
          if (died[VICTIM] !== true) return "nobody died";
          if (isKnownDead()) runDirectly(core, SECOND, reap(core, log, SECOND, [VICTIM]));
          const reaped = died[REAPER] === true ? [VICTIM, REAPER] : [VICTIM];
          return checkWorld(core, state, log, reaped, SECOND);
        },
      };
    },
  };
}

/** Every n-th point of the reaper, others for each point of the victim: all of them take minutes for each scenario (11 was run once). */
const STEP = 53;
const BOTH = [VICTIM, REAPER];
const ORDERS = { "victim-first": BOTH, "reaper-first": [REAPER, VICTIM], alone: [REAPER] };
type Order = keyof typeof ORDERS;

export const DEATHS_OF_REAPERS: readonly Property[] = (Object.keys(ORDERS) as Order[]).flatMap((order) =>
  SCENARIOS.filter(({ reaped }) => reaped === true).map((scenario) => ({
    name: `reaper-${order}-${scenario.name}`,
    promise: `a reaper that dies while it reaps a thread that died in ${scenario.name} leaves nothing behind`,
    profiles: scenario.profiles ?? ["rfc"],
    model: (profile: ProfileName) => model(scenario, profile, order),
    kill: { thread: VICTIM, then: REAPER, step: STEP },
    judge(outcomes: ReadonlyMap<string, number>) {
      const states = new Set([...outcomes.keys()].map((text) => text.replace(/; callbacks .*/, "")));
      states.delete("nobody died");
      // The reaper may die while it changes an address space.
      const allowed = scenario.states + Number([...states].some((text) => text.includes("poisoned")));
      return states.size > allowed ? `${states.size} states: ${[...states].join(" | ")}` : undefined;
    },
    twins: [],
  })),
);

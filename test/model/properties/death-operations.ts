// SPDX-License-Identifier: GPL-2.0-only
//
// Every operation dies at each of its writes, waits and notifies, and right after it; a reaper comes. Then all accounts are right, the
// state is one that the operation has on its way (most have two: before and after), callbacks ran at most once, and everything
// works and can be given back without a loss.
//
// One property for each operation: `death-NAME`.

import { audit } from "../audit.ts";
import { closeAll, serve, useFile } from "../closing.ts";
import { describeWorld, filesOf, isPoisoned } from "../tables.ts";
import { makeWorld, runDirectly, type World } from "../world.ts";
import { expect } from "../../../bindings/explorer/failure.js";
import { call, type Calls, type Core, type Model } from "../../../bindings/explorer/model.js";
import type { ProfileName, Property } from "../property.ts";
import { CallbackLog, reap } from "../reaper.ts";
import { SCENARIOS } from "./death-scenarios.ts";
import type { Prepared, Scenario } from "./deaths/scenario.ts";

interface State extends World {
  readonly prepared: Prepared;
}

const VICTIM = 0;
const REAPER = 1;
const THREADS = 3;

function model(scenario: Scenario, profile: ProfileName): Model<State> {
  return {
    name: `death: ${scenario.name}`,
    pages: 4,
    setup(core: Core) {
      const world = makeWorld(core, profile, THREADS);
      return { ...world, prepared: scenario.prepare?.(core, world) ?? {} };
    },
    run(core, state) {
      const log = new CallbackLog(core, state.slots);
      function* victim(): Calls<void> {
        yield* scenario.program(core, state, state.prepared, log);
        // A last point of death: with all that the operation has left it.
        yield call("modelStore", state.slots[VICTIM]! + core.constant("THREAD_WINDOW"), 1);
      }
      return {
        threads: [
          { name: "victim", program: victim },
          { name: "reaper", program: () => reap(core, log, REAPER, [VICTIM]), afterDeathOf: VICTIM },
        ],
        finish: (_, died) => (died[VICTIM] === true ? checkWorld(core, state, log, [VICTIM]) : "nobody died"),
      };
    },
  };
}

/** After the reaping. Return: the state that it has left. */
export function checkWorld(
  core: Core,
  state: World,
  log: CallbackLog,
  reaped: readonly number[],
  server = REAPER,
): string {
  audit(core, state.slots, reaped);
  const text = describeWorld(core);
  for (const number of reaped) {
    const slot = core.call(number, "attachThread", 1);
    expect(slot === state.slots[number], `the slot of thread ${number} is not handed out again`);
  }
  for (const number of reaped) core.call(number, "detachThread");
  state.slots.forEach((_, thread) => {
    while (!reaped.includes(thread) && core.call(thread, "detachNext") !== 0)
      runDirectly(core, thread, log.attend(thread));
  });
  const open = filesOf(core).find(({ file, phase }) => file === state.file && phase === core.constant("FILE_OPEN"));
  if (open && !isPoisoned(core, open.state)) useFile(core, state, server, log);
  audit(core, state.slots, reaped);
  closeAll(core, server, log);
  const first = serve(core, state, server, log);
  const second = serve(core, state, server, log);
  expect(first === second, `a round that comes again takes ${second - first} pages more`);
  return `${text}; callbacks ${log.begun.size > 0 ? "ran" : "-"}`;
}

export const DEATHS: readonly Property[] = SCENARIOS.map((scenario) => ({
  name: `death-${scenario.name}`,
  promise: `a thread that dies in ${scenario.name} leaves nothing behind`,
  profiles: scenario.profiles ?? ["rfc", "mainline"],
  ...(scenario.quick !== undefined && { quick: scenario.quick }),
  model: (profile: ProfileName) => model(scenario, profile),
  kill: { thread: VICTIM },
  judge(outcomes) {
    const states = new Set([...outcomes.keys()].map((text) => text.replace(/; callbacks .*/, "")));
    states.delete("nobody died");
    const isEver = [...states].some((text) => text.includes("poisoned"));
    if (isEver !== (scenario.poisons ?? false)) return isEver ? "the file is poisoned" : "the file is never poisoned";
    const allowed = scenario.states + (isEver ? 1 : 0);
    return states.size > allowed ? `${states.size} states: ${[...states].join(" | ")}` : undefined;
  },
  twins: scenario.twins ?? [],
}));

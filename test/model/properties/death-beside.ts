// SPDX-License-Identifier: GPL-2.0-only
//
// A thread dies in an operation on an object while another, living one works on the same: before, between and after, also while the
// reaper is at work. The living may have to wait for the reaper, never for ever; its answers are those of the kernel; all accounts
// are right at the end. By subject in beside/.

import { audit } from "../audit.ts";
import { closeAll } from "../closing.ts";
import { makeWorld, runDirectly, type World } from "../world.ts";
import { expect } from "../../../bindings/explorer/failure.js";
import type { Core, Model } from "../../../bindings/explorer/model.js";
import type { ProfileName, Property } from "../property.ts";
import { CallbackLog, reap } from "../reaper.ts";
import { ACCESSES } from "./beside/accesses.ts";
import { FILES } from "./beside/files.ts";
import { OBJECTS } from "./beside/objects.ts";
import { type Pair, type Prepared, VICTIM } from "./beside/pair.ts";
import { USER_MEMORY } from "./beside/user-memory.ts";

const REAPER = 1;

const PAIRS: readonly Pair[] = [...OBJECTS, ...USER_MEMORY, ...FILES, ...ACCESSES];

interface State extends World {
  readonly prepared: Prepared;
}

function model(pair: Pair, profile: ProfileName): Model<State> {
  return {
    name: `death beside the living: ${pair.name}`,
    pages: 4,
    setup(core: Core) {
      const world = makeWorld(core, profile, 3);
      return { ...world, prepared: pair.prepare(core, world) };
    },
    run(core, state) {
      const log = new CallbackLog(core, state.slots);
      return {
        threads: [
          { name: "victim", program: () => pair.victim(core, state, state.prepared, log) },
          { name: "reaper", program: () => reap(core, log, REAPER, [VICTIM]), afterDeathOf: VICTIM },
          { name: "living", program: () => pair.living(core, state, state.prepared, log) },
        ],
        finish([, , answer], died) {
          expect(pair.answers.includes(answer as number), `the living thread gets ${String(answer)}`);
          if (died[VICTIM] !== true) return "nobody died";
          runDirectly(core, REAPER, log.drainQueue(REAPER));
          audit(core, state.slots, [VICTIM]);
          pair.check?.(core);
          closeAll(core, REAPER, log);
          return `the living thread gets ${String(answer)}`;
        },
      };
    },
  };
}

export const DEATHS_BESIDE: readonly Property[] = PAIRS.map((pair) => ({
  name: `beside-${pair.name}`,
  promise: `a thread that dies does not hang or mislead a living one: ${pair.name}`,
  profiles: pair.profiles ?? ["rfc"],
  ...(pair.quick !== undefined && { quick: pair.quick }),
  model: (profile: ProfileName) => model(pair, profile),
  kill: { thread: VICTIM, every: pair.every ?? 1 },
  // The reaper's hundreds of points make more than this too many.
  search: 1,
  seconds: 10,
  twins: pair.twins ?? [],
}));

// SPDX-License-Identifier: GPL-2.0-only
//
// Two threads die, and two reapers work at once, one for each: one dead thread may hold a lock, a frozen word or a BUSY record that the
// reaping of the other needs. The second reaper may also look for a thread that the first has reaped: it then finds nothing to do.
//
// The first victim dies at each of its points; then the second runs, beside the first one's reaper, and dies at every `step`-th of its own.

import { audit } from "../audit.ts";
import { closeAll } from "../closing.ts";
import { makeObject, makeWorld, must, runDirectly, type World } from "../world.ts";
import { call, type Calls, type Core, type Model } from "../../../bindings/explorer/model.js";
import type { ProfileName, Property, Twin } from "../property.ts";
import { CallbackLog, reap } from "../reaper.ts";

const FIRST = 0;
const SECOND = 1;
const REAPER = 2;
const OTHER_REAPER = 3;

type Prepared = Record<string, number>;

interface Pair {
  readonly name: string;
  readonly quick?: boolean;
  /** Of the second victim's points, each n-th, others for each point of the first: all of them take minutes. */
  readonly step: number;
  readonly twins?: readonly Twin[];
  readonly prepare: (core: Core, world: World) => Prepared;
  readonly victim: (core: Core, world: World, prepared: Prepared, thread: number, log: CallbackLog) => Calls<unknown>;
}

function* lockAndUnlock({ file, expected }: World, id: number): Calls<void> {
  const handle = yield call("getSlowly", file, expected, id, 0);
  if (handle > 0) yield call("putSlowly", file, handle);
}

const PAIRS: readonly Pair[] = [
  {
    name: "locks",
    step: 11,
    twins: [
      {
        name: "word-read-after-the-step",
        edits: [
          {
            file: "core/reap.ts",
            find: "  thread.result2 = changetype<Thread>(found).result2;",
            replace: "  thread.result2 = load32(word);",
          },
        ],
      },
    ],
    quick: true,
    prepare: (core, world) => ({ id: makeObject(core, world, world.plain) }),
    victim: (_core, world, { id }) => lockAndUnlock(world, id!),
  },
  {
    name: "kept-users",
    step: 11,
    prepare: (core, world) => ({ id: makeObject(core, world, world.plain) }),
    *victim(_core, { file, expected }, { id }) {
      const handle = yield call("getSlowly", file, expected, id!, 0);
      if (handle > 0) yield call("putKeepUser", file, handle);
    },
  },
  {
    name: "allocations",
    step: 47,
    prepare: (core, world) => ({ id: makeObject(core, world, world.plain) }),
    *victim(_core, { file, expected, plain }) {
      const handle = yield call("alloc", file, expected, plain);
      if (handle > 0) yield call("abort", file, handle);
    },
  },
  {
    name: "destroys",
    step: 29,
    prepare(core, world) {
      const a = makeObject(core, world, world.calling);
      return { 0: a, 1: makeObject(core, world, world.calling, [a]) };
    },
    *victim(_core, { file, expected }, prepared, thread, log) {
      yield* log.settle(thread, file, yield call("destroy", file, expected, prepared[1 - thread]!, 0));
    },
  },
];

function model(pair: Pair, profile: ProfileName): Model<World & { prepared: Prepared }> {
  return {
    name: `two deaths: ${pair.name}`,
    pages: 4,
    setup(core: Core) {
      const world = makeWorld(core, profile, 4);
      return { ...world, prepared: pair.prepare(core, world) };
    },
    run(core, state) {
      const log = new CallbackLog(core, state.slots);
      const victim = (thread: number) => () => pair.victim(core, state, state.prepared, thread, log);
      return {
        threads: [
          { name: "first", program: victim(FIRST) },
          { name: "second", program: victim(SECOND), afterDeathOf: FIRST },
          { name: "reaper", program: () => reap(core, log, REAPER, [FIRST]), afterDeathOf: FIRST },
          { name: "other reaper", program: () => reap(core, log, OTHER_REAPER, [SECOND]), afterDeathOf: SECOND },
        ],
        finish(_, died) {
          if (died[SECOND] !== true) return "the second lives";
          for (const thread of [REAPER, OTHER_REAPER]) runDirectly(core, thread, log.drainQueue(thread));
          audit(core, state.slots, [FIRST, SECOND]);
          closeAll(core, REAPER, log);
          must(core, REAPER, "open");
          return "reaped";
        },
      };
    },
  };
}

export const DEATHS_OF_TWO: readonly Property[] = PAIRS.map((pair) => ({
  name: `two-deaths-${pair.name}`,
  promise: `two reapers at once give back what two dead threads left: ${pair.name}`,
  profiles: ["rfc"],
  ...(pair.quick !== undefined && { quick: pair.quick }),
  model: (profile: ProfileName) => model(pair, profile),
  kill: { thread: FIRST, then: SECOND, step: pair.step },
  search: 1,
  seconds: 5,
  twins: pair.twins ?? [],
}));

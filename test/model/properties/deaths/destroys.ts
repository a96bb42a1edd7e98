// SPDX-License-Identifier: GPL-2.0-only
//
// Deaths in the end of an object: destroy by ID and by a kept user, with waiting and callbacks, and the queue of callbacks.

import { keep, makeObject, must } from "../../world.ts";
import { call } from "../../../../bindings/explorer/model.js";
import { VICTIM, lock, type Scenario } from "./scenario.ts";

export const DESTROYS: readonly Scenario[] = [
  {
    name: "destroy",
    states: 2,
    quick: true,
    prepare(core, world) {
      const target = makeObject(core, world, world.plain);
      return { id: makeObject(core, world, world.plain, [target, target, target, target]) };
    },
    *program(_core, { file, expected }, { id }, log) {
      yield* log.settle(VICTIM, file, yield call("destroy", file, expected, id!, 1));
    },
  },
  {
    name: "destroy-callback",
    twins: [
      {
        name: "callback-runs-again",
        profiles: ["rfc"],
        edits: [
          {
            file: "core/reap.ts",
            find: "if (hasCallbackRun(slot) || !hasCallback",
            replace: "if (!hasCallback",
          },
        ],
      },
    ],
    reaped: true,
    states: 2,
    prepare(core, world) {
      const target = makeObject(core, world, world.plain);
      return { id: makeObject(core, world, world.calling, [target, target, target]) };
    },
    *program(_core, { file, expected }, { id }, log) {
      yield* log.settle(VICTIM, file, yield call("destroy", file, expected, id!, 1));
    },
  },
  {
    name: "destroy-waits",
    reaped: true,
    states: 2,
    profiles: ["rfc"],
    prepare(core, world) {
      const id = makeObject(core, world, world.calling);
      return { id, locked: lock(core, world, id) };
    },
    *program(core, { file, expected }, { id, locked }, log) {
      const result = yield call("destroy", file, expected, id!, 0);
      const wait = log.result(VICTIM, 0);
      yield call("putSlowly", file, locked!);
      if (result === core.constant("MUST_WAIT")) yield* log.settle(VICTIM, file, yield call("destroyPoll", file, wait));
    },
  },
  {
    name: "destroy-busy",
    states: 1,
    profiles: ["rfc"],
    prepare(core, world) {
      const id = makeObject(core, world, world.plain);
      keep(core, world, id);
      return { id, locked: lock(core, world, id) };
    },
    *program(_core, { file, expected }, { id, locked }, log) {
      yield call("destroy", file, expected, id!, 0);
      const wait = log.result(VICTIM, 0);
      yield call("putSlowly", file, locked!);
      yield call("destroyPoll", file, wait);
    },
  },
  {
    name: "destroy-cancel",
    states: 1,
    profiles: ["rfc"],
    prepare(core, world) {
      const id = makeObject(core, world, world.plain);
      return { id, locked: lock(core, world, id) };
    },
    *program(_core, { file, expected }, { id }, log) {
      yield call("destroy", file, expected, id!, 0);
      yield call("destroyCancel", file, log.result(VICTIM, 0));
    },
  },
  {
    name: "destroy-reference",
    reaped: true,
    states: 3, // queued and not recorded yet: the user is gone, as after EBUSY
    prepare(core, world) {
      const id = makeObject(core, world, world.calling);
      return { id, serial: keep(core, world, id) };
    },
    *program(_core, { file, expected }, { id, serial }, log) {
      yield* log.settle(VICTIM, file, yield call("destroyReference", file, expected, id!, serial!, 0));
    },
  },
  {
    name: "destroy-reference-cancel",
    states: 2, // queued and not recorded yet: the user is gone, as after EBUSY
    prepare(core, world) {
      const id = makeObject(core, world, world.calling);
      const serial = keep(core, world, id);
      return { id, serial, locked: lock(core, world, id) };
    },
    *program(_core, { file, expected }, { id, serial }, log) {
      yield call("destroyReference", file, expected, id!, serial!, 0);
      yield call("destroyCancel", file, log.result(VICTIM, 0));
    },
  },
  {
    name: "destroy-reference-busy",
    states: 2,
    prepare(core, world) {
      const id = makeObject(core, world, world.calling);
      keep(core, world, id);
      return { id, serial: keep(core, world, id) };
    },
    *program(_core, { file, expected }, { id, serial }, log) {
      yield* log.settle(VICTIM, file, yield call("destroyReference", file, expected, id!, serial!, 0));
    },
  },
  {
    name: "queue",
    twins: [
      {
        name: "queue-not-repaired",
        profiles: ["rfc"],
        edits: [
          {
            file: "core/repair.ts",
            find: "else if (index == QUEUE_INDEX) repairQueue();",
            replace: "else if (index == QUEUE_INDEX) return;",
          },
        ],
      },
    ],
    reaped: true,
    states: 1,
    prepare(core, world) {
      // Thread 3 has no callback: its release leaves the objects to others.
      core.call(3, "attachThread", 1);
      const other = must(core, 3, "open");
      const expected = core.u32(core.call(3, "slotOfThread") + core.constant("THREAD_RESULT0"));
      const there = { ...world, file: other, expected };
      makeObject(core, there, world.plain);
      makeObject(core, there, world.calling);
      makeObject(core, there, world.calling);
      must(core, 3, "closeNumber", other, core.constant("FILE_BY_NUMBER"));
      while (core.call(3, "releaseNext", other) !== 0);
      core.call(3, "detachThread");
      return {};
    },
    *program(_core, _world, _prepared, log) {
      yield* log.drainQueue(VICTIM);
    },
  },
];

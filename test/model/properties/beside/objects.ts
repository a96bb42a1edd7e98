// SPDX-License-Identifier: GPL-2.0-only
//
// Pairs on one object, or on the ID table: get, put, destroy, alloc, holds, kept users.

import { keep, makeObject, must } from "../../world.ts";
import { call } from "../../../../bindings/explorer/model.js";
import { allocAndFinalize, getAndPut, LIVING, lock, NONE, one, type Pair, putBack, VICTIM } from "./pair.ts";

export const OBJECTS: readonly Pair[] = [
  {
    // The generation tells the published reservation from the living thread's later one of the same ID and type.
    name: "finalize-and-reuse",
    twins: [
      {
        name: "freed-entry-keeps-its-generation",
        edits: [
          {
            file: "core/refcount.ts",
            find: "return ((word & GENERATION_MASK) + (ONE << GENERATION_SHIFT)) & GENERATION_MASK;",
            replace: "return word & GENERATION_MASK;",
          },
        ],
      },
    ],
    prepare: (core, { file, expected, plain }) => ({ handle: must(core, VICTIM, "alloc", file, expected, plain) }),
    *victim(_core, { file }, { handle }) {
      yield call("finalize", file, handle!);
    },
    *living(_core, world) {
      const destroyed = yield call("destroy", world.file, world.expected, 1, 0);
      return destroyed === 0 || destroyed === -2 ? yield* allocAndFinalize(world) : destroyed;
    },
    answers: [0],
  },
  {
    name: "get-and-get",
    twins: [
      {
        name: "locks-of-the-living-forgotten",
        edits: [
          {
            file: "core/recount.ts",
            find: "if (kind == RECORD_LOCKED) holders++;",
            replace: "if (kind == RECORD_LOCKED && isDead) holders++;",
          },
        ],
      },
    ],
    quick: true,
    prepare: one,
    victim: (core, world, { id }, log) => getAndPut(core, world, id!, log, VICTIM),
    living: (core, world, { id }, log) => getAndPut(core, world, id!, log),
    answers: [0],
  },
  {
    // The living thread's record comes to speak of another object between two looks of the reaper.
    name: "get-and-put-get",
    profiles: ["rfc"],
    prepare(core, world) {
      const id = makeObject(core, world, world.plain);
      return { id, handle: lock(core, world, makeObject(core, world, world.plain), LIVING) };
    },
    *victim(_core, { file, expected }, { id }) {
      yield call("getSlowly", file, expected, id!, 0);
    },
    *living(core, world, { id, handle }, log) {
      const result = yield* putBack(core, world.file, handle!);
      return result === 0 ? yield* getAndPut(core, world, id!, log) : result;
    },
    answers: [0],
  },
  {
    name: "put-and-destroy",
    profiles: ["rfc"],
    prepare(core, world) {
      const id = makeObject(core, world, world.calling);
      return { id, handle: lock(core, world, id, VICTIM) };
    },
    victim: (core, { file }, { handle }) => putBack(core, file, handle!),
    *living(_core, { file, expected }, { id }, log) {
      return yield* log.settle(LIVING, file, yield call("destroy", file, expected, id!, 1));
    },
    answers: [0],
  },
  {
    name: "keep-and-destroy",
    profiles: ["rfc"],
    prepare(core, world) {
      const id = makeObject(core, world, world.plain);
      return { id, handle: lock(core, world, id, VICTIM) };
    },
    *victim(_core, { file }, { handle }) {
      yield call("putKeepUser", file, handle!);
    },
    *living(_core, { file, expected }, { id }, log) {
      return yield* log.settle(LIVING, file, yield call("destroy", file, expected, id!, 1));
    },
    answers: [0, -16],
  },
  {
    name: "destroy-and-get",
    prepare: (core, world) => ({ id: makeObject(core, world, world.calling) }),
    *victim(_core, { file, expected }, { id }, log) {
      yield* log.settle(VICTIM, file, yield call("destroy", file, expected, id!, 1));
    },
    living: (core, world, { id }, log) => getAndPut(core, world, id!, log),
    answers: [0, -2],
  },
  {
    name: "wait-and-put",
    profiles: ["rfc"],
    prepare(core, world) {
      const id = makeObject(core, world, world.calling);
      return { id, handle: lock(core, world, id, LIVING) };
    },
    *victim(_core, { file, expected }, { id }, log) {
      yield* log.settle(VICTIM, file, yield call("destroy", file, expected, id!, 1));
    },
    living: (core, { file }, { handle }) => putBack(core, file, handle!),
    answers: [0],
  },
  {
    name: "alloc-and-alloc",
    twins: [
      {
        // The reaper ends the dead thread's reservation by abort, with all locks held in its name.
        name: "reservation-given-back-opens-the-table",
        edits: [
          {
            file: "core/object.ts",
            find: "  unlock(tableLockOf(file), RANK_TABLE); // a reaper gives",
            replace: "  unlockNow(tableLockOf(file), RANK_TABLE); // a reaper gives",
          },
        ],
      },
    ],
    every: 7,
    prepare: NONE,
    victim: (_core, world) => allocAndFinalize(world),
    living: (_core, world) => allocAndFinalize(world),
    answers: [0],
  },
  {
    name: "hold-and-get",
    prepare(core, world) {
      const id = makeObject(core, world, world.plain);
      return {
        id,
        handle: lock(core, world, id, VICTIM),
        made: must(core, VICTIM, "alloc", world.file, world.expected, world.plain),
      };
    },
    *victim(_core, { file }, { handle, made }) {
      yield call("hold", file, made!, handle!);
      yield call("abort", file, made!);
    },
    living: (core, world, { id }, log) => getAndPut(core, world, id!, log),
    answers: [0],
  },
  {
    // The third hold is in a list, which the victim is about to hang up or has hung up.
    name: "hold-and-inspect",
    profiles: ["rfc"],
    prepare(core, world) {
      const id = makeObject(core, world, world.plain);
      const handle = lock(core, world, id, VICTIM);
      const made = must(core, VICTIM, "alloc", world.file, world.expected, world.plain);
      for (let holds = 0; holds < 2; holds++) core.call(VICTIM, "hold", world.file, made, handle);
      return { handle, made };
    },
    *victim(_core, { file }, { handle, made }) {
      yield call("hold", file, made!, handle!);
      yield call("abort", file, made!);
    },
    *living(_core, { file, expected }) {
      return yield call("inspect", file, expected, 2, 0, 0);
    },
    answers: [0, -2],
  },
  {
    name: "references",
    twins: [
      {
        name: "locks-freed-silently",
        edits: [
          {
            file: "core/mutex.ts",
            find: "  exchange32(mutex, 0);\n  notify(mutex, -1);",
            replace: "  exchange32(mutex, 0);",
          },
        ],
      },
    ],
    profiles: ["rfc"],
    prepare(core, world) {
      const id = makeObject(core, world, world.plain);
      const serial = keep(core, world, id);
      keep(core, world, id);
      return { id, serial };
    },
    *victim(_core, { file, expected }, { id, serial }) {
      yield call("dropReference", file, expected, id!, serial!);
    },
    *living(_core, { file, expected }, { id, serial }, log) {
      return yield* log.settle(LIVING, file, yield call("destroyReference", file, expected, id!, serial!, 1));
    },
    answers: [0, -16],
  },
];

// SPDX-License-Identifier: GPL-2.0-only
//
// Pairs in which a file is closed.

import { makeObject, must } from "../../world.ts";
import { call } from "../../../../bindings/explorer/model.js";
import { allocAndFinalize, closeAndRelease, getAndPut, LIVING, one, type Pair, VICTIM } from "./pair.ts";

export const FILES: readonly Pair[] = [
  {
    name: "close-and-get",
    every: 29,
    prepare: one,
    victim: (core, { file }, _prepared, log) => closeAndRelease(core, file, VICTIM, log),
    living: (core, world, { id }, log) => getAndPut(core, world, id!, log),
    answers: [0, -9],
  },
  {
    name: "get-and-close",
    every: 29,
    twins: [
      {
        name: "lock-wiped-with-the-file",
        edits: [
          {
            file: "core/memory-map.ts",
            find: "  /** No ID below this one is free.",
            replace: "  lock: u32;\n  /** No ID below this one is free.",
          },
          {
            file: "core/memory-map.ts",
            find: "  lock: u32;\n  /** Allocations so far",
            replace: "  unused: u32;\n  /** Allocations so far",
          },
        ],
      },
    ],
    prepare: one,
    victim: (core, world, { id }, log) => getAndPut(core, world, id!, log, VICTIM),
    living: (core, { file }, _prepared, log) => closeAndRelease(core, file, LIVING, log),
    answers: [0],
  },
  {
    name: "destroy-and-close",
    every: 29,
    prepare: (core, world) => ({ id: makeObject(core, world, world.calling) }),
    *victim(_core, { file, expected }, { id }, log) {
      yield* log.settle(VICTIM, file, yield call("destroy", file, expected, id!, 1));
    },
    living: (core, { file }, _prepared, log) => closeAndRelease(core, file, LIVING, log),
    answers: [0],
  },
  {
    name: "alloc-and-close-of-another",
    every: 53,
    twins: [
      {
        name: "walks-of-others-looked-at",
        edits: [
          {
            file: "core/reap.ts",
            find: "    if (!isReleaser(file, current())) continue; // another's walk is not for us to look at\n",
            replace: "",
          },
        ],
      },
    ],
    prepare(core, world) {
      const another = must(core, LIVING, "open");
      const expected = core.u32(world.slots[LIVING]! + core.constant("THREAD_RESULT0"));
      makeObject(core, { ...world, file: another, expected }, world.calling);
      return { another };
    },
    victim: (_core, world) => allocAndFinalize(world),
    living: (core, _world, { another }, log) => closeAndRelease(core, another!, LIVING, log),
    answers: [0],
  },
];

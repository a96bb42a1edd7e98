// SPDX-License-Identifier: GPL-2.0-only
//
// Deaths on the way of an object into being: alloc, finalize, abort, hold.

import { keep, makeObject, must } from "../../world.ts";
import { call } from "../../../../bindings/explorer/model.js";
import { OTHER, VICTIM, reserve, lock, type Scenario } from "./scenario.ts";

export const ALLOCATIONS: readonly Scenario[] = [
  {
    name: "alloc-first",
    reaped: true,
    states: 1,
    *program(_core, { file, expected, plain }) {
      yield call("alloc", file, expected, plain);
    },
  },
  {
    name: "alloc",
    twins: [
      {
        name: "hand-cleared-before-the-record",
        profiles: ["rfc"],
        edits: [
          {
            file: "core/object.ts",
            find: "  const handle = takeRecordNow(entry, file, RECORD_RESERVED);\n  clearHand();",
            replace: "  clearHand();\n  const handle = takeRecordNow(entry, file, RECORD_RESERVED);",
          },
        ],
      },
    ],
    states: 1,
    quick: true,
    prepare: (core, world) => ({ id: makeObject(core, world, world.plain) }),
    *program(_core, { file, expected, plain }) {
      yield call("alloc", file, expected, plain);
    },
  },
  {
    name: "alloc-reused",
    twins: [
      {
        name: "table-not-repaired",
        profiles: ["rfc"],
        edits: [
          {
            file: "core/repair.ts",
            find: "  repairTable(file);\n",
            replace: "",
          },
        ],
      },
    ],
    states: 1,
    prepare(core, world) {
      const id = makeObject(core, world, world.plain);
      makeObject(core, world, world.plain);
      must(core, OTHER, "destroy", world.file, world.expected, id, 1);
      return {};
    },
    *program(_core, { file, expected, plain }) {
      yield call("alloc", file, expected, plain);
    },
  },
  {
    name: "finalize",
    reaped: true,
    states: 2,
    quick: true,
    prepare: (core, world) => ({ handle: reserve(core, world, world.plain) }),
    *program(_core, { file }, { handle }) {
      yield call("finalize", file, handle!);
    },
  },
  {
    name: "abort",
    twins: [
      {
        name: "given-back-twice",
        profiles: ["rfc"],
        edits: [{ file: "core/reap.ts", find: "  dropRecordsOf(slot, entry);\n", replace: "" }],
      },
    ],
    reaped: true,
    states: 1,
    prepare(core, world) {
      const targets = [1, 2, 3, 4].map(() => makeObject(core, world, world.plain));
      const handle = reserve(core, world, world.calling);
      for (const target of targets) {
        const locked = lock(core, world, target);
        must(core, VICTIM, "hold", world.file, handle, locked);
        must(core, VICTIM, "putSlowly", world.file, locked);
      }
      return { handle };
    },
    *program(_core, { file }, { handle }) {
      yield call("abort", file, handle!);
    },
  },
  {
    name: "hold",
    states: 1,
    prepare(core, world) {
      const target = makeObject(core, world, world.plain);
      return { handle: reserve(core, world, world.plain), locked: lock(core, world, target) };
    },
    *program(_core, { file }, { handle, locked }) {
      yield call("hold", file, handle!, locked!);
    },
  },
  {
    name: "hold-overflow",
    reaped: true,
    states: 2,
    prepare(core, world) {
      const target = makeObject(core, world, world.plain);
      return { handle: reserve(core, world, world.plain), locked: lock(core, world, target) };
    },
    *program(_core, { file }, { handle, locked }) {
      for (let n = 0; n < 11; n++) yield call("hold", file, handle!, locked!);
      yield call("finalize", file, handle!);
    },
  },
  {
    name: "hold-reference",
    states: 3, // the reservation has taken the user over, and is undone with it
    prepare(core, world) {
      const id = makeObject(core, world, world.plain);
      const serial = keep(core, world, id);
      return { id, serial, handle: reserve(core, world, world.plain) };
    },
    *program(_core, { file }, { id, serial, handle }) {
      yield call("holdReference", file, handle!, id!, serial!);
      yield call("finalize", file, handle!);
    },
  },
];

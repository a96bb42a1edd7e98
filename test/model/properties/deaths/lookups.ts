// SPDX-License-Identifier: GPL-2.0-only
//
// Deaths in what holds an object for a while: get, put, kept users, inspect.

import { keep, makeObject } from "../../world.ts";
import { call } from "../../../../bindings/explorer/model.js";
import { OTHER, lock, type Scenario } from "./scenario.ts";

export const LOOKUPS: readonly Scenario[] = [
  {
    name: "get",
    twins: [
      {
        name: "no-announcement",
        profiles: ["rfc"],
        edits: [
          {
            file: "core/lookup.ts",
            find: "  const name = freeNameOf(record);\n  announceRecord(record, name, entry, file);\n  if (",
            replace: "  const name = freeNameOf(record);\n  if (",
          },
        ],
      },
    ],
    states: 1,
    quick: true,
    prepare: (core, world) => ({ id: makeObject(core, world, world.plain) }),
    *program(_core, { file, expected }, { id }) {
      yield call("get", file, expected, id!);
    },
  },
  {
    name: "get-slowly",
    states: 1,
    prepare: (core, world) => ({ id: makeObject(core, world, world.plain) }),
    *program(core, { file }, { id }) {
      yield call("getSlowly", file, core.constant("FILE_BY_NUMBER"), id!, 0);
    },
  },
  {
    name: "put",
    twins: [
      {
        name: "users-stay-when-holders-go",
        profiles: ["rfc"],
        edits: [
          {
            file: "core/recount.ts",
            find: "  for (let count: u32 = 0; count < surplus; count++) next = minusUser(next);\n",
            replace: "",
          },
        ],
      },
    ],
    reaped: true,
    states: 1,
    quick: true,
    prepare(core, world) {
      const id = makeObject(core, world, world.plain);
      return { handle: lock(core, world, id) };
    },
    *program(_core, { file }, { handle }) {
      yield call("put", file, handle!);
    },
  },
  {
    name: "put-slowly",
    states: 1,
    prepare(core, world) {
      const id = makeObject(core, world, world.plain);
      return { handle: lock(core, world, id), other: lock(core, world, id, OTHER) };
    },
    *program(_core, { file }, { handle }) {
      yield call("putSlowly", file, handle!);
    },
  },
  {
    name: "put-keep-user",
    reaped: true,
    states: 2,
    prepare(core, world) {
      const id = makeObject(core, world, world.plain);
      return { handle: lock(core, world, id) };
    },
    *program(_core, { file }, { handle }) {
      yield call("putKeepUser", file, handle!);
    },
  },
  {
    name: "drop-user",
    states: 2,
    prepare(core, world) {
      const id = makeObject(core, world, world.plain);
      keep(core, world, id);
      return { handle: lock(core, world, id) };
    },
    *program(_core, { file }, { handle }) {
      yield call("dropUser", file, handle!);
    },
  },
  {
    name: "drop-reference",
    states: 2,
    prepare(core, world) {
      const id = makeObject(core, world, world.plain);
      return { id, serial: keep(core, world, id) };
    },
    *program(_core, { file, expected }, { id, serial }) {
      yield call("dropReference", file, expected, id!, serial!);
    },
  },
  {
    name: "inspect",
    states: 1,
    prepare(core, world) {
      const target = makeObject(core, world, world.plain);
      return { id: makeObject(core, world, world.plain, [target]) };
    },
    *program(_core, { file, expected }, { id }) {
      yield call("inspect", file, expected, id!, 1, 0);
    },
  },
];

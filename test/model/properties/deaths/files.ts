// SPDX-License-Identifier: GPL-2.0-only
//
// Deaths in open, fget, close and the release of a file, in definitions, and in leaving.

import { makeObject } from "../../world.ts";
import { call } from "../../../../bindings/explorer/model.js";
import { OTHER, VICTIM, lock, COMMAND_NR, type Scenario } from "./scenario.ts";

export const FILES: readonly Scenario[] = [
  {
    name: "open",
    states: 2,
    *program() {
      yield call("open");
    },
  },
  {
    name: "fget-fput",
    states: 1,
    *program(_core, { file }) {
      yield call("fget", file);
      yield call("fput", file);
    },
  },
  {
    name: "fget-close-fput",
    twins: [
      {
        name: "claim-stays",
        profiles: ["mainline"],
        edits: [{ file: "core/reap.ts", find: "  clearClaim();\n", replace: "" }],
      },
    ],
    reaped: true,
    states: 2,
    prepare(core, world) {
      makeObject(core, world, world.calling);
      return {};
    },
    *program(core, { file }, _, log) {
      yield call("fget", file);
      yield call("closeNumber", file, core.constant("FILE_BY_NUMBER"));
      yield call("fput", file);
      yield* log.attend(VICTIM);
    },
  },
  {
    name: "close-release",
    twins: [
      {
        name: "type-before-id",
        profiles: ["rfc"],
        edits: [
          {
            file: "core/release.ts",
            find: "  context.walkId = 0; // before the type: who dies between looks once more\n  context.walkType = 1;",
            replace: "  context.walkType = 1;\n  context.walkId = 0;",
          },
        ],
      },
    ],
    reaped: true,
    states: 2,
    prepare(core, world) {
      const a = makeObject(core, world, world.plain);
      const b = makeObject(core, world, world.calling);
      makeObject(core, world, world.plain);
      makeObject(core, world, world.calling);
      void [a, b];
      return {};
    },
    *program(core, { file }, _, log) {
      yield call("closeNumber", file, core.constant("FILE_BY_NUMBER"));
      yield* log.attend(VICTIM);
    },
  },
  {
    name: "close-release-graph",
    states: 2,
    profiles: ["mainline"],
    prepare(core, world) {
      const a = makeObject(core, world, world.calling);
      const b = makeObject(core, world, world.plain, [a]);
      makeObject(core, world, world.calling, [b, a, a, a]);
      return {};
    },
    *program(core, { file }, _, log) {
      yield call("closeNumber", file, core.constant("FILE_BY_NUMBER"));
      yield* log.attend(VICTIM);
    },
  },
  {
    name: "close-own-lock",
    reaped: true,
    states: 2,
    prepare(core, world) {
      const id = makeObject(core, world, world.calling);
      return { locked: lock(core, world, id) };
    },
    *program(core, { file }, { locked }, log) {
      yield call("closeNumber", file, core.constant("FILE_BY_NUMBER"));
      yield* log.attend(VICTIM);
      const result = yield call("put", file, locked!);
      if (result === core.constant("PUT_SLOWLY")) yield call("putSlowly", file, locked!);
      if (result === core.constant("PUT_UNQUIET")) yield call("putUnquiet", file);
      yield* log.attend(VICTIM);
    },
  },
  {
    name: "close-locked",
    twins: [
      {
        name: "draining-file-asked-again",
        profiles: ["rfc"],
        edits: [
          { file: "core/file.ts", find: "phase == FILE_DRAINING && isFirst)", replace: "phase == FILE_DRAINING)" },
        ],
      },
    ],
    states: 2, // the release waits for the thread that has the lock
    prepare(core, world) {
      const id = makeObject(core, world, world.calling);
      return { locked: lock(core, world, id, OTHER) };
    },
    *program(core, { file }, _, log) {
      yield call("closeNumber", file, core.constant("FILE_BY_NUMBER"));
      yield* log.attend(VICTIM);
    },
  },
  {
    name: "detach",
    reaped: true,
    states: 1,
    twins: [
      {
        name: "incarnation-and-state-apart",
        profiles: ["rfc"],
        edits: [
          { file: "core/thread.ts", find: "store64, storeRelaxed32,", replace: "store32, store64, storeRelaxed32," },
          {
            file: "core/thread.ts",
            find: '  store64(slot + offsetof<Thread>("state"), ((<u64>next) << 32) | THREAD_FREE);',
            replace:
              '  store32(slot + offsetof<Thread>("incarnation"), next);\n  store32(slot + offsetof<Thread>("state"), THREAD_FREE);',
          },
        ],
      },
    ],
    *program() {
      yield call("detachThread");
    },
  },
  {
    name: "define",
    reaped: true,
    states: 2,
    prepare(core, { slots }) {
      core.setU32(slots[VICTIM]! + core.constant("THREAD_WINDOW"), 0x61626364);
      return {};
    },
    *program() {
      yield call("defineType", 4, 40, 0);
      yield call("defineCommand", COMMAND_NR, 16, 8, 1, 2);
    },
  },
];

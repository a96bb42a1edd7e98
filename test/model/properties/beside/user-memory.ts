// SPDX-License-Identifier: GPL-2.0-only
//
// Pairs on user memory: mappings, the process that they belong to, memfds.

import { mappingsOf } from "../../tables.ts";
import { must, USER_PAGE } from "../../world.ts";
import { expect } from "../../../../bindings/explorer/failure.js";
import { call, type Core } from "../../../../bindings/explorer/model.js";
import { LIVING, NONE, type Pair, type Prepared, VICTIM } from "./pair.ts";

const READ_ONLY = 1;
const READ_WRITE = 3;
const VA = BigInt(USER_PAGE);
const WORD = 0x5a5a_1234;

const mapped = (core: Core): Prepared => {
  must(core, LIVING, "map", VA, 4096n, READ_WRITE);
  core.call(LIVING, "mapDone");
  return {};
};

/** Victim and living act for process 2, which has a page at VA. */
const inProcess: Pair["prepare"] = (core) => {
  must(core, LIVING, "makeProcess", 7, 0, 4096n);
  core.call(LIVING, "mapDone");
  for (const thread of [VICTIM, LIVING]) must(core, thread, "useProcess", 2);
  return mapped(core);
};

const file = (core: Core): Prepared => {
  const row = must(core, LIVING, "createMemfd", 4096, 4096);
  core.call(LIVING, "mapDone");
  return { row };
};

export const USER_MEMORY: readonly Pair[] = [
  {
    name: "copy-and-unmap",
    profiles: ["rfc"],
    prepare: mapped,
    *victim() {
      yield call("readUser", VA, 16);
    },
    *living() {
      return yield call("unmap", VA);
    },
    answers: [0],
  },
  {
    name: "unmap-and-copy",
    profiles: ["rfc"],
    prepare: mapped,
    *victim() {
      yield call("unmap", VA);
    },
    *living() {
      return yield call("readUser", VA, 16);
    },
    answers: [0, -14],
  },
  {
    name: "protect-and-copy",
    profiles: ["rfc"],
    prepare: mapped,
    *victim() {
      yield call("protect", VA, 4096n, READ_ONLY);
    },
    *living() {
      return yield call("writeUser", VA, 4);
    },
    answers: [0, -14],
  },
  {
    name: "copy-and-protect",
    profiles: ["rfc"],
    prepare: mapped,
    *victim() {
      yield call("writeUser", VA, 4);
    },
    *living() {
      return yield call("protect", VA, 4096n, READ_ONLY);
    },
    answers: [0],
  },
  {
    name: "map-and-map",
    profiles: ["rfc"],
    prepare: NONE,
    *victim() {
      yield call("map", VA, 4096n, READ_WRITE);
      yield call("mapDone");
    },
    *living() {
      const result = yield call("map", VA + 8192n, 4096n, READ_WRITE);
      yield call("mapDone");
      if (result > 0) yield call("unmap", VA + 8192n);
      return result > 0 ? 0 : result;
    },
    answers: [0],
  },
  {
    // Pages that the dead thread has given back may be the living one's when the reaper looks.
    name: "unmap-and-map",
    profiles: ["rfc"],
    twins: [
      {
        name: "row-outlasts-its-pages",
        edits: [
          {
            file: "core/gup.ts",
            find: "  store32(stateOf(row), MAPPING_UNUSED);\n  freePages(own, pages);",
            replace: "  freePages(own, pages);\n  store32(stateOf(row), MAPPING_UNUSED);",
          },
        ],
      },
    ],
    prepare: mapped,
    *victim() {
      yield call("unmap", VA);
    },
    *living(core) {
      const row = yield call("map", VA + 8192n, 4096n, READ_WRITE);
      yield call("mapDone");
      if (row > 0) core.setU32(core.u32(row + core.constant("MAPPING_BACKING")), WORD);
      return row > 0 ? 0 : row;
    },
    check(core) {
      const made = mappingsOf(core).find(({ va }) => va === VA + 8192n);
      expect(made !== undefined && core.u32(made.own) === WORD, "a living thread's page is wiped");
    },
    answers: [0],
  },
  {
    name: "copy-and-exit",
    profiles: ["rfc"],
    prepare: inProcess,
    *victim() {
      yield call("readUser", VA, 16);
    },
    *living() {
      return yield call("endProcess", 2);
    },
    answers: [0],
  },
  {
    name: "exit-and-copy",
    profiles: ["rfc"],
    prepare: inProcess,
    *victim() {
      yield call("endProcess", 2);
    },
    *living() {
      return yield call("readUser", VA, 16);
    },
    answers: [0, -14],
  },
  {
    name: "close-and-get-of-a-memfd",
    profiles: ["rfc"],
    prepare: file,
    *victim(core) {
      yield call("closeMemfd", core.constant("FIRST_MEMFD"), 1);
    },
    *living(core) {
      const row = yield call("memfdGet", core.constant("FIRST_MEMFD"));
      if (row > 0) yield call("memfdPut", row);
      return Math.min(row, 0);
    },
    answers: [0, -9],
  },
  {
    name: "unmap-and-put-of-a-memfd",
    profiles: ["rfc"],
    prepare(core) {
      const row = file(core)["row"]!;
      must(core, LIVING, "mapFile", VA, 4096n, READ_WRITE, core.constant("FIRST_MEMFD"), 1, 0n);
      core.call(LIVING, "mapDone");
      must(core, LIVING, "memfdGet", core.constant("FIRST_MEMFD"));
      must(core, LIVING, "closeMemfd", core.constant("FIRST_MEMFD"), 1);
      return { row };
    },
    *victim() {
      yield call("unmap", VA);
    },
    *living(_core, _world, { row }) {
      yield call("memfdPut", row!);
      return 0;
    },
    answers: [0],
  },
];

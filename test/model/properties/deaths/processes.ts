// SPDX-License-Identifier: GPL-2.0-only
//
// Deaths in what makes and ends processes, files and long pins.

import { must } from "../../world.ts";
import { call, type Core } from "../../../../bindings/explorer/model.js";
import { OTHER, READ_WRITE, VA, VICTIM, mapPage, type Scenario } from "./scenario.ts";

const PAGE = 4096n;
const AT = VA + 0x10_0000n;

const done = (core: Core): void => void core.call(OTHER, "mapDone");
const fd = (core: Core): number => core.constant("FIRST_MEMFD");

/** Process 2 with two anonymous pages and one of a file. */
function process(core: Core): void {
  must(core, OTHER, "makeProcess", 7, 0, PAGE);
  done(core);
  must(core, OTHER, "useProcess", 2);
  mapPage(core);
  memfd(core);
  mapFile(core);
  must(core, OTHER, "useProcess", 1);
}

/** A file of a page that can become two. Return: its row. */
function memfd(core: Core): number {
  const row = must(core, OTHER, "createMemfd", 100, 8192);
  done(core);
  return row;
}

function mapFile(core: Core): void {
  must(core, OTHER, "mapFile", AT, PAGE, READ_WRITE, fd(core), 1, PAGE);
  done(core);
}

export const PROCESSES: readonly Scenario[] = [
  {
    name: "make-process",
    states: 2,
    *program() {
      yield call("makeProcess", 7, 0, PAGE);
      yield call("mapDone");
    },
  },
  {
    name: "set-credentials",
    states: 1,
    prepare(core) {
      process(core);
      return {};
    },
    *program() {
      yield call("setCredentials", 2, 8, 0);
      yield call("setMemlock", 2, PAGE);
    },
  },
  {
    name: "act-as-process",
    states: 2,
    prepare(core) {
      process(core);
      return {};
    },
    *program() {
      yield call("useProcess", 2);
      yield call("map", AT + 8n * PAGE, PAGE, READ_WRITE);
      yield call("mapDone");
      yield call("writeUser", AT + 8n * PAGE, 8);
      yield call("useProcess", 1);
    },
  },
  {
    name: "end-process",
    reaped: true,
    states: 2,
    prepare(core) {
      process(core);
      return {};
    },
    *program() {
      yield call("endProcess", 2);
    },
    twins: [
      {
        name: "mappings-of-the-ended-stay",
        profiles: ["rfc"],
        edits: [{ file: "core/mmap.ts", find: "  mapDone();\n  takeOver();", replace: "  mapDone();" }],
      },
    ],
  },
  {
    name: "create-memfd",
    reaped: true,
    states: 2,
    *program() {
      yield call("createMemfd", 100, 8192);
      yield call("mapDone");
    },
  },
  {
    name: "truncate-memfd",
    states: 3,
    prepare(core) {
      memfd(core);
      return {};
    },
    *program(core) {
      yield call("truncateMemfd", fd(core), 1, 10);
      yield call("truncateMemfd", fd(core), 1, 8192);
    },
  },
  {
    name: "close-memfd",
    states: 2,
    prepare(core) {
      memfd(core);
      return {};
    },
    *program(core) {
      yield call("closeMemfd", fd(core), 1);
    },
    twins: [
      {
        name: "file-that-nobody-has-stays",
        profiles: ["rfc"],
        edits: [{ file: "core/memfd.ts", find: "    if (isOwn || beginEnd(file)) finishMemfd(file);", replace: "" }],
      },
    ],
  },
  {
    name: "map-file",
    states: 2,
    prepare(core) {
      memfd(core);
      return {};
    },
    *program(core) {
      yield call("mapFile", AT, 2n * PAGE, READ_WRITE, fd(core), 1, 0n);
      yield call("mapDone");
    },
  },
  {
    name: "map-external",
    states: 2,
    *program() {
      yield call("mapExternal", AT, 2n * PAGE, READ_WRITE);
      yield call("mapDone");
    },
  },
  {
    name: "unmap-of-the-last-mapping-of-a-file",
    reaped: true,
    states: 2,
    prepare(core) {
      memfd(core);
      mapFile(core);
      must(core, OTHER, "closeMemfd", fd(core), 1);
      return {};
    },
    *program() {
      yield call("unmap", AT);
    },
  },
  {
    name: "put-memfd",
    states: 2,
    prepare(core) {
      const row = memfd(core);
      must(core, OTHER, "memfdGet", fd(core));
      must(core, OTHER, "closeMemfd", fd(core), 1);
      return { row };
    },
    *program(_core, _world, { row }) {
      yield call("memfdPut", row!);
    },
  },
  {
    name: "drop-pin",
    states: 2,
    prepare(core) {
      mapPage(core, 8192n);
      must(core, OTHER, "pinIn", core.constant("PROCESSES"), VA, PAGE, READ_WRITE);
      const row = must(core, OTHER, "keepPin");
      core.call(OTHER, "unpin");
      must(core, OTHER, "unmap", VA);
      return { row };
    },
    *program(_core, _world, { row }) {
      yield call("dropPin", row!);
    },
    twins: [
      {
        name: "mapping-without-its-last-pin-stays",
        profiles: ["rfc"],
        edits: [
          {
            file: "core/mmap.ts",
            find: '    else if (state == MAPPING_ORPHAN && load32(row + offsetof<Mapping>("pins")) == 0) leave(row);\n',
            replace: "",
          },
        ],
      },
    ],
  },
  {
    name: "unmap-of-pinned-pages",
    states: 2,
    prepare(core) {
      mapPage(core, 8192n);
      must(core, VICTIM, "pinIn", core.constant("PROCESSES"), VA, PAGE, READ_WRITE);
      const row = must(core, VICTIM, "keepPin");
      core.call(VICTIM, "unpin");
      return { row };
    },
    *program() {
      yield call("unmap", VA);
    },
  },
];

// SPDX-License-Identifier: GPL-2.0-only
//
// Deaths in ioctl, mappings and copies.

import { makeObject, must } from "../../world.ts";
import { call } from "../../../../bindings/explorer/model.js";
import { OTHER, READ_WRITE, VA, VICTIM, mapPage, ioctlStruct, command, COMMAND_NR, type Scenario } from "./scenario.ts";

export const USER_MEMORY: readonly Scenario[] = [
  {
    name: "ioctl-destroy-user",
    states: 2,
    prepare(core, world) {
      const id = makeObject(core, world, world.plain);
      mapPage(core);
      ioctlStruct(core, world, [8, id]);
      return { id };
    },
    *program(core, { file, expected }, _, log) {
      const request = core.constant("IOMMUFD_TYPE") | core.constant("NR_DESTROY");
      yield* log.settle(VICTIM, file, yield call("ioctlUser", file, expected, request, VA, 1));
    },
  },
  {
    name: "ioctl-in-flight",
    states: 1,
    prepare(core, world) {
      command(core);
      mapPage(core);
      ioctlStruct(core, world, [24, 1, 2, 3, 0, 0]);
      return {};
    },
    *program(core, { file, expected }) {
      const request = core.constant("IOMMUFD_TYPE") | COMMAND_NR;
      const result = yield call("ioctlUser", file, expected, request, VA, 1);
      if (result === core.constant("MUST_EXECUTE")) yield call("ioctlEnd", file);
      else throw new Error(`ioctl answers ${result}`);
    },
  },
  {
    name: "ioctl-closed-in-flight",
    states: 2,
    prepare(core, world) {
      command(core);
      mapPage(core);
      ioctlStruct(core, world, [16, 1, 2, 3]);
      makeObject(core, world, world.calling);
      return {};
    },
    *program(core, { file, expected }, _, log) {
      const request = core.constant("IOMMUFD_TYPE") | COMMAND_NR;
      yield call("ioctlUser", file, expected, request, VA, 1);
      yield call("closeNumber", file, core.constant("FILE_BY_NUMBER"));
      yield* log.attend(VICTIM);
      yield call("ioctlEnd", file);
      yield* log.attend(VICTIM);
    },
  },
  {
    name: "map",
    reaped: true,
    states: 2,
    prepare(core) {
      must(core, OTHER, "map", VA + 0x10_0000n, 4096n, READ_WRITE);
      core.call(OTHER, "mapDone");
      return {};
    },
    *program() {
      yield call("map", VA, 8192n, READ_WRITE);
      yield call("mapDone");
    },
  },
  {
    name: "unmap",
    reaped: true,
    states: 2,
    prepare(core) {
      mapPage(core, 8192n);
      must(core, OTHER, "map", VA + 0x10_0000n, 4096n, READ_WRITE);
      core.call(OTHER, "mapDone");
      return {};
    },
    *program() {
      yield call("unmap", VA);
    },
  },
  {
    name: "protect",
    states: 2,
    prepare(core) {
      mapPage(core, 8192n);
      return {};
    },
    *program() {
      yield call("protect", VA, 8192n, 1);
    },
  },
  {
    name: "copy-user",
    twins: [
      {
        name: "pin-stays",
        profiles: ["rfc"],
        edits: [{ file: "core/mmap.ts", find: "  store32(pinned, 0);\n  notify(pinned, -1);", replace: "" }],
      },
    ],
    states: 1,
    prepare(core) {
      mapPage(core, 8192n);
      return {};
    },
    *program() {
      yield call("writeUser", VA + 4000n, 200);
      yield call("readUser", VA + 4000n, 200);
    },
  },
];

// SPDX-License-Identifier: GPL-2.0-only
//
// What a thread does when it dies: one operation each, on a world made for it.
//
// `states`: in how many states the world can be after the reaping. A reservation, a lock or a wait that dies with its thread leaves the
// state before it.

import { keep, makeObject, must, USER_PAGE, type World } from "../death.ts";
import { call, type Calls, type Core } from "../model.ts";
import type { ProfileName, Twin } from "../property.ts";
import type { CallbackLog } from "../reaper.ts";

export type Prepared = Record<string, number>;

export interface Scenario {
  readonly name: string;
  readonly states: number;
  readonly quick?: boolean;
  /** Also with the death of the reaper. */
  readonly reaped?: boolean;
  readonly profiles?: readonly ProfileName[];
  readonly twins?: readonly Twin[];
  prepare?(core: Core, world: World): Prepared;
  /** Of thread 0. */
  program(core: Core, world: World, prepared: Prepared, log: CallbackLog): Calls<void>;
}

const VICTIM = 0;
const OTHER = 2;
const READ_WRITE = 3;
const VA = BigInt(USER_PAGE);

const reserve = (core: Core, { file, expected }: World, type: number): number =>
  must(core, VICTIM, "alloc", file, expected, type);
const lock = (core: Core, { file, expected }: World, id: number, thread = VICTIM): number =>
  must(core, thread, "getSlowly", file, expected, id, 0);

function mapPage(core: Core, bytes = 4096n): void {
  must(core, OTHER, "map", VA, bytes, READ_WRITE);
  core.call(OTHER, "mapDone");
}

function ioctlStruct(core: Core, { slots }: World, words: number[]): void {
  const window = slots[OTHER]! + core.constant("THREAD_WINDOW");
  words.forEach((word, index) => core.setU32(window + 4 * index, word));
  must(core, OTHER, "writeUser", VA, words.length * 4);
}

const COMMAND_NR = 0x90;
function command(core: Core): void {
  for (const thread of [VICTIM, OTHER]) must(core, thread, "defineCommand", COMMAND_NR, 16, 8, 1, 2);
}

export const SCENARIOS: readonly Scenario[] = [
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
            find: "  const handle = takeRecord(entry, file, RECORD_RESERVED);\n  clearHand();",
            replace: "  clearHand();\n  const handle = takeRecord(entry, file, RECORD_RESERVED);",
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
            find: "repairTable(FILES + (index - FIRST_TABLE) * FILE_BYTES);",
            replace: "return;",
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
  {
    name: "get",
    twins: [
      {
        name: "no-announcement",
        profiles: ["rfc"],
        edits: [
          {
            file: "core/lookup.ts",
            find: "  if (!isPlainlyLocked(next)) return 0;\n  announceRecord(record, entry, file);",
            replace: "  if (!isPlainlyLocked(next)) return 0;",
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
            find: "if ((type & SLOT_CALLBACK_RAN) != 0 || !hasCallback",
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

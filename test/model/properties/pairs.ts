// SPDX-License-Identifier: GPL-2.0-only
//
// Every operation beside every other: two threads, one call each (or the two or three that belong together) on the same things. What they
// may answer is for the properties of their subject; here nothing races, nobody hangs, no free memory is touched, and afterwards all
// accounts are right and everything can be given back without a loss.
//
//   file    A: kept twice, locked by both threads, held three times by H and twice by each thread's reservation; D; E with a callback,
//           kept once
//   other   an object without and one with a callback
//   memory  one page

import { audit } from "../audit.ts";
import { closeAll } from "../closing.ts";
import { keep, makeObject, makeWorld, must, runDirectly, USER_PAGE, type World } from "../world.ts";
import { resultOf } from "../object-calls.ts";
import { call, type Calls, type Core, type Model } from "../../../bindings/explorer/model.js";
import type { ProfileName, Property, Twin } from "../property.ts";
import { CallbackLog } from "../reaper.ts";
import { LIST_BEFORE_ITS_LINK, PROTECTION_AFTER_THE_LOCK } from "./broken.ts";

const VA = BigInt(USER_PAGE);
const PAGE = 4096n;
const READ_ONLY = 1;
const READ_WRITE = 3;
const NR = 0xc0; // beyond the kernel's own

interface Scene extends World {
  readonly a: number;
  readonly d: number;
  readonly e: number;
  readonly h: number;
  readonly serialOfA: number;
  readonly serialOfE: number;
  readonly other: World;
  /** By thread: handles of a lock on A and of a reservation. */
  readonly locks: readonly number[];
  readonly reserved: readonly number[];
}

type Operation = (scene: Scene, thread: number, core: Core, log: CallbackLog) => Calls<unknown>;

/** The end of a destroy that does not block: what has to wait is given up. */
function* settle(core: Core, log: CallbackLog, thread: number, file: number, result: number): Calls<number> {
  if (result !== core.constant("MUST_WAIT")) return yield* log.settle(thread, file, result);
  const wait = log.result(thread, 0);
  const decided = yield call("destroyPoll", file, wait);
  if (decided !== core.constant("MUST_WAIT")) return yield* log.settle(thread, file, decided);
  return yield call("destroyCancel", file, wait);
}

function* getPut({ file, expected }: World, core: Core, id: number): Calls<number> {
  const handle = yield call("getSlowly", file, expected, id, 0);
  return handle < 0 ? handle : yield* putBack(core, file, handle);
}

function* putBack(core: Core, file: number, handle: number): Calls<number> {
  const result = yield call("put", file, handle);
  if (result === core.constant("PUT_SLOWLY")) return yield call("putSlowly", file, handle);
  return result === core.constant("PUT_UNQUIET") ? yield call("putUnquiet", file) : result;
}

function* alloc({ file, expected }: World, type: number, end: "finalize" | "abort"): Calls<number> {
  const handle = yield call("alloc", file, expected, type);
  return handle < 0 ? handle : yield call(end, file, handle);
}

const destroy = (which: "a" | "d" | "e" | "h"): Operation =>
  function* (scene, thread, core, log) {
    const { file, expected } = scene;
    return yield* settle(core, log, thread, file, yield call("destroy", file, expected, scene[which], 0));
  };

const OPERATIONS: Readonly<Record<string, Operation>> = {
  "alloc-finalize": (scene) => alloc(scene, scene.plain, "finalize"),
  "alloc-abort": (scene) => alloc(scene, scene.calling, "abort"),
  *finalize({ file, reserved }, thread) {
    return yield call("finalize", file, reserved[thread]!);
  },
  *abort({ file, reserved }, thread) {
    return yield call("abort", file, reserved[thread]!);
  },
  *hold({ file, reserved, locks }, thread) {
    return yield call("hold", file, reserved[thread]!, locks[thread]!);
  },
  *"hold-reference"({ file, reserved, a, serialOfA }, thread) {
    return yield call("holdReference", file, reserved[thread]!, a, serialOfA);
  },
  "get-put": (scene, _, core) => getPut(scene, core, scene.d),
  *"get-typed"({ file, expected, d, plain }, _, core) {
    const handle = yield call("getTyped", file, expected, d, plain);
    return handle > 0 && handle < core.constant("HANDLE_UNCONFIRMED") ? yield* putBack(core, file, handle) : handle;
  },
  put: ({ file, locks }, thread, core) => putBack(core, file, locks[thread]!),
  *"put-keep-user"({ file, locks }, thread) {
    return yield call("putKeepUser", file, locks[thread]!);
  },
  *"drop-user"({ file, locks }, thread) {
    return yield call("dropUser", file, locks[thread]!);
  },
  *"drop-reference"({ file, expected, a, serialOfA }) {
    return yield call("dropReference", file, expected, a, serialOfA);
  },
  *"destroy-reference"({ file, expected, e, serialOfE }, thread, core, log) {
    return yield* settle(core, log, thread, file, yield call("destroyReference", file, expected, e, serialOfE, 0));
  },
  "destroy-plain": destroy("d"),
  "destroy-kept": destroy("e"),
  "destroy-holder": destroy("h"),
  "destroy-locked": destroy("a"),
  *inspect({ file, expected, h }) {
    return yield call("inspect", file, expected, h, 1, 0);
  },
  *"inspect-reserved"({ file, expected, h }) {
    return yield call("inspect", file, expected, h + 1, 0, 0); // the first reservation, or what has its ID by then
  },
  *describe({ file, locks }, thread) {
    return yield call("describe", file, locks[thread]!);
  },
  *"ioctl-window"({ file, expected, slots, d }, thread, core, log) {
    const window = slots[thread]! + core.constant("THREAD_WINDOW");
    yield call("modelStore", window, 8);
    yield call("modelStore", window + 4, d);
    const request = core.constant("IOMMUFD_TYPE") | core.constant("NR_DESTROY");
    return yield* settle(core, log, thread, file, yield call("ioctlWindow", file, expected, request, 8, 0));
  },
  *"ioctl-user"({ file, expected }, _, core) {
    const request = core.constant("IOMMUFD_TYPE") | NR;
    const result = yield call("ioctlUser", file, expected, request, VA, 0);
    if (result === core.constant("MUST_EXECUTE")) yield call("ioctlEnd", file);
    return result;
  },
  *fget({ other: { file } }, thread, _, log) {
    const result = yield call("fget", file);
    if (result > 0) yield call("fput", file);
    yield* log.attend(thread);
    return result;
  },
  *close({ other: { file } }, thread, core, log) {
    const result = yield call("closeNumber", file, core.constant("FILE_BY_NUMBER"));
    yield* log.attend(thread);
    return result;
  },
  *"get-put-of-the-other"({ other }, thread, core, log) {
    const result = yield* getPut(other, core, 2);
    yield* log.attend(thread);
    return result;
  },
  *"alloc-in-the-other"({ other, calling }, thread, _, log) {
    const result = yield* alloc(other, calling, "finalize");
    yield* log.attend(thread);
    return result;
  },
  *open(scene, thread, core, log) {
    const file = yield call("open");
    if (file < 0) return file;
    yield call("closeNumber", file, resultOf(core, { ...scene, type: 0 }, thread));
    yield* log.attend(thread);
    return 0;
  },
  *map() {
    const row = yield call("map", 0n, 2n * PAGE, READ_WRITE);
    yield call("mapDone");
    return row < 0 ? row : 0;
  },
  *unmap() {
    return yield call("unmap", VA);
  },
  *protect() {
    return yield call("protect", VA, PAGE, READ_ONLY);
  },
  *read() {
    return yield call("readUser", VA, 16);
  },
  *write() {
    return yield call("writeUser", VA + 64n, 16);
  },
  *"define-type"({ slots }, thread, core) {
    yield call("modelStore", slots[thread]! + core.constant("THREAD_WINDOW"), 0x61626364);
    return yield call("defineType", 4, 40, 0);
  },
  *"define-command"() {
    return yield call("defineCommand", NR + 1, 16, 8, 1, 2);
  },
};

function setUp(core: Core, profile: ProfileName): Scene {
  const world = makeWorld(core, profile, THREADS);
  const { file, expected, plain, calling } = world;
  const a = makeObject(core, world, plain);
  const d = makeObject(core, world, plain);
  const e = makeObject(core, world, calling);
  const h = makeObject(core, world, plain, [a, a, a]);
  const serialOfA = keep(core, world, a);
  keep(core, world, a);
  const serialOfE = keep(core, world, e);
  const threads = Array.from({ length: THREADS }, (_, thread) => thread);
  const locks = threads.map((thread) => must(core, thread, "getSlowly", file, expected, a, 0));
  const reserved = threads.map((thread) => must(core, thread, "alloc", file, expected, plain));
  for (const thread of threads) {
    for (let holds = 0; holds < 2; holds++) must(core, thread, "hold", file, reserved[thread]!, locks[thread]!);
    must(core, thread, "defineCommand", NR, 16, 8, 1, 2);
  }
  const otherFile = must(core, 0, "open");
  const other = { ...world, file: otherFile, expected: resultOf(core, { ...world, type: 0 }, 0) };
  makeObject(core, other, plain);
  makeObject(core, other, calling);
  const row = must(core, 0, "map", VA, PAGE, READ_WRITE);
  core.call(0, "mapDone");
  const backing = core.u32(row + core.constant("MAPPING_BACKING"));
  core.setU32(backing, 16); // the size of a command
  core.mayRace(backing, backing + Number(PAGE));
  return { ...world, a, d, e, h, serialOfA, serialOfE, locks, reserved, other };
}

const THREADS = 2;

function model(names: readonly [string, string], profile: ProfileName): Model<Scene> {
  return {
    name: names.join(" × "),
    pages: 4,
    setup: (core) => setUp(core, profile),
    run(core, scene) {
      const log = new CallbackLog(core, scene.slots);
      return {
        threads: names.map((name, thread) => ({
          name: `${name} ${thread}`,
          program: () => OPERATIONS[name]!(scene, thread, core, log),
        })),
        finish(results) {
          audit(core, scene.slots, []);
          for (let thread = 0; thread < THREADS; thread++) {
            while (core.call(thread, "detachNext") !== 0) runDirectly(core, thread, log.attend(thread));
          }
          audit(core, scene.slots, []);
          closeAll(core, 0, log);
          return results.map((result) => (Number(result) < 0 ? String(result) : "ok")).join(" ");
        },
      };
    },
  };
}

/** For a pair of `npm test`, and what must be caught there. */
const QUICK: Readonly<Record<string, readonly Twin[]>> = {
  "protect-write": [{ name: "protection-is-looked-at-after-the-lock", edits: PROTECTION_AFTER_THE_LOCK }],
  "hold-inspect-reserved": [{ name: "list-is-published-before-its-link", edits: LIST_BEFORE_ITS_LINK }],
};

const NAMES = Object.keys(OPERATIONS);

export const PAIRS: readonly Property[] = NAMES.flatMap((first, index) =>
  NAMES.slice(index).map((second) => ({
    name: `pair-${first}-${second}`,
    promise: `${first} beside ${second}: nothing races or hangs, and nothing is lost`,
    profiles: ["rfc", "mainline"] as const,
    quick: `${first}-${second}` in QUICK,
    model: (profile: ProfileName) => model([first, second], profile),
    executions: 1500,
    seconds: 0.7,
    twins: QUICK[`${first}-${second}`] ?? [],
  })),
);

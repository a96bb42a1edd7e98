// SPDX-License-Identifier: GPL-2.0-only
//
// A thread dies in an operation on an object while another, living one works on the same: before, between and after, also while the
// reaper is at work. The living may have to wait for the reaper, never for ever; its answers are those of the kernel; all accounts
// are right at the end.

import { audit } from "../audit.ts";
import { closeAll } from "../closing.ts";
import { mappingsOf } from "../tables.ts";
import { keep, makeObject, makeWorld, must, runDirectly, USER_PAGE, type World } from "../world.ts";
import { expect } from "../../../bindings/explorer/failure.js";
import { call, type Calls, type Core, type Model } from "../../../bindings/explorer/model.js";
import type { ProfileName, Property, Twin } from "../property.ts";
import { CallbackLog, reap } from "../reaper.ts";

const VICTIM = 0;
const REAPER = 1;
const LIVING = 2;
const VA = BigInt(USER_PAGE);
const READ_ONLY = 1;
const WORD = 0x5a5a_1234;
const READ_WRITE = 3;

type Prepared = Record<string, number>;
type Part = (core: Core, world: World, prepared: Prepared, log: CallbackLog) => Calls<unknown>;

interface Pair {
  readonly name: string;
  readonly quick?: boolean;
  readonly profiles?: readonly ProfileName[];
  readonly twins?: readonly Twin[];
  readonly prepare: (core: Core, world: World) => Prepared;
  readonly victim: Part;
  readonly living: Part;
  /** Of the victim's points, each n-th: where a point alone has thousands of schedules. 1 unless told. */
  readonly every?: number;
  /** Answers that the living thread may get. */
  readonly answers: readonly number[];
  /** What must be true besides, once the dead thread was reaped. */
  readonly check?: (core: Core) => void;
}

const lock = (core: Core, { file, expected }: World, id: number, thread: number): number =>
  must(core, thread, "getSlowly", file, expected, id, 0);

/** get and put as the bindings call them. */
function* getAndPut(
  core: Core,
  { file, expected }: World,
  id: number,
  log: CallbackLog,
  thread = LIVING,
): Calls<number> {
  let handle = yield call("get", file, expected, id);
  const unconfirmed = core.constant("HANDLE_UNCONFIRMED");
  if (handle > 0 && (handle & unconfirmed) !== 0)
    handle = yield call("getConfirm", file, expected, handle & ~unconfirmed);
  if (handle === 0) handle = yield call("getSlowly", file, expected, id, 0);
  const result = handle < 0 ? handle : yield* putBack(core, file, handle);
  yield* log.attend(thread);
  return result;
}

function* closeAndRelease(core: Core, file: number, thread: number, log: CallbackLog): Calls<number> {
  const result = yield call("closeNumber", file, core.constant("FILE_BY_NUMBER"));
  yield* log.attend(thread);
  return result;
}

function* putBack(core: Core, file: number, handle: number): Calls<number> {
  let result = yield call("put", file, handle);
  if (result === core.constant("PUT_SLOWLY")) result = yield call("putSlowly", file, handle);
  if (result === core.constant("PUT_UNQUIET")) result = yield call("putUnquiet", file);
  return result;
}

function* allocAndFinalize({ file, expected, plain }: World): Calls<number> {
  const handle = yield call("alloc", file, expected, plain);
  if (handle < 0) return handle;
  const id = yield call("finalize", file, handle);
  return id > 0 ? 0 : id;
}

const NONE: Pair["prepare"] = () => ({});
const one: Pair["prepare"] = (core, world) => ({ id: makeObject(core, world, world.plain) });
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

const PAIRS: readonly Pair[] = [
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

interface State extends World {
  readonly prepared: Prepared;
}

function model(pair: Pair, profile: ProfileName): Model<State> {
  return {
    name: `death beside the living: ${pair.name}`,
    pages: 4,
    setup(core: Core) {
      const world = makeWorld(core, profile, 3);
      return { ...world, prepared: pair.prepare(core, world) };
    },
    run(core, state) {
      const log = new CallbackLog(core, state.slots);
      return {
        threads: [
          { name: "victim", program: () => pair.victim(core, state, state.prepared, log) },
          { name: "reaper", program: () => reap(core, log, REAPER, [VICTIM]), afterDeathOf: VICTIM },
          { name: "living", program: () => pair.living(core, state, state.prepared, log) },
        ],
        finish([, , answer], died) {
          expect(pair.answers.includes(answer as number), `the living thread gets ${String(answer)}`);
          if (died[VICTIM] !== true) return "nobody died";
          runDirectly(core, REAPER, log.drainQueue(REAPER));
          audit(core, state.slots, [VICTIM]);
          pair.check?.(core);
          closeAll(core, REAPER, log);
          return `the living thread gets ${String(answer)}`;
        },
      };
    },
  };
}

export const DEATHS_BESIDE: readonly Property[] = PAIRS.map((pair) => ({
  name: `beside-${pair.name}`,
  promise: `a thread that dies does not hang or mislead a living one: ${pair.name}`,
  profiles: pair.profiles ?? ["rfc"],
  ...(pair.quick !== undefined && { quick: pair.quick }),
  model: (profile: ProfileName) => model(pair, profile),
  kill: { thread: VICTIM, every: pair.every ?? 1 },
  // The reaper's hundreds of points make more than this too many.
  search: 1,
  seconds: 10,
  twins: pair.twins ?? [],
}));

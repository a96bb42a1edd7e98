// SPDX-License-Identifier: GPL-2.0-only
//
// Processes, files and long pins: what one process unmaps is its own, an exit takes everything and waits for copies, a row has one owner,
// a file's pages go with its last reference, pinned pages stay, and a charge is taken in full or not at all.

import { prepare, type Prepared } from "../../../bindings/explorer/core-setup.js";
import { expect } from "../../../bindings/explorer/failure.js";
import { expectRest } from "../../../bindings/explorer/final-state.js";
import { call, type Calls, type Core, type Model, type Program } from "../../../bindings/explorer/model.js";
import { memfdsOf } from "../tables.ts";
import type { Property } from "../property.ts";

const VA = 0x10_0000n;
const EFAULT = -14;
const ESRCH = -3;
const EAGAIN = -11;
const EBADF = -9;
const BYTES = 8;
const PAGE = 4096n;
const READ_WRITE = 3;
const WORD = 0x5a5a_1234;
const OTHER_WORD = 0x1b1b_4321;
const FREE = 0;

interface State extends Prepared {
  /** Pages in use before anything was mapped. */
  free: number;
  /** Of the second process. */
  pid: number;
  /** Address of a row, or of the pages, that the model is about. */
  at: number;
}

function must(core: Core, thread: number, name: string, ...args: (number | bigint)[]): number {
  const result = core.call(thread, name, ...args);
  if (result < 0) throw new Error(`${name} answers ${result}`);
  return result;
}

/** A second process, in which `thread` is. */
function second(core: Core, thread: number): State {
  const prepared = prepare(core, "rfc", 3);
  const free = core.u32(core.constant("PAGES_USED"));
  const pid = must(core, 0, "makeProcess", 7, 0, 2n * PAGE);
  core.call(0, "mapDone");
  must(core, thread, "useProcess", pid);
  return { ...prepared, free, pid, at: 0 };
}

/** A page at VA whose first word is `word`. Return: its address. */
function page(core: Core, thread: number, word: number): number {
  const row = must(core, thread, "map", VA, PAGE, READ_WRITE);
  core.call(thread, "mapDone");
  const backing = core.u32(row + core.constant("MAPPING_BACKING"));
  core.setU32(backing, word);
  return backing;
}

function* copier(core: Core, { slots }: State, thread: number, word: number): Program {
  const result = yield call("readUser", VA, BYTES);
  if (result === EFAULT) return "fault";
  expect(result === 0, `readUser answers ${result}`);
  const got = core.u32(slots[thread]! + core.constant("THREAD_WINDOW"));
  expect(got === word, `a copy has read 0x${got.toString(16)}`);
  return "copied";
}

function* exiter({ pid }: State): Program {
  const result = yield call("endProcess", pid);
  expect(result === 0, `endProcess answers ${result}`);
  return "ended";
}

function expectFree(core: Core, state: State): void {
  expectRest(core, state);
  expect(core.u32(core.constant("MAPPING_COUNT")) === 0, "a mapping is left");
  expect(memfdsOf(core).length === 0, "a memfd is left");
  expect(core.u32(core.constant("PAGES_USED")) === state.free, "a page is not free again");
}

const describeAddress = (address: number, { describe }: State): string | undefined => describe(address);

function twoSpaces(): Model<State> {
  return {
    name: "copy × unmap at the same address of another process",
    setup(core) {
      const state = second(core, 1);
      page(core, 0, WORD);
      return { ...state, at: page(core, 1, OTHER_WORD) };
    },
    run: (core, state) => ({
      threads: [
        { name: "copier", program: () => copier(core, state, 0, WORD) },
        {
          name: "unmapper",
          *program(): Calls<void> {
            const result = yield call("unmap", VA);
            expect(result === 0, `unmap answers ${result}`);
          },
        },
      ],
      finish([copied]) {
        expect(core.u32(state.at) === 0, "the other process' page is not wiped");
        expect(core.call(0, "unmap", VA) === 0, "the default process' mapping is gone");
        expectFree(core, state);
        return String(copied);
      },
    }),
    describeAddress,
  };
}

function exitCopy(): Model<State> {
  return {
    name: "copy × exit",
    setup(core) {
      const state = second(core, 0);
      return { ...state, at: page(core, 0, WORD) };
    },
    run: (core, state) => ({
      threads: [
        { name: "copier", program: () => copier(core, state, 0, WORD) },
        { name: "exiter", program: () => exiter(state) },
      ],
      finish([copied]) {
        expectFree(core, state);
        return String(copied);
      },
    }),
    describeAddress,
  };
}

function exitMap(): Model<State> {
  return {
    name: "map × exit",
    setup: (core) => second(core, 0),
    run: (core, state) => ({
      threads: [
        {
          name: "mapper",
          *program(): Program {
            const row = yield call("map", VA, PAGE, READ_WRITE);
            yield call("mapDone");
            expect(row > 0 || row === ESRCH, `map answers ${row}`);
            return row > 0 ? "mapped" : "too late";
          },
        },
        { name: "exiter", program: () => exiter(state) },
      ],
      finish([mapped]) {
        expectFree(core, state);
        return String(mapped);
      },
    }),
    describeAddress,
  };
}

function rowReuse(): Model<State> {
  return {
    name: "enter × exit and another process",
    setup(core) {
      const state = second(core, 2);
      must(core, 2, "makeProcess", 8, 0, PAGE); // the last row
      core.call(2, "mapDone");
      must(core, 2, "useProcess", 1);
      return state;
    },
    run(core, state) {
      const { pid } = state;
      return {
        threads: [
          {
            name: "enterer",
            *program(): Program {
              const result = yield call("useProcess", pid);
              expect(result === 1 || result === ESRCH, `useProcess answers ${result}`);
              return result === 1 ? "entered" : "too late";
            },
          },
          {
            name: "maker",
            *program(): Program {
              yield call("endProcess", pid);
              const made = yield call("makeProcess", 9, 0, PAGE);
              yield call("mapDone");
              expect(made > 0 || made === EAGAIN, `makeProcess answers ${made}`);
              return made > 0 ? "made" : "no row";
            },
          },
        ],
        finish(results) {
          const process = core.u32(state.slots[0]! + core.constant("THREAD_PROCESS"));
          const is = core.u32(process + core.constant("PROCESS_PID"));
          expect(is === (results[0] === "entered" ? pid : 1), `the thread acts for process ${is}`);
          return results.join(", ");
        },
      };
    },
    describeAddress,
  };
}

function exitMake(): Model<State> {
  return {
    name: "exit × another process in the row, which maps",
    setup(core) {
      const state = second(core, 2);
      page(core, 2, WORD);
      must(core, 2, "useProcess", 1);
      must(core, 2, "makeProcess", 8, 0, PAGE); // the last row
      core.call(2, "mapDone");
      return state;
    },
    run: (core, state) => ({
      threads: [
        { name: "exiter", program: () => exiter(state) },
        {
          name: "maker",
          *program(): Program {
            const made = yield call("makeProcess", 9, 0, PAGE);
            yield call("mapDone");
            if (made === EAGAIN) return "no row";
            yield call("useProcess", made);
            const row = yield call("map", VA, PAGE, READ_WRITE);
            yield call("mapDone");
            expect(row > 0, `map answers ${row}`);
            return "made";
          },
        },
      ],
      finish([, made]) {
        const left = core.u32(core.constant("MAPPING_COUNT"));
        expect(left === (made === "made" ? 1 : 0), `${left} mappings are left`);
        return String(made);
      },
    }),
    describeAddress,
  };
}

const fd = (core: Core): number => core.constant("FIRST_MEMFD");

/** A memfd of a page, whose row is at `at`. */
function file(core: Core): State {
  const state = { ...prepare(core, "rfc", 3), free: core.u32(core.constant("PAGES_USED")), pid: 1 };
  const at = must(core, 0, "createMemfd", Number(PAGE), Number(PAGE));
  core.call(0, "mapDone");
  core.setU32(core.u32(at + core.constant("MEMFD_BACKING")), WORD);
  return { ...state, at };
}

function lastReference(): Model<State> {
  return {
    name: "close × unmap × put",
    setup(core) {
      const state = file(core);
      must(core, 0, "memfdGet", fd(core));
      must(core, 0, "mapFile", VA, PAGE, READ_WRITE, fd(core), 1, 0n);
      core.call(0, "mapDone");
      return state;
    },
    run: (core, state) => ({
      threads: [
        {
          name: "closer",
          *program(): Calls<void> {
            const result = yield call("closeMemfd", fd(core), 1);
            expect(result === 0, `closeMemfd answers ${result}`);
          },
        },
        {
          name: "unmapper",
          *program(): Calls<void> {
            const result = yield call("unmap", VA);
            expect(result === 0, `unmap answers ${result}`);
          },
        },
        {
          name: "putter",
          *program(): Calls<void> {
            yield call("memfdPut", state.at);
          },
        },
      ],
      finish() {
        expectFree(core, state);
        return "freed";
      },
    }),
    describeAddress,
  };
}

function getClose(): Model<State> {
  return {
    name: "get and put × close",
    setup: file,
    run: (core, state) => ({
      threads: [
        {
          name: "getter",
          *program(): Program {
            const row = yield call("memfdGet", fd(core));
            if (row === EBADF) return "closed";
            expect(row === state.at, `memfdGet answers ${row}`);
            const backing = core.u32(row + core.constant("MEMFD_BACKING"));
            expect(core.u32(backing) === WORD, "a file that is held has lost its bytes");
            yield call("memfdPut", row);
            return "got";
          },
        },
        {
          name: "closer",
          *program(): Calls<void> {
            const result = yield call("closeMemfd", fd(core), 1);
            expect(result === 0, `closeMemfd answers ${result}`);
          },
        },
      ],
      finish([got]) {
        expectFree(core, state);
        return String(got);
      },
    }),
    describeAddress,
  };
}

function longPin(): Model<State> {
  return {
    name: "a pin that is kept × unmap",
    setup(core) {
      const state = { ...prepare(core, "rfc", 3), free: core.u32(core.constant("PAGES_USED")), pid: 1 };
      return { ...state, at: page(core, 0, WORD) };
    },
    run: (core, state) => ({
      threads: [
        {
          name: "device",
          *program(): Program {
            const reach = yield call("pinIn", core.constant("PROCESSES"), VA, BigInt(BYTES), READ_WRITE);
            if (reach === 0) return "fault";
            const row = yield call("keepPin");
            yield call("unpin");
            expect(core.u32(state.at) === WORD, "a pinned page is wiped");
            yield call("dropPin", row);
            return "pinned";
          },
        },
        {
          name: "unmapper",
          *program(): Calls<void> {
            const result = yield call("unmap", VA);
            expect(result === 0, `unmap answers ${result}`);
          },
        },
      ],
      finish([pinned]) {
        expect(core.u32(state.at) === 0, "the page is not wiped");
        expectFree(core, state);
        return String(pinned);
      },
    }),
    describeAddress,
  };
}

function charges(): Model<State> {
  return {
    name: "charge × charge at the limit",
    setup: (core) => second(core, 2),
    run(core, state) {
      const process = core.u32(state.slots[2]! + core.constant("THREAD_PROCESS"));
      const user = core.u32(process + core.constant("PROCESS_USER"));
      // Two pages may be locked: one now, then two.
      const charger = (pages: number) =>
        function* (): Program {
          return (yield call("chargeUser", user, process, pages)) === 1 ? pages : FREE;
        };
      return {
        threads: [
          { name: "one page", program: charger(1) },
          { name: "two pages", program: charger(2) },
        ],
        finish(results) {
          const charged = results.reduce<number>((sum, pages) => sum + Number(pages), 0);
          const locked = core.u32(user + core.constant("USER_LOCKED"));
          expect(locked === charged, `${locked} pages are locked, ${charged} were charged`);
          expect(locked <= 2, "more is locked than the limit allows");
          return String(locked);
        },
      };
    },
    describeAddress,
  };
}

const both = (outcomes: ReadonlyMap<string, unknown>): string | undefined =>
  outcomes.size >= 2 ? undefined : `only ${[...outcomes.keys()].join("; ")} were seen`;

const DEFAULTS = { profiles: ["rfc"], seconds: 5 } as const;

export const PROCESSES: readonly Property[] = [
  {
    ...DEFAULTS,
    name: "unmap-in-another-process",
    promise: "what a process unmaps is never what another one has at the same address",
    quick: true,
    model: twoSpaces,
    judge: (outcomes) => (outcomes.has("fault") ? "a copy has faulted" : undefined),
    twins: [
      {
        name: "unmap-looks-in-the-default-process",
        edits: [
          {
            file: "core/mmap.ts",
            find: "  va |= spaceOf(currentProcess());\n  lock(MAP_LOCK, RANK_MAP);\n  const position",
            replace: "  lock(MAP_LOCK, RANK_MAP);\n  const position",
          },
        ],
      },
    ],
  },
  {
    ...DEFAULTS,
    name: "copy-exit",
    promise: "an exit waits for copies; a copy reads all of a mapping or nothing",
    model: exitCopy,
    judge: both,
    twins: [
      {
        name: "exit-does-not-wait",
        edits: [{ file: "core/exit.ts", find: "    waitForPins(row);\n", replace: "" }],
      },
    ],
  },
  {
    ...DEFAULTS,
    name: "map-exit",
    promise: "an exit leaves no mapping, and none comes after it",
    model: exitMap,
    judge: both,
    twins: [
      {
        name: "the-ended-can-map",
        edits: [
          {
            file: "core/mmap.ts",
            find: "  if (!isAlive(currentProcess())) result = -ESRCH;\n  else if",
            replace: "  if",
          },
        ],
      },
    ],
  },
  {
    ...DEFAULTS,
    name: "exit-make-map",
    promise: "an exit takes nothing of the process that has the row next",
    model: exitMake,
    judge: both,
    twins: [
      {
        name: "number-is-not-asked",
        edits: [
          {
            file: "core/exit.ts",
            find: "changetype<Process>(process).pid == pid ? firstOf(process) : -1",
            replace: "pid != 0 ? firstOf(process) : -1",
          },
        ],
      },
    ],
  },
  {
    ...DEFAULTS,
    name: "enter-exit-make",
    promise: "a process' row is not another's while a thread acts for it",
    model: rowReuse,
    judge: both,
    twins: [
      {
        name: "threads-are-not-looked-at",
        edits: [
          {
            file: "core/process.ts",
            find: 'offsetof<Thread>("process")) == <u32>process) return false;',
            replace: 'offsetof<Thread>("process")) == 1) return false;',
          },
        ],
      },
    ],
  },
  {
    ...DEFAULTS,
    name: "memfd-last-reference",
    promise: "a file's pages go once, with the last of its number, its mappings and its holders",
    model: lastReference,
    twins: [
      {
        name: "the-end-is-looked-for-after-the-lock",
        edits: [
          {
            file: "core/memfd.ts",
            find: "  const isLast = file != 0 && beginEnd(file);\n  unlock(MAP_LOCK, RANK_MAP);",
            replace: "  unlock(MAP_LOCK, RANK_MAP);\n  const isLast = file != 0 && beginEnd(file);",
          },
        ],
      },
      {
        name: "unmap-forgets-the-file",
        edits: [{ file: "core/gup.ts", find: "isFile && beginEnd(file);", replace: "false;" }],
      },
    ],
  },
  {
    ...DEFAULTS,
    name: "memfd-get-close",
    promise: "a file that was found by its number stays until it is put",
    model: getClose,
    judge: both,
    twins: [
      {
        name: "get-counts-after-the-lock",
        edits: [
          {
            file: "core/memfd.ts",
            find: '  if (file != 0) add32(file + offsetof<Memfd>("holders"), 1);\n  unlock(MAP_LOCK, RANK_MAP);',
            replace: '  unlock(MAP_LOCK, RANK_MAP);\n  if (file != 0) add32(file + offsetof<Memfd>("holders"), 1);',
          },
        ],
      },
    ],
  },
  {
    ...DEFAULTS,
    name: "keep-pin-unmap",
    promise: "pages that are pinned outlast unmap, and go with the last pin",
    model: longPin,
    judge: both,
    twins: [
      {
        name: "unmap-does-not-look-at-pins",
        edits: [
          {
            file: "core/gup.ts",
            find: '  if ((load32(row + offsetof<Mapping>("pins")) != 0 || isCopied(row)) && leaveToPins(row)) return;\n',
            replace: "",
          },
        ],
      },
      {
        name: "the-row-is-left-without-the-lock",
        edits: [
          {
            file: "core/gup.ts",
            find: "function leaveToPins(row: usize): bool {\n  lock(MAP_LOCK, RANK_MAP);",
            replace: "function leaveToPins(row: usize): bool {",
          },
          {
            file: "core/gup.ts",
            find: "  unlock(MAP_LOCK, RANK_MAP);\n  return !isOver;",
            replace: "  return !isOver;",
          },
        ],
      },
    ],
  },
  {
    ...DEFAULTS,
    name: "charge-charge",
    promise: "two charges never go over the limit together, and one that fails changes nothing",
    model: charges,
    judge: both,
    twins: [
      {
        name: "a-charge-is-looked-at-and-then-made",
        edits: [
          {
            file: "core/process.ts",
            find: "    if (compareExchange32(word, before, before + pages) == before) return true;",
            replace: "    add32(word, pages);\n    return true;",
          },
        ],
      },
    ],
  },
];

// SPDX-License-Identifier: GPL-2.0-only
//
// Processes: what one process unmaps is its own, an exit takes everything and waits for copies, a row has one owner, and a charge is taken
// in full or not at all.

import { prepare } from "../../../bindings/explorer/core-setup.js";
import { expect } from "../../../bindings/explorer/failure.js";
import { call, type Calls, type Core, type Model, type Program } from "../../../bindings/explorer/model.js";
import type { Property } from "../property.ts";
import { must } from "../world.ts";
import {
  both,
  BYTES,
  DEFAULTS,
  describeAddress,
  expectFree,
  PAGE,
  page,
  READ_WRITE,
  type State,
  VA,
  WORD,
} from "./user-world.ts";

const EFAULT = -14;
const ESRCH = -3;
const EAGAIN = -11;
const OTHER_WORD = 0x1b1b_4321;
const FREE = 0;

/** A second process, in which `thread` is. */
function second(core: Core, thread: number): State {
  const prepared = prepare(core, "rfc", 3);
  const free = core.u32(core.constant("PAGES_USED"));
  const pid = must(core, 0, "makeProcess", 7, 0, 2n * PAGE);
  core.call(0, "mapDone");
  must(core, thread, "useProcess", pid);
  return { ...prepared, free, pid, at: 0 };
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

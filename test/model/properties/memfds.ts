// SPDX-License-Identifier: GPL-2.0-only
//
// Memfds: a file's pages go with its last reference, and a file that was found stays until it is put.

import { prepare } from "../../../bindings/explorer/core-setup.js";
import { expect } from "../../../bindings/explorer/failure.js";
import { call, type Calls, type Core, type Model, type Program } from "../../../bindings/explorer/model.js";
import type { Property } from "../property.ts";
import { must } from "../world.ts";
import { both, DEFAULTS, describeAddress, expectFree, PAGE, READ_WRITE, type State, VA, WORD } from "./user-world.ts";

const EBADF = -9;

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

export const MEMFDS: readonly Property[] = [
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
];

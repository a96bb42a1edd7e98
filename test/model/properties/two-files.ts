// SPDX-License-Identifier: GPL-2.0-only
//
// What all files and types share: kernel memory, the pool of free nodes, the registry.
//
// Two threads work in a file each, so no lock of a file or of a slab is between them. What is handed out belongs to one of them, and
// what is given back is not lost.

import { boot, bootThreads, defineType, makeObject, type Booted } from "../../../bindings/explorer/core-setup.js";
import { expect } from "../../../bindings/explorer/failure.js";
import { expectCounts } from "../../../bindings/explorer/final-state.js";
import { call, type Core, type Model, type Program } from "../../../bindings/explorer/model.js";
import { make, runRelease } from "../object-calls.ts";
import type { Property } from "../property.ts";

interface State extends Booted {
  /** Another file, and another type of another size. */
  other: Booted;
}

function openAnother(core: Core, booted: Booted): Booted {
  const file = core.call(0, "open");
  expect(file > 0, `open answers ${file}`);
  const expected = core.u32(booted.slots[0]! + core.constant("THREAD_RESULT0"));
  return { ...booted, file, expected };
}

function setup(core: Core): State {
  const booted = boot(core, "rfc", 2);
  const other = openAnother(core, booted);
  return { ...booted, other: { ...other, type: defineType(core, booted.slots[0]!, 0, "U", 200, 0) } };
}

/** Opens a file, makes an object in it and closes it: its nodes go to the pool. */
function leaveNodes(core: Core, booted: Booted): void {
  const gone = openAnother(core, booted);
  makeObject(core, gone);
  core.call(0, "closeNumber", gone.file, gone.expected);
  expect(core.call(0, "releaseNext", gone.file) === 0, "the release stops");
}

const maker = (booted: Booted) =>
  function* (): Program {
    const id = yield* make(booted);
    expect(id === 1, `the first object has the ID ${id}`);
    return "made";
  };

const allocations: Model<State> = {
  name: "first objects of two files",
  setup,
  run: (core, state) => ({
    threads: [
      { name: "maker A", program: maker(state) },
      { name: "maker B", program: maker(state.other) },
    ],
    finish() {
      expect(expectCounts(core, state).length === 1, "the first file has not its one object");
      expect(expectCounts(core, state.other).length === 1, "the second file has not its one object");
      return "made";
    },
  }),
};

const closeAndMake: Model<State> = {
  name: "nodes of a file that is released, and of one that is filled",
  setup(core) {
    const state = setup(core);
    makeObject(core, state);
    leaveNodes(core, state);
    return state;
  },
  run: (core, state) => ({
    threads: [
      {
        name: "closer",
        *program(): Program {
          expect((yield call("closeNumber", state.file, state.expected)) === 0, "close fails");
          return yield* runRelease(core, state, 0);
        },
      },
      { name: "maker", program: maker(state.other) },
    ],
    finish() {
      expect(expectCounts(core, state.other).length === 1, "the second file has not its one object");
      // The pool had the nodes for one file, and got those of the first: another one needs no memory.
      const top = core.u32(core.constant("PAGES_EXTENT_TOP"));
      const next = openAnother(core, state);
      makeObject(core, next);
      expect(core.u32(core.constant("PAGES_EXTENT_TOP")) === top, "a node was lost");
      return "made";
    },
  }),
};

const definitions: Model<Booted> = {
  name: "two threads define types",
  setup(core) {
    const booted = boot(core, "rfc", 2);
    const window = core.constant("THREAD_WINDOW");
    core.setU32(booted.slots[0]! + window, 0x41414141);
    core.setU32(booted.slots[1]! + window, 0x42424242);
    return booted;
  },
  run: () => ({
    threads: [8, 24].map((payload) => ({
      name: `definer of ${payload} bytes`,
      program: function* (): Program {
        return yield call("defineType", 4, payload, 0);
      },
    })),
    finish(types) {
      expect(types.includes(2) && types.includes(3), `the types have the numbers ${types.join(" and ")}`);
      return types.join(" ");
    },
  }),
};

const opens: Model<{ slots: readonly number[] }> = {
  name: "two threads open",
  setup: (core) => ({ slots: bootThreads(core, "rfc", 2) }),
  run: (core, { slots }) => ({
    threads: slots.map((slot, thread) => ({
      name: `opener ${thread}`,
      program: function* (): Program {
        const file = yield call("open");
        const expected = core.u32(slot + core.constant("THREAD_RESULT0"));
        expect((yield call("closeNumber", file, expected)) === 0, "the file is not the opener's");
        return yield* runRelease(core, { slots, file, expected, type: 0 }, thread);
      },
    })),
    finish(releases) {
      expect(releases.join() === "1,1", `${releases.join(" and ")} releases`);
      return "each has its file";
    },
  }),
};

export const TWO_FILES: readonly Property[] = [
  {
    name: "open-open",
    promise: "a file that is opened is its opener's alone",
    profiles: ["rfc"],
    quick: true,
    model: () => opens,
    seconds: 5,
    twins: [
      {
        name: "open-stores-blindly",
        edits: [
          {
            file: "core/file.ts",
            find: "    if (compareExchange32(stateOf(file), state, opened) != state) continue;",
            replace: "    store32(stateOf(file), opened);",
          },
        ],
      },
    ],
  },
  {
    name: "two-files-alloc",
    promise: "kernel memory is given to one thread only, whatever file and type it is for",
    profiles: ["rfc"],
    quick: true,
    model: () => allocations,
    seconds: 3,
    twins: [
      {
        name: "kernel-memory-without-the-lock",
        edits: [
          {
            file: "core/page-alloc.ts",
            find: "  lock(PAGE_LOCK, RANK_PAGE);\n  let at: usize = 0;",
            replace: "  let at: usize = 0;",
          },
          {
            file: "core/page-alloc.ts",
            find: "    if (MODEL_BUILD) modelAlloc(at, bytes);\n  }\n  unlock(PAGE_LOCK, RANK_PAGE);",
            replace: "    if (MODEL_BUILD) modelAlloc(at, bytes);\n  }",
          },
        ],
      },
    ],
  },
  {
    name: "two-files-close",
    promise: "a node that one file gives back is another's, once",
    profiles: ["rfc"],
    model: () => closeAndMake,
    seconds: 5,
    twins: [
      {
        name: "node-pool-without-its-lock",
        edits: [
          {
            file: "core/xarray.ts",
            find: "  lock(NODES, RANK_NODES);\n  store<u32>(linkOf(kind, node), load<u32>(headOf(kind)));",
            replace: "  store<u32>(linkOf(kind, node), load<u32>(headOf(kind)));",
          },
          {
            file: "core/xarray.ts",
            find: "  clearHandMemory();\n  unlock(NODES, RANK_NODES);",
            replace: "  clearHandMemory();",
          },
        ],
      },
    ],
  },
  {
    name: "define-define",
    promise: "two types that are defined at once have a number each",
    profiles: ["rfc"],
    quick: true,
    model: () => definitions,
    twins: [
      {
        name: "types-are-defined-without-the-lock",
        edits: [
          {
            file: "core/registry.ts",
            find: "  lock(REGISTRY_LOCK, RANK_REGISTRY);\n  const result = findOrAddType(nameBytes, payloadBytes, flags);\n  unlock(REGISTRY_LOCK, RANK_REGISTRY);",
            replace: "  const result = findOrAddType(nameBytes, payloadBytes, flags);",
          },
        ],
      },
    ],
  },
];

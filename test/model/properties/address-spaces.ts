// SPDX-License-Identifier: GPL-2.0-only
//
// IO address spaces: two commands on the same one. What a caller can see is that of one after the other; UNMAP lets others in between two
// areas. Afterwards every node of every tree tells the truth, and when all is closed no byte of the file's memory is left.
//
//   1 an address space, with what the model says    2 another, empty

import { audit } from "../audit.ts";
import { closeAll } from "../closing.ts";
import { queuesOf } from "../tables.ts";
import { makeWorld, USER_PAGE, type World } from "../world.ts";
import { expect } from "../../../bindings/explorer/failure.js";
import { call, type Calls, type Core, type Model } from "../../../bindings/explorer/model.js";
import type { Edit, Property, Twin } from "../property.ts";
import { CallbackLog } from "../reaper.ts";
import { areasOf, makeSpace, mappedAt, replyWord, RIGHTS, space, spaceNow, unmapped } from "../space-calls.ts";

const THREADS = 2;
const A = 1;
const B = 2;
const VA = BigInt(USER_PAGE);

interface State extends World {
  readonly ready: number;
}

interface Race {
  readonly name: string;
  readonly promise: string;
  readonly quick?: boolean;
  /** In address space A, after both were made. */
  readonly prepare?: (core: Core, world: World) => void;
  readonly programs: readonly [
    (core: Core, state: State, log: CallbackLog) => Calls<string>,
    (core: Core, state: State, log: CallbackLog) => Calls<string>,
  ];
  /** What is looked at besides: part of the outcome. */
  readonly look: (core: Core, state: State) => string;
  /** All outcomes: "first, second: look". */
  readonly outcomes: readonly string[];
  readonly twins: readonly Twin[];
}

function model({ name, prepare, programs, look, outcomes }: Race): Model<State> {
  return {
    name,
    pages: 4,
    setup(core) {
      const world = makeWorld(core, "mainline", THREADS);
      for (const id of [A, B]) expect(makeSpace(core, world) === id, `address space ${id} has another ID`);
      prepare?.(core, world);
      return { ...world, ready: 1 };
    },
    run(core, state) {
      const log = new CallbackLog(core, state.slots);
      return {
        threads: programs.map((program, thread) => ({
          name: `thread ${thread}`,
          program: () => program(core, state, log),
        })),
        finish([first, second]) {
          audit(core, state.slots, []);
          const outcome = `${String(first)}, ${String(second)}: ${look(core, state)}`;
          // Here, too: a search that is bounded has no judge.
          expect(outcomes.includes(outcome), `not allowed: ${outcome}`);
          closeAll(core, 0, log);
          return outcome;
        },
      };
    },
  };
}

/** One call; the answer, and what `said` finds in the reply of one that succeeded. */
function one(
  step: (state: State) => ReturnType<typeof space>,
  said?: (core: Core, state: State, thread: number) => number,
): readonly [(core: Core, state: State) => Calls<string>, (core: Core, state: State) => Calls<string>] {
  const by = (thread: number) =>
    function* (core: Core, state: State): Calls<string> {
      const result = yield step(state);
      return result === 0 && said !== undefined ? `0 (${said(core, state, thread)})` : String(result);
    };
  return [by(0), by(1)];
}

const areas = (core: Core, state: State): string => `${areasOf(core, state, A)} and ${areasOf(core, state, B)}`;

const WITHOUT_LOCK: Readonly<Record<"map" | "unmap" | "allow", readonly Edit[]>> = {
  map: [
    {
      file: "core/io_pagetable.ts",
      find: "  lockSpace(file);\n  let result: i32 = -ENOMEM;",
      replace: "  let result: i32 = -ENOMEM;",
    },
    {
      file: "core/io_pagetable.ts",
      find: "    }\n  }\n  unlockSpace(file);\n  return result;\n}\n\n/**\n * Whether [iova, last] is mapped",
      replace: "    }\n  }\n  return result;\n}\n\n/**\n * Whether [iova, last] is mapped",
    },
  ],
  unmap: [
    {
      file: "core/io_pagetable.ts",
      find: "    lockSpace(file);\n    if (isPoisoned(file)) result",
      replace: "    if (isPoisoned(file)) result",
    },
    {
      file: "core/io_pagetable.ts",
      find: "    unlockSpace(file);\n    if (copier != 0",
      replace: "    if (copier != 0",
    },
  ],
  allow: [
    {
      file: "core/ioas.ts",
      find: "  let result: i32 = 0;\n  lockSpace(file);\n  let at: u64 = 0;",
      replace: "  let result: i32 = 0;\n  let at: u64 = 0;",
    },
    {
      file: "core/ioas.ts",
      find: "    store<u64>(tree, old);\n  }\n  unlockSpace(file);",
      replace: "    store<u64>(tree, old);\n  }",
    },
  ],
};

const RACES: readonly Race[] = [
  {
    name: "map-map",
    promise: "of two MAPs that overlap one is EEXIST",
    quick: true,
    programs: [one((state) => space("map", state, A, 1, 2))[0], one((state) => space("map", state, A, 2, 2))[1]],
    look: areas,
    outcomes: ["0, -17: 1 and empty", "-17, 0: 2 and empty"],
    twins: [{ name: "map-takes-no-lock", edits: WITHOUT_LOCK.map }],
  },
  {
    name: "map-unmap",
    promise: "an UNMAP finds a MAP's area as a whole, or nothing",
    programs: [
      one((state) => space("map", state, A, 1, 1))[0],
      one((state) => space("unmap", state, A, 0, 8), unmapped)[1],
    ],
    look: areas,
    outcomes: ["0, 0 (1): empty and empty", "0, -2: 1 and empty"],
    twins: [{ name: "unmap-takes-no-lock", edits: WITHOUT_LOCK.unmap }],
  },
  {
    name: "copy-unmap",
    promise: "a COPY sees its source whole, or not, and keeps the pages that both show",
    prepare(core, world) {
      spaceNow(core, 0, "map", world, A, 1, 1);
      spaceNow(core, 0, "map", world, A, 2, 1);
    },
    programs: [
      one((state) => space("copy", state, A, 1, 2, B, 5))[0],
      one((state) => space("unmap", state, A, 1, 2), unmapped)[1],
    ],
    look: areas,
    outcomes: ["0, 0 (2): empty and 5+6", "-2, 0 (2): empty and empty"],
    twins: [
      {
        name: "source-is-looked-at-in-a-section-of-its-own",
        edits: [
          {
            file: "core/ioas.ts",
            find: "    const source = changetype<Thread>(current()).cursor;\n    const handle",
            replace:
              "    const source = changetype<Thread>(current()).cursor;\n    unlockSpace(file);\n    lockSpace(file);\n    const handle",
          },
        ],
      },
    ],
  },
  {
    name: "unmap-map-behind",
    promise: "what is mapped behind an UNMAP that goes on stays",
    prepare(core, world) {
      for (const first of [1, 3, 5]) spaceNow(core, 0, "map", world, A, first, 1);
    },
    programs: [
      one((state) => space("unmap", state, A, 0, 8), unmapped)[0],
      one((state) => space("map", state, A, 1, 1))[1],
    ],
    look: areas,
    outcomes: ["0 (3), 0: 1 and empty", "0 (3), -17: empty and empty"],
    twins: [
      {
        name: "unmap-begins-anew",
        edits: [
          {
            file: "core/io_pagetable.ts",
            find: "const found = treeSeek(areasOf(ioas), thread.unmapFirst);",
            replace: "const found = treeSeek(areasOf(ioas), 0);",
          },
        ],
      },
    ],
  },
  {
    name: "map-destroy",
    promise: "an address space that a MAP uses is busy; one that is gone gets no area",
    programs: [one((state) => space("map", state, A, 1, 1))[0], one((state) => space("destroy", state, A))[1]],
    look: areas,
    outcomes: ["0, -16: 1 and empty", "0, 0: no and empty", "-2, 0: no and empty"],
    twins: [
      {
        name: "map-lets-go-first",
        edits: [
          {
            file: "core/ioas.ts",
            find: "  if (result == 0) result = mapPages(file, ioasOf(handle), 0, cmd.user_va, cmd.length, rights, isFixed, cmd.iova);\n  putSlowly(file, handle);",
            replace:
              "  const ioas = ioasOf(handle);\n  putSlowly(file, handle);\n  if (result == 0) result = mapPages(file, ioas, 0, cmd.user_va, cmd.length, rights, isFixed, cmd.iova);",
          },
        ],
      },
    ],
  },
  {
    name: "copy-destroy",
    promise: "so is the destination of a COPY",
    prepare(core, world) {
      spaceNow(core, 0, "map", world, A, 1, 1);
    },
    programs: [one((state) => space("copy", state, A, 1, 1, B, 5))[0], one((state) => space("destroy", state, B))[1]],
    look: areas,
    outcomes: ["0, -16: 1 and 5", "0, 0: 1 and no", "-2, 0: 1 and no"],
    twins: [
      {
        name: "copy-lets-its-destination-and-the-lock-go",
        edits: [
          {
            file: "core/ioas.ts",
            find: "      result = mapCopy(file, from, cmd.src_iova, last, source, ioasOf(handle), rights, isFixed, cmd.dst_iova);\n      putSlowly(file, handle);",
            replace:
              "      const to = ioasOf(handle);\n      putSlowly(file, handle);\n      unlockSpace(file);\n      lockSpace(file);\n      result = mapCopy(file, from, cmd.src_iova, last, source, to, rights, isFixed, cmd.dst_iova);",
          },
        ],
      },
    ],
  },
  {
    name: "allow-map",
    promise: "an IOVA is picked from the old list or from the new one, which is whole",
    prepare(core, { slots }) {
      core.call(0, "map", VA, 4096n, 3);
      core.call(0, "mapDone");
      const window = slots[0]! + core.constant("THREAD_WINDOW");
      [0x8000, 0, 0x8fff, 0, 0x9000, 0, 0x9fff, 0].forEach((word, index) => core.setU32(window + 4 * index, word));
      core.call(0, "writeUser", VA, 32);
    },
    programs: [
      one((state) => space("allow", state, A, VA, 2))[0],
      one((state) => space("map", state, A, 0, 2, RIGHTS), mappedAt)[1],
    ],
    look: (core, state) => areasOf(core, state, A),
    outcomes: ["0, 0 (4): 4", "0, 0 (8): 8"],
    twins: [{ name: "lists-change-places-without-the-lock", edits: WITHOUT_LOCK.allow }],
  },
  {
    name: "queue-close",
    promise: "the file of a fault queue keeps its context; one that comes too late makes none",
    programs: [
      function* (core, state, log) {
        const result = yield space("faultQueueAlloc", state);
        yield* log.attend(0);
        return result === 0 ? `0 (${replyWord(core, state, 0, 12) - core.constant("FIRST_QUEUE_FD")})` : String(result);
      },
      function* (core, { file }, log) {
        const result = yield call("closeNumber", file, core.constant("FILE_BY_NUMBER"));
        yield* log.attend(1);
        return String(result);
      },
    ],
    look: (core, { file }) => {
      const phase = core.u32(file + core.constant("FILE_STATE")) & core.constant("FILE_PHASE_MASK");
      return `${queuesOf(core).length} open, ${phase === 0 ? "released" : "kept"}`;
    },
    outcomes: ["0 (0), 0: 1 open, kept", "-9, 0: 0 open, released"],
    twins: [
      {
        name: "queues-keep-no-file",
        edits: [
          { file: "core/file.ts", find: "  if (hasKeeper(file)) return true; // after the marks\n", replace: "" },
        ],
      },
    ],
  },
  {
    name: "queue-close-twice",
    promise: "of two closes of a fault queue's file one finds it, and its user is dropped once",
    prepare(core, world) {
      spaceNow(core, 0, "faultQueueAlloc", world);
    },
    programs: [closesQueue(0), closesQueue(1)],
    look: (core, state) => String(core.call(0, "entryUsers", core.call(0, "entryAt", state.file, 3))),
    outcomes: ["0, -9: 1", "-9, 0: 1"],
    twins: [
      {
        name: "row-of-another-close-is-marked",
        edits: [
          { file: "core/owned.ts", find: "  if ((state & KEEPER_MASK) != KEEPER_OPEN) return 0;\n", replace: "" },
        ],
      },
      {
        name: "row-is-taken-without-a-swap",
        edits: [
          {
            file: "core/owned.ts",
            find: "  return compareExchange32(keeperState(row), state, keeperMaking(keptBy(state))) == state;",
            replace: "  store32(keeperState(row), keeperMaking(keptBy(state)));\n  return true;",
          },
          {
            file: "core/owned.ts",
            find: "import { compareExchange32, load32, store32, store64 }",
            replace: "import { load32, store32, store64 }",
          },
        ],
      },
    ],
  },
  {
    name: "queue-close-other",
    promise: "of two closes of the last owners one releases the file, after both have dropped their users",
    prepare(core, world) {
      for (let n = 0; n < 2; n++) spaceNow(core, 0, "faultQueueAlloc", world);
      core.call(0, "closeNumber", world.file, core.constant("FILE_BY_NUMBER"));
    },
    programs: [closesQueue(0), closesQueue(1, 1)],
    look: (core, { file }) =>
      `phase ${core.u32(file + core.constant("FILE_STATE")) & core.constant("FILE_PHASE_MASK")}, ` +
      `${core.u32(core.constant("COUNTERS_LEAKED"))} leaked`,
    outcomes: ["0, 0: phase 0, 0 leaked"],
    twins: [
      {
        name: "row-that-is-being-ended-keeps-nothing",
        edits: [
          {
            file: "core/keeper.ts",
            find: "    if (keptBy(load32(keeperState(keeperAt(number)))) == file) return true;",
            replace: "    if (load32(keeperState(keeperAt(number))) == ((<u32>file) | KEEPER_OPEN)) return true;",
          },
        ],
      },
    ],
  },
  {
    name: "queue-close-destroy",
    promise: "a fault queue can be destroyed once its file is closed",
    prepare(core, world) {
      spaceNow(core, 0, "faultQueueAlloc", world);
    },
    programs: [closesQueue(0), one((state) => space("destroy", state, 3))[1]],
    look: (core, state) => String(core.call(0, "entryUsers", core.call(0, "entryAt", state.file, 3))),
    outcomes: ["0, -16: 1", "0, 0: 0"],
    twins: [
      {
        name: "open-queue-keeps-no-user",
        edits: [
          { file: "core/owned.ts", find: "  keepUserOfReserved(file, handle);\n", replace: "" },
          {
            file: "core/owned.ts",
            find: "abort, alloc, finalize, freeObject, keepUserOfReserved }",
            replace: "abort, alloc, finalize, freeObject }",
          },
        ],
      },
    ],
  },
  {
    name: "vfio-destroy",
    promise: "an address space that takes the ID of VFIO's is not VFIO's",
    programs: [
      one((state) => space("vfioIoas", state, 1, A))[0],
      function* (core, state) {
        const destroyed = yield space("destroy", state, A);
        if (destroyed !== 0) return String(destroyed);
        const made = yield space("ioasAlloc", state);
        expect(made === 0 && replyWord(core, state, 1, 8) === A, "the ID is not used again");
        return "0";
      },
    ],
    look(core, state) {
      const made = core.call(0, "spaceIoctl", state.file, state.expected, 0x88, 12, 0, 0, 0, 0n, 0n, 0n);
      return made === 0 ? `${replyWord(core, state, 0, 4)}` : String(made);
    },
    outcomes: ["0, 0: -19", "0, 0: 1", "0, -16: 1", "-2, 0: -19"],
    twins: [
      {
        name: "serial-is-not-asked",
        edits: [
          {
            file: "core/vfio_compat.ts",
            find: "  if (serialOfSlot(ioasOf(handle) - SLOT_PAYLOAD) == serial) return handle;",
            replace: "  if (serial != 0) return handle;",
          },
        ],
      },
    ],
  },
];

function closesQueue(thread: number, queue = 0) {
  return function* (core: Core, _: State, log: CallbackLog): Calls<string> {
    const result = yield call("queueFileClose", core.constant("FIRST_QUEUE_FD") + queue);
    yield* log.attend(thread);
    return String(result);
  };
}

export const ADDRESS_SPACES: readonly Property[] = RACES.map((race) => ({
  name: `space-${race.name}`,
  promise: race.promise,
  profiles: ["mainline"],
  quick: race.quick ?? false,
  model: () => model(race),
  seconds: 8,
  judge(found) {
    const missing = race.outcomes.filter((outcome) => !found.has(outcome));
    return missing.length > 0 ? `missing: ${missing.join(" | ")}` : undefined;
  },
  twins: race.twins,
}));

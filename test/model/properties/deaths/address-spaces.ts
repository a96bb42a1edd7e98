// SPDX-License-Identifier: GPL-2.0-only
//
// Deaths in the commands of IO address spaces, and in what gives them back. Who dies while it changes a tree leaves a poisoned file;
// everything else is put in order, and when all is closed no byte is left in either case.

import { makeSpace, replyWord, space, spaceNow } from "../../space-calls.ts";
import { must, type World } from "../../world.ts";
import { call, type Core } from "../../../../bindings/explorer/model.js";
import { OTHER, VA, VICTIM, lock, mapPage, type Prepared, type Scenario } from "./scenario.ts";

const PROFILES = ["mainline"] as const;

/** An address space with areas on every other page. */
function withAreas(core: Core, world: World, count: number): Prepared {
  const ioas = makeSpace(core, world);
  for (let n = 0; n < count; n++) spaceNow(core, VICTIM, "map", world, ioas, 1 + 2 * n, 1);
  return { ioas };
}

/** A page of user memory with two ranges, the pages 8 and 9; for the victim's commands. */
function ranges(core: Core, { slots }: World): void {
  mapPage(core);
  const window = slots[OTHER]! + core.constant("THREAD_WINDOW");
  [0x8000, 0, 0x8fff, 0, 0x9000, 0, 0x9fff, 0].forEach((word, index) => core.setU32(window + 4 * index, word));
  must(core, OTHER, "writeUser", VA, 32);
}

/** Return: the number of the queue's file. */
function withQueue(core: Core, world: World): Prepared {
  spaceNow(core, OTHER, "faultQueueAlloc", world);
  return { id: replyWord(core, world, OTHER, 8), fd: replyWord(core, world, OTHER, 12) };
}

export const ADDRESS_SPACES: readonly Scenario[] = [
  {
    name: "ioas-alloc",
    profiles: PROFILES,
    states: 2,
    *program(_, world) {
      yield space("ioasAlloc", world);
    },
  },
  {
    name: "ioas-map-first",
    profiles: PROFILES,
    poisons: true,
    states: 1,
    prepare: (core, world) => ({ ioas: makeSpace(core, world) }),
    *program(_, world, { ioas }) {
      yield space("map", world, ioas!, 1, 1);
    },
    twins: [
      {
        name: "chunk-in-hand-is-freed-though-it-is-in-the-list",
        edits: [
          { file: "core/repair.ts", find: "  repairArena(file);\n", replace: "" },
          { file: "core/repair.ts", find: "import { repairArena, spaceOf }", replace: "import { spaceOf }" },
        ],
      },
      {
        name: "nobody-is-told-of-the-tree",
        edits: [
          {
            file: "core/repair.ts",
            find: "  if (space.changing == 0) return;\n",
            replace: "  if (space.changing <= 1) return;\n",
          },
        ],
      },
    ],
  },
  {
    name: "ioas-map-splits",
    profiles: PROFILES,
    poisons: true,
    states: 1,
    prepare: (core, world) => withAreas(core, world, 4),
    *program(_, world, { ioas }) {
      yield space("map", world, ioas!, 4, 1);
    },
  },
  {
    name: "ioas-unmap",
    profiles: PROFILES,
    poisons: true,
    states: 1,
    prepare: (core, world) => withAreas(core, world, 5),
    *program(_, world, { ioas }) {
      yield space("unmap", world, ioas!, 0, 20);
    },
  },
  {
    name: "ioas-copy",
    profiles: PROFILES,
    poisons: true,
    states: 1,
    prepare(core, world) {
      const { ioas } = withAreas(core, world, 1);
      spaceNow(core, VICTIM, "map", world, ioas!, 2, 1);
      return { ioas: ioas!, to: makeSpace(core, world) };
    },
    *program(_, world, { ioas, to }) {
      yield space("copy", world, ioas!, 1, 2, to!, 5);
    },
  },
  {
    name: "ioas-allow",
    profiles: PROFILES,
    poisons: true,
    states: 1,
    prepare(core, world) {
      ranges(core, world);
      const { ioas } = withAreas(core, world, 1);
      spaceNow(core, VICTIM, "allow", world, ioas!, VA, 1);
      return { ioas: ioas! };
    },
    *program(_, world, { ioas }) {
      yield space("allow", world, ioas!, VA, 2);
    },
  },
  {
    name: "ioas-ranges",
    profiles: PROFILES,
    states: 1,
    prepare(core, world) {
      mapPage(core);
      return withAreas(core, world, 1);
    },
    *program(_, world, { ioas }) {
      yield space("ranges", world, ioas!, VA);
    },
  },
  {
    name: "ioas-vfio",
    profiles: PROFILES,
    states: 1,
    prepare: (core, world) => ({ ioas: makeSpace(core, world) }),
    *program(_, world, { ioas }) {
      yield space("vfioIoas", world, 1, ioas!);
      yield space("vfioIoas", world, 0, 0);
    },
  },
  {
    name: "ioas-destroy",
    profiles: PROFILES,
    poisons: true,
    states: 2,
    prepare(core, world) {
      ranges(core, world);
      const { ioas } = withAreas(core, world, 3);
      spaceNow(core, VICTIM, "allow", world, ioas!, VA, 2);
      return { ioas: ioas! };
    },
    *program(_, world, { ioas }) {
      yield space("destroy", world, ioas!);
    },
  },
  {
    name: "ioas-close",
    profiles: PROFILES,
    reaped: true,
    states: 2,
    prepare(core, world) {
      withAreas(core, world, 3);
      return withAreas(core, world, 2);
    },
    *program(core, { file }, _, log) {
      yield call("closeNumber", file, core.constant("FILE_BY_NUMBER"));
      yield* log.attend(VICTIM);
    },
    twins: [
      {
        name: "chunk-leaves-the-list-before-it-is-in-hand",
        edits: [
          {
            file: "core/arena.ts",
            find: "    setHand(chunk | HAND_MEMORY, ARENA_CLASS);\n    space.chunks = changetype<ArenaChunk>(chunk).link;",
            replace:
              "    space.chunks = changetype<ArenaChunk>(chunk).link;\n    setHand(chunk | HAND_MEMORY, ARENA_CLASS);",
          },
        ],
      },
    ],
  },
  {
    name: "queue-alloc",
    profiles: PROFILES,
    // Nothing; the object without a file; both.
    states: 3,
    reaped: true,
    *program(_, world) {
      yield space("faultQueueAlloc", world);
    },
    twins: [
      {
        name: "row-of-the-dead-stays",
        edits: [
          {
            file: "core/reap.ts",
            find: "  blocked = recoverOwners();\n",
            replace: "",
          },
          { file: "core/reap.ts", find: 'import { recoverOwners } from "./abandon";\n', replace: "" },
        ],
      },
    ],
  },
  {
    name: "queue-close",
    profiles: PROFILES,
    states: 2,
    prepare: withQueue,
    reaped: true,
    *program(_core, _world, { fd }, log) {
      yield call("queueFileClose", fd!);
      yield* log.attend(VICTIM);
    },
  },
  {
    // Somebody else has kept a user of the queue.
    name: "queue-close-kept",
    profiles: PROFILES,
    states: 2,
    prepare(core, world) {
      const prepared = withQueue(core, world);
      must(core, OTHER, "putKeepUser", world.file, lock(core, world, prepared.id!, OTHER));
      return prepared;
    },
    *program(_core, _world, { fd }) {
      yield call("queueFileClose", fd!);
    },
    twins: [
      {
        name: "another-user-is-dropped-once-more",
        edits: [
          { file: "core/owned.ts", find: '  changeNote(row + offsetof<Keeper>("payload"), 0);\n', replace: "" },
          { file: "core/owned.ts", find: "changeKept, changeNote, endChange", replace: "changeKept, endChange" },
        ],
      },
    ],
  },
  {
    name: "queue-close-last",
    profiles: PROFILES,
    reaped: true,
    states: 2,
    twins: [
      {
        name: "user-of-the-row-stays",
        edits: [
          {
            file: "core/abandon.ts",
            find: "    if (!isPoisoned(file)) dropOwned(file, row, entry, isAccess);\n",
            replace: "    if (isPoisoned(file)) dropOwned(file, row, entry, isAccess);\n",
          },
        ],
      },
    ],
    prepare(core, world) {
      const prepared = withQueue(core, world);
      must(core, OTHER, "closeNumber", world.file, core.constant("FILE_BY_NUMBER"));
      return prepared;
    },
    *program(_core, _world, { fd }, log) {
      yield call("queueFileClose", fd!);
      yield* log.attend(VICTIM);
    },
  },
];

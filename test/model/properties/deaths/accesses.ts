// SPDX-License-Identifier: GPL-2.0-only
//
// Deaths of threads that have an access, at rest and in its calls: its pins go, its address space is free of it, its object and its row go,
// and so may the file that the row kept.

import { must, type World } from "../../world.ts";
import { call, type Core } from "../../../../bindings/explorer/model.js";
import { makeSpace, spaceNow } from "../../space-calls.ts";
import { OTHER, VICTIM, mapPage, lock, type Prepared, type Scenario } from "./scenario.ts";

const PROFILES = ["mainline"] as const;
/** The page of user memory that scenarios map: space-calls.ts maps page 100 + n at page n. */
export const IOVA_PAGE = 156;
export const IOVA = BigInt(IOVA_PAGE) * 4096n;
const PAGE = 4096n;

/** An address space that shows a page of user memory. */
export function withPage(core: Core, world: World): number {
  mapPage(core);
  const ioas = makeSpace(core, world, OTHER);
  spaceNow(core, OTHER, "map", world, ioas, IOVA_PAGE, 1);
  return ioas;
}

/** An access of that thread, on the address space, which has pinned the page twice. Return: what names it. */
export function withPins(core: Core, world: World, ioas: number, thread: number): Prepared {
  const pins = core.constant("ACCESS_PINS");
  const number = must(core, thread, "accessCreate", world.file, world.expected, pins);
  const at = world.slots[thread]! + core.constant("THREAD_RESULT0");
  const [id, serial] = [core.u32(at), core.u32(at + 4)];
  must(core, thread, "accessAttach", number, id, serial, ioas, 0);
  must(core, thread, "accessPin", number, id, serial, IOVA, PAGE, 0);
  must(core, thread, "accessPin", number, id, serial, IOVA, PAGE, 1);
  return { ioas, number, id, serial };
}

const pinning = (core: Core, world: World): Prepared => withPins(core, world, withPage(core, world), VICTIM);

export const ACCESSES: readonly Scenario[] = [
  {
    // It dies behind its program, as all do.
    name: "access-idle",
    profiles: PROFILES,
    states: 1,
    quick: true,
    reaped: true,
    prepare: pinning,
    *program() {},
    twins: [
      {
        name: "accesses-of-the-dead-stay",
        edits: [
          {
            file: "core/reap.ts",
            find: "  blocked = recoverOwners();\n",
            replace: "",
          },
          { file: "core/reap.ts", find: 'import { recoverOwners } from "./abandon";\n', replace: "" },
        ],
      },
      {
        name: "pins-of-the-dead-stay",
        edits: [
          { file: "core/abandon.ts", find: "    unpinEverything(file, changetype<Access>(access));\n", replace: "" },
          { file: "core/abandon.ts", find: 'import { unpinEverything } from "./access_pin";\n', replace: "" },
          {
            file: "core/abandon.ts",
            find: "import { Access, Keeper, SLOT_PAYLOAD",
            replace: "import { Keeper, SLOT_PAYLOAD",
          },
        ],
      },
      {
        name: "address-space-counts-the-dead",
        edits: [
          { file: "core/abandon.ts", find: "    detach(file, access);\n", replace: "" },
          { file: "core/abandon.ts", find: "import { detach, noteOf }", replace: "import { noteOf }" },
          {
            file: "core/object.ts",
            find: "  else if (isAccess(typeOfSlot(slot))) accessGone(file, slot + SLOT_PAYLOAD);\n",
            replace: "",
          },
          { file: "core/object.ts", find: 'import { accessGone } from "./attached";\n', replace: "" },
          {
            file: "core/object.ts",
            find: "import { classOfType, isAccess, isIoas }",
            replace: "import { classOfType, isIoas }",
          },
        ],
      },
    ],
  },
  {
    // The row is the last that keeps the file.
    name: "access-idle-closed",
    profiles: PROFILES,
    states: 1,
    reaped: true,
    prepare(core, world) {
      const prepared = pinning(core, world);
      must(core, OTHER, "closeNumber", world.file, core.constant("FILE_BY_NUMBER"));
      return prepared;
    },
    *program() {},
    twins: [
      {
        name: "row-is-free-after-the-files-were-asked",
        edits: [
          {
            file: "core/reap.ts",
            find: "  blocked = recoverOwners();\n  return blocked != DONE ? blocked : recoverFiles();\n",
            replace: "  blocked = recoverFiles();\n  return blocked != DONE ? blocked : recoverOwners();\n",
          },
        ],
      },
    ],
  },
  {
    // Somebody else has a user of the object: it stays, with that one.
    name: "access-idle-kept",
    profiles: PROFILES,
    states: 1,
    prepare(core, world) {
      const prepared = pinning(core, world);
      must(core, OTHER, "putKeepUser", world.file, lock(core, world, prepared.id!, OTHER));
      return prepared;
    },
    *program() {},
    twins: [
      {
        name: "object-goes-from-under-its-users",
        edits: [{ file: "core/owned.ts", find: "usersOf(word) == own + 1;", replace: "usersOf(word) >= own + 1;" }],
      },
    ],
  },
  {
    // In a row that was another access': its object has lost its driver, and then its other user.
    name: "access-create",
    profiles: PROFILES,
    states: 1,
    reaped: true,
    prepare(core, world) {
      const { file, expected, slots } = world;
      const number = must(core, VICTIM, "accessCreate", file, expected, 0);
      const at = slots[VICTIM]! + core.constant("THREAD_RESULT0");
      const [id, serial] = [core.u32(at), core.u32(at + 4)];
      must(core, OTHER, "putKeepUser", file, lock(core, world, id, OTHER));
      must(core, VICTIM, "accessDestroy", number, id, serial, 1);
      must(core, OTHER, "dropReference", file, expected, id, serial);
      return {};
    },
    *program(core, { file, expected }) {
      yield call("accessCreate", file, expected, core.constant("ACCESS_PINS"));
    },
    twins: [
      {
        name: "row-remembers-what-it-was-of",
        edits: [
          {
            file: "core/keeper.ts",
            find: '  store32(row + offsetof<Keeper>("id"), 0); // who names the row\'s last owner may be looking\n',
            replace: "",
          },
        ],
      },
    ],
  },
  {
    name: "access-pin",
    profiles: PROFILES,
    poisons: true,
    states: 1,
    prepare: pinning,
    *program(_core, _world, { number, id, serial }) {
      yield call("accessUnpin", number!, id!, serial!, IOVA, PAGE);
      yield call("accessPin", number!, id!, serial!, IOVA, PAGE, 0);
    },
  },
  {
    name: "access-destroy",
    profiles: PROFILES,
    poisons: true,
    states: 2, // poisoned with the pins, or without
    prepare: pinning,
    *program(_core, { file }, { number, id, serial }, log) {
      yield call("accessUnpinAll", number!, id!, serial!);
      yield* log.settle(VICTIM, file, yield call("accessDestroy", number!, id!, serial!, 1));
    },
  },
  {
    // Somebody has the object locked: it waits, gives up, and waits again.
    name: "access-destroy-waits",
    profiles: PROFILES,
    poisons: true,
    states: 1,
    prepare(core, world) {
      const prepared = pinning(core, world);
      must(core, VICTIM, "accessUnpinAll", prepared.number!, prepared.id!, prepared.serial!);
      lock(core, world, prepared.id!, OTHER);
      return prepared;
    },
    *program(_core, { file }, { number, id, serial }, log) {
      for (let time = 0; time < 2; time++) {
        yield call("accessDestroy", number!, id!, serial!, 0);
        yield call("destroyCancel", file, log.result(VICTIM, 0));
      }
      yield call("accessDestroy", number!, id!, serial!, 0);
    },
    twins: [
      {
        name: "given-up-wait-forgets-the-owner",
        edits: [
          {
            file: "core/destroy.ts",
            find: '  if (owner != 0) changeNote(owner + offsetof<Keeper>("payload"), slot + SLOT_PAYLOAD);\n',
            replace: "",
          },
        ],
      },
    ],
  },
  {
    // The thread leaves, and dies at it.
    name: "access-detach",
    profiles: PROFILES,
    poisons: true,
    states: 2, // poisoned with the pins, or without
    prepare: pinning,
    *program(_core, _world, _prepared, log) {
      while ((yield call("detachNext")) !== 0) yield* log.attend(VICTIM);
    },
  },
];

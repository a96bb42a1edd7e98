// SPDX-License-Identifier: GPL-2.0-only
//
// A thread dies that has pinned a page through an access, at rest or while it leaves, and a living one has to do with the page, the access, its
// address space or its file: before, between and after, also while the reaper is at work.

import { expect } from "../../../../bindings/explorer/failure.js";
import { call, type Calls, type Core } from "../../../../bindings/explorer/model.js";
import { EBUSY, ENOENT, space, spaceNow } from "../../space-calls.ts";
import { filesOf } from "../../tables.ts";
import { must } from "../../world.ts";
import { IOVA_PAGE, withPage, withPins } from "../deaths/accesses.ts";
import { closeAndRelease, getAndPut, LIVING, type Pair, VICTIM } from "./pair.ts";

const EIO = -5;
/** _IO(';', 0x86) */
const UNMAP = 0x3b86;

/** A point of death with all that was prepared, then those of a thread that leaves. */
const leaves: Pair["victim"] = function* (core, { slots }, _prepared, log): Calls<void> {
  yield call("modelStore", slots[VICTIM]! + core.constant("THREAD_WINDOW"), 1);
  while ((yield call("detachNext")) !== 0) yield* log.attend(VICTIM);
};

const COMMON: Pick<Pair, "profiles" | "prepare" | "victim" | "every"> = {
  profiles: ["mainline"],
  every: 23,
  prepare: (core, world) => withPins(core, world, withPage(core, world), VICTIM),
  victim: leaves,
};

/** Until the row is free. */
function* rowEnds(core: Core, number: number): Calls<void> {
  const row = core.constant("KEEPERS") + number * core.constant("KEEPER_BYTES");
  for (let seen = yield call("modelLoad", row); seen !== 0; seen = yield call("modelLoad", row))
    yield call("modelPause", row, seen);
}

export const ACCESSES: readonly Pair[] = [
  {
    // It finds the pins, or does not; once the row is free, it does not.
    ...COMMON,
    name: "access-and-unmap",
    quick: true,
    *living(core, world, { ioas, number }) {
      let result = yield space("unmap", world, ioas!, IOVA_PAGE, 1);
      if (result !== core.constant("MUST_NOTIFY")) return result;
      yield* rowEnds(core, number!);
      result = yield call("ioctlAgain", world.file, UNMAP);
      // In a file that was poisoned meanwhile the pins are what they are.
      for (let time = 0; time < 100 && result === core.constant("MUST_NOTIFY"); time++)
        result = yield call("ioctlAgain", world.file, UNMAP);
      return result;
    },
    answers: [0, EIO],
  },
  {
    ...COMMON,
    name: "access-and-destroy",
    *living(_core, world, { id }, log) {
      return yield* log.settle(LIVING, world.file, yield call("destroy", world.file, world.expected, id!, 1));
    },
    answers: [EBUSY, ENOENT, EIO],
  },
  {
    // The address space is the access' until that has left it.
    ...COMMON,
    name: "access-and-destroy-space",
    *living(_core, world, { ioas }, log) {
      return yield* log.settle(LIVING, world.file, yield call("destroy", world.file, world.expected, ioas!, 1));
    },
    answers: [0, EBUSY, EIO],
  },
  {
    // Who has the object locked when its driver goes has it afterwards, too.
    ...COMMON,
    name: "access-and-get",
    living: (core, world, { id }, log) => getAndPut(core, world, id!, log),
    answers: [0, ENOENT, EIO],
  },
  {
    ...COMMON,
    name: "access-and-close",
    living: (core, { file }, _prepared, log) => closeAndRelease(core, file, LIVING, log),
    answers: [0],
    check: (core) => noFile(core),
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
    // The number is closed; the other owner of the file goes meanwhile.
    ...COMMON,
    name: "access-and-queue-close",
    prepare(core, world) {
      const prepared = withPins(core, world, withPage(core, world), VICTIM);
      spaceNow(core, LIVING, "faultQueueAlloc", world);
      must(core, LIVING, "closeNumber", world.file, core.constant("FILE_BY_NUMBER"));
      return prepared;
    },
    *living(core, _world, _prepared, log) {
      const result = yield call("queueFileClose", core.constant("FIRST_QUEUE_FD") + 1);
      yield* log.attend(LIVING);
      return result;
    },
    answers: [0],
    check: (core) => noFile(core),
  },
];

/** Whoever was last has released the file. */
function noFile(core: Core): void {
  const open = filesOf(core).filter(({ phase }) => phase !== 0);
  expect(open.length === 0, `${open.length} files stay`);
}

// SPDX-License-Identifier: GPL-2.0-only
//
// Births and ends of accesses: against the close of their file, against each other, against the end of an address space.

import { expect } from "../../../bindings/explorer/failure.js";
import { call, type Calls, type Core } from "../../../bindings/explorer/model.js";
import {
  A,
  B,
  type AccessRace,
  type AccessWorld,
  accessesOf,
  areasAndPins,
  attach,
  beginsRead,
  create,
  detach,
  driverIn,
  end,
  leave,
  makeAccess,
  propertyOf,
  read,
} from "../access-world.ts";
import { must } from "../world.ts";
import type { Property } from "../property.ts";
import { areasOf, makeSpace, space, spaceNow } from "../space-calls.ts";

const phaseOf = (core: Core, { file }: AccessWorld): string =>
  (core.u32(file + core.constant("FILE_STATE")) & core.constant("FILE_PHASE_MASK")) === 0 ? "released" : "kept";

/** In set-up: there is no access. */
function withoutAccess(core: Core, world: AccessWorld): undefined {
  const { row, id, serial } = world.device;
  must(core, 0, "accessDestroy", row, id, serial, 1);
}

const RACES: readonly AccessRace[] = [
  {
    name: "create-close",
    promise: "an access keeps its file; one that comes too late is EBADF",
    prepare: withoutAccess,
    programs: [
      function* (core, world, log): Calls<string> {
        const made = yield* create(core, world, 0);
        yield* log.attend(0);
        return typeof made === "number" ? String(made) : "made";
      },
      function* (core, { file }, log): Calls<string> {
        const result = yield call("closeNumber", file, core.constant("FILE_BY_NUMBER"));
        yield* log.attend(1);
        return String(result);
      },
    ],
    look: phaseOf,
    outcomes: ["made, 0: kept", "-9, 0: released"],
    twins: [
      {
        name: "accesses-keep-no-file", // the same as of space-queue-close
        edits: [
          { file: "core/file.ts", find: "  if (hasKeeper(file)) return true; // after the marks\n", replace: "" },
        ],
      },
    ],
  },
  {
    name: "destroy-close",
    promise: "the file goes with the later of its number and its last access",
    seconds: 4,
    programs: [
      function* (_, world, log): Calls<string> {
        return String(yield* end(world, world.device, 0, log));
      },
      function* (core, { file }, log): Calls<string> {
        const result = yield call("closeNumber", file, core.constant("FILE_BY_NUMBER"));
        yield* log.attend(1);
        return String(result);
      },
    ],
    look: phaseOf,
    outcomes: ["0, 0: released"],
    twins: [
      {
        name: "the-row-goes-last-of-all",
        edits: [
          {
            file: "core/destroy.ts",
            find: "  if (owner != 0) freeKeeper(owner);\n  fileLeave(file);\n  return result;",
            replace: "  fileLeave(file);\n  return result;",
          },
          {
            file: "core/access.ts",
            find: "  fileLeave(file);\n  return result == -EBUSY ? 0 : result;",
            replace: "  fileLeave(file);\n  if (result == 0) freeKeeper(row);\n  return result == -EBUSY ? 0 : result;",
          },
          { file: "core/access.ts", find: "import { keeperOf,", replace: "import { freeKeeper, keeperOf," },
        ],
      },
    ],
  },
  {
    name: "destroy-destroy",
    promise: "an access ends once: the later of two is EBADF",
    programs: [
      function* (_, world, log): Calls<string> {
        return String(yield* end(world, world.device, 0, log));
      },
      function* (_, world, log): Calls<string> {
        return String(yield* end(world, world.device, 1, log));
      },
    ],
    look: (core, world) => `${accessesOf(core).length} left, ${areasAndPins(core, world)}`,
    outcomes: ["0, -9: 0 left, 1, 0 pinned", "-9, 0: 0 left, 1, 0 pinned"],
    twins: [
      {
        name: "the-row-is-taken-after-the-lock",
        edits: [
          {
            file: "core/access.ts",
            find: "  endOwned(row, load32(keeperState(row)));\n  unlockSpace(file);",
            replace: "  unlockSpace(file);\n  endOwned(row, load32(keeperState(row)));",
          },
        ],
      },
    ],
  },
  {
    name: "destroy-create",
    promise: "an access that is made has its row to itself, also the one that another has just left",
    programs: [
      function* (_, world, log): Calls<string> {
        return String(yield* end(world, world.device, 0, log));
      },
      function* (core, world): Calls<string> {
        const made = yield* create(core, world, 1);
        if (typeof made === "number") return String(made);
        return `${made.row === world.device.row ? "same" : "other"} ${yield attach(made, A)}`;
      },
    ],
    look: (core, world) => `${accessesOf(core).length} left, ${areasAndPins(core, world)}`,
    outcomes: ["0, same 0: 1 left, 1, 0 pinned", "0, other 0: 1 left, 1, 0 pinned"],
    twins: [
      {
        name: "the-row-is-freed-twice",
        edits: [
          {
            file: "core/destroy.ts",
            find: "  if (handle >= 0) return destroyPoll(file, handle);\n",
            replace:
              "  if (handle >= 0) {\n    const result = destroyPoll(file, handle);\n    if (result != MUST_WAIT) freeKeeper(row);\n    return result;\n  }\n",
          },
        ],
      },
    ],
  },
  {
    name: "detach-next",
    promise: "who names an access that has ended does not reach the one that has its row, and its ID, next",
    programs: [
      function* (core, world, log): Calls<string> {
        const ended = yield* end(world, world.device, 0, log);
        const made = yield* create(core, world, 0);
        if (typeof made === "number") return `${ended} ${made}`;
        expect(made.row === world.device.row && made.id === world.device.id, "row or ID are others");
        return `${ended} ${yield attach(made, A)}`;
      },
      function* (_, { device }): Calls<string> {
        return String(yield detach(device));
      },
    ],
    look(core) {
      const [next] = accessesOf(core);
      return next ? `next ${core.call(0, "accessDetach", next.row, next.id, next.serial)}` : "no next";
    },
    outcomes: ["0 0, 0: next 0", "0 0, -9: next 0"],
    twins: [
      {
        name: "the-serial-is-not-asked",
        edits: [
          {
            file: "core/access.ts",
            find: '    if (isOpen && isNamed && <f64>load64(row + offsetof<Keeper>("serial")) == serial) return row;',
            replace: "    if (isOpen && isNamed && serial != 0) return row;",
          },
        ],
      },
    ],
  },
  {
    name: "attach-destroy",
    promise: "an address space that an access goes to is busy, or gone before",
    prepare(core, { device }) {
      must(core, 0, "accessDetach", device.row, device.id, device.serial);
      return undefined;
    },
    programs: [
      function* (_, { device }): Calls<string> {
        return String(yield attach(device, B));
      },
      function* (_, world): Calls<string> {
        return String(yield space("destroy", world, B));
      },
    ],
    look: (core, world) => areasOf(core, world, B),
    outcomes: ["0, -16: empty", "-2, 0: no"],
    twins: [
      {
        name: "attach-lets-it-go-first",
        edits: [
          {
            file: "core/access.ts",
            find: "    result = access.leaving != 0 ? -EBUSY : attach(file, access, handle, replaces);\n    putSlowly(file, handle);",
            replace:
              "    putSlowly(file, handle);\n    result = access.leaving != 0 ? -EBUSY : attach(file, access, handle, replaces);",
          },
        ],
      },
      {
        name: "attach-holds-nothing",
        edits: [
          {
            file: "core/access.ts",
            find: "  holdEntry(file, noteOf(changetype<usize>(access)), changetype<HoldRecord>(recordOf(handle)).target);\n",
            replace: "",
          },
        ],
      },
    ],
  },
  {
    name: "detach-destroy",
    promise: "an address space can be destroyed once its last access has left",
    programs: [
      function* (_, { device }): Calls<string> {
        return `${yield leave(device)} ${yield detach(device)}`;
      },
      function* (_, world): Calls<string> {
        return String(yield space("destroy", world, A));
      },
    ],
    look: (core, world) => areasOf(core, world, A),
    outcomes: ["1 0, -16: 1", "1 0, 0: no"],
    twins: [
      {
        name: "detach-lets-nothing-go",
        edits: [
          {
            file: "core/access.ts",
            find: "  forgetAccess(changetype<Access>(access));\n  dropHold(noteOf(access), file);\n",
            replace: "  forgetAccess(changetype<Access>(access));\n",
          },
        ],
      },
    ],
  },
  {
    name: "leave-copy-elsewhere",
    promise:
      "a thread that copies for an access of another file now keeps the one that it copied for before from nothing",
    prepare(core, world) {
      const file = must(core, 0, "open");
      const expected = core.u32(world.slots[0]! + core.constant("THREAD_RESULT0"));
      const other = { ...world, file, expected };
      makeSpace(core, other);
      spaceNow(core, 0, "map", other, A, 1, 1);
      beginsRead(core, world.device, 0);
      core.call(0, "segmentEnd");
      return { ...makeAccess(core, other) };
    },
    programs: [
      function* (core, world): Calls<string> {
        const first = yield* read(core, world, driverIn(world.more), 0);
        return `${first} ${yield* read(core, world, driverIn(world.more), 0)}`;
      },
      function* (_, { device }): Calls<string> {
        const left = yield leave(device);
        return `${left} ${yield detach(device)}`;
      },
    ],
    look: areasAndPins,
    outcomes: ["copied copied, 1 0: 1, 0 pinned"],
    twins: [
      {
        name: "it-is-not-asked-for-whom",
        edits: [
          {
            file: "core/access.ts",
            find: '    if (load32(thread + offsetof<Thread>("copyingFor")) == <u32>changetype<usize>(access)) return true;',
            replace: "    return true;",
          },
        ],
      },
      {
        name: "for-whom-is-asked-first",
        edits: [
          {
            file: "core/access.ts",
            find: "    if (load32(copyingOf(thread)) == 0) continue;\n",
            replace:
              '    const copiesFor = load32(thread + offsetof<Thread>("copyingFor"));\n    if (load32(copyingOf(thread)) == 0) continue;\n',
          },
          {
            file: "core/access.ts",
            find: '    if (load32(thread + offsetof<Thread>("copyingFor")) == <u32>changetype<usize>(access)) return true;',
            replace: "    if (copiesFor == <u32>changetype<usize>(access)) return true;",
          },
        ],
      },
    ],
  },
];

export const ACCESS_LIVES: readonly Property[] = RACES.map(propertyOf);

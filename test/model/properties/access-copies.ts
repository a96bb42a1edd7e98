// SPDX-License-Identifier: GPL-2.0-only
//
// Copies of accesses against what takes their memory or their access away. Whoever has unmapped the memory writes to it: a copy that is
// still on it is a race. The argument is at the head of access_copy.ts.

import { type Calls } from "../../../bindings/explorer/model.js";
import {
  A,
  type AccessRace,
  areasAndPins,
  beginsRead,
  detach,
  EBUSY,
  end,
  isWaitedFor,
  leave,
  propertyOf,
  read,
  readOn,
  unmap,
} from "../access-world.ts";
import type { Property, Twin } from "../property.ts";
import { areasOf, space, spaceNow } from "../space-calls.ts";

const WAKES_NOBODY: Twin = {
  name: "the-end-wakes-nobody",
  edits: [
    {
      file: "core/access_copy.ts",
      find: "  notify(copiesOf(thread), -1);\n}\n\n/** Context: acting as",
      replace: "}\n\n/** Context: acting as",
    },
  ],
};

const RACES: readonly AccessRace[] = [
  {
    name: "copy-unmap",
    promise: "UNMAP returns when nobody copies there any more, and is woken",
    quick: true,
    programs: [(core, world) => read(core, world, world.device, 0), (_, world) => unmap(world)],
    look: areasAndPins,
    outcomes: ["copied, 0: empty, 0 pinned", "-2, 0: empty, 0 pinned"],
    twins: [
      {
        name: "unmap-looks-for-no-copy",
        edits: [
          {
            file: "core/io_pagetable.ts",
            find: "        if (result == GO_ON && changetype<Ioas>(ioas).accesses != 0) copier = copierOf(found);\n",
            replace: "",
          },
        ],
      },
      WAKES_NOBODY,
      {
        name: "the-number-is-read-after-the-look",
        edits: [
          {
            file: "core/io_pagetable.ts",
            find: "    const ended = load32(copiesOf(thread)); // before the look\n    if (load32(copyingOf(thread)) != <u32>area) continue;\n",
            replace:
              "    if (load32(copyingOf(thread)) != <u32>area) continue;\n    const ended = load32(copiesOf(thread));\n",
          },
        ],
      },
      {
        name: "the-end-is-counted-before-it-is-one",
        edits: [
          {
            file: "core/access_copy.ts",
            find: "unpin();\n  store32(copyingOf(thread), 0);\n  store32(copiesOf(thread), load<u32>(copiesOf(thread)) + 1);\n",
            replace:
              "unpin();\n  store32(copiesOf(thread), load<u32>(copiesOf(thread)) + 1);\n  store32(copyingOf(thread), 0);\n",
          },
        ],
      },
      {
        name: "the-area-is-named-after-the-lock",
        edits: [
          {
            file: "core/access_copy.ts",
            find: "  return leave(fileOf(row), segment(accessOf(row), iova, length, writes));",
            replace:
              "  const reach = leave(fileOf(row), segment(accessOf(row), iova, length, writes));\n  if (reach > 0) store32(copyingOf(current()), changetype<Thread>(current()).building);\n  return reach;",
          },
          {
            file: "core/access_copy.ts",
            find: "  store64(copyingOf(current()), ((<u64>changetype<usize>(access)) << 32) | (<u32>found));\n  return result;",
            replace: "  thread.building = <u32>found;\n  return result;",
          },
        ],
      },
    ],
  },
  {
    name: "copy-unmap-map-copy",
    promise: "who waits for a copy does not wait for the next one, of an area that lies where that one did",
    seconds: 4,
    prepare(core, world) {
      spaceNow(core, 0, "map", world, A, 3, 1);
      beginsRead(core, world.device, 0);
      return undefined;
    },
    programs: [
      function* (core, world): Calls<string> {
        const first = yield* readOn(core, world, 0);
        const unmapped = yield space("unmap", world, A, 1, 1);
        const mapped = yield space("map", world, A, 2, 1);
        const second = yield* read(core, world, world.device, 0, 2);
        return [first, unmapped, mapped, second].join(" ");
      },
      function* (_, world): Calls<string> {
        return String(yield space("unmap", world, A, 1, 1));
      },
    ],
    look: (core, world) => areasOf(core, world, A),
    outcomes: ["copied 0 0 copied, -2: 2+3", "copied -2 0 copied, 0: 2+3"],
    twins: [
      {
        name: "unmap-sleeps-on-the-area",
        edits: [
          {
            file: "core/io_pagetable.ts",
            find: "    changetype<Thread>(current()).result3 = ended;",
            replace: "    changetype<Thread>(current()).result3 = <u32>area + 0 * ended;",
          },
          {
            file: "core/io_pagetable.ts",
            find: "  if (changetype<Thread>(current()).mayBlock != 0) wait32(copiesOf(thread), ended, -1);",
            replace: "  if (changetype<Thread>(current()).mayBlock != 0) wait32(copyingOf(thread), ended, -1);",
          },
          {
            file: "core/access_copy.ts",
            find: "  notify(copiesOf(thread), -1);\n}\n\n/** Context: acting as",
            replace: "  notify(copyingOf(thread), -1);\n}\n\n/** Context: acting as",
          },
        ],
      },
    ],
  },
  {
    name: "copy-prevented",
    promise: "once UNMAP waits for a copy of an area no other one of it begins",
    prepare(core, world) {
      beginsRead(core, world.device, 0);
      return undefined;
    },
    programs: [
      (core, world) => readOn(core, world, 0),
      (_, world) => unmap(world),
      function* (core, world): Calls<string> {
        if ((yield isWaitedFor(core, world, 0)) === 0) return "early";
        return yield* read(core, world, world.device, 2);
      },
    ],
    look: areasAndPins,
    outcomes: [
      "copied, 0, early: empty, 0 pinned",
      "copied, 0, -22: empty, 0 pinned",
      "copied, 0, -2: empty, 0 pinned",
    ],
    twins: [
      {
        name: "waiting-prevents-nothing",
        edits: [
          {
            file: "core/io_pagetable.ts",
            find: "    changetype<Area>(area).preventAccess = 1;\n    store32(thread",
            replace: "    store32(thread",
          },
        ],
      },
      {
        name: "a-copy-does-not-ask",
        edits: [
          {
            file: "core/access_copy.ts",
            find: "  if (area.pages == 0 || area.preventAccess != 0) return -EINVAL;",
            replace: "  if (area.pages == 0) return -EINVAL;",
          },
        ],
      },
    ],
  },
  {
    name: "copy-copy-unmap",
    promise: "UNMAP waits for every copy of an area",
    prepare(core, world) {
      beginsRead(core, world.device, 0);
      beginsRead(core, world.device, 2);
      return undefined;
    },
    programs: [
      (core, world) => readOn(core, world, 0),
      (_, world) => unmap(world),
      (core, world) => readOn(core, world, 2),
    ],
    look: areasAndPins,
    outcomes: ["copied, 0, copied: empty, 0 pinned"],
    twins: [
      {
        name: "who-was-waited-for-once-is-the-only-one",
        edits: [
          {
            file: "core/io_pagetable.ts",
            find: "        if (result == GO_ON && changetype<Ioas>(ioas).accesses != 0) copier",
            replace:
              "        if (result == GO_ON && changetype<Ioas>(ioas).accesses != 0 && changetype<Area>(found).preventAccess == 0) copier",
          },
        ],
      },
      WAKES_NOBODY,
    ],
  },
  {
    name: "two-unmaps-copy",
    promise: "two UNMAPs that wait for the same copy are both woken; one of them unmaps",
    seconds: 4,
    prepare(core, world) {
      beginsRead(core, world.device, 0);
      return undefined;
    },
    programs: [
      (core, world) => readOn(core, world, 0),
      (_, world) => unmap(world),
      function* (_, world): Calls<string> {
        return String(yield space("unmap", world, A, 1, 1));
      },
    ],
    look: areasAndPins,
    outcomes: ["copied, 0, -2: empty, 0 pinned", "copied, -2, 0: empty, 0 pinned"],
    twins: [
      {
        name: "the-end-wakes-one",
        edits: [
          {
            file: "core/access_copy.ts",
            find: "  notify(copiesOf(thread), -1);\n}\n\n/** Context: acting as",
            replace: "  notify(copiesOf(thread), 1);\n}\n\n/** Context: acting as",
          },
        ],
      },
    ],
  },
  {
    name: "dead-copy-unmap",
    promise: "a copy whose thread dies ends with the reaping, and UNMAP goes on",
    seconds: 2, // a reaper is long: for each of the points of death
    dies: true,
    prepare(core, world) {
      beginsRead(core, world.device, 0);
      return undefined;
    },
    programs: [(core, world) => readOn(core, world, 0), (_, world) => unmap(world)],
    look: areasAndPins,
    outcomes: ["copied, 0: empty, 0 pinned", "dead, 0: empty, 0 pinned"],
    twins: [
      {
        name: "reaper-does-not-count-the-copy",
        edits: [
          {
            file: "core/access_copy.ts",
            find: '  store32(copiesOf(thread), load<u32>(copiesOf(thread)) + 1);\n  store32(thread + offsetof<Thread>("copyWaited"), 0);\n',
            replace: '  store32(thread + offsetof<Thread>("copyWaited"), 0);\n',
          },
        ],
      },
      {
        name: "reaper-wakes-nobody",
        edits: [
          {
            file: "core/access_copy.ts",
            find: '  store32(copiesOf(thread), load<u32>(copiesOf(thread)) + 1);\n  store32(thread + offsetof<Thread>("copyWaited"), 0);\n  notify(copiesOf(thread), -1);',
            replace:
              '  store32(copiesOf(thread), load<u32>(copiesOf(thread)) + 1);\n  store32(thread + offsetof<Thread>("copyWaited"), 0);',
          },
        ],
      },
    ],
  },
  {
    name: "copy-detach",
    promise: "an access that copies stays attached, and one that leaves does not begin to copy",
    programs: [
      (core, world) => read(core, world, world.device, 0),
      function* (_, { device }): Calls<string> {
        const left = yield leave(device);
        if (left !== 1) return `leave ${left}`;
        return `detach ${yield detach(device)}`;
      },
    ],
    look: areasAndPins,
    outcomes: ["copied, leave -16: 1, 0 pinned", "copied, detach 0: 1, 0 pinned", "-2, detach 0: 1, 0 pinned"],
    twins: [
      {
        name: "who-leaves-may-begin-to-copy",
        edits: [
          {
            file: "core/access_copy.ts",
            find: "  if (access.ioas == 0 || access.leaving != 0) return -ENOENT;",
            replace: "  if (access.ioas == 0) return -ENOENT;",
          },
        ],
      },
      {
        name: "who-copies-may-leave",
        edits: [
          {
            file: "core/access.ts",
            find: "  else if (access.leaving != 0 || isCopied(access)) result = -EBUSY;",
            replace: "  else if (access.leaving != 0) result = -EBUSY;",
          },
        ],
      },
    ],
  },
  {
    name: "copy-destroy",
    promise: "an access that copies is not ended, so UNMAP finds its copy",
    programs: [
      (core, world) => read(core, world, world.device, 0),
      function* (_, world, log): Calls<string> {
        const ended = yield* end(world, world.device, 1, log);
        return ended === EBUSY ? String(ended) : `${ended} ${yield* unmap(world)}`;
      },
    ],
    look: areasAndPins,
    outcomes: ["copied, -16: 1, 0 pinned", "copied, 0 0: empty, 0 pinned", "-9, 0 0: empty, 0 pinned"],
    twins: [
      {
        name: "its-copies-are-not-looked-for",
        edits: [
          {
            file: "core/access.ts",
            find: "  if (isCopied(access) || (isWhole && access.pins != 0)) return leave(file, -EBUSY);",
            replace: "  if (isWhole && access.pins != 0) return leave(file, -EBUSY);",
          },
        ],
      },
    ],
  },
];

export const ACCESS_COPIES: readonly Property[] = RACES.map(propertyOf);

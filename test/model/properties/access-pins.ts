// SPDX-License-Identifier: GPL-2.0-only
//
// Pins of accesses against UNMAP, against each other and against what takes their access away. What is pinned is counted exactly: at the
// end of each execution everything is let go of, and no page is pinned or charged.

import { call, type Calls, type Core } from "../../../bindings/explorer/model.js";
import {
  A,
  type AccessRace,
  type AccessWorld,
  areasAndPins,
  asksInVain,
  chargedPages,
  detach,
  driverIn,
  leave,
  makeAccess,
  pin,
  pinNow,
  propertyOf,
  unmap,
  unpin,
  unpinAll,
} from "../access-world.ts";
import { must } from "../world.ts";
import type { Property, Twin } from "../property.ts";
import { spaceNow } from "../space-calls.ts";

/** A word of the devices' buffers that no copy uses. */
const FLAG = 0x800;
const PAGE = 4096n;
const NO_CAPABILITIES = 0;

const PIN_DOES_NOT_ASK_LEAVING: Twin = {
  name: "who-leaves-may-pin",
  edits: [
    {
      file: "core/access_pin.ts",
      find: "  if (access.ioas == 0 || access.leaving != 0) return -ENOENT;",
      replace: "  if (access.ioas == 0) return -ENOENT;",
    },
  ],
};

/** In set-up: the default process is an ordinary one that may lock so many pages; what is mapped is mapped anew, as its. */
function mayLock(core: Core, world: AccessWorld, pages: bigint): void {
  must(core, 0, "setCredentials", 1, 1000, NO_CAPABILITIES);
  must(core, 0, "setMemlock", 1, pages * PAGE);
  spaceNow(core, 0, "unmap", world, A, 1, 3);
  spaceNow(core, 0, "map", world, A, 1, 3);
}

const RACES: readonly AccessRace[] = [
  {
    name: "pin-unmap",
    promise: "either pages are pinned and UNMAP asks, in vain EDEADLK, or they are unmapped and cannot be pinned",
    programs: [
      function* (_, { device }): Calls<string> {
        return String(yield pin(device, 1, 1));
      },
      (_, world) => unmap(world),
    ],
    look(core, world, [, unmapped]) {
      const vain = unmapped === "asks" ? `${asksInVain(core, world, 1)} ` : "";
      return `${vain}${areasAndPins(core, world)}`;
    },
    outcomes: ["0, asks: -35 1, 1 pinned", "-2, 0: empty, 0 pinned"],
    twins: [
      {
        name: "unmap-does-not-look-at-pins",
        edits: [
          {
            file: "core/io_pagetable.ts",
            find: "  if (area.accesses == 0) return GO_ON;",
            replace: "  if (area.accesses == 0 || area.preventAccess == 0) return GO_ON;",
          },
        ],
      },
      {
        name: "pin-lets-the-lock-go-first",
        edits: [
          {
            file: "core/access_pin.ts",
            find: "  return leave(fileOf(row), pin(fileOf(row), accessOf(row), iova, last, writes));",
            replace:
              "  const file = fileOf(row);\n  const access = accessOf(row);\n  leave(file, 0);\n  return pin(file, access, iova, last, writes);",
          },
        ],
      },
    ],
  },
  {
    name: "pin-unpin-unmap",
    promise: "an UNMAP that has asked goes on when the pin is undone",
    programs: [
      function* (_, { device, buffers }): Calls<string> {
        const pinned = yield pin(device, 1, 1);
        if (pinned !== 0) return String(pinned);
        const undone = yield unpin(device, 1, 1);
        yield call("modelStore", buffers + FLAG, 1);
        return `${pinned} ${undone}`;
      },
      (_, world) =>
        unmap(world, {
          *asked() {
            yield call("modelPause", world.buffers + FLAG, 0);
          },
        }),
    ],
    look: areasAndPins,
    outcomes: ["0 0, 0 asked 1: empty, 0 pinned", "0 0, 0: empty, 0 pinned", "-2, 0: empty, 0 pinned"],
    twins: [
      {
        name: "unpin-forgets-the-area",
        edits: [{ file: "core/access_pin.ts", find: "    area.accesses--;\n", replace: "" }],
      },
      {
        name: "unpin-lets-the-lock-go-first",
        edits: [
          {
            file: "core/access_pin.ts",
            find: "  return leave(fileOf(row), unpinRange(fileOf(row), accessOf(row), iova, length));",
            replace:
              "  const file = fileOf(row);\n  const access = accessOf(row);\n  leave(file, 0);\n  return unpinRange(file, access, iova, length);",
          },
        ],
      },
    ],
  },
  {
    name: "pin-asked-pin",
    promise: "once UNMAP has asked for an area no new pin of it comes",
    seconds: 4,
    prepare(core, world) {
      pinNow(core, world, 1, 1);
      return undefined;
    },
    programs: [
      function* (_, { device }): Calls<string> {
        return String(yield pin(device, 1, 1));
      },
      (_, world) =>
        unmap(world, {
          *asked() {
            yield unpinAll(world.device);
          },
        }),
    ],
    look: areasAndPins,
    outcomes: ["0, 0 asked 1: empty, 0 pinned", "-22, 0 asked 1: empty, 0 pinned", "-2, 0 asked 1: empty, 0 pinned"],
    twins: [
      {
        name: "asking-prevents-nothing",
        edits: [
          {
            file: "core/io_pagetable.ts",
            find: "  area.preventAccess = 1;\n  thread.unmapAt",
            replace: "  thread.unmapAt",
          },
        ],
      },
      {
        name: "a-pin-does-not-ask",
        edits: [
          {
            file: "core/access_pin.ts",
            find: "  if (area.pages == 0 || area.preventAccess != 0) return -EINVAL;",
            replace: "  if (area.pages == 0) return -EINVAL;",
          },
        ],
      },
    ],
  },
  {
    name: "pin-pin",
    promise: "pages that two accesses pin are charged once, and go with the last pin",
    pages: 3,
    prepare(core, world) {
      mayLock(core, world, 3n);
      return { ...makeAccess(core, world) };
    },
    programs: [
      function* (_, { device }): Calls<string> {
        return String(yield pin(device, 1, 2));
      },
      function* (_, { more }): Calls<string> {
        const pinned = yield pin(driverIn(more), 2, 2);
        return `${pinned} ${yield unpin(driverIn(more), 2, 2)}`;
      },
    ],
    look: (core, world) => `${areasAndPins(core, world)}, ${chargedPages(core)} charged`,
    outcomes: ["0, 0 0: 1, 2 pinned, 2 charged"],
    twins: [
      {
        name: "what-is-pinned-is-charged-again",
        edits: [
          {
            file: "core/pin.ts",
            find: "!charge(object, object.pinned - before)",
            replace: "!charge(object, <u32>(last - first + 1))",
          },
        ],
      },
      {
        name: "a-range-goes-with-any-pin",
        edits: [{ file: "core/pin.ts", find: "    if (range.count == 0) {", replace: "    if (range.count <= 1) {" }],
      },
    ],
  },
  {
    name: "pin-pin-limit",
    promise: "of two pins that together are more than may be locked one is ENOMEM, and changes nothing",
    pages: 3,
    prepare(core, world) {
      mayLock(core, world, 2n);
      return { ...makeAccess(core, world) };
    },
    programs: [
      function* (_, { device }): Calls<string> {
        return String(yield pin(device, 1, 2));
      },
      function* (_, { more }): Calls<string> {
        return String(yield pin(driverIn(more), 2, 2));
      },
    ],
    look: (core, world) => `${areasAndPins(core, world)}, ${chargedPages(core)} charged`,
    outcomes: ["0, -12: 1, 2 pinned, 2 charged", "-12, 0: 1, 2 pinned, 2 charged"],
    twins: [
      {
        name: "who-fails-keeps-the-pages",
        edits: [{ file: "core/pin.ts", find: "  else drop(file, pages, first, last);\n", replace: "" }],
      },
    ],
  },
  {
    name: "pin-detach",
    promise: "an access whose driver has let go when it was asked can leave: no pin came in between",
    seconds: 4,
    programs: [
      function* (_, { device }): Calls<string> {
        return String(yield pin(device, 1, 1));
      },
      function* (_, { device }): Calls<string> {
        const left = yield leave(device);
        yield unpinAll(device);
        return `${left} ${yield detach(device)}`;
      },
    ],
    look: areasAndPins,
    outcomes: ["0, 1 0: 1, 0 pinned", "-2, 1 0: 1, 0 pinned"],
    twins: [PIN_DOES_NOT_ASK_LEAVING],
  },
  {
    name: "pin-detach-busy",
    promise: "an access whose driver keeps pages stays attached",
    programs: [
      function* (_, { device }): Calls<string> {
        return String(yield pin(device, 1, 1));
      },
      function* (_, { device }): Calls<string> {
        const left = yield leave(device);
        return `${left} ${yield detach(device)}`;
      },
    ],
    look: areasAndPins,
    outcomes: ["0, 1 -16: 1, 1 pinned", "-2, 1 0: 1, 0 pinned"],
    twins: [
      {
        name: "detach-does-not-look-at-pins",
        edits: [
          {
            file: "core/access.ts",
            find: "  else if (access.pins != 0 || isCopied(access)) result = -EBUSY;\n  else detach(file, changetype<usize>(access));",
            replace: "  else if (isCopied(access)) result = -EBUSY;\n  else detach(file, changetype<usize>(access));",
          },
        ],
      },
    ],
  },
];

export const ACCESS_PINS: readonly Property[] = RACES.map(propertyOf);

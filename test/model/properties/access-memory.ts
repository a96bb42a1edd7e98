// SPDX-License-Identifier: GPL-2.0-only
//
// What becomes of the memory that an address space shows while a device copies or pins it: it is unmapped, its process ends, its file
// becomes shorter. A copy is over before the page is wiped, and a pinned page stays.

import { expect } from "../../../bindings/explorer/failure.js";
import { call, type Calls, type Core } from "../../../bindings/explorer/model.js";
import { A, type AccessRace, areasAndPins, pin, pinNow, propertyOf, read, unpin, VA } from "../access-world.ts";
import { must } from "../world.ts";
import type { Property, Twin } from "../property.ts";
import { FIXED, RIGHTS, space, spaceNow } from "../space-calls.ts";

const PAGE = 4096;
const WORD = 0x5a5a_1234;
const READ_WRITE = 3;
const MAP_FILE = 0x8f;
/** What page 3 of an address space shows, by space-calls.ts. */
const THIRD = VA + 2n * BigInt(PAGE);

/** The same as of keep-pin-unmap. */
const UNMAP_DOES_NOT_LOOK_AT_PINS: Twin = {
  name: "unmap-does-not-look-at-pins",
  edits: [
    {
      file: "core/gup.ts",
      find: '  if ((load32(row + offsetof<Mapping>("pins")) != 0 || isCopied(row)) && leaveToPins(row)) return;\n',
      replace: "",
    },
  ],
};

/** In set-up: a second process, in which thread 1 is, with memory that the address space shows as page 3. Return: its number. */
function mapInSecond(core: Core, world: Parameters<NonNullable<AccessRace["prepare"]>>[1]): Record<string, number> {
  const pid = must(core, 1, "makeProcess", 7, 0, BigInt(8 * PAGE));
  core.call(1, "mapDone");
  must(core, 1, "useProcess", pid);
  const row = must(core, 1, "map", THIRD, BigInt(PAGE), READ_WRITE);
  core.call(1, "mapDone");
  core.setU32(core.u32(row + core.constant("MAPPING_BACKING")), WORD + 3);
  spaceNow(core, 1, "map", world, A, 3, 1);
  must(core, 1, "useProcess", 1);
  return { pid };
}

const RACES: readonly AccessRace[] = [
  {
    name: "copy-munmap",
    promise: "munmap() waits for a copy by IOVA, as for any other; one that comes later is EFAULT",
    programs: [
      (core, world) => read(core, world, world.device, 0),
      function* (): Calls<string> {
        return String(yield call("unmap", VA));
      },
    ],
    look(core, world) {
      // Pages of nobody are zero.
      expect(core.u32(world.memory) === 0, "the page is not wiped");
      return areasAndPins(core, world);
    },
    outcomes: ["copied, 0: 1, 0 pinned", "-14, 0: 1, 0 pinned"],
    twins: [
      {
        name: "the-mapping-is-let-go-before-the-copy",
        edits: [
          {
            file: "core/access_copy.ts",
            find: "    thread.result1 = <u32>backingOf(start);\n",
            replace: "    thread.result1 = <u32>backingOf(start);\n    unpin();\n",
          },
        ],
      },
      {
        name: "the-mapping-is-never-let-go",
        edits: [
          {
            file: "core/access_copy.ts",
            find: '  if (load<u32>(thread + offsetof<Thread>("pinned")) != 0) unpin();\n',
            replace: "",
          },
        ],
      },
    ],
  },
  {
    name: "pin-munmap",
    promise: "a page that a device has pinned outlasts munmap(), and can be copied as long",
    seconds: 4,
    programs: [
      function* (core, world): Calls<string> {
        const pinned = yield pin(world.device, 1, 1);
        return `${pinned} ${yield* read(core, world, world.device, 0)}`;
      },
      function* (): Calls<string> {
        return String(yield call("unmap", VA));
      },
    ],
    look: areasAndPins,
    outcomes: ["0 copied, 0: 1, 1 pinned", "-14 -14, 0: 1, 0 pinned"],
    twins: [UNMAP_DOES_NOT_LOOK_AT_PINS],
  },
  {
    name: "copy-last-unpin",
    promise: "a page that only a pin keeps is not wiped before the copies of it are over",
    seconds: 4,
    prepare(core, world) {
      pinNow(core, world, 1, 1);
      must(core, 0, "unmap", VA);
      return undefined;
    },
    programs: [
      (core, world) => read(core, world, world.device, 0),
      function* (_, { device }): Calls<string> {
        return String(yield unpin(device, 1, 1));
      },
    ],
    look(core, world) {
      expect(core.u32(world.memory) === 0, "the page is not wiped");
      return areasAndPins(core, world);
    },
    outcomes: ["copied, 0: 1, 0 pinned", "-14, 0: 1, 0 pinned"],
    twins: [
      {
        name: "a-kept-page-is-not-pinned-by-its-copy",
        edits: [
          {
            file: "core/access_copy.ts",
            find: "  if (thread.result3 != 0 && thread.result2 == 0) pinKept(thread.result3);\n",
            replace: "",
          },
        ],
      },
      {
        name: "the-last-pin-does-not-look-for-copies",
        edits: [
          {
            file: "core/gup.ts",
            find: '  if (load32(row + offsetof<Mapping>("pins")) != 0 || isCopied(row)) return false;',
            replace: '  if (load32(row + offsetof<Mapping>("pins")) != 0) return false;',
          },
        ],
      },
    ],
  },
  {
    name: "pin-exit",
    promise: "so does one of a process that ends, and the pin is counted to that one",
    seconds: 4,
    prepare: mapInSecond,
    programs: [
      function* (core, world): Calls<string> {
        const pinned = yield pin(world.device, 3, 1);
        return `${pinned} ${yield* read(core, world, world.device, 0, 3)}`;
      },
      function* (_, { more }): Calls<string> {
        return String(yield call("endProcess", more["pid"] ?? 0));
      },
    ],
    look: areasAndPins,
    outcomes: ["0 copied, 0: 1+3, 1 pinned", "-14 -14, 0: 1+3, 0 pinned"],
    twins: [UNMAP_DOES_NOT_LOOK_AT_PINS],
  },
  {
    name: "map-exit-make",
    promise: "the row of a process that ends is nobody else's before the last area of its memory is unmapped",
    prepare(core, world) {
      const { pid = 0 } = mapInSecond(core, world);
      must(core, 0, "makeProcess", 8, 0, BigInt(PAGE)); // the last row
      core.call(0, "mapDone");
      return { pid, areas: core.call(0, "treeOf", core.call(0, "ioasAt", world.file, A), 0) };
    },
    programs: [
      function* (_, world): Calls<string> {
        return String(yield space("unmap", world, A, 3, 1));
      },
      function* (_, { file, more }): Calls<string> {
        yield call("endProcess", more["pid"] ?? 0);
        const made = yield call("makeProcess", 9, 0, BigInt(PAGE));
        yield call("mapDone");
        if (made < 0) return String(made);
        const area = yield call("seekRange", file, more["areas"] ?? 0, BigInt(3 * PAGE));
        expect(area === 0, "there is an area of a process whose row is another's");
        return "made";
      },
    ],
    look: areasAndPins,
    outcomes: ["0, -11: 1, 0 pinned", "0, made: 1, 0 pinned"],
    twins: [
      {
        name: "pages-hold-no-process",
        edits: [
          {
            file: "core/pages.ts",
            find: "  pages.user = <u32>holdSource(process);\n  pages.flags |= PAGES_HOLDS_SOURCE;\n",
            replace: "",
          },
        ],
      },
    ],
  },
  {
    name: "pin-truncate",
    promise: "a page of a file that becomes shorter is EINVAL, or pinned, and then it can be copied as long",
    prepare(core, { file, expected }) {
      const row = must(core, 0, "createMemfd", PAGE, PAGE);
      core.call(0, "mapDone");
      core.setU32(core.u32(row + core.constant("MEMFD_BACKING")), WORD + 3);
      const fd = core.constant("FIRST_MEMFD");
      must(
        core,
        0,
        "spaceIoctl",
        file,
        expected,
        MAP_FILE,
        40,
        FIXED | RIGHTS,
        A,
        fd,
        0n,
        BigInt(PAGE),
        3n * BigInt(PAGE),
      );
      return { generation: core.u32(row + core.constant("MEMFD_GENERATION")) };
    },
    programs: [
      function* (core, world): Calls<string> {
        const pinned = yield pin(world.device, 3, 1);
        return `${pinned} ${yield* read(core, world, world.device, 0, 3)}`;
      },
      function* (core, { more }): Calls<string> {
        return String(yield call("truncateMemfd", core.constant("FIRST_MEMFD"), more["generation"] ?? 0, 0));
      },
    ],
    look: areasAndPins,
    outcomes: ["0 copied, 0: 1+3, 1 pinned", "-22 -22, 0: 1+3, 0 pinned"],
    twins: [
      {
        name: "the-size-is-stored-plainly",
        edits: [
          {
            file: "core/memfd.ts",
            find: '    store64(file + offsetof<Memfd>("size"), ((<u64>max(end, row.written)) << 32) | bytes);',
            replace: '    store<u64>(file + offsetof<Memfd>("size"), ((<u64>max(end, row.written)) << 32) | bytes);',
          },
        ],
      },
      {
        name: "a-copy-does-not-look-at-pins",
        edits: [
          {
            file: "core/access_copy.ts",
            find: "    if (start >= size) return locatePinned(pages, offset, length, -EINVAL);",
            replace: "    if (start >= size) return -EINVAL;",
          },
        ],
      },
    ],
  },
];

export const ACCESS_MEMORY: readonly Property[] = RACES.map(propertyOf);

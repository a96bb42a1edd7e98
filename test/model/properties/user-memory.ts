// SPDX-License-Identifier: GPL-2.0-only
//
// User memory: copy × unmap, copy × protect, and map × map × unmap.
//
// A copy pins its mapping; unmap waits for it, and wipes and frees the pages only then. So a copy gets all of the old bytes or EFAULT, and
// touches no free page. New mappings never overlap, and their pages are zero, also where others have just been freed.

import { prepare, type Prepared } from "../../../bindings/explorer/core-setup.js";
import { expect } from "../../../bindings/explorer/failure.js";
import { expectRest } from "../../../bindings/explorer/final-state.js";
import { call, type Calls, type Core, type Model, type Program } from "../../../bindings/explorer/model.js";
import type { Property } from "../property.ts";
import { PROTECTION_AFTER_THE_LOCK } from "./broken.ts";

const VA = 0x10_0000n;
const EFAULT = -14;
const BYTES = 8;
const PAGE = 4096;
const WORD = 0x5a5a_1234;
const READ_ONLY = 1;

interface State extends Prepared {
  backing: number;
  free: number;
}

function* unmapper(): Calls<void> {
  const result = yield call("unmap", VA);
  expect(result === 0, `unmap answers ${result}`);
}

function mapped(core: Core): State {
  const prepared = prepare(core, "rfc", 3);
  const free = core.u32(core.constant("PAGES_USED"));
  const row = core.call(2, "map", VA, BigInt(PAGE), 3);
  if (row <= 0) throw new Error(`map answers ${row}`);
  core.call(2, "mapDone");
  const backing = core.u32(row + core.constant("MAPPING_BACKING"));
  core.setU32(backing, WORD);
  return { ...prepared, backing, free };
}

function window(core: Core, { slots }: State, thread: number): number {
  return core.u32(slots[thread]! + core.constant("THREAD_WINDOW"));
}

function copyModel(copiers: number): Model<State> {
  return {
    name: `${"copy × ".repeat(copiers)}unmap`,
    spurious: copiers === 1 ? 1 : 0,
    setup: mapped,
    run(core, state) {
      const copier = (thread: number) =>
        function* (): Program {
          const result = yield call("readUser", VA, BYTES);
          if (result === EFAULT) return "fault";
          expect(result === 0, `readUser answers ${result}`);
          expect(window(core, state, thread) === WORD, "a copy has read a page that is wiped");
          return "copied";
        };
      return {
        threads: [
          ...Array.from({ length: copiers }, (_, thread) => ({ name: `copier ${thread}`, program: copier(thread) })),
          { name: "unmapper", program: unmapper },
        ],
        finish(results) {
          expectRest(core, state);
          expect(core.u32(core.constant("MAPPING_COUNT")) === 0, "a mapping is left");
          expect(core.u32(core.constant("PAGES_USED")) === state.free, "a page is not free again");
          expect(core.u32(state.backing) === 0, "the free page is not wiped");
          return results.slice(0, copiers).map(String).sort().join(" ");
        },
      };
    },
    describeAddress: (address, { describe }) => describe(address),
  };
}

const UNPIN_WAKES_NOBODY = {
  name: "unpin-wakes-nobody",
  edits: [
    {
      file: "core/gup.ts",
      find: "  if (state == MAPPING_LEAVING) notify(pinned, -1);\n  else if",
      replace: "  if",
    },
  ],
} as const;

export const copyUnmap: Property = {
  name: "copy-unmap",
  promise:
    "unmap waits for copies and is woken by the last; a copy reads all of a mapping or nothing, never a free page",
  profiles: ["rfc"], // nothing here depends on the profile
  quick: true,
  seconds: 5,
  model: () => copyModel(1),
  judge: (outcomes) => (outcomes.size === 2 ? undefined : `only ${[...outcomes.keys()].join("; ")} were seen`),
  twins: [
    {
      name: "unmap-does-not-wait-nor-leaves-the-row-to-the-copy",
      edits: [
        { file: "core/mmap.ts", find: "  waitForPins(row);\n  finishUnmap(row);", replace: "  finishUnmap(row);" },
        {
          file: "core/gup.ts",
          find: '  if ((load32(row + offsetof<Mapping>("pins")) != 0 || isCopied(row)) && leaveToPins',
          replace: '  if (load32(row + offsetof<Mapping>("pins")) != 0 && leaveToPins',
        },
      ],
    },
    UNPIN_WAKES_NOBODY,
    {
      name: "unpin-looks-before-it-lets-go",
      edits: [
        {
          file: "core/gup.ts",
          find: "  store32(pinned, 0);\n  const state = load32(stateOf(row));",
          replace: "  const state = load32(stateOf(row));\n  store32(pinned, 0);",
        },
      ],
    },
    {
      name: "pin-comes-after-the-lock",
      edits: [
        {
          file: "core/gup.ts",
          find: "    if (reach != 0) store32(pinnedOf(current()), <u32>row);\n  }\n  unlock(MAP_LOCK, RANK_MAP);",
          replace:
            "    unlock(MAP_LOCK, RANK_MAP);\n    if (reach != 0) store32(pinnedOf(current()), <u32>row);\n    return reach;\n  }\n  unlock(MAP_LOCK, RANK_MAP);",
        },
      ],
    },
  ],
};

export const copyCopyUnmap: Property = {
  name: "copy-copy-unmap",
  promise: "the same with two copies, which unmap waits for in turn",
  profiles: ["rfc"],
  seconds: 5, // all schedules of three threads at one lock are too many
  model: () => copyModel(2),
  twins: [UNPIN_WAKES_NOBODY],
};

function protectModel(): Model<State> {
  return {
    name: "copy × protect",
    setup: mapped,
    run(core, state) {
      function* writer(): Program {
        const result = yield call("writeUser", VA, BYTES);
        expect(result === 0 || result === EFAULT, `writeUser answers ${result}`);
        return result === 0 ? "copied" : "fault";
      }
      function* protector(): Calls<void> {
        const result = yield call("protect", VA, BigInt(PAGE), READ_ONLY);
        expect(result === 0, `protect answers ${result}`);
      }
      return {
        threads: [
          { name: "writer", program: writer },
          { name: "protector", program: protector },
        ],
        finish([wrote]) {
          expect(core.call(0, "writeUser", VA, BYTES) === EFAULT, "the page can be written at the end");
          expect((core.u32(state.backing) === WORD) === (wrote === "fault"), `the page was not ${String(wrote)}`);
          return String(wrote);
        },
      };
    },
    describeAddress: (address, { describe }) => describe(address),
  };
}

export const copyProtect: Property = {
  name: "copy-protect",
  promise: "a copy has asked for the protection before or after it changes, and is done in full or EFAULT",
  profiles: ["rfc"],
  quick: true,
  model: protectModel,
  judge: (outcomes) => (outcomes.size === 2 ? undefined : `only ${[...outcomes.keys()].join("; ")} were seen`),
  twins: [{ name: "protection-is-looked-at-after-the-lock", edits: PROTECTION_AFTER_THE_LOCK }],
};

function mapModel(): Model<State> {
  return {
    name: "map × map × unmap",
    setup: mapped,
    run(core, state) {
      const rows: { va: bigint; backing: number }[] = [];
      function* mapper(): Program {
        const row = yield call("map", 0n, BigInt(PAGE), 3);
        expect(row > 0, `map answers ${row}`);
        const va = core.u64(row + core.constant("MAPPING_VA"));
        const backing = core.u32(row + core.constant("MAPPING_BACKING"));
        yield call("mapDone");
        expect(!rows.some((other) => other.va === va || other.backing === backing), "two mappings overlap");
        expect(core.u32(backing) === 0, "a fresh page is not zero");
        rows.push({ va, backing });
        return backing === state.backing ? "reused" : "fresh";
      }
      return {
        threads: [
          { name: "mapper A", program: mapper },
          { name: "mapper B", program: mapper },
          { name: "unmapper", program: unmapper },
        ],
        finish([a, b]) {
          expectRest(core, state);
          expect(core.u32(core.constant("MAPPING_COUNT")) === 2, "there are not two mappings");
          expect(core.u32(core.constant("PAGES_USED")) === state.free + 2, "the pages in use are not two more");
          for (const { va } of rows) expect(core.call(0, "unmap", va) === 0, "a mapping cannot be removed");
          expect(core.u32(core.constant("PAGES_USED")) === state.free, "pages are lost");
          return [String(a), String(b)].sort().join(" ");
        },
      };
    },
    describeAddress: (address, { describe }) => describe(address),
  };
}

export const mapMapUnmap: Property = {
  name: "map-map-unmap",
  promise: "mappings never overlap, a page has one owner, and a page that was freed is zero for the next",
  profiles: ["rfc"],
  model: mapModel,
  seconds: 5, // three threads, two locks each: all schedules are more than 300,000
  twins: [
    {
      name: "map-takes-no-lock",
      edits: [
        {
          file: "core/mmap.ts",
          find: "  lock(MAP_LOCK, RANK_MAP);\n  let result: i32 = 0;",
          replace: "  let result: i32 = 0;",
        },
        {
          file: "core/mmap.ts",
          find: "kind, file, <u32>offset);\n  unlock(MAP_LOCK, RANK_MAP);",
          replace: "kind, file, <u32>offset);",
        },
      ],
    },
    {
      name: "pages-are-freed-before-they-are-wiped",
      edits: [
        { file: "core/gup.ts", find: "import { add32, load32,", replace: "import { add32, fill, load32," },
        {
          file: "core/gup.ts",
          find: "  wipePages(own, pages);\n  lock(MAP_LOCK, RANK_MAP);\n  store32(stateOf(row), MAPPING_UNUSED);\n  freePages(own, pages);",
          replace:
            "  lock(MAP_LOCK, RANK_MAP);\n  store32(stateOf(row), MAPPING_UNUSED);\n  freePages(own, pages);\n  fill(own, 0, 1 << PAGE_SHIFT);",
        },
      ],
    },
    {
      name: "pages-are-not-wiped",
      edits: [{ file: "core/gup.ts", find: "  wipePages(own, pages);\n  lock", replace: "  lock" }],
    },
  ],
};

// SPDX-License-Identifier: GPL-2.0-only
/**
 * map + unmap and lookup in an IO address space, against the number of areas that are there.
 *
 * The areas are pages, 4 MiB from one to the next, made in no order; an operation maps and unmaps in the hole behind a random one,
 * or lets the IOVA be picked. "tryIoctl" is with one buffer for all calls,
 * "map + unmap" the typed calls; "raw" is the same ioctls through the core's export, with
 * the struct in the window: the core, and two calls into Wasm. Ours has 64-bit addresses, several threads and a
 * kernel's checks; the rivals have safe integers and one thread.
 *
 * Lookup has no call of its own yet: it is a COPY of a byte to where it is, which finds its source, finds its destination taken, and
 * answers EEXIST. The rivals do both searches.
 */
import { Iommufd } from "iommufd-wasm";
import type { Bar, Bench, Result, Spread } from "./harness/bench.ts";
import { type Candidate, alternate, fresh, ratio, ratiosOf, summaries } from "./harness/rounds.ts";
import { type AddressSpace, EEXIST, type MapSpace, PAGE } from "./rivals/address-space.ts";
import { HOLE, fillWithPages, lookUp, mapUnmap, pickUnmap, randomBases } from "./rivals/address-space-loops.ts";
import { HotSpace, IoctlSpace, RawSpace, TypedSpace } from "./rivals/ioas.ts";
import { SortedArraySpace } from "./rivals/sorted-array.ts";
import { FlattenSpace, NodeIntervalSpace, OrderedMapSpace, SortedBTreeSpace } from "./rivals/tree-packages.ts";

const OURS = "tryMap + tryUnmap";
const TYPED = "map + unmap";
const IOCTL = "tryIoctl";
const RAW = "raw";
/** Of the registry: interval trees, and ordered maps, which know of ranges only what `tree-packages.ts` makes of them. */
const INTERVAL_TREES = {
  "flatten interval-tree": () => new FlattenSpace(),
  "node-interval-tree": () => new NodeIntervalSpace(),
};
const PACKAGES = {
  "sorted-btree": () => new SortedBTreeSpace(),
  "js-sdsl ordered-map": () => new OrderedMapSpace(),
  ...INTERVAL_TREES,
};
const RIVALS = { ...PACKAGES, "sorted array": () => new SortedArraySpace() };
const BEST_TREE = "best interval tree";
const BEST = "best package";

const HUGE = 2 ** 21;
const COUNTS = [1, 100, 1000, 10_000, 100_000, 1_000_000];
const SMOKE_COUNTS = [1, 100, 100_000];
/** Where the rivals take part. */
const WITH_RIVALS = [100, 100_000];
const FEW = areas(100);
const MANY = areas(100_000);

const A_PAGE = "a page";
const TWO_MIB = "2 MiB";
const PICKED = "a page, automatic IOVA";
const LOOKUP = "lookup";

const BARS: readonly Bar[] = [
  {
    ratio: `${A_PAGE}, ${FEW}: ${TYPED} / ${OURS}`,
    limit: 3,
    kind: "most",
    text: "`map` + `unmap` of a page at 100 areas, against `tryMap` + `tryUnmap`",
  },
  {
    ratio: `${A_PAGE}, ${OURS}: ${MANY} / ${FEW}`,
    limit: 4,
    kind: "most",
    text: "map + unmap of a page at 100,000 areas, against 100 areas",
  },
  {
    ratio: `${A_PAGE}, ${MANY}: ${BEST_TREE} / ${OURS}`,
    limit: 5,
    kind: "least",
    text: "map + unmap of a page at 100,000 areas: the best interval tree of the registry, against ours",
  },
  {
    ratio: `${A_PAGE}, ${MANY}: ${BEST} / ${OURS}`,
    limit: 5,
    kind: "least",
    text: "the same: the best package of any kind, with one thread, numbers and no ioctl, against ours",
  },
];

function areas(count: number): string {
  return count === 1 ? "1 area" : `${count.toLocaleString("en")} areas`;
}

/** A space with that many areas, by who has it. */
interface Filled {
  readonly name: string;
  readonly count: number;
  readonly space: MapSpace;
  /** Bases of areas, at random. */
  readonly bases: Float64Array;
}

export default {
  title: "map + unmap of an IO address space",
  run(host) {
    const iommufd = Iommufd.createSync({ abi: "mainline", memoryBytes: 2 ** 29 });
    const context = iommufd.open();
    const [operations, rounds] = host.smoke ? [64, 2] : [512, 61];
    const all: Filled[] = [];
    for (const count of host.smoke ? SMOKE_COUNTS : COUNTS) {
      const bases = randomBases(count, operations);
      const ioas = context.ioasAlloc();
      const add = (name: string, space: MapSpace): number => all.push({ name, count, space, bases });
      fillWithPages(new IoctlSpace(ioas), count);
      add(OURS, new HotSpace(ioas));
      add(TYPED, new TypedSpace(ioas));
      add(IOCTL, new IoctlSpace(ioas));
      add(RAW, new RawSpace(ioas));
      if (!WITH_RIVALS.includes(count)) continue;
      for (const [name, make] of Object.entries(RIVALS)) {
        const space = make();
        if (space instanceof SortedArraySpace) fillWithPages(space, count, 1);
        else fillWithPages(space, count);
        add(name, space);
      }
    }
    const measure = (
      what: string,
      candidateOf: (filled: Filled) => Candidate | undefined,
    ): Record<string, number[]> => {
      const candidates: Record<string, Candidate> = {};
      for (const each of all) {
        const candidate = candidateOf(each);
        if (candidate) candidates[`${what}, ${areas(each.count)}: ${each.name}`] = candidate;
      }
      return alternate(candidates, { operations, rounds });
    };
    const samples = {
      ...measure(A_PAGE, ({ space, bases }) => {
        const [loop, places] = [fresh(mapUnmap), bases.map((base) => base + HOLE)];
        return { run: (operations) => loop(space, operations, places, PAGE) };
      }),
      ...measure(TWO_MIB, ({ space, bases }) => {
        const [loop, places] = [fresh(mapUnmap), bases.map((base) => base + HOLE)];
        return { run: (operations) => loop(space, operations, places, HUGE) };
      }),
      ...measure(PICKED, ({ space }) => {
        const loop = fresh(pickUnmap);
        return { run: (operations) => loop(space, operations, PAGE, PAGE) };
      }),
      ...measure(LOOKUP, ({ space, bases }) => {
        if (!canLook(space)) return undefined;
        const loop = fresh(lookUp);
        return { run: (operations) => loop(space, operations, bases, EEXIST) };
      }),
    };
    iommufd.detach();
    return Promise.resolve(resultOf(samples));
  },
} satisfies Bench;

function canLook(space: MapSpace): space is AddressSpace {
  return "look" in space;
}

/** The fastest of each round. */
function bestOf(all: readonly (readonly number[])[]): number[] | undefined {
  return all[0]?.map((_, round) => Math.min(...all.map((values) => values[round] ?? NaN)));
}

function resultOf(samples: Readonly<Record<string, number[]>>): Result {
  const ratios: Record<string, Spread> = {};
  for (const what of [A_PAGE, TWO_MIB, PICKED, LOOKUP]) {
    for (const count of COUNTS) {
      const situation = `${what}, ${areas(count)}`;
      const own = Object.entries(samples).filter(([name]) => name.startsWith(`${situation}: `));
      const byName = Object.fromEntries(own.map(([name, values]) => [name.slice(situation.length + 2), values]));
      const ours = [OURS, TYPED, IOCTL, RAW].filter((name) => name in byName);
      Object.assign(ratios, ratiosOf(byName, ours, `${situation}: `));
      const [first = OURS] = ours;
      for (const [name, packages] of Object.entries({ [BEST_TREE]: INTERVAL_TREES, [BEST]: PACKAGES })) {
        const best = bestOf(Object.keys(packages).flatMap((each) => (byName[each] ? [byName[each]] : [])));
        if (best) ratios[`${situation}: ${name} / ${first}`] = ratio(best, byName[first] ?? []);
      }
      if (byName[TYPED]) ratios[`${situation}: ${TYPED} / ${first}`] = ratio(byName[TYPED], byName[first] ?? []);
      const few = samples[`${what}, ${FEW}: ${first}`];
      if (byName[first] && few && count > 100) {
        ratios[`${what}, ${first}: ${areas(count)} / ${FEW}`] = ratio(byName[first], few);
      }
    }
  }
  return { unit: "ns per operation", candidates: summaries(samples), ratios, bars: BARS };
}

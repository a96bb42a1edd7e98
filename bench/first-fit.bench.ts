// SPDX-License-Identifier: GPL-2.0-only
/**
 * An automatic IOVA in a fragmented address space: what is asked for are two pages; the areas are pages with one page between, so no
 * hole fits but one of three pages in the middle.
 *
 * Ours knows the largest hole below each node of its tree. No package of the registry that we know does, so they go through the areas
 * one by one; few operations, therefore, at 10,000 areas. The kernel goes through them, too.
 *
 * In the second situation the areas and the holes have two pages each, but the holes lie wrong for the alignment (semantics.md 2.3 rounds
 * up): their sizes tell nothing, and ours must look at each as well.
 */
import { Iommufd } from "iommufd-wasm";
import type { Bench, Result, Spread } from "./harness/bench.ts";
import { type Candidate, alternate, fresh, ratio, ratiosOf, summaries, within } from "./harness/rounds.ts";
import { type AddressSpace, PAGE } from "./rivals/address-space.ts";
import { pickUnmap } from "./rivals/address-space-loops.ts";
import { IoctlSpace, RawSpace, allocIoas } from "./rivals/ioas.ts";
import { SortedArraySpace } from "./rivals/sorted-array.ts";
import { FlattenSpace, NodeIntervalSpace, OrderedMapSpace, SortedBTreeSpace } from "./rivals/tree-packages.ts";

const OURS = "tryIoctl";
const RAW = "raw";
const RIVALS = {
  "sorted-btree": () => new SortedBTreeSpace(),
  "js-sdsl ordered-map": () => new OrderedMapSpace(),
  "flatten interval-tree": () => new FlattenSpace(),
  "node-interval-tree": () => new NodeIntervalSpace(),
  "sorted array": () => new SortedArraySpace(),
};
const AREAS = 10_000;
/** Ours alone; against AREAS. */
const MORE_AREAS = 1_000_000;
const ASKED = 2 * PAGE;

const SMALL = "holes too small";
const MISALIGNED = "holes misaligned";

/** Areas of `length` pages, `apart` pages from one to the next, the first one at page `from`; the middle one is missing. */
interface Layout {
  readonly areas: number;
  readonly length: number;
  readonly apart: number;
  readonly from: number;
}

const small = (areas: number): Layout => ({ areas, length: 1, apart: 2, from: 2 });
const misaligned = (areas: number): Layout => ({ areas, length: 2, apart: 4, from: 3 });

export default {
  title: "first fit in a fragmented IO address space",
  run(host) {
    const iommufd = Iommufd.createSync({ abi: "mainline", memoryBytes: 2 ** 28 });
    const context = iommufd.open();
    const rounds = host.smoke ? 2 : 21;
    const operations = host.smoke ? 4 : 64;
    const most = host.smoke ? AREAS : MORE_AREAS;

    const ours = (layout: Layout): Record<string, Candidate> => {
      const ioas = allocIoas(context);
      const place = fill(new IoctlSpace(context, ioas), layout);
      return {
        [OURS]: candidateOf(new IoctlSpace(context, ioas), place),
        [RAW]: candidateOf(new RawSpace(context, ioas), place),
      };
    };
    const rivals = (layout: Layout): Record<string, Candidate> =>
      Object.fromEntries(
        Object.entries(RIVALS).map(([name, make]) => {
          const space = make();
          return [name, candidateOf(space, fill(space, layout))];
        }),
      );
    const fits = alternate({ ...ours(small(AREAS)), ...rivals(small(AREAS)) }, { operations, rounds });
    const wrong = alternate({ ...ours(misaligned(AREAS)), ...rivals(misaligned(AREAS)) }, { operations, rounds });
    const both = { ...within("few: ", ours(small(AREAS))), ...within("many: ", ours(small(most))) };
    const growth = alternate(both, { operations: host.smoke ? 4 : 1024, rounds });
    iommufd.detach();
    return Promise.resolve(resultOf(fits, wrong, growth, most));
  },
} satisfies Bench;

function candidateOf(space: AddressSpace, place: number): Candidate {
  const loop = fresh(pickUnmap);
  return { run: (operations) => loop(space, operations, place, ASKED) };
}

/** Returns where two pages fit first. */
function fill(space: AddressSpace, { areas, length, apart, from }: Layout): number {
  const middle = areas >> 1;
  const baseOf = (index: number): number => (from + index * apart) * PAGE;
  for (let index = 0; index < areas; index++) {
    if (index !== middle && space.map(baseOf(index), length * PAGE) !== 0)
      throw new Error(`area ${index} could not be mapped`);
  }
  return Math.ceil((baseOf(middle - 1) + length * PAGE) / ASKED) * ASKED;
}

function resultOf(
  fits: Record<string, number[]>,
  wrong: Record<string, number[]>,
  growth: Record<string, number[]>,
  most: number,
): Result {
  const situation = (what: string): string => `${what}, ${AREAS.toLocaleString("en")} areas: `;
  const ratios: Record<string, Spread> = {
    ...ratiosOf(fits, [OURS, RAW], situation(SMALL)),
    ...ratiosOf(wrong, [OURS, RAW], situation(MISALIGNED)),
  };
  for (const name of [OURS, RAW]) {
    const [few = [], many = []] = [growth[`few: ${name}`], growth[`many: ${name}`]];
    ratios[`${SMALL}, ${name}: ${most.toLocaleString("en")} areas / ${AREAS.toLocaleString("en")} areas`] = ratio(
      many,
      few,
    );
  }
  return {
    unit: "ns per operation",
    candidates: { ...within(situation(SMALL), summaries(fits)), ...within(situation(MISALIGNED), summaries(wrong)) },
    ratios,
    bars: [],
  };
}

// SPDX-License-Identifier: GPL-2.0-only
//
// The rivals of address spaces do what ours does, so that a faster one is not faster because it does less.

import { Iommufd, type Ioas } from "iommufd-wasm";
import { describe, expect, test } from "vitest";
import { type AddressSpace, EEXIST, ENOENT, type MapSpace, PAGE } from "../../bench/rivals/address-space.ts";
import { HotSpace, IoctlSpace, RawSpace, TypedSpace } from "../../bench/rivals/ioas.ts";
import { SortedArraySpace } from "../../bench/rivals/sorted-array.ts";
import {
  FlattenSpace,
  NodeIntervalSpace,
  OrderedMapSpace,
  SortedBTreeSpace,
} from "../../bench/rivals/tree-packages.ts";
import { Random } from "../support/random.ts";

const fresh = (): Ioas => Iommufd.createSync({ abi: "mainline" }).open().ioasAlloc();

const SPACES: Readonly<Record<string, () => MapSpace | AddressSpace>> = {
  "tryMap + tryUnmap": () => new HotSpace(fresh()),
  "map + unmap": () => new TypedSpace(fresh()),
  tryIoctl: () => new IoctlSpace(fresh()),
  raw: () => new RawSpace(fresh()),
  "sorted array": () => new SortedArraySpace(),
  "sorted-btree": () => new SortedBTreeSpace(),
  "js-sdsl ordered-map": () => new OrderedMapSpace(),
  "flatten interval-tree": () => new FlattenSpace(),
  "node-interval-tree": () => new NodeIntervalSpace(),
};

describe.each(Object.entries(SPACES))("%s", (_, make) => {
  test("refuses what meets an area, by a byte at either end", () => {
    const space = make();
    expect(space.map(8 * PAGE, 2 * PAGE)).toBe(0);
    expect(space.map(7 * PAGE, PAGE + 1)).toBe(EEXIST);
    expect(space.map(10 * PAGE - 1, PAGE)).toBe(EEXIST);
    expect(space.map(8 * PAGE + 1, 1)).toBe(EEXIST);
    expect(space.map(7 * PAGE, 4 * PAGE)).toBe(EEXIST);
    expect(space.map(7 * PAGE, PAGE)).toBe(0);
    expect(space.map(10 * PAGE, PAGE)).toBe(0);
  });

  test("unmaps what is whole in the range, and nothing else", () => {
    const space = make();
    expect(space.unmap(PAGE, PAGE)).toBe(ENOENT);
    space.map(8 * PAGE, 2 * PAGE);
    expect(space.unmap(8 * PAGE, PAGE)).toBe(ENOENT);
    expect(space.unmap(9 * PAGE, PAGE)).toBe(ENOENT);
    expect(space.map(8 * PAGE, PAGE)).toBe(EEXIST);
    expect(space.unmap(8 * PAGE, 2 * PAGE)).toBe(0);
    expect(space.map(8 * PAGE, PAGE)).toBe(0);
  });

  test("picks the lowest aligned place that is free, from the second page on", () => {
    const space = make();
    expect(space.mapAnywhere(PAGE)).toBe(PAGE);
    expect(space.mapAnywhere(2 * PAGE)).toBe(2 * PAGE);
    space.map(5 * PAGE, PAGE);
    expect(space.mapAnywhere(2 * PAGE)).toBe(6 * PAGE);
    expect(space.mapAnywhere(PAGE)).toBe(4 * PAGE);
    expect(space.unmap(2 * PAGE, 2 * PAGE)).toBe(0);
    expect(space.mapAnywhere(2 * PAGE)).toBe(2 * PAGE);
  });

  test("looks up the area around an address", () => {
    const space = make();
    space.map(2 * PAGE, PAGE);
    if (!("look" in space)) return; // the hot calls have no COPY
    expect(space.look(2 * PAGE)).toBe(EEXIST);
    expect(space.look(3 * PAGE - 1)).toBe(EEXIST);
    expect(space.look(3 * PAGE)).toBe(ENOENT);
    expect(space.look(PAGE)).toBe(ENOENT);
  });
});

test("3,000 random steps have the same answers everywhere", () => {
  const spaces = Object.entries(SPACES).map(([name, make]) => [name, make()] as const);
  const random = new Random(7);
  for (let step = 0; step < 3000; step++) {
    const [kind, first, length] = [random.below(3), (1 + random.below(400)) * PAGE, PAGE * 2 ** random.below(3)];
    const answers = spaces.map(([name, space]) => [
      name,
      kind === 0 ? space.mapAnywhere(length) : kind === 1 ? space.map(first, length) : space.unmap(first, length),
    ]);
    expect(new Set(answers.map(([, answer]) => answer)).size, `step ${step}: ${answers.join("; ")}`).toBe(1);
  }
});

// SPDX-License-Identifier: GPL-2.0-only
//
// Looking into an address space: its areas in pieces, its holes, what is reserved and allowed, and what the ranges change.

import { type Ioas, type IommufdContext, IommufdError, type RangePart } from "iommufd-wasm";
import { describe, expect, test } from "vitest";
import { Layout } from "../../bindings/generated/layout.ts";
import { errnoOf } from "../support/answer.ts";
import { boot, otherThread } from "../support/boot.ts";
import { plainType } from "../support/objects.ts";

const PAGE = 4096;
const END = 2n ** 64n;
const ADDRESS = 0x1000_0000;

async function scene() {
  const { iommufd } = await boot({ abi: "mainline" });
  const context = iommufd.open();
  return { iommufd, context, ioas: context.ioasAlloc() };
}

/** `count` pages, with a hole of a page before each. */
function fill(ioas: Ioas, count: number): bigint[] {
  return Array.from({ length: count }, (_, n) => ioas.map(ADDRESS, PAGE, { iova: 2 * (n + 1) * PAGE }));
}

/** There is no device here whose IOVAs are reserved: the allowed ranges become the reserved ones. */
function reserve(
  context: IommufdContext,
  ioas: Ioas,
  ranges: { start: number | bigint; last: number | bigint }[],
): void {
  ioas.allow(ranges);
  const lock = context.get(ioas.id);
  for (const word of [0, 4]) {
    lock.payload.setUint32(Layout.IOAS_RESERVED + word, lock.payload.getUint32(Layout.IOAS_ALLOWED + word, true), true);
    lock.payload.setUint32(Layout.IOAS_ALLOWED + word, 0, true);
  }
  lock.put();
}

describe("areas", () => {
  test("are all there, ascending, however many pieces they are read in", async () => {
    const { ioas } = await scene();
    const iovas = fill(ioas, 1000);
    expect(ioas.areaCount).toBe(1000);
    expect(ioas.areas().map(({ start }) => start)).toEqual(iovas);
    expect(Layout.RANGES_MOST).toBeLessThan(1000);
  });

  test.each([0, 1, Layout.RANGES_MOST - 1, Layout.RANGES_MOST, Layout.RANGES_MOST + 1])(
    "end with the last of %d",
    async (count) => {
      const { ioas } = await scene();
      const iovas = fill(ioas, count);
      expect(ioas.areas().map(({ start }) => start)).toEqual(iovas);
      expect(ioas.areaCount).toBe(count);
    },
  );

  test.each<[string, RangePart, number[]]>([
    ["from the first byte of one", { from: 4 * PAGE }, [4, 6, 8]],
    ["from its last byte", { from: 5 * PAGE - 1 }, [4, 6, 8]],
    ["from a hole", { from: BigInt(5 * PAGE) }, [6, 8]],
    ["of a number", { limit: 2 }, [2, 4]],
    ["of a number from one on", { from: 4 * PAGE, limit: 1 }, [4]],
    ["of none", { limit: 0 }, []],
    ["of more than there are", { from: 8 * PAGE, limit: 1000 }, [8]],
    ["behind all", { from: 9 * PAGE }, []],
    ["from the end of the space", { from: END - 1n }, []],
  ])("may be read in part: %s", async (_name, part, pages) => {
    const { ioas } = await scene();
    fill(ioas, 4);
    expect(ioas.areas(part).map(({ start }) => Number(start) / PAGE)).toEqual(pages);
  });

  test("of a part may be more than a piece", async () => {
    const { ioas } = await scene();
    const iovas = fill(ioas, 400);
    const limit = 2 * Layout.RANGES_MOST + 5;
    expect(ioas.areas({ from: iovas[3] as bigint, limit }).map(({ start }) => start)).toEqual(
      iovas.slice(3, 3 + limit),
    );
  });

  test("reach to the end of the space", async () => {
    const { ioas } = await scene();
    ioas.map(ADDRESS, PAGE, { iova: END - 4096n });
    expect(ioas.areas()).toMatchObject([{ start: END - 4096n, last: END - 1n }]);
    expect(ioas.areas({ from: END - 1n })).toHaveLength(1);
  });

  test("tell whose memory they show", async () => {
    const { iommufd, context, ioas } = await scene();
    const file = iommufd.createMemfd(2 * PAGE);
    const process = iommufd.createUserSpace();
    const memory = process.map(PAGE);
    ioas.mapFile(file, { start: 5, length: 10, iova: 0, write: false });
    process.run(() => ioas.map(memory.va + 7n, 9, { iova: 0x10_0000, read: false }));
    const other = context.ioasAlloc();
    other.copyFrom(ioas, 2, 3, { iova: 0, write: false });
    const [first, second] = ioas.areas();
    expect(first).toEqual({
      ...{ start: 0n, last: 9n, state: "mapped", read: true, write: false, pages: first?.pages, shared: 2 },
      ...{ pid: 1, file: file.fd, source: 5n, pins: 0 },
    });
    expect(second).toEqual({
      ...{ start: 0x10_0000n, last: 0x10_0008n, state: "mapped", read: false, write: true, pages: second?.pages },
      ...{ shared: 1, pid: process.pid, file: undefined, source: memory.va + 7n, pins: 0 },
    });
    expect(first?.pages).not.toBe(second?.pages);
    expect(other.areas()).toMatchObject([{ pages: first?.pages, shared: 2, source: 7n }]);
  });

  test("are looked at without holding the address space, by any thread", async () => {
    const { iommufd, context, ioas } = await scene();
    fill(ioas, 3);
    const there = otherThread(iommufd).file(context.fd).ioas(ioas.id);
    const users = context.inspect(ioas.id)?.users;
    expect(there.areas()).toEqual(ioas.areas());
    expect(context.inspect(ioas.id)?.users).toBe(users);
    ioas.destroy();
    expect(errnoOf(() => there.areas())).toBe("ENOENT");
    expect(errnoOf(() => there.areaCount)).toBe("ENOENT");
  });

  test("are an address space's only: not of a reservation, nor of another object", async () => {
    const { iommufd, context, ioas } = await scene();
    const { id } = ioas;
    const there = context.ioas(id);
    ioas.destroy();
    const reserved = context.alloc(plainType(iommufd));
    expect(reserved.id).toBe(id);
    expect(errnoOf(() => there.areas())).toBe("ENOENT");
    reserved.finalize();
    expect(errnoOf(() => there.areas())).toBe("ENOENT");
    expect(errnoOf(() => there.allowedRanges())).toBe("ENOENT");
  });

  test.each<[string, RangePart]>([
    ["a negative IOVA", { from: -1 }],
    ["a negative bigint", { from: -1n }],
    ["an IOVA beyond 64 bits", { from: END }],
    ["half an IOVA", { from: 0.5 }],
    ["a string", { from: "1" as unknown as bigint }],
    ["a negative limit", { limit: -1 }],
    ["half a limit", { limit: 1.5 }],
    ["no number", { limit: NaN }],
  ])("refuse %s with EINVAL", async (_name, part) => {
    const { ioas } = await scene();
    fill(ioas, 2);
    for (const look of [() => ioas.areas(part), () => ioas.reservedRanges(part), () => ioas.allowedRanges(part)]) {
      expect(errnoOf(look)).toBe("EINVAL");
    }
  });
});

describe("allowed ranges", () => {
  test("are where IOVAs are picked from; fixed ones and old mappings do not care", async () => {
    const { ioas } = await scene();
    ioas.map(ADDRESS, PAGE, { iova: 0x1000 });
    ioas.allow([
      { start: 0x50_0000, last: 0x50_2fff },
      { start: 0x30_0000n, last: 0x30_0fffn },
    ]);
    expect(ioas.allowedRanges()).toEqual([
      { start: 0x30_0000n, last: 0x30_0fffn },
      { start: 0x50_0000n, last: 0x50_2fffn },
    ]);
    expect(ioas.map(ADDRESS, 2 * PAGE)).toBe(0x50_0000n);
    expect(ioas.map(ADDRESS, PAGE)).toBe(0x30_0000n);
    expect(ioas.map(ADDRESS, PAGE)).toBe(0x50_2000n);
    expect(errnoOf(() => ioas.map(ADDRESS, PAGE))).toBe("ENOSPC");
    expect(ioas.map(ADDRESS, PAGE, { iova: 0x2000 })).toBe(0x2000n);
    ioas.allow([]);
    expect(ioas.allowedRanges()).toEqual([]);
    expect(ioas.map(ADDRESS, PAGE)).toBe(0x3000n);
  });

  test("that are neighbours are one window", async () => {
    const { ioas } = await scene();
    ioas.allow([
      { start: 0x30_0000, last: 0x30_0fff },
      { start: 0x30_1000, last: 0x30_1fff },
    ]);
    expect(ioas.map(ADDRESS, 2 * PAGE)).toBe(0x30_0000n);
  });

  test.each<[string, { start: number | bigint; last: number | bigint }[]]>([
    ["one of a single IOVA", [{ start: 8, last: 8 }]],
    ["one that ends before it begins", [{ start: 8, last: 7 }]],
    [
      "two that overlap",
      [
        { start: 0, last: 10 },
        { start: 10, last: 20 },
      ],
    ],
    [
      "the same twice",
      [
        { start: 0, last: 10 },
        { start: 0, last: 10 },
      ],
    ],
    ["a negative one", [{ start: -1, last: 10 }]],
    ["one beyond 64 bits", [{ start: 0, last: END }]],
    ["half an IOVA", [{ start: 0.5, last: 10 }]],
  ])("refuse %s with EINVAL, and the list before stays", async (_name, ranges) => {
    const { iommufd, ioas } = await scene();
    ioas.allow([{ start: 0x30_0000, last: 0x30_0fff }]);
    const { mappings } = iommufd.stats();
    expect(errnoOf(() => ioas.allow(ranges))).toBe("EINVAL");
    expect(errnoOf(() => ioas.allow("all" as unknown as []))).toBe("EINVAL");
    expect(ioas.allowedRanges()).toEqual([{ start: 0x30_0000n, last: 0x30_0fffn }]);
    expect(iommufd.stats().mappings).toBe(mappings);
  });

  test("may be more than fit into a page, and take the process' memory for the call only", async () => {
    const { iommufd, ioas } = await scene();
    const before = iommufd.userSpace.mappings().length;
    const ranges = Array.from({ length: 1000 }, (_, n) => ({ start: BigInt(n * 100), last: BigInt(n * 100 + 9) }));
    ioas.allow(ranges);
    expect(ioas.allowedRanges()).toEqual(ranges);
    expect(ioas.allowedRanges({ from: 905, limit: 2 })).toEqual(ranges.slice(9, 11));
    expect(ioas.allowedRanges({ from: 910, limit: 1 })).toEqual(ranges.slice(10, 11));
    expect(iommufd.userSpace.mappings()).toHaveLength(before);
  });

  test("need memory of a living process", async () => {
    const { iommufd, ioas } = await scene();
    const process = iommufd.createUserSpace();
    expect(process.run(() => ioas.ranges().ranges)).toEqual([{ start: 0n, last: END - 1n }]);
    process.run(() => {
      process.exit();
      expect(errnoOf(() => ioas.ranges())).not.toBe("no error");
      expect(errnoOf(() => ioas.allow([]))).not.toBe("no error");
    });
    expect(ioas.allowedRanges()).toEqual([]);
  });
});

describe("reserved ranges", () => {
  test("are left out of the ranges, and no mapping may meet them", async () => {
    const { context, ioas } = await scene();
    expect(ioas.ranges().ranges).toEqual([{ start: 0n, last: END - 1n }]);
    reserve(context, ioas, [
      { start: 0, last: 0xffff },
      { start: 0x2_0000, last: 0x2_ffff },
      { start: END - 0x1_0000n, last: END - 1n },
    ]);
    expect(ioas.reservedRanges()).toEqual([
      { start: 0n, last: 0xffffn },
      { start: 0x2_0000n, last: 0x2_ffffn },
      { start: END - 0x1_0000n, last: END - 1n },
    ]);
    expect(ioas.reservedRanges({ from: 0x1_0000, limit: 1 })).toEqual([{ start: 0x2_0000n, last: 0x2_ffffn }]);
    expect(ioas.allowedRanges()).toEqual([]);
    expect(ioas.ranges().ranges).toEqual([
      { start: 0x1_0000n, last: 0x1_ffffn },
      { start: 0x3_0000n, last: END - 0x1_0001n },
    ]);
    expect(errnoOf(() => ioas.map(ADDRESS, PAGE, { iova: 0xf000 }))).toBe("EINVAL");
    expect(ioas.map(ADDRESS, 0x1_0000)).toBe(0x1_0000n);
    expect(ioas.map(ADDRESS, PAGE)).toBe(0x3_0000n);
    expect(errnoOf(() => ioas.allow([{ start: 0x1_0000, last: 0x2_0000 }]))).toBe("EADDRINUSE");
    expect(ioas.allowedRanges()).toEqual([]);
  });

  test("may leave more ranges than a page holds", async () => {
    const { context, ioas } = await scene();
    const reserved = Array.from({ length: 600 }, (_, n) => ({ start: BigInt(n * 100), last: BigInt(n * 100 + 9) }));
    reserve(context, ioas, reserved);
    const { ranges } = ioas.ranges();
    expect(ioas.reservedRanges()).toEqual(reserved);
    expect(ranges).toHaveLength(600);
    expect(ranges[0]).toEqual({ start: 10n, last: 99n });
    expect(ranges[599]).toEqual({ start: 59_910n, last: END - 1n });
  });

  test("that cover everything leave none, and nothing is mapped", async () => {
    const { context, ioas } = await scene();
    reserve(context, ioas, [{ start: 0, last: END - 1n }]);
    expect(ioas.ranges().ranges).toEqual([]);
    let error: unknown;
    try {
      ioas.map(ADDRESS, PAGE);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(IommufdError);
    expect(error).toMatchObject({ code: "ENOSPC", command: "IOMMU_IOAS_MAP" });
  });
});

// SPDX-License-Identifier: GPL-2.0-only
//
// Mapping in an IO address space by its typed API: where a mapping goes, what may be mapped or copied, what is refused. In the order of
// the rules of the kernel.

import type { Ioas, IoasId, UserMapping } from "iommufd-wasm";
import { describe, expect, test } from "vitest";
import { errnoOf } from "../support/answer.ts";
import { ADDRESS, END, errorOf, HUGE, PAGE, type Scene, scene, shown } from "../support/ioas.ts";

describe("an IOVA that is picked", () => {
  test.each([
    ["one page goes to the second page: the first is never picked", ADDRESS, PAGE, PAGE],
    ["two pages are aligned to two pages", ADDRESS, 2 * PAGE, 2 * PAGE],
    ["three to four, the next power of two", ADDRESS, 3 * PAGE, 4 * PAGE],
    ["4 MiB to a huge page, and no more", ADDRESS, 2 * HUGE, HUGE],
    ["but none more than its address is", ADDRESS + PAGE, 2 * HUGE, PAGE],
    ["one byte is one byte", ADDRESS, 1, PAGE],
    ["the offset in the page is the address's", ADDRESS + 5, 100, PAGE + 5],
    ["address 0 aligns nothing", 0, 2 * PAGE, 2 * PAGE],
  ])("%s", async (_name, address, length, iova) => {
    const { ioas } = await scene();
    expect(ioas.map(address, length)).toBe(BigInt(iova));
    expect(ioas.areas()).toMatchObject([{ start: BigInt(iova), last: BigInt(iova + length - 1), state: "mapped" }]);
  });

  test("is the lowest one where the mapping fits: in a hole, or behind all", async () => {
    const { ioas } = await scene();
    const [, second] = [1, 2, 3].map(() => ioas.map(ADDRESS, 2 * PAGE)) as [bigint, bigint, bigint];
    ioas.unmap(second, 2 * PAGE);
    expect(ioas.map(ADDRESS, 4 * PAGE)).toBe(8n * 4096n); // too large for the hole
    expect(ioas.map(ADDRESS, PAGE)).toBe(4096n); // below all, where two pages did not fit
    expect(ioas.map(ADDRESS, PAGE)).toBe(second);
    expect(ioas.map(ADDRESS, PAGE)).toBe(second + 4096n);
    expect(ioas.map(ADDRESS, PAGE)).toBe(12n * 4096n);
  });

  test("is never in a hole of one byte, and a hole of two bytes takes one", async () => {
    const { ioas } = await scene();
    ioas.map(ADDRESS, 2 * PAGE, { iova: 0 });
    ioas.map(0, END - 3n * 4096n - 1n, { iova: 2 * PAGE + 1 });
    expect(errnoOf(() => ioas.map(ADDRESS, 1))).toBe("ENOSPC");
    ioas.unmap(0, 2 * PAGE);
    ioas.map(ADDRESS, 2 * PAGE - 1, { iova: 0 });
    expect(ioas.map(ADDRESS, 1)).toBe(8191n);
  });

  test("is not found by rounding up beyond the end of the space", async () => {
    const { ioas } = await scene();
    const top = END - 2n ** 20n;
    ioas.map(0, top, { iova: 0 });
    expect(errnoOf(() => ioas.map(ADDRESS, HUGE))).toBe("ENOSPC");
    expect(ioas.map(ADDRESS, PAGE)).toBe(top);
  });

  test("is never in the last page", async () => {
    const { ioas } = await scene();
    ioas.map(0, END - 4097n, { iova: 0 });
    expect(errnoOf(() => ioas.map(ADDRESS, 1))).toBe("ENOSPC");
    expect(ioas.map(ADDRESS, PAGE, { iova: END - 4096n })).toBe(END - 4096n);
  });

  test("of half the space and more is EOVERFLOW", async () => {
    const { ioas } = await scene();
    expect(errnoOf(() => ioas.map(0, 2n ** 63n - 1n))).toBe("EOVERFLOW");
    expect(ioas.map(0, 2n ** 63n - 2n)).toBe(2n ** 21n);
  });
});

describe("a fixed IOVA", () => {
  test("may be 0, and the last page of the space", async () => {
    const { ioas } = await scene();
    expect(ioas.map(ADDRESS, PAGE, { iova: 0 })).toBe(0n);
    expect(ioas.map(ADDRESS, PAGE, { iova: END - 4096n })).toBe(END - 4096n);
    expect(shown(ioas)).toEqual(["0-fff", "fffffffffffff000-ffffffffffffffff"]);
  });

  test("beside a mapping is fine, over its first or last byte EEXIST", async () => {
    const { ioas } = await scene();
    ioas.map(ADDRESS, PAGE, { iova: 3 * PAGE });
    for (const iova of [2 * PAGE + 1, 3 * PAGE, 4 * PAGE - 1]) {
      expect(errnoOf(() => ioas.map(ADDRESS, PAGE, { iova }))).toBe("EEXIST");
    }
    ioas.map(ADDRESS, PAGE, { iova: 2 * PAGE });
    ioas.map(ADDRESS, PAGE, { iova: 4 * PAGE });
    expect(ioas.areaCount).toBe(3);
  });

  test.each<[string, number | bigint, number | bigint, number | bigint, string]>([
    ["an IOVA of 2^64 - 1", ADDRESS, PAGE, END - 1n, "EOVERFLOW"],
    ["a length of 2^64 - 1", ADDRESS, END - 1n, 0, "EOVERFLOW"],
    ["a range that wraps", ADDRESS, 2 * PAGE, END - 4096n, "EOVERFLOW"],
    ["memory that wraps", END - 4096n, PAGE, 0, "EOVERFLOW"],
    ["no length", ADDRESS, 0, 0, "EINVAL"],
    ["a length of nearly everything", 0, END - 4096n, 0, "EINVAL"],
  ])("refuses %s", async (_name, address, length, iova, code) => {
    const { ioas } = await scene();
    const error = errorOf(() => ioas.map(BigInt(address), length, { iova }));
    expect([error.code, error.command]).toEqual([code, "IOMMU_IOAS_MAP"]);
    expect(ioas.areas()).toEqual([]);
  });
});

describe("what is mapped", () => {
  test("is a mapping of user memory, all of it or a part", async () => {
    const { iommufd, ioas } = await scene();
    const mapping = iommufd.userSpace.map(4 * PAGE);
    ioas.map(mapping);
    ioas.map(mapping, { iova: 0x10_0000 });
    ioas.map(mapping, PAGE, { iova: 0x20_0000 });
    ioas.map(mapping.va + 4096n, PAGE, { iova: 0x30_0000 });
    expect(ioas.areas().map(({ source, start, last }) => [source - mapping.va, last - start + 1n])).toEqual([
      [0n, 16384n],
      [0n, 16384n],
      [0n, 4096n],
      [4096n, 4096n],
    ]);
  });

  test("may be read and written by devices, unless one says otherwise", async () => {
    const { ioas } = await scene();
    ioas.map(ADDRESS, PAGE);
    ioas.map(ADDRESS, PAGE, { write: false });
    ioas.map(ADDRESS, PAGE, { read: false });
    const rights = ioas.areas().map(({ read, write }) => [read, write]);
    expect(rights).toEqual([
      [true, true],
      [true, false],
      [false, true],
    ]);
    expect(errnoOf(() => ioas.map(ADDRESS, PAGE, { read: false, write: false }))).toBe("EINVAL");
  });

  test("is not looked at: an address that means nothing is mapped, also outside of user space", async () => {
    const { ioas } = await scene();
    expect(ioas.map(1n, 1)).toBe(4097n);
    expect(ioas.map(END - 8192n, PAGE)).toBe(8192n);
    expect(ioas.areas().map(({ source }) => source)).toEqual([1n, END - 8192n]);
  });

  test.each([
    ["an address without a length", (ioas: Ioas) => ioas.map(4096n)],
    ["nothing", (ioas: Ioas) => ioas.map(null as unknown as UserMapping, PAGE)],
    ["a string", (ioas: Ioas) => ioas.map("4096" as unknown as bigint, PAGE)],
    ["a negative address", (ioas: Ioas) => ioas.map(-1, PAGE)],
    ["an address beyond 64 bits", (ioas: Ioas) => ioas.map(END, PAGE)],
    ["a number that is not exact", (ioas: Ioas) => ioas.map(2 ** 53, PAGE)],
    ["half a byte", (ioas: Ioas) => ioas.map(ADDRESS, 0.5)],
    ["NaN bytes", (ioas: Ioas) => ioas.map(ADDRESS, NaN)],
    ["a negative length", (ioas: Ioas) => ioas.map(ADDRESS, -1n)],
    ["a negative IOVA", (ioas: Ioas) => ioas.map(ADDRESS, PAGE, { iova: -1n })],
    ["an IOVA beyond 64 bits", (ioas: Ioas) => ioas.map(ADDRESS, PAGE, { iova: END })],
  ])("is not %s: EINVAL", async (_name, call) => {
    const { ioas } = await scene();
    const error = errorOf(() => call(ioas));
    expect([error.code, error.command]).toEqual(["EINVAL", "IOMMU_IOAS_MAP"]);
    expect(ioas.areaCount).toBe(0);
  });

  test("is the same by bigint and by number", async () => {
    const { ioas } = await scene();
    expect(ioas.map(BigInt(ADDRESS), 4096n, { iova: 8192n })).toBe(8192n);
    expect(ioas.map(ADDRESS, PAGE, { iova: 4 * PAGE })).toBe(16384n);
    expect(ioas.unmap(8192n, 4096n)).toBe(4096n);
    expect(ioas.unmap(4 * PAGE, PAGE)).toBe(4096n);
  });
});

describe("a file", () => {
  test("is mapped from an offset on to its end, or for a length; by its number, too", async () => {
    const { iommufd, ioas } = await scene();
    const file = iommufd.createMemfd(4 * PAGE);
    expect(ioas.mapFile(file)).toBe(16384n);
    expect(ioas.mapFile(file, { start: PAGE })).toBe(4096n);
    expect(ioas.mapFile(file, { start: 8192n, length: 100n, iova: 0x10_0000, write: false })).toBe(0x10_0000n);
    expect(ioas.mapFile(file.fd, { length: PAGE, iova: 0x20_0000 })).toBe(0x20_0000n);
    const { fd } = file;
    expect(ioas.areas()).toMatchObject([
      { start: 4096n, file: fd, source: 4096n },
      { start: 16384n, last: 32767n, file: fd, source: 0n },
      { start: 0x10_0000n, last: 0x10_0063n, file: fd, source: 8192n, read: true, write: false },
      { start: 0x20_0000n, file: fd, source: 0n },
    ]);
  });

  test.each<[string, (scene: Scene) => unknown, string]>([
    ["a number that is no file's", ({ ioas }) => ioas.mapFile(99, { length: PAGE }), "EBADF"],
    ["the number of /dev/iommu", ({ ioas, context }) => ioas.mapFile(context.fd, { length: PAGE }), "EBADF"],
    ["a number that is none", ({ ioas }) => ioas.mapFile(1.5, { length: PAGE }), "EINVAL"],
    ["a number without a length", ({ ioas, iommufd }) => ioas.mapFile(iommufd.createMemfd(PAGE).fd), "EINVAL"],
    ["a start at the end", ({ ioas, iommufd }) => ioas.mapFile(iommufd.createMemfd(PAGE), { start: PAGE }), "EINVAL"],
    ["half a start", ({ ioas, iommufd }) => ioas.mapFile(iommufd.createMemfd(PAGE), { start: 0.5 }), "EINVAL"],
    [
      "a range that wraps",
      ({ ioas, iommufd }) => ioas.mapFile(iommufd.createMemfd(1), { start: END - 1n, length: 1 }),
      "EOVERFLOW",
    ],
  ])("is refused: %s", async (_name, call, code) => {
    const all = await scene();
    expect(errnoOf(() => call(all))).toBe(code);
    expect(all.ioas.areas()).toEqual([]);
  });

  test("that was closed is EBADF, whoever has its number now; what was mapped stays", async () => {
    const { iommufd, ioas } = await scene();
    const file = iommufd.createMemfd(PAGE);
    ioas.mapFile(file);
    file.close();
    iommufd.createMemfd(PAGE);
    expect(errnoOf(() => ioas.mapFile(file))).toBe("EBADF");
    expect(errnoOf(() => ioas.mapFile(file, { length: PAGE }))).toBe("EBADF");
    expect(ioas.areaCount).toBe(1);
  });
});

describe("copy", () => {
  test("shares the memory, from another address space or the same one", async () => {
    const { context, ioas } = await scene();
    const other = context.ioasAlloc();
    const iova = ioas.map(ADDRESS, 4 * PAGE);
    expect(other.copyFrom(ioas, iova, 4 * PAGE)).toBe(16384n);
    expect(other.copyFrom(other, 16384n, 4096n, { iova: 0, write: false })).toBe(0n);
    const [area] = ioas.areas();
    expect(area).toMatchObject({ shared: 3 });
    expect(other.areas()).toMatchObject([
      { start: 0n, last: 4095n, pages: area?.pages, shared: 3, write: false, source: BigInt(ADDRESS) },
      { start: 16384n, last: 32767n, pages: area?.pages, shared: 3, write: true, source: BigInt(ADDRESS) },
    ]);
    ioas.destroy();
    expect(other.areas()).toMatchObject([{ shared: 2 }, { shared: 2 }]);
  });

  test("of a part takes that part, and of several mappings makes as many", async () => {
    const { context, ioas } = await scene();
    ioas.map(ADDRESS, 2 * PAGE, { iova: 0 });
    ioas.map(ADDRESS + 16 * PAGE, 2 * PAGE, { iova: 2 * PAGE });
    const other = context.ioasAlloc();
    other.copyFrom(ioas.id, PAGE, 2 * PAGE, { iova: 0x10_0000 });
    expect(other.areas().map(({ start, last, source }) => [start, last, source])).toEqual([
      [0x10_0000n, 0x10_0fffn, BigInt(ADDRESS + PAGE)],
      [0x10_1000n, 0x10_1fffn, BigInt(ADDRESS + 16 * PAGE)],
    ]);
  });

  test.each<[string, (scene: Scene, from: Ioas) => unknown, string]>([
    ["of a range with a gap", ({ ioas }, from) => ioas.copyFrom(from, 0, 4 * PAGE), "ENOENT"],
    ["of nothing", ({ ioas }, from) => ioas.copyFrom(from, 0, 0), "EINVAL"],
    ["of a range that wraps", ({ ioas }, from) => ioas.copyFrom(from, END - 4096n, 2 * PAGE), "EOVERFLOW"],
    ["that may write what may not be written", ({ ioas }, from) => ioas.copyFrom(from, 2 * PAGE, PAGE), "EPERM"],
    ["without any right", ({ ioas }, from) => ioas.copyFrom(from, 0, PAGE, { read: false, write: false }), "EINVAL"],
    ["over what is mapped", ({ ioas }, from) => ioas.copyFrom(from, 0, PAGE, { iova: PAGE }), "EEXIST"],
    ["of no address space", ({ ioas }) => ioas.copyFrom(99 as IoasId, 0, PAGE), "ENOENT"],
    [
      "of one that is destroyed",
      ({ ioas }, from) => {
        from.destroy();
        return ioas.copyFrom(from, 0, PAGE);
      },
      "ENOENT",
    ],
    ["of another file's", ({ iommufd, ioas }) => ioas.copyFrom(iommufd.open().ioasAlloc(), 0, PAGE), "EINVAL"],
  ])("%s is an error", async (_name, call, code) => {
    const all = await scene();
    const from = all.context.ioasAlloc();
    from.map(ADDRESS, PAGE, { iova: 0 });
    from.map(ADDRESS, PAGE, { iova: 2 * PAGE, write: false });
    all.ioas.map(ADDRESS, PAGE);
    const error = errorOf(() => call(all, from));
    expect([error.code, error.command]).toEqual([code, "IOMMU_IOAS_COPY"]);
    expect(shown(all.ioas)).toEqual(["1000-1fff"]);
  });
});

describe("huge pages", () => {
  test("are on at first; without, everything is whole pages", async () => {
    const { ioas } = await scene();
    expect([ioas.hugePages, ioas.ranges().alignment]).toEqual([true, 1n]);
    ioas.hugePages = false;
    expect([ioas.hugePages, ioas.ranges().alignment]).toEqual([false, 4096n]);
    expect(errnoOf(() => ioas.map(ADDRESS, 100))).toBe("EINVAL");
    expect(errnoOf(() => ioas.map(ADDRESS + 1, PAGE))).toBe("EINVAL");
    expect(errnoOf(() => ioas.map(ADDRESS, PAGE, { iova: 1 }))).toBe("EINVAL");
    expect(ioas.map(ADDRESS, PAGE)).toBe(4096n);
    ioas.hugePages = true;
    expect(ioas.map(ADDRESS, 100, { iova: 1 })).toBe(1n);
  });

  test("cannot be turned off while a mapping is not of whole pages", async () => {
    const { ioas } = await scene();
    ioas.map(ADDRESS, 100);
    const error = errorOf(() => (ioas.hugePages = false));
    expect([error.code, error.command]).toEqual(["EADDRINUSE", "IOMMU_OPTION"]);
    expect(ioas.hugePages).toBe(true);
    ioas.unmapAll();
    ioas.hugePages = false;
    expect(ioas.hugePages).toBe(false);
  });
});

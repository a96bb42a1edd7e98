// SPDX-License-Identifier: GPL-2.0-only
//
// Unmapping in an IO address space by its typed API: what goes, what stays, and devices that have pinned it.

import { type Ioas, IOMMU_IOAS_MAP_FIXED_IOVA as FIXED, IOMMU_IOAS_MAP_READABLE as READ } from "iommufd-wasm";
import { describe, expect, test } from "vitest";
import { answer, errnoOf } from "../support/answer.ts";
import { ADDRESS, END, errorOf, PAGE, scene, shown } from "../support/ioas.ts";

describe("unmap", () => {
  test("removes what lies in the range, holes or not, and counts the bytes", async () => {
    const { ioas } = await scene();
    for (const iova of [0, 2 * PAGE, 5 * PAGE]) ioas.map(ADDRESS, PAGE, { iova });
    expect(ioas.unmap(PAGE, 3 * PAGE)).toBe(4096n);
    expect(ioas.unmap(0, 100 * PAGE)).toBe(8192n);
    expect(ioas.areas()).toEqual([]);
  });

  test("stops at a mapping that sticks out; what came before is gone", async () => {
    const { ioas } = await scene();
    ioas.map(ADDRESS, PAGE, { iova: 0 });
    ioas.map(ADDRESS, 2 * PAGE, { iova: PAGE });
    ioas.map(ADDRESS, PAGE, { iova: 3 * PAGE });
    const error = errorOf(() => ioas.unmap(0, 2 * PAGE));
    expect([error.code, error.command]).toEqual(["ENOENT", "IOMMU_IOAS_UNMAP"]);
    expect(shown(ioas)).toEqual(["1000-2fff", "3000-3fff"]);
    expect(errnoOf(() => ioas.unmap(2 * PAGE, 2 * PAGE))).toBe("ENOENT");
    expect(shown(ioas)).toEqual(["1000-2fff", "3000-3fff"]);
  });

  test.each<[string, number | bigint, number | bigint, string]>([
    ["where nothing is", 0, PAGE, "ENOENT"],
    ["no bytes", PAGE, 0, "EINVAL"],
    ["a range that wraps", END - 4096n, 2 * PAGE, "EOVERFLOW"],
    ["from 2^64 - 1", END - 1n, 1, "EOVERFLOW"],
    ["2^64 - 1 bytes from elsewhere than 0", 1, END - 1n, "EOVERFLOW"],
    ["what is no IOVA", -1, PAGE, "EINVAL"],
    ["what is no length", PAGE, 1.5, "EINVAL"],
  ])("%s is an error", async (_name, iova, length, code) => {
    const { ioas } = await scene();
    ioas.map(ADDRESS, PAGE);
    expect(errnoOf(() => ioas.unmap(iova, length))).toBe(code);
    expect(ioas.areaCount).toBe(1);
  });

  test("of all answers the bytes, and 0 when nothing is mapped", async () => {
    const { ioas } = await scene();
    expect(ioas.unmapAll()).toBe(0n);
    for (let n = 0; n < 300; n++) ioas.map(ADDRESS, PAGE);
    ioas.map(ADDRESS, PAGE, { iova: END - 4096n });
    expect(ioas.unmapAll()).toBe(301n * 4096n);
    expect(ioas.areaCount).toBe(0);
  });
});

describe("what a device has pinned", () => {
  /** A page that a device has pinned; its callback does `onUnmap` before it lets go. */
  async function pinned(onUnmap: (ioas: Ioas, letGo: () => void) => void) {
    const { iommufd, context, ioas } = await scene();
    const iova = Number(ioas.map(iommufd.userSpace.map(2 * PAGE)));
    const asked: [bigint, bigint][] = [];
    const device = ioas.access({
      unmap(at, length) {
        asked.push([at, length]);
        onUnmap(ioas, () => device.unpin(iova, PAGE));
      },
    });
    device.pin(iova, PAGE);
    return { iommufd, context, ioas, iova, asked, device };
  }

  test.each<[string, (ioas: Ioas, iova: number) => unknown]>([
    ["unmap", (ioas, iova) => Number(ioas.unmap(iova, 2 * PAGE))],
    ["tryUnmap", (ioas, iova) => ioas.tryUnmap(iova, 2 * PAGE)],
    ["unmapAll", (ioas) => Number(ioas.unmapAll()) + PAGE],
  ])("is let go when %s asks, whatever calls the device makes meanwhile", async (name, unmap) => {
    const { ioas, iova, asked } = await pinned((space, letGo) => {
      if (space.areaCount > 1) return; // the second round
      space.tryMap(ADDRESS, PAGE, READ | FIXED, 2 ** 45);
      expect(space.ranges().alignment).toBe(4096n);
      if (name === "unmapAll") space.tryUnmap(2 ** 45, PAGE);
      letGo();
    });
    expect(ioas.areas()).toMatchObject([{ pins: 1 }]);
    expect(unmap(ioas, iova)).toBe(name === "unmapAll" ? 3 * PAGE : 2 * PAGE);
    expect(asked).toEqual([[BigInt(iova), 8192n]]);
    expect(ioas.areaCount).toBe(name === "unmapAll" ? 0 : 1);
  });

  test("and does not let go stays mapped: EDEADLK", async () => {
    const { ioas, iova, asked, device } = await pinned(() => undefined);
    expect(answer(ioas.tryUnmap(iova, 2 * PAGE))).toBe("EDEADLK");
    expect(asked).toHaveLength(100);
    expect(errorOf(() => ioas.unmap(iova, 2 * PAGE))).toMatchObject({ code: "EDEADLK", command: "IOMMU_IOAS_UNMAP" });
    device.unpin(iova, PAGE);
    expect(ioas.tryUnmap(iova, 2 * PAGE)).toBe(2 * PAGE);
  });

  test("is unmapped, and then what the device's callback threw leaves by the call", async () => {
    const { ioas, iova } = await pinned((_space, letGo) => {
      letGo();
      throw new RangeError("of the device");
    });
    expect(() => ioas.tryUnmap(iova, 2 * PAGE)).toThrow("of the device");
    expect(ioas.areaCount).toBe(0);
    expect(ioas.tryMap(ADDRESS, PAGE, READ)).toBe(PAGE); // the thread is as before
  });

  test("in whole pages: an access that pins is refused while a mapping is not, and none is left", async () => {
    const { context, ioas } = await scene();
    ioas.map(ADDRESS, 100);
    const objects = context.objects();
    expect(errnoOf(() => ioas.access())).toBe("EADDRINUSE");
    expect(context.objects()).toEqual(objects);
    expect(ioas.access({ pins: false }).ioasId).toBe(ioas.id);
  });
});

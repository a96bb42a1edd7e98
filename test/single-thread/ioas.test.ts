// SPDX-License-Identifier: GPL-2.0-only
//
// An IO address space as an object of its typed API: its hot calls, what its other calls have in common, and its end. Mapping is in ioas-map.test.ts, unmapping in
// ioas-unmap.test.ts, snapshots are in ioas-areas.test.ts, what concerns the whole context in ioas-context.test.ts.

import {
  type Ioas,
  type TraceEvent,
  IOMMU_IOAS_MAP_FIXED_IOVA as FIXED,
  IOMMU_IOAS_MAP_READABLE as READ,
  IOMMU_IOAS_MAP_WRITEABLE as WRITE,
} from "iommufd-wasm";
import { describe, expect, test } from "vitest";
import { answer, errnoOf } from "../support/answer.ts";
import { ADDRESS, END, errorOf, PAGE, scene, shown } from "../support/ioas.ts";
import { plainType } from "../support/objects.ts";

describe("the hot calls", () => {
  test("map and unmap as the others do, in numbers", async () => {
    const { ioas } = await scene();
    expect(ioas.tryMap(ADDRESS, PAGE, READ | WRITE)).toBe(PAGE);
    expect(ioas.tryMap(2 ** 52, 2 ** 40, READ | FIXED, 2 ** 45)).toBe(2 ** 45);
    expect(ioas.areas()).toMatchObject([
      { start: 4096n, last: 8191n, read: true, write: true },
      { start: 2n ** 45n, last: 2n ** 45n + 2n ** 40n - 1n, read: true, write: false, source: 2n ** 52n },
    ]);
    expect(ioas.tryUnmap(2 ** 45, 2 ** 40)).toBe(2 ** 40);
    expect(ioas.tryUnmap(0, 2 ** 53 - 1)).toBe(PAGE);
  });

  test("answer -errno", async () => {
    const { context, ioas } = await scene();
    ioas.map(ADDRESS, PAGE, { iova: 0 });
    expect(answer(ioas.tryMap(ADDRESS, PAGE, READ | FIXED, 0))).toBe("EEXIST");
    expect(answer(ioas.tryMap(ADDRESS, PAGE, 0))).toBe("EINVAL");
    expect(answer(ioas.tryUnmap(PAGE, PAGE))).toBe("ENOENT");
    for (const flags of [1 << 3, -1, 2 ** 32 + READ, 4.5, NaN]) {
      expect(answer(ioas.tryMap(ADDRESS, PAGE, flags))).toBe("EOPNOTSUPP");
    }
    for (const bad of [-1, 0.5, NaN, Infinity, 2 ** 53, "1" as unknown as number, 1n as unknown as number]) {
      expect(answer(ioas.tryMap(bad, PAGE, READ))).toBe("EINVAL");
      expect(answer(ioas.tryMap(ADDRESS, bad, READ))).toBe("EINVAL");
      expect(answer(ioas.tryMap(ADDRESS, PAGE, READ | FIXED, bad))).toBe("EINVAL");
      expect(answer(ioas.tryUnmap(bad, PAGE))).toBe("EINVAL");
      expect(answer(ioas.tryUnmap(0, bad))).toBe("EINVAL");
    }
    expect(shown(ioas)).toEqual(["0-fff"]);
    context.close();
    expect(answer(ioas.tryMap(ADDRESS, PAGE, READ))).toBe("EBADF");
    expect(answer(ioas.tryUnmap(0, PAGE))).toBe("EBADF");
  });

  test("leave no mapping whose IOVA no number names", async () => {
    const { ioas } = await scene();
    ioas.allow([{ start: 2n ** 53n - 4096n, last: END - 1n }]);
    expect(ioas.tryMap(ADDRESS, PAGE, READ)).toBe(2 ** 53 - PAGE);
    expect(answer(ioas.tryMap(ADDRESS, PAGE, READ))).toBe("EOVERFLOW");
    expect(ioas.areaCount).toBe(1);
    expect(ioas.map(ADDRESS, PAGE)).toBe(2n ** 53n);
  });

  test("are traced as any ioctl", async () => {
    const { iommufd, ioas } = await scene();
    const seen: [number, number, Uint8Array][] = [];
    iommufd.onTrace(({ request, result, bytes }) => seen.push([request, result, bytes]));
    const iova = ioas.tryMap(ADDRESS, PAGE, READ);
    expect(iova).toBe(PAGE);
    expect(ioas.tryUnmap(iova, 2 * PAGE)).toBe(PAGE);
    expect(seen.map(([request, result, bytes]) => [request, result, bytes.length])).toEqual([
      [0x3b85, 0, 40],
      [0x3b86, 0, 24],
    ]);
    expect(new DataView((seen[0] as [number, number, Uint8Array])[2].buffer).getBigUint64(32, true)).toBe(4096n);
  });
});

describe("typed calls", () => {
  test("are traced as any ioctl, with the struct before and after", async () => {
    const { iommufd, ioas } = await scene();
    const seen: TraceEvent[] = [];
    const stop = iommufd.onTrace((event) => seen.push(event));
    const iova = ioas.map(ADDRESS, PAGE, { write: false });
    expect(ioas.unmap(iova, 2 * PAGE)).toBe(4096n);
    expect(errnoOf(() => ioas.unmap(iova, PAGE))).toBe("ENOENT");
    stop();
    ioas.map(ADDRESS, PAGE);
    const ioas_id = ioas.id;
    const map = { size: 40, flags: READ, ioas_id, __reserved: 0, user_va: BigInt(ADDRESS), length: 4096n, iova: 0n };
    const unmap = { size: 24, ioas_id, iova, length: 8192n };
    expect(
      seen.map(({ command, before, bytes, result }) => [command?.decode(before), command?.decode(bytes), result]),
    ).toEqual([
      [map, { ...map, iova }, 0],
      [unmap, { ...unmap, length: 4096n }, 0],
      [{ ...unmap, length: 4096n }, { ...unmap, length: 4096n }, -2],
    ]);
  });

  test("send nothing of the call before: what is left out is zero", async () => {
    const { context, ioas } = await scene();
    expect(answer(context.tryIoctl(0x3b85, new Uint8Array(40).fill(0xff)))).toBe("EFAULT");
    expect(context.ioasAlloc().id).toBe(2);
    ioas.tryMap(ADDRESS, PAGE, READ | FIXED, 64 * PAGE);
    expect(ioas.map(ADDRESS, PAGE)).toBe(4096n);
  });

  test("take what options say before they begin, whatever getters call meanwhile", async () => {
    const { ioas } = await scene();
    const options = {
      get iova() {
        ioas.map(ADDRESS, PAGE, { iova: 0 });
        return 16 * PAGE;
      },
    };
    expect(errnoOf(() => ioas.map(ADDRESS, PAGE, options))).toBe("EEXIST"); // it is read twice
    expect(shown(ioas)).toEqual(["0-fff"]);
  });

  test.each<[string, (ioas: Ioas) => unknown, string]>([
    ["an address", (ioas) => ioas.map("5" as never, PAGE), "IOMMU_IOAS_MAP: user_va must be a u64, not a string"],
    ["a length", (ioas) => ioas.map(ADDRESS, 0.5), "IOMMU_IOAS_MAP: length must be a u64, not 0.5"],
    ["an IOVA", (ioas) => ioas.map(ADDRESS, PAGE, { iova: END }), `IOMMU_IOAS_MAP: iova must be a u64, not ${END}`],
    ["an IOVA", (ioas) => ioas.unmap(-1, PAGE), "IOMMU_IOAS_UNMAP: iova must be a u64, not -1"],
    ["a length", (ioas) => ioas.unmap(0n, {} as never), "IOMMU_IOAS_UNMAP: length must be a u64, not a object"],
    ["a file", (ioas) => ioas.mapFile(2 ** 31, { length: 1 }), "IOMMU_IOAS_MAP_FILE: fd must be a s32, not 2147483648"],
  ])("say which argument is none of its kind: %s", async (_what, call, message) => {
    const { ioas } = await scene();
    expect(errorOf(() => call(ioas)).message).toBe(`EINVAL: ioctl ${message}`);
    expect(ioas.areaCount).toBe(0);
  });
});

describe("the end", () => {
  test("by destroy takes the mappings along; the object means nothing afterwards, whoever has its ID", async () => {
    const { context, ioas } = await scene();
    for (let n = 0; n < 300; n++) ioas.map(ADDRESS, PAGE);
    ioas.destroy();
    const next = context.ioasAlloc();
    expect(next.id).toBe(ioas.id);
    next.map(ADDRESS, PAGE);
    for (const call of [
      () => ioas.map(ADDRESS, PAGE),
      () => ioas.unmapAll(),
      () => ioas.ranges(),
      () => ioas.allow([]),
      () => ioas.hugePages,
      () => ioas.areas(),
      () => ioas.areaCount,
      () => ioas.destroy(),
      () => next.copyFrom(ioas, 0, PAGE),
    ]) {
      expect(errnoOf(call)).toBe("ENOENT");
    }
    expect(answer(ioas.tryMap(ADDRESS, PAGE, READ))).toBe("ENOENT");
    expect(answer(ioas.tryUnmap(PAGE, PAGE))).toBe("ENOENT");
    expect(shown(next)).toEqual(["1000-1fff"]);
  });

  test("gives the memory back, by destroy to the context and by close to all", async () => {
    const { iommufd, context, ioas } = await scene();
    const fill = (target: Ioas) => {
      for (let n = 0; n < 1000; n++) target.map(ADDRESS, PAGE);
    };
    fill(ioas);
    const { used } = iommufd.stats().bytes;
    for (let round = 0; round < 3; round++) {
      const target = context.ioasAlloc();
      ioas.unmapAll();
      fill(target);
      target.destroy();
    }
    context.close();
    const other = iommufd.open();
    fill(other.ioasAlloc());
    expect(iommufd.stats().bytes.used).toBe(used);
  });

  test("is EBUSY while somebody uses it; `using` says so, too", async () => {
    const { context, ioas } = await scene();
    const lock = context.get(ioas.id);
    expect(errorOf(() => ioas.destroy())).toMatchObject({ code: "EBUSY", command: "IOMMU_DESTROY" });
    expect(errorOf(() => ioas[Symbol.dispose]())).toMatchObject({ code: "EBUSY", command: "IOMMU_DESTROY" });
    lock.put();
    expect(ioas.map(ADDRESS, PAGE)).toBe(4096n);
    ioas[Symbol.dispose]();
    expect(context.inspect(ioas.id)).toBeUndefined();
  });

  test("by `using` is no error when it is over already, and takes nobody else's object", async () => {
    const { iommufd, context, ioas } = await scene();
    const other = context.ioasAlloc();
    ioas.destroy();
    const id = context.alloc(plainType(iommufd)).finalize();
    expect(id).toBe(ioas.id);
    ioas[Symbol.dispose]();
    expect(context.inspect(id)?.state).toBe("live");
    context.close();
    other[Symbol.dispose]();
    expect(errnoOf(() => other.unmapAll())).toBe("EBADF");
  });

  test("of the file is EBADF in every call", async () => {
    const { context, ioas } = await scene();
    context.close();
    for (const call of [
      () => ioas.map(ADDRESS, PAGE),
      () => ioas.ranges(),
      () => ioas.areas(),
      () => ioas.destroy(),
      () => context.ioasAlloc(),
      () => context.ioas(1),
    ]) {
      expect(errnoOf(call)).toBe("EBADF");
    }
  });
});

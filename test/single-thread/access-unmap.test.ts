// SPDX-License-Identifier: GPL-2.0-only
//
// What a pretend device has pinned is in the way of an UNMAP, which asks its driver (semantics.md 2.10, 5.1).

import {
  type Access,
  IOMMU_IOAS_UNMAP,
  type Ioas,
  type IommufdContext,
  IommufdError,
  VFIO_IOMMU_UNMAP_DMA,
  vfio_iommu_type1_dma_unmap,
} from "iommufd-wasm";
import { describe, expect, test } from "vitest";
import { type Machine, machine, mapPages, PAGE } from "../support/access.ts";
import { answer, errnoOf } from "../support/answer.ts";

/** An access whose driver unpins what it is asked for, of the ranges in `pinned`. */
function obedient(
  ioas: Ioas,
  log: [bigint, bigint][] = [],
): { access: Access; pin: (iova: number, length: number) => void } {
  const pinned: [number, number][] = [];
  const access = ioas.access({
    unmap(iova, length) {
      log.push([iova, length]);
      for (const [first, bytes] of pinned.splice(0)) access.unpin(first, bytes);
    },
  });
  return {
    access,
    pin(iova, length) {
      access.pin(iova, length);
      pinned.push([iova, length]);
    },
  };
}

/** VFIO_IOMMU_UNMAP_DMA. Return: how many bytes. */
function vfioUnmap(context: IommufdContext, iova: number, size: number): number {
  const fields = vfio_iommu_type1_dma_unmap.encode({ argsz: vfio_iommu_type1_dma_unmap.size, flags: 0, iova, size });
  const result = context.tryIoctl(VFIO_IOMMU_UNMAP_DMA, fields);
  if (result < 0) throw IommufdError.fromErrno(result);
  return Number(vfio_iommu_type1_dma_unmap.decode(fields).size);
}

/** IOMMU_IOAS_UNMAP with its struct in user memory. Return: how many bytes. */
function unmapByAddress({ iommufd, context, ioas }: Machine, iova: number, length: number): bigint {
  const memory = iommufd.userSpace.map(PAGE);
  memory.bytes.set(IOMMU_IOAS_UNMAP.encode({ ioas_id: ioas.id, iova, length }));
  expect(answer(context.tryIoctl(IOMMU_IOAS_UNMAP.request, memory.va))).toBe(0);
  return IOMMU_IOAS_UNMAP.decode(memory.bytes).length;
}

describe("unmapping", () => {
  test("UNMAP asks for the area that is in the way, and what the driver does not let go fails after 100 rounds", async () => {
    const it = await machine();
    const { ioas, warnings } = it;
    mapPages(it, 2, 0);
    mapPages(it, 2, 4 * PAGE);
    const log: [bigint, bigint][] = [];
    const { access, pin } = obedient(ioas, log);
    pin(5 * PAGE, PAGE);
    expect(ioas.unmap(0, 16 * PAGE)).toBe(BigInt(4 * PAGE));
    expect(log).toEqual([[BigInt(4 * PAGE), BigInt(2 * PAGE)]]);
    mapPages(it, 2, 0);
    mapPages(it, 2, 4 * PAGE);
    access.pin(4 * PAGE, PAGE); // which its driver does not remember
    log.length = 0;
    expect(errnoOf(() => ioas.unmap(0, 16 * PAGE))).toBe("EDEADLK");
    expect(log.length).toBe(100);
    expect(warnings).toEqual([{ kind: "unmap:pinned", count: 1, context: it.context.fd }]);
    expect(ioas.areas().map(({ start }) => start)).toEqual([BigInt(4 * PAGE)]); // what lay before is gone
    // What UNMAP has asked for once gets no new pins.
    expect(errnoOf(() => access.pin(4 * PAGE, PAGE))).toBe("EINVAL");
    expect(errnoOf(() => access.read(4 * PAGE, new Uint8Array(1)))).toBe("EINVAL");
    access.unpin(4 * PAGE, PAGE);
    expect(ioas.unmapAll()).toBe(BigInt(2 * PAGE));
  });

  test("a driver that lets go of one area when it is asked is asked for each, however many there are", async () => {
    const it = await machine();
    const { ioas, warnings } = it;
    const areas = 150;
    const memory = it.iommufd.userSpace.map(PAGE);
    for (let n = 0; n < areas; n++) ioas.map(memory, { iova: n * PAGE });
    let rounds = 0;
    const access: Access = ioas.access({
      unmap(iova) {
        rounds++;
        access.unpin(iova, PAGE);
      },
    });
    for (let n = 0; n < areas; n++) access.pin(n * PAGE, PAGE);
    expect(ioas.unmap(0, areas * PAGE)).toBe(BigInt(areas * PAGE));
    expect([rounds, warnings]).toEqual([areas, []]);
  });

  test("the hot twin, an address as argument and VFIO's request ask as well", async () => {
    const it = await machine();
    const { context, ioas } = it;
    const log: [bigint, bigint][] = [];
    const { access, pin } = obedient(ioas, log);
    context.vfioIoas = ioas;
    for (let round = 1; round <= 3; round++) {
      mapPages(it, 1, 0);
      pin(0, PAGE);
      if (round === 1) expect(answer(ioas.tryUnmap(0, PAGE))).toBe(PAGE);
      if (round === 2) expect(vfioUnmap(context, 0, PAGE)).toBe(PAGE);
      if (round === 3) expect(unmapByAddress(it, 0, PAGE)).toBe(BigInt(PAGE));
      expect(log.length).toBe(round);
      expect(ioas.areaCount).toBe(0);
    }
    mapPages(it, 1, 0);
    const stubborn = ioas.access();
    stubborn.pin(0, PAGE);
    expect(answer(ioas.tryUnmap(0, PAGE))).toBe("EDEADLK");
    expect(errnoOf(() => vfioUnmap(context, 0, PAGE))).toBe("EDEADLK");
    stubborn.unpinAll();
    expect(ioas.unmapAll()).toBe(BigInt(PAGE));
    stubborn.destroy();
    access.destroy();
    context.vfioIoas = undefined;
    ioas.destroy(); // no call has left its reference
  });

  test("a driver may make any call when it is asked, other unmaps and its own end included", async () => {
    const it = await machine();
    const { context, ioas, iommufd } = it;
    mapPages(it, 1, 0);
    mapPages(it, 1, 4 * PAGE);
    const log: unknown[] = [];
    const access: Access = ioas.access({
      unmap(iova) {
        log.push(iova);
        access.unpin(Number(iova), PAGE);
        if (iova !== 0n) return;
        log.push(ioas.unmap(4 * PAGE, PAGE)); // nested: it is asked for that one
        log.push(context.ioasAlloc().map(iommufd.userSpace.map(PAGE), { iova: 0x10_0000 }));
        log.push(errnoOf(() => ioas.destroy()));
        context.access({ unmap: () => void log.push("never") }).attach(ioas); // who comes meanwhile is not asked
        context.close();
      },
    });
    access.pin(0, PAGE);
    access.pin(4 * PAGE, PAGE);
    expect(ioas.unmap(0, 2 * PAGE)).toBe(BigInt(PAGE));
    expect(log).toEqual([0n, BigInt(4 * PAGE), BigInt(PAGE), 0x10_0000n, "EBUSY"]);
    expect(iommufd.stats().files.open).toBe(1); // two accesses keep it
  });

  test("what a driver throws comes out when the UNMAP is over", async () => {
    const it = await machine();
    const { ioas } = it;
    mapPages(it, 1, 0);
    const access: Access = ioas.access({
      unmap() {
        access.unpinAll();
        throw new Error("asked");
      },
    });
    access.pin(0, PAGE);
    expect(() => ioas.unmap(0, PAGE)).toThrow("asked");
    expect(ioas.areaCount).toBe(0);
    mapPages(it, 1, 0);
    access.pin(0, PAGE);
    expect(() => ioas.tryUnmap(0, PAGE)).toThrow("asked");
    expect(ioas.areaCount).toBe(0);
    expect(() => access.destroy()).toThrow("asked");
    ioas.destroy(); // no handle is left
  });

  test("VFIO splits no pinned mapping, also where it cuts mappings", async () => {
    const it = await machine();
    const { ioas, context } = it;
    mapPages(it, 4, 0);
    const access = ioas.access();
    access.pin(3 * PAGE, PAGE);
    context.vfioIoas = ioas;
    expect(errnoOf(() => vfioUnmap(context, 0, PAGE))).toBe("ENOENT");
    ioas.hugePages = false; // as VFIO_SET_IOMMU of type 1 does
    for (const [iova, size] of [
      [0, PAGE],
      [2 * PAGE, 2 * PAGE],
    ] as const) {
      expect(errnoOf(() => vfioUnmap(context, iova, size))).toBe("EINVAL");
      expect(ioas.areas()).toMatchObject([{ start: 0n, last: BigInt(4 * PAGE - 1), pins: 1 }]);
    }
    access.unpin(3 * PAGE, PAGE);
    expect(vfioUnmap(context, PAGE, PAGE)).toBe(PAGE);
    expect(ioas.areaCount).toBe(2);
  });
});

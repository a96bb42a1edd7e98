// SPDX-License-Identifier: GPL-2.0-only
//
// Accesses: a pretend device pins, reads and writes memory by IOVA (semantics.md 2.6, 2.7, 2.10, 2.12, 5.1).

import {
  type Access,
  IOMMU_IOAS_UNMAP,
  type Ioas,
  type Iommufd,
  type IommufdContext,
  IommufdError,
  type IommufdWarning,
  VFIO_IOMMU_UNMAP_DMA,
  vfio_iommu_type1_dma_unmap,
} from "iommufd-wasm";
import { describe, expect, test } from "vitest";
import { answer, errnoOf } from "../support/answer.ts";
import { boot, otherThread } from "../support/boot.ts";

const PAGE = 4096;
const LAST = 2n ** 64n - 1n;

interface Machine {
  iommufd: Iommufd;
  warnings: IommufdWarning[];
  context: IommufdContext;
  ioas: Ioas;
}

async function machine(): Promise<Machine> {
  const { iommufd, warnings } = await boot({ abi: "mainline" });
  const context = iommufd.open();
  return { iommufd, warnings, context, ioas: context.ioasAlloc() };
}

/** Pages of the calling process, filled with 1, 2, 3 …, mapped at `iova`. */
function mapPages({ iommufd, ioas }: Machine, pages: number, iova: number): Uint8Array {
  const memory = iommufd.userSpace.map(pages * PAGE);
  for (let page = 0; page < pages; page++) memory.bytes.fill(page + 1, page * PAGE, (page + 1) * PAGE);
  ioas.map(memory, { iova });
  return memory.bytes;
}

function read(access: Access, iova: number | bigint, length: number): number[] {
  const into = new Uint8Array(length);
  access.read(iova, into);
  return [...into];
}

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

describe("attaching", () => {
  test("an access is attached once, replaced where it is attached, and keeps its address space", async () => {
    const { context, ioas } = await machine();
    const other = context.ioasAlloc();
    const access = context.access();
    expect(access.ioasId).toBe(0);
    expect(errnoOf(() => access.replace(ioas))).toBe("ENOENT");
    expect(errnoOf(() => access.detach())).toBe("EINVAL");
    expect(errnoOf(() => access.attach(4711))).toBe("ENOENT");
    access.attach(ioas);
    expect(access.ioasId).toBe(ioas.id);
    expect(errnoOf(() => access.attach(other))).toBe("EINVAL");
    expect(errnoOf(() => access.replace(4711))).toBe("ENOENT");
    expect(errnoOf(() => ioas.destroy())).toBe("EBUSY");
    access.replace(other.id);
    ioas.destroy();
    expect(errnoOf(() => other.destroy())).toBe("EBUSY");
    access.detach();
    other.destroy();
    expect(errnoOf(() => context.destroy(access.id))).toBe("EBUSY"); // its driver has it
    access.destroy();
    expect(context.objects()).toEqual([]);
    for (const call of [
      () => access.attach(1),
      () => access.detach(),
      () => access.destroy(),
      () => access.pin(0, 1),
    ]) {
      expect(errnoOf(call)).toBe("EBADF");
    }
    expect(errnoOf(() => access.read(0, new Uint8Array(1)))).toBe("EBADF");
    expect(errnoOf(() => access.unpin(0, 1))).toBe("EBADF");
  });

  test("ioas.access makes and attaches in one go, or leaves nothing", async () => {
    const { context, ioas, iommufd } = await machine();
    const access = ioas.access();
    expect(access.ioasId).toBe(ioas.id);
    access.destroy();
    ioas.map(iommufd.userSpace.map(PAGE).va, 100, { iova: 0 });
    const before = context.objects();
    expect(errnoOf(() => ioas.access())).toBe("EADDRINUSE");
    expect(context.objects()).toEqual(before);
    expect(errnoOf(() => ioas.access({ unmap: 1 as unknown as () => void }))).toBe("EINVAL");
    expect(context.objects()).toEqual(before);
    ioas.access({ pins: false }).destroy();
  });

  test("an address space or ID that means none is refused, and another file's address space", async () => {
    const { context, iommufd } = await machine();
    const access = context.access();
    const foreign = iommufd.open().ioasAlloc();
    for (const bad of [-1, 2 ** 32, 1.5, NaN, "1", foreign]) {
      expect(errnoOf(() => access.attach(bad as number))).toBe("EINVAL");
      expect(errnoOf(() => access.replace(bad as number))).toBe("EINVAL");
    }
    expect(access.ioasId).toBe(0);
  });

  test("one that pins wants whole pages for as long as it is attached", async () => {
    const { context, ioas, iommufd } = await machine();
    const { va } = iommufd.userSpace.map(2 * PAGE);
    const access = context.access();
    ioas.map(va, 100, { iova: 0 });
    expect(errnoOf(() => access.attach(ioas))).toBe("EADDRINUSE");
    context.access({ pins: false }).attach(ioas);
    ioas.unmap(0, 100);
    expect(ioas.ranges().alignment).toBe(1n);
    access.attach(ioas);
    expect(ioas.ranges().alignment).toBe(4096n);
    expect(errnoOf(() => ioas.map(va, 100, { iova: 0 }))).toBe("EINVAL");
    access.detach();
    expect(ioas.ranges().alignment).toBe(1n);
    ioas.map(va, 100, { iova: 0 });
    // A replace that is refused changes nothing, and asks nobody to let go.
    const target = context.ioasAlloc();
    const asked: unknown[] = [];
    const mover = target.access({ unmap: (iova) => void asked.push(iova) });
    expect(errnoOf(() => mover.replace(ioas))).toBe("EADDRINUSE");
    mover.replace(target);
    expect(mover.ioasId).toBe(target.id);
    expect(asked).toEqual([]);
  });

  test("leaving asks for everything once; meanwhile there are no new pins, and pins that stay keep it where it is", async () => {
    const it = await machine();
    const { context, ioas } = it;
    mapPages(it, 2, 0);
    const other = context.ioasAlloc();
    const log: unknown[] = [];
    let obeys = false;
    const access: Access = ioas.access({
      unmap(iova, length) {
        log.push([iova, length]);
        log.push(
          errnoOf(() => access.pin(PAGE, PAGE)),
          errnoOf(() => access.read(0, new Uint8Array(1))),
        );
        log.push(
          errnoOf(() => access.detach()),
          errnoOf(() => access.replace(other)),
          errnoOf(() => access.destroy()),
        );
        if (obeys) access.unpin(0, PAGE);
      },
    });
    access.pin(0, PAGE);
    const round = [[0n, LAST], "ENOENT", "ENOENT", "EBUSY", "EBUSY", "EBUSY"];
    expect(errnoOf(() => access.replace(other))).toBe("EBUSY");
    expect(log).toEqual(round);
    expect(errnoOf(() => access.detach())).toBe("EBUSY");
    expect(errnoOf(() => access.destroy())).toBe("EBUSY");
    expect(access.ioasId).toBe(ioas.id);
    access.pin(PAGE, PAGE);
    access.unpin(PAGE, PAGE); // as before
    obeys = true;
    access.replace(other);
    expect(access.ioasId).toBe(other.id);
    expect(errnoOf(() => access.read(0, new Uint8Array(1)))).toBe("ENOENT"); // nothing is mapped there
    expect(log.length).toBe(4 * round.length);
    ioas.destroy();
  });

  test("an error that the driver throws when it is asked comes out when it has left", async () => {
    const { context, ioas } = await machine();
    const access = ioas.access({
      unmap() {
        throw new Error("no");
      },
    });
    expect(() => access.detach()).toThrow("no");
    expect(access.ioasId).toBe(0);
    access.attach(ioas);
    expect(() => access.destroy()).toThrow("no");
    expect(context.objects().map(({ id }) => id)).toEqual([ioas.id]);
  });

  test("an access keeps a closed file until it is destroyed", async () => {
    const { context, ioas, iommufd } = await machine();
    const access = ioas.access();
    const memory = iommufd.userSpace.map(PAGE);
    memory.bytes[5] = 5;
    ioas.map(memory, { iova: 0 });
    context.close();
    expect(iommufd.stats().files.open).toBe(1);
    expect(read(access, 5, 1)).toEqual([5]);
    access.destroy();
    expect(iommufd.stats().files.open).toBe(0);
  });

  test("a thread that leaves takes its accesses and their pins with it", async () => {
    const { iommufd, context, ioas } = await machine();
    mapPages({ iommufd, context, ioas, warnings: [] }, 1, 0);
    const other = otherThread(iommufd);
    const theirs = other.file(context.fd).ioas(ioas.id).access();
    theirs.pin(0, PAGE);
    expect(iommufd.userSpace.memlock.pinnedPages).toBe(1);
    expect(errnoOf(() => ioas.destroy())).toBe("EBUSY");
    other.detach();
    expect(iommufd.userSpace.memlock.pinnedPages).toBe(0);
    ioas.destroy();
  });

  test("the rfc profile has none", async () => {
    const { iommufd } = await boot({ abi: "rfc" });
    expect(errnoOf(() => iommufd.open().access())).toBe("ENOTTY");
  });
});

describe("reading and writing", () => {
  test("bytes go to where the mappings show, across areas, mappings and their borders", async () => {
    const it = await machine();
    const access = it.ioas.access({ pins: false });
    const [one, two] = [mapPages(it, 2, 0), mapPages(it, 2, 2 * PAGE)];
    expect(read(access, PAGE - 2, 4)).toEqual([1, 1, 2, 2]);
    expect(read(access, 2 * PAGE - 2, 4)).toEqual([2, 2, 1, 1]);
    const all = new Uint8Array(4 * PAGE - 2).map((_, index) => index % 251);
    access.write(1, all);
    expect(one.slice(1)).toEqual(all.slice(0, 2 * PAGE - 1));
    expect(two.slice(0, -1)).toEqual(all.slice(2 * PAGE - 1));
    const back = new Uint8Array(all.length);
    access.read(1n, back);
    expect(back).toEqual(all);
    for (const length of [1, 3, 63, 64, 65, 200]) {
      expect(read(access, 10, length)).toEqual([...all.subarray(9, 9 + length)]);
    }
  });

  test("one area may show several mappings of its process", async () => {
    const { ioas, iommufd } = await machine();
    const va = 0x4000_0000n;
    iommufd.userSpace.map(PAGE, { va }).bytes.fill(1);
    iommufd.userSpace.map(PAGE, { va: va + BigInt(PAGE) }).bytes.fill(2);
    ioas.map(va, 2 * PAGE, { iova: 0 });
    const access = ioas.access();
    expect(read(access, PAGE - 1, 2)).toEqual([1, 2]);
    const pieces = access.pin(0, 2 * PAGE);
    expect(pieces.map(({ iova, length, bytes }) => [iova, length, bytes?.[0]])).toEqual([
      [0n, PAGE, 1],
      [BigInt(PAGE), PAGE, 2],
    ]);
  });

  test("what is mapped in less than pages is read to the byte", async () => {
    const { ioas, iommufd } = await machine();
    const memory = iommufd.userSpace.map(PAGE);
    memory.bytes.set([1, 2, 3, 4, 5], 100);
    ioas.map(memory.va + 101n, 3, { iova: 7 });
    const access = ioas.access({ pins: false });
    expect(read(access, 7, 3)).toEqual([2, 3, 4]);
    expect(errnoOf(() => access.read(6, new Uint8Array(2)))).toBe("ENOENT");
    expect(errnoOf(() => access.read(7, new Uint8Array(4)))).toBe("ENOENT");
  });

  test("a range with a hole is copied up to the hole", async () => {
    const it = await machine();
    const access = it.ioas.access();
    const memory = mapPages(it, 1, 0);
    const into = new Uint8Array(PAGE);
    expect(errnoOf(() => access.read(PAGE - 100, into))).toBe("ENOENT");
    expect(into.subarray(0, 101)).toEqual(new Uint8Array(101).fill(1, 0, 100));
    expect(errnoOf(() => access.write(PAGE - 1, Uint8Array.of(9, 9)))).toBe("ENOENT");
    expect(memory[PAGE - 1]).toBe(9);
  });

  test("rights are the mapping's", async () => {
    const { ioas, iommufd } = await machine();
    const memory = iommufd.userSpace.map(PAGE);
    ioas.map(memory, { iova: 0, write: false });
    ioas.map(memory, { iova: PAGE, read: false });
    const access = ioas.access();
    const byte = new Uint8Array(1);
    expect(errnoOf(() => access.write(0, byte))).toBe("EPERM");
    expect(errnoOf(() => access.read(PAGE, byte))).toBe("EPERM");
    expect(errnoOf(() => access.pin(0, PAGE, { write: true }))).toBe("EPERM");
    expect(errnoOf(() => access.pin(PAGE, PAGE))).toBe("EPERM");
    expect(errnoOf(() => access.pin(0, 2 * PAGE))).toBe("EPERM");
    expect(iommufd.userSpace.memlock.pinnedPages).toBe(0);
    access.read(0, byte);
    access.write(PAGE, byte);
  });

  test("lengths and IOVAs at the end of the space, and what is none", async () => {
    const { ioas, iommufd } = await machine();
    const access = ioas.access();
    const memory = iommufd.userSpace.map(PAGE);
    memory.bytes.fill(7);
    ioas.map(memory, { iova: LAST - BigInt(PAGE) + 1n });
    expect(read(access, LAST, 1)).toEqual([7]);
    expect(errnoOf(() => access.read(LAST, new Uint8Array(2)))).toBe("EOVERFLOW");
    expect(errnoOf(() => access.read(0, new Uint8Array(0)))).toBe("EINVAL");
    access.pin(LAST - BigInt(PAGE) + 1n, PAGE);
    access.unpin(LAST - BigInt(PAGE) + 1n, PAGE);
    expect(errnoOf(() => access.pin(LAST, 2))).toBe("EOVERFLOW");
    expect(errnoOf(() => access.pin(0, 0))).toBe("EINVAL");
    for (const bad of [-1, 0.5, NaN, 2 ** 53, -1n, LAST + 1n, "0"]) {
      expect(errnoOf(() => access.read(bad as number, new Uint8Array(1)))).toBe("EINVAL");
      expect(errnoOf(() => access.pin(bad as number, PAGE))).toBe("EINVAL");
      expect(errnoOf(() => access.unpin(0, bad as number))).toBe("EINVAL");
    }
  });

  test("an address that means nothing is EFAULT, and protections are the process'", async () => {
    const { ioas, iommufd } = await machine();
    const access = ioas.access();
    ioas.map(0x1234_5000, PAGE, { iova: 0 });
    const memory = iommufd.userSpace.map(PAGE, { prot: "r" });
    ioas.map(memory, { iova: PAGE });
    expect(errnoOf(() => access.read(0, new Uint8Array(1)))).toBe("EFAULT");
    expect(errnoOf(() => access.pin(0, PAGE))).toBe("EFAULT");
    access.read(PAGE, new Uint8Array(1));
    expect(errnoOf(() => access.write(PAGE, new Uint8Array(1)))).toBe("EFAULT");
    expect(errnoOf(() => access.pin(PAGE, PAGE))).toBe("EFAULT"); // a map with WRITEABLE pins for write
    expect(iommufd.userSpace.memlock.pinnedPages).toBe(0);
  });

  test("no method of the user's own class runs while bytes are copied", async () => {
    const it = await machine();
    mapPages(it, 2, 0);
    const calls: string[] = [];
    class Odd extends Uint8Array {
      static get [Symbol.species](): Uint8ArrayConstructor {
        calls.push("species");
        return Uint8Array;
      }
      override set(): void {
        calls.push("set");
      }
      override subarray(): never {
        calls.push("subarray");
        throw new Error("subarray");
      }
    }
    const access = it.ioas.access();
    const odd = new Odd(PAGE + 100);
    calls.length = 0;
    access.read(PAGE - 100, odd);
    access.write(0, odd);
    expect(calls).toEqual([]);
    expect([odd[0], odd[PAGE]]).toEqual([1, 2]);
  });
});

describe("pinning", () => {
  test("parts of areas, in whole pages, nested and overlapping, are let go exactly as they were pinned", async () => {
    const it = await machine();
    const { ioas, iommufd } = it;
    const memory = mapPages(it, 8, 0);
    const access = ioas.access();
    const pinned = (): number => iommufd.userSpace.memlock.pinnedPages;
    const [piece] = access.pin(2 * PAGE, 3 * PAGE, { write: true });
    expect([piece?.iova, piece?.length, piece?.bytes?.[0]]).toEqual([BigInt(2 * PAGE), 3 * PAGE, 3]);
    piece?.bytes?.fill(99, 0, 1);
    expect(memory[2 * PAGE]).toBe(99); // no copy
    access.pin(0, 8 * PAGE);
    access.pin(3 * PAGE, 3 * PAGE);
    access.pin(3 * PAGE, 3 * PAGE);
    expect(pinned()).toBe(8);
    for (const [iova, length] of [
      [2, 2],
      [3, 2],
      [1, 3],
      [0, 7],
      [9, 1],
    ] as const) {
      expect(errnoOf(() => access.unpin(iova * PAGE, length * PAGE))).toBe("EINVAL");
    }
    access.unpin(0, 8 * PAGE);
    expect(errnoOf(() => access.unpin(0, 8 * PAGE))).toBe("EINVAL");
    expect(pinned()).toBe(4); // 2 … 5
    access.unpin(2 * PAGE, 3 * PAGE);
    expect(pinned()).toBe(3);
    access.unpin(3 * PAGE, 3 * PAGE);
    expect(pinned()).toBe(3);
    access.unpin(3 * PAGE, 3 * PAGE);
    expect(pinned()).toBe(0);
    access.pin(2 * PAGE, PAGE);
    access.pin(4 * PAGE, 2 * PAGE);
    access.unpinAll();
    expect(pinned()).toBe(0);
    access.destroy();
  });

  test("random pins, of several accesses in shared pages, leave nothing; each page counts once", async () => {
    const it = await machine();
    const { context, ioas, iommufd } = it;
    mapPages(it, 24, 0);
    const copy = context.ioasAlloc();
    copy.copyFrom(ioas, 4 * PAGE, 16 * PAGE, { iova: 0 }); // its page n is n + 4 there
    const spaces = [
      { access: ioas.access(), first: 0, pages: 24 },
      { access: copy.access(), first: 4, pages: 16 },
      { access: ioas.access(), first: 0, pages: 24 },
    ];
    const held: { access: Access; iova: number; length: number; first: number }[] = [];
    let seed = 20221107;
    const below = (limit: number): number => ((seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) % (limit << 8)) >> 8;
    for (let round = 0; round < 600; round++) {
      const space = spaces[below(3)] as (typeof spaces)[0];
      if (below(5) < 3 && held.length < 40) {
        const [at, length] = [below(space.pages), 1 + below(6)];
        const isInside = at + length <= space.pages;
        expect(errnoOf(() => space.access.pin(at * PAGE, length * PAGE))).toBe(isInside ? "no error" : "ENOENT");
        if (isInside) held.push({ access: space.access, iova: at, length, first: space.first });
      } else {
        const [pin] = held.splice(below(held.length || 1), 1);
        pin?.access.unpin(pin.iova * PAGE, pin.length * PAGE);
      }
      const pages = new Set(
        held.flatMap(({ iova, length, first }) => Array.from({ length }, (_, i) => first + iova + i)),
      );
      expect(iommufd.userSpace.memlock.pinnedPages).toBe(pages.size);
    }
    for (const { access } of spaces) access.unpinAll();
    expect(iommufd.userSpace.memlock.pinnedPages).toBe(0);
    for (const { access } of spaces) access.destroy();
    ioas.destroy();
    copy.destroy();
  });

  test("all or nothing: a hole, a page that is not there, and pages that begin in the middle of the source's", async () => {
    const it = await machine();
    const { context, ioas, iommufd } = it;
    mapPages(it, 1, 0);
    ioas.map(0x1234_5000, PAGE, { iova: PAGE });
    mapPages(it, 1, 3 * PAGE);
    const access = ioas.access();
    expect(errnoOf(() => access.pin(0, 2 * PAGE))).toBe("EFAULT");
    expect(errnoOf(() => access.pin(3 * PAGE, 2 * PAGE))).toBe("ENOENT");
    expect(errnoOf(() => access.pin(0, 5 * PAGE))).toBe("EFAULT");
    expect(errnoOf(() => access.pin(100, 100))).toBe("EINVAL");
    access.pin(0, 100); // less than a page at the end
    access.unpin(0, 100);
    expect(iommufd.userSpace.memlock.pinnedPages).toBe(0);
    expect(errnoOf(() => context.access().pin(0, PAGE))).toBe("ENOENT");
    expect(errnoOf(() => ioas.access({ pins: false }).pin(0, PAGE))).toBe("EINVAL");
  });

  test("pinned memory stays where it is through munmap, and its pages are free when the last pin goes", async () => {
    const it = await machine();
    const { ioas, iommufd } = it;
    const memory = iommufd.userSpace.map(2 * PAGE);
    memory.bytes.fill(5);
    ioas.map(memory, { iova: 0 });
    const access = ioas.access();
    const [piece] = access.pin(0, PAGE);
    const { used } = iommufd.stats().bytes;
    iommufd.userSpace.unmap(memory);
    expect(iommufd.stats().bytes.used).toBe(used);
    expect(piece?.bytes?.[PAGE - 1]).toBe(5);
    expect(read(access, 10, 2)).toEqual([5, 5]);
    expect(errnoOf(() => access.read(PAGE, new Uint8Array(1)))).toBe("EFAULT");
    access.write(10, Uint8Array.of(6));
    expect(piece?.bytes?.[10]).toBe(6);
    access.unpin(0, PAGE);
    expect(iommufd.stats().bytes.used).toBe(used - 2 * PAGE);
    expect(errnoOf(() => access.read(10, new Uint8Array(1)))).toBe("EFAULT");
  });

  test("of a process that exits pinned memory stays readable, and the rest is EFAULT", async () => {
    const { context, ioas, iommufd } = await machine();
    const process = iommufd.createUserSpace({ memlockBytes: 8 * PAGE });
    const memory = process.map(2 * PAGE);
    memory.bytes.fill(8);
    process.run(() => ioas.map(memory, { iova: 0 }));
    const access = context.ioas(ioas.id).access();
    access.pin(0, PAGE);
    process.exit();
    expect(read(access, 0, 1)).toEqual([8]);
    expect(errnoOf(() => access.read(PAGE, new Uint8Array(1)))).toBe("EFAULT");
    access.pin(0, PAGE); // it is pinned already
    expect(errnoOf(() => access.pin(0, 2 * PAGE))).toBe("EFAULT");
    access.unpinAll();
    expect(errnoOf(() => access.pin(0, PAGE))).toBe("EFAULT");
    expect(iommufd.stats().mappings).toBe(0);
  });
});

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

  test("VFIO splits no pinned mapping", async () => {
    const it = await machine();
    mapPages(it, 4, 0);
    const access = it.ioas.access();
    access.pin(3 * PAGE, PAGE);
    it.context.vfioIoas = it.ioas;
    expect(errnoOf(() => vfioUnmap(it.context, 0, PAGE))).toBe("ENOENT");
    expect(it.ioas.areaCount).toBe(1);
  });
});

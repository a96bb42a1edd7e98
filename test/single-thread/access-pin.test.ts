// SPDX-License-Identifier: GPL-2.0-only
//
// A pretend device pins memory by IOVA (semantics.md 2.6, 2.7, 5.1).

import type { Access } from "iommufd-wasm";
import { describe, expect, test } from "vitest";
import { machine, mapPages, PAGE, read } from "../support/access.ts";
import { errnoOf } from "../support/answer.ts";

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

  test("what is pinned in one piece and then in parts is where it was, and each part stays until its last pin goes", async () => {
    const it = await machine();
    const { ioas, iommufd } = it;
    const memory = iommufd.userSpace.map(8 * PAGE);
    for (let page = 0; page < 8; page++) memory.bytes.fill(page + 1, page * PAGE, (page + 1) * PAGE);
    ioas.map(memory, { iova: 0 });
    const [whole, parts] = [ioas.access(), ioas.access()];
    whole.pin(0, 8 * PAGE);
    const pieces = [parts.pin(3 * PAGE, 2 * PAGE), parts.pin(6 * PAGE, PAGE)].flat();
    expect(pieces.map(({ length, bytes }) => [length, bytes?.[0], bytes?.at(-1)])).toEqual([
      [2 * PAGE, 4, 5],
      [PAGE, 7, 7],
    ]);
    iommufd.userSpace.unmap(memory);
    const firsts = (): number[] => Array.from({ length: 8 }, (_, page) => read(parts, page * PAGE, 1)[0]!);
    expect(firsts()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    whole.unpinAll();
    expect([3, 4, 6].map((page) => read(parts, page * PAGE, 1)[0])).toEqual([4, 5, 7]);
    expect(pieces.map(({ bytes }) => bytes?.[0])).toEqual([4, 7]);
    expect(iommufd.userSpace.memlock.pinnedPages).toBe(3);
    const { used } = iommufd.stats().bytes;
    parts.unpin(3 * PAGE, 2 * PAGE);
    expect(read(parts, 6 * PAGE, 1)).toEqual([7]);
    expect(iommufd.stats().bytes.used).toBe(used);
    parts.unpinAll();
    expect(iommufd.stats().bytes.used).toBe(used - 8 * PAGE);
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

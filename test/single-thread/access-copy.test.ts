// SPDX-License-Identifier: GPL-2.0-only
//
// A pretend device reads and writes memory by IOVA (semantics.md 5.1).

import { describe, expect, test } from "vitest";
import { LAST, machine, mapPages, PAGE, read } from "../support/access.ts";
import { errnoOf } from "../support/answer.ts";

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

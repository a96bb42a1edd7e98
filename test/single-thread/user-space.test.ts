// SPDX-License-Identifier: GPL-2.0-only
//
// User memory: mapping, protection, unmapping, and copies that may fail at any byte.

import type { Iommufd, Protection, UserMapping } from "iommufd-wasm";
import { describe, expect, test } from "vitest";
import { errnoOf } from "../support/answer.ts";
import { boot, otherThread } from "../support/boot.ts";
import { Random } from "../support/random.ts";

const PAGE = 4096;
const TASK_SIZE = 0x7fff_ffff_f000n;
const VA = 0x4000_0000n;
const MAX_MAPPINGS = 1024;

const at = (va: bigint, offset: number): bigint => va + BigInt(offset);

describe("map", () => {
  test("rounds up to pages, zeroed, live, page aligned, and never over another mapping", async () => {
    const { iommufd } = await boot();
    const mappings = [1, PAGE, PAGE + 1, 10 * PAGE].map((length) => iommufd.userSpace.map(length));
    expect(mappings.map(({ bytes }) => bytes.length)).toEqual([PAGE, PAGE, 2 * PAGE, 10 * PAGE]);
    for (const { va, bytes } of mappings) {
      expect(va % BigInt(PAGE)).toBe(0n);
      expect(bytes.every((byte) => byte === 0)).toBe(true);
    }
    const ranges = mappings
      .map(({ va, bytes }) => [va, at(va, bytes.length)] as const)
      .sort(([a], [b]) => Number(a - b));
    for (const [index, [start]] of ranges.entries()) expect(start >= (ranges[index - 1]?.[1] ?? 0n)).toBe(true);
    const [first] = mappings as [UserMapping];
    first.bytes[5] = 7;
    expect(iommufd.userSpace.read(at(first.va, 5), 1)).toEqual(Uint8Array.of(7));
    iommufd.userSpace.write(at(first.va, 6), Uint8Array.of(8));
    expect(first.bytes[6]).toBe(8);
    expect(iommufd.stats().mappings).toBe(4);
  });

  test.each<[va: bigint]>([[0x1000n], [VA], [2n ** 40n], [TASK_SIZE - BigInt(PAGE)]])(
    "goes where it is told: %x",
    async (va) => {
      const { iommufd } = await boot();
      const mapping = iommufd.userSpace.map(PAGE, { va });
      expect(mapping.va).toBe(va);
      mapping.bytes.set([9, 8, 7], PAGE - 3);
      expect([...iommufd.userSpace.read(at(va, PAGE - 3), 3)]).toEqual([9, 8, 7]);
    },
  );

  test.each<[string, number, { va?: bigint; prot?: Protection }]>([
    ["length 0", 0, {}],
    ["a negative length", -1, {}],
    ["a fraction", 1.5, {}],
    ["NaN", NaN, {}],
    ["Infinity", Infinity, {}],
    ["a length beyond integers", 2 ** 60, {}],
    ["address 0", PAGE, { va: 0n }],
    ["the first page", PAGE, { va: 1n }],
    ["a misaligned address", PAGE, { va: VA + 1n }],
    ["an end beyond user space", 2 * PAGE, { va: TASK_SIZE - BigInt(PAGE) }],
    ["an end beyond user space by one byte", PAGE + 1, { va: TASK_SIZE - BigInt(PAGE) }],
    ["an address beyond user space", PAGE, { va: TASK_SIZE }],
    ["a kernel address", PAGE, { va: 2n ** 63n }],
    ["the last page of 64 bits", PAGE, { va: 2n ** 64n - BigInt(PAGE) }],
    ["an address beyond 64 bits", PAGE, { va: 2n ** 64n + VA }],
    ["a negative address", PAGE, { va: -BigInt(PAGE) }],
    ["an address that is a number", PAGE, { va: 0x4000_0000 as unknown as bigint }],
    ["another protection", PAGE, { prot: "w" as Protection }],
    ["a protection of Object.prototype", PAGE, { prot: "toString" as Protection }],
  ])("refuses %s with EINVAL", async (_name, length, options) => {
    const { iommufd } = await boot();
    expect(errnoOf(() => iommufd.userSpace.map(length, options))).toBe("EINVAL");
    expect(iommufd.stats().mappings).toBe(0);
  });

  test.each([
    [0, 4],
    [1, 1],
    [-1, 2],
    [3, 2],
    [-2, 10],
  ])("over what is mapped, %d pages off and %d long, is EEXIST", async (offset, pages) => {
    const { iommufd } = await boot();
    const { bytes } = iommufd.userSpace.map(4 * PAGE, { va: VA });
    bytes.fill(0x5a);
    const { used } = iommufd.stats().bytes;
    expect(errnoOf(() => iommufd.userSpace.map(pages * PAGE, { va: at(VA, offset * PAGE) }))).toBe("EEXIST");
    expect(iommufd.stats().bytes.used).toBe(used);
    expect(bytes.every((byte) => byte === 0x5a)).toBe(true);
  });

  test("beside what is mapped is fine on both sides", async () => {
    const { iommufd } = await boot();
    for (const offset of [0, 2, -1, 1]) iommufd.userSpace.map(PAGE, { va: at(VA, offset * PAGE) });
    iommufd.userSpace.write(at(VA, -PAGE), new Uint8Array(4 * PAGE).fill(3));
    expect(iommufd.userSpace.read(at(VA, -PAGE), 4 * PAGE).every((byte) => byte === 3)).toBe(true);
  });

  test("a write that leaves user space writes nothing, however long it is", async () => {
    const { iommufd } = await boot();
    const va = TASK_SIZE - BigInt(2 * PAGE);
    const { bytes } = iommufd.userSpace.map(2 * PAGE, { va });
    for (const [from, length] of [
      [va, 2 * PAGE + 1],
      [at(va, PAGE), PAGE + 904],
      [at(va, PAGE + 1), PAGE],
    ] as const) {
      expect(errnoOf(() => iommufd.userSpace.write(from, new Uint8Array(length).fill(1)))).toBe("EFAULT");
    }
    expect(bytes.every((byte) => byte === 0)).toBe(true);
    iommufd.userSpace.write(va, new Uint8Array(2 * PAGE).fill(1));
    expect(bytes.every((byte) => byte === 1)).toBe(true);
  });

  test("what does not fit into the memory is ENOMEM and changes nothing", async () => {
    const { iommufd } = await boot({ memoryBytes: 8 * 1024 * 1024 });
    const { heap } = iommufd.stats().bytes;
    const before = iommufd.stats();
    for (const length of [heap + 1, 2 ** 31, 2 ** 32, 2 ** 40]) {
      expect(errnoOf(() => iommufd.userSpace.map(length))).toBe("ENOMEM");
    }
    expect(iommufd.stats()).toEqual(before);
    const all = iommufd.userSpace.map(heap);
    expect(errnoOf(() => iommufd.userSpace.map(1))).toBe("ENOMEM");
    expect(iommufd.stats().bytes.used).toBe(heap);
    iommufd.userSpace.unmap(all);
    iommufd.userSpace.map(heap);
  });

  test("the 1025th mapping is ENOMEM, and one that is removed makes room", async () => {
    const { iommufd } = await boot();
    const mappings = Array.from({ length: MAX_MAPPINGS }, () => iommufd.userSpace.map(1));
    expect(new Set(mappings.map(({ va }) => va)).size).toBe(MAX_MAPPINGS);
    const { used } = iommufd.stats().bytes;
    expect(errnoOf(() => iommufd.userSpace.map(1))).toBe("ENOMEM");
    expect(iommufd.stats().bytes.used).toBe(used);
    iommufd.userSpace.unmap(mappings[500] as UserMapping);
    iommufd.userSpace.map(1);
    expect(errnoOf(() => iommufd.userSpace.map(1))).toBe("ENOMEM");
  });
});

describe("unmap", () => {
  test("takes the pages away and wipes them: the next owner reads zeros", async () => {
    const { iommufd } = await boot({ memoryBytes: 4 * 1024 * 1024 });
    const { heap } = iommufd.stats().bytes;
    for (let round = 0; round < 3; round++) {
      const mapping = iommufd.userSpace.map(heap, { va: VA });
      expect(mapping.bytes.every((byte) => byte === 0)).toBe(true);
      mapping.bytes.fill(0xa5);
      iommufd.userSpace.unmap(mapping);
      expect(errnoOf(() => iommufd.userSpace.read(VA, 1))).toBe("EFAULT");
      expect(errnoOf(() => iommufd.userSpace.write(VA, Uint8Array.of(1)))).toBe("EFAULT");
      expect(iommufd.stats()).toMatchObject({ mappings: 0, bytes: { used: 0 } });
    }
  });

  test("of what is no mapping, or not one any more, or one of another machine, is EINVAL", async () => {
    const { iommufd } = await boot();
    const { iommufd: foreign } = await boot();
    const mapping = iommufd.userSpace.map(PAGE, { va: VA });
    iommufd.userSpace.unmap(mapping);
    const again = iommufd.userSpace.map(PAGE, { va: VA });
    for (const nonsense of [mapping, foreign.userSpace.map(PAGE, { va: VA }), { ...again }, {}, null, undefined, VA]) {
      expect(errnoOf(() => iommufd.userSpace.unmap(nonsense as never))).toBe("EINVAL");
    }
    expect(iommufd.stats().mappings).toBe(1);
    expect(foreign.stats().mappings).toBe(1);
  });

  test("leaves neighbours alone", async () => {
    const { iommufd } = await boot();
    const mappings = [0, 1, 2].map((n) => iommufd.userSpace.map(PAGE, { va: at(VA, n * PAGE) }));
    iommufd.userSpace.write(VA, new Uint8Array(3 * PAGE).fill(1));
    iommufd.userSpace.unmap(mappings[1] as UserMapping);
    expect(iommufd.userSpace.read(VA, PAGE).every((byte) => byte === 1)).toBe(true);
    expect(iommufd.userSpace.read(at(VA, 2 * PAGE), PAGE).every((byte) => byte === 1)).toBe(true);
    expect(errnoOf(() => iommufd.userSpace.read(at(VA, PAGE), 1))).toBe("EFAULT");
  });
});

describe("protect", () => {
  async function mapped(pages = 4): Promise<{ iommufd: Iommufd; mapping: UserMapping }> {
    const { iommufd } = await boot();
    return { iommufd, mapping: iommufd.userSpace.map(pages * PAGE, { va: VA }) };
  }

  test.each<[Protection, string, string]>([
    ["rw", "no error", "no error"],
    ["r", "no error", "EFAULT"],
    ["none", "EFAULT", "EFAULT"],
  ])("%s: read %s, write %s; as from the start, so later", async (prot, read, write) => {
    const { iommufd, mapping } = await mapped();
    const born = iommufd.userSpace.map(PAGE, { prot });
    iommufd.userSpace.protect(VA, PAGE, prot);
    for (const va of [VA, born.va]) {
      expect(errnoOf(() => iommufd.userSpace.read(va, 8))).toBe(read);
      expect(errnoOf(() => iommufd.userSpace.write(va, new Uint8Array(8)))).toBe(write);
    }
    mapping.bytes[0] = 1; // the kernel's view is not bound by it
    iommufd.userSpace.protect(VA, PAGE, "rw");
    expect(iommufd.userSpace.read(VA, 1)).toEqual(Uint8Array.of(1));
  });

  test("works page by page", async () => {
    const { iommufd } = await mapped();
    iommufd.userSpace.protect(at(VA, PAGE), PAGE, "none");
    iommufd.userSpace.protect(at(VA, 3 * PAGE), 1, "r");
    const reads = [0, 1, 2, 3].map((n) => errnoOf(() => iommufd.userSpace.read(at(VA, n * PAGE), PAGE)));
    const writes = [0, 1, 2, 3].map((n) =>
      errnoOf(() => iommufd.userSpace.write(at(VA, n * PAGE), new Uint8Array(PAGE))),
    );
    expect(reads).toEqual(["no error", "EFAULT", "no error", "no error"]);
    expect(writes).toEqual(["no error", "EFAULT", "no error", "EFAULT"]);
  });

  test("may span several mappings that touch", async () => {
    const { iommufd } = await mapped(1);
    iommufd.userSpace.map(2 * PAGE, { va: at(VA, PAGE) });
    iommufd.userSpace.map(PAGE, { va: at(VA, 3 * PAGE) });
    iommufd.userSpace.protect(at(VA, 0), 4 * PAGE, "r");
    for (const n of [0, 1, 2, 3]) {
      expect(errnoOf(() => iommufd.userSpace.write(at(VA, n * PAGE), Uint8Array.of(1)))).toBe("EFAULT");
    }
    iommufd.userSpace.protect(at(VA, 2 * PAGE), 2 * PAGE, "rw");
    iommufd.userSpace.write(at(VA, 2 * PAGE), new Uint8Array(2 * PAGE));
    expect(errnoOf(() => iommufd.userSpace.write(at(VA, PAGE), Uint8Array.of(1)))).toBe("EFAULT");
  });

  test.each<[string, bigint, number]>([
    ["before the mapping", at(VA, -PAGE), PAGE],
    ["into the mapping", at(VA, -PAGE), 2 * PAGE],
    ["beyond it", at(VA, 3 * PAGE), PAGE + 1],
    ["across a hole", VA, 7 * PAGE],
    ["far beyond", VA, 2 ** 45],
    ["beyond user space", TASK_SIZE, PAGE],
    ["up to the end of 64 bits", 2n ** 64n - BigInt(PAGE), PAGE],
  ])("of a range with a hole (%s) is ENOMEM and changes no page", async (_name, va, length) => {
    const { iommufd } = await mapped();
    iommufd.userSpace.map(PAGE, { va: at(VA, 6 * PAGE) });
    expect(errnoOf(() => iommufd.userSpace.protect(va, length, "none"))).toBe("ENOMEM");
    iommufd.userSpace.write(VA, new Uint8Array(4 * PAGE));
    iommufd.userSpace.write(at(VA, 6 * PAGE), new Uint8Array(PAGE));
  });

  test.each<[string, unknown, unknown, unknown]>([
    ["a misaligned address", VA + 1n, PAGE, "r"],
    ["a number as address", Number(VA), PAGE, "r"],
    ["a negative length", VA, -1, "r"],
    ["a fraction", VA, 0.5, "r"],
    ["no protection", VA, PAGE, undefined],
    ["another protection", VA, PAGE, "x"],
  ])("refuses %s with EINVAL", async (_name, va, length, prot) => {
    const { iommufd } = await mapped();
    expect(errnoOf(() => iommufd.userSpace.protect(va as bigint, length as number, prot as Protection))).toBe("EINVAL");
    iommufd.userSpace.write(VA, new Uint8Array(4 * PAGE));
  });

  test("of no bytes is fine", async () => {
    const { iommufd } = await mapped();
    iommufd.userSpace.protect(VA, 0, "none");
    iommufd.userSpace.write(VA, new Uint8Array(4 * PAGE));
  });
});

describe("read and write", () => {
  test("go across pages and mappings, in pieces or whole, and stop at the byte that is out of reach", async () => {
    const { iommufd } = await boot();
    const length = 5 * PAGE;
    const one = iommufd.userSpace.map(2 * PAGE, { va: VA });
    const two = iommufd.userSpace.map(3 * PAGE, { va: at(VA, 2 * PAGE) });
    const pattern = Uint8Array.from({ length }, (_, index) => index * 7 + (index >> 8));
    iommufd.userSpace.write(VA, pattern);
    expect(iommufd.userSpace.read(VA, length)).toEqual(pattern);
    for (const offset of [0, 1, PAGE - 1, PAGE, 2 * PAGE - 3, 2 * PAGE]) {
      for (const count of [0, 1, 3, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE + 5]) {
        expect(iommufd.userSpace.read(at(VA, offset), count)).toEqual(pattern.subarray(offset, offset + count));
      }
    }
    // The bytes before the bad one were written.
    iommufd.userSpace.protect(at(VA, 3 * PAGE), PAGE, "r");
    const ones = new Uint8Array(3 * PAGE).fill(1);
    expect(errnoOf(() => iommufd.userSpace.write(at(VA, PAGE + 5), ones))).toBe("EFAULT");
    const now = new Uint8Array(length);
    now.set(one.bytes);
    now.set(two.bytes, 2 * PAGE);
    const want = pattern.slice();
    want.fill(1, PAGE + 5, 3 * PAGE);
    expect(now).toEqual(want);
    expect(errnoOf(() => iommufd.userSpace.read(at(VA, length - 10), 11))).toBe("EFAULT");
    expect(iommufd.userSpace.read(at(VA, length - 10), 10)).toHaveLength(10);
  });

  test("of no bytes need no memory", async () => {
    const { iommufd } = await boot();
    for (const va of [0n, VA, TASK_SIZE - 1n]) {
      expect(iommufd.userSpace.read(va, 0)).toEqual(new Uint8Array(0));
      iommufd.userSpace.write(va, new Uint8Array(0));
    }
  });

  test.each<[bigint]>([[0n], [VA], [TASK_SIZE - 4n], [TASK_SIZE], [2n ** 63n], [2n ** 64n - 1n], [2n ** 64n], [-1n]])(
    "where nothing is mapped (%x) are EFAULT",
    async (va) => {
      const { iommufd } = await boot();
      for (const length of [1, 4, PAGE + 1]) {
        expect(errnoOf(() => iommufd.userSpace.read(va, length))).toBe("EFAULT");
        expect(errnoOf(() => iommufd.userSpace.write(va, new Uint8Array(length)))).toBe("EFAULT");
      }
    },
  );

  test("the end of user space is the end", async () => {
    const { iommufd } = await boot();
    const { bytes } = iommufd.userSpace.map(PAGE, { va: TASK_SIZE - BigInt(PAGE) });
    iommufd.userSpace.write(TASK_SIZE - 4n, Uint8Array.of(1, 2, 3, 4));
    expect([...iommufd.userSpace.read(TASK_SIZE - 4n, 4)]).toEqual([1, 2, 3, 4]);
    expect(errnoOf(() => iommufd.userSpace.read(TASK_SIZE - 4n, 5))).toBe("EFAULT");
    expect(errnoOf(() => iommufd.userSpace.write(TASK_SIZE - 4n, new Uint8Array(5)))).toBe("EFAULT");
    expect([...bytes.subarray(PAGE - 4)]).toEqual([1, 2, 3, 4]); // the range is refused as a whole
  });

  test.each([-1, 1.5, NaN, Infinity, "4", null, undefined])("a length of %o is EINVAL", async (length) => {
    const { iommufd } = await boot();
    const { va } = iommufd.userSpace.map(PAGE);
    expect(errnoOf(() => iommufd.userSpace.read(va, length as number))).toBe("EINVAL");
  });

  test("a length beyond all memory is EFAULT, not an attempt", async () => {
    const { iommufd } = await boot();
    const { va } = iommufd.userSpace.map(PAGE);
    expect(errnoOf(() => iommufd.userSpace.read(va, Number.MAX_SAFE_INTEGER))).toBe("EFAULT");
    expect(errnoOf(() => iommufd.userSpace.read(va, 2 ** 32))).toBe("EFAULT");
  });

  test.each(["bytes", [1, 2], new ArrayBuffer(4), null, undefined, { length: 4 }])(
    "%o is nothing to write: EINVAL",
    async (bytes) => {
      const { iommufd } = await boot();
      const { va } = iommufd.userSpace.map(PAGE);
      expect(errnoOf(() => iommufd.userSpace.write(va, bytes as never))).toBe("EINVAL");
    },
  );

  test("a thread sees what another one mapped, protects and writes", async () => {
    const { iommufd } = await boot();
    const other = otherThread(iommufd);
    const { va } = iommufd.userSpace.map(PAGE);
    other.userSpace.write(va, Uint8Array.of(5));
    other.userSpace.protect(va, PAGE, "r");
    expect(iommufd.userSpace.read(va, 1)).toEqual(Uint8Array.of(5));
    expect(errnoOf(() => iommufd.userSpace.write(va, Uint8Array.of(6)))).toBe("EFAULT");
  });
});

test("20,000 random steps agree with a model of pages", async () => {
  const random = new Random(0x0a5e);
  const { iommufd } = await boot();
  const { userSpace } = iommufd;
  const PAGES = 48;
  const model = new Map<number, { prot: Protection; fill: number }>();
  const mappings: { mapping: UserMapping; first: number; pages: number }[] = [];
  const fail = (step: number, what: string): never => expect.fail(`seed ${random.seed}, step ${step}: ${what}`);
  for (let step = 0; step < 20_000; step++) {
    const first = random.below(PAGES);
    const pages = 1 + random.below(4);
    const va = at(VA, first * PAGE);
    const range = Array.from({ length: pages }, (_, n) => first + n);
    const prot = random.pick(["rw", "rw", "r", "none"] as const);
    const action = random.below(6);
    if (action === 0) {
      const taken = range.some((page) => model.has(page));
      let mapping: UserMapping | undefined;
      const code = errnoOf(() => (mapping = userSpace.map(pages * PAGE, { va, prot })));
      if (code !== (taken ? "EEXIST" : "no error")) fail(step, `map answered ${code}`);
      if (mapping === undefined) continue;
      mappings.push({ mapping, first, pages });
      for (const page of range) model.set(page, { prot, fill: 0 });
    } else if (action === 1 && mappings.length > 0) {
      const [gone] = mappings.splice(random.below(mappings.length), 1);
      if (gone === undefined) continue;
      userSpace.unmap(gone.mapping);
      for (let page = gone.first; page < gone.first + gone.pages; page++) model.delete(page);
    } else if (action === 2) {
      const hole = range.some((page) => !model.has(page));
      const code = errnoOf(() => userSpace.protect(va, pages * PAGE, prot));
      if (code !== (hole ? "ENOMEM" : "no error")) fail(step, `protect answered ${code}`);
      if (!hole) for (const page of range) (model.get(page) as { prot: Protection }).prot = prot;
    } else if (action === 3) {
      const fill = random.below(256);
      const code = errnoOf(() => userSpace.write(va, new Uint8Array(pages * PAGE).fill(fill)));
      const stop = range.findIndex((page) => model.get(page)?.prot !== "rw");
      if (code !== (stop < 0 ? "no error" : "EFAULT")) fail(step, `write answered ${code}`);
      for (const page of stop < 0 ? range : range.slice(0, stop)) (model.get(page) as { fill: number }).fill = fill;
    } else {
      let bytes: Uint8Array | undefined;
      const code = errnoOf(() => (bytes = userSpace.read(va, pages * PAGE)));
      const bad = range.some((page) => (model.get(page)?.prot ?? "none") === "none");
      if (code !== (bad ? "EFAULT" : "no error")) fail(step, `read answered ${code}`);
      for (const [n, page] of bytes === undefined ? [] : range.entries()) {
        const { fill } = model.get(page) as { fill: number };
        if (bytes?.[n * PAGE] !== fill || bytes[n * PAGE + PAGE - 1] !== fill)
          fail(step, `read other bytes in page ${page}`);
      }
    }
  }
  expect(iommufd.stats()).toMatchObject({ mappings: mappings.length, bytes: { used: model.size * PAGE } });
});

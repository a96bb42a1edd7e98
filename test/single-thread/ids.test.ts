// SPDX-License-Identifier: GPL-2.0-only
//
// Object IDs: which one comes next, who can see it, and when it is free again. The table's nodes cover 256 and 16,384 IDs,
// so what happens at those numbers is looked at.

import type { IommufdContext, ObjectType } from "iommufd-wasm";
import { describe, expect, test } from "vitest";
import { answer, errnoOf } from "../support/answer.ts";
import { ABIS, boot } from "../support/boot.ts";
import { counts, idsOf, make, plainType } from "../support/objects.ts";
import { Random } from "../support/random.ts";

const LEAF = 256;
const INNER = 16_384;

function makeMany(context: IommufdContext, type: ObjectType, count: number): number[] {
  return Array.from({ length: count }, () => context.finalize(context.tryAlloc(type)));
}

describe.each(ABIS)("%s", (abi) => {
  test("the first ID is 1 and the next ones follow", async () => {
    const { iommufd } = await boot({ abi });
    const context = iommufd.open();
    expect(makeMany(context, plainType(iommufd), 5)).toEqual([1, 2, 3, 4, 5]);
  });

  test("freed IDs are handed out again, the lowest first, before a new one", async () => {
    const { iommufd } = await boot({ abi });
    const context = iommufd.open();
    const type = plainType(iommufd);
    makeMany(context, type, 6);
    for (const id of [5, 2, 3]) context.destroy(id);
    expect(makeMany(context, type, 5)).toEqual([2, 3, 5, 7, 8]);
  });

  test("each context counts for itself", async () => {
    const { iommufd } = await boot({ abi });
    const type = plainType(iommufd);
    const one = iommufd.open();
    const other = iommufd.open();
    expect([make(one, type), make(one, type), make(other, type)]).toEqual([1, 2, 1]);
    one.destroy(1);
    expect(other.inspect(1)).toBeDefined();
  });

  test("a reserved ID is taken, yet no lookup sees it", async () => {
    const { iommufd } = await boot({ abi });
    const context = iommufd.open();
    const type = plainType(iommufd);
    const reserved = context.alloc(type);
    expect(reserved.id).toBe(1);
    expect(make(context, type)).toBe(2);
    expect(errnoOf(() => context.get(1))).toBe("ENOENT");
    expect(errnoOf(() => context.get(1, type))).toBe("ENOENT");
    expect(answer(context.tryGet(1))).toBe("ENOENT");
    expect(answer(context.tryDestroy(1))).toBe("ENOENT");
    expect(context.inspect(1)).toBeUndefined();
    expect(context.objects().map(({ id, state }) => [id, state])).toEqual([
      [1, "reserved"],
      [2, "live"],
    ]);
    reserved.finalize();
    expect(counts(context, 1)).toBe("1/0 live");
  });

  test("abort and destroy give the ID back at once", async () => {
    const { iommufd } = await boot({ abi });
    const context = iommufd.open();
    const type = plainType(iommufd);
    context.alloc(type).abort();
    expect(make(context, type)).toBe(1);
    context.destroy(1);
    expect(idsOf(context)).toEqual([]);
    expect(make(context, type)).toBe(1);
  });

  test("a stale ID names whatever has it now", async () => {
    const { iommufd } = await boot({ abi });
    const context = iommufd.open();
    const type = plainType(iommufd);
    const other = plainType(iommufd, "other");
    make(context, type);
    context.destroy(1);
    expect(answer(context.tryGet(1))).toBe("ENOENT");
    make(context, other);
    const locked = context.get(1);
    expect(locked.type).toBe(other);
    expect(errnoOf(() => context.get(1, type))).toBe("ENOENT");
    locked.put();
  });

  test.each([
    0,
    2,
    LEAF,
    INNER - 1,
    INNER,
    2 ** 20,
    2 ** 31 - 1,
    2 ** 31,
    2 ** 32 - 1,
    2 ** 32,
    2 ** 32 + 1,
    2 ** 53,
    -1,
    0.5,
    1.5,
    NaN,
    Infinity,
    -Infinity,
  ])("%d is the ID of no object", async (id) => {
    const { iommufd } = await boot({ abi });
    const context = iommufd.open();
    make(context, plainType(iommufd));
    expect(answer(context.tryGet(id))).toBe("ENOENT");
    expect(answer(context.tryDestroy(id))).toBe("ENOENT");
    expect(errnoOf(() => context.get(id))).toBe("ENOENT");
    expect(errnoOf(() => context.destroy(id))).toBe("ENOENT");
    expect(context.inspect(id)).toBeUndefined();
    expect(counts(context, 1)).toBe("1/0 live");
  });

  test.each(["1", null, undefined, {}, [1], true])("%o is no ID, whatever it converts to", async (id) => {
    const { iommufd } = await boot({ abi });
    const context = iommufd.open();
    make(context, plainType(iommufd));
    expect(answer(context.tryGet(id as number))).toBe("ENOENT");
    expect(answer(context.tryDestroy(id as number))).toBe("ENOENT");
    expect(context.inspect(id as number)).toBeUndefined();
    expect(counts(context, 1)).toBe("1/0 live");
  });
});

test("across the edges of the table's nodes IDs are dense and each finds its own object", async () => {
  const { iommufd } = await boot();
  const context = iommufd.open();
  const type = plainType(iommufd);
  const count = INNER + 3 * LEAF + 5;
  const memory = new DataView(iommufd.share.memory.buffer);
  for (let expected = 1; expected <= count; expected++) {
    const handle = context.tryAlloc(type);
    memory.setUint32(context.payloadOf(handle), expected, true);
    if (context.finalize(handle) !== expected) expect.fail(`ID ${expected} was not the next one`);
  }
  for (let id = 1; id <= count; id++) {
    const handle = context.tryGet(id);
    if (memory.getUint32(context.payloadOf(handle), true) !== id) expect.fail(`ID ${id} found another object`);
    context.put(handle);
  }
  expect(answer(context.tryGet(count + 1))).toBe("ENOENT");

  const edges = [INNER + LEAF, INNER + 1, INNER, INNER - 1, 2 * LEAF, LEAF + 1, LEAF, LEAF - 1, 1];
  for (const id of edges) context.destroy(id);
  for (const id of edges) expect(answer(context.tryGet(id))).toBe("ENOENT");
  expect(makeMany(context, type, edges.length + 1)).toEqual([...[...edges].reverse(), count + 1]);
});

test("100,000 random allocations, publications, aborts and destroys agree with a simple model", async () => {
  const random = new Random(0x1d5);
  const { iommufd } = await boot({ memoryBytes: 16 * 1024 * 1024 });
  const context = iommufd.open();
  const types = [plainType(iommufd, "one", 0), plainType(iommufd, "two", 24)] as const;

  const FREE = 0;
  const RESERVED = 1;
  const LIVE = 2;
  const model = new Uint8Array(64 * 1024);
  let lowestFree = 1;
  const reserved: { id: number; handle: number }[] = [];
  const live: number[] = [];

  const free = (id: number): void => {
    model[id] = FREE;
    lowestFree = Math.min(lowestFree, id);
  };
  const take = <T>(list: T[]): T => {
    const index = random.below(list.length);
    const taken = list[index] as T;
    list[index] = list.at(-1) as T;
    list.pop();
    return taken;
  };
  // Tides, so that the table is filled beyond an inner node and emptied again several times.
  for (let step = 0; step < 100_000; step++) {
    const rising = step % 40_000 < 25_000;
    const what = random.below(10);
    if (rising ? what < 8 : what < 2) {
      const handle = context.tryAlloc(random.pick(types));
      const id = context.idOf(handle);
      if (id !== lowestFree) expect.fail(`seed ${random.seed}, step ${step}: ID ${id} instead of ${lowestFree}`);
      model[id] = RESERVED;
      while (model[lowestFree] !== FREE) lowestFree++;
      reserved.push({ id, handle });
      if (reserved.length < 500 && random.oneIn(20)) continue; // stays reserved for a while
      const { id: decided, handle: its } = take(reserved);
      if (random.oneIn(10)) {
        context.abort(its);
        free(decided);
      } else {
        context.finalize(its);
        model[decided] = LIVE;
        live.push(decided);
      }
    } else if (live.length > 0) {
      const id = take(live);
      if (context.tryDestroy(id) !== 0) expect.fail(`seed ${random.seed}, step ${step}: ID ${id} was not destroyed`);
      free(id);
    }
    const probe = 1 + random.below(20_000);
    const handle = context.tryGet(probe);
    if (handle > 0 !== (model[probe] === LIVE)) expect.fail(`seed ${random.seed}, step ${step}: lookup of ${probe}`);
    if (handle > 0) context.put(handle);
    if (step % 10_000 === 9_999) {
      const expected = [...model.entries()].filter(([, state]) => state !== FREE).map(([id]) => id);
      expect(idsOf(context)).toEqual(expected);
      expect(iommufd.stats().objects).toMatchObject({ live: live.length, reserved: reserved.length });
    }
  }
  expect(model.subarray(INNER).includes(LIVE)).toBe(true);
});

test("1,000,000 objects live in one context, and their release makes room for 1,000,000 more", async () => {
  const count = 1_000_000;
  const payloadBytes = 8;
  const { iommufd } = await boot({ memoryBytes: count * (payloadBytes + 64) + 4 * 1024 * 1024 });
  const type = plainType(iommufd, "small", payloadBytes);
  const memory = new DataView(iommufd.share.memory.buffer);
  const before = iommufd.stats().bytes.used;
  let first: number | undefined;
  for (let round = 0; round < 2; round++) {
    const context = iommufd.open();
    for (let id = 1; id <= count; id++) {
      const handle = context.tryAlloc(type);
      memory.setUint32(context.payloadOf(handle), id, true);
      if (context.finalize(handle) !== id) expect.fail(`ID ${id} was not the next one`);
    }
    const { objects, bytes } = iommufd.stats();
    expect(objects.live).toBe(count);
    expect((bytes.used - before) / count).toBeLessThanOrEqual(payloadBytes + 64);
    first ??= bytes.used;
    expect(bytes.used).toBe(first);
    for (let id = 1; id <= count; id += 97) {
      const handle = context.tryGet(id, type);
      if (memory.getUint32(context.payloadOf(handle), true) !== id) expect.fail(`ID ${id} found another object`);
      context.put(handle);
    }
    context.close();
    expect(iommufd.stats().objects.live).toBe(0);
  }
});

/** Bytes that objects of that payload take each, measured where the memory taken so far is used up. */
async function bytesPerObject(payloadBytes: number, atLeast: number): Promise<number> {
  const { iommufd } = await boot({ memoryBytes: atLeast * (payloadBytes + 256) * 2 + 8 * 1024 * 1024 });
  const context = iommufd.open();
  const type = plainType(iommufd, "measured", payloadBytes);
  const firstNodes = 3 * 4096; // one of each level of the table; all others are their objects' share
  const used = (): number => iommufd.stats().bytes.used - firstNodes;
  let before = 0;
  for (let objects = 0; ; objects++) {
    if (objects >= atLeast && used() > before) return before / (objects - 1);
    before = used();
    context.finalize(context.tryAlloc(type));
  }
}

test.each([
  [0, 2000],
  [1, 2000],
  [8, 2000],
  [100, 2000],
  [1000, 2000],
  [2048, 2000],
  [4000, 2000],
  [4096, 2000],
  [5000, 2000],
  [65_536, 200],
  [1024 * 1024, 20],
])(
  "an object with %d bytes of payload costs at most 64 bytes more, its share of the table included",
  async (payload, n) => {
    expect((await bytesPerObject(payload, n)) - payload).toBeLessThanOrEqual(64);
  },
);

// SPDX-License-Identifier: GPL-2.0-only
//
// Object types: definition by name, what shape means, and how many there can be. What a type's callback does is in
// callbacks.test.ts.

import { IommufdError } from "iommufd-wasm";
import { expect, test } from "vitest";
import { errnoOf } from "../support/answer.ts";
import { boot, otherThread } from "../support/boot.ts";
import { make } from "../support/objects.ts";

const MAX_TYPES = 62;
const MAX_PAYLOAD = 1024 * 1024;

const nothing = (): void => undefined;

test("types are numbered from 1 in the order of their definition, and carry what was defined", async () => {
  const { iommufd } = await boot();
  const one = iommufd.defineObjectType({ name: "one", payloadBytes: 8 });
  const two = iommufd.defineObjectType({ name: "two", payloadBytes: 0, destroy: nothing });
  expect([one.number, two.number]).toEqual([1, 2]);
  expect(two).toMatchObject({ name: "two", payloadBytes: 0 });
  expect(iommufd.defineObjectType({ name: "one", payloadBytes: 8 }).number).toBe(1);
});

test("defined again, here or in another thread, it is the same type, with an identity of its own in each thread", async () => {
  const { iommufd } = await boot();
  const other = otherThread(iommufd);
  iommufd.defineObjectType({ name: "first", payloadBytes: 8 });
  const here = iommufd.defineObjectType({ name: "shared", payloadBytes: 16, destroy: nothing });
  const there = other.defineObjectType({ name: "shared", payloadBytes: 16, destroy: nothing });
  expect(there.number).toBe(here.number);
  expect(iommufd.defineObjectType({ name: "shared", payloadBytes: 16 })).toBe(here);
  const context = iommufd.open();
  const id = make(context, here);
  const locked = other.file(context.fd).get(id, there);
  expect(locked.type).toBe(there);
  locked.put();
});

test("a thread that did not define a type still sees its name and size on objects", async () => {
  const { iommufd } = await boot();
  const context = iommufd.open();
  const id = make(context, iommufd.defineObjectType({ name: "näme ✓", payloadBytes: 24 }));
  const locked = otherThread(iommufd).file(context.fd).get(id);
  expect(locked.type).toMatchObject({ name: "näme ✓", payloadBytes: 24, number: 1 });
  expect(locked.payload.byteLength).toBe(24);
  locked.put();
});

test.each<[string, object]>([
  ["no name", { name: "" }],
  ["a name of 49 bytes", { name: "x".repeat(49) }],
  ["a name of 25 characters that are 50 bytes", { name: "é".repeat(25) }],
  ["a name that is no string", { name: 5 }],
  ["a negative payload", { payloadBytes: -1 }],
  ["a payload of more than 1 MiB", { payloadBytes: MAX_PAYLOAD + 1 }],
  ["half a byte", { payloadBytes: 0.5 }],
  ["a payload of NaN", { payloadBytes: NaN }],
  ["a payload that is no number", { payloadBytes: "8" }],
  ["a payload beyond 32 bits", { payloadBytes: 2 ** 32 }],
  ["a callback that is no function", { destroy: 5 }],
  ["a callback that is null", { destroy: null }],
])("%s is EINVAL", async (_name, wrong) => {
  const { iommufd } = await boot();
  expect(errnoOf(() => iommufd.defineObjectType({ name: "type", payloadBytes: 8, ...wrong }))).toBe("EINVAL");
  expect(iommufd.defineObjectType({ name: "type", payloadBytes: 8 }).number).toBe(1);
});

test("names of 1 to 48 bytes are told apart, also when one begins with the other", async () => {
  const { iommufd } = await boot();
  const names = ["x", "xx", "x".repeat(47), "x".repeat(48), "é".repeat(24), "X"];
  const numbers = names.map((name) => iommufd.defineObjectType({ name, payloadBytes: 0 }).number);
  expect(numbers).toEqual([1, 2, 3, 4, 5, 6]);
  expect(names.map((name) => iommufd.defineObjectType({ name, payloadBytes: 0 }).number)).toEqual(numbers);
});

test.each<[string, object, object]>([
  ["another payload", { payloadBytes: 8 }, { payloadBytes: 9 }],
  ["a callback where the first definition had none", { payloadBytes: 8 }, { payloadBytes: 8, destroy: nothing }],
])("%s is EEXIST, in each thread", async (_name, first, second) => {
  const { iommufd } = await boot();
  iommufd.defineObjectType({ name: "type", payloadBytes: 0, ...first });
  const again = { name: "type", payloadBytes: 0, ...second };
  expect(errnoOf(() => iommufd.defineObjectType(again))).toBe("EEXIST");
  expect(errnoOf(() => otherThread(iommufd).defineObjectType(again))).toBe("EEXIST");
});

test("the 63rd type is ENOSPC; the others can be defined again", async () => {
  const { iommufd } = await boot();
  for (let n = 1; n <= MAX_TYPES; n++) iommufd.defineObjectType({ name: `type ${n}`, payloadBytes: n * 8 });
  let error: unknown;
  try {
    iommufd.defineObjectType({ name: "one too many", payloadBytes: 8 });
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(IommufdError);
  expect(error).toMatchObject({ code: "ENOSPC" });
  expect(iommufd.defineObjectType({ name: "type 62", payloadBytes: 62 * 8 }).number).toBe(62);
  const context = iommufd.open();
  for (let n = 1; n <= MAX_TYPES; n++)
    make(context, iommufd.defineObjectType({ name: `type ${n}`, payloadBytes: n * 8 }));
  for (let id = 1; id <= MAX_TYPES; id++) {
    const locked = context.get(id);
    expect([locked.type.number, locked.payload.byteLength]).toEqual([id, id * 8]);
    locked.put();
  }
});

test.each([0, 1, 7, 8, 9, 4095, 4096, 4097, 100_000, MAX_PAYLOAD])(
  "a payload of %d bytes has exactly those",
  async (payloadBytes) => {
    const { iommufd } = await boot({ memoryBytes: 16 * 1024 * 1024 });
    const context = iommufd.open();
    const type = iommufd.defineObjectType({ name: "sized", payloadBytes });
    const [one, two, three] = [context.alloc(type), context.alloc(type), context.alloc(type)];
    const fill = ({ payload }: typeof one, byte: number): void => {
      new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength).fill(byte);
    };
    const filledWith = ({ payload }: typeof one, byte: number): boolean =>
      payload.byteLength === payloadBytes &&
      new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength).every((is) => is === byte);
    fill(one, 1);
    fill(three, 3);
    fill(two, 2);
    expect([filledWith(one, 1), filledWith(two, 2), filledWith(three, 3)]).toEqual([true, true, true]);
    for (const object of [one, two, three]) object.finalize();
    expect(context.objects().map(({ id, users }) => [id, users])).toEqual([
      [1, 1],
      [2, 1],
      [3, 1],
    ]);
  },
);

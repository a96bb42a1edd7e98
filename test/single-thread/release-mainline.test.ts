// SPDX-License-Identifier: GPL-2.0-only
//
// The mainline profile's release: passes over all IDs, each destroying what only the table uses, until nothing is left.
// Any order of types and any nesting comes down; only what is really still used leaks.

import type { ObjectType } from "iommufd-wasm";
import { expect, test } from "vitest";
import { boot } from "../support/boot.ts";
import { loggedType, make, plainType } from "../support/objects.ts";
import { Random } from "../support/random.ts";

async function scene() {
  const booted = await boot({ abi: "mainline" });
  const log: number[] = [];
  const types = ["IOAS", "HWPT", "DEVICE"].map((name) => loggedType(booted.iommufd, log, name));
  return { ...booted, context: booted.iommufd.open(), types: types as [ObjectType, ObjectType, ObjectType], log };
}

test("objects that nobody holds go by ascending ID, whatever their type", async () => {
  const { context, types, log, warnings } = await scene();
  for (const type of [2, 0, 1, 0, 2]) make(context, types[type] as ObjectType);
  context.close();
  expect(log).toEqual([1, 2, 3, 4, 5]);
  expect(warnings).toEqual([]);
});

test("targets of a lower ID wait for the next pass, those of a higher ID go in the same one", async () => {
  const { context, types, log, warnings } = await scene();
  const [type] = types;
  const low = make(context, type);
  const middle = make(context, type, low);
  const high = make(context, type, middle);
  context.close();
  expect(log).toEqual([high, middle, low]);
  expect(warnings).toEqual([]);
});

test("a holder with a lower ID than its target comes down with it in one pass", async () => {
  const { context, types, log } = await scene();
  const [type] = types;
  const first = make(context, type);
  const target = make(context, type);
  context.destroy(first);
  log.length = 0;
  const holder = make(context, type, target);
  expect(holder).toBeLessThan(target);
  context.close();
  expect(log).toEqual([holder, target]);
});

test("nesting of one type, in either direction of the type order, needs no luck", async () => {
  const { iommufd, context, types, log, warnings } = await scene();
  const [ioas, hwpt, device] = types;
  const space = make(context, ioas);
  const parent = make(context, hwpt, space);
  const nested = make(context, hwpt, parent);
  const deeper = make(context, hwpt, nested);
  make(context, device, deeper, space);
  make(context, ioas, nested); // a type that the rfc order would have to see earlier
  context.close();
  expect([...log].sort()).toEqual([1, 2, 3, 4, 5, 6]);
  expect(warnings).toEqual([]);
  expect(iommufd.stats().objects.leaked).toBe(0);
  expect(iommufd.stats().files.open).toBe(0);
});

test("a chain of 1000 comes down from its end", async () => {
  const { context, types, log, warnings } = await scene();
  let last = make(context, types[0]);
  for (let n = 1; n < 1000; n++) last = make(context, types[n % 3] as ObjectType, last);
  context.close();
  expect(log).toEqual(Array.from({ length: 1000 }, (_, n) => 1000 - n));
  expect(warnings).toEqual([]);
});

test("50 random graphs come down whole, each holder before its targets", async () => {
  const random = new Random(0x3a17);
  const { iommufd, types, log, warnings } = await scene();
  for (let round = 0; round < 50; round++) {
    const context = iommufd.open();
    const holds = new Map<number, number[]>();
    for (let n = 0; n < 60; n++) {
      const ids = [...holds.keys()];
      const targets = ids.length === 0 ? [] : Array.from({ length: random.below(4) }, () => random.pick(ids));
      holds.set(make(context, random.pick(types), ...targets), targets);
      const free = [...holds.keys()].filter((id) => ![...holds.values()].flat().includes(id));
      if (random.oneIn(4) && free.length > 0) {
        const gone = random.pick(free);
        context.destroy(gone);
        holds.delete(gone);
      }
    }
    log.length = 0;
    context.close();
    if (log.length !== holds.size) expect.fail(`seed ${random.seed}, round ${round}: ${log.length} of ${holds.size}`);
    const turn = new Map(log.map((id, index) => [id, index]));
    for (const [id, targets] of holds) {
      for (const target of targets) expect(turn.get(id)).toBeLessThan(turn.get(target) ?? -1);
    }
  }
  expect(warnings).toEqual([]);
  expect(iommufd.stats().objects).toMatchObject({ live: 0, leaked: 0 });
});

test("what is still used leaks with all that it needs, with one warning; the rest is destroyed", async () => {
  const { iommufd, context, types, log, warnings } = await scene();
  const [ioas, hwpt, device] = types;
  const space = make(context, ioas);
  const table = make(context, hwpt, space);
  const kept = make(context, device, table);
  const others = [make(context, device), make(context, hwpt, space), make(context, device, table)];
  context.get(kept).putKeepUser();
  context.close();
  expect([...log].sort()).toEqual(others);
  expect(warnings).toEqual([{ kind: "release:users", count: 1, context: context.fd, id: space }]);
  expect(iommufd.stats().objects).toMatchObject({ live: 0, leaked: 3 });
  expect(iommufd.stats().files.open).toBe(0);
});

test("leaked memory is never used again", async () => {
  const { iommufd, context } = await scene();
  const type = plainType(iommufd, "marked", 64);
  const reserved = context.alloc(type);
  const leakedAt = reserved.payload.byteOffset;
  context.get(reserved.finalize()).putKeepUser();
  context.close();
  const next = iommufd.open();
  for (let n = 0; n < 5000; n++) {
    const handle = next.tryAlloc(type);
    if (Math.abs(next.payloadOf(handle) - leakedAt) < 64) expect.fail("the leaked object's memory was handed out");
    next.finalize(handle);
  }
});

test("a callback in another thread is queued, and its object's targets go on at once", async () => {
  const { iommufd, types, context, warnings } = await scene();
  const { Iommufd } = await import("iommufd-wasm");
  const other = Iommufd.attachSync(iommufd.share);
  const theirs = loggedType(other, [], "theirs");
  const mine = plainType(iommufd, "theirs");
  expect(mine.number).toBe(theirs.number);
  const target = make(context, types[0]);
  make(context, mine, target);
  context.close();
  expect(iommufd.stats().objects).toMatchObject({ live: 0, leaked: 0, queued: 1 });
  expect(warnings).toEqual([]);
  other.detach();
});

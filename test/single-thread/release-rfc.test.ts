// SPDX-License-Identifier: GPL-2.0-only
//
// The rfc profile's release, the seed's walk to the letter: types in the order of their definition, ascending IDs within a
// type, once. What still has users is skipped with a warning and leaks, its holds too, without its callback.

import type { Iommufd, IommufdContext, ObjectType } from "iommufd-wasm";
import { describe, expect, test } from "vitest";
import { boot, type Booted } from "../support/boot.ts";
import { loggedType, make, plainType } from "../support/objects.ts";

interface Scene extends Booted {
  context: IommufdContext;
  /** DEVICE, HWPT, IOAS: leaf first, as the seed wants its enum. */
  types: [device: ObjectType, hwpt: ObjectType, ioas: ObjectType];
  /** IDs whose callback ran, in order. */
  log: number[];
}

async function scene(): Promise<Scene> {
  const booted = await boot();
  const log: number[] = [];
  const types = ["DEVICE", "HWPT", "IOAS"].map((name) => loggedType(booted.iommufd, log, name)) as Scene["types"];
  return { ...booted, context: booted.iommufd.open(), types, log };
}

const kindsOf = ({ warnings }: Booted): string[] => warnings.map(({ kind }) => kind);
const leakedOf = (iommufd: Iommufd): number => iommufd.stats().objects.leaked;

test("types go in the order of their definition, IDs ascending within a type", async () => {
  const here = await scene();
  const [device, hwpt, ioas] = here.types;
  for (const type of [ioas, device, hwpt, device, ioas, hwpt, device]) make(here.context, type);
  here.context.close();
  expect(here.log).toEqual([2, 4, 7, 3, 6, 1, 5]);
  expect(here.warnings).toEqual([]);
});

test("the order is that of the definition in the whole machine, also for types that other threads defined first", async () => {
  const { iommufd } = await boot();
  const log: number[] = [];
  const late = loggedType(iommufd, log, "defined first");
  const early = loggedType(iommufd, log, "defined second");
  const context = iommufd.open();
  make(context, early);
  make(context, late);
  context.close();
  expect(log).toEqual([2, 1]);
});

test("a graph whose holders are of earlier types comes down without a word", async () => {
  const here = await scene();
  const [device, hwpt, ioas] = here.types;
  const space = make(here.context, ioas);
  const table = make(here.context, hwpt, space);
  for (let n = 0; n < 3; n++) make(here.context, device, table, space);
  here.context.close();
  expect(here.log).toEqual([3, 4, 5, 2, 1]);
  expect(here.warnings).toEqual([]);
  expect(leakedOf(here.iommufd)).toBe(0);
});

test("a kept reference: warned about, skipped, leaked, no callback; the rest goes on", async () => {
  const here = await scene();
  const [device, hwpt] = here.types;
  const kept = make(here.context, device);
  make(here.context, device);
  make(here.context, hwpt);
  here.context.get(kept).putKeepUser();
  here.context.close();
  expect(here.log).toEqual([2, 3]);
  expect(here.warnings).toEqual([{ kind: "release:users", count: 1, context: here.context.fd, id: kept }]);
  expect(leakedOf(here.iommufd)).toBe(1);
  expect(here.iommufd.stats().objects.live).toBe(0);
  expect(here.iommufd.stats().files.open).toBe(0);
});

test("what a leaked object holds leaks with it, one warning each", async () => {
  const here = await scene();
  const [device, hwpt, ioas] = here.types;
  const space = make(here.context, ioas);
  const table = make(here.context, hwpt, space);
  const leaf = make(here.context, device, table);
  here.context.get(leaf).putKeepUser();
  here.context.close();
  expect(here.log).toEqual([]);
  expect(here.warnings.map(({ kind, id }) => [kind, id])).toEqual([
    ["release:users", leaf],
    ["release:users", table],
    ["release:users", space],
  ]);
  expect(leakedOf(here.iommufd)).toBe(3);
});

test("a holder of a later type: its target leaks first, then its own hold is dropped on the leaked one", async () => {
  const here = await scene();
  const [device, , ioas] = here.types;
  const target = make(here.context, device);
  make(here.context, ioas, target);
  here.context.close();
  expect(here.log).toEqual([2]);
  expect(here.warnings.map(({ kind, id }) => [kind, id])).toEqual([
    ["release:users", target],
    ["refcount:decrement_hit_0_leaking_memory", target],
  ]);
  expect(leakedOf(here.iommufd)).toBe(1);
});

test("within a type a holder with a higher ID leaves its target leaked, one with a lower ID does not", async () => {
  const here = await scene();
  const [, hwpt] = here.types;
  const parent = make(here.context, hwpt);
  make(here.context, hwpt, parent);
  here.context.close();
  expect(here.log).toEqual([2]);
  expect(kindsOf(here)).toEqual(["release:users", "refcount:decrement_hit_0_leaking_memory"]);

  const again = here.iommufd.open();
  here.warnings.length = 0;
  const first = make(again, hwpt);
  const second = make(again, hwpt);
  again.destroy(first);
  make(again, hwpt, second); // takes ID 1
  again.close();
  expect(here.log).toEqual([2, 1, 1, 2]);
  expect(here.warnings).toEqual([]);
  expect(leakedOf(here.iommufd)).toBe(1);
});

test("a target with several late holders hits zero once and is not counted down further", async () => {
  const here = await scene();
  const [device, , ioas] = here.types;
  const target = make(here.context, device);
  for (let n = 0; n < 4; n++) make(here.context, ioas, target, target);
  here.context.close();
  expect(here.log).toEqual([2, 3, 4, 5]);
  expect(kindsOf(here)).toEqual(["release:users", "refcount:decrement_hit_0_leaking_memory"]);
});

test("a target whose late holder leaks too is warned about alone", async () => {
  const here = await scene();
  const [device, , ioas] = here.types;
  const target = make(here.context, device);
  const holder = make(here.context, ioas, target);
  here.context.get(holder).putKeepUser();
  here.context.close();
  expect(here.log).toEqual([]);
  expect(kindsOf(here)).toEqual(["release:users", "release:users"]);
  expect(leakedOf(here.iommufd)).toBe(2);
});

test("a warning names the file and the object", async () => {
  const here = await scene();
  const [device] = here.types;
  here.iommufd.open();
  const second = here.iommufd.open();
  make(second, device);
  const id = make(second, device);
  second.get(id).putKeepUser();
  second.close();
  expect(here.warnings).toEqual([{ kind: "release:users", count: 1, context: second.fd, id }]);
});

describe("leaked memory", () => {
  test("is never used again", async () => {
    const here = await scene();
    const type = plainType(here.iommufd, "marked", 64);
    const { context, iommufd } = here;
    const reserved = context.alloc(type);
    const leakedAt = reserved.payload.byteOffset;
    reserved.payload.setUint32(0, 0xdead);
    context.get(reserved.finalize()).putKeepUser();
    context.close();
    expect(leakedOf(iommufd)).toBe(1);
    const next = iommufd.open();
    for (let n = 0; n < 5000; n++) {
      const handle = next.tryAlloc(type);
      const at = next.payloadOf(handle);
      if (Math.abs(at - leakedAt) < 64) expect.fail("the leaked object's memory was handed out");
      next.finalize(handle);
    }
    expect(new DataView(iommufd.share.memory.buffer).getUint32(leakedAt)).toBe(0xdead);
  });

  test("adds up, and stats count it", async () => {
    const { iommufd } = await boot();
    const type = plainType(iommufd, "big", 4000);
    const used: number[] = [];
    for (let round = 1; round <= 10; round++) {
      const context = iommufd.open();
      for (let n = 0; n < 20; n++) context.get(make(context, type)).putKeepUser();
      context.close();
      expect(leakedOf(iommufd)).toBe(round * 20);
      used.push(iommufd.stats().bytes.used);
    }
    expect((used.at(-1) ?? 0) - (used[0] ?? 0)).toBeGreaterThan(9 * 20 * 4000 * 0.9);
    expect(iommufd.stats().warnings["release:users"]).toBe(200);
  });
});

test("600 leaks are 600 reports, none lost", async () => {
  const here = await scene();
  const [device] = here.types;
  const ids = Array.from({ length: 600 }, () => make(here.context, device));
  for (const id of ids) here.context.get(id).putKeepUser();
  here.context.close();
  expect(here.warnings.map(({ kind, id }) => [kind, id])).toEqual(ids.map((id) => ["release:users", id]));
  expect(here.iommufd.stats().warnings["release:users"]).toBe(600);
});

test("an object with 600 holds on leaked ones reports what fits and counts the rest", async () => {
  const here = await scene();
  const [device, , ioas] = here.types;
  const ids = Array.from({ length: 600 }, () => make(here.context, device));
  make(here.context, ioas, ...ids);
  here.context.close();
  const zeroes = here.warnings.filter(({ kind }) => kind === "refcount:decrement_hit_0_leaking_memory").length;
  const lost = here.warnings.filter(({ kind }) => kind === "warnings:lost").reduce((sum, { count }) => sum + count, 0);
  expect(zeroes + lost).toBe(600);
  expect(kindsOf(here).filter((kind) => kind === "release:users")).toHaveLength(600);
  expect(here.iommufd.stats().warnings["refcount:decrement_hit_0_leaking_memory"]).toBe(600);
});

test("an empty file, and one whose objects are all gone, are released without a word", async () => {
  const here = await scene();
  const [device] = here.types;
  here.context.destroy(make(here.context, device));
  here.context.close();
  here.iommufd.open().close();
  expect(here.warnings).toEqual([]);
  expect(here.iommufd.stats().files.open).toBe(0);
});

test("a release makes all of the table's memory usable again", async () => {
  const { iommufd } = await boot();
  const type = plainType(iommufd, "empty", 0);
  const fill = (): number => {
    const context = iommufd.open();
    for (let n = 0; n < 20_000; n++) context.finalize(context.tryAlloc(type));
    const { used } = iommufd.stats().bytes;
    context.close();
    return used;
  };
  const used = fill();
  expect([fill(), fill(), fill()]).toEqual([used, used, used]);
});

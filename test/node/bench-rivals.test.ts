// SPDX-License-Identifier: GPL-2.0-only
//
// The benches' rivals do what ours does, so that a faster one is not faster because it does less: the same answers to the same calls, and
// the same handles refused. Ours goes through the same contract.

import { Iommufd, type ObjectType } from "iommufd-wasm";
import { describe, expect, test } from "vitest";
import { RIVALS } from "../../bench/rivals/all.ts";
import { AtomicsTable } from "../../bench/rivals/atomics.ts";
import type { ObjectTable } from "../../bench/rivals/rival.ts";
import { SharedMapTable } from "../../bench/rivals/sharedmap.ts";

const ENOENT = -2;
const EBUSY = -16;

interface Subject<T> {
  readonly table: ObjectTable<T>;
  readonly types: readonly [T, T];
}

function ours(): Subject<ObjectType> {
  const iommufd = Iommufd.createSync();
  const define = (name: string): ObjectType => iommufd.defineObjectType({ name, payloadBytes: 16 });
  return { table: iommufd.open(), types: [define("A"), define("B")] };
}

const SUBJECTS: Readonly<Record<string, () => Subject<unknown>>> = {
  ours: ours,
  ...Object.fromEntries(
    Object.entries(RIVALS).map(([name, make]) => [name, () => ({ table: make(64), types: [1, 2] })]),
  ),
};

describe.each(Object.entries(SUBJECTS))("%s", (_, make) => {
  test("hands out the lowest free ID, from 1", () => {
    const { table, types } = make();
    const ids = [1, 2, 3].map(() => table.finalize(table.tryAlloc(types[0])));
    expect(ids).toEqual([1, 2, 3]);
    expect(table.tryDestroy(2)).toBe(0);
    expect(table.tryDestroy(1)).toBe(0);
    expect([1, 2, 3].map(() => table.finalize(table.tryAlloc(types[0])))).toEqual([1, 2, 4]);
  });

  test("finds published objects of the right type only", () => {
    const { table, types } = make();
    const reserved = table.tryAlloc(types[0]);
    expect(table.tryGet(1)).toBe(ENOENT);
    expect(table.tryDestroy(1)).toBe(ENOENT);
    table.finalize(reserved);
    expect(table.tryGet(1, types[1])).toBe(ENOENT);
    expect(table.tryGet(1, types[0])).toBeGreaterThan(0);
    expect(table.tryGet(2)).toBe(ENOENT);
  });

  test("gives an aborted ID back", () => {
    const { table, types } = make();
    table.abort(table.tryAlloc(types[0]));
    expect(table.tryGet(1)).toBe(ENOENT);
    expect(table.finalize(table.tryAlloc(types[0]))).toBe(1);
  });

  test("refuses a handle that was used, and one of the other kind", () => {
    const { table, types } = make();
    const reserved = table.tryAlloc(types[0]);
    expect(() => table.put(reserved)).toThrow("EINVAL");
    table.finalize(reserved);
    expect(() => table.finalize(reserved)).toThrow("EINVAL");
    expect(() => table.abort(reserved)).toThrow("EINVAL");
    const locked = table.tryGet(1);
    expect(() => table.finalize(locked)).toThrow("EINVAL");
    table.put(locked);
    expect(() => table.put(locked)).toThrow("EINVAL");
    expect(() => table.put(0)).toThrow("EINVAL");
    expect(table.tryDestroy(1)).toBe(0);
  });
});

test.each(Object.entries(RIVALS))("%s does not destroy what is locked", (_, make) => {
  const table = make(4);
  table.finalize(table.tryAlloc(1));
  const locked = table.tryGet(1);
  expect(table.tryDestroy(1)).toBe(EBUSY);
  table.put(locked);
  expect(table.tryDestroy(1)).toBe(0);
});

test("two threads' tables by Atomics see the same objects, and have handles of their own", () => {
  const one = AtomicsTable.create(8);
  const two = new AtomicsTable(one.buffer);
  expect(one.finalize(one.tryAlloc(1))).toBe(1);
  expect(two.finalize(two.tryAlloc(1))).toBe(2);
  const locked = two.tryGet(1);
  expect(() => one.put(locked)).toThrow("EINVAL");
  expect(one.usersOf(1)).toBe(2);
  expect(one.tryDestroy(1)).toBe(EBUSY);
  two.put(locked);
  expect(one.destroy(1)).toBe(0);
  expect(two.tryGet(1)).toBe(ENOENT);
});

test("the table with sharedmap finds each object, and counts its users", () => {
  const table = SharedMapTable.create(1024);
  for (let id = 1; id <= 1024; id++) {
    const handle = table.tryGet(id);
    expect(table.usersOf(id)).toBe(2);
    table.put(handle);
    expect(table.usersOf(id)).toBe(1);
  }
  expect(table.tryGet(1025)).toBe(ENOENT);
});

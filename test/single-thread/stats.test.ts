// SPDX-License-Identifier: GPL-2.0-only
//
// stats(), inspect() and objects(): what they say, and that looking changes nothing.

import { expect, test } from "vitest";
import { errnoOf } from "../support/answer.ts";
import { boot, otherThread } from "../support/boot.ts";
import { counts, make, plainType } from "../support/objects.ts";

const MIB = 1024 * 1024;

test("a fresh machine", async () => {
  const { iommufd } = await boot({ memoryBytes: 5 * MIB });
  expect(iommufd.stats()).toEqual({
    abi: "rfc",
    objects: { live: 0, reserved: 0, leaked: 0, queued: 0 },
    bytes: { total: 5 * MIB, heap: expect.any(Number) as number, used: 0 },
    files: { open: 0, max: 1024 },
    threads: { attached: 1, max: 64, list: [{ number: 0, locked: 0, reserved: 0, waiting: 0 }] },
    mappings: 0,
    processes: { alive: 1, max: 64 },
    memfds: { used: 0, max: 128 },
    warnings: {
      "release:users": 0,
      "unmap:pinned": 0,
      "refcount:decrement_hit_0_leaking_memory": 0,
      "refcount:saturated": 0,
      "holders:full": 0,
      "detach:held": 0,
    },
    waiting: [],
  });
  const { total, heap } = iommufd.stats().bytes;
  expect(heap % 4096).toBe(0);
  expect(heap).toBeLessThan(total);
});

test("counts follow objects, files, threads, mappings and what each thread has in hand", async () => {
  const { iommufd } = await boot();
  const other = otherThread(iommufd);
  const type = plainType(iommufd);
  const contexts = [iommufd.open(), iommufd.open()] as const;
  for (let n = 0; n < 5; n++) make(contexts[n % 2 === 0 ? 0 : 1], type);
  const reserved = contexts[1].alloc(type);
  const locks = [contexts[0].get(1), contexts[0].get(1), contexts[0].get(2)];
  const theirs = other.file(contexts[1].fd).get(1);
  const mapping = iommufd.userSpace.map(10_000);
  const waiting = contexts[0].destroyAsync(2);
  expect(iommufd.stats()).toMatchObject({
    objects: { live: 5, reserved: 1, leaked: 0, queued: 0 },
    files: { open: 2 },
    threads: {
      attached: 2,
      list: [
        { number: 0, locked: 3, reserved: 1, waiting: 1 },
        { number: 1, locked: 1, reserved: 0, waiting: 0 },
      ],
    },
    mappings: 1,
    waiting: [{ thread: 0, context: contexts[0].fd, id: 2, heldBy: [0] }],
  });
  expect(other.stats()).toEqual(iommufd.stats());
  for (const lock of [...locks, theirs]) lock.put();
  await waiting;
  reserved.abort();
  iommufd.userSpace.unmap(mapping);
  for (const context of contexts) context.close();
  other.detach();
  expect(iommufd.stats()).toMatchObject({
    objects: { live: 0, reserved: 0 },
    files: { open: 0 },
    threads: { attached: 1, list: [{ number: 0, locked: 0, reserved: 0, waiting: 0 }] },
    mappings: 0,
    waiting: [],
  });
});

test("stats are plain JSON, and each call's own", async () => {
  const { iommufd } = await boot();
  const context = iommufd.open();
  const lock = context.get(make(context, plainType(iommufd)));
  const promise = context.destroyAsync(1);
  const stats = iommufd.stats();
  expect(JSON.parse(JSON.stringify(stats))).toEqual(stats);
  stats.objects.live = 99;
  stats.waiting.length = 0;
  expect(iommufd.stats().waiting).toHaveLength(1);
  expect(iommufd.stats().objects.live).toBe(1);
  lock.put();
  await promise;
});

test("an object in an open file does not count any more once it waits to be freed or has leaked", async () => {
  const { iommufd } = await boot();
  const context = iommufd.open();
  const type = plainType(iommufd);
  make(context, type);
  context.get(make(context, type)).putKeepUser();
  context.close();
  expect(iommufd.stats().objects).toEqual({ live: 0, reserved: 0, leaked: 1, queued: 0 });
});

test("inspect describes published objects only, objects() also reservations; both agree", async () => {
  const { iommufd } = await boot();
  const context = iommufd.open();
  const one = plainType(iommufd, "one");
  const two = plainType(iommufd, "two");
  const target = make(context, one);
  const holder = make(context, two, target, target);
  const reserved = context.alloc(two);
  const lock = context.get(target);
  expect(context.inspect(target)).toMatchObject({ id: target, state: "live", users: 4, holders: 1, references: [] });
  expect(context.inspect(holder)).toMatchObject({
    id: holder,
    state: "live",
    users: 1,
    holders: 0,
    references: [target, target],
  });
  expect(context.inspect(reserved.id)).toBeUndefined();
  expect(context.objects().filter(({ state }) => state !== "reserved")).toEqual([
    context.inspect(target),
    context.inspect(holder),
  ]);
  expect(context.objects().map(({ id, state }) => [id, state])).toEqual([
    [target, "live"],
    [holder, "live"],
    [reserved.id, "reserved"],
  ]);
  lock.put();
});

test("an object's info carries the type as this thread knows it", async () => {
  const { iommufd } = await boot();
  const context = iommufd.open();
  const type = plainType(iommufd, "typed", 16);
  make(context, type);
  expect(context.inspect(1)?.type).toBe(type);
  expect(context.objects()[0]?.type).toBe(type);
});

test("looking disturbs nothing: no count moves, a waiting destroy goes on waiting, memory stays", async () => {
  const { iommufd } = await boot();
  const context = iommufd.open();
  const id = make(context, plainType(iommufd));
  const lock = context.get(id);
  const promise = context.destroyAsync(id);
  const before = new Uint8Array(iommufd.share.memory.buffer).slice();
  for (let n = 0; n < 100; n++) {
    expect(counts(context, id)).toBe("3/1 destroying");
    context.objects();
    iommufd.stats();
  }
  const after = new Uint8Array(iommufd.share.memory.buffer);
  // The answer itself travels through this thread's buffers; all the rest is as it was.
  const changed = before.reduce((sum, byte, at) => sum + Number(byte !== after[at]), 0);
  expect(changed).toBeLessThan(64);
  lock.put();
  await promise;
});

test("200,000 objects are listed in order in one go", async () => {
  const { iommufd } = await boot({ memoryBytes: 32 * MIB });
  const context = iommufd.open();
  const type = plainType(iommufd, "empty", 0);
  for (let n = 0; n < 200_000; n++) context.finalize(context.tryAlloc(type));
  for (let id = 2; id < 200_000; id += 2) context.tryDestroy(id);
  const ids = context.objects().map(({ id }) => id);
  expect(ids).toHaveLength(100_001);
  expect(ids.every((id, index) => index === 0 || id > (ids[index - 1] ?? 0))).toBe(true);
});

test("the last object of a table that is otherwise empty is found", async () => {
  const { iommufd } = await boot({ memoryBytes: 32 * MIB });
  const context = iommufd.open();
  const type = plainType(iommufd, "empty", 0);
  for (let n = 0; n < 200_000; n++) context.finalize(context.tryAlloc(type));
  for (let id = 1; id < 200_000; id++) context.tryDestroy(id);
  expect(context.objects().map(({ id }) => id)).toEqual([200_000]);
  expect(errnoOf(() => context.close())).toBe("no error");
});

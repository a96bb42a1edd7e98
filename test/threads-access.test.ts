// SPDX-License-Identifier: GPL-2.0-only
//
// Accesses in several threads: UNMAP waits for copies, what only a pin keeps is not taken from under a copy, and deaths.

import type { Iommufd, ReapReport } from "iommufd-wasm";
import { expect, onTestFinished, test } from "vitest";
import { answer, errnoOf } from "./support/answer.ts";
import { boot } from "./support/boot.ts";
import { until } from "./support/crew.ts";
import { random } from "./support/seeded.js";
import { Board } from "./support/lab-board.js";
import { startThread } from "./support/thread.ts";

const PAGE = 4096;
const LENGTH = 16 * PAGE;
const PAGES = 16;
const UNMAPPED = 0xff;

interface Device {
  call<T>(task: string, args: object): Promise<T>;
  begin(task: string, args: object): void;
  next<T>(): Promise<T>;
  /** Resolves when it is dead and reaped. */
  kill(): Promise<ReapReport>;
}

async function startDevice(iommufd: Iommufd): Promise<Device> {
  const thread = await startThread("device.js");
  onTestFinished(() => thread.terminate());
  thread.post({ task: "attach", args: { share: iommufd.share, number: 1, buffer: new Board().buffer } });
  expect(await thread.next()).toBe("attached");
  const begin = (task: string, args: object): void => thread.post({ task, args });
  return {
    begin,
    call(task, args) {
      begin(task, args);
      return thread.next();
    },
    next: () => thread.next(),
    async kill() {
      const reaped = new Promise<ReapReport>((onReaped) => iommufd.watch(thread.worker, { onReaped }));
      await thread.terminate();
      return reaped;
    },
  };
}

const words = (): Int32Array => new Int32Array(new SharedArrayBuffer(8));

interface Copied {
  tally: Record<string, number>;
  seen: number[];
}

test("UNMAP waits for copies: none reads or writes what was mapped once it has returned", async () => {
  const { iommufd } = await boot({ abi: "mainline" });
  const context = iommufd.open();
  const ioas = context.ioasAlloc();
  const memory = iommufd.userSpace.map(LENGTH);
  const word = words();
  const devices = await Promise.all([startDevice(iommufd), startDevice(iommufd)]);
  const args = { fd: context.fd, ioas: ioas.id, iova: 0n, length: LENGTH, word };
  devices[0]?.begin("copy", args);
  devices[1]?.begin("copy", { ...args, value: 7 });
  await until(() => Atomics.load(word, 1) === 2);
  let late = 0;
  for (let round = 0; round < 600; round++) {
    memory.bytes.fill(1);
    ioas.map(memory, { iova: 0 });
    for (let look = 0; look < (round * 37) % 5000; look++) Atomics.load(word, 0);
    expect(answer(ioas.tryUnmap(0, LENGTH))).toBe(LENGTH);
    memory.bytes.fill(UNMAPPED);
    for (let look = 0; look < (round * 11) % 500; look++) Atomics.load(word, 0);
    late += memory.bytes.findIndex((byte) => byte !== UNMAPPED) < 0 ? 0 : 1;
  }
  Atomics.store(word, 0, 1);
  const [read, written] = [await devices[0]?.next<Copied>(), await devices[1]?.next<Copied>()];
  expect(late).toBe(0);
  expect([1, 7]).toEqual(expect.arrayContaining(read?.seen ?? []));
  for (const copied of [read, written]) {
    expect(copied?.tally["done"]).toBeGreaterThan(0);
    expect(copied?.tally["ENOENT"]).toBeGreaterThan(0);
    expect(["done", "EINVAL", "ENOENT"]).toEqual(expect.arrayContaining(Object.keys(copied?.tally ?? {})));
  }
  ioas.destroy();
});

test("pages that only a pin keeps are nobody else's before a copy from them is over", async () => {
  const { iommufd } = await boot({ abi: "mainline" });
  const context = iommufd.open();
  const ioas = context.ioasAlloc();
  const word = words();
  const device = await startDevice(iommufd);
  const access = ioas.access();
  device.begin("copy", { fd: context.fd, ioas: ioas.id, iova: 0n, length: LENGTH, word });
  await until(() => Atomics.load(word, 1) === 1);
  const { used } = iommufd.stats().bytes;
  for (let round = 0; round < 1500; round++) {
    const memory = iommufd.userSpace.map(LENGTH);
    memory.bytes.fill(5);
    ioas.map(memory, { iova: 0 });
    access.pin(0, LENGTH);
    iommufd.userSpace.unmap(memory);
    for (let look = 0; look < (round * 37) % 5000; look++) Atomics.load(word, 0);
    access.unpin(0, LENGTH);
    const next = iommufd.userSpace.map(LENGTH, { va: 0x4000_0000n }); // gets these pages, if they are free
    next.bytes.fill(UNMAPPED);
    iommufd.userSpace.unmap(next);
    ioas.unmap(0, LENGTH);
  }
  Atomics.store(word, 0, 1);
  const copied = await device.next<Copied>();
  expect(copied.seen).toEqual([5]);
  expect(copied.tally["done"]).toBeGreaterThan(0);
  expect(iommufd.stats().mappings).toBe(0);
  expect(iommufd.stats().bytes.used).toBeLessThan(used + LENGTH);
});

test("who waits for a copy of a thread that dies in it goes on", async () => {
  const { iommufd } = await boot({ abi: "mainline" });
  const context = iommufd.open();
  const ioas = context.ioasAlloc();
  const word = words();
  const mapping = iommufd.userSpace.mapExternal(new SharedArrayBuffer(PAGE));
  const { external } = mapping;
  ioas.map(mapping, { iova: 0 });
  const [dying, waiting] = await Promise.all([startDevice(iommufd), startDevice(iommufd)]);
  dying.begin("hang", { fd: context.fd, ioas: ioas.id, external, word });
  await until(() => Atomics.load(word, 0) === 1);
  const said = words();
  waiting.begin("unmap", { fd: context.fd, ioas: ioas.id, word: said });
  await until(() => Atomics.load(said, 0) === 1);
  expect(ioas.areaCount).toBe(1);
  await dying.kill();
  expect(await waiting.next()).toBe(PAGE);
  expect(ioas.areaCount).toBe(0);
});

test("a thread that dies takes its access along: what it pinned is not pinned, nor charged, and can be unmapped", async () => {
  const { iommufd, warnings } = await boot({ abi: "mainline" });
  const context = iommufd.open();
  const ioas = context.ioasAlloc();
  ioas.map(iommufd.userSpace.map(PAGE), { iova: 0 });
  const device = await startDevice(iommufd);
  const id = await device.call<number>("pin", { fd: context.fd, ioas: ioas.id });
  expect(iommufd.userSpace.memlock.pinnedPages).toBe(1);
  expect(errnoOf(() => ioas.unmapAll())).toBe("EDEADLK");
  expect(errnoOf(() => context.destroy(id))).toBe("EBUSY");
  expect(errnoOf(() => ioas.destroy())).toBe("EBUSY");
  await device.kill();
  expect(iommufd.userSpace.memlock.pinnedPages).toBe(0);
  expect(errnoOf(() => context.destroy(id))).toBe("ENOENT");
  expect(Number(ioas.unmapAll())).toBe(PAGE);
  ioas.destroy();
  expect(iommufd.stats().objects).toMatchObject({ live: 0, leaked: 0 });
  expect(warnings.map(({ kind }) => kind)).toEqual(["unmap:pinned"]);
});

test("a closed file is released when the last of the threads that had accesses on it has died or left", async () => {
  const { iommufd, warnings } = await boot({ abi: "mainline" });
  const context = iommufd.open();
  const ioas = context.ioasAlloc();
  const memory = iommufd.userSpace.map(PAGE);
  ioas.map(memory, { iova: 0 });
  const devices = await Promise.all([startDevice(iommufd), startDevice(iommufd), startDevice(iommufd)]);
  for (const device of devices) await device.call("pin", { fd: context.fd, ioas: ioas.id });
  context.close();
  iommufd.userSpace.unmap(memory);
  const open = (): number[] => {
    const { files, objects, mappings } = iommufd.stats();
    return [files.open, objects.live, mappings];
  };
  await devices[0]?.kill();
  expect(open()).toEqual([1, 3, 0]);
  expect(await devices[1]?.call("detach", {})).toBe("detached");
  expect(open()).toEqual([1, 2, 0]);
  expect(iommufd.userSpace.memlock.pinnedPages).toBe(1);
  await devices[2]?.kill();
  expect(open()).toEqual([0, 0, 0]);
  expect(iommufd.userSpace.memlock.pinnedPages).toBe(0);
  expect(warnings).toEqual([]);
});

test("a fault queue's file is no thread's: it stays open when the one that made it dies", async () => {
  const { iommufd } = await boot({ abi: "mainline" });
  const context = iommufd.open();
  const device = await startDevice(iommufd);
  const fd = await device.call<number>("queue", { fd: context.fd });
  await device.kill();
  context.close();
  expect(iommufd.stats().files.open).toBe(1);
  iommufd.faultFile(fd).close();
  expect(iommufd.stats().files.open).toBe(0);
});

test("threads that are killed anywhere in the calls of their accesses leave no pin, no object and no file", async () => {
  const { iommufd } = await boot({ abi: "mainline" });
  const next = random(20220318);
  const ends = { whole: 0, poisoned: 0 };
  for (let round = 0; round < 24; round++) {
    const process = iommufd.createUserSpace({ uid: 7, memlockBytes: Infinity });
    const context = iommufd.open();
    const ioas = context.ioasAlloc();
    const memory = process.map(PAGES * PAGE);
    process.run(() => ioas.map(memory, { iova: 0 }));
    const word = words();
    const devices = await Promise.all([startDevice(iommufd), startDevice(iommufd)]);
    for (const device of devices) device.begin("churn", { fd: context.fd, ioas: ioas.id, pages: PAGES, word });
    const enough = 20 + (next() % 60);
    await until(() => Atomics.load(word, 0) > enough);
    if (round % 3 === 0) context.close();
    for (const device of devices) await device.kill(); // in a page a watcher hears of any thread's death
    if (round % 3 !== 0) {
      // Who dies while it changes an address space poisons its file.
      const end = errnoOf(() => ioas.unmapAll());
      ends[end === "EIO" ? "poisoned" : "whole"]++;
      if (end !== "EIO") {
        expect(end).toBe("no error");
        expect(process.memlock).toMatchObject({ pinnedPages: 0, userLockedPages: 0 });
        expect(context.objects().map(({ id }) => id)).toEqual([ioas.id]);
        ioas.destroy();
      }
      context.close();
    }
    process.exit();
    expect(iommufd.stats()).toMatchObject({
      files: { open: 0 },
      objects: { live: 0, reserved: 0, leaked: 0, queued: 0 },
      processes: { alive: 1 },
      mappings: 0,
      waiting: [],
    });
  }
  expect(ends.whole).toBeGreaterThan(0);
});

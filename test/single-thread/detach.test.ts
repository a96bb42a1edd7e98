// SPDX-License-Identifier: GPL-2.0-only
//
// Attaching and leaving, by one JavaScript thread that plays several threads of the machine.

import { Iommufd, IOMMU_DESTROY } from "iommufd-wasm";
import { describe, expect, test } from "vitest";
import { errnoOf, errnoOfAsync } from "../support/answer.ts";
import { boot, otherThread } from "../support/boot.ts";
import { words } from "../support/bytes.ts";
import { counts, idsOf, loggedType, make, plainType } from "../support/objects.ts";

const MAX_THREADS = 64;

test("whoever attaches sees the same files, objects and user memory", async () => {
  const { iommufd } = await boot({ abi: "mainline" });
  const other = otherThread(iommufd);
  expect(other.abi).toBe("mainline");
  const context = iommufd.open();
  const id = make(context, plainType(iommufd));
  expect(counts(other.file(context.fd), id)).toBe("1/0 live");
  const { va, bytes } = iommufd.userSpace.map(4096);
  bytes.set([1, 2, 3]);
  expect([...other.userSpace.read(va, 3)]).toEqual([1, 2, 3]);
  expect(other.stats().threads.attached).toBe(2);
});

test("attach takes the share, and nothing that is not one", async () => {
  const { iommufd } = await boot();
  const { module, memory } = iommufd.share;
  const other = await Iommufd.attach(iommufd.share);
  other.detach();
  const notCore = new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
  const fresh = new WebAssembly.Memory({ initial: 128, maximum: 128, shared: true });
  const unshared = new WebAssembly.Memory({ initial: 128, maximum: 128 });
  for (const share of [
    null,
    undefined,
    {},
    { module },
    { memory },
    { module, memory: {} },
    { module: {}, memory },
    { module, memory: memory.buffer },
    { module, memory: fresh },
    { module, memory: unshared },
    { module: notCore, memory },
  ]) {
    expect(errnoOf(() => Iommufd.attachSync(share as never))).toBe("EINVAL");
    expect(await errnoOfAsync(Iommufd.attach(share as never))).toBe("EINVAL");
  }
  expect(iommufd.stats().threads.attached).toBe(1);
});

test("a memory of another version of the map is refused", async () => {
  const { iommufd } = await boot();
  const { module, memory } = iommufd.share;
  const bytes = new Uint8Array(memory.buffer);
  const copy = new WebAssembly.Memory({ initial: 128, maximum: 128, shared: true });
  const copied = new Uint8Array(copy.buffer);
  copied.set(bytes);
  expect(errnoOf(() => Iommufd.attachSync({ module, memory: copy }).detach())).toBe("no error");
  // Identity begins with the magic word, "iofd" in memory order; the version follows.
  const magic = bytes.findIndex((_, at) => [..."iofd"].every((c, index) => bytes[at + index] === c.charCodeAt(0)));
  expect(magic).toBeGreaterThan(0);
  copied[magic + 4]! += 1;
  expect(errnoOf(() => Iommufd.attachSync({ module, memory: copy }))).toBe("EINVAL");
  copied[magic + 4]! -= 1;
  copied[magic] = 0;
  expect(errnoOf(() => Iommufd.attachSync({ module, memory: copy }))).toBe("EINVAL");
});

test("the 65th thread is EAGAIN, and one that leaves makes room", async () => {
  const { iommufd } = await boot();
  const others = Array.from({ length: MAX_THREADS - 1 }, () => otherThread(iommufd));
  expect(iommufd.stats().threads).toMatchObject({ attached: MAX_THREADS, max: MAX_THREADS });
  expect(errnoOf(() => Iommufd.attachSync(iommufd.share))).toBe("EAGAIN");
  expect(await errnoOfAsync(Iommufd.attach(iommufd.share))).toBe("EAGAIN");
  others[10]?.detach();
  const late = otherThread(iommufd);
  expect(iommufd.stats().threads.attached).toBe(MAX_THREADS);
  const context = late.open();
  const id = make(context, plainType(late));
  context.get(id).put();
});

describe("a thread that leaves", () => {
  test("gives back its locks, reservations and waits, and is warned about each", async () => {
    const { iommufd, warnings } = await boot();
    const other = otherThread(iommufd);
    const context = iommufd.open();
    const there = other.file(context.fd);
    const type = plainType(iommufd);
    const [locked, kept, waited, target] = [
      make(context, type),
      make(context, type),
      make(context, type),
      make(context, type),
    ];
    context.get(locked);
    context.get(locked);
    context.get(kept).putKeepUser();
    const foreign = there.get(waited);
    const outcome = errnoOfAsync(context.destroyAsync(waited));
    const reserved = context.alloc(type);
    const on = context.get(target);
    reserved.hold(on);
    on.put();
    expect(idsOf(there)).toEqual([1, 2, 3, 4, 5]);

    iommufd.detach();
    expect(warnings.map(({ kind }) => kind)).toEqual(Array(4).fill("detach:held"));
    expect(warnings.every(({ context: fd }) => fd === there.fd)).toBe(true);
    expect(other.stats().warnings["detach:held"]).toBe(4);
    expect(counts(there, locked)).toBe("1/0 live");
    expect(counts(there, kept)).toBe("2/0 live"); // a kept reference belongs to the context
    expect(counts(there, waited)).toBe("2/1 live");
    expect(counts(there, target)).toBe("1/0 live");
    expect(idsOf(there)).toEqual([1, 2, 3, 4]);
    expect(other.stats().threads.attached).toBe(1);
    foreign.put();
    expect(await outcome).toBe("ESRCH");
  }, 10_000);

  test("leaves its files open for the others", async () => {
    const { iommufd } = await boot();
    const other = otherThread(iommufd);
    const context = iommufd.open();
    make(context, plainType(iommufd));
    iommufd.detach();
    context.close(); // too late, and silent
    expect(counts(other.file(context.fd), 1)).toBe("1/0 live");
    other.file(context.fd).close();
    expect(other.stats().files.open).toBe(0);
  });

  test("with the last lock of a closed file releases it", async () => {
    const log: number[] = [];
    const { iommufd } = await boot();
    const other = otherThread(iommufd);
    const context = iommufd.open();
    const id = make(context, loggedType(iommufd, log));
    context.get(id);
    context.close();
    iommufd.detach();
    expect(log).toEqual([id]);
    expect(other.stats().files.open).toBe(0);
  });

  test("gives everything back although a callback throws meanwhile, and then throws that", async () => {
    const { iommufd } = await boot();
    const other = otherThread(iommufd);
    const thrower = iommufd.defineObjectType({
      name: "thrower",
      payloadBytes: 0,
      destroy() {
        throw new Error("thrown by the callback");
      },
    });
    const closed = [iommufd.open(), iommufd.open()];
    for (const context of closed) {
      context.get(make(context, thrower));
      context.close();
    }
    const context = iommufd.open();
    const id = make(context, plainType(iommufd));
    context.get(id);
    expect(() => iommufd.detach()).toThrow("thrown by the callback");
    expect(counts(other.file(context.fd), id)).toBe("1/0 live");
    expect(other.stats().threads.attached).toBe(1);
    expect(other.stats().files.open).toBe(1);
    iommufd.detach();
  });

  test("from inside a command that it executes loses nothing", async () => {
    const { iommufd } = await boot();
    const other = otherThread(iommufd);
    const context = iommufd.open();
    const there = other.file(context.fd);
    make(context, plainType(iommufd));
    const command = iommufd.defineIoctl({
      name: "LEAVER",
      nr: 0xc1,
      fields: { value: "u32" },
      execute: () => iommufd.detach(),
    });
    // Refusing to leave now and leaving now are both fine; keeping the file for ever is not.
    try {
      context.ioctl(command.request, words(8, 0));
    } catch (error) {
      expect(error).toHaveProperty("code", expect.stringMatching(/ESRCH|EBUSY/));
    }
    there.close();
    expect(other.stats().files.open).toBe(0);
    expect(other.stats().objects.live).toBe(0);
  });

  test("twice leaves once; dispose is the same, by the host's symbol", async () => {
    const { iommufd, warnings } = await boot();
    const symbol: typeof Symbol.dispose = Symbol.dispose ?? Symbol.for("Symbol.dispose");
    const other = otherThread(iommufd);
    const third = otherThread(iommufd);
    expect(other[symbol]).toBeTypeOf("function");
    other[symbol]();
    other[symbol]();
    other.detach();
    expect(iommufd.stats().threads.attached).toBe(2);
    third.detach();
    expect(iommufd.stats().threads.attached).toBe(1);
    expect(warnings).toEqual([]);
  });
});

test("after detach every call is ESRCH, on the Iommufd and on what it had made", async () => {
  const { iommufd } = await boot();
  const other = otherThread(iommufd);
  const context = iommufd.open();
  const type = plainType(iommufd);
  const id = make(context, type);
  const command = iommufd.defineIoctl({
    name: "NOTHING",
    nr: 0xc2,
    fields: { value: "u32" },
    execute: () => undefined,
  });
  const mapping = iommufd.userSpace.map(4096);
  const locked = [context.get(id), context.get(id)] as const;
  const reserved = [context.alloc(type), context.alloc(type)] as const;
  const reference = context.get(id).putKeepUser();
  const hot = context.tryGet(id);
  iommufd.detach();
  const calls: Record<string, () => unknown> = {
    open: () => iommufd.open(),
    fget: () => iommufd.fget(3),
    file: () => iommufd.file(3),
    defineObjectType: () => iommufd.defineObjectType({ name: "late", payloadBytes: 0 }),
    defineIoctl: () => iommufd.defineIoctl({ name: "LATE", nr: 0xc3, fields: {}, execute: () => undefined }),
    ioctl: () => context.ioctl(IOMMU_DESTROY.request, words(8, id)),
    "ioctl by address": () => context.ioctl(IOMMU_DESTROY.request, mapping.va),
    tryIoctl: () => context.tryIoctl(IOMMU_DESTROY.request, words(8, id)),
    call: () => context.call(command, {}),
    destroy: () => context.destroy(id),
    tryDestroy: () => context.tryDestroy(id),
    alloc: () => context.alloc(type),
    tryAlloc: () => context.tryAlloc(type),
    get: () => context.get(id),
    tryGet: () => context.tryGet(id),
    put: () => context.put(hot),
    idOf: () => context.idOf(hot),
    inspect: () => context.inspect(id),
    objects: () => context.objects(),
    "LockedObject.put": () => locked[0].put(),
    "LockedObject.putKeepUser": () => locked[1].putKeepUser(),
    "ReservedObject.finalize": () => reserved[0].finalize(),
    "ReservedObject.abort": () => reserved[1].abort(),
    "ObjectReference.drop": () => reference.drop(),
    "ObjectReference.destroyUser": () => reference.destroyUser(),
    map: () => iommufd.userSpace.map(4096),
    protect: () => iommufd.userSpace.protect(mapping.va, 4096, "r"),
    read: () => iommufd.userSpace.read(mapping.va, 1),
    write: () => iommufd.userSpace.write(mapping.va, Uint8Array.of(1)),
    unmap: () => iommufd.userSpace.unmap(mapping),
  };
  const answers = Object.entries(calls).map(([name, call]) => [name, errnoOf(call)]);
  expect(answers.filter(([, code]) => code !== "ESRCH")).toEqual([]);
  expect(await errnoOfAsync(context.destroyAsync(id))).toBe("ESRCH");
  expect(await errnoOfAsync(context.ioctlAsync(IOMMU_DESTROY.request, words(8, id)))).toBe("ESRCH");
  expect(await errnoOfAsync(reference.destroyUserAsync())).toBe("ESRCH");
  expect(counts(other.file(context.fd), id)).toBe("2/0 live");
});

test("late calls of a thread that left write nothing: its place may be another one's by now", async () => {
  const { iommufd } = await boot();
  const leaver = otherThread(iommufd);
  const context = leaver.open();
  const stale = context.tryGet(make(context, plainType(leaver)));
  const { va } = leaver.userSpace.map(4096);
  leaver.detach();
  otherThread(iommufd);
  const before = new Uint8Array(iommufd.share.memory.buffer).slice();
  const marked = new Uint8Array(4096).fill(0x77);
  for (const call of [
    () => context.put(stale),
    () => context.ioctl(IOMMU_DESTROY.request, marked),
    () => leaver.userSpace.write(va, marked),
    () => leaver.defineObjectType({ name: "w".repeat(48), payloadBytes: 0 }),
  ]) {
    expect(errnoOf(call)).toBe("ESRCH");
  }
  const after = new Uint8Array(iommufd.share.memory.buffer);
  expect(before.findIndex((byte, at) => byte !== after[at])).toBe(-1);
});

test("handles of a thread slot's earlier owner are no handles of the later one", async () => {
  const { iommufd } = await boot();
  const context = iommufd.open();
  const id = make(context, plainType(iommufd));
  const stale: number[] = [];
  for (let round = 0; round < 20; round++) {
    const worker = otherThread(iommufd);
    const there = worker.file(context.fd);
    const handle = there.tryGet(id);
    for (const old of stale) expect(errnoOf(() => there.put(old))).toBe("EINVAL");
    expect(stale).not.toContain(handle);
    stale.push(handle);
    worker.detach();
  }
  expect(counts(context, id)).toBe("1/0 live");
});

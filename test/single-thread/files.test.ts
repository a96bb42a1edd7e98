// SPDX-License-Identifier: GPL-2.0-only
//
// Files: numbers, references, and when a file and what is in it goes away.

import type { Iommufd, IommufdContext, ObjectType } from "iommufd-wasm";
import { IOMMU_DESTROY } from "iommufd-wasm";
import { describe, expect, test } from "vitest";
import { answer, errnoOf, errnoOfAsync } from "../support/answer.ts";
import { ABIS, boot, otherThread } from "../support/boot.ts";
import { words } from "../support/bytes.ts";
import { counts, idsOf, loggedType, make, plainType } from "../support/objects.ts";

const MAX_FILES = 1024;

/** All that a context can be asked, except to close. */
const CALLS: [name: string, call: (context: IommufdContext, type: ObjectType) => unknown][] = [
  ["ioctl", (context) => errnoOf(() => context.ioctl(IOMMU_DESTROY.request, words(8, 1)))],
  ["tryIoctl", (context) => answer(context.tryIoctl(IOMMU_DESTROY.request, words(8, 1)))],
  ["tryIoctl of an unknown number", (context) => answer(context.tryIoctl(0, null))],
  ["ioctlAsync", (context) => errnoOfAsync(context.ioctlAsync(IOMMU_DESTROY.request, words(8, 1)))],
  ["call", (context) => errnoOf(() => context.call(IOMMU_DESTROY, { id: 1 }))],
  ["destroy", (context) => errnoOf(() => context.destroy(1))],
  ["tryDestroy", (context) => answer(context.tryDestroy(1))],
  ["destroyAsync", (context) => errnoOfAsync(context.destroyAsync(1))],
  ["alloc", (context, type) => errnoOf(() => context.alloc(type))],
  ["tryAlloc", (context, type) => answer(context.tryAlloc(type))],
  ["get", (context) => errnoOf(() => context.get(1))],
  ["get of an ID in no node", (context) => errnoOf(() => context.get(2 ** 31))],
  ["tryGet", (context) => answer(context.tryGet(1))],
  ["inspect", (context) => errnoOf(() => context.inspect(1))],
  ["objects", (context) => errnoOf(() => context.objects())],
];

async function scene(): Promise<{ iommufd: Iommufd; context: IommufdContext; type: ObjectType; log: number[] }> {
  const log: number[] = [];
  const { iommufd } = await boot();
  const type = loggedType(iommufd, log);
  return { iommufd, context: iommufd.open(), type, log };
}

test("numbers count from 3, and the lowest free one is next", async () => {
  const { iommufd, context } = await scene();
  const others = [iommufd.open(), iommufd.open()];
  expect([context, ...others].map(({ fd }) => fd)).toEqual([3, 4, 5]);
  others[0]?.close();
  expect(iommufd.open().fd).toBe(4);
  expect(iommufd.open().fd).toBe(6);
});

test.each(CALLS)("%s on a closed context is EBADF", async (_name, call) => {
  const { context, type } = await scene();
  make(context, type);
  context.close();
  expect(await call(context, type)).toBe("EBADF");
});

test.each(CALLS)("%s on a closed context is EBADF also when its number is open again", async (_name, call) => {
  const { iommufd, context, type } = await scene();
  context.close();
  const later = iommufd.open();
  expect(later.fd).toBe(context.fd);
  make(later, type);
  expect(await call(context, type)).toBe("EBADF");
  expect(counts(later, 1)).toBe("1/0 live");
});

test.each(CALLS)("%s by number is EBADF once the number is closed", async (_name, call) => {
  const { iommufd, context, type } = await scene();
  make(context, type);
  const byNumber = iommufd.file(context.fd);
  context.close();
  expect(await call(byNumber, type)).toBe("EBADF");
});

test.each(CALLS)("%s on a closed reference is EBADF, the file itself is open", async (_name, call) => {
  const { iommufd, context, type } = await scene();
  make(context, type);
  const reference = iommufd.fget(context.fd);
  reference.close();
  expect(await call(reference, type)).toBe("EBADF");
  expect(counts(context, 1)).toBe("1/0 live");
});

test("a context by number follows the number to the next file", async () => {
  const { iommufd, context, type } = await scene();
  const byNumber = iommufd.file(context.fd);
  make(byNumber, type);
  expect(idsOf(context)).toEqual([1]);
  context.close();
  const next = iommufd.open();
  expect(idsOf(byNumber)).toEqual([]);
  make(byNumber, type);
  expect(idsOf(next)).toEqual([1]);
});

// 2 ** 25 files later the address of a row would be that of the first one again.
test.each([-1, 0, 1, 2, 3 + MAX_FILES, 2 ** 25 + 3, 2 ** 30 + 3, 2 ** 31, 2 ** 32 + 3, 3.5, NaN, Infinity, -Infinity])(
  "no file has the number %d",
  async (fd) => {
    const { iommufd } = await scene();
    expect(errnoOf(() => iommufd.fget(fd))).toBe("EBADF");
    expect(errnoOf(() => iommufd.file(fd))).toBe("EBADF");
  },
);

test.each(["3", null, undefined, {}, [3]])("%o is no file number", async (fd) => {
  const { iommufd } = await scene();
  expect(errnoOf(() => iommufd.fget(fd as number))).toBe("EBADF");
  expect(errnoOf(() => iommufd.file(fd as number))).toBe("EBADF");
});

test("closing twice, or what somebody else has closed, does nothing", async () => {
  const { iommufd, context, type, log } = await scene();
  const id = make(context, type);
  const byNumber = iommufd.file(context.fd);
  byNumber.close();
  expect(log).toEqual([id]);
  context.close();
  byNumber.close();
  const next = iommufd.open();
  make(next, type);
  context.close();
  byNumber.close();
  expect(counts(next, 1)).toBe("1/0 live");
  expect(log).toEqual([id]);
});

test("closing what somebody else has closed does not reach the number's next file", async () => {
  const { iommufd, context, type } = await scene();
  iommufd.file(context.fd).close();
  const next = iommufd.open();
  expect(next.fd).toBe(context.fd);
  make(next, type);
  context.close();
  expect(counts(next, 1)).toBe("1/0 live");
});

test("a thread can have 32,767 references on a file; one more is EMFILE and changes nothing", async () => {
  const MOST = 32_767;
  const { iommufd, context, type, log } = await scene();
  const id = make(context, type);
  const references = Array.from({ length: MOST }, () => iommufd.fget(context.fd));
  expect(errnoOf(() => iommufd.fget(context.fd))).toBe("EMFILE");
  context.close();
  for (const reference of references.slice(1)) reference.close();
  expect(log).toEqual([]);
  references[0]?.close();
  expect(log).toEqual([id]);
});

test("closing a reference twice gives back one reference only", async () => {
  const { iommufd, context, type, log } = await scene();
  make(context, type);
  const one = iommufd.fget(context.fd);
  const two = iommufd.fget(context.fd);
  context.close();
  one.close();
  one.close();
  expect(log).toEqual([]);
  expect(counts(two, 1)).toBe("1/0 live");
  two.close();
  expect(log).toEqual([1]);
});

test("a reference keeps the file usable after its number is closed; then no further one can be had", async () => {
  const { iommufd, context, type, log } = await scene();
  const reference = iommufd.fget(context.fd);
  context.close();
  expect(errnoOf(() => iommufd.fget(context.fd))).toBe("EBADF");
  expect(errnoOf(() => iommufd.file(context.fd))).toBe("EBADF");
  const id = make(reference, type);
  reference.get(id).put();
  expect(iommufd.stats().files.open).toBe(1);
  reference.close();
  expect(log).toEqual([id]);
  expect(iommufd.stats().files.open).toBe(0);
});

test("a number is not handed out again before its file is released", async () => {
  const { iommufd, context } = await scene();
  const reference = iommufd.fget(context.fd);
  context.close();
  const other = iommufd.open();
  expect(other.fd).not.toBe(context.fd);
  reference.close();
  expect(iommufd.open().fd).toBe(context.fd);
});

test("dispose is close, by the host's symbol", async () => {
  const { iommufd, context, type, log } = await scene();
  const symbol: typeof Symbol.dispose = Symbol.dispose ?? Symbol.for("Symbol.dispose");
  make(context, type);
  expect(context[symbol]).toBeTypeOf("function");
  context[symbol]();
  context[symbol]();
  expect(log).toEqual([1]);
  expect(errnoOf(() => context.objects())).toBe("EBADF");
  expect(iommufd.stats().files.open).toBe(0);
});

describe.each(ABIS)("%s, a file that is closed while", (abi) => {
  async function closing(): Promise<{
    iommufd: Iommufd;
    context: IommufdContext;
    type: ObjectType;
    log: number[];
    id: number;
  }> {
    const log: number[] = [];
    const { iommufd } = await boot({ abi });
    const context = iommufd.open();
    const type = loggedType(iommufd, log);
    return { iommufd, context, type, log, id: make(context, type) };
  }

  test("an object is locked is released by the put", async () => {
    const { iommufd, context, log, id } = await closing();
    const locks = [context.get(id), context.get(id)] as const;
    context.close();
    expect(log).toEqual([]);
    expect(iommufd.stats().files.open).toBe(1);
    locks[0].put();
    expect(log).toEqual([]);
    expect(locks[1].payload.byteLength).toBe(8);
    locks[1].put();
    expect(log).toEqual([id]);
    expect(iommufd.stats().files.open).toBe(0);
    expect(iommufd.stats().objects.leaked).toBe(0);
  });

  test("an object is locked by hot handles is released by the last put", async () => {
    const { iommufd, context, log, id } = await closing();
    const second = make(context, plainType(iommufd));
    const handles = [context.tryGet(id), context.tryGet(second), context.tryGet(second)];
    context.close();
    for (const handle of handles) {
      expect(iommufd.stats().files.open).toBe(1);
      context.put(handle);
    }
    expect(log).toEqual([id]);
    expect(iommufd.stats().files.open).toBe(0);
  });

  test("another thread has it locked is released by that thread's put, which runs or queues the callbacks", async () => {
    const { iommufd, context, id } = await closing();
    const other = otherThread(iommufd);
    const lock = other.file(context.fd).get(id);
    context.close();
    expect(iommufd.stats().files.open).toBe(1);
    lock.put();
    expect(iommufd.stats().files.open).toBe(0);
    expect(iommufd.stats().objects).toMatchObject({ live: 0, leaked: 0, queued: 1 });
  });

  test("an ID is reserved is released by finalize, which destroys the new object too", async () => {
    const { iommufd, context, type, log, id } = await closing();
    const reserved = context.alloc(type);
    context.close();
    expect(log).toEqual([]);
    expect(reserved.finalize()).toBe(2);
    expect(log.sort()).toEqual([id, 2]);
    expect(iommufd.stats().files.open).toBe(0);
  });

  test("an ID is reserved is released by abort", async () => {
    const { iommufd, context, type, log, id } = await closing();
    const reserved = context.alloc(type);
    context.close();
    expect(log).toEqual([]);
    reserved.abort();
    expect(log).toEqual([id]);
    expect(iommufd.stats().files.open).toBe(0);
  });

  test("a reservation is made ready can still hold what is locked", async () => {
    const { iommufd, context, type, log, id } = await closing();
    const lock = context.get(id);
    const reserved = context.alloc(type);
    context.close();
    reserved.hold(lock);
    lock.put();
    reserved.abort();
    expect(log).toEqual([id]);
    expect(iommufd.stats().objects.leaked).toBe(0);
  });

  test("a command executes is released when the command returns", async () => {
    const { iommufd, context, type, log, id } = await closing();
    const command = iommufd.defineIoctl({
      name: "CLOSER",
      nr: 0xc0,
      fields: { value: "u32" },
      execute(cmd) {
        context.close();
        expect(log).toEqual([]);
        // A call in flight can do everything still.
        const made = make(cmd.context, type);
        cmd.context.get(made).put();
        cmd.context.destroy(made);
        expect(log).toEqual([made]);
        cmd.fields.value = 7;
        cmd.respond();
      },
    });
    expect(context.call(command, {}).value).toBe(7);
    expect(log).toEqual([2, id]);
    expect(iommufd.stats().files.open).toBe(0);
  });
});

test("the context of a call is of no use after the call, though its file is open", async () => {
  const { iommufd, context, type } = await scene();
  const id = make(context, type);
  let ofCall = context;
  const command = iommufd.defineIoctl({
    name: "KEEPER",
    nr: 0xc0,
    fields: { value: "u32" },
    execute(cmd) {
      ofCall = cmd.context;
      expect(counts(ofCall, id)).toBe("1/0 live");
    },
  });
  context.call(command, {});
  for (const call of [
    () => ofCall.alloc(type),
    () => ofCall.get(id),
    () => ofCall.get(id, type),
    () => ofCall.destroy(id),
    () => ofCall.objects(),
    () => ofCall.call(command, {}),
  ]) {
    expect(errnoOf(call)).toBe("EBADF");
  }
  expect(counts(context, id)).toBe("1/0 live");
});

test("a number's second file is released as the first was: nothing goes before the last lock", async () => {
  const { iommufd, log } = await scene();
  const [holder, held] = ["A", "B"].map((name) => loggedType(iommufd, log, name));
  for (let round = 0; round < 3; round++) {
    const context = iommufd.open();
    log.length = 0;
    make(context, holder as ObjectType);
    const id = make(context, held as ObjectType);
    const lock = context.get(id);
    context.close();
    expect(log).toEqual([]);
    lock.put();
    expect(log).toEqual([1, 2]);
  }
});

test("a reference kept on an object does not keep its file", async () => {
  const { iommufd, context, type } = await scene();
  const reference = context.get(make(context, type)).putKeepUser();
  context.close();
  expect(iommufd.stats().files.open).toBe(0);
  expect(iommufd.stats().objects.leaked).toBe(1);
  expect(errnoOf(() => reference.drop())).toBe("EBADF");
  expect(errnoOf(() => reference.destroyUser())).toBe("EBADF");
  const next = iommufd.open();
  make(next, type);
  next.get(1).putKeepUser();
  expect(errnoOf(() => reference.drop())).toBe("EBADF");
  expect(counts(next, 1)).toBe("2/0 live");
});

test("a reference works by whichever way the file is still open", async () => {
  const { iommufd, context, type } = await scene();
  const id = make(context, type);
  const kept = context.get(id).putKeepUser();
  const reference = iommufd.fget(context.fd);
  context.close();
  kept.drop();
  expect(counts(reference, id)).toBe("1/0 live");
});

test("100,000 opens and closes leave nothing behind", async () => {
  const { iommufd, type } = await scene();
  const warmUp = iommufd.open();
  make(warmUp, type);
  warmUp.close();
  const { used } = iommufd.stats().bytes;
  for (let round = 0; round < 100_000; round++) {
    const context = iommufd.open();
    if (round % 100 === 0) make(context, type);
    context.close();
  }
  expect(iommufd.stats().bytes.used).toBe(used);
  expect(iommufd.stats().files.open).toBe(1);
});

// SPDX-License-Identifier: GPL-2.0-only
//
// The life of one object: reserve, publish, lock, keep, drop, destroy. What each step does to `users` and to the short-term
// holders, and who may destroy when. Waiting has a file of its own, async.test.ts.

import { type IommufdContext, IOMMU_DESTROY, type LockedObject, type ObjectReference } from "iommufd-wasm";
import { describe, expect, test } from "vitest";
import { answer, errnoOf } from "../support/answer.ts";
import { ABIS, boot, otherThread } from "../support/boot.ts";
import { words } from "../support/bytes.ts";
import { isBrowser } from "../support/host.ts";
import { counts, idsOf, loggedType, make, plainType } from "../support/objects.ts";

type Destroy = (context: IommufdContext, id: number, timeoutMs?: number) => unknown;

const limits = (timeoutMs?: number): { timeoutMs?: number } => (timeoutMs === undefined ? {} : { timeoutMs });

/** The ways to ask for an object's end by its ID; they answer alike. */
const DESTROYS: [name: string, destroy: Destroy][] = [
  ["destroy", (context, id, ms) => errnoOf(() => context.destroy(id, limits(ms)))],
  ["tryDestroy", (context, id, ms) => answer(context.tryDestroy(id, ms)) || "no error"],
  ["ioctl", (context, id, ms) => errnoOf(() => context.ioctl(IOMMU_DESTROY.request, words(8, id), limits(ms)))],
  ["tryIoctl", (context, id, ms) => answer(context.tryIoctl(IOMMU_DESTROY.request, words(8, id), ms)) || "no error"],
  ["call", (context, id, ms) => errnoOf(() => context.call(IOMMU_DESTROY, { id }, limits(ms)))],
];

describe.each(ABIS)("%s", (abi) => {
  async function oneObject(): Promise<{ context: IommufdContext; id: number; log: number[] }> {
    const log: number[] = [];
    const { iommufd } = await boot({ abi });
    const context = iommufd.open();
    return { context, id: make(context, loggedType(iommufd, log)), log };
  }

  test("users and holders follow each step", async () => {
    const { context, id } = await oneObject();
    const steps: [string, () => unknown, string][] = [];
    let first!: LockedObject;
    let second!: LockedObject;
    let kept!: ObjectReference;
    steps.push(["finalize", () => undefined, "1/0 live"]);
    steps.push(["get", () => (first = context.get(id)), "2/1 live"]);
    steps.push(["get again", () => (second = context.get(id)), "3/2 live"]);
    steps.push(["put", () => first.put(), "2/1 live"]);
    steps.push(["putKeepUser", () => (kept = second.putKeepUser()), "2/0 live"]);
    steps.push(["get a kept one", () => (first = context.get(id)), "3/1 live"]);
    steps.push(["drop", () => kept.drop(), "2/1 live"]);
    steps.push(["putKeepUser", () => first.putKeepUser(), "2/0 live"]);
    steps.push(["get", () => (first = context.get(id)), "3/1 live"]);
    steps.push(["dropUser", () => first.dropUser(), "2/1 live"]);
    steps.push(["put", () => first.put(), "1/0 live"]);
    steps.push(["destroy", () => context.destroy(id), "absent"]);
    for (const [name, step, expected] of steps) {
      step();
      expect([name, counts(context, id)]).toEqual([name, expected]);
    }
  });

  test("the hot twins do the same to the counts", async () => {
    const { iommufd } = await boot({ abi });
    const context = iommufd.open();
    const type = plainType(iommufd);
    const reserved = context.tryAlloc(type);
    const id = context.idOf(reserved);
    expect(context.objects()[0]).toMatchObject({ id, state: "reserved", users: 1, holders: 0 });
    expect(context.finalize(reserved)).toBe(id);
    const target = context.tryGet(id);
    expect(counts(context, id)).toBe("2/1 live");
    const holder = context.tryAlloc(type);
    expect(context.hold(holder, target)).toBe(0);
    expect(counts(context, id)).toBe("3/1 live");
    expect(context.putKeepUser(target)).toBe(0);
    expect(counts(context, id)).toBe("3/0 live");
    context.abort(holder);
    expect(counts(context, id)).toBe("2/0 live");
    const again = context.tryGet(id);
    expect(context.dropUser(again)).toBe(0);
    expect(answer(context.dropUser(again))).toBe("EINVAL");
    context.put(again);
    expect(counts(context, id)).toBe("1/0 live");
    expect(context.tryDestroy(id)).toBe(0);
    expect(counts(context, id)).toBe("absent");
  });

  test("an object's memory is zero when it is reserved, also where another object was", async () => {
    const { iommufd } = await boot({ abi });
    const context = iommufd.open();
    const type = plainType(iommufd, "big", 100);
    for (let round = 0; round < 3; round++) {
      const reserved = context.alloc(type);
      const { payload } = reserved;
      expect(payload.byteLength).toBe(100);
      expect(Array.from({ length: 100 }, (_, at) => payload.getUint8(at))).toEqual(Array(100).fill(0));
      for (let at = 0; at < 100; at++) payload.setUint8(at, 0xff);
      if (round === 1) reserved.abort();
      else context.destroy(reserved.finalize());
    }
  });

  test("all handles on an object see the same memory", async () => {
    const { iommufd } = await boot({ abi });
    const context = iommufd.open();
    const type = plainType(iommufd);
    const reserved = context.alloc(type);
    reserved.payload.setUint32(4, 0xfeed);
    const id = reserved.finalize();
    const one = context.get(id);
    const two = context.get(id);
    expect(two.payload.getUint32(4)).toBe(0xfeed);
    one.payload.setUint32(4, 0xbeef);
    expect(two.payload.getUint32(4)).toBe(0xbeef);
    const hot = context.tryGet(id);
    expect(new DataView(iommufd.share.memory.buffer).getUint32(context.payloadOf(hot) + 4)).toBe(0xbeef);
    context.put(hot);
    one.put();
    two.put();
  });

  test("a lookup may ask for a type, and another type is not told from no object", async () => {
    const { iommufd } = await boot({ abi });
    const context = iommufd.open();
    const type = plainType(iommufd, "one");
    const other = plainType(iommufd, "two");
    const id = make(context, type);
    const handle = context.tryGet(id, type);
    expect(handle).toBeGreaterThan(0);
    context.put(handle);
    expect(answer(context.tryGet(id, other))).toBe("ENOENT");
    expect(errnoOf(() => context.get(id, other))).toBe("ENOENT");
    expect(counts(context, id)).toBe("1/0 live");
  });

  describe.each(DESTROYS)("by %s", (_name, destroy) => {
    test("an object that nobody uses is destroyed once, then it is not there", async () => {
      const { context, id, log } = await oneObject();
      expect(destroy(context, id)).toBe("no error");
      expect(log).toEqual([id]);
      expect(idsOf(context)).toEqual([]);
      expect(destroy(context, id)).toBe("ENOENT");
      expect(log).toEqual([id]);
    });

    test("a kept reference is EBUSY until it is dropped", async () => {
      const { context, id, log } = await oneObject();
      const reference = context.get(id).putKeepUser();
      expect(destroy(context, id)).toBe("EBUSY");
      expect(counts(context, id)).toBe("2/0 live");
      expect(log).toEqual([]);
      reference.drop();
      expect(destroy(context, id)).toBe("no error");
      expect(log).toEqual([id]);
    });

    test("what this thread has locked itself is refused at once, and nothing changes", async () => {
      const { context, id, log } = await oneObject();
      const locked = context.get(id);
      expect(destroy(context, id)).toBe(abi === "rfc" ? "EDEADLK" : "EBUSY");
      expect(counts(context, id)).toBe("2/1 live");
      context.get(id).put();
      locked.put();
      expect(destroy(context, id)).toBe("no error");
      expect(log).toEqual([id]);
    });

    test("without the type's callback in this thread it is ENOSYS and the object stays", async () => {
      const { iommufd } = await boot({ abi });
      const log: number[] = [];
      const type = loggedType(iommufd, log);
      const context = iommufd.open();
      const id = make(context, type);
      const there = otherThread(iommufd).file(context.fd);
      expect(destroy(there, id)).toBe("ENOSYS");
      expect(counts(context, id)).toBe("1/0 live");
      expect(log).toEqual([]);
      expect(destroy(context, id)).toBe("no error");
    });
  });

  test("destroyUser destroys with the last reference and says so", async () => {
    const { context, id, log } = await oneObject();
    const one = context.get(id).putKeepUser();
    const two = context.get(id).putKeepUser();
    expect(one.destroyUser()).toBe(false);
    expect(counts(context, id)).toBe("2/0 live");
    expect(log).toEqual([]);
    expect(two.destroyUser()).toBe(true);
    expect(counts(context, id)).toBe("absent");
    expect(log).toEqual([id]);
  });

  test("destroyUser of what this thread has locked itself is EDEADLK, and the reference is still there", async () => {
    const { context, id, log } = await oneObject();
    const reference = context.get(id).putKeepUser();
    const locked = context.get(id);
    expect(errnoOf(() => reference.destroyUser())).toBe("EDEADLK");
    expect(counts(context, id)).toBe("3/1 live");
    locked.put();
    expect(reference.destroyUser()).toBe(true);
    expect(log).toEqual([id]);
  });

  test("destroyUser without the type's callback in this thread is ENOSYS, and the reference is still there", async () => {
    const { iommufd } = await boot({ abi });
    const context = iommufd.open();
    const id = make(context, loggedType(iommufd, []));
    const reference = otherThread(iommufd).file(context.fd).get(id).putKeepUser();
    expect(errnoOf(() => reference.destroyUser())).toBe("ENOSYS");
    expect(counts(context, id)).toBe("2/0 live");
    reference.drop();
    expect(counts(context, id)).toBe("1/0 live");
  });

  test("dropUser drops what any thread kept, and EINVAL when nobody keeps anything", async () => {
    const { iommufd } = await boot({ abi });
    const context = iommufd.open();
    const id = make(context, plainType(iommufd));
    otherThread(iommufd).file(context.fd).get(id).putKeepUser();
    const locked = context.get(id);
    locked.dropUser();
    expect(counts(context, id)).toBe("2/1 live");
    expect(errnoOf(() => locked.dropUser())).toBe("EINVAL");
    expect(counts(context, id)).toBe("2/1 live");
    locked.put();
  });

  test("dropUser does not touch the users that other objects hold", async () => {
    const { iommufd } = await boot({ abi });
    const context = iommufd.open();
    const type = plainType(iommufd);
    const target = make(context, type);
    make(context, type, target);
    const locked = context.get(target);
    expect(errnoOf(() => locked.dropUser())).toBe("EINVAL");
    expect(counts(context, target)).toBe("3/1 live");
    locked.put();
  });

  test("a reference whose user somebody else dropped is EINVAL, whatever it is used for", async () => {
    const { iommufd } = await boot({ abi });
    const context = iommufd.open();
    const type = plainType(iommufd);
    const id = make(context, type);
    const reference = context.get(id).putKeepUser();
    const locked = context.get(id);
    locked.dropUser();
    locked.put();
    const holder = context.alloc(type);
    expect(errnoOf(() => reference.drop())).toBe("EINVAL");
    expect(errnoOf(() => reference.destroyUser())).toBe("EINVAL");
    expect(errnoOf(() => holder.hold(reference))).toBe("EINVAL");
    holder.abort();
    expect(counts(context, id)).toBe("1/0 live");
  });

  test("a reference never reaches a later object of the same ID, however often the ID was used since", async () => {
    const { iommufd } = await boot({ abi });
    const context = iommufd.open();
    const type = plainType(iommufd);
    const id = make(context, type);
    const stale = context.get(id).putKeepUser();
    const locked = context.get(id);
    locked.dropUser();
    locked.put();
    for (let round = 1; round <= 70_000; round++) {
      context.destroy(id);
      context.finalize(context.tryAlloc(type));
      const keeper = context.tryGet(id);
      context.putKeepUser(keeper);
      if (round < 100 || round % 256 < 2 || round > 69_900) {
        if (errnoOf(() => stale.drop()) !== "EINVAL") expect.fail(`dropped another one's reference in round ${round}`);
      }
      const dropper = context.tryGet(id);
      context.dropUser(dropper);
      context.put(dropper);
    }
    expect(counts(context, id)).toBe("1/0 live");
  });

  test.each([-1, NaN, -Infinity, "5", null])("a time limit of %o is EINVAL, and nothing happens", async (value) => {
    const { context, id } = await oneObject();
    const timeoutMs = value as number;
    const reference = context.get(id).putKeepUser();
    for (const [, destroy] of DESTROYS) expect(destroy(context, id, timeoutMs)).toBe("EINVAL");
    expect(errnoOf(() => reference.destroyUser({ timeoutMs }))).toBe("EINVAL");
    expect(counts(context, id)).toBe("2/0 live");
    expect(reference.destroyUser({ timeoutMs: Infinity })).toBe(true);
  });

  test("a limited wait for another thread's lock ends without a change, unlike anything else", async () => {
    const { iommufd } = await boot({ abi });
    const context = iommufd.open();
    const id = make(context, plainType(iommufd));
    const reference = context.get(id).putKeepUser();
    const held = otherThread(iommufd).file(context.fd).get(id);
    // A page's thread may not block: it looks for a moment, then gives up.
    const gaveUp = isBrowser ? "EAGAIN" : "ETIMEDOUT";
    for (const timeoutMs of [0, 0.5, 20]) {
      for (const [, destroy] of DESTROYS) {
        expect(destroy(context, id, timeoutMs)).toBe(abi === "rfc" ? gaveUp : "EBUSY");
        expect(counts(context, id)).toBe("3/1 live");
      }
      expect(errnoOf(() => reference.destroyUser({ timeoutMs }))).toBe(gaveUp);
      expect(counts(context, id)).toBe("3/1 live");
    }
    expect(iommufd.stats().waiting).toEqual([]);
    held.put();
    expect(reference.destroyUser()).toBe(true);
  });
});

if (isBrowser) {
  test("a thread that may not block answers EAGAIN where it would have to wait for ever", async () => {
    const { iommufd } = await boot();
    const context = iommufd.open();
    const id = make(context, plainType(iommufd));
    const reference = context.get(id).putKeepUser();
    const held = otherThread(iommufd).file(context.fd).get(id);
    for (const [, destroy] of DESTROYS) expect(destroy(context, id)).toBe("EAGAIN");
    expect(errnoOf(() => reference.destroyUser())).toBe("EAGAIN");
    expect(counts(context, id)).toBe("3/1 live");
    held.put();
    expect(reference.destroyUser()).toBe(true);
  });
}

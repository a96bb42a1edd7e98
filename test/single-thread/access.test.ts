// SPDX-License-Identifier: GPL-2.0-only
//
// Accesses: how a pretend device comes to an address space and leaves it (semantics.md 2.1, 5.1).

import type { Access } from "iommufd-wasm";
import { describe, expect, test } from "vitest";
import { LAST, machine, mapPages, PAGE, read } from "../support/access.ts";
import { errnoOf } from "../support/answer.ts";
import { boot, otherThread } from "../support/boot.ts";
import { isBrowser } from "../support/host.ts";

describe("attaching", () => {
  test("an access is attached once, replaced where it is attached, and keeps its address space", async () => {
    const { context, ioas } = await machine();
    const other = context.ioasAlloc();
    const access = context.access();
    expect(access.ioasId).toBe(0);
    expect(errnoOf(() => access.replace(ioas))).toBe("ENOENT");
    expect(errnoOf(() => access.detach())).toBe("EINVAL");
    expect(errnoOf(() => access.attach(4711))).toBe("ENOENT");
    access.attach(ioas);
    expect(access.ioasId).toBe(ioas.id);
    expect(errnoOf(() => access.attach(other))).toBe("EINVAL");
    expect(errnoOf(() => access.replace(4711))).toBe("ENOENT");
    expect(errnoOf(() => ioas.destroy())).toBe("EBUSY");
    access.replace(other.id);
    ioas.destroy();
    expect(errnoOf(() => other.destroy())).toBe("EBUSY");
    access.detach();
    other.destroy();
    expect(errnoOf(() => context.destroy(access.id))).toBe("EBUSY"); // its driver has it
    access.destroy();
    expect(context.objects()).toEqual([]);
    for (const call of [
      () => access.attach(1),
      () => access.detach(),
      () => access.destroy(),
      () => access.pin(0, 1),
    ]) {
      expect(errnoOf(call)).toBe("EBADF");
    }
    expect(errnoOf(() => access.read(0, new Uint8Array(1)))).toBe("EBADF");
    expect(errnoOf(() => access.unpin(0, 1))).toBe("EBADF");
  });

  test("ioas.access makes and attaches in one go, or leaves nothing", async () => {
    const { context, ioas, iommufd } = await machine();
    const access = ioas.access();
    expect(access.ioasId).toBe(ioas.id);
    access.destroy();
    ioas.map(iommufd.userSpace.map(PAGE).va, 100, { iova: 0 });
    const before = context.objects();
    expect(errnoOf(() => ioas.access())).toBe("EADDRINUSE");
    expect(context.objects()).toEqual(before);
    expect(errnoOf(() => ioas.access({ unmap: 1 as unknown as () => void }))).toBe("EINVAL");
    expect(context.objects()).toEqual(before);
    ioas.access({ pins: false }).destroy();
  });

  test("an address space or ID that means none is refused, and another file's address space", async () => {
    const { context, iommufd } = await machine();
    const access = context.access();
    const foreign = iommufd.open().ioasAlloc();
    for (const bad of [-1, 2 ** 32, 1.5, NaN, "1", foreign]) {
      expect(errnoOf(() => access.attach(bad as number))).toBe("EINVAL");
      expect(errnoOf(() => access.replace(bad as number))).toBe("EINVAL");
    }
    expect(access.ioasId).toBe(0);
  });

  test("one that pins wants whole pages for as long as it is attached", async () => {
    const { context, ioas, iommufd } = await machine();
    const { va } = iommufd.userSpace.map(2 * PAGE);
    const access = context.access();
    ioas.map(va, 100, { iova: 0 });
    expect(errnoOf(() => access.attach(ioas))).toBe("EADDRINUSE");
    context.access({ pins: false }).attach(ioas);
    ioas.unmap(0, 100);
    expect(ioas.ranges().alignment).toBe(1n);
    access.attach(ioas);
    expect(ioas.ranges().alignment).toBe(4096n);
    expect(errnoOf(() => ioas.map(va, 100, { iova: 0 }))).toBe("EINVAL");
    access.detach();
    expect(ioas.ranges().alignment).toBe(1n);
    ioas.map(va, 100, { iova: 0 });
    // A replace that is refused changes nothing, and asks nobody to let go.
    const target = context.ioasAlloc();
    const asked: unknown[] = [];
    const mover = target.access({ unmap: (iova) => void asked.push(iova) });
    expect(errnoOf(() => mover.replace(ioas))).toBe("EADDRINUSE");
    mover.replace(target);
    expect(mover.ioasId).toBe(target.id);
    expect(asked).toEqual([]);
  });

  test("leaving asks for everything once; meanwhile there are no new pins, and pins that stay keep it where it is", async () => {
    const it = await machine();
    const { context, ioas } = it;
    mapPages(it, 2, 0);
    const other = context.ioasAlloc();
    const log: unknown[] = [];
    let obeys = false;
    const access: Access = ioas.access({
      unmap(iova, length) {
        log.push([iova, length]);
        log.push(
          errnoOf(() => access.pin(PAGE, PAGE)),
          errnoOf(() => access.read(0, new Uint8Array(1))),
        );
        log.push(
          errnoOf(() => access.detach()),
          errnoOf(() => access.replace(other)),
          errnoOf(() => access.destroy()),
        );
        if (obeys) access.unpin(0, PAGE);
      },
    });
    access.pin(0, PAGE);
    const round = [[0n, LAST], "ENOENT", "ENOENT", "EBUSY", "EBUSY", "EBUSY"];
    expect(errnoOf(() => access.replace(other))).toBe("EBUSY");
    expect(log).toEqual(round);
    expect(errnoOf(() => access.detach())).toBe("EBUSY");
    expect(errnoOf(() => access.destroy())).toBe("EBUSY");
    expect(access.ioasId).toBe(ioas.id);
    access.pin(PAGE, PAGE);
    access.unpin(PAGE, PAGE); // as before
    obeys = true;
    access.replace(other);
    expect(access.ioasId).toBe(other.id);
    expect(errnoOf(() => access.read(0, new Uint8Array(1)))).toBe("ENOENT"); // nothing is mapped there
    expect(log.length).toBe(4 * round.length);
    ioas.destroy();
  });

  test("an error that the driver throws when it is asked comes out when it has left", async () => {
    const { context, ioas } = await machine();
    const access = ioas.access({
      unmap() {
        throw new Error("no");
      },
    });
    expect(() => access.detach()).toThrow("no");
    expect(access.ioasId).toBe(0);
    access.attach(ioas);
    expect(() => access.destroy()).toThrow("no");
    expect(context.objects().map(({ id }) => id)).toEqual([ioas.id]);
  });

  test("an access keeps a closed file until it is destroyed", async () => {
    const { context, ioas, iommufd } = await machine();
    const access = ioas.access();
    const memory = iommufd.userSpace.map(PAGE);
    memory.bytes[5] = 5;
    ioas.map(memory, { iova: 0 });
    context.close();
    expect(iommufd.stats().files.open).toBe(1);
    expect(read(access, 5, 1)).toEqual([5]);
    access.destroy();
    expect(iommufd.stats().files.open).toBe(0);
  });

  test("one whose object its own thread has locked ends when it is tried again", async () => {
    const { context, ioas } = await machine();
    const access = ioas.access();
    const lock = context.get(access.id);
    expect(errnoOf(() => access.destroy())).toBe("EDEADLK");
    expect(access.ioasId).toBe(ioas.id);
    lock.put();
    access.destroy();
    ioas.destroy();
    expect(context.objects()).toEqual([]);
    expect(errnoOf(() => access.destroy())).toBe("EBADF");
  });

  test("a thread that leaves takes its accesses and their pins with it", async () => {
    const { iommufd, context, ioas } = await machine();
    mapPages({ iommufd, context, ioas, warnings: [] }, 1, 0);
    const other = otherThread(iommufd);
    const theirs = other.file(context.fd).ioas(ioas.id).access();
    theirs.pin(0, PAGE);
    expect(iommufd.userSpace.memlock.pinnedPages).toBe(1);
    expect(errnoOf(() => ioas.destroy())).toBe("EBUSY");
    other.detach();
    expect(iommufd.userSpace.memlock.pinnedPages).toBe(0);
    ioas.destroy();
  });

  test("an access is no file of a fault queue, though both are rows of one table", async () => {
    const { iommufd, context, ioas } = await machine();
    const { file } = context.faultQueueAlloc();
    file.close();
    const access = ioas.access(); // in its row
    for (const call of [() => file.read(new Uint8Array(0)), () => file.close(), () => iommufd.faultFile(file.fd)])
      expect(errnoOf(call)).toBe("EBADF");
    access.destroy();
    ioas.destroy();
  });

  test("what a thread that leaves had locked by another stays without a driver, and keeps nobody", async () => {
    const { iommufd, context, ioas, warnings } = await machine();
    const other = otherThread(iommufd);
    const theirs = other.file(context.fd).ioas(ioas.id).access();
    const lock = context.get(theirs.id);
    other.detach();
    ioas.destroy();
    lock.put();
    context.destroy(theirs.id);
    context.close();
    expect(iommufd.stats()).toMatchObject({ files: { open: 0 }, objects: { live: 0, leaked: 0 } });
    expect(warnings).toEqual([]);
  });

  test("a destroy that somebody's lock is in the way of changes nothing, and can be tried again", async () => {
    const { iommufd, context, ioas, warnings } = await machine();
    mapPages({ iommufd, context, ioas, warnings }, 1, 0);
    const other = otherThread(iommufd);
    const access = ioas.access();
    const theirs = other.file(context.fd).get(access.id);
    expect(errnoOf(() => access.destroy({ timeoutMs: 1 }))).toBe(isBrowser ? "EAGAIN" : "ETIMEDOUT"); // a page may not block
    theirs.put();
    const ours = context.get(access.id);
    expect(errnoOf(() => access.destroy())).toBe("EDEADLK");
    ours.put();
    expect(access.ioasId).toBe(ioas.id);
    expect(errnoOf(() => ioas.destroy())).toBe("EBUSY");
    expect(errnoOf(() => context.destroy(access.id))).toBe("EBUSY");
    access.pin(0, PAGE);
    access.unpinAll();
    context.close();
    expect(iommufd.stats().files.open).toBe(1);
    access.destroy();
    expect(iommufd.stats()).toMatchObject({ files: { open: 0 }, objects: { live: 0, leaked: 0 } });
    expect(warnings).toEqual([]);
  });

  test("a destroyed access that somebody else uses stays, attached, until that one lets go and destroys it", async () => {
    const { iommufd, context, ioas } = await machine();
    const access = ioas.access();
    const reference = context.get(access.id).putKeepUser();
    access.destroy();
    expect(errnoOf(() => access.unpinAll())).toBe("EBADF");
    expect(errnoOf(() => ioas.destroy())).toBe("EBUSY");
    expect(reference.destroyUser()).toBe(true);
    ioas.map(iommufd.userSpace.map(PAGE), { iova: 0 });
    expect(ioas.ranges().alignment).toBe(1n);
    ioas.destroy();
  });

  test("the rfc profile has none", async () => {
    const { iommufd } = await boot({ abi: "rfc" });
    expect(errnoOf(() => iommufd.open().access())).toBe("ENOTTY");
  });
});

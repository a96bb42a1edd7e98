// SPDX-License-Identifier: GPL-2.0-only
//
// Who pays for pinned pages (semantics.md 2.7, 2.12), and pages that are no process' own: files, and memory outside.

import type { Access, Ioas, Iommufd, IommufdContext, UserSpace, UserSpaceOptions } from "iommufd-wasm";
import { describe, expect, test } from "vitest";
import { SharedBuffer } from "../support/shared-buffer.ts";
import { errnoOf } from "../support/answer.ts";
import { boot, otherThread } from "../support/boot.ts";

const PAGE = 4096;

interface Machine {
  iommufd: Iommufd;
  context: IommufdContext;
}

async function machine(): Promise<Machine> {
  const { iommufd } = await boot({ abi: "mainline" });
  return { iommufd, context: iommufd.open() };
}

/** A process with `pages` pages that it has mapped at `iova`. */
function source(iommufd: Iommufd, ioas: Ioas, iova: number, pages: number, options: UserSpaceOptions): UserSpace {
  const process = iommufd.createUserSpace(options);
  process.run(() => ioas.map(process.map(pages * PAGE), { iova }));
  return process;
}

/** Pages: pinned, and charged to the memory and to the user. */
function usage({ memlock }: UserSpace): number[] {
  return [memlock.pinnedPages, memlock.lockedPages, memlock.userLockedPages];
}

function read(access: Access, iova: number, length: number): number[] {
  const into = new Uint8Array(length);
  access.read(iova, into);
  return [...into];
}

describe("RLIMIT_MEMLOCK", () => {
  test("without CAP_IPC_LOCK pins are charged to the user, whoever pins, up to the limit of who mapped", async () => {
    const { iommufd, context } = await machine();
    const ioas = context.ioasAlloc();
    const process = source(iommufd, ioas, 0, 8, { uid: 5, memlockBytes: 4 * PAGE + 100 });
    const access = ioas.access(); // of the default process
    access.pin(0, 3 * PAGE);
    expect(usage(process)).toEqual([3, 0, 3]);
    expect(errnoOf(() => access.pin(2 * PAGE, 3 * PAGE))).toBe("ENOMEM");
    expect(usage(process)).toEqual([3, 0, 3]);
    access.pin(2 * PAGE, 2 * PAGE); // one more
    expect(usage(process)).toEqual([4, 0, 4]);
    // What is pinned already costs nothing, whatever the limit is by now.
    process.setMemlock(0);
    access.pin(PAGE, 3 * PAGE);
    expect(errnoOf(() => access.pin(4 * PAGE, PAGE))).toBe("ENOMEM");
    access.unpinAll();
    expect(usage(process)).toEqual([0, 0, 0]);
    expect(usage(iommufd.userSpace)).toEqual([0, 0, 0]);
  });

  test("a range that fails behind what another mapping was charged for gives that back, too", async () => {
    const { iommufd, context } = await machine();
    const ioas = context.ioasAlloc();
    const first = source(iommufd, ioas, 0, 2, { uid: 5, memlockBytes: 8 * PAGE });
    const second = source(iommufd, ioas, 2 * PAGE, 2, { uid: 6, memlockBytes: PAGE });
    const access = ioas.access();
    expect(errnoOf(() => access.pin(0, 4 * PAGE))).toBe("ENOMEM");
    expect([usage(first), usage(second)]).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
    access.pin(0, 3 * PAGE);
    expect([usage(first), usage(second)]).toEqual([
      [2, 0, 2],
      [1, 0, 1],
    ]);
  });

  test("processes of one user share what is charged, and each has its own limit", async () => {
    const { iommufd, context } = await machine();
    const ioas = context.ioasAlloc();
    const small = source(iommufd, ioas, 0, 8, { uid: 5, memlockBytes: 4 * PAGE });
    const large = source(iommufd, ioas, 8 * PAGE, 8, { uid: 5, memlockBytes: 8 * PAGE });
    const access = ioas.access();
    access.pin(8 * PAGE, 3 * PAGE);
    expect([usage(small), usage(large)]).toEqual([
      [0, 0, 3],
      [3, 0, 3],
    ]);
    expect(errnoOf(() => access.pin(0, 2 * PAGE))).toBe("ENOMEM");
    access.pin(0, PAGE);
    access.pin(11 * PAGE, 4 * PAGE);
    expect(usage(large)).toEqual([7, 0, 8]);
    access.unpinAll();
    expect(usage(large)).toEqual([0, 0, 0]);
  });

  test("in mode mm it is the memory that is charged, and others of the user pay nothing", async () => {
    const { iommufd, context } = await machine();
    context.rlimitMode = "mm";
    const ioas = context.ioasAlloc();
    const one = source(iommufd, ioas, 0, 4, { uid: 5, memlockBytes: 2 * PAGE });
    const two = source(iommufd, ioas, 4 * PAGE, 4, { uid: 5, memlockBytes: 2 * PAGE });
    const access = ioas.access();
    expect(errnoOf(() => access.pin(0, 3 * PAGE))).toBe("ENOMEM");
    access.pin(0, 2 * PAGE);
    access.pin(4 * PAGE, 2 * PAGE);
    expect([usage(one), usage(two)]).toEqual([
      [2, 2, 0],
      [2, 2, 0],
    ]);
    access.unpinAll();
    expect([usage(one), usage(two)]).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
  });

  test("who had CAP_IPC_LOCK at the map pays nothing, and is counted all the same", async () => {
    const { iommufd, context } = await machine();
    const ioas = context.ioasAlloc();
    const process = source(iommufd, ioas, 0, 2, { uid: 5, memlockBytes: 0, capabilities: ["CAP_IPC_LOCK"] });
    process.setCredentials({ uid: 5, capabilities: [] });
    const access = ioas.access();
    access.pin(0, 2 * PAGE);
    expect(usage(process)).toEqual([2, 0, 0]);
    access.unpin(0, 2 * PAGE);
    expect(usage(process)).toEqual([0, 0, 0]);
  });

  test("who mapped is remembered with the user of that time, whoever has its number or its row since", async () => {
    const { iommufd, context } = await machine();
    const ioas = context.ioasAlloc();
    const first = source(iommufd, ioas, 0, 2, { uid: 5 });
    const second = source(iommufd, ioas, 2 * PAGE, 2, { uid: 6 });
    first.setCredentials({ uid: 7 });
    first.run(() => ioas.map(first.map(PAGE), { iova: 4 * PAGE }));
    for (const each of [first, second]) each.setCredentials({ uid: 8 });
    // These would be in the places of users 5 to 7, if nobody had those.
    const others = [9, 10, 11].map((uid) => iommufd.createUserSpace({ uid }));
    const access = ioas.access();
    access.pin(0, 5 * PAGE);
    expect([first, second].map(usage)).toEqual([
      [3, 0, 0],
      [2, 0, 0],
    ]);
    for (const each of others) expect(usage(each)).toEqual([0, 0, 0]);
    expect([5, 6, 7].map((uid) => usage(iommufd.createUserSpace({ uid }))[2])).toEqual([2, 2, 1]);
    access.unpinAll();
  });

  test("a process that has ended keeps its row while something shows its memory, and no longer", async () => {
    const { iommufd, context } = await machine();
    const ioas = context.ioasAlloc();
    const ended = [5, 6].map((uid, index) => source(iommufd, ioas, index * PAGE, 1, { uid }));
    for (const process of ended) process.exit();
    const { max } = iommufd.stats().processes;
    for (let alive = 1; alive < max - 2; alive++) iommufd.createUserSpace();
    expect(errnoOf(() => iommufd.createUserSpace())).toBe("EAGAIN");
    ioas.unmap(PAGE, PAGE);
    iommufd.createUserSpace(); // where the second one was
    expect(errnoOf(() => iommufd.createUserSpace())).toBe("EAGAIN");
    context.close();
    iommufd.createUserSpace();
  });

  test("a page is charged once, however many areas and address spaces show it", async () => {
    const { iommufd, context } = await machine();
    const ioas = context.ioasAlloc();
    const process = source(iommufd, ioas, 0, 4, { uid: 5, memlockBytes: 4 * PAGE });
    const copy = context.ioasAlloc();
    copy.copyFrom(ioas, 0, 4 * PAGE, { iova: 0 });
    copy.copyFrom(ioas, 0, 4 * PAGE, { iova: 0x10_0000 });
    const [one, two] = [ioas.access(), copy.access()];
    one.pin(0, 4 * PAGE);
    two.pin(0, 4 * PAGE);
    two.pin(0x10_0000, 4 * PAGE);
    expect(usage(process)).toEqual([4, 0, 4]);
    one.unpinAll();
    ioas.unmapAll();
    expect(usage(process)).toEqual([4, 0, 4]);
    two.unpin(0, 4 * PAGE);
    expect(usage(process)).toEqual([4, 0, 4]);
    two.unpinAll();
    expect(usage(process)).toEqual([0, 0, 0]);
  });
});

describe("CHANGE_PROCESS", () => {
  test.each(["user", "mm"] as const)(
    "moves what is pinned to the caller, in mode %s, or changes nothing",
    async (mode) => {
      const { iommufd, context } = await machine();
      context.rlimitMode = mode;
      const [ioas, other] = [context.ioasAlloc(), context.ioasAlloc()];
      const file = iommufd.createMemfd(8 * PAGE);
      const giver = iommufd.createUserSpace({ uid: 5, memlockBytes: 8 * PAGE });
      const taker = iommufd.createUserSpace({ uid: 6, memlockBytes: 4 * PAGE });
      giver.run(() => {
        ioas.mapFile(file, { iova: 0, length: 4 * PAGE });
        other.mapFile(file, { iova: 0, start: 4 * PAGE, length: 4 * PAGE });
      });
      other.copyFrom(ioas, 0, 4 * PAGE, { iova: 8 * PAGE });
      const [one, two] = [ioas.access(), other.access()];
      const paid = (pages: number): number[] => (mode === "mm" ? [pages, pages, 0] : [pages, 0, pages]);
      one.pin(0, 3 * PAGE);
      two.pin(8 * PAGE, 3 * PAGE); // the same pages
      two.pin(0, 2 * PAGE);
      expect([usage(giver), usage(taker)]).toEqual([paid(5), paid(0)]);
      expect(errnoOf(() => taker.run(() => context.changeProcess()))).toBe("ENOMEM");
      expect([usage(giver), usage(taker)]).toEqual([paid(5), paid(0)]);
      two.unpin(0, 2 * PAGE);
      two.pin(0, PAGE);
      taker.run(() => context.changeProcess());
      expect([usage(giver), usage(taker)]).toEqual([paid(0), paid(4)]);
      // From here on it pays, and has paid for its own already.
      taker.run(() => context.changeProcess());
      expect(errnoOf(() => one.pin(3 * PAGE, PAGE))).toBe("ENOMEM");
      two.unpinAll();
      one.unpinAll();
      expect([usage(giver), usage(taker)]).toEqual([paid(0), paid(0)]);
    },
  );

  test("with memory that is no file's it is EINVAL, and nobody pays anything else", async () => {
    const { iommufd, context } = await machine();
    const ioas = context.ioasAlloc();
    const file = iommufd.createMemfd(PAGE);
    const giver = iommufd.createUserSpace({ uid: 5 });
    const taker = iommufd.createUserSpace({ uid: 6 });
    giver.run(() => ioas.mapFile(file, { iova: 0 }));
    giver.run(() => ioas.map(giver.map(PAGE), { iova: PAGE }));
    ioas.access().pin(0, PAGE);
    expect(errnoOf(() => taker.run(() => context.changeProcess()))).toBe("EINVAL");
    expect([usage(giver), usage(taker)]).toEqual([
      [1, 0, 1],
      [0, 0, 0],
    ]);
  });

  test("who had CAP_IPC_LOCK goes on paying nothing, and the count of what is pinned moves", async () => {
    const { iommufd, context } = await machine();
    const ioas = context.ioasAlloc();
    ioas.mapFile(iommufd.createMemfd(PAGE), { iova: 0 });
    const access = ioas.access();
    access.pin(0, PAGE);
    const taker = iommufd.createUserSpace({ uid: 6, memlockBytes: 0 });
    taker.run(() => context.changeProcess());
    expect([usage(iommufd.userSpace), usage(taker)]).toEqual([
      [0, 0, 0],
      [1, 0, 0],
    ]);
    access.unpinAll();
    expect(usage(taker)).toEqual([0, 0, 0]);
  });
});

describe("files", () => {
  test("behind the end of a file is EINVAL, and what grows can be reached", async () => {
    const { iommufd, context } = await machine();
    const ioas = context.ioasAlloc();
    const file = iommufd.createMemfd(PAGE + 1, { maxBytes: 4 * PAGE });
    ioas.mapFile(file, { iova: 0, length: 4 * PAGE });
    const access = ioas.access();
    file.bytes.fill(3);
    expect(read(access, PAGE, 2)).toEqual([3, 0]); // to the end of its last page
    expect(errnoOf(() => access.read(2 * PAGE, new Uint8Array(1)))).toBe("EINVAL");
    expect(errnoOf(() => access.pin(0, 3 * PAGE))).toBe("EINVAL");
    expect(iommufd.userSpace.memlock.pinnedPages).toBe(0);
    access.pin(0, 2 * PAGE);
    file.truncate(3 * PAGE);
    access.write(2 * PAGE, Uint8Array.of(9));
    expect(file.bytes[2 * PAGE]).toBe(9);
    access.unpinAll();
  });

  test("a file that is cut short stays readable where it is pinned, and is kept as long as it is mapped", async () => {
    const { iommufd, context } = await machine();
    const ioas = context.ioasAlloc();
    const { used } = iommufd.stats().bytes;
    const file = iommufd.createMemfd(2 * PAGE);
    file.bytes.fill(4);
    ioas.mapFile(file, { iova: 0 });
    const access = ioas.access();
    access.pin(PAGE, PAGE);
    file.truncate(0);
    file.close();
    expect(read(access, PAGE, 1)).toEqual([4]);
    expect(errnoOf(() => access.read(0, new Uint8Array(1)))).toBe("EINVAL");
    access.unpinAll();
    expect(errnoOf(() => access.read(PAGE, new Uint8Array(1)))).toBe("EINVAL");
    expect(iommufd.stats().memfds.used).toBe(1);
    access.destroy();
    ioas.destroy();
    expect(iommufd.stats().memfds.used).toBe(0);
    expect(iommufd.stats().bytes.used).toBeLessThan(used + 2 * PAGE + 65_536);
  });

  test("an offset that no file has is EINVAL up to the end of the numbers", async () => {
    const { iommufd, context } = await machine();
    const ioas = context.ioasAlloc();
    const file = iommufd.createMemfd(PAGE);
    ioas.mapFile(file, { start: 2n ** 64n - 8192n, length: PAGE, iova: 0 });
    const access = ioas.access();
    expect(errnoOf(() => access.pin(0, PAGE))).toBe("EINVAL");
    expect(errnoOf(() => access.read(0, new Uint8Array(1)))).toBe("EINVAL");
  });
});

describe("memory outside of the shared one", () => {
  test("is reached by its buffer or its callbacks, pinned without bytes, and known to the threads that bind it", async () => {
    const { iommufd, context } = await machine();
    const ioas = context.ioasAlloc();
    const buffer = new SharedBuffer(2 * PAGE);
    const guest = new Uint8Array(buffer);
    const log: unknown[] = [];
    const mapping = iommufd.userSpace.mapExternal(buffer);
    ioas.map(mapping, { iova: 0 });
    const called = iommufd.userSpace.mapExternal({
      bytes: PAGE,
      read: (offset, to) => void log.push(["read", offset, to.length, to.fill(6).length]),
      write: (offset, from) => void log.push(["write", offset, [...from]]),
    });
    ioas.map(called, { iova: 2 * PAGE });
    const access = ioas.access();
    guest.fill(5);
    expect(read(access, 2 * PAGE - 2, 4)).toEqual([5, 5, 6, 6]);
    access.write(2 * PAGE - 1, Uint8Array.of(1, 2, 3));
    expect(guest[2 * PAGE - 1]).toBe(1);
    expect(log).toEqual([
      ["read", 0, 2, 2],
      ["write", 0, [2, 3]],
    ]);
    const pieces = access.pin(0, 3 * PAGE);
    expect(pieces.map(({ length, bytes }) => [length, bytes])).toEqual([
      [2 * PAGE, undefined],
      [PAGE, undefined],
    ]);
    expect(iommufd.userSpace.memlock.pinnedPages).toBe(3);
    iommufd.userSpace.unmap(mapping);
    expect(read(access, 0, 1)).toEqual([5]); // pinned
    access.unpinAll();
    expect(errnoOf(() => access.read(0, new Uint8Array(1)))).toBe("EFAULT");

    const other = otherThread(iommufd);
    const theirs = other.file(context.fd).ioas(ioas.id).access();
    expect(errnoOf(() => theirs.read(2 * PAGE, new Uint8Array(1)))).toBe("EFAULT");
    other.userSpace.bindExternal(called.external, {
      bytes: PAGE,
      read: (_, to) => void to.fill(8),
      write: () => undefined,
    });
    expect(read(theirs, 2 * PAGE, 1)).toEqual([8]);
  });

  test("its callbacks may make calls, but no copy and no unmap of what is being copied", async () => {
    const { iommufd, context } = await machine();
    const ioas = context.ioasAlloc();
    const log: unknown[] = [];
    const mapping = iommufd.userSpace.mapExternal({
      bytes: PAGE,
      read() {
        log.push(errnoOf(() => access.read(PAGE, new Uint8Array(1))));
        log.push(errnoOf(() => ioas.unmap(0, PAGE)));
        log.push(
          errnoOf(() => access.detach()),
          errnoOf(() => access.destroy()),
          errnoOf(() => access.replace(other)),
        );
        log.push(
          errnoOf(() => access.pin(PAGE, PAGE)),
          errnoOf(() => access.unpin(PAGE, PAGE)),
        );
        log.push(ioas.unmap(PAGE, PAGE));
        iommufd.userSpace.unmap(mapping);
        context.close();
        throw new Error("guest");
      },
      write: () => undefined,
    });
    ioas.map(mapping, { iova: 0 });
    ioas.map(iommufd.userSpace.map(PAGE), { iova: PAGE });
    const other = context.ioasAlloc();
    const access = ioas.access();
    expect(() => access.read(0, new Uint8Array(1))).toThrow("guest");
    const busy = ["EBUSY", "EBUSY", "EBUSY"];
    expect(log).toEqual(["EDEADLK", "EDEADLK", ...busy, "no error", "no error", BigInt(PAGE)]);
    // The copy is over.
    access.destroy();
    expect(iommufd.stats().files.open).toBe(0);
    expect(iommufd.stats().mappings).toBe(1);
  });
});

// SPDX-License-Identifier: GPL-2.0-only
//
// What the bindings never ask of the core, and a caller of `iommufd-wasm/core.wasm` may: the core checks for itself.

import type { Iommufd } from "iommufd-wasm";
import { describe, expect, test } from "vitest";
import type { CoreExports } from "../../bindings/core.ts";
import { Layout } from "../../bindings/generated/layout.ts";
import { boot } from "../support/boot.ts";
import { counts, loggedType, make, plainType } from "../support/objects.ts";

const EINVAL = -22;
const EBADF = -9;
const ESRCH = -3;
const ENOMEM = -12;
const EFAULT = -14;
const EFBIG = -27;
const { FILE_BY_NUMBER } = Layout;

/** A thread that calls the core's exports. It is never asked whether it lives. */
class BareThread {
  readonly core: CoreExports;
  readonly slot: number;
  readonly #words: Int32Array;

  constructor({ share }: Iommufd) {
    this.core = new WebAssembly.Instance(share.module, { env: { memory: share.memory } })
      .exports as unknown as CoreExports;
    this.#words = new Int32Array(share.memory.buffer);
    this.slot = this.core.attachThread(0);
    expect(this.slot).toBeGreaterThan(0);
  }

  get number(): number {
    return (this.slot - Layout.THREADS) / Layout.THREAD_BYTES;
  }

  word(offset: number): number {
    return this.#words[(this.slot + offset) >> 2] as number;
  }

  /** Runs the releases that the last call has won. */
  release(): void {
    while ((this.word(Layout.THREAD_ATTENTION) & Layout.ATTENTION_RELEASE) !== 0) {
      expect(this.core.releaseNext(this.word(Layout.THREAD_RELEASING))).toBe(0);
    }
  }

  /** Reaps another one. Returns how many steps it took. */
  reap(dead: BareThread): number {
    const incarnation = dead.word(Layout.THREAD_INCARNATION);
    for (let steps = 1; ; steps++) {
      const result = this.core.reapNext(dead.number, incarnation);
      this.release();
      if (result === 0) return steps;
      expect(result).toBe(Layout.REAP_AGAIN);
    }
  }
}

describe("a thread that dies in user space", () => {
  test("before it has the number of the process that it made leaves none", async () => {
    const { iommufd } = await boot();
    const [dead, reaper] = [new BareThread(iommufd), new BareThread(iommufd)];
    const pid = dead.core.makeProcess(7, 0, 0n);
    expect(iommufd.userSpaceOf(pid).credentials.uid).toBe(7);
    reaper.reap(dead);
    expect(iommufd.stats().processes.alive).toBe(1);
    expect(() => iommufd.userSpaceOf(pid)).toThrow("ESRCH");
    reaper.core.detachThread();
  });

  test("before it has the file that it made, or the mapping, leaves neither", async () => {
    const { iommufd } = await boot();
    const before = iommufd.stats();
    for (const make of [
      (core: CoreExports) => core.createMemfd(1, 100_000),
      (core: CoreExports) => core.mapExternal(0n, 100_000n, 3),
      (core: CoreExports) => core.map(0n, 100_000n, 3),
    ]) {
      const [dead, reaper] = [new BareThread(iommufd), new BareThread(iommufd)];
      expect(make(dead.core)).toBeGreaterThan(0);
      reaper.reap(dead);
      reaper.core.detachThread();
      expect(iommufd.stats()).toEqual(before);
    }
  });

  test("as a process that has ended leaves its row to the next one", async () => {
    const { iommufd } = await boot();
    const spaces = Array.from({ length: 63 }, () => iommufd.createUserSpace());
    const [dead, reaper] = [new BareThread(iommufd), new BareThread(iommufd)];
    expect(dead.core.useProcess(spaces[0]?.pid ?? 0)).toBe(1);
    spaces[0]?.exit();
    expect(() => iommufd.createUserSpace()).toThrow("EAGAIN");
    reaper.reap(dead);
    iommufd.createUserSpace();
    reaper.core.detachThread();
  });

  test("with what it made leaves that to the others", async () => {
    const { iommufd } = await boot();
    const [dead, reaper] = [new BareThread(iommufd), new BareThread(iommufd)];
    const pid = dead.core.makeProcess(7, 0, 0n);
    dead.core.mapDone();
    dead.core.useProcess(pid);
    dead.core.createMemfd(1, 4096);
    dead.core.mapDone();
    const [file] = iommufd.memfds();
    dead.core.mapFile(0n, 4096n, 3, file?.fd ?? 0, file?.share.generation ?? 0, 0n);
    dead.core.mapDone();
    reaper.reap(dead);
    reaper.core.detachThread();
    expect(iommufd.stats()).toMatchObject({ mappings: 1, processes: { alive: 2 }, memfds: { used: 1 } });
    iommufd.userSpaceOf(pid).exit();
    file?.close();
    expect(iommufd.stats()).toMatchObject({ mappings: 0, bytes: { used: 0 }, memfds: { used: 0 } });
  });
});

describe("numbers out of range", () => {
  test("of an ioctl are EINVAL", async () => {
    const { iommufd } = await boot();
    const thread = new BareThread(iommufd);
    for (const nr of [0, 0x7f, 0x100, 0x17f, 2 ** 31, 2 ** 32 - 1]) {
      expect(thread.core.defineCommand(nr, 8, 8, 1, 2)).toBe(EINVAL);
    }
    expect(thread.core.defineCommand(0xff, 8, 8, 1, 2)).toBe(0);
    thread.core.detachThread();
  });

  test("of a file are EBADF", async () => {
    const { iommufd } = await boot();
    const thread = new BareThread(iommufd);
    iommufd.open();
    for (const fd of [-1, 2, 3 + 1024, 3 + 2 ** 25, 2 ** 31 - 1, -(2 ** 31)]) {
      expect(thread.core.fileByNumber(fd)).toBe(EBADF);
    }
    thread.core.detachThread();
  });

  test("of bytes that the window has not are EINVAL", async () => {
    const { iommufd } = await boot();
    const thread = new BareThread(iommufd);
    const { va } = iommufd.userSpace.map(8192);
    for (const bytes of [Layout.COMMAND_BYTES + 1, 2 ** 31, 2 ** 32 - 1]) {
      expect(thread.core.readUser(va, bytes)).toBe(EINVAL);
      expect(thread.core.writeUser(va, bytes)).toBe(EINVAL);
    }
    expect(thread.core.readUser(va, Layout.COMMAND_BYTES)).toBe(0);
    expect(thread.core.writeUser(va, Layout.COMMAND_BYTES)).toBe(0);
    thread.core.detachThread();
  });

  test("of processes, users, capabilities and files are refused", async () => {
    const { iommufd } = await boot();
    const thread = new BareThread(iommufd);
    for (const pid of [2, 65, 2 ** 31, 2 ** 32 - 1]) {
      expect(thread.core.useProcess(pid)).toBe(ESRCH);
      expect(thread.core.endProcess(pid)).toBe(ESRCH);
      expect(thread.core.setMemlock(pid, 0n)).toBe(ESRCH);
      expect(thread.core.setCredentials(pid, 0, 0)).toBe(ESRCH);
    }
    expect(thread.core.makeProcess(2 ** 32 - 1, 0, 0n)).toBe(EINVAL);
    expect(thread.core.makeProcess(0, 1, 0n)).toBe(EINVAL);
    expect(thread.core.setCredentials(1, 0, 2 ** 31)).toBe(EINVAL);
    expect(thread.core.createMemfd(2 ** 32 - 1, 2 ** 32 - 1)).toBe(EINVAL);
    const { fd } = iommufd.createMemfd(1);
    expect(thread.core.truncateMemfd(fd, 1, 2 ** 32 - 1)).toBe(EFBIG);
    for (const odd of [fd - 1, fd + 1, fd + 2 ** 25, -1]) expect(thread.core.closeMemfd(odd, 1)).toBe(EBADF);
    expect(thread.core.closeMemfd(fd, 0)).toBe(EBADF);
    expect(thread.core.unmap(2n ** 64n - 4096n)).toBe(EINVAL);
    thread.core.detachThread();
  });

  test("above user space reach no other process", async () => {
    const { iommufd } = await boot();
    const thread = new BareThread(iommufd);
    const space = iommufd.createUserSpace();
    const va = 0x4000_0000n;
    space.map(4096, { va }).bytes.fill(7);
    // Wherever the rows of mappings have the number of the process: here it is 1.
    for (let bit = 47n; bit < 64n; bit++) {
      const odd = va | (1n << bit);
      expect(thread.core.unmap(odd)).toBe(EINVAL);
      expect(thread.core.protect(odd, 4096n, Layout.PROT_NONE)).toBe(ENOMEM);
      expect(thread.core.readUser(odd, 1)).toBe(EFAULT);
      expect(thread.core.map(odd, 4096n, Layout.PROT_READ)).toBe(EINVAL);
    }
    expect(space.read(va, 1)).toEqual(Uint8Array.of(7));
    expect(iommufd.stats().mappings).toBe(1);
    thread.core.detachThread();
  });

  test("of a thread to reap are EINVAL", async () => {
    const { iommufd } = await boot();
    const thread = new BareThread(iommufd);
    for (const number of [64, 2 ** 31, -1]) expect(thread.core.reapNext(number, 0)).toBe(EINVAL);
    thread.core.detachThread();
  });
});

test("a serial names no reservation and no ID that was never used", async () => {
  const { iommufd } = await boot();
  const context = iommufd.open();
  const file = iommufd.file(context.fd);
  const thread = new BareThread(iommufd); // without the type's callback
  const type = loggedType(iommufd, []);
  make(context, type);
  const reserved = file.alloc(type);
  const address = thread.core.fileByNumber(context.fd);
  for (const id of [reserved.id, 7]) {
    for (let serial = 0; serial < 4; serial++) {
      expect(thread.core.destroyReference(address, FILE_BY_NUMBER, id, serial, 0)).toBe(EINVAL);
      expect(thread.core.dropReference(address, FILE_BY_NUMBER, id, serial)).toBe(EINVAL);
    }
  }
  reserved.abort();
  thread.core.detachThread();
});

test("who is known to be dead is reaped, not the next owner of its slot", async () => {
  const { iommufd } = await boot();
  const context = iommufd.open();
  const id = make(context, plainType(iommufd));
  const reaper = new BareThread(iommufd);
  const first = new BareThread(iommufd);
  const incarnation = first.word(Layout.THREAD_INCARNATION);
  first.core.detachThread();
  const next = new BareThread(iommufd);
  expect(next.number).toBe(first.number);
  const file = next.core.fileByNumber(context.fd);
  const handle = next.core.getSlowly(file, FILE_BY_NUMBER, id, 0);
  expect(reaper.core.reapNext(next.number, incarnation)).toBe(ESRCH);
  expect(counts(context, id)).toBe("2/1 live");
  expect(next.core.putSlowly(file, handle)).toBe(0);
  next.core.detachThread();
  reaper.core.detachThread();
});

test("the warnings of a dead thread are taken over once, in however many steps it is reaped", async () => {
  const { iommufd } = await boot();
  const type = plainType(iommufd).number;
  const reaper = new BareThread(iommufd);
  const dead = new BareThread(iommufd);
  const { core } = dead;
  // Closes a file whose object has a kept user, which is a warning, and another one whose object it has locked.
  const [leaking, locking] = [core.open(), core.open()];
  for (const file of [leaking, locking]) {
    const id = core.finalize(file, core.alloc(file, FILE_BY_NUMBER, type));
    const handle = core.getSlowly(file, FILE_BY_NUMBER, id, 0);
    if (file === leaking) expect(core.putKeepUser(file, handle)).toBe(0);
    expect(core.closeNumber(file, FILE_BY_NUMBER)).toBe(0);
    dead.release();
  }
  expect(dead.word(Layout.THREAD_WARNING_COUNT)).toBe(1);
  expect(reaper.reap(dead)).toBeGreaterThan(1);
  expect(reaper.word(Layout.THREAD_WARNING_COUNT)).toBe(1);
  expect(iommufd.stats()).toMatchObject({ files: { open: 0 }, warnings: { "release:users": 1 } });
  reaper.core.detachThread();
});

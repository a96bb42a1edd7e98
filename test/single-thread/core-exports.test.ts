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

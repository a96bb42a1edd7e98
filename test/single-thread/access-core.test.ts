// SPDX-License-Identifier: GPL-2.0-only
//
// Accesses at the edges that the bindings come to only by chance: between two calls of the core, in two threads, and in a poisoned file.

import type { Ioas, Iommufd, IommufdContext } from "iommufd-wasm";
import { expect, test } from "vitest";
import type { CoreExports } from "../../bindings/core.ts";
import { Layout } from "../../bindings/generated/layout.ts";
import { errnoOf } from "../support/answer.ts";
import { boot } from "../support/boot.ts";

const PAGE = 4096;
const [EBADF, EBUSY, ENOENT, EDEADLK] = [-9, -16, -2, -35] as const;

/** Another thread, with an access of its own. */
class BareDevice {
  readonly core: CoreExports;
  readonly slot: number;
  readonly row: number;
  readonly id: number;
  readonly serial: number;
  readonly #words: Int32Array;

  constructor({ share }: Iommufd, { fd }: IommufdContext) {
    this.core = new WebAssembly.Instance(share.module, { env: { memory: share.memory } })
      .exports as unknown as CoreExports;
    this.#words = new Int32Array(share.memory.buffer);
    this.slot = this.core.attachThread(0);
    const file = this.core.fileByNumber(fd);
    this.row = this.core.accessCreate(file, Layout.FILE_BY_NUMBER, Layout.ACCESS_PINS);
    expect(this.row).toBeGreaterThanOrEqual(0);
    this.id = this.#word(Layout.THREAD_RESULT0);
    this.serial =
      (this.#word(Layout.THREAD_RESULT0 + 4) >>> 0) + (this.#word(Layout.THREAD_RESULT0 + 8) >>> 0) * 2 ** 32;
  }

  #word(offset: number): number {
    return this.#words[(this.slot + offset) >> 2] as number;
  }

  /** Address of what accessSegment has found. */
  get address(): number {
    return this.#word(Layout.THREAD_RESULT0 + 4);
  }

  attach({ id }: Ioas): number {
    return this.core.accessAttach(this.row, this.id, this.serial, id, 0);
  }

  segment(iova: bigint, length: number): number {
    return this.core.accessSegment(this.row, this.id, this.serial, iova, length, 0);
  }

  destroy(): number {
    return this.core.accessDestroy(this.row, this.id, this.serial, 0);
  }

  /** Another owner of the slot: one that leaves with what it has. */
  leave(): void {
    this.core.detachThread();
  }

  /** It dies, and another one reaps it. */
  die({ core }: BareDevice): void {
    const incarnation = this.#word(Layout.THREAD_INCARNATION);
    const number = (this.slot - Layout.THREADS) / Layout.THREAD_BYTES;
    let result: number = Layout.REAP_AGAIN;
    while (result === Layout.REAP_AGAIN) result = core.reapNext(number, incarnation);
    expect(result).toBe(0);
  }
}

function poison(iommufd: Iommufd, { fd }: IommufdContext): void {
  const words = new Int32Array(iommufd.share.memory.buffer);
  const state = (Layout.FILES + (fd - Layout.FIRST_FD) * Layout.FILE_BYTES + Layout.FILE_STATE) >> 2;
  Atomics.or(words, state, Layout.FILE_POISONED);
}

async function machine(): Promise<{ iommufd: Iommufd; context: IommufdContext; ioas: Ioas; device: BareDevice }> {
  const { iommufd } = await boot({ abi: "mainline" });
  const context = iommufd.open();
  const ioas = context.ioasAlloc();
  const device = new BareDevice(iommufd, context);
  return { iommufd, context, ioas, device };
}

test.each(["ends", "dies"])("what only a pin kept stays until a copy from it %s", async (how) => {
  const { iommufd, context, ioas, device } = await machine();
  expect(device.attach(ioas)).toBe(0);
  const memory = iommufd.userSpace.map(2 * PAGE);
  memory.bytes.fill(5);
  ioas.map(memory, { iova: 0 });
  const access = ioas.access();
  access.pin(0, PAGE);
  iommufd.userSpace.unmap(memory);
  const { used } = iommufd.stats().bytes;
  expect(device.segment(8n, 2 * PAGE)).toBe(PAGE - 8);
  const bytes = new Uint8Array(iommufd.share.memory.buffer, device.address, 8);
  access.unpin(0, PAGE);
  expect(iommufd.userSpace.memlock.pinnedPages).toBe(0);
  expect([...bytes]).toEqual([5, 5, 5, 5, 5, 5, 5, 5]);
  expect(iommufd.stats().bytes.used).toBe(used);
  if (how === "ends") device.core.segmentEnd();
  else device.die(new BareDevice(iommufd, context));
  expect(iommufd.stats().bytes.used).toBe(used - 2 * PAGE);
  expect(iommufd.stats().mappings).toBe(0);
});

test("a copy from what a pin keeps leaves the pin to keep it", async () => {
  const { iommufd, ioas, device } = await machine();
  expect(device.attach(ioas)).toBe(0);
  const memory = iommufd.userSpace.map(PAGE);
  ioas.map(memory, { iova: 0 });
  const access = ioas.access();
  access.pin(0, PAGE);
  access.pin(0, PAGE);
  iommufd.userSpace.unmap(memory);
  expect(device.segment(0n, 1)).toBe(1);
  access.unpin(0, PAGE);
  device.core.segmentEnd();
  expect(iommufd.stats().mappings).toBe(0);
  expect(device.segment(0n, 1)).toBe(1); // a pin is left
  device.core.segmentEnd();
  const { used } = iommufd.stats().bytes;
  access.unpin(0, PAGE);
  expect(iommufd.stats().bytes.used).toBe(used - PAGE);
});

test("an access that copies neither leaves nor ends, and its thread copies one piece at a time", async () => {
  const { iommufd, ioas, device } = await machine();
  expect(device.attach(ioas)).toBe(0);
  ioas.map(iommufd.userSpace.map(PAGE), { iova: 0 });
  const { core, row, id, serial } = device;
  expect(device.segment(0n, 1)).toBe(1);
  expect(device.segment(0n, 1)).toBe(EDEADLK);
  expect(core.accessLeave(row, id, serial, 0)).toBe(EBUSY);
  expect(core.accessDetach(row, id, serial)).toBe(EBUSY);
  expect(device.destroy()).toBe(EBUSY);
  core.segmentEnd();
  expect(core.accessDetach(row, id, serial)).toBe(0);
  expect(device.segment(0n, 1)).toBe(ENOENT);
  expect(device.destroy()).toBe(0);
});

test("numbers of an access that has ended mean nobody who has its row, its ID or its file later", async () => {
  const { iommufd, context, ioas, device } = await machine();
  const { core, row, id, serial } = device;
  expect(device.destroy()).toBe(0);
  const calls = (): number[] => [
    device.attach(ioas),
    core.accessLeave(row, id, serial, 0),
    core.accessPin(row, id, serial, 0n, 4096n, 0),
    core.accessUnpin(row, id, serial, 0n, 4096n),
    core.accessUnpinAll(row, id, serial),
    core.accessPinned(row, id, serial, 0n, 4096n),
    device.segment(0n, 1),
    device.destroy(),
  ];
  expect(new Set(calls())).toEqual(new Set([EBADF]));
  const next = context.access();
  expect(next.id).toBe(id);
  expect(new Set(calls())).toEqual(new Set([EBADF]));
  next.destroy();
  context.close();
  const later = iommufd.open().access();
  expect(new Set(calls())).toEqual(new Set([EBADF]));
  later.destroy();
  for (const number of [-1, 1024, 2 ** 31]) expect(core.accessUnpinAll(number, id, serial)).toBe(EBADF);
});

test("a thread that dies takes its accesses along, and none of an earlier owner of its slot", async () => {
  const { iommufd, context, ioas, device } = await machine();
  device.leave(); // with its access: not what the bindings do
  const later = new BareDevice(iommufd, context);
  expect(later.slot).toBe(device.slot);
  const reaper = new BareDevice(iommufd, context);
  expect([later.attach(ioas), reaper.attach(ioas)]).toEqual([0, 0]);
  later.die(reaper);
  expect(context.objects().map(({ id }) => id)).toEqual([ioas.id, device.id, reaper.id]);
  expect(reaper.destroy()).toBe(0);
  ioas.destroy();
});

test("a thread that dies while it waits to destroy its access leaves it to who has it locked, without a driver", async () => {
  const { iommufd, context, ioas, device } = await machine();
  expect(device.attach(ioas)).toBe(0);
  const lock = context.get(device.id);
  expect(device.destroy()).toBe(Layout.MUST_WAIT);
  expect(device.attach(ioas)).toBe(EBADF);
  device.die(new BareDevice(iommufd, context));
  ioas.destroy();
  lock.put();
  context.destroy(device.id);
});

test("pins of a dead thread in a poisoned file go with the file, which its accesses do not keep", async () => {
  const { iommufd, context, ioas, device } = await machine();
  const reaper = new BareDevice(iommufd, iommufd.open());
  expect(device.attach(ioas)).toBe(0);
  ioas.map(iommufd.userSpace.map(PAGE), { iova: 0 });
  expect(device.core.accessPin(device.row, device.id, device.serial, 0n, BigInt(PAGE), 0)).toBe(0);
  poison(iommufd, context);
  context.close();
  expect(iommufd.stats().files.open).toBe(2);
  device.die(reaper);
  expect(reaper.core.releaseNext(Layout.FILES + (context.fd - Layout.FIRST_FD) * Layout.FILE_BYTES)).toBe(0);
  expect(iommufd.stats().files.open).toBe(1);
  expect(iommufd.userSpace.memlock.pinnedPages).toBe(0);
});

test("pins in a poisoned file go with it: its accesses can only be ended", async () => {
  const { iommufd } = await boot({ abi: "mainline" });
  const process = iommufd.createUserSpace({ uid: 7, memlockBytes: 8 * PAGE });
  const { used } = iommufd.stats().bytes;
  const context = iommufd.open();
  const ioas = context.ioasAlloc();
  const file = iommufd.createMemfd(PAGE);
  const memory = process.map(2 * PAGE);
  process.run(() => {
    ioas.map(memory, { iova: 0 });
    ioas.mapFile(file, { iova: 2 * PAGE });
  });
  file.close();
  const access = ioas.access({ unmap: () => expect.unreachable() });
  access.pin(0, 3 * PAGE);
  access.pin(PAGE, PAGE);
  process.unmap(memory);
  expect(process.memlock).toMatchObject({ pinnedPages: 3, userLockedPages: 3 });
  poison(iommufd, context);
  for (const call of [
    () => access.pin(0, PAGE),
    () => access.unpin(PAGE, PAGE),
    () => access.unpinAll(),
    () => access.read(0, new Uint8Array(1)),
    () => access.replace(ioas),
    () => access.detach(),
    () => context.access(),
  ]) {
    expect(errnoOf(call)).toBe("EIO");
  }
  context.close();
  expect(iommufd.stats().files.open).toBe(1);
  access.destroy();
  expect(iommufd.stats().files.open).toBe(0);
  expect(process.memlock).toMatchObject({ pinnedPages: 0, userLockedPages: 0 });
  expect(iommufd.stats()).toMatchObject({ mappings: 0, memfds: { used: 0 } });
  expect(iommufd.stats().bytes.used).toBeLessThan(used + 3 * PAGE + 65_536);
});

// SPDX-License-Identifier: GPL-2.0-only
//
// What a context knows of address spaces: making and finding them, accounting, VFIO's, the owner of the mappings, fault queues; and
// what machines answer that have none of it.

import {
  IOMMU_FAULT_QUEUE_ALLOC,
  IOMMU_IOAS_ALLOC,
  IOMMU_IOAS_CHANGE_PROCESS,
  IOMMU_IOAS_MAP,
  IOMMU_IOAS_MAP_FILE,
  IOMMU_OPTION,
  IOMMU_VFIO_IOAS,
  Ioas,
  type IommufdContext,
  IommufdError,
  VFIO_CHECK_EXTENSION,
  VFIO_DMA_CC_IOMMU,
} from "iommufd-wasm";
import { describe, expect, test } from "vitest";
import { answer, errnoOf } from "../support/answer.ts";
import { boot, otherThread } from "../support/boot.ts";
import { idsOf, plainType } from "../support/objects.ts";

const PAGE = 4096;
const ADDRESS = 0x1000_0000;

/** What a failing call threw. */
function errorOf(call: () => unknown): IommufdError {
  try {
    call();
  } catch (error) {
    if (error instanceof IommufdError) return error;
    throw error;
  }
  throw new Error("no error");
}

describe("address spaces", () => {
  test("get the lowest free ID, and are found by it", async () => {
    const { iommufd } = await boot({ abi: "mainline" });
    const context = iommufd.open();
    const first = context.ioasAlloc();
    expect([first.id, context.ioasAlloc().id]).toEqual([1, 2]);
    first.destroy();
    const again = context.ioasAlloc();
    again.map(ADDRESS, PAGE);
    expect(context.ioas(1).areas()).toEqual(again.areas());
    expect(context.inspect(1)?.type.name).toBe("IOMMUFD_OBJ_IOAS");
  });

  test.each([0, 2, 3, 4, -1, 2 ** 32, 1.5, NaN])("are not found by %d: ENOENT", async (id) => {
    const { iommufd } = await boot({ abi: "mainline" });
    const context = iommufd.open();
    context.ioasAlloc();
    context.alloc(plainType(iommufd)).finalize(); // 2
    context.faultQueueAlloc(); // 3
    expect(errnoOf(() => context.ioas(id))).toBe("ENOENT");
  });

  test("are EBUSY when no ID is left, and the error names the command", async () => {
    const { iommufd } = await boot({ abi: "mainline", idLimit: 1 });
    const context = iommufd.open();
    context.ioasAlloc();
    expect(errorOf(() => context.ioasAlloc())).toMatchObject({ code: "EBUSY", command: "IOMMU_IOAS_ALLOC" });
    expect(idsOf(context)).toEqual([1]);
  });
});

describe("rlimitMode", () => {
  test("is the user's at first, and set while the context is empty", async () => {
    const { iommufd } = await boot({ abi: "mainline" });
    const context = iommufd.open();
    expect(context.rlimitMode).toBe("user");
    context.rlimitMode = "mm";
    expect([context.rlimitMode, iommufd.open().rlimitMode]).toEqual(["mm", "user"]);
    const ioas = context.ioasAlloc();
    expect(errorOf(() => (context.rlimitMode = "user"))).toMatchObject({ code: "EBUSY", command: "IOMMU_OPTION" });
    ioas.destroy();
    context.rlimitMode = "user";
    expect(context.rlimitMode).toBe("user");
  });

  test("is not for who lacks CAP_SYS_RESOURCE, nor anything else than the two", async () => {
    const { iommufd } = await boot({ abi: "mainline" });
    const context = iommufd.open();
    const process = iommufd.createUserSpace();
    process.run(() => {
      expect(context.rlimitMode).toBe("user");
      expect(errnoOf(() => (context.rlimitMode = "mm"))).toBe("EPERM");
    });
    expect(errnoOf(() => (context.rlimitMode = "none" as "mm"))).toBe("EINVAL");
    expect(context.rlimitMode).toBe("user");
  });
});

describe("vfioIoas", () => {
  test("is none at first, then the one that is set, until it is cleared or destroyed", async () => {
    const { iommufd } = await boot({ abi: "mainline" });
    const context = iommufd.open();
    const [first, second] = [context.ioasAlloc(), context.ioasAlloc()];
    const extension = () => answer(context.tryIoctl(VFIO_CHECK_EXTENSION, BigInt(VFIO_DMA_CC_IOMMU)));
    expect([context.vfioIoas, extension()]).toEqual([undefined, "ENODEV"]);
    context.vfioIoas = first;
    expect(context.vfioIoas?.id).toBe(first.id);
    expect(extension()).not.toBe("ENODEV");
    context.vfioIoas = second;
    expect(context.vfioIoas?.id).toBe(second.id);
    context.vfioIoas = undefined;
    expect([context.vfioIoas, extension()]).toEqual([undefined, "ENODEV"]);
    context.vfioIoas = first;
    first.destroy();
    expect(context.vfioIoas).toBeUndefined();
  });

  test("is none that is destroyed, and no other file's", async () => {
    const { iommufd } = await boot({ abi: "mainline" });
    const context = iommufd.open();
    const ioas = context.ioasAlloc();
    ioas.destroy();
    context.ioasAlloc(); // has its ID
    expect(errorOf(() => (context.vfioIoas = ioas))).toMatchObject({ code: "ENOENT", command: "IOMMU_VFIO_IOAS" });
    const foreign = iommufd.open().ioasAlloc();
    expect(errnoOf(() => (context.vfioIoas = foreign))).toBe("EINVAL");
    expect(context.vfioIoas).toBeUndefined();
    context.close();
    expect(errnoOf(() => context.vfioIoas)).toBe("EBADF");
  });
});

describe("changeProcess", () => {
  test("makes the caller the owner of all mappings of files", async () => {
    const { iommufd } = await boot({ abi: "mainline" });
    const context = iommufd.open();
    const file = iommufd.createMemfd(4 * PAGE);
    const ioases = [context.ioasAlloc(), context.ioasAlloc()];
    for (const ioas of ioases) ioas.mapFile(file);
    const process = iommufd.createUserSpace();
    process.run(() => context.changeProcess());
    for (const ioas of ioases) expect(ioas.areas()).toMatchObject([{ pid: process.pid, file: file.fd }]);
  });

  test("is EINVAL while one is of a process' memory, and nothing changes", async () => {
    const { iommufd } = await boot({ abi: "mainline" });
    const context = iommufd.open();
    const ioas = context.ioasAlloc();
    ioas.mapFile(iommufd.createMemfd(PAGE), { iova: 0 });
    context.ioasAlloc().map(ADDRESS, PAGE);
    const process = iommufd.createUserSpace();
    const error = process.run(() => errorOf(() => context.changeProcess()));
    expect(error).toMatchObject({ code: "EINVAL", command: "IOMMU_IOAS_CHANGE_PROCESS" });
    expect(ioas.areas()).toMatchObject([{ pid: 1 }]);
  });
});

describe("faultQueueAlloc", () => {
  test("makes a queue and its file, which keeps it", async () => {
    const { iommufd } = await boot({ abi: "mainline" });
    const context = iommufd.open();
    const { id, file } = context.faultQueueAlloc();
    expect(context.inspect(id)?.type.name).toBe("IOMMUFD_OBJ_FAULT");
    expect(file.poll()).toEqual({ readable: false, writable: true });
    expect(iommufd.faultFile(file.fd).fd).toBe(file.fd);
    expect(errnoOf(() => context.destroy(id))).toBe("EBUSY");
    file.close();
    context.destroy(id);
    expect(idsOf(context)).toEqual([]);
  });
});

test("after its thread has left every call is ESRCH, and writes nothing", async () => {
  const { iommufd } = await boot({ abi: "mainline" });
  const leaver = otherThread(iommufd);
  const context = leaver.open();
  const ioas = context.ioasAlloc();
  ioas.map(ADDRESS, PAGE, { iova: 0 });
  leaver.detach();
  otherThread(iommufd); // has its place
  const before = new Uint8Array(iommufd.share.memory.buffer).slice();
  for (const call of [
    () => ioas.map(ADDRESS, PAGE),
    () => ioas.mapFile(3, { length: PAGE }),
    () => ioas.copyFrom(ioas, 0, PAGE),
    () => ioas.unmap(0, PAGE),
    () => ioas.tryMap(ADDRESS, PAGE, 7, PAGE),
    () => ioas.tryUnmap(0, PAGE),
    () => ioas.ranges(),
    () => ioas.allow([]),
    () => ioas.hugePages,
    () => ioas.areas(),
    () => ioas.areaCount,
    () => ioas.destroy(),
    () => context.ioasAlloc(),
    () => context.ioas(1),
    () => context.rlimitMode,
    () => context.vfioIoas,
    () => context.changeProcess(),
    () => context.faultQueueAlloc(),
  ]) {
    expect(errnoOf(call)).toBe("ESRCH");
  }
  const after = new Uint8Array(iommufd.share.memory.buffer);
  expect(before.findIndex((byte, at) => byte !== after[at])).toBe(-1);
  expect(iommufd.file(context.fd).ioas(1).areaCount).toBe(1);
});

/** Every member that is a command of the mainline profile. */
const CALLS: [string, string, (context: IommufdContext) => unknown][] = [
  ["ioasAlloc", IOMMU_IOAS_ALLOC.name, (context) => context.ioasAlloc()],
  ["ioas", IOMMU_IOAS_MAP.name, (context) => context.ioas(1)],
  ["an Ioas made by hand", IOMMU_IOAS_MAP.name, (context) => new Ioas(context, 1)],
  ["rlimitMode", IOMMU_OPTION.name, (context) => context.rlimitMode],
  ["setting rlimitMode", IOMMU_OPTION.name, (context) => (context.rlimitMode = "mm")],
  ["vfioIoas", IOMMU_VFIO_IOAS.name, (context) => context.vfioIoas],
  ["clearing vfioIoas", IOMMU_VFIO_IOAS.name, (context) => (context.vfioIoas = undefined)],
  ["changeProcess", IOMMU_IOAS_CHANGE_PROCESS.name, (context) => context.changeProcess()],
  ["faultQueueAlloc", IOMMU_FAULT_QUEUE_ALLOC.name, (context) => context.faultQueueAlloc()],
];

describe("the rfc profile", () => {
  test.each(CALLS)("answers %s with ENOTTY, and says who has %s", async (_name, command, call) => {
    const { iommufd } = await boot();
    const context = iommufd.open();
    plainType(iommufd); // the first type: its number is that of address spaces elsewhere
    const error = errorOf(() => call(context));
    expect(error).toMatchObject({ code: "ENOTTY", command });
    expect(error.message).toMatch(/mainline/);
    expect(context.objects()).toEqual([]);
  });

  test.each(CALLS)(
    "calls no ioctl of one's own by %s, though it has the number of %s",
    async (_name, command, call) => {
      const { iommufd } = await boot();
      const context = iommufd.open();
      const called: string[] = [];
      for (const { name, nr } of [
        ...[IOMMU_IOAS_ALLOC, IOMMU_IOAS_MAP, IOMMU_OPTION, IOMMU_VFIO_IOAS],
        ...[IOMMU_IOAS_CHANGE_PROCESS, IOMMU_FAULT_QUEUE_ALLOC],
      ]) {
        iommufd.defineIoctl({ name: `MY_${name}`, nr, fields: { word: "u32" }, execute: () => void called.push(name) });
      }
      expect(errorOf(() => call(context))).toMatchObject({ code: "ENOTTY", command });
      expect(called).toEqual([]);
    },
  );

  test("shows nobody an object as an address space", async () => {
    const { iommufd } = await boot();
    const context = iommufd.open();
    const id = context.alloc(plainType(iommufd, "plain", 64)).finalize();
    expect(errnoOf(() => context.ioas(id))).toBe("ENOTTY");
    const { core, fileAddress, expected } = coreOf(context);
    for (const set of [0, 1, 2]) expect(core.inspectRanges(fileAddress, expected, id, set, 0n, 10)).toBe(-25);
  });
});

describe("a kernel that is older than a command", () => {
  test.each<[string, string, (context: IommufdContext) => unknown]>([
    ["mapFile", IOMMU_IOAS_MAP_FILE.name, (context) => context.ioasAlloc().mapFile(3, { length: PAGE })],
    ["changeProcess", IOMMU_IOAS_CHANGE_PROCESS.name, (context) => context.changeProcess()],
  ])("answers %s with ENOTTY, and says so of %s", async (_name, command, call) => {
    const { iommufd } = await boot({ abi: "mainline", release: "6.12" });
    const context = iommufd.open();
    const error = errorOf(() => call(context));
    expect(error).toMatchObject({ code: "ENOTTY", command });
    expect(error.message).toMatch(/newer kernel/);
  });

  test("has all else", async () => {
    const { iommufd } = await boot({ abi: "mainline", release: "6.12" });
    const context = iommufd.open();
    expect(context.rlimitMode).toBe("user");
    context.vfioIoas = context.ioasAlloc();
    expect(context.vfioIoas.map(ADDRESS, PAGE)).toBe(4096n);
    expect(context.faultQueueAlloc().id).toBe(2);
  });
});

/** What the bindings know of the core, for calls that they do not make. */
function coreOf(context: IommufdContext) {
  const { kernel, fileAddress, expected } = context as unknown as {
    kernel: { core: { inspectRanges: (...values: (number | bigint)[]) => number } };
    fileAddress: number;
    expected: number;
  };
  return { core: kernel.core, fileAddress, expected };
}

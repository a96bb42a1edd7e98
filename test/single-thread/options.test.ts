// SPDX-License-Identifier: GPL-2.0-only
//
// Making a machine: the options, what is refused, and the two ways to do it.

import { Iommufd, IommufdError, type IommufdOptions } from "iommufd-wasm";
import { describe, expect, onTestFinished, test } from "vitest";
import { errnoOf, errnoOfAsync } from "../support/answer.ts";
import { boot } from "../support/boot.ts";
import { hasThreads } from "../support/host.ts";
import { make, plainType } from "../support/objects.ts";

const MIB = 1024 * 1024;

test("isSupported says what this host can do, and what is missing for more", () => {
  const support = Iommufd.isSupported();
  expect(support.ok).toBe(true);
  expect(support.threads).toBe(hasThreads);
  if (hasThreads) {
    expect(support).not.toHaveProperty("reason");
  } else {
    expect(support.reason).toMatch(/isolated/);
    expect(support.fix).toMatch(/Cross-Origin-Opener-Policy: same-origin.*Cross-Origin-Embedder-Policy: require-corp/);
  }
});

test("by default a machine has 64 MiB and the rfc profile", async () => {
  const iommufd = await Iommufd.create();
  onTestFinished(() => iommufd.detach());
  expect(iommufd.abi).toBe("rfc");
  expect(iommufd.stats().bytes.total).toBe(64 * MIB);
  expect(iommufd.share.memory.buffer.byteLength).toBe(64 * MIB);
});

test("createSync makes the same machine", () => {
  const iommufd = Iommufd.createSync({ abi: "mainline", memoryBytes: 8 * MIB, idLimit: 1 });
  onTestFinished(() => iommufd.detach());
  const context = iommufd.open();
  const type = plainType(iommufd);
  expect(make(context, type)).toBe(1);
  expect(errnoOf(() => context.alloc(type))).toBe("EBUSY");
  expect(iommufd.abi).toBe("mainline");
});

test.each([
  [4 * MIB, 4 * MIB],
  [4 * MIB + 1, 4 * MIB + 65_536],
  [5 * MIB - 1, 5 * MIB],
  [100 * MIB, 100 * MIB],
])("memoryBytes %d are %d: whole Wasm pages", async (memoryBytes, total) => {
  const { iommufd } = await boot({ memoryBytes });
  expect(iommufd.stats().bytes.total).toBe(total);
  make(iommufd.open(), plainType(iommufd));
});

test("2 GiB work to the last page", async () => {
  const { iommufd } = await boot({ memoryBytes: 2 ** 31 });
  const { heap } = iommufd.stats().bytes;
  expect(heap).toBeGreaterThan(2 ** 31 - 16 * MIB);
  const context = iommufd.open();
  const type = plainType(iommufd, "at the end", MIB);
  const reserved = context.alloc(type); // objects come from above
  expect(reserved.payload.byteOffset).toBeGreaterThan(2 ** 31 - 16 * MIB);
  reserved.payload.setUint32(MIB - 4, 7);
  const locked = context.get(reserved.finalize());
  expect(locked.payload.getUint32(MIB - 4)).toBe(7);
  locked.put();
  const mapping = iommufd.userSpace.map(4096);
  iommufd.userSpace.write(mapping.va, Uint8Array.of(1));
  expect(mapping.bytes[0]).toBe(1);
});

test("memory is one and fixed: the share's own, as big as was asked, growing is refused", async () => {
  const { iommufd } = await boot({ memoryBytes: 8 * MIB });
  expect(Object.isFrozen(iommufd.share)).toBe(true);
  expect(() => iommufd.share.memory.grow(1)).toThrow(RangeError);
});

const NOT_CORE = new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));

describe("is refused with EINVAL", () => {
  test.each<[string, object]>([
    ["an unknown profile", { abi: "linux" }],
    ["a profile of Object.prototype", { abi: "toString" }],
    ["a profile that is no string", { abi: 5 }],
    ["no memory", { memoryBytes: 0 }],
    ["too little memory", { memoryBytes: 1 }],
    ["a little too little memory", { memoryBytes: MIB }],
    ["negative memory", { memoryBytes: -1 }],
    ["half a byte of memory", { memoryBytes: 8 * MIB + 0.5 }],
    ["NaN bytes", { memoryBytes: NaN }],
    ["more than 2 GiB", { memoryBytes: 2 ** 31 + 1 }],
    ["memory beyond 32 bits", { memoryBytes: 2 ** 32 + 8 * MIB }],
    ["infinite memory", { memoryBytes: Infinity }],
    ["memory that is no number", { memoryBytes: "64" }],
    ["an ID limit of 0", { idLimit: 0 }],
    ["a negative ID limit", { idLimit: -1 }],
    ["an ID limit beyond 32 bits", { idLimit: 2 ** 32 }],
    ["half an ID", { idLimit: 1.5 }],
    ["an ID limit that is no number", { idLimit: "5" }],
    ["a module that is none", { module: {} }],
    ["a module that is another one", { module: NOT_CORE }],
  ])("%s", async (_name, options) => {
    expect(errnoOf(() => Iommufd.createSync(options as IommufdOptions))).toBe("EINVAL");
    expect(await errnoOfAsync(Iommufd.create(options as IommufdOptions))).toBe("EINVAL");
  });
});

test("an error says what was wrong", async () => {
  await expect(Iommufd.create({ abi: "linux" as never })).rejects.toThrow(
    expect.objectContaining({
      name: "IommufdError",
      code: "EINVAL",
      errno: -22,
      syscall: "create",
      message: expect.stringContaining("linux") as string,
    }),
  );
});

test("a compiled core can be handed over, and is in the share", async () => {
  const { iommufd } = await boot();
  const { module } = iommufd.share;
  const { iommufd: again } = await boot({ module });
  expect(again.share.module).toBe(module);
  make(again.open(), plainType(again));
});

test("machines are apart: 50 of them, one after the other and at once", async () => {
  const machines = await Promise.all(Array.from({ length: 50 }, () => boot({ memoryBytes: 4 * MIB })));
  for (const [index, { iommufd }] of machines.entries()) {
    const context = iommufd.open();
    const type = plainType(iommufd);
    for (let n = 0; n <= index; n++) make(context, type);
  }
  expect(machines.map(({ iommufd }) => iommufd.stats().objects.live)).toEqual(machines.map((_, index) => index + 1));
});

describe("IommufdError", () => {
  test("knows numbers of either sign and names; what Linux does not know is EIO with the number", () => {
    expect(IommufdError.fromErrno(-16)).toMatchObject({ code: "EBUSY", errno: -16 });
    expect(IommufdError.fromErrno(16)).toMatchObject({ code: "EBUSY", errno: -16 });
    expect(IommufdError.fromErrno(-4000)).toMatchObject({
      code: "EIO",
      message: expect.stringContaining("-4000") as string,
    });
    const error = new IommufdError("ENOENT", { syscall: "open", command: "CMD", message: "more", cause: 5 });
    expect(error).toMatchObject({
      name: "IommufdError",
      code: "ENOENT",
      errno: -2,
      syscall: "open",
      command: "CMD",
      cause: 5,
    });
    expect(error).toBeInstanceOf(Error);
    expect(new IommufdError("ENOENT").command).toBeUndefined();
  });
});

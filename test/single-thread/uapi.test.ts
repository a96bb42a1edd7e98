// SPDX-License-Identifier: GPL-2.0-only
//
// The typed uAPI: its numbers are Linux', and each machine has the commands of its profile and release.

import * as library from "iommufd-wasm";
import {
  FaultFile,
  type Fields,
  Iommufd,
  IommufdError,
  type IommufdOptions,
  IOMMU_DESTROY,
  IOMMU_FAULT_QUEUE_ALLOC,
  IOMMU_IOAS_ALLOC,
  IOMMU_IOAS_COPY,
  IOMMU_IOAS_IOVA_RANGES,
  IOMMU_IOAS_MAP,
  IOMMU_IOAS_MAP_FILE,
  IOMMU_IOAS_MAP_FIXED_IOVA,
  IOMMU_IOAS_MAP_READABLE,
  IOMMU_IOAS_MAP_WRITEABLE,
  IOMMU_IOAS_UNMAP,
  IOMMU_OPTION,
  IOMMU_OPTION_HUGE_PAGES,
  IOMMU_OPTION_OP_GET,
  IOMMU_VFIO_IOAS,
  IOMMU_VFIO_IOAS_SET,
  IOMMUFD_COMMANDS,
  type IoctlCommand,
  Struct,
  VFIO_CHECK_EXTENSION,
  VFIO_DMA_CC_IOMMU,
  VFIO_DMA_MAP_FLAG_READ,
  VFIO_IOMMU_MAP_DMA,
  VFIO_IOMMU_UNMAP_DMA,
  VFIO_SET_IOMMU,
  VFIO_TYPE1v2_IOMMU,
  iommu_iova_range,
  vfio_iommu_type1_dma_map,
  vfio_iommu_type1_dma_unmap,
} from "iommufd-wasm";
import { describe, expect, onTestFinished, test } from "vitest";
import { KERNEL_COMMANDS, KERNEL_CONSTANTS, KERNEL_STRUCTS } from "../reference/uapi.ts";
import { answer, errnoOf } from "../support/answer.ts";
import { boot } from "../support/boot.ts";

const PAGE = 4096n;

/** The fields of a struct as the reference writes them. */
function fieldsOf({ fields }: Struct<Fields>): string {
  return Object.entries(fields)
    .map(([name, { offset, size, type }]) => `${offset} ${size} ${name} ${type}`)
    .join(", ");
}

function exported(name: string): unknown {
  return (library as unknown as Record<string, unknown>)[name];
}

describe("the declaration", () => {
  test.each(KERNEL_COMMANDS)("of $name is Linux'", ({ name, nr, size, minSize, fields }) => {
    const command = exported(name) as IoctlCommand<Fields>;
    expect(command).toMatchObject({ name, nr, request: 0x3b00 | nr, size, minSize });
    expect(fieldsOf(command)).toBe(fields);
  });

  test.each(KERNEL_STRUCTS)("of struct $struct is Linux'", ({ struct, size, fields }) => {
    const declared = exported(struct) as Struct<Fields>;
    expect(declared).toMatchObject({ name: struct, size });
    expect(fieldsOf(declared)).toBe(fields);
  });

  test("has Linux' constants, and nothing that was not compared", () => {
    const numbers = Object.entries(library).filter(
      ([name, value]) => /^(IOMMU|VFIO)_/.test(name) && typeof value === "number",
    );
    expect(Object.fromEntries(numbers)).toEqual(KERNEL_CONSTANTS);
    const structs = Object.values(library).filter((value) => value instanceof Struct && !("nr" in value));
    expect(structs.map((value) => (value as Struct<Fields>).name).sort()).toEqual(
      KERNEL_STRUCTS.map(({ struct }) => struct).sort(),
    );
  });

  test("lists all commands by ascending number", () => {
    expect(IOMMUFD_COMMANDS.map(({ name }) => name)).toEqual(KERNEL_COMMANDS.map(({ name }) => name));
  });
});

describe("a struct that is no command's", () => {
  test("encodes and decodes, and has no size filled in", () => {
    const bytes = iommu_iova_range.encode({ start: 1, last: 2n ** 64n - 1n });
    expect(bytes).toEqual(Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255));
    expect(iommu_iova_range.decode(bytes)).toEqual({ start: 1n, last: 2n ** 64n - 1n });
    expect(vfio_iommu_type1_dma_map.encode({}).every((byte) => byte === 0)).toBe(true);
  });

  test.each<[what: string, values: object]>([
    ["an unknown field", { size: 16 }],
    ["a value out of range", { start: -1n }],
    ["a value of another type", { last: "1" }],
  ])("refuses %s", (_what, values) => {
    expect(errnoOf(() => iommu_iova_range.encode(values))).toBe("EINVAL");
  });

  test("may have a field called constructor, which is zero unless it is given", () => {
    const struct = new Struct("odd", { constructor: "u32" as const, other: "u8" as const });
    expect(struct.encode({})).toEqual(new Uint8Array(8));
    expect(struct.decode(struct.encode({ constructor: 7 }))).toMatchObject({ constructor: 7, other: 0 });
  });
});

describe("a machine has the commands of", () => {
  const names = (iommufd: Iommufd): string[] => iommufd.commands().map(({ name }) => name);
  const all = KERNEL_COMMANDS.map(({ name }) => name);

  test.each<[what: string, options: IommufdOptions, expected: string[]]>([
    ["the rfc profile", { abi: "rfc" }, ["IOMMU_DESTROY"]],
    ["the newest mainline kernel", { abi: "mainline" }, all],
    ["Linux 6.12", { abi: "mainline", release: "6.12" }, all.slice(0, all.indexOf("IOMMU_IOAS_MAP_FILE"))],
  ])("%s, in each thread", async (_what, options, expected) => {
    const { iommufd } = await boot(options);
    expect(names(iommufd)).toEqual(expected);
    const other = await Iommufd.attach(iommufd.share);
    onTestFinished(() => other.detach());
    expect(names(other)).toEqual(expected);
  });

  test.each(KERNEL_COMMANDS.slice(1))(
    "mainline: $name is ENOTTY in rfc, which names the profile that has it",
    async (row) => {
      const { iommufd } = await boot({ abi: "rfc" });
      const command = exported(row.name) as IoctlCommand<Fields>;
      const context = iommufd.open();
      expect(() => context.call(command, {})).toThrow(/^ENOTTY: ioctl IOMMU_\w+: .*mainline profile/);
      expect(() => context.ioctl(command.request, command.encode({}))).toThrow(/mainline profile/);
      expect(answer(context.tryIoctl(command.request, command.encode({})))).toBe("ENOTTY");
    },
  );

  test("a newer kernel are ENOTTY in an older one, which says that", async () => {
    const { iommufd } = await boot({ abi: "mainline", release: "6.12" });
    expect(() => iommufd.open().call(IOMMU_IOAS_MAP_FILE, {})).toThrow(
      /^ENOTTY: ioctl IOMMU_IOAS_MAP_FILE: a newer kernel's/,
    );
    // As any number beyond the table's end: no user memory is looked at.
    expect(answer(iommufd.open().tryIoctl(IOMMU_IOAS_MAP_FILE.request, null))).toBe("ENOTTY");
    expect(answer(iommufd.open().tryIoctl(IOMMU_FAULT_QUEUE_ALLOC.request, null))).toBe("EFAULT");
  });

  test.each<[options: object]>([
    [{ abi: "mainline", release: "6.11" }],
    [{ abi: "mainline", release: "constructor" }],
    [{ abi: "mainline", release: 6.12 }],
    [{ abi: "mainline", release: null }],
    [{ abi: "rfc", release: "6.12" }],
    [{ release: "6.12" }],
  ])("no kernel for %j", (options) => {
    expect(errnoOf(() => Iommufd.createSync(options as IommufdOptions))).toBe("EINVAL");
  });
});

describe("in mainline", () => {
  async function scene() {
    const { iommufd } = await boot({ abi: "mainline" });
    const context = iommufd.open();
    return { iommufd, context, ioas: context.call(IOMMU_IOAS_ALLOC, {}).out_ioas_id };
  }

  test("typed calls map, copy and unmap user memory", async () => {
    const { iommufd, context, ioas } = await scene();
    const { va } = iommufd.userSpace.map(2 * Number(PAGE));
    const flags = IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE;
    const { iova } = context.call(IOMMU_IOAS_MAP, { flags, ioas_id: ioas, user_va: va, length: 2n * PAGE });
    expect(iova % PAGE).toBe(0n);
    const fixed = { flags: flags | IOMMU_IOAS_MAP_FIXED_IOVA, dst_iova: 0x10000, src_iova: iova, length: PAGE };
    const copy = context.call(IOMMU_IOAS_COPY, { ...fixed, dst_ioas_id: ioas, src_ioas_id: ioas });
    expect(copy.dst_iova).toBe(0x10000n);
    expect(() => context.call(IOMMU_IOAS_COPY, { ...fixed, dst_ioas_id: ioas, src_ioas_id: ioas })).toThrow(
      /^EEXIST: ioctl IOMMU_IOAS_COPY/,
    );
    expect(context.call(IOMMU_IOAS_UNMAP, { ioas_id: ioas, iova: 0, length: 2n ** 64n - 1n }).length).toBe(3n * PAGE);
  });

  test("a typed call whose reply comes with an error still fails", async () => {
    const { context, ioas } = await scene();
    expect(errnoOf(() => context.call(IOMMU_IOAS_IOVA_RANGES, { ioas_id: ioas }))).toBe("EMSGSIZE");
  });

  test("an option is named by its constants", async () => {
    const { context, ioas } = await scene();
    const get = { option_id: IOMMU_OPTION_HUGE_PAGES, op: IOMMU_OPTION_OP_GET, object_id: ioas };
    expect(context.call(IOMMU_OPTION, get).val64).toBe(1n);
  });

  test("VFIO's requests take a number or a struct", async () => {
    const { iommufd, context, ioas } = await scene();
    expect(context.tryIoctl(VFIO_CHECK_EXTENSION, BigInt(VFIO_TYPE1v2_IOMMU))).toBe(1);
    expect(answer(context.tryIoctl(VFIO_CHECK_EXTENSION, BigInt(VFIO_DMA_CC_IOMMU)))).toBe("ENODEV");
    expect(answer(context.tryIoctl(VFIO_SET_IOMMU, BigInt(VFIO_TYPE1v2_IOMMU)))).toBe("ENODEV");
    context.call(IOMMU_VFIO_IOAS, { op: IOMMU_VFIO_IOAS_SET, ioas_id: ioas });
    expect(context.tryIoctl(VFIO_SET_IOMMU, BigInt(VFIO_TYPE1v2_IOMMU))).toBe(0);
    const { va } = iommufd.userSpace.map(Number(PAGE));
    const map = {
      argsz: vfio_iommu_type1_dma_map.size,
      flags: VFIO_DMA_MAP_FLAG_READ,
      vaddr: va,
      iova: PAGE,
      size: PAGE,
    };
    expect(context.ioctl(VFIO_IOMMU_MAP_DMA, vfio_iommu_type1_dma_map.encode(map))).toBe(0);
    expect(answer(context.tryIoctl(VFIO_IOMMU_MAP_DMA, vfio_iommu_type1_dma_map.encode(map)))).toBe("EEXIST");
    const unmap = vfio_iommu_type1_dma_unmap.encode({ argsz: 24, iova: 0, size: 1n << 32n });
    expect(context.ioctl(VFIO_IOMMU_UNMAP_DMA, unmap)).toBe(0);
    expect(vfio_iommu_type1_dma_unmap.decode(unmap).size).toBe(PAGE);
  });

  test.each(KERNEL_COMMANDS)("the number of $name is taken, also for the same struct", async ({ name, nr }) => {
    const { iommufd } = await scene();
    const define = (name: string) => (): unknown =>
      iommufd.defineIoctl({ name, nr, fields: { id: "u32" }, execute: () => 0 });
    expect(errnoOf(define("MINE"))).toBe("EEXIST");
    expect(errnoOf(define(name))).toBe("EEXIST");
    expect(iommufd.commands().find((command) => command.nr === nr)).toBe(exported(name));
  });

  test("a trace names the command of a call", async () => {
    const { iommufd, context } = await scene();
    const names: (string | undefined)[] = [];
    iommufd.onTrace(({ command }) => names.push(command?.name));
    context.call(IOMMU_IOAS_ALLOC, {});
    context.tryIoctl(IOMMU_DESTROY.request, IOMMU_DESTROY.encode({ id: 2 }));
    context.tryIoctl(VFIO_CHECK_EXTENSION, 1n);
    expect(names).toEqual(["IOMMU_IOAS_ALLOC", "IOMMU_DESTROY", undefined]);
  });
});

describe("the file of a fault queue", () => {
  async function queue() {
    const { iommufd } = await boot({ abi: "mainline" });
    const context = iommufd.open();
    const { out_fault_id: id, out_fault_fd: fd } = context.call(IOMMU_FAULT_QUEUE_ALLOC, {});
    return { iommufd, context, id, fd, file: iommufd.faultFile(fd) };
  }

  test("is empty, never waits, and can be written at any time", async () => {
    const { file } = await queue();
    expect(file).toBeInstanceOf(FaultFile);
    expect(file.read(new Uint8Array(0))).toBe(0);
    expect(file.read(new Uint8Array(80))).toBe(0);
    expect(file.poll()).toEqual({ readable: false, writable: true });
    expect(file.write(new Uint8Array(0))).toBe(0);
  });

  test("takes whole records only, and knows no cookie", async () => {
    const { file } = await queue();
    expect(errnoOf(() => file.read(new Uint8Array(41)))).toBe("ESPIPE");
    expect(errnoOf(() => file.write(new Uint8Array(7)))).toBe("ESPIPE");
    expect(errnoOf(() => file.write(new Uint8Array(8)))).toBe("EINVAL");
  });

  test("keeps the queue until it is closed, once", async () => {
    const { iommufd, context, id, fd, file } = await queue();
    expect(answer(context.tryDestroy(id))).toBe("EBUSY");
    const twin = iommufd.faultFile(fd);
    file.close();
    expect(errnoOf(() => file.close())).toBe("EBADF");
    expect(errnoOf(() => twin.read(new Uint8Array(0)))).toBe("EBADF");
    expect(errnoOf(() => twin.write(new Uint8Array(0)))).toBe("EBADF");
    expect(errnoOf(() => twin.poll())).toBe("EBADF");
    expect(context.tryDestroy(id)).toBe(0);
  });

  test("keeps the context when the number of /dev/iommu is closed", async () => {
    const { iommufd, context, file } = await queue();
    context.close();
    expect(iommufd.stats().objects.live).toBe(1);
    file.close();
    expect(iommufd.stats().objects.live).toBe(0);
  });

  test.each([-1, 0, 3, 2 ** 26, 2 ** 31, 2 ** 32 + 5, 0.5, Number.NaN])("is not found by the number %d", async (fd) => {
    const { iommufd } = await queue();
    expect(errnoOf(() => iommufd.faultFile(fd))).toBe("EBADF");
  });

  test("is not what /dev/iommu is, nor the other way round", async () => {
    const { iommufd, context, fd } = await queue();
    expect(errnoOf(() => iommufd.faultFile(context.fd))).toBe("EBADF");
    expect(() => iommufd.file(fd)).toThrow(IommufdError);
  });
});

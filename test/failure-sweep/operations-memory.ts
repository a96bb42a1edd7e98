// SPDX-License-Identifier: GPL-2.0-only
//
// Operations that touch user memory: mappings, copies across pages, ioctls with their argument at a user address or in a
// buffer, and what such an ioctl does in the middle.

import { IOMMU_DESTROY, type IommufdContext, type IoctlCommand, type UserMapping } from "iommufd-wasm";
import type { Operation, World } from "./operation-sweep.ts";
import { basics } from "./operations.ts";

const PAGE = 4096;
/** What COPY copies: both across a page's end, away from the structs. */
const FROM = 8100;
const TO = 12_200;
const LENGTH = 200;
const FIELDS = { from: "u64", to: "u64", length: "u32", sum: "u32", data: "u8[200]" } as const;

interface Prepared {
  context: IommufdContext;
  command: IoctlCommand<typeof FIELDS>;
  mapping: UserMapping;
}

/** A command that copies user memory, replies with all of its struct, and four pages with a pattern. */
function copyCommand(world: World): Prepared {
  const { iommufd } = world;
  const mapping = iommufd.userSpace.map(4 * PAGE);
  mapping.bytes.forEach((_, index, bytes) => (bytes[index] = 1 + (index % 250)));
  world.watch(mapping.bytes.subarray(TO, TO + LENGTH));
  const command = iommufd.defineIoctl({
    name: "COPY",
    nr: 0xc0,
    fields: FIELDS,
    last: "sum",
    execute(cmd) {
      const bytes = cmd.copyFromUser(cmd.fields.from, cmd.fields.length);
      cmd.copyToUser(
        cmd.fields.to,
        bytes.map((byte) => byte ^ 0xff),
      );
      cmd.fields.sum = bytes.reduce((sum, byte) => sum + byte, 0);
      cmd.respond();
    },
  });
  return { context: iommufd.open(), command, mapping };
}

/** The struct at `offset` of the mapping, with `tail` bytes of zeros behind it. */
function place(world: World, { command, mapping }: Prepared, offset: number, tail: number): bigint {
  const { va, bytes } = mapping;
  const struct = command.encode({ from: va + BigInt(FROM), to: va + BigInt(TO), length: LENGTH });
  bytes.set(struct, offset);
  world.watch(bytes.subarray(offset, offset + struct.length));
  bytes.fill(0, offset + struct.length, offset + struct.length + tail);
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(offset, struct.length + tail, true);
  return va + BigInt(offset);
}

function ioctlAt(offset: number, tail: number): Operation["prepare"] {
  return (world) => {
    const prepared = copyCommand(world);
    const address = place(world, prepared, offset, tail);
    return () => prepared.context.tryIoctl(prepared.command.request, address);
  };
}

/** IOMMU_DESTROY of an object with a callback. */
function destroyBy(how: "buffer" | "address" | "async"): Operation["prepare"] {
  return (world) => {
    const { context, logged } = basics(world);
    const id = context.alloc(logged).finalize();
    const struct = IOMMU_DESTROY.encode({ id });
    if (how === "buffer") return () => context.tryIoctl(IOMMU_DESTROY.request, struct);
    const { va, bytes } = world.iommufd.userSpace.map(2 * PAGE);
    world.watch(bytes).set(struct, PAGE - 4); // its two words in two pages
    const address = va + BigInt(PAGE - 4);
    if (how === "address") return () => context.tryIoctl(IOMMU_DESTROY.request, address);
    return async () => context.ioctlAsync(IOMMU_DESTROY.request, address);
  };
}

export const MEMORY_OPERATIONS: readonly Operation[] = [
  {
    name: "map",
    errors: ["ENOMEM"],
    prepare:
      ({ iommufd }) =>
      () =>
        iommufd.userSpace.map(3 * PAGE).va,
  },
  {
    name: "map at an address between two others",
    errors: ["ENOMEM"],
    prepare({ iommufd }) {
      const { va } = iommufd.userSpace.map(PAGE);
      iommufd.userSpace.map(PAGE, { va: va + 0x4000n });
      return () => iommufd.userSpace.map(PAGE, { va: va + 0x2000n, prot: "r" }).va;
    },
  },
  {
    name: "protect and unmap",
    errors: [],
    prepare({ iommufd }) {
      const mapping = iommufd.userSpace.map(3 * PAGE);
      return () => {
        iommufd.userSpace.protect(mapping.va, PAGE, "r");
        iommufd.userSpace.unmap(mapping);
      };
    },
  },
  {
    name: "read across pages and pieces of the window",
    errors: ["EFAULT"],
    prepare(world) {
      const { mapping } = copyCommand(world);
      return () => [...world.iommufd.userSpace.read(mapping.va + 100n, 10_000)];
    },
  },
  {
    name: "write across two mappings",
    errors: ["EFAULT"],
    prepare(world) {
      const { userSpace } = world.iommufd;
      const first = userSpace.map(2 * PAGE, { va: 0x10_0000n });
      const second = userSpace.map(2 * PAGE, { va: 0x10_2000n });
      world.watch(first.bytes);
      world.watch(second.bytes);
      return () => userSpace.write(0x10_0800n, new Uint8Array(10_000).fill(7));
    },
  },
  { name: "an ioctl at a user address", errors: ["EFAULT"], prepare: ioctlAt(16, 0) },
  { name: "an ioctl whose struct lies in two pages", errors: ["EFAULT"], prepare: ioctlAt(PAGE - 60, 0) },
  { name: "an ioctl whose size lies in two pages", errors: ["EFAULT"], prepare: ioctlAt(PAGE - 2, 0) },
  { name: "an ioctl with an unknown tail of three pages", errors: ["EFAULT"], prepare: ioctlAt(200, 9000) },
  {
    name: "an ioctl with a buffer that copies user memory",
    errors: ["EFAULT"],
    prepare(world) {
      const { context, command, mapping } = copyCommand(world);
      const fields = { from: mapping.va + BigInt(FROM), to: mapping.va + BigInt(TO), length: LENGTH };
      return () => context.call(command, fields).sum;
    },
  },
  {
    name: "an ioctl with a buffer longer than the window",
    errors: [],
    prepare(world) {
      const { context, command } = copyCommand(world);
      const bytes = new Uint8Array(10_000);
      bytes.set(command.encode({}));
      new DataView(bytes.buffer).setUint32(0, bytes.length, true);
      return () => context.tryIoctl(command.request, bytes);
    },
  },
  {
    name: "an ioctl that makes an object and replies with its ID",
    errors: ["EBUSY", "EFAULT", "ENOMEM"],
    prepare(world) {
      const { context, plain } = basics(world);
      const command = world.iommufd.defineIoctl({
        name: "MAKE",
        nr: 0xc1,
        fields: { out_id: "u32" },
        execute(cmd) {
          const object = cmd.context.alloc(plain);
          try {
            cmd.fields.out_id = object.id;
            cmd.respond();
          } catch (error) {
            object.abort();
            throw error;
          }
          object.finalize();
        },
      });
      const { va, bytes } = world.iommufd.userSpace.map(PAGE);
      world.watch(bytes).set(command.encode({}));
      return () => context.tryIoctl(command.request, va);
    },
  },
  { name: "IOMMU_DESTROY with a buffer", errors: ["ENOMEM"], prepare: destroyBy("buffer") },
  { name: "IOMMU_DESTROY at a user address", errors: ["EFAULT", "ENOMEM"], prepare: destroyBy("address") },
  { name: "IOMMU_DESTROY by ioctlAsync", errors: ["EFAULT", "ENOMEM"], prepare: destroyBy("async") },
];

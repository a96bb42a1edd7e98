// SPDX-License-Identifier: GPL-2.0-only
//
// Types: what a caller may write and what comes back, checked by the compiler (`npm run check:types`). The functions here
// are never called; that they compile is the test, and each line marked as an error must be one.

import {
  type Argument,
  type Errno,
  type ErrnoName,
  type FaultQueueId,
  type FieldType,
  IOMMU_DESTROY,
  type Input,
  type Ioas,
  type IoasArea,
  type IoasId,
  type Iommufd,
  type IommufdContext,
  type IommufdError,
  type IommufdOptions,
  type IommufdShare,
  type IoctlCommand,
  type IovaRange,
  type LockedObject,
  type Memfd,
  type ObjectReference,
  type ObjectType,
  type Output,
  type ReservedObject,
  type UserAddress,
  type UserCommand,
  type UserMapping,
} from "iommufd-wasm";
import type { RemoteContext, RemotePort } from "iommufd-wasm/remote";
import type { MessagePort as NodePort } from "node:worker_threads";
import { describe, expectTypeOf, test } from "vitest";

type Sample = { flags: "u32"; offset: "s16"; length: "u64"; delta: "s64"; data: "u8[48]" };

describe("fields", () => {
  test("decode to number, bigint or bytes by their type, and size is always there", () => {
    expectTypeOf<Output<Sample>>().toEqualTypeOf<
      { flags: number; offset: number; length: bigint; delta: bigint; data: Uint8Array } & { size: number }
    >();
  });

  test("encode from the same, 64-bit ones from numbers too, each may be left out, size may not be given", () => {
    expectTypeOf<Input<Sample>>().toEqualTypeOf<{
      flags?: number;
      offset?: number;
      length?: bigint | number;
      delta?: bigint | number;
      data?: Uint8Array;
    }>();
    expectTypeOf<{ flags: 1n }>().not.toExtend<Input<Sample>>();
    expectTypeOf<{ data: number[] }>().not.toExtend<Input<Sample>>();
  });

  test("are of known types only", () => {
    expectTypeOf<"u8[16]">().toExtend<FieldType>();
    expectTypeOf<"f32">().not.toExtend<FieldType>();
    expectTypeOf<"u16[4]">().not.toExtend<FieldType>();
  });
});

describe("commands", () => {
  test("carry their fields through defineIoctl, execute and call", () => {
    const use = (iommufd: Iommufd, context: IommufdContext): void => {
      const command = iommufd.defineIoctl({
        name: "SAMPLE",
        nr: 0xa0,
        fields: { flags: "u32", data: "u8[4]", address: "u64" },
        last: "flags",
        execute(cmd) {
          expectTypeOf(cmd).toEqualTypeOf<UserCommand<{ flags: "u32"; data: "u8[4]"; address: "u64" }>>();
          expectTypeOf(cmd.fields.address).toEqualTypeOf<bigint>();
          cmd.fields.flags = 1;
          // @ts-expect-error: a u32 is a number
          cmd.fields.flags = 1n;
          // @ts-expect-error: there is no such field
          cmd.fields.other = 1;
        },
      });
      expectTypeOf(command).toEqualTypeOf<IoctlCommand<{ flags: "u32"; data: "u8[4]"; address: "u64" }>>();
      const reply = context.call(command, { flags: 1, address: 5 });
      expectTypeOf(reply.data).toEqualTypeOf<Uint8Array>();
      expectTypeOf(reply.size).toEqualTypeOf<number>();
      // @ts-expect-error: there is no such field
      context.call(command, { other: 1 });
      // @ts-expect-error: no such last field
      iommufd.defineIoctl({ name: "BAD", nr: 0xa1, fields: { a: "u32" }, last: "b", execute: () => undefined });
      // @ts-expect-error: no such type
      iommufd.defineIoctl({ name: "BAD", nr: 0xa1, fields: { a: "float" }, execute: () => undefined });
      // @ts-expect-error: execute answers a number or nothing
      iommufd.defineIoctl({ name: "BAD", nr: 0xa1, fields: { a: "u32" }, execute: () => "done" });
      // @ts-expect-error: execute cannot be asynchronous
      iommufd.defineIoctl({ name: "BAD", nr: 0xa1, fields: { a: "u32" }, execute: () => Promise.resolve(0) });
    };
    expectTypeOf(use).toBeFunction();
  });

  test("IOMMU_DESTROY is one of them", () => {
    expectTypeOf(IOMMU_DESTROY).toExtend<IoctlCommand<{ id: "u32" }>>();
    expectTypeOf<Output<{ id: "u32" }>>().toExtend<{ id: number; size: number }>();
  });
});

describe("an object's states", () => {
  test("allow what the state allows and nothing else", () => {
    const use = (reserved: ReservedObject, locked: LockedObject, reference: ObjectReference): void => {
      reserved.hold(locked);
      reserved.hold(reference);
      // @ts-expect-error: a reservation cannot be held
      reserved.hold(reserved);
      // @ts-expect-error: only a published object is locked
      void reserved.put;
      // @ts-expect-error: a published object cannot be aborted
      void locked.abort;
      // @ts-expect-error: a published object cannot take holds
      void locked.hold;
      // @ts-expect-error: a reference gives no access to the payload
      void reference.payload;
      // @ts-expect-error: a reference is no lock
      void reference.put;
      expectTypeOf(locked.putKeepUser()).toEqualTypeOf<ObjectReference>();
      expectTypeOf(reserved.finalize()).toEqualTypeOf<number>();
      expectTypeOf(reference.destroyUser()).toEqualTypeOf<boolean>();
      expectTypeOf(reference.destroyUserAsync()).toEqualTypeOf<Promise<boolean>>();
      expectTypeOf(locked.payload).toExtend<DataView>();
    };
    expectTypeOf(use).toBeFunction();
  });

  test("cannot be made or changed by hand", () => {
    const use = (locked: LockedObject, context: IommufdContext): void => {
      // @ts-expect-error: read-only
      locked.id = 5;
      // @ts-expect-error: read-only
      context.fd = 5;
    };
    expectTypeOf(use).toBeFunction();
  });
});

describe("address spaces", () => {
  test("take numbers and bigints alike, and give bigints; hot calls are of numbers only", () => {
    const use = (ioas: Ioas, mapping: UserMapping, file: Memfd): void => {
      expectTypeOf(ioas.map(mapping)).toEqualTypeOf<bigint>();
      ioas.map(mapping, { iova: 0, write: false });
      ioas.map(mapping, 4096, { iova: 0n });
      ioas.map(4096n, 4096);
      ioas.map(4096, 4096n, { read: false });
      // @ts-expect-error: no such option
      ioas.map(mapping, { fixed: true });
      // @ts-expect-error: an address has no length of its own to take options for
      ioas.map(4096n, { iova: 0 });
      // @ts-expect-error: a file is mapped by mapFile
      ioas.map(file);
      expectTypeOf(ioas.mapFile(file, { start: 0, length: 4096n })).toEqualTypeOf<bigint>();
      ioas.mapFile(file.fd, { length: 1 });
      expectTypeOf(ioas.unmap(0, 1n)).toEqualTypeOf<bigint>();
      expectTypeOf<Ioas["tryMap"]>().parameters.toEqualTypeOf<[number, number, number, (number | undefined)?]>();
      expectTypeOf<Ioas["tryMap"]>().returns.toEqualTypeOf<number>();
      expectTypeOf<Ioas["tryUnmap"]>().parameters.toEqualTypeOf<[number, number]>();
      expectTypeOf<ReturnType<Ioas["ranges"]>>().toExtend<{
        readonly ranges: IovaRange[];
        readonly alignment: bigint;
      }>();
      expectTypeOf(ioas.areas({ from: 0n, limit: 1 })).toEqualTypeOf<IoasArea[]>();
      expectTypeOf<IoasArea>().toExtend<IovaRange>();
      ioas.allow([{ start: 0, last: 4095n }]);
      ioas.allow(ioas.ranges().ranges);
      // @ts-expect-error: `last` is inclusive, and there is no `end`
      ioas.allow([{ start: 0, end: 4096 }]);
      // @ts-expect-error: read-only
      ioas.id = 1 as IoasId;
    };
    expectTypeOf(use).toBeFunction();
  });

  test("have IDs of their own, which are numbers", () => {
    const use = (context: IommufdContext, ioas: Ioas, fault: FaultQueueId): void => {
      expectTypeOf(context.ioasAlloc()).toEqualTypeOf<Ioas>();
      expectTypeOf(ioas.id).toEqualTypeOf<IoasId>();
      expectTypeOf<IoasId>().toExtend<number>();
      context.destroy(ioas.id);
      context.destroy(fault);
      ioas.copyFrom(ioas, 0, 1);
      ioas.copyFrom(ioas.id, 0n, 1n, { iova: 0 });
      // @ts-expect-error: a number may be any object's: context.ioas(1) says whether it is an address space's
      ioas.copyFrom(1, 0, 1);
      // @ts-expect-error: no fault queue is an address space
      ioas.copyFrom(fault, 0, 1);
      context.vfioIoas = ioas;
      context.vfioIoas = undefined;
      expectTypeOf<IommufdContext["vfioIoas"]>().toEqualTypeOf<Ioas | undefined>();
      context.rlimitMode = "mm";
      // @ts-expect-error: the modes have names
      context.rlimitMode = 1;
      expectTypeOf(context.faultQueueAlloc().id).toEqualTypeOf<FaultQueueId>();
      // @ts-expect-error: no address space is a fault queue
      const other: FaultQueueId = ioas.id;
      void other;
    };
    expectTypeOf(use).toBeFunction();
  });
});

describe("calls", () => {
  test("take what an ioctl takes", () => {
    expectTypeOf<Argument>().toEqualTypeOf<ArrayBufferView | UserAddress | null>();
    expectTypeOf<UserAddress>().toEqualTypeOf<bigint>();
    expectTypeOf<IommufdContext["tryIoctl"]>().parameters.toEqualTypeOf<[number, Argument, (number | undefined)?]>();
    expectTypeOf<IommufdContext["tryIoctl"]>().returns.toEqualTypeOf<number>();
    expectTypeOf<IommufdContext["ioctlAsync"]>().returns.toEqualTypeOf<Promise<number>>();
    expectTypeOf<IommufdContext["destroyAsync"]>().returns.toEqualTypeOf<Promise<void>>();
    expectTypeOf<IommufdContext["get"]>().parameters.toEqualTypeOf<[number, (ObjectType | undefined)?]>();
    expectTypeOf<IommufdContext["tryGet"]>().returns.toEqualTypeOf<number>();
  });

  test("options and share are what api.md says", () => {
    expectTypeOf<NonNullable<IommufdOptions["abi"]>>().toEqualTypeOf<"rfc" | "mainline">();
    expectTypeOf<IommufdShare>().toExtend<{
      readonly module: WebAssembly.Module;
      readonly memory: WebAssembly.Memory;
    }>();
    expectTypeOf<Iommufd["share"]>().toEqualTypeOf<IommufdShare>();
  });

  test("errors carry a Linux name", () => {
    expectTypeOf<IommufdError["code"]>().toEqualTypeOf<ErrnoName>();
    expectTypeOf<"EBUSY">().toExtend<ErrnoName>();
    expectTypeOf<"EWHATEVER">().not.toExtend<ErrnoName>();
    expectTypeOf<(typeof Errno)["EBUSY"]>().toBeNumber();
  });

  test("a served file goes over a port of either host, and a remote call is typed as a local one", () => {
    expectTypeOf<MessagePort>().toExtend<RemotePort>();
    expectTypeOf<NodePort>().toExtend<RemotePort>();
    const use = (remote: RemoteContext) => remote.call(IOMMU_DESTROY, { id: 1 });
    expectTypeOf(use).returns.toEqualTypeOf<Promise<{ id: number } & { size: number }>>();
    const misuse = (remote: RemoteContext): void => {
      // @ts-expect-error: the struct has no such field
      void remote.call(IOMMU_DESTROY, { name: 1 });
    };
    expectTypeOf(misuse).toBeFunction();
  });
});

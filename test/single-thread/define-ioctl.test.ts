// SPDX-License-Identifier: GPL-2.0-only
//
// Commands defined from TypeScript: what a definition is, what execute may do, and what becomes of its answer. The structs
// themselves are in ioctl-struct.test.ts.

import type { IoctlCommand } from "iommufd-wasm";
import { type Iommufd, type IommufdContext, IOMMU_DESTROY, IommufdError, type UserCommand } from "iommufd-wasm";
import { describe, expect, test } from "vitest";
import { answer, errnoOf, errnoOfAsync } from "../support/answer.ts";
import { ABIS, boot, otherThread } from "../support/boot.ts";
import { words } from "../support/bytes.ts";
import { ECHO_REPLY, ECHO_SIZE, defineEcho, echoBytes } from "../support/echo.ts";
import { counts, idsOf, make, plainType } from "../support/objects.ts";

const PAGE = 4096;
const NR = 0xb1;

async function scene(abi: "rfc" | "mainline" = "rfc"): Promise<{ iommufd: Iommufd; context: IommufdContext }> {
  const { iommufd } = await boot({ abi });
  return { iommufd, context: iommufd.open() };
}

type PairFields = { first: "u32"; second: "u32" };

/** A command with two words, made to run `execute`. */
function pair(
  iommufd: Iommufd,
  execute: (cmd: UserCommand<PairFields>) => number | void,
  nr = NR,
): IoctlCommand<PairFields> {
  return iommufd.defineIoctl({ name: `PAIR_${nr}`, nr, fields: { first: "u32", second: "u32" }, execute });
}

describe("a definition", () => {
  const good = { name: "GOOD", nr: NR, fields: { value: "u32" }, execute: () => undefined } as const;

  test.each<[string, object]>([
    ["no name", { name: "" }],
    ["a name that is no string", { name: 5 }],
    ["number 0x7f", { nr: 0x7f }],
    ["number 0x100", { nr: 0x100 }],
    ["a negative number", { nr: -1 }],
    ["a fraction", { nr: 0xb0 + 0.5 }],
    ["a whole request", { nr: 0x3bb0 }],
    ["number NaN", { nr: NaN }],
    ["no fields", { fields: null }],
    ["fields that are no object", { fields: "u32" }],
    ["an unknown type", { fields: { value: "u128" } }],
    ["a float", { fields: { value: "f32" } }],
    ["an empty array", { fields: { value: "u8[0]" } }],
    ["an array of words", { fields: { value: "u32[2]" } }],
    ["an array of no length", { fields: { value: "u8[]" } }],
    ["an array with a leading zero", { fields: { value: "u8[01]" } }],
    ["a type with a space", { fields: { value: " u8" } }],
    ["a type that is no string", { fields: { value: 8 } }],
    ["a field size", { fields: { size: "u32" } }],
    ["a struct of 4097 bytes", { fields: { value: "u8[4093]" } }],
    ["a struct of too many bytes to count", { fields: { value: "u8[99999999999999999999]" } }],
    ["last that is no field", { last: "other" }],
    ["last that every object has", { last: "toString" }],
    ["execute that is no function", { execute: 5 }],
    ["no execute", { execute: undefined }],
  ])("with %s is EINVAL", async (_name, wrong) => {
    const { iommufd, context } = await scene();
    expect(errnoOf(() => iommufd.defineIoctl({ ...good, ...wrong }))).toBe("EINVAL");
    expect(iommufd.commands()).toEqual([IOMMU_DESTROY]);
    expect(answer(context.tryIoctl(0x3b00 | NR, words(8, 0)))).toBe("ENOTTY");
  });

  test("of a number that is taken by another command is EEXIST, and the first one works on", async () => {
    const { iommufd, context } = await scene();
    const command = iommufd.defineIoctl({ ...good, execute: () => 1 });
    const others: object[] = [
      { name: "OTHER" },
      { fields: { value: "u64" } as const },
      { fields: { other: "u32" } as const },
      { fields: { value: "s32" } as const },
      { fields: { value: "u32", more: "u32" } as const },
      { fields: { value: "u32" } as const, last: "size" },
    ];
    for (const other of others) {
      expect(errnoOf(() => iommufd.defineIoctl({ ...good, ...other, execute: () => 2 }))).toBe("EEXIST");
      expect(errnoOf(() => otherThread(iommufd).defineIoctl({ ...good, ...other, execute: () => 2 }))).toBe("EEXIST");
    }
    expect(errnoOf(() => iommufd.defineIoctl({ ...good, nr: 0x80 }))).toBe("EEXIST");
    expect(
      errnoOf(() => iommufd.defineIoctl({ ...good, name: "IOMMU_DESTROY", nr: 0x80, fields: { id: "u32" } } as never)),
    ).toBe("EEXIST");
    expect(context.ioctl(command.request, words(8, 0))).toBe(1);
  });

  test("made again with the same shape replaces execute", async () => {
    const { iommufd, context } = await scene();
    iommufd.defineIoctl({ ...good, execute: () => 1 });
    const again = iommufd.defineIoctl({ ...good, execute: () => 2 });
    expect(context.ioctl(again.request, words(8, 0))).toBe(2);
    expect(iommufd.commands()).toHaveLength(2);
  });

  test("holds in the thread that made it; elsewhere the number is ENOTTY until it is defined there too", async () => {
    const { iommufd, context } = await scene();
    const { request } = iommufd.defineIoctl({ ...good, execute: () => 1 });
    const other = otherThread(iommufd);
    const there = other.file(context.fd);
    expect(answer(there.tryIoctl(request, words(8, 0)))).toBe("ENOTTY");
    expect(answer(there.tryIoctl(request, words(4, 0)))).toBe("ENOTTY");
    expect(other.commands()).toEqual([IOMMU_DESTROY]);
    other.defineIoctl({ ...good, execute: () => 2 });
    expect([context.ioctl(request, words(8, 0)), there.ioctl(request, words(8, 0))]).toEqual([1, 2]);
  });

  test("is listed by its number", async () => {
    const { iommufd } = await scene();
    const numbers = [0xff, 0x81, 0xb0];
    for (const nr of numbers) iommufd.defineIoctl({ ...good, name: `N${nr}`, nr });
    expect(iommufd.commands().map(({ nr }) => nr)).toEqual([0x80, 0x81, 0xb0, 0xff]);
  });

  test("all 127 free numbers can be defined and called", async () => {
    const { iommufd, context } = await scene();
    for (let nr = 0x81; nr <= 0xff; nr++) iommufd.defineIoctl({ ...good, name: `N${nr}`, nr, execute: () => nr });
    for (let nr = 0x81; nr <= 0xff; nr++) expect(context.ioctl(0x3b00 | nr, words(8, 0))).toBe(nr);
  });
});

describe("what execute answers", () => {
  test.each<[value: unknown, answered: number | string]>([
    [undefined, 0],
    [0, 0],
    [-0, 0],
    [1, 1],
    [2 ** 31 - 1, 2 ** 31 - 1],
    [-1, "EPERM"],
    [-16, "EBUSY"],
    [-4095, -4095],
  ])("%o becomes %s", async (value, answered) => {
    const { iommufd, context } = await scene();
    const { request } = pair(iommufd, () => value as number);
    expect(answer(context.tryIoctl(request, words(12, 0, 0)))).toBe(answered);
    expect(await context.ioctlAsync(request, words(12, 0, 0)).catch(({ code }: IommufdError) => code)).toBe(
      answered === -4095 ? "EIO" : answered,
    );
  });

  test.each([null, "0", 1n, 0.5, NaN, Infinity, 2 ** 31, -4096, -(2 ** 31), {}, [], true, Promise.resolve(0)])(
    "%o is no answer: TypeError, and the call is over",
    async (value) => {
      const { iommufd, context } = await scene();
      const { request } = pair(iommufd, () => value as number);
      expect(() => context.tryIoctl(request, words(12, 0, 0))).toThrow(TypeError);
      expect(() => context.ioctl(request, words(12, 0, 0))).toThrow(/PAIR_/);
      context.close();
      expect(iommufd.stats().files.open).toBe(0);
    },
  );

  test("an IommufdError that it throws is the answer, anything else goes to the caller as it is", async () => {
    const { iommufd, context } = await scene();
    const thrown: { error: unknown } = { error: undefined };
    const { request, name } = pair(iommufd, () => {
      throw thrown.error;
    });
    thrown.error = new IommufdError("EADDRINUSE", { message: "inside" });
    expect(answer(context.tryIoctl(request, words(12, 0, 0)))).toBe("EADDRINUSE");
    expect(() => context.ioctl(request, words(12, 0, 0))).toThrow(
      expect.objectContaining({ code: "EADDRINUSE", command: name }),
    );
    for (const error of [new Error("plain"), new TypeError("type"), "a string", undefined, null, 5]) {
      thrown.error = error;
      let caught: unknown = "nothing";
      try {
        context.tryIoctl(request, words(12, 0, 0));
      } catch (came) {
        caught = came;
      }
      expect(caught).toBe(error);
    }
    context.close();
    expect(iommufd.stats().files.open).toBe(0);
  });

  test("an error of a call inside it is its answer", async () => {
    const { iommufd, context } = await scene();
    const { request } = pair(iommufd, (cmd) => cmd.context.get(cmd.fields.first).put());
    const id = make(context, plainType(iommufd));
    expect(answer(context.tryIoctl(request, words(12, id, 0)))).toBe(0);
    expect(answer(context.tryIoctl(request, words(12, id + 1, 0)))).toBe("ENOENT");
  });
});

describe.each(ABIS)("%s, a reply", (abi) => {
  test.each([
    [0, 12],
    [4, 12],
    [7, 12],
    [12, 12],
    [12, 9],
    [12, 8],
    [12, 40],
    [8, 40],
  ])("respond(%d) to a struct of %d bytes writes what both allow", async (length, size) => {
    const { iommufd, context } = await scene(abi);
    const command = iommufd.defineIoctl({
      name: "REPLY",
      nr: NR,
      fields: { first: "u32", second: "u32" },
      last: "first",
      execute(cmd) {
        cmd.fields.first = 0x1111_1111;
        cmd.fields.second = 0x2222_2222;
        cmd.respond(length);
      },
    });
    const whole = [size, 0, 0, 0, 0x11, 0x11, 0x11, 0x11, 0x22, 0x22, 0x22, 0x22];
    const want = Array.from({ length: size }, (_, at) =>
      at < Math.min(size, length) ? whole[at] : at === 0 ? size : 0,
    );
    const bytes = new Uint8Array(size);
    bytes[0] = size;
    expect(context.ioctl(command.request, bytes)).toBe(0);
    expect([...bytes]).toEqual(want);
    const mapping = iommufd.userSpace.map(PAGE);
    mapping.bytes[0] = size;
    expect(context.ioctl(command.request, mapping.va)).toBe(0);
    expect([...mapping.bytes.subarray(0, size)]).toEqual(want);
    expect(mapping.bytes.subarray(size).every((byte) => byte === 0)).toBe(true);
  });

  test("into any kind of view ends up in that view, exactly in its bytes", async () => {
    const { iommufd, context } = await scene(abi);
    const { request } = defineEcho(iommufd);
    const length = ECHO_SIZE;
    for (const [offset, viewOf] of [
      [3, (buffer: ArrayBuffer) => new Uint8Array(buffer, 3, length)],
      [5, (buffer: ArrayBuffer) => new DataView(buffer, 5, length)],
      [4, (buffer: ArrayBuffer) => new Uint32Array(buffer, 4, length / 4)],
      [8, (buffer: ArrayBuffer) => new Float64Array(buffer, 8, length / 8)],
    ] as const) {
      const buffer = new ArrayBuffer(offset + length + 8);
      const all = new Uint8Array(buffer).fill(0xee);
      all.set(echoBytes(length, length, ECHO_REPLY), offset);
      const view = viewOf(buffer);
      expect(context.ioctl(request, view)).toBe(0);
      expect([...all.subarray(0, offset), ...all.subarray(offset + length)].every((byte) => byte === 0xee)).toBe(true);
      expect(all[offset + 8]).toBe(0xfe);
      expect(all[offset + length - 1]).toBe(~48 & 0xff);
    }
  });

  test("to memory that is partly read-only is EFAULT, and the bytes before are written", async () => {
    const { iommufd, context } = await scene(abi);
    const { request } = defineEcho(iommufd);
    const mapping = iommufd.userSpace.map(2 * PAGE);
    for (const before of [0, 1, 4, 7, 8, 9, 55, 56]) {
      const start = PAGE - before;
      iommufd.userSpace.protect(mapping.va, 2 * PAGE, "rw");
      mapping.bytes.fill(0);
      const bytes = echoBytes(ECHO_SIZE, ECHO_SIZE, ECHO_REPLY);
      mapping.bytes.set(bytes, start);
      iommufd.userSpace.protect(mapping.va + BigInt(PAGE), PAGE, "r");
      expect(answer(context.tryIoctl(request, mapping.va + BigInt(start)))).toBe(before < ECHO_SIZE ? "EFAULT" : 0);
      const want = bytes.map((byte, at) => (at >= 8 && at < before ? ~byte : byte));
      expect(mapping.bytes.slice(start, start + ECHO_SIZE)).toEqual(want);
    }
  });

  test("that fails may be caught, and the command decides", async () => {
    const { iommufd, context } = await scene(abi);
    const { request } = pair(iommufd, (cmd) => {
      try {
        cmd.respond();
      } catch (error) {
        expect(error).toMatchObject({ code: "EFAULT" });
        return 5;
      }
      return 6;
    });
    const { va } = iommufd.userSpace.map(PAGE, { prot: "rw" });
    iommufd.userSpace.write(va, words(12, 0, 0));
    expect(context.ioctl(request, va)).toBe(6);
    iommufd.userSpace.protect(va, PAGE, "r");
    expect(context.ioctl(request, va)).toBe(5);
  });

  test("into a buffer that execute detached is EFAULT", async () => {
    const { iommufd, context } = await scene(abi);
    const bytes = words(12, 1, 2);
    const { request } = pair(iommufd, (cmd) => {
      structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
      cmd.respond();
    });
    expect(answer(context.tryIoctl(request, bytes))).toBe("EFAULT");
  });
});

test.each([-1, 13, 0.5, NaN, Infinity, "12", null])("respond(%o) is EINVAL", async (length) => {
  const { iommufd, context } = await scene();
  const { request } = pair(iommufd, (cmd) => cmd.respond(length as number));
  const bytes = words(12, 1, 2);
  expect(answer(context.tryIoctl(request, bytes))).toBe("EINVAL");
  expect(bytes).toEqual(words(12, 1, 2));
});

test("a field that no longer fits its type is EINVAL at respond, and nothing is written", async () => {
  const { iommufd, context } = await scene();
  const { request } = pair(iommufd, (cmd) => {
    cmd.fields.first = 7;
    cmd.fields.second = -1;
    cmd.respond();
  });
  const bytes = words(12, 1, 2);
  expect(answer(context.tryIoctl(request, bytes))).toBe("EINVAL");
  expect(bytes).toEqual(words(12, 1, 2));
});

describe("memory that the struct points to", () => {
  test("is read and written by address, and a bad byte is EFAULT", async () => {
    const { iommufd, context } = await scene();
    const mapping = iommufd.userSpace.map(3 * PAGE);
    const command = iommufd.defineIoctl({
      name: "COPY",
      nr: NR,
      fields: { length: "u32", from: "u64", to: "u64" },
      execute(cmd) {
        const { from, to, length } = cmd.fields;
        cmd.copyToUser(to, cmd.copyFromUser(from, length).reverse());
      },
    });
    mapping.bytes.set([1, 2, 3, 4]);
    const { va } = mapping;
    context.call(command, { length: 4, from: va, to: va + BigInt(2 * PAGE - 2) });
    expect([...mapping.bytes.subarray(2 * PAGE - 2, 2 * PAGE + 2)]).toEqual([4, 3, 2, 1]);
    context.call(command, { length: 2 * PAGE, from: va, to: va + BigInt(PAGE) });
    iommufd.userSpace.protect(va, PAGE, "r");
    const code = (fields: { length: number; from: bigint; to: bigint }): string =>
      errnoOf(() => context.call(command, fields));
    expect(code({ length: 4, from: va, to: va })).toBe("EFAULT");
    expect(code({ length: 4, from: va, to: va + BigInt(PAGE) })).toBe("no error");
    expect(code({ length: 4, from: va + BigInt(3 * PAGE - 3), to: va + BigInt(PAGE) })).toBe("EFAULT");
    expect(code({ length: 4, from: 2n ** 64n - 1n, to: va })).toBe("EFAULT");
    expect(code({ length: 2 ** 32 - 1, from: va, to: va })).toBe("EFAULT");
    expect(code({ length: 0, from: 0n, to: 0n })).toBe("no error");
  });

  test("may be the shared memory's own bytes", async () => {
    const { iommufd, context } = await scene();
    const { request } = defineEcho(iommufd);
    const { bytes } = iommufd.userSpace.map(PAGE);
    const struct = bytes.subarray(100, 100 + ECHO_SIZE);
    struct.set(echoBytes(ECHO_SIZE, ECHO_SIZE, ECHO_REPLY));
    expect(context.ioctl(request, struct)).toBe(0);
    expect(struct[8]).toBe(0xfe);
  });
});

describe("execute may call again", () => {
  test("the same command, another one, or IOMMU_DESTROY: each sees its own struct", async () => {
    const { iommufd, context } = await scene();
    const type = plainType(iommufd);
    const depths: number[] = [];
    const command: IoctlCommand<PairFields> = pair(iommufd, (cmd) => {
      const { first, second } = cmd.fields;
      depths.push(first);
      if (first > 0) {
        const inner = context.call(command, { first: first - 1, second: second * 2 });
        cmd.fields.second = inner.second + 1;
      } else {
        cmd.context.destroy(make(cmd.context, type));
      }
      expect([cmd.fields.first, cmd.userSize]).toEqual([first, 12]);
      cmd.respond();
    });
    expect(context.call(command, { first: 20, second: 1 }).second).toBe(2 ** 20 + 20);
    expect(depths).toEqual(Array.from({ length: 21 }, (_, n) => 20 - n));
    expect(idsOf(context)).toEqual([]);
  });

  test("on user memory while its own struct is there", async () => {
    const { iommufd, context } = await scene();
    const { va, bytes } = iommufd.userSpace.map(PAGE);
    const inner = pair(
      iommufd,
      (cmd) => {
        cmd.fields.first = 77;
        cmd.respond();
      },
      0xb2,
    );
    const outer = pair(iommufd, (cmd) => {
      bytes.set(words(12, 0, 0), 100);
      cmd.context.ioctl(inner.request, va + 100n);
      bytes.fill(0xff, 0, 12); // the struct was copied once: nobody looks here again
      expect([cmd.fields.size, cmd.fields.first, cmd.fields.second]).toEqual([12, 5, 6]);
      cmd.respond(8);
    });
    bytes.set(words(12, 5, 6));
    expect(context.ioctl(outer.request, va)).toBe(0);
    expect([...bytes.subarray(0, 12)]).toEqual([12, 0, 0, 0, 5, 0, 0, 0, 255, 255, 255, 255]);
    expect(new DataView(bytes.buffer, bytes.byteOffset).getUint32(104, true)).toBe(77);
  });

  test("and destroying what it has locked itself is EDEADLK, by whatever way", async () => {
    const { iommufd, context } = await scene();
    const { request } = pair(iommufd, (cmd) => {
      const locked = cmd.context.get(cmd.fields.first);
      try {
        return cmd.context.tryIoctl(IOMMU_DESTROY.request, words(8, cmd.fields.first));
      } finally {
        locked.put();
      }
    });
    const id = make(context, plainType(iommufd));
    expect(answer(context.tryIoctl(request, words(12, id, 0)))).toBe("EDEADLK");
    expect(counts(context, id)).toBe("1/0 live");
  });
});

test("after execute has returned its command is of no use, the caller's memory stays as it is", async () => {
  const { iommufd, context } = await scene();
  let leaked!: UserCommand<PairFields>;
  const { request } = pair(iommufd, (cmd) => {
    leaked = cmd;
  });
  const bytes = words(12, 1, 2);
  context.ioctl(request, bytes);
  leaked.fields.first = 9;
  const { va } = iommufd.userSpace.map(PAGE);
  expect(errnoOf(() => leaked.respond())).toBe("EINVAL");
  expect(errnoOf(() => leaked.copyToUser(va, Uint8Array.of(1)))).toBe("EINVAL");
  expect(errnoOf(() => leaked.copyFromUser(va, 1))).toBe("EINVAL");
  expect(errnoOf(() => leaked.context.objects())).toBe("EBADF");
  expect(errnoOf(() => leaked.context.get(1))).toBe("EBADF");
  expect(bytes).toEqual(words(12, 1, 2));
});

test("call fills in the size and returns all fields as the reply left them", async () => {
  const { iommufd, context } = await scene();
  const command = iommufd.defineIoctl({
    name: "SUM",
    nr: NR,
    fields: { left: "u32", right: "u64", sum: "u64", note: "u8[5]" },
    execute(cmd) {
      expect(cmd.userSize).toBe(cmd.fields.size);
      cmd.fields.sum = BigInt(cmd.fields.left) + cmd.fields.right;
      cmd.fields.note = Uint8Array.of(1, 2);
      cmd.respond();
    },
  });
  expect(context.call(command, { left: 2, right: 2n ** 40n })).toEqual({
    size: command.size,
    left: 2,
    right: 2n ** 40n,
    sum: 2n ** 40n + 2n,
    note: Uint8Array.of(1, 2, 0, 0, 0),
  });
  expect(errnoOf(() => context.call(command, { left: -1 }))).toBe("EINVAL");
  expect(errnoOf(() => context.call(command, { other: 1 } as never))).toBe("EINVAL");
});

test("ioctlAsync runs execute at once and answers by its promise", async () => {
  const { iommufd, context } = await scene();
  let ran = 0;
  const { request } = pair(iommufd, (cmd) => {
    ran++;
    cmd.fields.second = cmd.fields.first + 1;
    cmd.respond();
    return cmd.fields.first === 0 ? -22 : 3;
  });
  const bytes = words(12, 5, 0);
  const promise = context.ioctlAsync(request, bytes);
  expect(ran).toBe(1);
  expect(await promise).toBe(3);
  expect(bytes).toEqual(words(12, 5, 6));
  expect(await errnoOfAsync(context.ioctlAsync(request, words(12, 0, 0)))).toBe("EINVAL");
});

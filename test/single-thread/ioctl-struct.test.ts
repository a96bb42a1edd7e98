// SPDX-License-Identifier: GPL-2.0-only
//
// The structs of ioctls: layout, and values on their way into bytes and back.

import { IoctlCommand } from "iommufd-wasm";
import { describe, expect, test } from "vitest";
import { errnoOf } from "../support/answer.ts";

const NR = 0xb1;

/** What a failing call says. */
function messageOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("no error");
}

describe("a struct is laid out as a C compiler would", () => {
  test.each<[fields: Record<string, string>, offsets: number[], size: number]>([
    [{}, [0], 4],
    [{ a: "u8" }, [0, 4], 8],
    [{ a: "u8", b: "u8", c: "u16", d: "u32" }, [0, 4, 5, 6, 8], 12],
    [{ a: "u8", b: "u16", c: "u8", d: "u32" }, [0, 4, 6, 8, 12], 16],
    [{ a: "u64" }, [0, 8], 16],
    [{ a: "u32", b: "u64", c: "u8" }, [0, 4, 8, 16], 24],
    [{ a: "u8[3]", b: "u8", c: "s16" }, [0, 4, 7, 8], 12],
    [{ a: "u8[1]", b: "s64", c: "u8[17]" }, [0, 4, 8, 16], 40],
    [{ a: "s8", b: "s32" }, [0, 4, 8], 12],
    [{ a: "u8[4092]" }, [0, 4], 4096],
    // struct iommu_hwpt_alloc of the uAPI
    [
      {
        flags: "u32",
        dev_id: "u32",
        pt_id: "u32",
        out_hwpt_id: "u32",
        __reserved: "u32",
        data_type: "u32",
        data_len: "u32",
        data_uptr: "u64",
        fault_id: "u32",
        __reserved2: "u32",
      },
      [0, 4, 8, 12, 16, 20, 24, 28, 32, 40, 44],
      48,
    ],
  ])("%o", (fields, offsets, size) => {
    const command = new IoctlCommand({ name: "LAYOUT", nr: NR, fields: fields as never });
    expect(Object.keys(command.fields)).toEqual(["size", ...Object.keys(fields)]);
    expect(Object.values(command.fields).map(({ offset }) => offset)).toEqual(offsets);
    expect(command).toMatchObject({ nr: NR, request: 0x3b00 | NR, size });
  });

  test.each<["a" | "b" | "c" | "size" | undefined, number]>([
    [undefined, 18],
    ["size", 4],
    ["a", 8],
    ["b", 16],
    ["c", 18],
  ])("with last = %s the smallest struct has %d bytes", (last, minSize) => {
    const fields = { a: "u32", b: "u64", c: "u16" } as const;
    const command = new IoctlCommand({
      name: "LAST",
      nr: NR,
      fields,
      ...(last && { last: last as keyof typeof fields }),
    });
    expect(command).toMatchObject({ minSize, size: 24 });
  });

  test("the order of the fields is the order in which they are written, whatever their names", () => {
    const fields = { zebra: "u32", apple: "u32", toString: "u32", constructor: "u32", _1: "u32" } as const;
    const command = new IoctlCommand({ name: "ORDER", nr: NR, fields });
    expect(Object.entries(command.fields).map(([name, { offset }]) => [name, offset])).toEqual([
      ["size", 0],
      ["zebra", 4],
      ["apple", 8],
      ["toString", 12],
      ["constructor", 16],
      ["_1", 20],
    ]);
    expect(command.decode(command.encode({ toString: 5, constructor: 6 }))).toEqual({
      size: 24,
      zebra: 0,
      apple: 0,
      toString: 5,
      constructor: 6,
      _1: 0,
    });
  });

  test.each(["1", "0", "__proto__"])(
    "a field cannot be called %o: JavaScript would put it elsewhere or lose it",
    (name) => {
      const fields = Object.fromEntries([
        ["before", "u32"],
        [name, "u8"],
      ]) as Record<string, "u8" | "u32">;
      expect(errnoOf(() => new IoctlCommand({ name: "NAMES", nr: NR, fields }))).toBe("EINVAL");
    },
  );
});

describe("fields go there and back", () => {
  const rows: [type: string, values: unknown[], refused: unknown[]][] = [
    ["u8", [0, 1, 255], [-1, 256, 0.5, NaN, 1n, "1", null, [1]]],
    ["u16", [0, 65_535], [-1, 65_536, 1n]],
    ["u32", [0, 2 ** 31, 2 ** 32 - 1], [-1, 2 ** 32, Infinity, 5n]],
    ["u64", [0n, 2n ** 63n, 2n ** 64n - 1n], [-1n, 2n ** 64n, -1, 0.5, 2 ** 53, "1"]],
    ["s8", [-128, 0, 127], [-129, 128, -1n]],
    ["s16", [-32_768, 32_767], [-32_769, 32_768]],
    ["s32", [-(2 ** 31), -1, 2 ** 31 - 1], [2 ** 31, -(2 ** 31) - 1]],
    ["s64", [-(2n ** 63n), -1n, 2n ** 63n - 1n], [2n ** 63n, -(2n ** 63n) - 1n, 1.5]],
    ["u8[4]", [Uint8Array.of(1, 2, 3, 4)], [Uint8Array.of(1, 2, 3, 4, 5), [1, 2, 3, 4], 5, "abcd", new ArrayBuffer(4)]],
  ];

  test.each(rows)("%s", (type, values, refused) => {
    const command = new IoctlCommand({
      name: "FIELD",
      nr: NR,
      fields: { guard: "u8", value: type as "u8", behind: "u8" },
    });
    for (const value of values) {
      const bytes = command.encode({ guard: 0xaa, value: value as number, behind: 0x55 });
      expect(bytes).toHaveLength(command.size);
      expect(command.decode(bytes)).toEqual({ size: command.size, guard: 0xaa, value, behind: 0x55 });
    }
    for (const value of refused) expect(errnoOf(() => command.encode({ value: value as number }))).toBe("EINVAL");
  });

  test("bytes are little endian, at their offsets, padding zero", () => {
    const command = new IoctlCommand({ name: "BYTES", nr: NR, fields: { a: "u16", b: "u64", c: "u8[3]" } });
    expect([...command.encode({ a: 0x0102, b: 0x0102_0304_0506_0708n, c: Uint8Array.of(9, 8) })]).toEqual([
      ...[24, 0, 0, 0, 2, 1, 0, 0],
      ...[8, 7, 6, 5, 4, 3, 2, 1],
      ...[9, 8, 0, 0, 0, 0, 0, 0],
    ]);
  });

  test("what is left out is zero, 64-bit fields take safe integers, what is undefined is left out", () => {
    const command = new IoctlCommand({
      name: "DEFAULTS",
      nr: NR,
      fields: { a: "u32", b: "u64", c: "s64", d: "u8[2]" },
    });
    expect(command.decode(command.encode({}))).toEqual({
      size: command.size,
      a: 0,
      b: 0n,
      c: 0n,
      d: new Uint8Array(2),
    });
    expect(command.decode(command.encode({ b: 2 ** 53 - 1, c: -5, a: undefined as never }))).toMatchObject({
      a: 0,
      b: 2n ** 53n - 1n,
      c: -5n,
    });
  });

  test("what an object inherits is not given: fields called as Object.prototype's are zero, or stay as they are", () => {
    const fields = { constructor: "u32", toString: "u64", valueOf: "u8[2]", hasOwnProperty: "s8" } as const;
    const command = new IoctlCommand({ name: "INHERITED", nr: NR, fields });
    const none = {
      size: command.size,
      constructor: 0,
      toString: 0n,
      valueOf: new Uint8Array(2),
      hasOwnProperty: 0,
    };
    expect(command.decode(command.encode({}))).toEqual(none);
    expect(command.decode(command.encode({ toString: 7 } as never))).toEqual({ ...none, toString: 7n });
    const input = Object.create({ constructor: 5 }) as object;
    expect(command.decode(command.encode(input as never))).toEqual(none);
    const struct = new Uint8Array(command.size).fill(1);
    command.write(struct, input as Record<string, unknown>);
    expect([...struct]).toEqual(new Array(command.size).fill(1));
    // A literal's __proto__ is what it inherits from, and no field; as an own property it is a field that is not there.
    const plain = new IoctlCommand({ name: "PLAIN", nr: NR, fields: { a: "u32" } });
    expect(plain.decode(plain.encode({ __proto__: { a: 5 } } as { a?: number })).a).toBe(0);
    expect(errnoOf(() => plain.encode(JSON.parse('{ "a": 1, "__proto__": 5 }') as { a: number }))).toBe("EINVAL");
  });

  test("values may come in any order, and what is wrong among them is named wherever it stands", () => {
    const fields = { a: "u8", b: "s16", c: "u64", d: "u8[3]" } as const;
    const command = new IoctlCommand({ name: "ANY_ORDER", nr: NR, fields });
    const values = { a: 1, b: -2, c: 3n, d: Uint8Array.of(4, 5, 6) };
    const names = ["d", "c", "b", "a"] as const satisfies readonly (keyof typeof values)[];
    for (const first of names) {
      for (const second of names) {
        const order = [...new Set([first, second, ...names])];
        const input = Object.fromEntries(order.map((name) => [name, values[name]]));
        expect(command.decode(command.encode(input))).toEqual({ size: command.size, ...values });
        expect(messageOf(() => command.encode({ ...input, [first]: "5" }))).toMatch(
          new RegExp(
            `^EINVAL: ioctl ANY_ORDER: ${first} must be a ${fields[first].replace("[3]", ".3.")}, not a string$`,
          ),
        );
        const unknown: Record<string, unknown> = {};
        for (const name of order) Object.assign(unknown, { [name]: values[name] }, name === second && { e: 1 });
        expect(messageOf(() => command.encode(unknown as object))).toBe(
          "EINVAL: ioctl ANY_ORDER: there is no field e to set",
        );
      }
    }
  });

  test("what a getter does while it is read, another encode included, changes nothing", () => {
    const command = new IoctlCommand({ name: "GETTER", nr: NR, fields: { a: "u64", b: "u64" } });
    const input = {
      get a() {
        command.encode({ a: 77n, b: 78n });
        return 1n;
      },
      get b() {
        return command.decode(command.encode({ a: 88n, b: 2n })).b;
      },
    };
    expect(command.decode(command.encode(input))).toEqual({ size: command.size, a: 1n, b: 2n });
  });

  test.each(["u64", "s64"] as const)("a number and a bigint of the same worth are the same bytes: %s", (type) => {
    const command = new IoctlCommand({ name: "WORTH", nr: NR, fields: { value: type } });
    const worths = [0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 5, 2 ** 53 - 1];
    if (type === "s64") worths.push(-1, -(2 ** 31), -(2 ** 32), -(2 ** 32) - 1, -(2 ** 53) + 1);
    for (const value of worths) {
      expect(command.encode({ value })).toEqual(command.encode({ value: BigInt(value) }));
      expect(command.decode(command.encode({ value })).value).toBe(BigInt(value));
    }
  });

  test("write leaves what is not given, knows size, passes over what is no field, and needs bytes for the field", () => {
    const command = new IoctlCommand({ name: "WRITE", nr: NR, fields: { a: "u16", b: "u8[2]", c: "s64" } });
    const around = new Uint8Array(command.size + 6).fill(0xee);
    const bytes = around.subarray(3, -3); // at an odd place
    command.write(bytes, { c: -2, none: 5, b: Uint8Array.of(9), size: 7 });
    expect(command.decode(bytes)).toEqual({ size: 7, a: 0xeeee, b: Uint8Array.of(9, 0), c: -2n });
    expect([...around.subarray(0, 3), ...around.subarray(-3)]).toEqual(new Array(6).fill(0xee));
    expect(() => command.write(bytes.subarray(0, 8), { c: 1 })).toThrow(RangeError);
    expect(() => command.write(bytes, undefined as never)).toThrow(TypeError);
    expect(() => command.encode(null as never)).toThrow(TypeError);
  });

  test.each(["toString", "constructor", "__proto__"])("the last field is none that every object has: %s", (last) => {
    const fields = { a: "u32" } as const;
    expect(errnoOf(() => new IoctlCommand({ name: "LAST", nr: NR, fields, last: last as "a" }))).toBe("EINVAL");
  });

  test("a field that is not there, or size, cannot be set", () => {
    const command = new IoctlCommand({ name: "UNKNOWN", nr: NR, fields: { a: "u32" } });
    for (const field of ["b", "size", "toString", "__proto__"]) {
      const input = Object.fromEntries([[field, 1]]) as { a?: number };
      expect(errnoOf(() => command.encode(input))).toBe("EINVAL");
    }
  });

  test("decode takes short and long input, and keeps no tie to it", () => {
    const command = new IoctlCommand({ name: "DECODE", nr: NR, fields: { a: "u32", b: "u8[4]" } });
    expect(command.decode(new Uint8Array(0))).toEqual({ size: 0, a: 0, b: new Uint8Array(4) });
    const bytes = new Uint8Array(100).fill(1);
    const { b } = command.decode(bytes);
    bytes.fill(2);
    expect(b).toEqual(new Uint8Array(4).fill(1));
  });
});

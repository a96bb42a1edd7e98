// SPDX-License-Identifier: GPL-2.0-only
//
// "iommufd-wasm/trace": exact lines.

import {
  type Fields,
  type IoctlCommand,
  IOMMU_IOAS_MAP,
  IOMMU_OPTION,
  IOMMU_VFIO_IOAS,
  IOMMUFD_COMMANDS,
  VFIO_CHECK_EXTENSION,
  VFIO_GET_API_VERSION,
  VFIO_IOMMU_MAP_DMA,
  VFIO_SET_IOMMU,
  vfio_iommu_type1_dma_map,
} from "iommufd-wasm";
import { describe, expect, test } from "vitest";
import { Decoder, decode, errnoName, errnoText, type TraceCommand, type TraceField } from "iommufd-wasm/trace";
import { concat, words } from "../support/bytes.ts";

const DESTROY = 0x3b80;
const VEVENTQ_ALLOC = 0x3b93;

const EVERYTHING: TraceCommand = {
  name: "LAB_EVERYTHING",
  request: 0x3bb0,
  size: 64,
  fields: {
    size: { offset: 0, size: 4, type: "u32" },
    a: { offset: 4, size: 1, type: "u8" },
    b: { offset: 5, size: 1, type: "s8" },
    c: { offset: 6, size: 2, type: "u16" },
    d: { offset: 8, size: 2, type: "s16" },
    e: { offset: 12, size: 4, type: "s32" },
    f: { offset: 16, size: 8, type: "u64" },
    g: { offset: 24, size: 8, type: "s64" },
    h: { offset: 32, size: 4, type: "u32" },
    data: { offset: 36, size: 28, type: "u8[28]" },
  },
};

const LOG: TraceCommand = {
  name: "LAB_LOG",
  request: 0x3ba5,
  size: 24,
  fields: {
    // Not in the order of the offsets.
    uptr: { offset: 8, size: 8, type: "u64" },
    size: { offset: 0, size: 4, type: "u32" },
    out_count: { offset: 16, size: 4, type: "u32" },
    capacity: { offset: 4, size: 4, type: "u32" },
  },
};

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

describe("a built-in command", () => {
  const cases: [behaviour: string, bytes: Uint8Array, result: number, line: string][] = [
    [
      "shows the struct, the errno and its text",
      words(8, 1),
      -16,
      "ioctl(3, IOMMU_DESTROY, {size=8, id=1}) = -1 EBUSY (Device or resource busy)",
    ],
    ["shows success as 0", words(8, 4294967295), 0, "ioctl(3, IOMMU_DESTROY, {size=8, id=4294967295}) = 0"],
    [
      "leaves out what the declared size does not cover",
      words(4, 1),
      -95,
      "ioctl(3, IOMMU_DESTROY, {size=4}) = -1 EOPNOTSUPP (Operation not supported)",
    ],
    [
      "always shows the size word, which the kernel reads first",
      words(0, 1),
      -22,
      "ioctl(3, IOMMU_DESTROY, {size=0}) = -1 EINVAL (Invalid argument)",
    ],
    ["leaves out what was not given", words(8), -14, "ioctl(3, IOMMU_DESTROY, {size=8}) = -1 EFAULT (Bad address)"],
    [
      "shows the rest of a field that is cut in two as bytes",
      words(6, 0x00020001),
      -95,
      'ioctl(3, IOMMU_DESTROY, {size=6, /* bytes 4..5 */ "\\x01\\x00"}) = -1 EOPNOTSUPP (Operation not supported)',
    ],
    [
      "shows bytes that do not even hold the size",
      Uint8Array.of(8, 0),
      -14,
      'ioctl(3, IOMMU_DESTROY, {/* bytes 0..1 */ "\\x08\\x00"}) = -1 EFAULT (Bad address)',
    ],
    ["shows no bytes at all as an empty struct", words(), -14, "ioctl(3, IOMMU_DESTROY, {}) = -1 EFAULT (Bad address)"],
    [
      "shows a short zero tail",
      words(16, 1, 0, 0),
      0,
      'ioctl(3, IOMMU_DESTROY, {size=16, id=1, /* bytes 8..15 */ "\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00"}) = 0',
    ],
    [
      "counts the zeros of a long tail",
      concat(words(4096, 1), new Uint8Array(4088)),
      0,
      "ioctl(3, IOMMU_DESTROY, {size=4096, id=1, /* bytes 8..4095 are zero */}) = 0",
    ],
    [
      "finds the byte of a long tail that is not zero",
      concat(words(4096, 1), new Uint8Array(4086), Uint8Array.of(7, 0)),
      -7,
      "ioctl(3, IOMMU_DESTROY, {size=4096, id=1, /* bytes 8..4093 are zero */, " +
        '/* bytes 4094..4095 */ "\\x07\\x00"}) = -1 E2BIG (Argument list too long)',
    ],
    [
      "cuts a long tail",
      concat(words(48, 1), new Uint8Array(40).fill(0x41)),
      -7,
      `ioctl(3, IOMMU_DESTROY, {size=48, id=1, /* bytes 8..47 */ "${"A".repeat(32)}"...}) = ` +
        "-1 E2BIG (Argument list too long)",
    ],
    [
      "ignores given bytes behind the declared size",
      words(8, 1, 2, 3),
      0,
      "ioctl(3, IOMMU_DESTROY, {size=8, id=1}) = 0",
    ],
  ];
  test.each(cases)("%s", (_behaviour, bytes, result, line) => {
    expect(decode(DESTROY, bytes, result)).toBe(line);
  });
});

describe("the argument", () => {
  const refused = "= -1 EFAULT (Bad address)";

  test("without bytes and address is NULL", () => {
    expect(decode(DESTROY, null, -14)).toBe(`ioctl(3, IOMMU_DESTROY, NULL) ${refused}`);
    expect(decode(DESTROY, null, -14, { address: null })).toBe(`ioctl(3, IOMMU_DESTROY, NULL) ${refused}`);
    expect(decode(DESTROY, null, -14, { address: 0n })).toBe(`ioctl(3, IOMMU_DESTROY, NULL) ${refused}`);
    expect(decode(DESTROY, new Uint8Array(0), -14, { address: null })).toBe(`ioctl(3, IOMMU_DESTROY, NULL) ${refused}`);
  });

  test("that nobody could read is its address", () => {
    const line = `ioctl(3, IOMMU_DESTROY, 0x7fff12345000) ${refused}`;
    expect(decode(DESTROY, null, -14, { address: 0x7fff12345000n })).toBe(line);
    expect(decode(DESTROY, new Uint8Array(0), -14, { address: 0x7fff12345000n })).toBe(line);
  });

  test("at the top of the address space keeps all 64 bits", () => {
    expect(decode(DESTROY, null, -14, { address: -1n })).toBe(`ioctl(3, IOMMU_DESTROY, 0xffffffffffffffff) ${refused}`);
  });

  test("is shown by its bytes where both are known", () => {
    expect(decode(DESTROY, words(8, 1), 0, { address: 0x1000n })).toBe("ioctl(3, IOMMU_DESTROY, {size=8, id=1}) = 0");
  });

  test("is not changed", () => {
    const bytes = words(8, 1);
    decode(DESTROY, bytes, 0);
    expect(bytes).toEqual(words(8, 1));
  });

  test("may be a part of a larger buffer", () => {
    const part = concat(words(9, 9), words(8, 5), words(9)).subarray(8, 16);
    expect(decode(DESTROY, part, 0)).toBe("ioctl(3, IOMMU_DESTROY, {size=8, id=5}) = 0");
  });

  test("may lie in shared memory", () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    const bytes = new Uint8Array(memory.buffer, 64, 8);
    bytes.set(words(8, 5));
    expect(decode(DESTROY, bytes, 0)).toBe("ioctl(3, IOMMU_DESTROY, {size=8, id=5}) = 0");
  });

  test("of megabytes gives one line", () => {
    const bytes = new Uint8Array(4 << 20);
    bytes.set(words(bytes.length, 1));
    expect(decode(DESTROY, bytes, 0)).toBe(
      "ioctl(3, IOMMU_DESTROY, {size=4194304, id=1, /* bytes 8..65535 are zero */}) = 0",
    );
  });
});

describe("the request", () => {
  const refused = "= -1 ENOTTY (Inappropriate ioctl for device)";
  const cases: [text: string, request: number][] = [
    ["_IOC(_IOC_NONE, 0x3b, 0x99, 0)", 0x3b99],
    ["_IOC(_IOC_WRITE, 0x3b, 0x80, 0x8)", 0x40083b80],
    ["_IOC(_IOC_READ, 0x3b, 0x81, 0x4)", 0x80043b81],
    ["_IOC(_IOC_READ|_IOC_WRITE, 0x3b, 0x80, 0x3fff)", 0xffff3b80],
    ["_IOC(_IOC_NONE, 0x54, 0x1, 0)", 0x5401],
    ["_IOC(_IOC_NONE, 0, 0, 0)", 0],
    ["_IOC(_IOC_READ|_IOC_WRITE, 0xff, 0xff, 0x3fff)", 0xffffffff],
    ["_IOC(_IOC_READ|_IOC_WRITE, 0xff, 0xff, 0x3fff)", -1],
    ["VFIO_IOMMU_MAP_DMA", 0x3b71],
    ["VFIO_IOMMU_DIRTY_PAGES", 0x3b75],
    ["IOMMU_IOAS_CHANGE_PROCESS", 0x3b92],
    ["IOMMU_IOAS_NOIOMMU_GET_PA", 0x3b95],
    ["IOMMU_TEST_CMD", 0x3ba0],
  ];
  test.each(cases)("is named or taken apart: %s", (text, request) => {
    expect(decode(request, null, -25)).toBe(`ioctl(3, ${text}, NULL) ${refused}`);
  });

  test("of iommufd's range is taken to have a size word", () => {
    expect(decode(VEVENTQ_ALLOC, words(12, 6, 1), -25)).toBe(
      `ioctl(3, IOMMU_VEVENTQ_ALLOC, {size=12, /* bytes 4..11 */ "\\x06\\x00\\x00\\x00\\x01\\x00\\x00\\x00"}) ${refused}`,
    );
  });

  test("of another range shows its bytes as a string", () => {
    expect(decode(0x5401, ascii('say "\\"'), -25)).toBe(
      `ioctl(3, _IOC(_IOC_NONE, 0x54, 0x1, 0), "say \\"\\\\\\"") ${refused}`,
    );
  });

  test("names exactly the numbers that iommufd and VFIO compatibility have", () => {
    const named = Array.from({ length: 256 }, (_, nr) => nr).filter(
      (nr) => !decode(0x3b00 | nr, null, 0).includes("_IOC("),
    );
    const table = Array.from({ length: 0x96 - 0x80 }, (_, index) => 0x80 + index);
    expect(named).toEqual([0x64, 0x65, 0x66, 0x70, 0x71, 0x72, 0x75, ...table, 0xa0]);
  });
});

describe("the values of fields", () => {
  const fieldsOf = (command: IoctlCommand<Fields>, values: object): string =>
    decode(command.request, command.encode(values), 0).replace(/^ioctl\(3, \w+, \{size=\d+, (.*)\}\) = 0$/, "$1");

  test.each<[flags: number, text: string]>([
    [0, "0"],
    [1, "IOMMU_IOAS_MAP_FIXED_IOVA"],
    [6, "IOMMU_IOAS_MAP_WRITEABLE|IOMMU_IOAS_MAP_READABLE"],
    [0x8000_0014, "IOMMU_IOAS_MAP_READABLE|0x80000010"],
    [8, "0x8"],
  ])("that are bits, %#x, are named, the others in hex", (flags, text) => {
    const values = { flags, ioas_id: 1, user_va: 0x1_0000n, length: 4096, iova: 5 };
    expect(fieldsOf(IOMMU_IOAS_MAP, values)).toBe(
      `flags=${text}, ioas_id=1, __reserved=0, user_va=0x10000, length=4096, iova=5`,
    );
  });

  test("that are one of several are named, others are numbers", () => {
    expect(fieldsOf(IOMMU_OPTION, { option_id: 1, op: 1, object_id: 1 })).toBe(
      "option_id=IOMMU_OPTION_HUGE_PAGES, op=IOMMU_OPTION_OP_GET, __reserved=0, object_id=1, val64=0",
    );
    expect(fieldsOf(IOMMU_OPTION, { option_id: 2, op: 0xffff })).toMatch(/^option_id=2, op=65535, /);
    expect(fieldsOf(IOMMU_VFIO_IOAS, { ioas_id: 9, op: 2 })).toBe("ioas_id=9, op=IOMMU_VFIO_IOAS_CLEAR, __reserved=0");
  });

  test("are shown for each command that the library has, with all fields in their order", () => {
    for (const command of IOMMUFD_COMMANDS) {
      const line = decode(command.request, command.encode({}), 0);
      const names = [...line.matchAll(/(\w+)=/g)].map(([, name]) => name);
      expect(line).toContain(`ioctl(3, ${command.name}, {size=${command.size}, `);
      expect(names).toEqual(Object.keys(command.fields));
    }
  });

  test("are named also where a caller describes the command, unless he means another", () => {
    const bytes = IOMMU_IOAS_MAP.encode({ flags: 4 });
    const named = decode(IOMMU_IOAS_MAP.request, bytes, 0);
    expect(named).toContain("flags=IOMMU_IOAS_MAP_READABLE");
    expect(decode(IOMMU_IOAS_MAP.request, bytes, 0, { commands: [IOMMU_IOAS_MAP] })).toBe(named);
    expect(new Decoder(IOMMUFD_COMMANDS).decode(IOMMU_IOAS_MAP.request, bytes, 0)).toBe(named);
    const mine = { name: "MINE", request: IOMMU_IOAS_MAP.request, size: 40, fields: IOMMU_IOAS_MAP.fields };
    expect(decode(mine.request, bytes, 0, { commands: [mine] })).toContain("MINE, {size=40, flags=4, ");
    expect(decode(IOMMU_IOAS_MAP.request, bytes, 0)).toBe(named);
  });
});

describe("VFIO's requests", () => {
  test.each<[request: number, value: bigint, text: string]>([
    [VFIO_CHECK_EXTENSION, 3n, "VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU"],
    [VFIO_CHECK_EXTENSION, 9n, "VFIO_CHECK_EXTENSION, VFIO_UNMAP_ALL"],
    [VFIO_CHECK_EXTENSION, 7n, "VFIO_CHECK_EXTENSION, 7"],
    [VFIO_CHECK_EXTENSION, 0n, "VFIO_CHECK_EXTENSION, 0"],
    [VFIO_SET_IOMMU, 1n, "VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU"],
    [VFIO_GET_API_VERSION, 0xffff_ffff_ffff_ffffn, "VFIO_GET_API_VERSION, 0xffffffffffffffff"],
  ])("of %i show a number that they take: %i", (request, value, text) => {
    expect(decode(request, null, 0, { address: value })).toBe(`ioctl(3, ${text}) = 0`);
    // Also where something happens to lie at that address.
    expect(decode(request, value === 0n ? null : words(1, 2), 0, { address: value })).toBe(`ioctl(3, ${text}) = 0`);
  });

  test("that got a buffer for a number show the buffer", () => {
    expect(decode(VFIO_SET_IOMMU, words(1), -22)).toContain('VFIO_SET_IOMMU, "\\x01\\x00\\x00\\x00")');
  });

  test("with a struct show it as far as it says that it goes", () => {
    const map = vfio_iommu_type1_dma_map.encode({ argsz: 32, flags: 3, vaddr: 0x1_0000n, iova: 4096, size: 4096 });
    expect(decode(VFIO_IOMMU_MAP_DMA, map, 0)).toBe(
      "ioctl(3, VFIO_IOMMU_MAP_DMA, {argsz=32, flags=VFIO_DMA_MAP_FLAG_READ|VFIO_DMA_MAP_FLAG_WRITE, " +
        "vaddr=0x10000, iova=4096, size=4096}) = 0",
    );
    expect(decode(VFIO_IOMMU_MAP_DMA, words(8, 1, 2), -22)).toMatch(/\{argsz=8, flags=VFIO_DMA_MAP_FLAG_READ\}/);
  });
});

describe("the file number and the result", () => {
  test("are signed numbers", () => {
    expect(decode(DESTROY, null, -9, { fd: -1 })).toBe(
      "ioctl(-1, IOMMU_DESTROY, NULL) = -1 EBADF (Bad file descriptor)",
    );
    expect(decode(DESTROY, null, 7, { fd: 2147483647 })).toBe("ioctl(2147483647, IOMMU_DESTROY, NULL) = 7");
  });

  test("an errno without a name is shown by its number", () => {
    expect(decode(DESTROY, null, -999)).toBe("ioctl(3, IOMMU_DESTROY, NULL) = -1 (errno 999)");
    expect(decode(DESTROY, null, -2147483648)).toBe("ioctl(3, IOMMU_DESTROY, NULL) = -1 (errno 2147483648)");
  });
});

describe("a command of the caller", () => {
  test("prints each type: decimal, hex for large u64, strings for byte arrays", () => {
    const bytes = new Uint8Array(64).fill(0xff);
    bytes.set(words(64));
    bytes.set(ascii("0123456789 abcdefghijklmnop~"), 36);
    expect(decode(EVERYTHING.request, bytes, 5, { commands: [EVERYTHING] })).toBe(
      "ioctl(3, LAB_EVERYTHING, {size=64, a=255, b=-1, c=65535, d=-1, e=-1, f=0xffffffffffffffff, g=-1, h=4294967295, " +
        'data="0123456789 abcdefghijklmnop~"}) = 5',
    );
  });

  test("prints the smallest signed and the last decimal u64", () => {
    const bytes = new Uint8Array(64);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, 36, true);
    view.setInt8(5, -128);
    view.setInt16(8, -32768, true);
    view.setInt32(12, -2147483648, true);
    view.setBigUint64(16, 65535n, true);
    view.setBigInt64(24, -(2n ** 63n), true);
    expect(decode(EVERYTHING.request, bytes, 0, { commands: [EVERYTHING] })).toBe(
      "ioctl(3, LAB_EVERYTHING, {size=36, a=0, b=-128, c=0, d=-32768, e=-2147483648, f=65535, g=-9223372036854775808, " +
        "h=0}) = 0",
    );
    view.setBigUint64(16, 65536n, true);
    expect(decode(EVERYTHING.request, bytes, 0, { commands: [EVERYTHING] })).toContain(", f=0x10000, ");
  });

  test("prints its fields in the order of their offsets", () => {
    expect(decode(LOG.request, words(24, 4, 0x10000, 0, 2, 0), 0, { commands: [EVERYTHING, LOG] })).toBe(
      "ioctl(3, LAB_LOG, {size=24, capacity=4, uptr=0x10000, out_count=2}) = 0",
    );
  });

  test("is known in the calls that name it and in no other", () => {
    const unnamed = decode(LOG.request, words(4), 0);
    decode(LOG.request, words(4), 0, { commands: [LOG] });
    expect(decode(LOG.request, words(4), 0)).toBe(unnamed);
  });

  test("stands before a built-in one, and before a later one of the same request", () => {
    const first = { ...LOG, request: DESTROY, name: "FIRST" };
    const second = { ...LOG, request: DESTROY, name: "SECOND" };
    const line = "ioctl(3, FIRST, {size=4}) = 0";
    expect(decode(DESTROY, words(4), 0, { commands: [first, second] })).toBe(line);
    expect(new Decoder([first, second]).decode(DESTROY, words(4), 0)).toBe(line);
  });

  test("may come from any iterable, and from a decoder made once", () => {
    const line = "ioctl(9, LAB_LOG, {size=4}) = 0";
    expect(decode(LOG.request, words(4), 0, { fd: 9, commands: new Set([LOG]) })).toBe(line);
    const decoder = new Decoder(new Set([EVERYTHING, LOG]).values());
    expect(decoder.decode(LOG.request, words(4), 0, { fd: 9 })).toBe(line);
    expect(decoder.decode(LOG.request, words(4), 0, { fd: 9 })).toBe(line);
    expect(decoder.decode(DESTROY, words(8, 1), 0)).toBe("ioctl(3, IOMMU_DESTROY, {size=8, id=1}) = 0");
  });

  test("whose field contradicts its type, or has none that is known, shows the bytes", () => {
    const odd: TraceCommand = {
      name: "ODD",
      request: 0x3bc0,
      size: 12,
      fields: {
        three: { offset: 4, size: 3, type: "u32" },
        pointer: { offset: 8, size: 4, type: "void *" },
      },
    };
    expect(decode(odd.request, words(12, 0x04030201, 0), 0, { commands: [odd] })).toBe(
      'ioctl(3, ODD, {three="\\x01\\x02\\x03", pointer="\\x00\\x00\\x00\\x00"}) = 0',
    );
  });

  test("cannot break the line by its names", () => {
    const odd: TraceCommand = {
      name: "A\nB C\u2028" + "x".repeat(1000),
      request: 0x3bc1,
      size: 4,
      fields: { "größe\0": { offset: 0, size: 4, type: "u32" } },
    };
    const cut = "A?B?C?" + "x".repeat(58);
    expect(decode(odd.request, words(4), 0, { commands: [odd] })).toBe(`ioctl(3, ${cut}, {größe?=4}) = 0`);
  });

  test("of more fields than are kept shows the first 128, and still its result", () => {
    const fields: Record<string, TraceField> = {};
    for (let i = 0; i < 500; i += 1) fields[`${i}`.padStart(64, "f")] = { offset: 4, size: 64, type: "u8[64]" };
    const many: TraceCommand = { name: "MANY", request: 0x3bc2, size: 68, fields };
    const line = decode(many.request, concat(words(68), new Uint8Array(64)), -12, { commands: [many] });
    expect(line.match(/f=|\d=/g)).toHaveLength(128);
    expect(line).toMatch(/\}\) = -1 ENOMEM \(Cannot allocate memory\)$/);
  });

  test("of more fields than are kept shows the bytes of the others without names", () => {
    const fields: Record<string, TraceField> = {};
    for (let i = 0; i < 130; i += 1) fields[`f${i}`] = { offset: 4 * i, size: 4, type: "u32" };
    const many: TraceCommand = { name: "MANY", request: 0x3bc3, size: 520, fields };
    const line = decode(many.request, concat(words(520), new Uint8Array(512), words(7)), 0, { commands: [many] });
    expect(line).toContain('f127=0, /* bytes 512..519 */ "\\x00\\x00\\x00\\x00\\x07\\x00\\x00\\x00"}) = 0');
  });

  test("is found again after many others were described", () => {
    const decoder = new Decoder([LOG]);
    const line = decoder.decode(LOG.request, words(24, 4, 0, 0, 2, 0), 0);
    for (let i = 0; i < 2000; i += 1) {
      const name = `OTHER_${i}`;
      expect(decode(LOG.request, words(4), 0, { commands: [{ ...LOG, name }] })).toBe(
        `ioctl(3, ${name}, {size=4}) = 0`,
      );
    }
    expect(decoder.decode(LOG.request, words(24, 4, 0, 0, 2, 0), 0)).toBe(line);
  });
});

describe("errnos", () => {
  const unassigned = [41, 58];

  test("from 1 to 133 have a name and a text, except the two that Linux never gave out", () => {
    const names = new Set<string>();
    const texts = new Set<string>();
    for (let errno = 1; errno <= 133; errno += 1) {
      const name = errnoName(errno);
      const text = errnoText(errno);
      if (unassigned.includes(errno)) {
        expect([name, text]).toEqual([undefined, undefined]);
        continue;
      }
      expect(name).toMatch(/^E[A-Z0-9]+$/);
      expect(text).toMatch(/^[A-Z.]\S*.*[a-z]/);
      expect([errnoName(-errno), errnoText(-errno)]).toEqual([name, text]);
      expect(decode(DESTROY, null, -errno)).toBe(`ioctl(3, IOMMU_DESTROY, NULL) = -1 ${name} (${text})`);
      names.add(name ?? "");
      texts.add(text ?? "");
    }
    expect([names.size, texts.size]).toEqual([131, 131]);
  });

  test.each([0, 41, 58, 134, 512, 4095, 2147483648, NaN])("%s has no name", (errno) => {
    expect(errnoName(errno)).toBeUndefined();
    expect(errnoText(errno)).toBeUndefined();
  });

  test.each([
    [1, "EPERM", "Operation not permitted"],
    [2, "ENOENT", "No such file or directory"],
    [7, "E2BIG", "Argument list too long"],
    [11, "EAGAIN", "Resource temporarily unavailable"],
    [35, "EDEADLK", "Resource deadlock avoided"],
    [77, "EBADFD", "File descriptor in bad state"],
    [95, "EOPNOTSUPP", "Operation not supported"],
    [133, "EHWPOISON", "Memory page has hardware error"],
  ])("%i is %s, %s", (errno, name, text) => {
    expect([errnoName(errno), errnoText(errno)]).toEqual([name, text]);
  });
});

// SPDX-License-Identifier: GPL-2.0-only
//
// The dispatch: which request with which struct is answered how, in which order of checks. Sources: spec of the ABI, the
// seed's iommufd_fops_ioctl(), and today's kernel. What of a longer struct is looked at is copy-struct.test.ts.

import { type Iommufd, type IommufdContext, IOMMU_DESTROY } from "iommufd-wasm";
import { describe, expect, test } from "vitest";
import { answer, errnoOf, errnoOfAsync } from "../support/answer.ts";
import { ABIS, boot } from "../support/boot.ts";
import { words } from "../support/bytes.ts";
import { ECHO_MIN, ECHO_SIZE, type Echo, defineEcho, echoBytes } from "../support/echo.ts";
import { counts, make, plainType } from "../support/objects.ts";

const PAGE = 4096;
const TASK_SIZE = 0x7fff_ffff_f000n;
const DESTROY = 0x3b80;

/** One request and argument, asked in all three ways; they must agree. */
async function ask(context: IommufdContext, request: number, arg: Uint8Array | bigint | null): Promise<unknown> {
  const copy = (): Uint8Array | bigint | null => (arg instanceof Uint8Array ? arg.slice() : arg);
  const result = answer(context.tryIoctl(request, copy()));
  if (typeof result === "string") {
    expect(errnoOf(() => context.ioctl(request, copy()))).toBe(result);
    expect(await errnoOfAsync(context.ioctlAsync(request, copy()))).toBe(result);
  }
  return result;
}

test("IOMMU_DESTROY is what the uAPI says", () => {
  expect(IOMMU_DESTROY).toMatchObject({
    name: "IOMMU_DESTROY",
    nr: 0x80,
    request: DESTROY,
    size: 8,
    minSize: 8,
    fields: { size: { offset: 0, size: 4, type: "u32" }, id: { offset: 4, size: 4, type: "u32" } },
  });
});

describe.each(ABIS)("%s", (abi) => {
  const SHORT = abi === "rfc" ? "EOPNOTSUPP" : "EINVAL";

  async function scene(): Promise<{ iommufd: Iommufd; context: IommufdContext; id: number; echo: Echo }> {
    const { iommufd } = await boot({ abi });
    const context = iommufd.open();
    return { iommufd, context, id: make(context, plainType(iommufd)), echo: defineEcho(iommufd) };
  }

  describe("the declared size of IOMMU_DESTROY", () => {
    test.each<[size: number, length: number, tail: number, expected: number | string]>([
      [0, 8, 0, SHORT],
      [1, 8, 0, SHORT],
      [4, 8, 0, SHORT],
      [7, 8, 0, SHORT],
      [8, 8, 0, 0],
      [9, 9, 0, 0],
      [9, 9, 1, "E2BIG"],
      [16, 16, 0, 0],
      [16, 16, 1, "E2BIG"],
      [PAGE, PAGE, 0, 0],
      [PAGE, PAGE, 0x80, "E2BIG"],
      [2 ** 31 - 1, 16, 0, "EFAULT"],
      [2 ** 31, 16, 0, "EFAULT"],
      [2 ** 32 - 1, 16, 0, "EFAULT"],
      [2 ** 32 - 1, 16, 1, "E2BIG"],
      [0, 4, 0, SHORT],
      [7, 4, 0, SHORT],
      [8, 4, 0, "EFAULT"],
      [8, 7, 0, "EFAULT"],
      [16, 8, 0, "EFAULT"],
    ])("%d of %d bytes, last byte %d: %s", async (size, length, tail, expected) => {
      const { iommufd, context, id } = await scene();
      const bytes = new Uint8Array(length);
      bytes.set(words(size, id).subarray(0, length));
      if (length > 8) bytes[length - 1] = tail;
      // As a buffer, and at the very end of a mapping.
      const { va } = iommufd.userSpace.map(2 * PAGE);
      const address = va + BigInt(2 * PAGE - length);
      iommufd.userSpace.write(address, bytes);
      expect(await ask(context, DESTROY, address)).toBe(expected);
      if (expected === 0) make(context, plainType(iommufd));
      expect(await ask(context, DESTROY, bytes)).toBe(expected);
      if (expected !== 0) expect(counts(context, id)).toBe("1/0 live");
    });
  });

  describe("the declared size of a struct that grew", () => {
    test.each<[size: number, expected: number | string]>([
      [ECHO_MIN - 1, SHORT],
      [ECHO_MIN, 0],
      [ECHO_MIN + 1, 0],
      [ECHO_SIZE - 1, 0],
      [ECHO_SIZE, 0],
      [ECHO_SIZE + 1, 0],
      [ECHO_SIZE + 4000, 0],
    ])("%d: %s, what is missing reads as zero", async (size, expected) => {
      const { context, echo } = await scene();
      const bytes = echoBytes(Math.max(size, 4), size, 6);
      expect(answer(context.tryIoctl(echo.request, bytes))).toBe(expected);
      expect(echo.seen).toHaveLength(expected === 0 ? 1 : 0);
      for (const { flags, data, userSize } of echo.seen) {
        expect([flags, userSize]).toEqual([6, size]);
        const present = Math.min(size, ECHO_SIZE) - ECHO_MIN;
        expect([...data]).toEqual(Array.from({ length: 48 }, (_, at) => (at < present ? at + 1 : 0)));
      }
    });
  });

  describe("a request", () => {
    const struct = words(8, 1);
    test.each<[request: number]>([
      [0],
      [1],
      [0x3b00],
      [0x3b7f],
      [0x3b93],
      [0x3b95],
      [0x3b96],
      [0x3ba0],
      [0x3ba8],
      [0x3bff],
      [0x3a80],
      [0x3c80],
      [0x0080],
      [0xff80],
      [0x0001_3b80],
      [0x0008_3b80],
      [0x2000_3b80],
      [0x4000_3b80],
      [0x8000_3b80],
      [0xc008_3b80],
      [0xffff_ffff],
      [0x7fff_ffff],
      [-1],
      [-0x7fff_c480],
      [2 ** 32 + DESTROY],
      [-(2 ** 32) + DESTROY],
      [DESTROY + 0.5],
      [NaN],
      [Infinity],
      [-Infinity],
      [2 ** 53],
    ])("%d is ENOTTY", async (request) => {
      const { context, id } = await scene();
      expect(await ask(context, request, struct)).toBe("ENOTTY");
      expect(counts(context, id)).toBe("1/0 live");
    });

    test.each(["15232", null, undefined, {}, [DESTROY], true])(
      "%o is ENOTTY, whatever it converts to",
      async (request) => {
        const { context, id } = await scene();
        expect(answer(context.tryIoctl(request as number, struct))).toBe("ENOTTY");
        expect(counts(context, id)).toBe("1/0 live");
      },
    );

    test("of a negative number with the right 32 bits is the same request", async () => {
      const { context, echo } = await scene();
      expect(await ask(context, (0x8000_3b80 | 0) >> 0, struct)).toBe("ENOTTY");
      expect(await ask(context, echo.request, words(8, 0))).toBe(0);
    });
  });

  describe("bad pointer and bad number together", () => {
    // rfc reads the size before it looks at the number. mainline looks first whether the number is in the table at all.
    const outside = abi === "rfc" ? "EFAULT" : "ENOTTY";
    test.each<[name: string, request: number, expected: string]>([
      ["below the table", 0x3b7f, outside],
      ["of VFIO, but none of its requests", 0x3b67, outside],
      ["just behind the table, which ends with the highest command", 0x3ba8, outside],
      ["far behind the table", 0x3bff, outside],
      ["no number at all", 0, outside],
      ["a hole in the table", 0x3b93, "EFAULT"],
      ["the right number, wrong type", 0x3a80, "EFAULT"],
      ["the right number, wrong size bits", 0x0008_3b80, "EFAULT"],
      ["the right number", DESTROY, "EFAULT"],
      ["a defined number", 0x3ba7, "EFAULT"],
    ])("%s: %i is %s", async (_name, request, expected) => {
      const { context } = await scene();
      for (const pointer of [null, 0n, 1n, 0x1000n, TASK_SIZE, 2n ** 64n - 1n, new Uint8Array(0), new Uint8Array(3)]) {
        expect(await ask(context, request, pointer)).toBe(expected);
      }
    });

    test("without defined commands the table ends with the kernel's last one", async () => {
      const { iommufd } = await boot({ abi });
      const context = iommufd.open();
      expect(await ask(context, 0x3b95, null)).toBe("EFAULT");
      expect(await ask(context, 0x3b96, null)).toBe(outside);
    });

    test("a wrong number comes before a short struct", async () => {
      const { context } = await scene();
      for (const size of [0, 4, 7]) expect(await ask(context, 0x3b93, words(size, 0))).toBe("ENOTTY");
      for (const size of [0, 4, 7]) expect(await ask(context, 0x3a80, words(size, 0))).toBe("ENOTTY");
    });

    test("a short struct comes before an unreadable rest", async () => {
      const { context } = await scene();
      expect(await ask(context, DESTROY, words(7))).toBe(SHORT);
    });
  });

  describe("an address", () => {
    test.each<[va: bigint]>([
      [0n],
      [1n],
      [0xfffn],
      [0x1000n],
      [2n ** 32n],
      [2n ** 47n - 8n],
      [2n ** 47n],
      [TASK_SIZE - 8n],
      [TASK_SIZE - 4n],
      [TASK_SIZE - 3n],
      [TASK_SIZE],
      [0xffff_8000_0000_0000n],
      [2n ** 63n],
      [2n ** 64n - 8n],
      [2n ** 64n - 4n],
      [2n ** 64n - 1n],
      [2n ** 64n],
      [2n ** 64n + 0x7f00_0000_0000n],
      [-1n],
      [-(2n ** 63n)],
      [2n ** 100n],
    ])("%d where nothing is mapped is EFAULT", async (va) => {
      const { context } = await scene();
      expect(await ask(context, DESTROY, va)).toBe("EFAULT");
    });

    test("is no smaller for having 64 more bits that would be cut off", async () => {
      const { iommufd, context, id } = await scene();
      const { va } = iommufd.userSpace.map(PAGE);
      iommufd.userSpace.write(va, words(8, id));
      for (const beyond of [va + 2n ** 64n, va - 2n ** 64n, va + 2n ** 128n]) {
        expect(await ask(context, DESTROY, beyond)).toBe("EFAULT");
      }
      expect(await ask(context, DESTROY, va)).toBe(0);
    });

    test("may have any alignment", async () => {
      const { iommufd, context } = await scene();
      const { va } = iommufd.userSpace.map(PAGE);
      for (let offset = 0n; offset < 16n; offset++) {
        const id = make(context, plainType(iommufd));
        iommufd.userSpace.write(va + offset, words(8, id));
        expect(await ask(context, DESTROY, va + offset)).toBe(0);
      }
    });

    test("may lie on two pages, also of two mappings, whichever byte is the first of the second page", async () => {
      const { iommufd, context } = await scene();
      const base = 0x5000_0000n;
      iommufd.userSpace.map(PAGE, { va: base });
      iommufd.userSpace.map(PAGE, { va: base + BigInt(PAGE) });
      const type = plainType(iommufd);
      for (let before = 1; before < 8; before++) {
        const va = base + BigInt(PAGE - before);
        const id = make(context, type);
        iommufd.userSpace.write(va, words(8, id));
        expect(await ask(context, DESTROY, va)).toBe(0);
        // The same with the second page out of reach: of the size only when less than four bytes are left.
        make(context, type);
        iommufd.userSpace.protect(base + BigInt(PAGE), PAGE, "none");
        expect(await ask(context, DESTROY, va)).toBe("EFAULT");
        iommufd.userSpace.protect(base, PAGE, "none");
        iommufd.userSpace.protect(base + BigInt(PAGE), PAGE, "rw");
        expect(await ask(context, DESTROY, va)).toBe("EFAULT");
        iommufd.userSpace.protect(base, PAGE, "rw");
        expect(await ask(context, DESTROY, va)).toBe(0);
      }
    });

    test("in read-only memory is as good as any for a command that writes nothing", async () => {
      const { iommufd, context, id, echo } = await scene();
      const { va } = iommufd.userSpace.map(PAGE);
      iommufd.userSpace.write(va, words(8, id));
      iommufd.userSpace.protect(va, PAGE, "r");
      expect(await ask(context, DESTROY, va)).toBe(0);
      iommufd.userSpace.protect(va, PAGE, "rw");
      iommufd.userSpace.write(va, echoBytes(ECHO_SIZE, ECHO_SIZE, 1));
      iommufd.userSpace.protect(va, PAGE, "r");
      expect(await ask(context, echo.request, va)).toBe("EFAULT");
      expect(echo.seen.length).toBeGreaterThan(0); // it ran; only the reply failed
    });

    test("with a size whose end wraps around 2^64 is EFAULT", async () => {
      const { iommufd, context } = await scene();
      const va = TASK_SIZE - BigInt(PAGE);
      iommufd.userSpace.map(PAGE, { va });
      iommufd.userSpace.write(va, words(2 ** 32 - 1, 1));
      expect(await ask(context, DESTROY, va)).toBe("EFAULT");
      // The whole range is checked first, whatever is in it.
      iommufd.userSpace.write(va + 8n, words(1));
      expect(await ask(context, DESTROY, va)).toBe("EFAULT");
      iommufd.userSpace.write(TASK_SIZE - 8n, words(8, 1));
      expect(await ask(context, DESTROY, TASK_SIZE - 8n)).toBe(0);
      expect(await ask(context, DESTROY, TASK_SIZE - 7n)).toBe("EFAULT"); // the size reads 0x01000000
    });
  });

  describe("a view", () => {
    const padded = (offset: number, length: number): ArrayBuffer => new ArrayBuffer(offset + length + 8);

    test.each<[name: string, view: (id: number) => ArrayBufferView]>([
      ["Uint8Array", (id) => words(8, id)],
      ["Uint32Array", (id) => Uint32Array.of(8, id)],
      ["Int32Array", (id) => Int32Array.of(8, id)],
      ["Float64Array", (id) => new Float64Array(words(8, id).buffer)],
      ["BigUint64Array", (id) => new BigUint64Array(words(8, id).buffer)],
      ["Uint8ClampedArray", (id) => new Uint8ClampedArray(words(8, id))],
      ["DataView", (id) => new DataView(words(8, id).buffer)],
      [
        "Uint8Array at an odd offset",
        (id) => {
          const view = new Uint8Array(padded(3, 8), 3, 8);
          view.set(words(8, id));
          return view;
        },
      ],
      [
        "DataView at an odd offset",
        (id) => {
          const view = new DataView(padded(5, 8), 5, 8);
          view.setUint32(0, 8, true);
          view.setUint32(4, id, true);
          return view;
        },
      ],
      [
        "Uint8Array on shared memory",
        (id) => {
          const view = new Uint8Array(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer, 9, 8);
          view.set(words(8, id));
          return view;
        },
      ],
      [
        "a subclass of Uint8Array",
        (id) => {
          class Bytes extends Uint8Array<ArrayBuffer> {}
          return Bytes.from(words(8, id));
        },
      ],
    ])("may be a %s", async (_name, viewOf) => {
      const { context, id } = await scene();
      expect(context.ioctl(DESTROY, viewOf(id))).toBe(0);
      expect(counts(context, id)).toBe("absent");
    });

    test.each([0, 1, 2, 3])("of %d bytes has no size to read: EFAULT", async (length) => {
      const { context } = await scene();
      expect(await ask(context, DESTROY, new Uint8Array(length).fill(8))).toBe("EFAULT");
    });

    test("ends where it ends, whatever lies behind it in its buffer", async () => {
      const { context, id } = await scene();
      const buffer = words(8, id, 0, 0).buffer;
      expect(await ask(context, DESTROY, new Uint8Array(buffer, 0, 7))).toBe("EFAULT");
      new DataView(buffer).setUint32(0, 12, true);
      expect(await ask(context, DESTROY, new Uint8Array(buffer, 0, 8))).toBe("EFAULT");
      expect(await ask(context, DESTROY, new Uint8Array(buffer, 0, 12))).toBe(0);
    });

    test("on a detached buffer has no bytes: EFAULT", async () => {
      const { context, echo } = await scene();
      for (const viewOf of [
        (buffer: ArrayBuffer) => new Uint8Array(buffer),
        (buffer: ArrayBuffer) => new Uint32Array(buffer),
        (buffer: ArrayBuffer) => new DataView(buffer),
      ]) {
        const { buffer } = words(8, 1);
        const view = viewOf(buffer);
        structuredClone(buffer, { transfer: [buffer] });
        expect(answer(context.tryIoctl(DESTROY, view))).toBe("EFAULT");
        expect(answer(context.tryIoctl(echo.request, view))).toBe("EFAULT");
        expect(errnoOf(() => context.ioctl(DESTROY, view))).toBe("EFAULT");
        expect(await errnoOfAsync(context.ioctlAsync(DESTROY, view))).toBe("EFAULT");
      }
    });

    test("is left as it is by a command that writes nothing, and by an error", async () => {
      const { context, id } = await scene();
      for (const struct of [words(8, 77), words(7, id), words(12, id, 1), words(8, id)]) {
        const before = struct.slice();
        context.tryIoctl(DESTROY, struct);
        expect(struct).toEqual(before);
      }
    });
  });

  test.each(["bytes", 5, {}, [8, 1], new ArrayBuffer(8), undefined, true, Symbol("s")])(
    "%o is no argument at all: TypeError, and nothing happens",
    async (arg) => {
      const { iommufd, context } = await scene();
      const before = context.objects();
      expect(() => context.ioctl(DESTROY, arg as never)).toThrow(TypeError);
      expect(() => context.tryIoctl(DESTROY, arg as never)).toThrow(TypeError);
      await expect(context.ioctlAsync(DESTROY, arg as never)).rejects.toThrow(TypeError);
      expect(context.objects()).toEqual(before);
      context.close();
      expect(iommufd.stats().files.open).toBe(0); // no call is left in flight
    },
  );
});

test("the error of a failing ioctl names errno, call and command", async () => {
  const { iommufd } = await boot();
  const context = iommufd.open();
  expect(() => context.ioctl(DESTROY, words(8, 99))).toThrow(
    expect.objectContaining({
      name: "IommufdError",
      code: "ENOENT",
      errno: -2,
      syscall: "ioctl",
      command: "IOMMU_DESTROY",
      message: "ENOENT: ioctl IOMMU_DESTROY",
    }),
  );
});

test("a request that is not the command's names no command", async () => {
  const { iommufd } = await boot();
  const context = iommufd.open();
  for (const request of [0x1_3b80, 0x3a80, 0x80, 2 ** 32 + DESTROY]) {
    let error: unknown;
    try {
      context.ioctl(request, words(8, 1));
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code: "ENOTTY" });
    expect(error).not.toHaveProperty("command");
  }
});

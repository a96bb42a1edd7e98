// SPDX-License-Identifier: GPL-2.0-only
//
// copy_struct_from_user(): the struct's known part is copied, what is missing is zero, what is unknown must be zero; and of
// several errors the kernel's first one is answered. The same for a JavaScript buffer, which travels in pieces of 4096
// bytes, and for user memory, which is looked at in place.

import type { Iommufd, IommufdContext, UserMapping } from "iommufd-wasm";
import { describe, expect, test } from "vitest";
import { answer } from "../support/answer.ts";
import { ABIS, boot } from "../support/boot.ts";
import { ECHO_MIN, ECHO_REPLY, ECHO_SIZE, type Echo, defineEcho, echoBytes } from "../support/echo.ts";

const PAGE = 4096;
const WINDOW = 4096;
const MAPPED = 8 * PAGE;

interface Scene {
  iommufd: Iommufd;
  context: IommufdContext;
  echo: Echo;
  /** Where user structs lie: a mapping with nothing behind it. */
  mapping: UserMapping;
}

async function scene(abi: "rfc" | "mainline" = "rfc"): Promise<Scene> {
  const { iommufd } = await boot({ abi });
  return { iommufd, context: iommufd.open(), echo: defineEcho(iommufd), mapping: iommufd.userSpace.map(MAPPED) };
}

/** The two kinds of arguments: the bytes as a buffer, or as the last bytes of a mapping. */
const KINDS: [name: string, place: (scene: Scene, bytes: Uint8Array) => Uint8Array | bigint][] = [
  ["a buffer", (_scene, bytes) => bytes],
  [
    "user memory",
    ({ mapping }, bytes) => {
      mapping.bytes.fill(0xee);
      mapping.bytes.set(bytes, MAPPED - bytes.length);
      return mapping.va + BigInt(MAPPED - bytes.length);
    },
  ],
];

/** What the kernel answers to a struct that declares `size` and of which these bytes are accessible. */
function expected(abi: "rfc" | "mainline", bytes: Uint8Array, size: number): number | string {
  if (bytes.length < 4) return "EFAULT";
  if (size < ECHO_MIN) return abi === "rfc" ? "EOPNOTSUPP" : "EINVAL";
  const tail = bytes.subarray(Math.min(ECHO_SIZE, size), size);
  if (tail.some((byte) => byte !== 0)) return "E2BIG";
  return size > bytes.length ? "EFAULT" : 0;
}

describe.each(ABIS)("%s", (abi) => {
  describe.each(KINDS)("in %s", (_name, place) => {
    test("every declared size against every accessible length around the struct's edges", async () => {
      const here = await scene(abi);
      const sizes = [0, 3, 4, 7, 8, 9, 12, 55, 56, 57, 63, 64, 65, 100, 2 ** 31, 2 ** 32 - 1];
      const lengths = [0, 3, 4, 5, 7, 8, 9, 12, 55, 56, 57, 60, 63, 64, 65, 101];
      let differences = "";
      for (const size of sizes) {
        for (const length of lengths) {
          const bytes = echoBytes(length, size);
          const want = expected(abi, bytes, size);
          const got = answer(here.context.tryIoctl(here.echo.request, place(here, bytes)));
          if (got !== want) differences += `size ${size} of ${length} bytes: ${got}, not ${want}\n`;
        }
      }
      expect(differences).toBe("");
    });

    test("one byte that is not zero, anywhere in a long tail", async () => {
      const here = await scene(abi);
      let differences = "";
      for (const [length, size] of [
        [120, 120],
        [120, 121],
        [WINDOW, WINDOW],
        [WINDOW + 1, WINDOW + 1],
        [WINDOW + 1, WINDOW + 2],
        [2 * WINDOW, 2 * WINDOW],
        [2 * WINDOW + 7, 2 * WINDOW + 7],
        [3 * WINDOW + 1, 3 * WINDOW + 1],
        [3 * WINDOW + 1, 2 ** 32 - 1],
        [3 * WINDOW + 1, WINDOW + 5],
      ] as const) {
        const edges = [ECHO_SIZE, 64, WINDOW, 2 * WINDOW, 3 * WINDOW, size, length];
        const positions = new Set(edges.flatMap((edge) => [-9, -8, -7, -1, 0, 1, 7, 8, 9].map((by) => edge + by)));
        for (const at of [...positions, -1].filter((at) => at === -1 || (at >= ECHO_SIZE && at < length))) {
          const bytes = echoBytes(length, size);
          if (at >= 0) bytes[at] = 1;
          const want = expected(abi, bytes, size);
          const got = answer(here.context.tryIoctl(here.echo.request, place(here, bytes)));
          if (got !== want) differences += `byte ${at} of ${length}, size ${size}: ${got}, not ${want}\n`;
        }
      }
      expect(differences).toBe("");
    });

    test("what the command sees is the common part and zeros, and its reply ends with the shorter of the two", async () => {
      const here = await scene(abi);
      // Longer ones first: what is missing must not be what an earlier call left behind.
      for (const size of [3 * WINDOW, WINDOW + 1, WINDOW, 200, 57, 56, 55, 20, 9, 8, 56]) {
        const bytes = echoBytes(size, size, ECHO_REPLY);
        const before = bytes.slice();
        const arg = place(here, bytes);
        expect(answer(here.context.tryIoctl(here.echo.request, arg))).toBe(0);
        const seen = here.echo.seen.at(-1);
        const present = Math.min(size, ECHO_SIZE) - ECHO_MIN;
        expect(seen?.userSize).toBe(size);
        expect([...(seen?.data ?? [])]).toEqual(Array.from({ length: 48 }, (_, at) => (at < present ? at + 1 : 0)));
        const after = typeof arg === "bigint" ? here.mapping.bytes.slice(MAPPED - size) : arg;
        const reply = before.slice();
        for (let at = ECHO_MIN; at < ECHO_MIN + present; at++) reply[at] = ~(before[at] ?? 0);
        expect(after).toEqual(reply);
      }
    });
  });
});

test("the zeros of a page that may be read count, the rest behind it is EFAULT", async () => {
  const { iommufd, context, echo, mapping } = await scene();
  const { va } = mapping;
  const head = echoBytes(ECHO_SIZE, 2 * PAGE);
  mapping.bytes.set(head);
  iommufd.userSpace.protect(va + BigInt(PAGE), PAGE, "none");
  expect(answer(context.tryIoctl(echo.request, va))).toBe("EFAULT");
  mapping.bytes[PAGE - 1] = 1; // comes before the page
  expect(answer(context.tryIoctl(echo.request, va))).toBe("E2BIG");
  mapping.bytes[PAGE - 1] = 0;
  mapping.bytes[PAGE] = 1; // lies in the page
  expect(answer(context.tryIoctl(echo.request, va))).toBe("EFAULT");
  iommufd.userSpace.protect(va + BigInt(PAGE), PAGE, "r");
  expect(answer(context.tryIoctl(echo.request, va))).toBe("E2BIG");
});

test("an unreadable tail comes before an unreadable struct, and a tail that is not zero too", async () => {
  const { iommufd, context, echo, mapping } = await scene();
  // The struct lies across two pages: size and flags in the first, most of data and the tail in the second.
  const va = mapping.va + BigInt(PAGE - 8);
  mapping.bytes.set(echoBytes(100, 100), PAGE - 8);
  mapping.bytes[PAGE - 8 + 99] = 1;
  expect(answer(context.tryIoctl(echo.request, va))).toBe("E2BIG");
  iommufd.userSpace.protect(mapping.va + BigInt(PAGE), PAGE, "none");
  expect(answer(context.tryIoctl(echo.request, va))).toBe("EFAULT");
  expect(echo.seen).toEqual([]);
});

test("a zero tail may be as long as the memory", async () => {
  const { iommufd } = await boot({ memoryBytes: 64 * 1024 * 1024 });
  const context = iommufd.open();
  const echo = defineEcho(iommufd);
  const size = 40 * 1024 * 1024;
  const { va, bytes } = iommufd.userSpace.map(size);
  bytes.set(echoBytes(ECHO_SIZE, size));
  expect(answer(context.tryIoctl(echo.request, va))).toBe(0);
  bytes[size - 1] = 1;
  expect(answer(context.tryIoctl(echo.request, va))).toBe("E2BIG");
  const buffer = new Uint8Array(size);
  buffer.set(echoBytes(ECHO_SIZE, size));
  expect(answer(context.tryIoctl(echo.request, buffer))).toBe(0);
  buffer[size - 1] = 1;
  expect(answer(context.tryIoctl(echo.request, buffer))).toBe("E2BIG");
});

test("a tail goes on from one mapping into the next", async () => {
  const { iommufd } = await boot();
  const context = iommufd.open();
  const echo = defineEcho(iommufd);
  const va = 0x6000_0000n;
  const mappings = [0, 1, 2].map((n) => iommufd.userSpace.map(PAGE, { va: va + BigInt(n * PAGE) }));
  mappings[0]?.bytes.set(echoBytes(ECHO_SIZE, 3 * PAGE));
  expect(answer(context.tryIoctl(echo.request, va))).toBe(0);
  (mappings[2]?.bytes as Uint8Array)[PAGE - 1] = 1;
  expect(answer(context.tryIoctl(echo.request, va))).toBe("E2BIG");
  iommufd.userSpace.unmap(mappings[1] as UserMapping);
  expect(answer(context.tryIoctl(echo.request, va))).toBe("EFAULT");
});

test("the declared size is read first: what execute does to its copy of it changes nothing", async () => {
  const { iommufd } = await boot();
  const context = iommufd.open();
  const sizes: number[] = [];
  const command = iommufd.defineIoctl({
    name: "RESIZER",
    nr: 0xb0,
    fields: { value: "u32" },
    execute(cmd) {
      cmd.fields.size = 4096;
      sizes.push(cmd.userSize);
      cmd.respond();
    },
  });
  const bytes = new Uint8Array(12);
  bytes.set([12, 0, 0, 0, 5, 0, 0, 0]);
  expect(context.ioctl(command.request, bytes)).toBe(0);
  expect(sizes).toEqual([12]);
  expect([...bytes]).toEqual([0, 16, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0]);
});

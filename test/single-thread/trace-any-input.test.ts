// SPDX-License-Identifier: GPL-2.0-only
//
// "iommufd-wasm/trace" against callers who pass anything, and for a long time.
//
// The random input comes from a seeded generator, so a failure happens again in the next run.

import { beforeAll, describe, expect, test } from "vitest";
import { Decoder, decode, errnoText, traceMemoryBytes, type TraceCommand, type TraceField } from "iommufd-wasm/trace";
import { concat, words } from "../support/bytes.ts";

const DESTROY = 0x3b80;

/** For a machine that is busy with something else; the tests take a second or two. */
const PATIENCE_MS = 60_000;

describe("any input", () => {
  // mulberry32: the same sequence in every run.
  let seed = 0x10330;
  function random(): number {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  }
  const below = (bound: number): number => random() % bound;
  const pick = <T>(...values: [T, ...T[]]): T => values[below(values.length)] ?? values[0];

  function randomNumber(): number {
    return pick(below(64), below(64), random(), -random(), 0xffffffff, 0x80000000, -1, 1.5, NaN, Infinity, 2 ** 53);
  }

  function randomName(): string {
    return Array.from({ length: pick(0, 3, 8, 8, 70) }, () => String.fromCharCode(below(0x10000))).join("");
  }

  function randomCommand(request: number): TraceCommand {
    const fields: Record<string, TraceField> = {};
    for (let i = below(100) === 0 ? 200 : pick(0, 1, 5, 20); i > 0; i -= 1) {
      const type = pick("u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64", "u8[7]", "u8[", randomName());
      fields[randomName()] = { type, offset: randomNumber(), size: pick(1, 2, 4, 8, randomNumber()) };
    }
    return { name: randomName(), request, size: randomNumber(), fields };
  }

  function randomBytes(): Uint8Array {
    const bytes = Uint8Array.from({ length: pick(0, 1, 3, 4, 7, 8, 9, 40, 500) }, () => pick(0, 0x41, below(256)));
    if (bytes.length >= 4 && below(4) > 0) bytes.set(words(below(80)));
    return bytes;
  }

  test(
    "gives one whole line, 10,000 times",
    () => {
      for (let i = 0; i < 10_000; i += 1) {
        const request = pick(DESTROY, 0x3b00 | below(256), random(), randomNumber());
        const bytes = pick<Uint8Array | null>(null, randomBytes(), randomBytes());
        const address = pick(undefined, null, 0n, BigInt(random()) << 32n, -1n, 2n ** 70n);
        const commands = below(3) === 0 ? undefined : [randomCommand(pick(request, request, random()))];
        const line = decode(request, bytes, randomNumber(), { fd: randomNumber(), address, commands });
        expect(line).toMatch(/^ioctl\(-?\d+, [^\n\r\u2028\u2029]*\) = (\d+|-1 E\w+ \(.+\)|-1 \(errno \d+\))$/);
      }
    },
    PATIENCE_MS,
  );

  test("leaves the decoder as it was", () => {
    expect(decode(DESTROY, words(8, 1), -16)).toBe(
      "ioctl(3, IOMMU_DESTROY, {size=8, id=1}) = -1 EBUSY (Device or resource busy)",
    );
  });
});

describe("memory", () => {
  const command: TraceCommand = {
    name: "LAB_ECHO",
    request: 0x3ba7,
    size: 56,
    fields: {
      size: { offset: 0, size: 4, type: "u32" },
      flags: { offset: 4, size: 4, type: "u32" },
      data: { offset: 8, size: 48, type: "u8[48]" },
    },
  };
  const decoder = new Decoder([command]);
  const bytes = concat(words(64), new Uint8Array(60).fill(0xa5));
  const long = concat(words(65_536, 1), new Uint8Array(65_528));

  function decodeSome(): void {
    decoder.decode(command.request, bytes, -16);
    decoder.decode(DESTROY, bytes, 0);
    decode(command.request, bytes, 0, { commands: [{ ...command }] });
    decode(DESTROY, null, -999, { address: 0x1000n });
    errnoText(16);
  }

  beforeAll(() => {
    decode(DESTROY, long, 0);
    for (let i = 0; i < 1000; i += 1) decodeSome();
  }, PATIENCE_MS);

  test(
    "does not grow over 200,000 decodes",
    () => {
      const before = traceMemoryBytes();
      expect(before).toBeGreaterThan(0);
      for (let i = 0; i < 50_000; i += 1) decodeSome();
      expect(traceMemoryBytes()).toBe(before);
    },
    PATIENCE_MS,
  );

  test("does not grow with the largest arguments either", () => {
    for (let i = 0; i < 100; i += 1) decode(DESTROY, long, 0);
    const before = traceMemoryBytes();
    for (let i = 0; i < 500; i += 1) decode(DESTROY, long, 0);
    expect(traceMemoryBytes()).toBe(before);
  });
});

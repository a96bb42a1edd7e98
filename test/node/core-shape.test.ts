// SPDX-License-Identifier: GPL-2.0-only
//
// The shape check of the core finds what it is there to find: each bad module below differs from the good one in one
// section.

import { expect, test } from "vitest";
import { MOST_BYTES, violations } from "../check/core-shape.mjs";

const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const MEMORY_SHARED = [0x02, 0x03, 0x01, 0x01]; // kind memory, flags shared | has maximum, 1 to 1 pages
const MEMORY_PRIVATE = [0x02, 0x01, 0x01, 0x01];
const FUNCTION_OF_TYPE_0 = [0x00, 0x00];
const CONSTANT_GLOBAL = [0x7f, 0x00, 0x41, 0x07, 0x0b]; // i32, immutable, i32.const 7
const MUTABLE_GLOBAL = [0x7e, 0x01, 0x42, 0x80, 0x01, 0x0b]; // i64, mutable, i64.const 128

const named = (text: string) => [text.length, ...new TextEncoder().encode(text)];
const imported = (name: string, what: number[]) => [...named("env"), ...named(name), ...what];
const section = (id: number, ...entries: number[][]) => {
  const contents = [entries.length, ...entries.flat()];
  return [id, contents.length, ...contents];
};
const moduleOf = (...sections: number[][]) => new Uint8Array([...HEADER, ...sections.flat()]);

const TYPES = section(1, [0x60, 0x00, 0x00]);
const IMPORTS = section(2, imported("memory", MEMORY_SHARED));

// memory.atomic.wait32 with alignment 4 and offset 0, then drop or i32.store; only the bytes matter here.
const codeOf = (...instructions: number[]) => section(10, [instructions.length + 1, 0x00, ...instructions]);
const WAIT_DROPPED = codeOf(0xfe, 0x01, 0x02, 0x00, 0x1a);
const WAIT_STORED = codeOf(0xfe, 0x01, 0x02, 0x00, 0x36, 0x02, 0x00);

test("a wait whose answer is stored is good", () => {
  expect(violations(moduleOf(IMPORTS, WAIT_STORED))).toEqual([]);
});

test("a function's size and locals that have the bytes of a wait are none", () => {
  // 254 bytes: size fe 01, then 02 for two declarations of locals, 1 of i32 and 1 of i64.
  const body = [0xfe, 0x01, 0x02, 0x01, 0x7f, 0x01, 0x7e, ...new Array<number>(249).fill(0x01)];
  const code = [0x0a, 0x81, 0x02, 0x01, ...body];
  expect(violations(moduleOf(IMPORTS, code))).toEqual([]);
});

test("a core with one mutable global, constants and a trap hook is good", () => {
  const imports = section(2, imported("memory", MEMORY_SHARED), imported("abort", FUNCTION_OF_TYPE_0));
  const globals = section(6, CONSTANT_GLOBAL, MUTABLE_GLOBAL, CONSTANT_GLOBAL);
  const bytes = moduleOf(TYPES, imports, globals);
  expect(WebAssembly.validate(bytes)).toBe(true);
  expect(violations(bytes)).toEqual([]);
});

test.each([
  ["a second mutable global", moduleOf(IMPORTS, section(6, MUTABLE_GLOBAL, MUTABLE_GLOBAL)), /2 mutable globals/],
  ["a data segment", moduleOf(IMPORTS, section(11, [0x00, 0x41, 0x00, 0x0b, 0x01, 0x2a])), /data segments/],
  ["a start function", moduleOf(IMPORTS, [0x08, 0x01, 0x00]), /start function/],
  ["an own memory", moduleOf(section(5, [0x00, 0x01])), /memory of its own/],
  ["no imported memory", moduleOf(TYPES), /does not import env\.memory/],
  ["a private memory", moduleOf(section(2, imported("memory", MEMORY_PRIVATE))), /not shared/],
  [
    "an unknown import",
    moduleOf(TYPES, section(2, imported("memory", MEMORY_SHARED), imported("log", FUNCTION_OF_TYPE_0))),
    /imports env\.log/,
  ],
  ["a wait whose answer is dropped", moduleOf(IMPORTS, WAIT_DROPPED), /1 waits whose answer/],
  ["an exported memory", moduleOf(IMPORTS, section(7, [...named("memory"), 0x02, 0x00])), /exports the memory/],
])("%s is a violation", (_, bytes, expected) => {
  expect(violations(bytes).join("\n")).toMatch(expected);
});

test("a core above the size budget is a violation", () => {
  const custom = [0x00, 0x82, 0xf1, 0x04, 0x00]; // a nameless custom section of 80,002 bytes
  const good = moduleOf(TYPES, IMPORTS);
  const bytes = new Uint8Array(good.length + 4 + 80_002);
  bytes.set([...good, ...custom]);
  expect(bytes.length).toBeGreaterThan(MOST_BYTES);
  expect(violations(bytes)).toEqual([expect.stringMatching(/more than 80000/)]);
});

test("a truncated module is an error, not a good core", () => {
  const bytes = moduleOf(TYPES, IMPORTS);
  expect(() => violations(bytes.subarray(0, bytes.length - 1))).toThrow("ends in the middle");
  expect(() => violations(new Uint8Array(8))).toThrow("not a WebAssembly binary");
});

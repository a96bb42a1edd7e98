// SPDX-License-Identifier: GPL-2.0-only
//
// Ioctls that somebody writes on the lab page, without the page: what becomes a command, and what each fault in a definition is told.

import { Iommufd, type IommufdContext } from "iommufd-wasm";
import { defineLab } from "iommufd-wasm/replay";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { define, DefinitionError, numberOfText } from "../../examples/lab/definition.ts";
import type { DefinitionText } from "../../examples/lab/lessons/lesson.ts";

let iommufd: Iommufd;
let context: IommufdContext;

beforeEach(async () => {
  iommufd = await Iommufd.create();
  defineLab(iommufd); // whose names and numbers are taken
  context = iommufd.open();
});
afterEach(() => {
  iommufd.detach();
});

describe("a definition that somebody wrote", () => {
  const right: DefinitionText = {
    name: "MINE",
    nr: 0xc0,
    fields: "a: u32\n\nb: u64",
    body: "cmd.fields.b = 1n; cmd.respond();",
  };

  /** The parts that are refused. */
  function faultsIn(definition: DefinitionText): string[] {
    try {
      define(iommufd, definition, () => undefined);
      return [];
    } catch (error) {
      if (!(error instanceof DefinitionError)) throw error;
      return error.faults.map(({ part }) => part);
    }
  }

  test("becomes a command", () => {
    const command = define(iommufd, right, () => undefined);
    expect(context.call(command, { a: 1 })).toEqual({ size: command.size, a: 1, b: 1n });
  });

  test.each([
    ["no name", { name: "" }, "name"],
    ["a name that is none", { name: "my ioctl" }, "name"],
    ["a name that another number has", { name: "LAB_ALLOC" }, "name"],
    ["the name of a built-in command", { name: "IOMMU_DESTROY" }, "name"],
    ["a line that is no field", { fields: "a u32" }, "fields"],
    ["a type that is none", { fields: "a: u24" }, "fields"],
    ["a field twice", { fields: "a: u32\na: u8" }, "fields"],
    ["a name that every object has", { fields: "toString: u32" }, "fields"],
    ["another one", { fields: "__proto__: u32" }, "fields"],
    ["size", { fields: "size: u32" }, "fields"],
    ["a struct that is too large", { fields: "a: u8[5000]" }, "fields"],
    ["a number outside the table", { nr: 0x100 }, "nr"],
    ["a number before the table", { nr: 0x7f }, "nr"],
    ["a number that is none", { nr: NaN }, "nr"],
    ["a number that is not whole", { nr: 0x80 + 0.5 }, "nr"],
    ["a number that is taken", { nr: 0xa0 }, "nr"],
    ["a body that is no JavaScript", { body: "cmd.fields.b = ;" }, "body"],
  ] as const)("%s is an error of that part, and adds nothing", (_, change, part) => {
    const before = iommufd.commands();
    expect(faultsIn({ ...right, ...change })).toEqual([part]);
    expect(iommufd.commands()).toEqual(before);
  });

  test("all parts that are wrong are named at once", () => {
    expect(faultsIn({ name: "LAB_ALLOC", nr: 0xa1, fields: "a", body: ";;)" })).toEqual([
      "name",
      "nr",
      "fields",
      "body",
    ]);
  });

  test("a name keeps its number and its fields, and the message says which they are", () => {
    define(iommufd, right, () => undefined);
    expect(() => define(iommufd, { ...right, nr: 0xc1 }, () => undefined)).toThrow(
      "MINE is the name of number 0xc0. Take another name.",
    );
    expect(() => define(iommufd, { ...right, name: "YOURS" }, () => undefined)).toThrow(
      "0xc0 is the number of MINE. Take another number.",
    );
    expect(() => define(iommufd, { ...right, fields: "b: u64" }, () => undefined)).toThrow(
      "MINE is in the table with other fields: a: u32, b: u64.",
    );
  });

  test("a number is decimal or hex, and anything else is none", () => {
    expect(["0xb0", " 0XB0 ", "176"].map(numberOfText)).toEqual([0xb0, 0xb0, 176]);
    expect(["", "0x", "b0", "1e2", "0b1", "-1", "1.5", "0xb0 0xb1"].map(numberOfText)).toEqual(Array(8).fill(NaN));
  });

  test("the same number and struct get the new function", () => {
    define(iommufd, right, () => undefined);
    const command = define(iommufd, { ...right, body: "return -Errno.EPERM;" }, () => undefined);
    expect(context.tryIoctl(command.request, command.encode({}))).toBe(-1);
  });

  test("what its function throws is told, and the caller gets EIO", () => {
    const faults: string[] = [];
    const command = define(iommufd, { ...right, body: "nothing.there();" }, (message) => faults.push(message));
    expect(context.tryIoctl(command.request, command.encode({}))).toBe(-5);
    expect(faults).toEqual([expect.stringContaining("nothing is not defined")]);
  });

  test.each([
    ["a 64-bit field", "return cmd.fields.b;", "returned 0n, a bigint"],
    ["a text", "return 'done';", "returned a string"],
    ["nothing, as null", "return null;", "returned null"],
    ["a promise", "return Promise.resolve(0);", "returned an object"],
    ["a fraction", "return 0.5;", "returned 0.5"],
    ["no number", "return NaN;", "returned NaN"],
    ["more than 32 bits", "return 2 ** 31;", "returned 2147483648"],
    ["less than any errno", "return -4096;", "returned -4096"],
    ["a thrown thing without a text", "throw Object.create(null);", "threw an object"],
  ])("what is no answer is told, and the caller gets EIO: %s", (_, body, words) => {
    const faults: string[] = [];
    const results: number[] = [];
    iommufd.onTrace(({ result }) => results.push(result));
    const command = define(iommufd, { ...right, body }, (message) => faults.push(message));
    expect(context.tryIoctl(command.request, command.encode({}))).toBe(-5);
    expect(faults).toEqual([expect.stringContaining(`MINE ${words}`)]);
    expect(results).toEqual([-5]);
  });

  test.each([
    ["0x7fffffff", 0x7fff_ffff],
    ["-4095", -4095],
    ["-0", 0],
    ["undefined", 0],
  ])("what is one is the caller's answer: %s", (text, answer) => {
    const faults: string[] = [];
    const command = define(iommufd, { ...right, body: `return ${text};` }, (message) => faults.push(message));
    expect([context.tryIoctl(command.request, command.encode({})), faults]).toEqual([answer, []]);
  });

  test("a name that every object has is refused for what it is, not as a field twice", () => {
    expect(() => define(iommufd, { ...right, fields: "constructor: u32" }, () => undefined)).toThrow(
      "every JavaScript object has a constructor",
    );
  });
});

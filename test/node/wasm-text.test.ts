// SPDX-License-Identifier: GPL-2.0-only
//
// Inlined modules: bytes to text and back.

import { expect, test } from "vitest";
import { textOfBytes } from "../../bindings/build/wasm-text.mjs";
import { bytesOfText } from "../../bindings/wasm-text.ts";

const EVERY = Uint8Array.from({ length: 256 }, (_, value) => value);

/** Bytes of which the first values are the rarest, or the last ones. */
function uneven(weightOf: (value: number) => number): Uint8Array {
  return Uint8Array.from([...EVERY].flatMap((value) => new Array<number>(weightOf(value)).fill(value)));
}

test.each([
  ["none", new Uint8Array(0)],
  ["every value once", EVERY],
  ["one value", new Uint8Array(1000).fill(255)],
  ["low values mostly", uneven((value) => 256 - value)],
  ["high values mostly", uneven((value) => value)],
  ["every other value mostly", uneven((value) => 1 + (value % 2) * 9)],
])("bytes come back: %s", (_, bytes) => {
  expect(bytesOfText(textOfBytes(bytes))).toEqual(bytes);
});

test("the text is printable ASCII of which a string escapes nothing", () => {
  for (const bytes of [EVERY, uneven((value) => 256 - value), uneven((value) => value)]) {
    const text = textOfBytes(bytes);
    expect(text).toMatch(/^[ -~]*$/);
    expect(JSON.stringify(text)).toBe(`"${text}"`);
  }
});

test("what a module has most of takes one character", () => {
  const bytes = uneven((value) => (value < 91 ? 2 : 1));
  const flags = 64;
  expect(textOfBytes(bytes).length).toBe(flags + 2 * 91 + 2 * (256 - 91));
});

test("a text that would end the script is refused", () => {
  const digits = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index))
    .filter((character) => character !== '"' && character !== "\\")
    .join("");
  const spelled = (text: string) => [...text].map((character) => digits.indexOf(character));
  const common = Array.from({ length: 20 }, () => [...EVERY.subarray(0, 91)]).flat(); // so that a value is its own digit
  expect(() => textOfBytes(Uint8Array.from([...common, ...spelled("<!--")]))).toThrow("escaped");
  expect(() => textOfBytes(Uint8Array.from([...common, ...spelled("</script")]))).toThrow("escaped");
});

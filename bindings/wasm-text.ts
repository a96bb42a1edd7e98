// SPDX-License-Identifier: GPL-2.0-only
//
// Text to bytes, for the Wasm modules that are inlined in the bundles; bindings/build/wasm-text.mjs writes the text.
//
// What a page loads is compressed, and base64 spoils that: it cuts bytes into pieces of six bits, in which no compressor
// finds again what the bytes repeat. Here a byte is always the same one or two characters:
//
//   byte + 2 (mod 256)   0 … 88: one character of 89      89 … 177: "}" and one of them      178 … 255: "~" and one of them
//
// The characters go from "#" to "~" without the backslash. None of them is escaped in a quoted string or in UTF-8.

const FIRST = 35;
const BACKSLASH = 92;
/** How many characters stand for a byte alone. */
const SINGLE = 89;

/** The bytes behind such a text. */
export function bytesOfText(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  let length = 0;
  let base = -2;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    const digit = code - FIRST - Number(code > BACKSLASH);
    if (digit < SINGLE) {
      bytes[length++] = base + digit;
      base = -2;
    } else base += (digit - SINGLE + 1) * SINGLE;
  }
  return bytes.subarray(0, length);
}

// SPDX-License-Identifier: GPL-2.0-only
//
// Text to bytes, for the Wasm modules that are inlined in the bundles; bindings/build/wasm-text.mjs writes the text.
//
// What a page loads is compressed, and base64 spoils that: it cuts bytes into pieces of six bits, in which no compressor
// finds again what the bytes repeat. Here a byte is always the same one or two characters of printable ASCII:
//
//   c          stands for the byte c - 35
//   { | } ~    lift the character behind them by 98, 196, 294 or 392, before the 35 are subtracted modulo 256
//
// Neither the quote nor the backslash is used, so nothing is escaped in a string.

const LAST_SINGLE = 122;
const LIFT = 98;
const ZERO = 35;

/** The bytes behind such a text. */
export function bytesOfText(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new TextEncoder().encode(text); // bytes are never ahead of the characters that they are made of
  let length = 0;
  for (let index = 0; index < bytes.length; index++) {
    let code = bytes[index] as number;
    if (code > LAST_SINGLE) code = (bytes[++index] as number) + (code - LAST_SINGLE) * LIFT;
    bytes[length++] = code - ZERO;
  }
  return bytes.subarray(0, length);
}

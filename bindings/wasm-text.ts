// SPDX-License-Identifier: GPL-2.0-only
//
// Text to bytes, for the Wasm modules that are inlined in the bundles; bindings/build/wasm-text.mjs writes the text.
//
// What a page loads is compressed, and base64 spoils that: it cuts bytes into pieces of six bits, in which no compressor
// finds again what the bytes repeat. Here a byte is always the same one or two characters of printable ASCII. The 93
// characters from the blank on, without the quote and the backslash, so that nothing is escaped in a string, are the digits
// 0 … 92:
//
//   64 digits     which 91 bytes the module has most of: digit i has a bit for each of the bytes 4i … 4i + 3
//   0 … 90        one of those bytes, by ascending value
//   91 d, 92 d    one of the others, by ascending value: its place is d, or d + 93

const FLAGS = 64;
const FREQUENT = 91;
const DIGITS = 93;
const QUOTE = 34;
const BACKSLASH = 92;

/** The bytes behind such a text. */
export function bytesOfText(text: string): Uint8Array<ArrayBuffer> {
  const digits = new Uint8Array(127);
  for (let code = 32, digit = 0; code < digits.length; code++) {
    if (code !== QUOTE && code !== BACKSLASH) digits[code] = digit++;
  }
  const bytes = new TextEncoder().encode(text); // bytes are never ahead of the characters that they are made of
  const values = new Uint8Array(256);
  for (let value = 0, frequent = 0, others = FREQUENT; value < 256; value++) {
    const isFrequent = ((digits[bytes[value >> 2] as number] as number) >> (value & 3)) & 1;
    values[isFrequent ? frequent++ : others++] = value;
  }
  let length = 0;
  for (let at = FLAGS; at < bytes.length; at++) {
    let place = digits[bytes[at] as number] as number;
    if (place >= FREQUENT) place = FREQUENT + (place - FREQUENT) * DIGITS + (digits[bytes[++at] as number] as number);
    bytes[length++] = values[place] as number;
  }
  return bytes.subarray(0, length);
}

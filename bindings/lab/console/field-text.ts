// SPDX-License-Identifier: GPL-2.0-only
//
// Values of struct fields as a person writes them, and back.
//
// Integers are decimal or hex with 0x; 64-bit ones that look like addresses are shown in hex. Byte arrays are pairs of hex
// digits, with blanks anywhere. What means nothing is `undefined`, never a guess.

/** A field's value. */
export type FieldValue = number | bigint | Uint8Array;

/** From here on, a 64-bit number is more likely an address or flags than a count. */
const LOOKS_LIKE_ADDRESS = 0x1_0000n;

/** A value as text. */
export function textOfValue(value: FieldValue): string {
  if (value instanceof Uint8Array) return textOfBytes(value);
  if (typeof value === "bigint" && value >= LOOKS_LIKE_ADDRESS) return `0x${value.toString(16)}`;
  return String(value);
}

/** The value of a text for a field of that type; range is not looked at, but the length of a byte array is. */
export function valueOfText(text: string, type: string): FieldValue | undefined {
  const array = /^u8\[(\d+)\]$/.exec(type);
  if (array !== null) {
    const bytes = bytesOfText(text);
    return bytes === undefined || bytes.length > Number(array[1]) ? undefined : bytes;
  }
  const number = /^(-?)(0x[0-9a-f]+|\d+)$/i.exec(text.trim());
  if (number === null) return undefined;
  const magnitude = BigInt(number[2] ?? "");
  const value = number[1] === "-" ? -magnitude : magnitude;
  return type.endsWith("64") ? value : Number(value);
}

/** Bytes as pairs of hex digits. */
export function textOfBytes(bytes: Uint8Array): string {
  return Array.from(bytes, hexOfByte).join(" ");
}

/** The bytes of pairs of hex digits; undefined when it is something else. */
export function bytesOfText(text: string): Uint8Array<ArrayBuffer> | undefined {
  const digits = text.replaceAll(/\s+/g, "");
  if (digits.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(digits)) return undefined;
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** Two hex digits. */
export function hexOfByte(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}

/** A 32-bit request from its text; undefined when it is none. */
export function requestOfText(text: string): number | undefined {
  const value = valueOfText(text, "u32");
  return typeof value === "number" && value >= 0 && value <= 0xffff_ffff ? value : undefined;
}

/** A request as it is usually written. */
export function textOfRequest(request: number): string {
  return `0x${request.toString(16)}`;
}

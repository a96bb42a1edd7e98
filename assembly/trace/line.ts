// SPDX-License-Identifier: GPL-2.0-only
//
// The line under construction: one fixed buffer of UTF-16 units, filled from left to right.
//
// A decode builds a single string. Concatenating it piece by piece would leave a dozen dead strings behind each call, so
// the pieces go here and become a string once, in take().
//
// Invariant: no write leaves the buffer; a unit that does not fit is dropped. The limits of command.ts (fields, length of a
// name) and quote.ts (bytes of a string) keep every line below the buffer's size, so nothing is dropped in practice.
//
// Single-threaded: the module's memory is private to one instance.

/** UTF-16 units: 128 fields of at most 200 units each, and what stands around them. */
const CAPACITY: u32 = 32768;

const UNIT: u32 = sizeof<u16>();
const buffer: usize = memory.data(<i32>(CAPACITY * UNIT), 16);

let length: u32 = 0;

/** Starts a new line. */
export function begin(): void {
  length = 0;
}

/** Appends one UTF-16 unit. */
export function unit(code: u32): void {
  if (length >= CAPACITY) return;
  store<u16>(buffer + length * UNIT, <u16>code);
  length += 1;
}

/** Appends a string as it is. */
export function text(string: string): void {
  const units = min(<u32>string.length, CAPACITY - length);
  memory.copy(buffer + length * UNIT, changetype<usize>(string), units * UNIT);
  length += units;
}

/** Appends an unsigned number, decimal. */
export function decimal(value: u64): void {
  let power: u64 = 1;
  while (value / power >= 10) power *= 10;
  for (; power != 0; power /= 10) unit(0x30 + <u32>((value / power) % 10));
}

/** Appends a signed number, decimal. */
export function signed(value: i64): void {
  if (value < 0) {
    unit(0x2d);
    decimal(0 - <u64>value);
  } else {
    decimal(<u64>value);
  }
}

/** Appends a number as C's "%#x" does: 0x3b, and a bare 0 for zero. */
export function hex(value: u64): void {
  if (value != 0) text("0x");
  let shift: u64 = 60;
  while (shift != 0 && value >> shift == 0) shift -= 4;
  for (; ; shift -= 4) {
    nibble(<u32>(value >> shift));
    if (shift == 0) return;
  }
}

/** Appends the low four bits as one lower-case hex digit. */
export function nibble(value: u32): void {
  value &= 15;
  unit(value < 10 ? 0x30 + value : 0x61 - 10 + value);
}

/** The finished line. */
export function take(): string {
  return String.UTF16.decodeUnsafe(buffer, length * UNIT);
}

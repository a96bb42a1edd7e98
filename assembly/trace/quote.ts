// SPDX-License-Identifier: GPL-2.0-only
//
// Bytes as a C string literal, and the two comments that stand for bytes without a field.
//
// As strace -x prints them: a string of printable ASCII stays readable ("iommu"), any other is hex throughout
// ("\x08\x00"), so that no digit behind an escape can be taken for a part of it. At most ABBREVIATED bytes are shown, then
// "..." follows the closing quote, as strace does.
//
// Nothing here checks a range: the caller has cut `size` to what is there.

import * as line from "./line";

/** Bytes shown of one string: strace's default. */
const ABBREVIATED: u32 = 32;

/** Appends `size` bytes at `pointer` as a quoted string. */
export function quote(pointer: usize, size: u32): void {
  const shown = min(size, ABBREVIATED);
  line.unit(0x22);
  if (isPrintable(pointer, shown)) {
    for (let i: u32 = 0; i < shown; ++i) {
      const byte = load<u8>(pointer + i);
      if (byte == 0x22 || byte == 0x5c) line.unit(0x5c);
      line.unit(byte);
    }
  } else {
    for (let i: u32 = 0; i < shown; ++i) {
      const byte: u32 = load<u8>(pointer + i);
      line.text("\\x");
      line.nibble(byte >> 4);
      line.nibble(byte);
    }
  }
  line.unit(0x22);
  if (size > shown) line.text("...");
}

/**
 * Appends the bytes from `start` up to `end` of the struct at `base`, which belong to no field that could be shown.
 *
 * Whether a tail is zero decides between success and E2BIG. Zeros that would fill the whole abbreviated string are
 * therefore counted instead of shown, and the string starts at the first byte that is not zero.
 */
export function unnamed(base: usize, start: u32, end: u32): void {
  if (start >= end) return;
  const zeros = countZeros(base, start, end);
  if (zeros > ABBREVIATED) {
    range(start, start + zeros);
    line.text(" are zero */");
    start += zeros;
    if (start == end) return;
    line.text(", ");
  }
  range(start, end);
  line.text(" */ ");
  quote(base + start, end - start);
}

function range(start: u32, end: u32): void {
  line.text("/* bytes ");
  line.decimal(start);
  line.text("..");
  line.decimal(end - 1);
}

function countZeros(base: usize, start: u32, end: u32): u32 {
  let at = start;
  while (at < end && load<u8>(base + at) == 0) at += 1;
  return at - start;
}

function isPrintable(pointer: usize, size: u32): bool {
  for (let i: u32 = 0; i < size; ++i) {
    const byte = load<u8>(pointer + i);
    if (byte < 0x20 || byte > 0x7e) return false;
  }
  return true;
}

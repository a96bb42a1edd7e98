// SPDX-License-Identifier: GPL-2.0-only
/**
 * The floors of the benches: exports that do the one thing that an operation cannot do without, on shared memory. Compiled by
 * the same compiler with the same options as the core, called the same way.
 */

/** An atomic read-modify-write of a word: what get must do, and, with the other one, put. */
export function increment(address: usize): u32 {
  return atomic.add<u32>(address, 1);
}

export function decrement(address: usize): u32 {
  return atomic.sub<u32>(address, 1);
}

/** Bytes from one word of a table to the next: an ID table's entry. */
const STRIDE: u32 = 16;

/** What a lookup in a table that is larger than the caches must do: a load says which word, which is changed then. */
export function incrementThrough(index: usize, words: usize): u32 {
  return atomic.add<u32>(words + load<u32>(index) * STRIDE, 1);
}

/** The second half of a pair: the same word once more, now near. */
export function decrementThrough(index: usize, words: usize): u32 {
  return atomic.sub<u32>(words + load<u32>(index) * STRIDE, 1);
}

/** A copy of as many bytes. */
export function copyBytes(to: usize, from: usize, length: usize): void {
  memory.copy(to, from, length);
}

// SPDX-License-Identifier: GPL-2.0-only
/**
 * The floor of get and put: two exports that do the one thing that neither can do without, an atomic read-modify-write of
 * a word in shared memory. Compiled by the same compiler with the same options as the core, called the same way.
 */
export function increment(address: usize): u32 {
  return atomic.add<u32>(address, 1);
}

export function decrement(address: usize): u32 {
  return atomic.sub<u32>(address, 1);
}

// SPDX-License-Identifier: GPL-2.0-only
/** What the benches of address spaces do with them. The loops use their arguments only: `fresh` makes a copy for each candidate. */
import { type AddressSpace, PAGE } from "./address-space.ts";

/** From one area to the next, in bytes; and from an area to where the hole behind it is used. map-unmap.cpp has the same. */
export const STRIDE = 2 ** 22;
export const HOLE = 2 ** 21;

export const baseOf = (index: number): number => (index + 1) * STRIDE;

/** Maps that many pages in an order that visits each once and is none that a tree would like. `count`: a power of ten. */
export function fillWithPages(space: AddressSpace, count: number): void {
  const step = 61_803; // has no factor in common with a power of ten
  for (let made = 0; made < count; made++) {
    if (space.map(baseOf((made * step) % count), PAGE) !== 0) throw new Error(`area ${made} could not be mapped`);
  }
}

/** Addresses of areas, the same ones in every run. */
export function randomBases(count: number, operations: number): Float64Array {
  let state = 1;
  return Float64Array.from({ length: operations }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return baseOf(Math.floor((state / 2 ** 32) * count));
  });
}

/** Maps and unmaps at each of the places. */
export function mapUnmap(space: AddressSpace, operations: number, places: Float64Array, length: number): number {
  let right = 0;
  for (let index = 0; index < operations; index++) {
    const place = places[index] ?? 0;
    const mapped = space.map(place, length);
    right += mapped === 0 && space.unmap(place, length) === 0 ? 1 : 0;
  }
  return right;
}

/** Lets the address be picked, which must be `place`, and unmaps there. */
export function pickUnmap(space: AddressSpace, operations: number, place: number, length: number): number {
  let right = 0;
  for (let index = 0; index < operations; index++) {
    const picked = space.mapAnywhere(length);
    right += picked === place && space.unmap(picked, length) === 0 ? 1 : 0;
  }
  return right;
}

export function lookUp(space: AddressSpace, operations: number, places: Float64Array, found: number): number {
  let right = 0;
  for (let index = 0; index < operations; index++) right += space.look(places[index] ?? 0) === found ? 1 : 0;
  return right;
}

// SPDX-License-Identifier: GPL-2.0-only
/**
 * What a set of areas that do not overlap offers a bench, ours and the rivals' by the same names.
 *
 * Addresses and lengths are safe integers, in bytes: with a bigint for each of them the rivals would be several times slower. All
 * refuse what meets an area, remember an address with each, and unmap only what is whole in the range.
 */
import { Errno } from "iommufd-wasm";

export interface AddressSpace {
  /** Maps [first, first + length). Returns 0, or -EEXIST where something is mapped. */
  map(first: number, length: number): number;
  /** Unmaps the areas in [first, first + length). Returns 0; -ENOENT when there is none, or one sticks out. */
  unmap(first: number, length: number): number;
  /** Maps `length` bytes, a power of two, at the lowest multiple of it, from 4 KiB on, that is free. Returns the address, or -ENOSPC. */
  mapAnywhere(length: number): number;
  /** Looks the area up that contains the address, and whether a mapping of that byte would meet one. Returns -EEXIST, -ENOENT. */
  look(address: number): number;
}

/** A space whose first fit goes through all areas from the first on, as far as it must. */
export interface Scanned {
  /** Calls `step` with the bounds of each area in ascending order until it returns true. */
  scan(step: (first: number, last: number) => boolean): void;
}

export const EEXIST = -Errno.EEXIST;
export const ENOENT = -Errno.ENOENT;
export const ENOSPC = -Errno.ENOSPC;

/** What is remembered of an area. */
export interface Area {
  readonly first: number;
  readonly last: number;
  readonly user: number;
}

/** Address of the caller's memory that every bench maps. */
export const USER = 2 ** 21;
export const PAGE = 4096;

/** First fit where nothing is known about gaps. Returns the address. */
export function firstFit(space: Scanned, length: number): number {
  let place = length > PAGE ? length : PAGE;
  space.scan((first, last) => {
    if (place + length <= first) return true;
    if (last >= place) place = Math.ceil((last + 1) / length) * length;
    return false;
  });
  return place;
}

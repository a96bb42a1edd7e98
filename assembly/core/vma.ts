// SPDX-License-Identifier: GPL-2.0-only
/**
 * Mappings: their rows, and the order in which an address finds them.
 *
 * A mapping is a run of user pages. Anonymous ones are backed by heap pages of their own; those of a memfd by the file's, as far as it
 * reaches; external ones by memory that only JavaScript reaches, so that a copy in here is EFAULT. Each page has a protection of its own:
 * anonymous pages in their frame bytes, the others, which several mappings may show, in pages that belong to the mapping.
 *
 * A row's address is the process' number and the user address in one word. MAPPING_ORDER lists the rows in ascending order of that, so
 * every process has a run of its own in it and a lookup is one binary search. The map lock protects rows, order and protections. A row
 * that has left the order belongs to the thread that it names, until its pages are free (gup.ts).
 *
 * Kernel counterpart: struct vm_area_struct, find_vma().
 */
import { copy, store32 } from "./atomics";
import { pagesOf } from "./memfd";
import {
  MAPPINGS,
  MAPPING_ANONYMOUS,
  MAPPING_LEAVING,
  MAPPING_ORDER,
  MAPS,
  MapState,
  Mapping,
  PAGE_SHIFT,
} from "./memory-map";
import { processOfSpace, spaceOf } from "./process";
import { current, nameOfThread } from "./thread";

export const MAP_LOCK: usize = MAPS + offsetof<MapState>("lock");

// @ts-ignore: a decorator on a function
@inline export function rowAt(number: u32): usize {
  return MAPPINGS + number * offsetof<Mapping>();
}
// @ts-ignore: a decorator on a function
@inline export function stateOf(row: usize): usize {
  return row + offsetof<Mapping>("state");
}
/** The mapping at that position of the order. Context: map lock held. */
// @ts-ignore: a decorator on a function
@inline export function ordered(position: u32): usize {
  return rowAt(load<u16>(MAPPING_ORDER + position * 2));
}
// @ts-ignore: a decorator on a function
@inline export function endOf(row: usize): u64 {
  return changetype<Mapping>(row).va + ((<u64>changetype<Mapping>(row).pages) << PAGE_SHIFT);
}

/** Context: map lock held. Return: position of the first mapping that ends above `va`; the count when there is none. */
export function positionOf(va: u64): u32 {
  let low: u32 = 0;
  let high = changetype<MapState>(MAPS).count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (endOf(ordered(middle)) <= va) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Context: map lock held. Return: position of the process' first mapping, -1 when it has none. */
export function firstOf(process: usize): i32 {
  const position = positionOf(spaceOf(process));
  if (position == changetype<MapState>(MAPS).count) return -1;
  return processOfSpace(changetype<Mapping>(ordered(position)).va) == process ? <i32>position : -1;
}

/** Nobody finds the mapping any more. Context: map lock held. */
export function beginUnmap(row: usize, position: u32): void {
  const state = changetype<MapState>(MAPS);
  leave(row);
  const at = MAPPING_ORDER + position * 2;
  state.count--;
  copy(at, at + 2, (state.count - position) * 2);
}

/** The calling thread clears the row. Context: map lock held. */
export function leave(row: usize): void {
  changetype<Mapping>(row).unmapper = nameOfThread(current());
  store32(stateOf(row), MAPPING_LEAVING);
}

/** The heap pages that go with the mapping: the mapped ones, or what says their protection. */
export function ownPages(row: usize): usize {
  const mapping = changetype<Mapping>(row);
  return mapping.kind == MAPPING_ANONYMOUS ? mapping.backing : mapping.protections;
}

export function ownCount(row: usize): u32 {
  const mapping = changetype<Mapping>(row);
  return mapping.kind == MAPPING_ANONYMOUS ? mapping.pages : pagesOf(mapping.pages);
}

// SPDX-License-Identifier: GPL-2.0-only
/**
 * Pins: pages of a mapping that stay although it is unmapped, and the end of a mapping, which waits for them.
 *
 * A copy pins the mapping it touches, by a word of its own thread, and then works without the lock. unmap (mmap.ts) and an exit take the
 * row out of the order first, so no new pin can come, wait until no thread pins it, and only then wipe and free the pages:
 *
 *     a copy ends                   unmap
 *     1. pinned := 0                1. state := LEAVING
 *     2. read state; LEAVING:       2. for each thread: sleep while pinned = the row
 *        wake the pinned word
 *
 * Either the copy reads LEAVING and wakes, or unmap reads 0. A pin lasts for one copy inside this module and never waits itself,
 * so the wait is short; who may not block spins.
 *
 * A pin that outlasts a call (keepPin) is a count in the row. It is raised only while the thread's word names the row, hence not any
 * more when unmap's wait is over; unmap then leaves the row to the last dropPin. So pages that a device uses survive munmap() and exit.
 * Such pages can be copied too, while a pin keeps them (pinKept); then the row goes with the last of both.
 *
 * Kernel counterpart: get_user_pages() and its pins (mm/gup.c).
 */
import { add32, load32, notify, pause, store32, wait32 } from "./atomics";
import { beginEnd, finishMemfd, memfdAt, memfdBytes, pagesOf } from "./memfd";
import {
  MAPPING_EXTERNAL,
  MAPPING_LEAVING,
  MAPPING_MEMFD,
  MAPPING_ORPHAN,
  MAPPING_UNUSED,
  MAPS,
  MAX_THREADS,
  MapState,
  Mapping,
  PAGE_SHIFT,
  TASK_SIZE,
  THREADS,
  THREAD_BYTES,
  Thread,
} from "./memory-map";
import { RANK_MAP, lock, unlock } from "./mutex";
import { freePages, wipePages } from "./page-alloc";
import { currentProcess, spaceOf } from "./process";
import { current } from "./thread";
import { MAP_LOCK, leave, ordered, ownCount, ownPages, positionOf, stateOf } from "./vma";

// @ts-ignore: a decorator on a function
@inline export function pinnedOf(thread: usize): usize {
  return thread + offsetof<Thread>("pinned");
}

/**
 * Pins the mapping of this process that covers `va`, so that its pages stay. Context: nothing is pinned by this thread.
 *
 * Return: bytes from `va` on, at most `length`, that lie in it and whose pages all allow `prot` now; 0: none, and nothing is pinned.
 */
export function pin(va: u64, length: u64, prot: u32): usize {
  const reach = pinIn(currentProcess(), va, length, prot);
  if (reach == 0 || pinnedKind() != MAPPING_EXTERNAL) return reach;
  unpin();
  return 0;
}

/** The same in any process, and of external memory too. Context: as pin; the process' row is held. */
export function pinIn(process: usize, va: u64, length: u64, prot: u32): usize {
  if (va > TASK_SIZE) return 0;
  let reach: usize = 0;
  va |= spaceOf(process);
  lock(MAP_LOCK, RANK_MAP);
  const position = positionOf(va);
  if (position < changetype<MapState>(MAPS).count && changetype<Mapping>(ordered(position)).va <= va) {
    const row = ordered(position);
    reach = accessible(row, va, length, prot);
    if (reach != 0) store32(pinnedOf(current()), <u32>row);
  }
  unlock(MAP_LOCK, RANK_MAP);
  return reach;
}

/** Context: map lock held. Return: as pin. */
function accessible(row: usize, va: u64, length: u64, prot: u32): usize {
  const mapping = changetype<Mapping>(row);
  const offset = va - mapping.va;
  let end = min(offset + length, (<u64>mapping.pages) << PAGE_SHIFT);
  if (mapping.kind == MAPPING_MEMFD) end = min(end, fileReach(row));
  let page = <u32>(offset >> PAGE_SHIFT);
  const protections: usize = mapping.protections;
  while ((<u64>page) << PAGE_SHIFT < end && (load<u8>(protections + page) & prot) == prot) page++;
  const reach = min((<u64>page) << PAGE_SHIFT, end);
  return reach > offset ? <usize>(reach - offset) : 0;
}

/** How many bytes of the mapping the file has: whole pages of it. */
function fileReach(row: usize): u64 {
  const mapping = changetype<Mapping>(row);
  const begin = mapping.backing - <u32>memfdAt(mapping.source);
  const end = pagesOf(memfdBytes(mapping.source)) << PAGE_SHIFT;
  return end > begin ? end - begin : 0;
}

// @ts-ignore: a decorator on a function
@inline function pinnedRow(): Mapping {
  return changetype<Mapping>(<usize>load<u32>(pinnedOf(current())));
}

// What follows is of the mapping that this thread pins, and of an address in it.

/** MAPPING_ANONYMOUS, MAPPING_MEMFD or MAPPING_EXTERNAL. */
export function pinnedKind(): u32 {
  return pinnedRow().kind;
}

/** Return: the row of the memfd, or the number of the external memory. */
export function pinnedSource(): u32 {
  return pinnedRow().source;
}

/** Return: how far behind the mapping's first byte `va` lies. */
export function pinnedOffset(va: u64): u32 {
  return <u32>(va - pinnedRow().va);
}

/** Return: where the byte at `va` lies. Context: it is in this memory. */
export function backingOf(va: u64): usize {
  return <usize>pinnedRow().backing + pinnedOffset(va);
}

export function unpin(): void {
  const pinned = pinnedOf(current());
  const row: usize = load<u32>(pinned);
  store32(pinned, 0);
  const state = load32(stateOf(row));
  if (state == MAPPING_LEAVING) notify(pinned, -1);
  else if (state == MAPPING_ORPHAN) endOrphan(row);
}

/** What kept the row may be gone. */
function endOrphan(row: usize): void {
  lock(MAP_LOCK, RANK_MAP);
  const isOver = beginEndOfOrphan(row);
  unlock(MAP_LOCK, RANK_MAP);
  if (isOver) finishUnmap(row);
}

/** Pins a mapping for a copy. Context: nothing is pinned by this thread; somebody else's keepPin keeps the row. */
export function pinKept(row: usize): void {
  store32(pinnedOf(current()), <u32>row);
}

/** From here on the mapping's pages stay until dropPin, whatever is unmapped. Return: the row. */
export function keepPin(): usize {
  const row: usize = load<u32>(pinnedOf(current()));
  add32(row + offsetof<Mapping>("pins"), 1);
  return row;
}

/** The same once more. Context: it is kept. */
export function keepPinOf(row: usize): void {
  add32(row + offsetof<Mapping>("pins"), 1);
}

/** Context: may wipe pages. */
export function dropPin(row: usize): void {
  lock(MAP_LOCK, RANK_MAP);
  add32(row + offsetof<Mapping>("pins"), u32.MAX_VALUE);
  const isLast = beginEndOfOrphan(row);
  unlock(MAP_LOCK, RANK_MAP);
  if (isLast) finishUnmap(row);
}

// ---------------------------------------------------------------------------------------------------- the end of a mapping

/** Until no thread copies from or to it any more. Context: the caller took the row out of the order. */
export function waitForPins(row: usize): void {
  const mayBlock = changetype<Thread>(current()).mayBlock != 0;
  for (let number: u32 = 0; number < MAX_THREADS; number++) {
    const pinned = pinnedOf(THREADS + number * THREAD_BYTES);
    while (load32(pinned) == <u32>row) {
      if (mayBlock) wait32(pinned, <u32>row, -1);
      else pause(pinned, <u32>row);
    }
  }
}

/** Whether a thread copies from or to it. */
function isCopied(row: usize): bool {
  for (let number: u32 = 0; number < MAX_THREADS; number++) {
    if (load32(pinnedOf(THREADS + number * THREAD_BYTES)) == <u32>row) return true;
  }
  return false;
}

/**
 * Context: the caller took the row out of the order, and no thread pins it. The row is unused before its pages are free: when the
 * thread dies under the lock, pages without a row are found, and pages of a row are nobody else's.
 */
export function finishUnmap(row: usize): void {
  const mapping = changetype<Mapping>(row);
  // Nobody can begin to copy what only pins keep once there are none.
  if ((load32(row + offsetof<Mapping>("pins")) != 0 || isCopied(row)) && leaveToPins(row)) return;
  const isFile = mapping.kind == MAPPING_MEMFD;
  const file: usize = mapping.source;
  const own = ownPages(row);
  const pages = ownCount(row);
  wipePages(own, pages);
  lock(MAP_LOCK, RANK_MAP);
  store32(stateOf(row), MAPPING_UNUSED);
  freePages(own, pages);
  const isLast = isFile && beginEnd(file);
  unlock(MAP_LOCK, RANK_MAP);
  if (isLast) finishMemfd(file);
}

/** Return: whether pins, or copies of what they keep, are left, the last of which frees the pages now. */
function leaveToPins(row: usize): bool {
  lock(MAP_LOCK, RANK_MAP);
  store32(stateOf(row), MAPPING_ORPHAN); // before the look: who ends a copy reads it afterwards
  const isOver = beginEndOfOrphan(row);
  unlock(MAP_LOCK, RANK_MAP);
  return !isOver;
}

/** Context: map lock held. Return: whether nothing keeps an orphan any more; then the caller unlocks and calls finishUnmap. */
function beginEndOfOrphan(row: usize): bool {
  if (load32(stateOf(row)) != MAPPING_ORPHAN) return false;
  if (load32(row + offsetof<Mapping>("pins")) != 0 || isCopied(row)) return false;
  leave(row);
  return true;
}

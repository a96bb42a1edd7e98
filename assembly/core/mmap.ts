// SPDX-License-Identifier: GPL-2.0-only
/**
 * User space: what a 64-bit user address means.
 *
 * A mapping is a run of user pages, backed by a run of heap pages; each page has a protection of its own, kept in its frame
 * byte. MAPPING_ORDER lists the rows in ascending order of address; the map lock protects rows, order and protections.
 *
 * A copy pins the mapping it touches, by a word of its own thread, and then works without the lock. unmap takes the row out of the
 * order first, so no new pin can come, waits until no thread pins it, and only then wipes and frees the pages:
 *
 *     a copy ends                   unmap
 *     1. pinned := 0                1. state := LEAVING
 *     2. read state; LEAVING:       2. for each thread: sleep while pinned = the row
 *        wake the pinned word
 *
 * Either the copy reads LEAVING and wakes, or unmap reads 0. A pin lasts for one copy inside this module and never waits itself,
 * so the wait is short; who may not block spins.
 *
 * If a thread dies in here: the order follows from the rows, a row that map was filling is in Thread.mapping, one that unmap was
 * clearing names its thread, and pages that no row has are free (repairMappings).
 *
 * Kernel counterpart: mmap(MAP_FIXED_NOREPLACE), mprotect(), munmap(), and get_user_pages' pins.
 */
import { copy, fill, load32, notify, pause, store32, wait32 } from "./atomics";
import { EEXIST, EINVAL, ENOMEM } from "../errno";
import { mayFail } from "./faults";
import {
  FAULT_MEMORY,
  FRAMES,
  FRAME_FREE,
  FRAME_USER,
  IDENTITY,
  Identity,
  MAPPINGS,
  MAPPING_LEAVING,
  MAPPING_MAPPED,
  MAPPING_ORDER,
  MAPPING_UNUSED,
  MAPS,
  MAX_MAPPINGS,
  MAX_THREADS,
  MapState,
  Mapping,
  PAGE_SHIFT,
  PAGE_SIZE,
  PROT_READ,
  PROT_WRITE,
  TASK_SIZE,
  THREADS,
  THREAD_BYTES,
  Thread,
} from "./memory-map";
import { RANK_MAP, lock, unlock } from "./mutex";
import { allocPages, frameOf, freePages, wipePages } from "./page-alloc";
import { current, nameOfThread } from "./thread";

const MAP_LOCK: usize = MAPS + offsetof<MapState>("lock");

/** Where addresses that the caller leaves to us begin. */
const MAP_BASE: u64 = 0x7f00_0000_0000;

// @ts-ignore: a decorator on a function
@inline function rowAt(number: u32): usize {
  return MAPPINGS + number * offsetof<Mapping>();
}
// @ts-ignore: a decorator on a function
@inline function stateOf(row: usize): usize {
  return row + offsetof<Mapping>("state");
}
// @ts-ignore: a decorator on a function
@inline function pinnedOf(thread: usize): usize {
  return thread + offsetof<Thread>("pinned");
}
// @ts-ignore: a decorator on a function
@inline function ordered(position: u32): usize {
  return rowAt(load<u16>(MAPPING_ORDER + position * 2));
}
// @ts-ignore: a decorator on a function
@inline function endOf(row: usize): u64 {
  return changetype<Mapping>(row).va + ((<u64>changetype<Mapping>(row).pages) << PAGE_SHIFT);
}
// @ts-ignore: a decorator on a function
@inline function isPageAligned(address: u64): bool {
  return (address & (PAGE_SIZE - 1)) == 0;
}

/** Context: map lock held. Return: position of the first mapping that ends above `va`; the count when there is none. */
function positionOf(va: u64): u32 {
  let low: u32 = 0;
  let high = changetype<MapState>(MAPS).count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (endOf(ordered(middle)) <= va) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Maps zeroed pages. `va` 0 leaves the address to us.
 *
 * Return: the row's address, for mapDone when it was read; -EINVAL (length 0, not page aligned, first page, past the end of user space), -EEXIST (something is
 * there), -ENOMEM (no memory, no row, no room), all without a change.
 */
export function map(va: u64, length: u64, prot: u32): i32 {
  if (length == 0 || !isPageAligned(va) || length > TASK_SIZE || va > TASK_SIZE - length) return -EINVAL;
  if (prot > (PROT_READ | PROT_WRITE)) return -EINVAL;
  const pages = (length + PAGE_SIZE - 1) >> PAGE_SHIFT;
  if (pages > <u64>(u32.MAX_VALUE >> PAGE_SHIFT)) return -ENOMEM;
  const state = changetype<MapState>(MAPS);
  lock(MAP_LOCK, RANK_MAP);
  if (va == 0) va = firstGap(pages << PAGE_SHIFT);
  const position = positionOf(va);
  const taken = position < state.count && changetype<Mapping>(ordered(position)).va < va + (pages << PAGE_SHIFT);
  let result: i32 = 0;
  if (taken) result = -EEXIST;
  else if (va > TASK_SIZE - length) result = -ENOMEM;
  else result = insert(position, va, <u32>pages, prot);
  unlock(MAP_LOCK, RANK_MAP);
  return result;
}

/** Context: map lock held. Return: the row's address or -ENOMEM. */
function insert(position: u32, va: u64, pages: u32, prot: u32): i32 {
  let number: u32 = 0;
  while (number < MAX_MAPPINGS && changetype<Mapping>(rowAt(number)).state != MAPPING_UNUSED) number++;
  if (number == MAX_MAPPINGS) return -ENOMEM; // unmap wipes a row's pages before it gives the row back
  if (mayFail(FAULT_MEMORY)) return -ENOMEM;
  const backing = allocPages(pages, FRAME_USER | (<u8>prot));
  if (backing == 0) return -ENOMEM;
  const row = changetype<Mapping>(rowAt(number));
  row.va = va;
  row.pages = pages;
  row.backing = <u32>backing;
  row.unmapper = 0;
  changetype<Thread>(current()).mapping = <u32>rowAt(number);
  store32(stateOf(rowAt(number)), MAPPING_MAPPED);
  const state = changetype<MapState>(MAPS);
  const at = MAPPING_ORDER + position * 2;
  copy(at + 2, at, (state.count - position) * 2);
  store<u16>(at, <u16>number);
  state.count++;
  return <i32>rowAt(number);
}

/** The caller of map has the address: from here on the mapping stays, whatever becomes of the thread. */
export function mapDone(): void {
  changetype<Thread>(current()).mapping = 0;
}

/** Context: map lock held. Return: the lowest address from MAP_BASE on where `length` bytes are free. */
function firstGap(length: u64): u64 {
  let va = MAP_BASE;
  const count = changetype<MapState>(MAPS).count;
  for (let position = positionOf(va); position < count; position++) {
    const row = ordered(position);
    if (changetype<Mapping>(row).va >= va + length) break;
    va = endOf(row);
  }
  return va;
}

/** Changes the protection of whole pages. Return: 0; -EINVAL (alignment, prot), -ENOMEM (a hole in the range), no change. */
export function protect(va: u64, length: u64, prot: u32): i32 {
  if (!isPageAligned(va) || prot > (PROT_READ | PROT_WRITE)) return -EINVAL;
  if (length > TASK_SIZE || va > TASK_SIZE - length) return -ENOMEM;
  const end = va + ((length + PAGE_SIZE - 1) & ~(<u64>PAGE_SIZE - 1));
  lock(MAP_LOCK, RANK_MAP);
  const count = changetype<MapState>(MAPS).count;
  const first = positionOf(va);
  let covered = va;
  let position = first;
  for (; covered < end; position++) {
    if (position == count || changetype<Mapping>(ordered(position)).va > covered) break;
    covered = endOf(ordered(position));
  }
  if (covered >= end) {
    for (let at = va, p = first; at < end; p++) {
      const row = changetype<Mapping>(ordered(p));
      const last = min(end, endOf(ordered(p)));
      fill(
        frameOf(<usize>row.backing + <usize>(at - row.va)),
        FRAME_USER | (<u8>prot),
        <usize>((last - at) >> PAGE_SHIFT),
      );
      at = last;
    }
  }
  unlock(MAP_LOCK, RANK_MAP);
  return covered >= end ? 0 : -ENOMEM;
}

/** Removes the mapping that starts at `va`, wiped. Context: may wait for copies. Return: 0, or -EINVAL when none starts there. */
export function unmap(va: u64): i32 {
  const state = changetype<MapState>(MAPS);
  lock(MAP_LOCK, RANK_MAP);
  const position = positionOf(va);
  if (position == state.count || changetype<Mapping>(ordered(position)).va != va) {
    unlock(MAP_LOCK, RANK_MAP);
    return -EINVAL;
  }
  const row = ordered(position);
  beginUnmap(row, position);
  unlock(MAP_LOCK, RANK_MAP);
  waitForPins(row);
  finishUnmap(row);
  return 0;
}

/** Nobody finds the mapping any more. Context: map lock held. */
function beginUnmap(row: usize, position: u32): void {
  const state = changetype<MapState>(MAPS);
  changetype<Mapping>(row).unmapper = nameOfThread(current());
  store32(stateOf(row), MAPPING_LEAVING);
  const at = MAPPING_ORDER + position * 2;
  state.count--;
  copy(at, at + 2, (state.count - position) * 2);
}

/** Context: the caller took the row out of the order, and nobody pins it. */
function finishUnmap(row: usize): void {
  const mapping = changetype<Mapping>(row);
  wipePages(mapping.backing, mapping.pages);
  lock(MAP_LOCK, RANK_MAP);
  freePages(mapping.backing, mapping.pages);
  store32(stateOf(row), MAPPING_UNUSED);
  unlock(MAP_LOCK, RANK_MAP);
}

function waitForPins(row: usize): void {
  const mayBlock = changetype<Thread>(current()).mayBlock != 0;
  for (let number: u32 = 0; number < MAX_THREADS; number++) {
    const pinned = pinnedOf(THREADS + number * THREAD_BYTES);
    while (load32(pinned) == <u32>row) {
      if (mayBlock) wait32(pinned, <u32>row, -1);
      else pause(pinned, <u32>row);
    }
  }
}

/**
 * Pins the mapping that covers `va`, so that its pages stay. Context: nothing is pinned by this thread.
 *
 * Return: bytes from `va` on, at most `length`, that lie in it and whose pages all allow `prot` now; 0: none, and nothing is pinned.
 */
export function pin(va: u64, length: u64, prot: u32): usize {
  let reach: usize = 0;
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
  const end = min(offset + length, (<u64>mapping.pages) << PAGE_SHIFT);
  let page = <u32>(offset >> PAGE_SHIFT);
  const frames = frameOf(mapping.backing);
  while ((<u64>page) << PAGE_SHIFT < end && (load<u8>(frames + page) & prot) == prot) page++;
  const reach = min((<u64>page) << PAGE_SHIFT, end);
  return reach > offset ? <usize>(reach - offset) : 0;
}

/** Return: where the byte at `va` lies. Context: its mapping is pinned by this thread. */
export function backingOf(va: u64): usize {
  const mapping = changetype<Mapping>(<usize>load<u32>(pinnedOf(current())));
  return <usize>mapping.backing + <usize>(va - mapping.va);
}

export function unpin(): void {
  const pinned = pinnedOf(current());
  const row: usize = load<u32>(pinned);
  store32(pinned, 0);
  if (load32(stateOf(row)) == MAPPING_LEAVING) notify(pinned, -1);
}

// ---------------------------------------------------------------------------------------------------- for the reaper

/** Makes the order what the rows say. Context: the map lock is held by the thread that the caller acts as, which died with it. */
export function repairMappings(): void {
  const state = changetype<MapState>(MAPS);
  const unfinished: usize = changetype<Thread>(current()).mapping;
  if (unfinished != 0) {
    store32(stateOf(unfinished), MAPPING_UNUSED); // its pages have no row now
    mapDone();
  }
  state.count = 0;
  for (let number: u32 = 0; number < MAX_MAPPINGS; number++) {
    if (load32(stateOf(rowAt(number))) != MAPPING_MAPPED) continue;
    const at = MAPPING_ORDER + positionOf(changetype<Mapping>(rowAt(number)).va) * 2;
    copy(at + 2, at, MAPPING_ORDER + state.count * 2 - at);
    store<u16>(at, <u16>number);
    state.count++;
  }
}

/** Frees the user pages that no row has. Context: every lock is held, by who acts as a dead thread. */
export function sweepPages(): void {
  const identity = changetype<Identity>(IDENTITY);
  for (let page: u32 = 0; page < identity.heapPages; page++) {
    if ((load<u8>(FRAMES + page) & FRAME_USER) == 0) continue;
    const address = identity.heap + (page << PAGE_SHIFT);
    if (isBacking(address)) continue;
    wipePages(address, 1);
    freePages(address, 1);
  }
}

function isBacking(address: usize): bool {
  for (let number: u32 = 0; number < MAX_MAPPINGS; number++) {
    const row = changetype<Mapping>(rowAt(number));
    if (load32(stateOf(rowAt(number))) == MAPPING_UNUSED) continue;
    if (address >= row.backing && address < row.backing + (row.pages << PAGE_SHIFT)) return true;
  }
  return false;
}

/** Ends what a dead thread was doing with mappings. Context: acting as that thread, which holds every lock. */
export function recoverMappings(): void {
  const pinned = pinnedOf(current());
  store32(pinned, 0);
  notify(pinned, -1);
  const unfinished: usize = changetype<Thread>(current()).mapping;
  if (unfinished != 0 && load32(stateOf(unfinished)) == MAPPING_MAPPED) {
    beginUnmap(unfinished, positionOf(changetype<Mapping>(unfinished).va));
  }
  mapDone();
}

/** The row of an unmap that the dead thread did not finish, 0 when there is none. Context: as recoverMappings. */
export function leavingRow(): usize {
  for (let number: u32 = 0; number < MAX_MAPPINGS; number++) {
    const row = changetype<Mapping>(rowAt(number));
    if (row.state == MAPPING_LEAVING && row.unmapper == nameOfThread(current())) return rowAt(number);
  }
  return 0;
}

/** Return: a thread that still copies from the row, which is LEAVING; 0 when there is none, and the row is cleared. */
export function finishLeaving(row: usize): usize {
  for (let number: u32 = 0; number < MAX_THREADS; number++) {
    if (load32(pinnedOf(THREADS + number * THREAD_BYTES)) == <u32>row) return THREADS + number * THREAD_BYTES;
  }
  finishUnmap(row);
  return 0;
}

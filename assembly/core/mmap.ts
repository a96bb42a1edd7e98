// SPDX-License-Identifier: GPL-2.0-only
/**
 * User space: what a 64-bit user address of a process means.
 *
 * A mapping is a run of user pages. Anonymous ones are backed by heap pages of their own; those of a memfd by the file's, as far as it
 * reaches; external ones by memory that only JavaScript reaches, so that a copy in here is EFAULT. Each page has a protection of its own:
 * anonymous pages in their frame bytes, the others, which several mappings may show, in pages that belong to the mapping.
 *
 * A row's address is the process' number and the user address in one word. MAPPING_ORDER lists the rows in ascending order of that, so
 * every process has a run of its own in it and a lookup is one binary search. The map lock protects rows, order and protections.
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
 * A pin that outlasts a call (keepPin) is a count in the row. It is raised only while the thread's word names the row, hence not any
 * more when unmap's wait is over; unmap then leaves the row to the last dropPin. So pages that a device uses survive munmap() and exit.
 * Such pages can be copied too, while a pin keeps them (pinKept); then the row goes with the last of both.
 *
 * If a thread dies in here: the order follows from the rows, a row that map was filling is in Thread.mapping, one that unmap was
 * clearing names its thread, and pages that no row has are free (repairMappings).
 *
 * Kernel counterpart: mmap(MAP_FIXED_NOREPLACE), mprotect(), munmap(), and get_user_pages' pins.
 */
import { add32, copy, fill, load32, notify, pause, store32, wait32 } from "./atomics";
import { EBADF, EEXIST, EINVAL, ENOMEM, EOVERFLOW, ESRCH } from "../errno";
import { mayFail } from "./faults";
import { beginEnd, finishMemfd, forgetMemfd, isOfMemfd, memfdAt, memfdBytes, pagesOf, thatMemfd } from "./memfd";
import {
  FAULT_MEMORY,
  FRAMES,
  FRAME_FREE,
  FRAME_USER,
  IDENTITY,
  Identity,
  MAPPINGS,
  MAPPING_ANONYMOUS,
  MAPPING_EXTERNAL,
  MAPPING_LEAVING,
  MAPPING_MAPPED,
  MAPPING_MEMFD,
  MAPPING_ORDER,
  MAPPING_ORPHAN,
  MAPPING_UNUSED,
  MAPS,
  MAX_MAPPINGS,
  MAX_THREADS,
  MEMFDS,
  MapState,
  Mapping,
  Memfd,
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
import { currentProcess, forgetProcess, isAlive, processOfSpace, spaceOf } from "./process";
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
 * there), -ENOMEM (no memory, no row, no room), -ESRCH (the process has ended), all without a change.
 */
export function map(va: u64, length: u64, prot: u32): i32 {
  return mapAny(va, length, prot, MAPPING_ANONYMOUS, 0, 0, 0);
}

/**
 * Maps a part of a memfd, shared; it may lie beyond the file's size, but not beyond what the file can become.
 *
 * Return: as map; -EINVAL for an offset that is not page aligned, -EBADF, -EOVERFLOW (beyond what the file can become).
 */
export function mapFile(va: u64, length: u64, prot: u32, fd: i32, generation: u32, offset: u64): i32 {
  if (!isPageAligned(offset)) return -EINVAL;
  return mapAny(va, length, prot, MAPPING_MEMFD, fd, generation, offset);
}

/** Maps memory that JavaScript has and we do not, under a number that no other has. Return: as map. */
export function mapExternal(va: u64, length: u64, prot: u32): i32 {
  return mapAny(va, length, prot, MAPPING_EXTERNAL, 0, 0, 0);
}

function mapAny(va: u64, length: u64, prot: u32, kind: u32, fd: i32, generation: u32, offset: u64): i32 {
  if (length == 0 || !isPageAligned(va) || length > TASK_SIZE || va > TASK_SIZE - length) return -EINVAL;
  if (prot > (PROT_READ | PROT_WRITE)) return -EINVAL;
  const pages = (length + PAGE_SIZE - 1) >> PAGE_SHIFT;
  if (pages > <u64>(u32.MAX_VALUE >> PAGE_SHIFT)) return -ENOMEM;
  lock(MAP_LOCK, RANK_MAP);
  let result: i32 = 0;
  let file: usize = 0;
  if (!isAlive(currentProcess())) result = -ESRCH;
  else if (kind == MAPPING_MEMFD) {
    file = thatMemfd(fd, generation);
    if (file == 0) result = -EBADF;
    else if (offset > u32.MAX_VALUE || (offset >> PAGE_SHIFT) + pages > changetype<Memfd>(file).pages)
      result = -EOVERFLOW;
  }
  if (result == 0) result = place(va, <u32>pages, prot, kind, file, <u32>offset);
  unlock(MAP_LOCK, RANK_MAP);
  return result;
}

/** Finds the address. Context: map lock held. Return: as map. */
function place(va: u64, pages: u32, prot: u32, kind: u32, file: usize, offset: u32): i32 {
  const state = changetype<MapState>(MAPS);
  const space = spaceOf(currentProcess());
  const length = (<u64>pages) << PAGE_SHIFT;
  va = space | va;
  if (va == space) va = firstGap(space, length);
  const position = positionOf(va);
  if (position < state.count && changetype<Mapping>(ordered(position)).va < va + length) return -EEXIST;
  if (va - space > TASK_SIZE - length) return -ENOMEM;
  return insert(position, va, pages, prot, kind, file, offset);
}

/** Context: map lock held. Return: the row's address or -ENOMEM. */
function insert(position: u32, va: u64, pages: u32, prot: u32, kind: u32, file: usize, offset: u32): i32 {
  let number: u32 = 0;
  while (number < MAX_MAPPINGS && changetype<Mapping>(rowAt(number)).state != MAPPING_UNUSED) number++;
  if (number == MAX_MAPPINGS) return -ENOMEM; // unmap wipes a row's pages before it gives the row back
  if (mayFail(FAULT_MEMORY)) return -ENOMEM;
  const own = allocPages(kind == MAPPING_ANONYMOUS ? pages : pagesOf(pages), FRAME_USER | (<u8>prot));
  if (own == 0) return -ENOMEM;
  const state = changetype<MapState>(MAPS);
  const row = changetype<Mapping>(rowAt(number));
  row.va = va;
  row.pages = pages;
  row.unmapper = 0;
  row.kind = kind;
  row.pins = 0;
  if (kind == MAPPING_ANONYMOUS) {
    row.backing = <u32>own;
    row.source = 0;
    row.protections = <u32>frameOf(own);
  } else {
    const isFile = kind == MAPPING_MEMFD;
    row.backing = isFile ? <u32>memfdAt(file) + offset : 0;
    row.source = isFile ? <u32>file : ++state.externals;
    row.protections = <u32>own;
    fill(own, FRAME_USER | (<u8>prot), pages);
  }
  changetype<Thread>(current()).mapping = <u32>rowAt(number);
  store32(stateOf(rowAt(number)), MAPPING_MAPPED);
  const at = MAPPING_ORDER + position * 2;
  copy(at + 2, at, (state.count - position) * 2);
  store<u16>(at, <u16>number);
  state.count++;
  return <i32>rowAt(number);
}

/** The caller has the address: from here on the mapping, process or memfd stays, whatever becomes of the thread. */
export function mapDone(): void {
  changetype<Thread>(current()).mapping = 0;
}

/** Context: map lock held. Return: the lowest address from MAP_BASE on where `length` bytes are free, in that space. */
function firstGap(space: u64, length: u64): u64 {
  let va = space | MAP_BASE;
  const count = changetype<MapState>(MAPS).count;
  for (let position = positionOf(va); position < count; position++) {
    const row = ordered(position);
    if (changetype<Mapping>(row).va >= va + length) break;
    va = endOf(row);
  }
  return va;
}

/** Changes the protection of whole pages, of this process alone. Return: 0; -EINVAL (alignment, prot), -ENOMEM (a hole in the range), no change. */
export function protect(va: u64, length: u64, prot: u32): i32 {
  if (!isPageAligned(va) || prot > (PROT_READ | PROT_WRITE)) return -EINVAL;
  if (length > TASK_SIZE || va > TASK_SIZE - length) return -ENOMEM;
  va |= spaceOf(currentProcess());
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
        <usize>row.protections + <usize>((at - row.va) >> PAGE_SHIFT),
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
  if (va > TASK_SIZE) return -EINVAL;
  const state = changetype<MapState>(MAPS);
  va |= spaceOf(currentProcess());
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
export function beginUnmap(row: usize, position: u32): void {
  const state = changetype<MapState>(MAPS);
  leave(row);
  const at = MAPPING_ORDER + position * 2;
  state.count--;
  copy(at, at + 2, (state.count - position) * 2);
}

/** The calling thread clears the row. Context: map lock held. */
function leave(row: usize): void {
  changetype<Mapping>(row).unmapper = nameOfThread(current());
  store32(stateOf(row), MAPPING_LEAVING);
}

/** Context: map lock held. Return: position of the process' first mapping, -1 when it has none. */
export function firstOf(process: usize): i32 {
  const position = positionOf(spaceOf(process));
  if (position == changetype<MapState>(MAPS).count) return -1;
  return processOfSpace(changetype<Mapping>(ordered(position)).va) == process ? <i32>position : -1;
}

/** Context: map lock held. */
export function mappingAt(position: u32): usize {
  return ordered(position);
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

/** The heap pages that go with the mapping: the mapped ones, or what says their protection. */
function ownPages(row: usize): usize {
  const mapping = changetype<Mapping>(row);
  return mapping.kind == MAPPING_ANONYMOUS ? mapping.backing : mapping.protections;
}

function ownCount(row: usize): u32 {
  const mapping = changetype<Mapping>(row);
  return mapping.kind == MAPPING_ANONYMOUS ? mapping.pages : pagesOf(mapping.pages);
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

/** Whether a thread copies from or to it. */
function isCopied(row: usize): bool {
  for (let number: u32 = 0; number < MAX_THREADS; number++) {
    if (load32(pinnedOf(THREADS + number * THREAD_BYTES)) == <u32>row) return true;
  }
  return false;
}

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

// ---------------------------------------------------------------------------------------------------- pins

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

// ---------------------------------------------------------------------------------------------------- for the reaper

/** Makes the order what the rows say. Context: the map lock is held by the thread that the caller acts as, which died with it. */
export function repairMappings(): void {
  const state = changetype<MapState>(MAPS);
  const unfinished: usize = changetype<Thread>(current()).mapping;
  if (unfinished >= MAPPINGS) {
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
    const row = rowAt(number);
    if (load32(stateOf(row)) == MAPPING_UNUSED) continue;
    if (address >= ownPages(row) && address < ownPages(row) + (ownCount(row) << PAGE_SHIFT)) return true;
  }
  return isOfMemfd(address);
}

/** Ends what a dead thread was doing with mappings. Context: acting as that thread, which holds every lock. */
export function recoverMappings(): void {
  const pinned = pinnedOf(current());
  store32(pinned, 0);
  notify(pinned, -1);
  const unfinished: usize = changetype<Thread>(current()).mapping;
  if (unfinished >= MAPPINGS) {
    if (load32(stateOf(unfinished)) == MAPPING_MAPPED) {
      beginUnmap(unfinished, positionOf(changetype<Mapping>(unfinished).va));
    }
  } else if (unfinished >= MEMFDS) forgetMemfd(unfinished);
  else if (unfinished != 0) forgetProcess(unfinished);
  mapDone();
  takeOver();
}

/** Takes what nobody has any more, as who took it may have died: mappings of processes that have ended, and those without a last pin. */
function takeOver(): void {
  for (let number: u32 = 0; number < MAX_MAPPINGS; number++) {
    const row = rowAt(number);
    const va = changetype<Mapping>(row).va;
    const state = load32(stateOf(row));
    if (state == MAPPING_MAPPED && !isAlive(processOfSpace(va))) beginUnmap(row, positionOf(va));
    else if (state == MAPPING_ORPHAN && load32(row + offsetof<Mapping>("pins")) == 0) leave(row);
  }
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

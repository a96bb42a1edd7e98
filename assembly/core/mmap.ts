// SPDX-License-Identifier: GPL-2.0-only
/**
 * User space: mappings of a process made, protected and removed; and put in order when the thread that did so has died.
 *
 * vma.ts says what a mapping is and what the map lock protects, gup.ts how unmap waits for copies and pins.
 *
 * If a thread dies in here: the order follows from the rows, a row that map was filling is in Thread.mapping, one that unmap was
 * clearing names its thread, and pages that no row has are free (repairMappings).
 *
 * Kernel counterpart: mmap(MAP_FIXED_NOREPLACE), mprotect(), munmap().
 */
import { copy, fill, load32, notify, store32 } from "./atomics";
import { EBADF, EEXIST, EINVAL, ENOMEM, EOVERFLOW, ESRCH } from "../errno";
import { mayFail } from "./faults";
import { finishUnmap, pinnedOf, waitForPins } from "./gup";
import { forgetMemfd, isOfMemfd, memfdAt, pagesOf, thatMemfd } from "./memfd";
import {
  FAULT_MEMORY,
  FRAMES,
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
import { MAP_LOCK, beginUnmap, endOf, leave, ordered, ownCount, ownPages, positionOf, rowAt, stateOf } from "./vma";

/** Where addresses that the caller leaves to us begin. */
const MAP_BASE: u64 = 0x7f00_0000_0000;

// @ts-ignore: a decorator on a function
@inline function isPageAligned(address: u64): bool {
  return (address & (PAGE_SIZE - 1)) == 0;
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

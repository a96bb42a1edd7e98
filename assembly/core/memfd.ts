// SPDX-License-Identifier: GPL-2.0-only
/**
 * memfds: files without a name, whose bytes lie in a run of heap pages, so that every mapping of them and every view is zero copy.
 *
 * The run is as long as the file may ever become and does not move; ftruncate moves the size inside it. Bytes behind the size are out of
 * reach, rounded up to a page as in the kernel, and are zero when the file grows over them again: growing wipes what may have been
 * written there. (A copy that began before the file shrank may end later. So wiping when it shrinks would not be enough, and when it
 * grows is enough.)
 *
 * A file stays while its number is open, a mapping shows it, or something else holds it (a pages object). Mappings are not counted, but
 * looked for: so there is no count that a dead thread could leave wrong.
 *
 * File numbers follow those of /dev/iommu. All of it changes under the map lock; wiping the last pages happens outside.
 *
 * If a thread dies in here: a row that createMemfd was filling is in Thread.mapping, one that is being freed names its thread, one that
 * nobody has any more is found (recoverMemfds), and pages that no row has are free (mmap.ts).
 *
 * Kernel counterpart: memfd_create(), ftruncate(), close(), fget().
 */
import { add32, fill, load32, store32, store64 } from "./atomics";
import { EBADF, EFBIG, EINVAL, EMFILE, ENOMEM } from "../errno";
import { mayFail } from "./faults";
import {
  FAULT_FILE,
  FIRST_MEMFD,
  FRAME_USER,
  MAPPINGS,
  MAPPING_MEMFD,
  MAPPING_UNUSED,
  MAPS,
  MAX_MAPPINGS,
  MAX_MEMFDS,
  MEMFDS,
  MEMFD_CLOSED,
  MEMFD_LEAVING,
  MEMFD_OPEN,
  MEMFD_UNUSED,
  MapState,
  Mapping,
  Memfd,
  PAGE_SHIFT,
  PAGE_SIZE,
  Thread,
} from "./memory-map";
import { RANK_MAP, lock, unlock } from "./mutex";
import { allocPages, freePages, wipePages } from "./page-alloc";
import { current, nameOfThread } from "./thread";

const MAP_LOCK: usize = MAPS + offsetof<MapState>("lock");
const MAX_BYTES: u32 = 1 << 31;

// @ts-ignore: a decorator on a function
@inline function rowAt(number: u32): usize {
  return MEMFDS + number * offsetof<Memfd>();
}
// @ts-ignore: a decorator on a function
@inline function stateOf(file: usize): usize {
  return file + offsetof<Memfd>("state");
}
// @ts-ignore: a decorator on a function
@inline export function pagesOf(bytes: u32): u32 {
  return (bytes + PAGE_SIZE - 1) >> PAGE_SHIFT;
}

/** Length in bytes now. */
export function memfdBytes(file: usize): u32 {
  return load32(file + offsetof<Memfd>("size"));
}

/** Address of the first byte. */
export function memfdAt(file: usize): usize {
  return changetype<Memfd>(file).backing;
}

/** Return: the row of the open file of that number, 0 when there is none. Context: map lock held. */
function memfdNumbered(fd: i32): usize {
  const number = <u32>fd - FIRST_MEMFD;
  if (number >= MAX_MEMFDS) return 0;
  return changetype<Memfd>(rowAt(number)).state == MEMFD_OPEN ? rowAt(number) : 0;
}

/** The same for who means one file, and not whatever has its number. */
export function thatMemfd(fd: i32, generation: u32): usize {
  const file = memfdNumbered(fd);
  return file != 0 && changetype<Memfd>(file).generation == generation ? file : 0;
}

/**
 * A file of `bytes` zeros that can grow up to `maxBytes`, rounded up to pages.
 *
 * Return: its row, for mapDone when it was read; -EINVAL (sizes), -EMFILE (no number), -ENOMEM.
 */
export function createMemfd(bytes: u32, maxBytes: u32): i32 {
  if (maxBytes == 0 || maxBytes > MAX_BYTES || bytes > maxBytes) return -EINVAL;
  lock(MAP_LOCK, RANK_MAP);
  const result = insert(bytes, pagesOf(maxBytes));
  unlock(MAP_LOCK, RANK_MAP);
  return result;
}

/** Context: map lock held. */
function insert(bytes: u32, pages: u32): i32 {
  let number: u32 = 0;
  while (number < MAX_MEMFDS && changetype<Memfd>(rowAt(number)).state != MEMFD_UNUSED) number++;
  if (number == MAX_MEMFDS || mayFail(FAULT_FILE)) return -EMFILE;
  const backing = allocPages(pages, FRAME_USER);
  if (backing == 0) return -ENOMEM;
  const file = changetype<Memfd>(rowAt(number));
  file.size = bytes;
  file.written = pagesOf(bytes) << PAGE_SHIFT;
  file.backing = <u32>backing;
  file.pages = pages;
  file.leaver = 0;
  file.holders = 0;
  file.generation++;
  changetype<Thread>(current()).mapping = <u32>rowAt(number);
  store32(stateOf(rowAt(number)), MEMFD_OPEN);
  return <i32>rowAt(number);
}

/** ftruncate(). Return: 0; -EBADF; -EFBIG (longer than the file can become). */
export function truncateMemfd(fd: i32, generation: u32, bytes: u32): i32 {
  lock(MAP_LOCK, RANK_MAP);
  const file = thatMemfd(fd, generation);
  const row = changetype<Memfd>(file);
  let result: i32 = 0;
  if (file == 0) result = -EBADF;
  else if (bytes > MAX_BYTES || pagesOf(bytes) > row.pages) result = -EFBIG;
  else {
    const end = pagesOf(bytes) << PAGE_SHIFT;
    const size = row.size;
    if (bytes > size) fill(row.backing + size, 0, min(end, row.written) - size);
    store64(file + offsetof<Memfd>("size"), ((<u64>max(end, row.written)) << 32) | bytes);
  }
  unlock(MAP_LOCK, RANK_MAP);
  return result;
}

// ---------------------------------------------------------------------------------------------------- references

/** close(). Return: 0; -EBADF. */
export function closeMemfd(fd: i32, generation: u32): i32 {
  lock(MAP_LOCK, RANK_MAP);
  const file = thatMemfd(fd, generation);
  if (file != 0) store32(stateOf(file), MEMFD_CLOSED);
  const isLast = file != 0 && beginEnd(file);
  unlock(MAP_LOCK, RANK_MAP);
  if (isLast) finishMemfd(file);
  return file != 0 ? 0 : -EBADF;
}

/** fget(). Return: the file's row, for memfdPut; -EBADF. */
export function memfdGet(fd: i32): i32 {
  lock(MAP_LOCK, RANK_MAP);
  const file = memfdNumbered(fd);
  if (file != 0) add32(file + offsetof<Memfd>("holders"), 1);
  unlock(MAP_LOCK, RANK_MAP);
  return file != 0 ? <i32>file : -EBADF;
}

/** One more reference. Context: the caller has one. */
export function memfdHold(file: usize): void {
  add32(file + offsetof<Memfd>("holders"), 1);
}

/** fput(). Context: may wipe pages. */
export function memfdPut(file: usize): void {
  lock(MAP_LOCK, RANK_MAP);
  add32(file + offsetof<Memfd>("holders"), u32.MAX_VALUE);
  const isLast = beginEnd(file);
  unlock(MAP_LOCK, RANK_MAP);
  if (isLast) finishMemfd(file);
}

/** A reference is gone. Context: map lock held. Return: whether it was the last; then the caller unlocks and calls finishMemfd. */
export function beginEnd(file: usize): bool {
  if (changetype<Memfd>(file).state != MEMFD_CLOSED || load32(file + offsetof<Memfd>("holders")) != 0) return false;
  if (isMapped(file)) return false;
  changetype<Memfd>(file).leaver = nameOfThread(current());
  store32(stateOf(file), MEMFD_LEAVING);
  return true;
}

function isMapped(file: usize): bool {
  for (let number: u32 = 0; number < MAX_MAPPINGS; number++) {
    const mapping = changetype<Mapping>(MAPPINGS + number * offsetof<Mapping>());
    if (mapping.state == MAPPING_UNUSED || mapping.kind != MAPPING_MEMFD) continue;
    if (mapping.source == <u32>file) return true;
  }
  return false;
}

/** Context: beginEnd answered true. The row goes first: pages without one are found when the thread dies under the lock. */
export function finishMemfd(file: usize): void {
  const row = changetype<Memfd>(file);
  const backing: usize = row.backing;
  const pages = row.pages;
  wipePages(backing, pagesOf(row.written));
  lock(MAP_LOCK, RANK_MAP);
  store32(stateOf(file), MEMFD_UNUSED);
  freePages(backing, pages);
  unlock(MAP_LOCK, RANK_MAP);
}

// ---------------------------------------------------------------------------------------------------- for the reaper

/** Nobody got the row that a dead thread was filling. Context: map lock held. */
export function forgetMemfd(file: usize): void {
  if (load32(stateOf(file)) == MEMFD_OPEN) store32(stateOf(file), MEMFD_CLOSED);
}

/** Frees what a dead thread was freeing, and what nobody has any more. Context: acting as that thread, which holds every lock. */
export function recoverMemfds(): void {
  for (let number: u32 = 0; number < MAX_MEMFDS; number++) {
    const file = rowAt(number);
    const row = changetype<Memfd>(file);
    const isOwn = row.state == MEMFD_LEAVING && row.leaver == nameOfThread(current());
    if (isOwn || beginEnd(file)) finishMemfd(file);
  }
}

/** Whether a memfd has the page at `address`. */
export function isOfMemfd(address: usize): bool {
  for (let number: u32 = 0; number < MAX_MEMFDS; number++) {
    const row = changetype<Memfd>(rowAt(number));
    if (row.state == MEMFD_UNUSED) continue;
    if (address >= row.backing && address < row.backing + (row.pages << PAGE_SHIFT)) return true;
  }
  return false;
}

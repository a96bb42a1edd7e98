// SPDX-License-Identifier: GPL-2.0-only
/**
 * The map of an IO address space: which IOVAs show which memory, which may never, and from which a free one is picked.
 *
 *     areas      the mappings. An area without a pages object is in transition: it occupies its IOVAs and is otherwise unusable
 *     reserved   what no mapping may use
 *     allowed    where automatic IOVAs come from; no list means everywhere
 *
 * `last` is inclusive everywhere. A failure changes nothing, but for UNMAP, which has unmapped what lies before it.
 *
 * One lock protects the maps of all address spaces of a file (arena.ts). The kernel has one for each, and more inside; what a
 * caller can see of that is the same: MAP, COPY and UNMAP of one range happen one after the other. UNMAP of many areas lets others
 * in between, and never walks back, so what they map behind it stays. A COPY sees its source as it is at one moment.
 *
 * If a thread dies inside, the trees may be in between: the file is poisoned, and its memory goes with it (repair.ts).
 *
 * Context, where nothing else is said: the space's lock is held.
 *
 * Kernel counterpart: drivers/iommu/iommufd/io_pagetable.c.
 */
import { arenaGive, arenaReserve, arenaTake, lockSpace, unlockSpace } from "./arena";
import { load32, pause, store32, wait32 } from "./atomics";
import { MODEL_BUILD } from "./config";
import { EADDRINUSE, EBUSY, EDEADLK, EEXIST, EINVAL, EIO, ENOENT, ENOMEM, ENOSPC, EOVERFLOW, EPERM } from "../errno";
import { isPoisoned } from "./file";
import {
  fit,
  treeErase,
  treeFit,
  treeInsert,
  treeIsEmpty,
  treeMeets,
  treeNodesNeeded,
  treeSeek,
} from "./interval_tree";
import {
  AREA_READ,
  AREA_WRITE,
  ARENA_AREA,
  Area,
  Ioas,
  MAX_THREADS,
  PAGES_WRITABLE,
  PAGE_SIZE,
  PagesObject,
  THREADS,
  THREAD_BYTES,
  Thread,
  WARN_UNMAP_PINNED,
} from "./memory-map";
import { makePages, pagesGet, pagesPut } from "./pages";
import { MUST_NOTIFY } from "./results";
import { current, warn } from "./thread";

const ULONG_MAX: u64 = u64.MAX_VALUE;
/** Size of a huge page, to which automatic IOVAs of large mappings are aligned: x86's PMD_SIZE. */
const HUGE_PAGE: u64 = 2 << 20;
/** Not an answer yet. */
const GO_ON: i32 = 1;
/** Rounds of callbacks for one area, before UNMAP gives up. */
const MAX_TRIES: u32 = 100;
/** Areas that one section under the lock removes at most. */
const BATCH: u32 = MODEL_BUILD ? 1 : 64;

// @ts-ignore: a decorator on a function
@inline export function areasOf(ioas: usize): usize {
  return ioas + offsetof<Ioas>("areas");
}
// @ts-ignore: a decorator on a function
@inline export function reservedOf(ioas: usize): usize {
  return ioas + offsetof<Ioas>("reserved");
}
// @ts-ignore: a decorator on a function
@inline export function allowedOf(ioas: usize): usize {
  return ioas + offsetof<Ioas>("allowed");
}

/** What IOVAs and lengths must be multiples of (semantics.md 2.1). */
export function alignmentOf(ioas: usize): u64 {
  const is = changetype<Ioas>(ioas);
  return is.smallPages != 0 || is.pinners != 0 ? PAGE_SIZE : 1;
}

/** Where the area's first byte lies in the source of its pages. */
function sourceOf(area: usize): u64 {
  return changetype<PagesObject>(changetype<Area>(area).pages).start + changetype<Area>(area).offset;
}

// ---------------------------------------------------------------------------------------------------- placing

/**
 * Picks or checks the IOVA of a new mapping.
 *
 * `isFixed`: `iova` is the caller's wish; else one is picked that suits memory at `address`. Return: 0, and the IOVA in cursor;
 * -EINVAL, -EOVERFLOW, -EEXIST, -ENOSPC. (iopt_check_iova, iopt_alloc_iova)
 */
function place(ioas: usize, isFixed: bool, iova: u64, address: u64, length: u64): i32 {
  const alignment = alignmentOf(ioas);
  if (length == 0 || (length & (alignment - 1)) != 0) return -EINVAL;
  if (!isFixed) return pick(ioas, alignment, address, length);
  if ((iova & (alignment - 1)) != 0) return -EINVAL;
  const last = iova + (length - 1);
  if (last < iova) return -EOVERFLOW;
  if (treeMeets(reservedOf(ioas), iova, last)) return -EINVAL;
  if (treeMeets(areasOf(ioas), iova, last)) return -EEXIST;
  changetype<Thread>(current()).cursor = iova;
  return 0;
}

/** semantics.md 2.3 */
function pick(ioas: usize, alignment: u64, address: u64, length: u64): i32 {
  if (length >= ULONG_MAX / 2) return -EOVERFLOW;
  let quantum = roundUpPowerOfTwo(length);
  if (address != 0) quantum = min(quantum, address & (~address + 1));
  quantum = min(quantum, HUGE_PAGE);
  if (quantum < alignment) return -EINVAL;
  const offset = address & (PAGE_SIZE - 1);
  const thread = changetype<Thread>(current());
  const allowed = allowedOf(ioas);
  let start: u64 = PAGE_SIZE;
  let last: u64 = ULONG_MAX - PAGE_SIZE;
  const hasList = !treeIsEmpty(allowed);
  while (true) {
    let end = last;
    if (hasList) {
      if (!treeMeets(allowed, start, last)) return -ENOSPC;
      start = max(start, thread.rangeFirst);
      end = thread.rangeLast;
      while (end < last && treeMeets(allowed, end + 1, end + 1)) end = thread.rangeLast; // neighbours are one window
      end = min(end, last);
    }
    if (fit(start, end, length, quantum, offset)) {
      if (treeFit(areasOf(ioas), reservedOf(ioas), thread.cursor, end, length, quantum, offset)) return 0;
    }
    if (!hasList || end == last) return -ENOSPC;
    start = end + 1;
  }
}

// @ts-ignore: a decorator on a function
@inline function roundUpPowerOfTwo(value: u64): u64 {
  return value == 1 ? 1 : (<u64>1) << (64 - clz(value - 1));
}

// ---------------------------------------------------------------------------------------------------- mapping

/** Context: treeNodesNeeded nodes and an area are reserved, the place is free. */
function addArea(file: usize, ioas: usize, iova: u64, length: u64, pages: usize, offset: u64, flags: u32): void {
  const made = arenaTake(file, ARENA_AREA);
  const area = changetype<Area>(made);
  area.flags = flags;
  area.offset = offset;
  treeInsert(file, areasOf(ioas), iova, iova + (length - 1), made);
  pagesGet(pages);
  area.pages = <u32>pages;
  changetype<Ioas>(ioas).areaCount++;
}

/** Context: the area that contains `iova` is there, and nothing pins it. */
function removeArea(file: usize, ioas: usize, iova: u64, area: usize): void {
  const pages: usize = changetype<Area>(area).pages;
  treeErase(file, areasOf(ioas), iova);
  arenaGive(file, ARENA_AREA, area);
  changetype<Ioas>(ioas).areaCount--;
  pagesPut(file, pages);
}

/** Whether a mapping of that offset in a page suits the address space. */
function isOffsetAligned(ioas: usize, offset: u64): bool {
  return (offset & (PAGE_SIZE - 1) & (alignmentOf(ioas) - 1)) == 0;
}

/**
 * Maps memory of the calling process from address `start` on, or with `memfd` that file's from offset `start` on.
 *
 * Context: takes the space's lock; the length is not 0, and the range does not wrap. `flags`: AREA_*. On success the mapping has the
 * caller's reference on the memfd. Return: 0, and the IOVA in cursor; -ENOMEM; the errors of `place`; -EINVAL for memory that is less
 * aligned than the IOAS. (iopt_map_user_pages, iopt_map_file_pages)
 */
export function mapPages(
  file: usize,
  ioas: usize,
  memfd: usize,
  start: u64,
  length: u64,
  flags: u32,
  isFixed: bool,
  iova: u64,
): i32 {
  lockSpace(file);
  let result: i32 = -ENOMEM;
  if (arenaReserve(file, treeNodesNeeded(areasOf(ioas)))) {
    result = place(ioas, isFixed, iova, start, length);
    if (result == 0 && !isOffsetAligned(ioas, start)) result = -EINVAL;
    if (result == 0) {
      const chosen = changetype<Thread>(current()).cursor;
      const pages = makePages(file, memfd, start, length, (flags & AREA_WRITE) != 0);
      addArea(file, ioas, chosen, length, pages, start & (PAGE_SIZE - 1), flags);
    }
  }
  unlockSpace(file);
  return result;
}

/**
 * Whether [iova, last] is mapped without a gap. Return: the source address of its first byte in cursor; -ENOENT.
 * (iopt_get_pages)
 */
export function isMapped(ioas: usize, iova: u64, last: u64): i32 {
  const thread = changetype<Thread>(current());
  let source: u64 = 0;
  let at = iova;
  while (true) {
    const area = treeSeek(areasOf(ioas), at);
    if (area == 0 || thread.rangeFirst > at || changetype<Area>(area).pages == 0) return -ENOENT;
    if (at == iova) source = sourceOf(area) + (at - thread.rangeFirst);
    if (thread.rangeLast >= last) break;
    at = thread.rangeLast + 1;
  }
  thread.cursor = source;
  return 0;
}

/**
 * Maps in `to` what [iova, last] of `from` shows, which may be the same address space; one new area for each piece.
 *
 * Context: isMapped said yes in the same section; `source` is what it found. Return: as mapUserPages; -EPERM when WRITEABLE
 * is asked of pages that are not. (iopt_map_pages)
 */
export function mapCopy(
  file: usize,
  from: usize,
  iova: u64,
  last: u64,
  source: u64,
  to: usize,
  flags: u32,
  isFixed: bool,
  toIova: u64,
): i32 {
  const thread = changetype<Thread>(current());
  const placed = place(to, isFixed, toIova, source, last - iova + 1);
  if (placed != 0) return placed;
  const chosen = thread.cursor;
  let result: i32 = 0;
  let at = iova;
  while (true) {
    const area = changetype<Area>(treeSeek(areasOf(from), at));
    const skipped = at - thread.rangeFirst;
    const end = min(thread.rangeLast, last);
    const offset = area.offset + skipped;
    if ((flags & AREA_WRITE) != 0 && (changetype<PagesObject>(area.pages).flags & PAGES_WRITABLE) == 0) result = -EPERM;
    else if (!isOffsetAligned(to, offset)) result = -EINVAL;
    else if (!arenaReserve(file, treeNodesNeeded(areasOf(to)))) result = -ENOMEM;
    else addArea(file, to, chosen + (at - iova), end - at + 1, area.pages, offset, flags);
    if (result != 0 || end == last) break;
    at = end + 1;
  }
  if (result != 0 && at != iova) removeAll(file, to, chosen, chosen + (at - iova) - 1);
  thread.cursor = chosen;
  return result;
}

/** Undoes a copy: removes the areas of [first, last], which are whole in it. */
function removeAll(file: usize, ioas: usize, first: u64, last: u64): void {
  while (true) {
    const area = treeSeek(areasOf(ioas), first);
    if (area == 0 || changetype<Thread>(current()).rangeFirst > last) return;
    removeArea(file, ioas, changetype<Thread>(current()).rangeFirst, area);
  }
}

// ---------------------------------------------------------------------------------------------------- unmapping

/**
 * Unmaps the areas that lie in [first, last], in ascending order.
 *
 * Context: takes the space's lock, and lets others in after each BATCH of areas; may wait for copies. Return: 0; -EBUSY for an area in
 * transition; -ENOENT for one that sticks out; -EDEADLK when somebody copies there, and the caller is in a copy itself; -EIO. In these cases
 * what came before is unmapped. MUST_NOTIFY: an access pins an area; call unmapAgain once the callbacks have run. The bytes that were
 * unmapped are in unmapBytes. (iopt_unmap_iova_range)
 */
export function unmapRange(file: usize, ioas: usize, first: u64, last: u64): i32 {
  const thread = changetype<Thread>(current());
  thread.unmapFirst = first;
  thread.unmapLast = last;
  thread.unmapBytes = 0;
  thread.unmapTries = 0;
  return unmapOn(file, ioas);
}

/** After MUST_NOTIFY: as unmapRange; -EDEADLK after MAX_TRIES rounds on one area, with a warning. */
export function unmapAgain(file: usize, ioas: usize): i32 {
  const thread = changetype<Thread>(current());
  const at = thread.unmapAt;
  const tries = thread.unmapTries + 1;
  const result = unmapOn(file, ioas);
  if (result != MUST_NOTIFY) return result;
  thread.unmapTries = thread.unmapAt == at ? tries : 0;
  if (thread.unmapTries < MAX_TRIES) return result;
  warn(WARN_UNMAP_PINNED, file, 0);
  return -EDEADLK;
}

function unmapOn(file: usize, ioas: usize): i32 {
  const thread = changetype<Thread>(current());
  const last = thread.unmapLast;
  let result = GO_ON;
  while (result == GO_ON) {
    lockSpace(file);
    if (isPoisoned(file)) result = -EIO; // who had the lock has died, or the pins' owner
    let copier: usize = 0;
    let count: u32 = 0;
    for (; count < BATCH && result == GO_ON && copier == 0; count++) {
      const found = treeSeek(areasOf(ioas), thread.unmapFirst);
      if (found == 0 || thread.rangeFirst > last) result = 0;
      else {
        result = whyNot(found);
        if (result == GO_ON && changetype<Ioas>(ioas).accesses != 0) copier = copierOf(found);
        // Who copies himself waits for no other: that one may wait for him.
        if (copier != 0 && load32(copyingOf(current())) != 0) result = -EDEADLK;
        else if (result == GO_ON && copier == 0) {
          const end = thread.rangeLast;
          thread.unmapBytes += end - thread.rangeFirst + 1;
          removeArea(file, ioas, end, found);
          thread.unmapFirst = end + 1;
          if (end == last) result = 0;
        }
      }
    }
    unlockSpace(file);
    if (copier != 0 && result == GO_ON) waitForCopier(copier);
  }
  return result;
}

/** Why the area that was found, and whose bounds are in rangeFirst and rangeLast, cannot go now. Return: GO_ON when it can. */
function whyNot(found: usize): i32 {
  const thread = changetype<Thread>(current());
  const area = changetype<Area>(found);
  if (area.pages == 0) return -EBUSY;
  if (thread.rangeFirst < thread.unmapFirst || thread.rangeLast > thread.unmapLast) return -ENOENT;
  if (area.accesses == 0) return GO_ON;
  area.preventAccess = 1;
  thread.unmapAt = thread.rangeFirst;
  return MUST_NOTIFY;
}

/**
 * Return: a thread that copies from or to the area for an access, and wakes us at its end, and how many copies it had ended in result3;
 * 0 when there is none.
 */
function copierOf(area: usize): usize {
  for (let number: u32 = 0; number < MAX_THREADS; number++) {
    const thread = THREADS + number * THREAD_BYTES;
    const ended = load32(copiesOf(thread)); // before the look
    if (load32(copyingOf(thread)) != <u32>area) continue;
    changetype<Area>(area).preventAccess = 1;
    store32(thread + offsetof<Thread>("copyWaited"), 1);
    changetype<Thread>(current()).result3 = ended;
    return thread;
  }
  return 0;
}

// @ts-ignore: a decorator on a function
@inline export function copyingOf(thread: usize): usize {
  return thread + offsetof<Thread>("copying");
}
// @ts-ignore: a decorator on a function
@inline export function copiesOf(thread: usize): usize {
  return thread + offsetof<Thread>("copies");
}

/** Until the copy that copierOf found has ended. */
function waitForCopier(thread: usize): void {
  const ended = changetype<Thread>(current()).result3;
  if (changetype<Thread>(current()).mayBlock != 0) wait32(copiesOf(thread), ended, -1);
  else pause(copiesOf(thread), ended);
}

/**
 * Cuts the area in two that has `iova` inside, so that a mapping begins there. Where none has, nothing is to be done, nor where the
 * first half would be one byte: the kernel names a cut by the byte before it, and does not cut at an area's first one.
 *
 * Return: 0; -EBUSY, -EINVAL (misaligned, or pinned), -ENOMEM. (iopt_area_split)
 */
export function cutArea(file: usize, ioas: usize, iova: u64): i32 {
  const thread = changetype<Thread>(current());
  const found = treeSeek(areasOf(ioas), iova);
  if (found == 0 || thread.rangeFirst >= iova - 1) return 0;
  const area = changetype<Area>(found);
  const first = thread.rangeFirst;
  const last = thread.rangeLast;
  if (area.pages == 0 || area.preventAccess != 0) return -EBUSY;
  // Both must be aligned: a COPY of several pieces makes areas that are in neither.
  const bits = iova | (area.offset + (iova - first));
  if ((bits & (alignmentOf(ioas) - 1)) != 0 || area.accesses != 0) return -EINVAL;
  if (!arenaReserve(file, 2 * treeNodesNeeded(areasOf(ioas)))) return -ENOMEM;
  const pages: usize = area.pages;
  pagesGet(pages); // removing the whole must not free it
  const offset = area.offset;
  const flags = area.flags;
  removeArea(file, ioas, first, found);
  addArea(file, ioas, first, iova - first, pages, offset, flags);
  addArea(file, ioas, iova, last - iova + 1, pages, offset + (iova - first), flags);
  pagesPut(file, pages);
  return 0;
}

// ---------------------------------------------------------------------------------------------------- holes

/** The first range at or behind `start` that nothing reserves, to rangeFirst and rangeLast. Return: false when there is none. */
export function findHole(ioas: usize, start: u64): bool {
  const thread = changetype<Thread>(current());
  while (treeSeek(reservedOf(ioas), start) != 0) {
    if (thread.rangeFirst > start) {
      thread.rangeLast = thread.rangeFirst - 1;
      thread.rangeFirst = start;
      return true;
    }
    if (thread.rangeLast == ULONG_MAX) return false;
    start = thread.rangeLast + 1;
  }
  thread.rangeFirst = start;
  thread.rangeLast = ULONG_MAX;
  return true;
}

/** Return: number of ranges that nothing reserves. Context: the space's lock is held. */
export function countHoles(ioas: usize): u32 {
  let count: u32 = 0;
  for (let start: u64 = 0; findHole(ioas, start); count++) {
    const last = changetype<Thread>(current()).rangeLast;
    if (last == ULONG_MAX) return count + 1;
    start = last + 1;
  }
  return count;
}

// ---------------------------------------------------------------------------------------------------- options

/** Turns large pages off: everything must be whole pages from then on. Return: 0, -EADDRINUSE. (iopt_disable_large_pages) */
export function disableLargePages(ioas: usize): i32 {
  const is = changetype<Ioas>(ioas);
  if (is.smallPages == 0 && !areAllAligned(ioas)) return -EADDRINUSE;
  is.smallPages = 1;
  return 0;
}

/** Whether every area could be in an address space whose alignment is a page. */
export function areAllAligned(ioas: usize): bool {
  if (alignmentOf(ioas) == PAGE_SIZE) return true;
  const thread = changetype<Thread>(current());
  let at: u64 = 0;
  while (true) {
    const area = treeSeek(areasOf(ioas), at);
    if (area == 0) return true;
    const bits = thread.rangeFirst | (thread.rangeLast + 1) | changetype<Area>(area).offset;
    if ((bits & (PAGE_SIZE - 1)) != 0) return false;
    if (thread.rangeLast == ULONG_MAX) return true;
    at = thread.rangeLast + 1;
  }
}

// ---------------------------------------------------------------------------------------------------- the end

/**
 * Gives the memory of an address space back. Context: its object can be found by nobody; takes the space's lock, again and again.
 * (iommufd_ioas_destroy)
 */
export function ioasDestroy(file: usize, ioas: usize): void {
  unmapRange(file, ioas, 0, ULONG_MAX);
  clearRanges(file, reservedOf(ioas));
  clearRanges(file, allowedOf(ioas));
}

/** Empties a set of ranges. Context: as ioasDestroy. */
export function clearRanges(file: usize, tree: usize): void {
  let isEmpty = false;
  while (!isEmpty) {
    lockSpace(file);
    for (let count: u32 = 0; count < BATCH && !treeIsEmpty(tree); count++) {
      treeSeek(tree, 0);
      treeErase(file, tree, changetype<Thread>(current()).rangeLast);
    }
    isEmpty = treeIsEmpty(tree);
    unlockSpace(file);
  }
}

// SPDX-License-Identifier: GPL-2.0-only
/**
 * Pinning the pages of a pages object: they stay where they are, whatever becomes of the mapping they came from.
 *
 * A page is pinned once, by whatever number of pins; a tree of ranges of page numbers counts them. A range lies in one mapping, which
 * keepPin keeps. Ranges are cut where pins begin and end, and go with their last pin.
 *
 * Charges go to the process that mapped the pages and to the user that it had then, by the mode of that time (semantics.md 2.7): a page
 * is charged when it is pinned first.
 *
 * Context of everything here: the space's lock is held. A failure pins and charges nothing; ranges that it has cut stay cut.
 *
 * Kernel counterpart: drivers/iommu/iommufd/pages.c.
 */
import { arenaGive, arenaReserve, arenaTake } from "./arena";
import { EFAULT, EINVAL, ENOMEM } from "../errno";
import { mayFail } from "./faults";
import { backingOf, dropPin, keepPin, keepPinOf, pinIn, pinnedKind, pinnedOffset, pinnedSource, unpin } from "./gup";
import { treeErase, treeInsert, treeNodesNeeded, treeSeek } from "./interval_tree";
import { memfdAt, memfdBytes } from "./memfd";
import {
  ACCOUNT_MM,
  ACCOUNT_NONE,
  ACCOUNT_USER,
  ARENA_PAGES,
  FAULT_COPY,
  MAPPING_EXTERNAL,
  PAGES_ACCOUNT_SHIFT,
  PAGES_IS_RANGE,
  PAGES_WRITABLE,
  PAGE_SHIFT,
  PAGE_SIZE,
  PROT_READ,
  PROT_WRITE,
  PagesObject,
  PinnedRange,
  Thread,
} from "./memory-map";
import { addPinned, chargeMm, chargeUser, subPinned, unchargeMm, unchargeUser } from "./process";
import { current } from "./thread";

// @ts-ignore: a decorator on a function
@inline function rangesOf(pages: usize): usize {
  return pages + offsetof<PagesObject>("ranges");
}

/** Pins the pages first … last of the object once more. Return: 0; -EFAULT, -EINVAL (behind the end of a file), -ENOMEM. */
export function pinPages(file: usize, pages: usize, first: u64, last: u64): i32 {
  const object = changetype<PagesObject>(pages);
  const before = object.pinned;
  let result = acquire(file, pages, first, last);
  if (result == 0 && !charge(object, object.pinned - before)) result = -ENOMEM;
  else if (result == 0) {
    addPinned(object.process, object.pinned - before);
    result = cut(file, pages, first);
    if (result == 0) result = cut(file, pages, last + 1);
    if (result != 0) {
      uncharge(object, object.pinned - before);
      subPinned(object.process, object.pinned - before);
    }
  }
  if (result == 0) count(pages, first, last);
  else drop(file, pages, first, last);
  return result;
}

/** Undoes pinPages of the same pages. */
export function unpinPages(file: usize, pages: usize, first: u64, last: u64): void {
  const object = changetype<PagesObject>(pages);
  const before = object.pinned;
  for (let at = first; ;) {
    const range = changetype<PinnedRange>(treeSeek(rangesOf(pages), at));
    range.count--;
    const end = changetype<Thread>(current()).rangeLast;
    if (end >= last) break;
    at = end + 1;
  }
  drop(file, pages, first, last);
  uncharge(object, before - object.pinned);
  subPinned(object.process, before - object.pinned);
}

/** Makes ranges, which nothing counts yet, of what is not pinned in first … last. Return: as pinPages; what was made stays. */
function acquire(file: usize, pages: usize, first: u64, last: u64): i32 {
  const thread = changetype<Thread>(current());
  for (let at = first; at <= last;) {
    let end = last;
    if (treeSeek(rangesOf(pages), at) != 0) {
      if (thread.rangeFirst <= at) {
        at = thread.rangeLast + 1;
        continue;
      }
      end = min(end, thread.rangeFirst - 1);
    }
    if (!arenaReserve(file, treeNodesNeeded(rangesOf(pages)))) return -ENOMEM;
    const got = acquireRange(file, pages, at, end);
    if (got < 0) return got;
    at += got;
  }
  return 0;
}

/** As far as one mapping reaches. Context: reserved. Return: how many pages; -EFAULT, -EINVAL. */
function acquireRange(file: usize, pages: usize, first: u64, last: u64): i32 {
  const object = changetype<PagesObject>(pages);
  const start = object.start + (first << PAGE_SHIFT);
  // So much at a time that the number fits.
  let wanted = min(last - first + 1, 0x4000_0000 >> PAGE_SHIFT) << PAGE_SHIFT;
  let mapping: u32 = 0;
  let address: u32 = 0;
  let external: u32 = 0;
  if (object.memfd != 0) {
    const size = (<u64>memfdBytes(object.memfd) + PAGE_SIZE - 1) & ~(<u64>PAGE_SIZE - 1);
    if (start > size || wanted > size - start) return -EINVAL;
    address = <u32>(memfdAt(object.memfd) + <usize>start);
  } else {
    const prot = (object.flags & PAGES_WRITABLE) != 0 ? PROT_WRITE : PROT_READ;
    wanted = mayFail(FAULT_COPY) ? 0 : pinIn(object.process, start, wanted, prot);
    if (wanted == 0) return -EFAULT;
    mapping = <u32>keepPin();
    const isExternal = pinnedKind() == MAPPING_EXTERNAL;
    external = isExternal ? pinnedSource() : 0;
    address = isExternal ? pinnedOffset(start) : <u32>backingOf(start);
    unpin();
  }
  const count = <u32>(wanted >> PAGE_SHIFT);
  insert(file, pages, first, first + count - 1, mapping, address, external, 0);
  object.pinned += count;
  return count;
}

function insert(
  file: usize,
  pages: usize,
  first: u64,
  last: u64,
  mapping: u32,
  address: u32,
  external: u32,
  count: u32,
): void {
  const made = arenaTake(file, ARENA_PAGES);
  const range = changetype<PinnedRange>(made);
  range.users = 1;
  range.flags = PAGES_IS_RANGE;
  range.mapping = mapping;
  range.address = address;
  range.external = external;
  range.count = count;
  treeInsert(file, rangesOf(pages), first, last, made);
}

/** Makes a range begin at page `at`, if one lies across it. Return: 0, -ENOMEM. */
function cut(file: usize, pages: usize, at: u64): i32 {
  const thread = changetype<Thread>(current());
  const found = treeSeek(rangesOf(pages), at);
  const first = thread.rangeFirst;
  const last = thread.rangeLast;
  if (found == 0 || first >= at) return 0;
  if (!arenaReserve(file, 2 * treeNodesNeeded(rangesOf(pages)))) return -ENOMEM;
  const range = changetype<PinnedRange>(found);
  const address = range.address + <u32>((at - first) << PAGE_SHIFT);
  treeErase(file, rangesOf(pages), first);
  treeInsert(file, rangesOf(pages), first, at - 1, found);
  if (range.mapping != 0) keepPinOf(range.mapping);
  insert(file, pages, at, last, range.mapping, address, range.external, range.count);
  return 0;
}

/** One pin more of each page. Context: no range lies across the borders, and all pages are in one. */
function count(pages: usize, first: u64, last: u64): void {
  for (let at = first; ;) {
    changetype<PinnedRange>(treeSeek(rangesOf(pages), at)).count++;
    const end = changetype<Thread>(current()).rangeLast;
    if (end >= last) return;
    at = end + 1;
  }
}

/** Forgets the ranges that nothing counts. */
function drop(file: usize, pages: usize, first: u64, last: u64): void {
  const thread = changetype<Thread>(current());
  for (let at = first; at <= last;) {
    const found = treeSeek(rangesOf(pages), at);
    if (found == 0 || thread.rangeFirst > last) return;
    const end = thread.rangeLast;
    const range = changetype<PinnedRange>(found);
    if (range.count == 0) {
      changetype<PagesObject>(pages).pinned -= <u32>(end - thread.rangeFirst + 1);
      treeErase(file, rangesOf(pages), end);
      releaseRange(range);
      range.users = 0;
      arenaGive(file, ARENA_PAGES, found);
    }
    at = end + 1;
  }
}

/** What the range keeps is given back: once, whoever dies in between. */
export function releaseRange(range: PinnedRange): void {
  const mapping: usize = range.mapping;
  range.mapping = 0;
  if (mapping != 0) dropPin(mapping);
}

/** All pins of the object are forgotten, but for its ranges. Context: the file is released. */
export function releasePins(pages: PagesObject): void {
  const count = pages.pinned;
  pages.pinned = 0;
  if (count == 0) return;
  uncharge(pages, count);
  subPinned(pages.process, count);
}

/** Return: false is ENOMEM: more than the process may lock. What is pinned already costs nothing, whatever the limit is by now. */
function charge(pages: PagesObject, count: u32): bool {
  const mode = pages.flags >> PAGES_ACCOUNT_SHIFT;
  if (mode == ACCOUNT_NONE || count == 0) return true;
  return mode == ACCOUNT_MM ? chargeMm(pages.process, count) : chargeUser(pages.user, pages.process, count);
}

export function uncharge(pages: PagesObject, count: u32): void {
  const mode = pages.flags >> PAGES_ACCOUNT_SHIFT;
  if (mode == ACCOUNT_MM) unchargeMm(pages.process, count);
  else if (mode == ACCOUNT_USER) unchargeUser(pages.user, count);
}

/**
 * Where a pinned page lies. Return: how many bytes from `offset` on lie in one piece, 0 when the page is not pinned; the address in
 * result1, the number of the memory outside in result2, the mapping in result3.
 */
export function pinnedAt(pages: usize, offset: u64): u64 {
  const thread = changetype<Thread>(current());
  const page = offset >> PAGE_SHIFT;
  const found = treeSeek(rangesOf(pages), page);
  if (found == 0 || thread.rangeFirst > page) return 0;
  const range = changetype<PinnedRange>(found);
  const skipped = offset - (thread.rangeFirst << PAGE_SHIFT);
  thread.result1 = range.address + <u32>skipped;
  thread.result2 = range.external;
  thread.result3 = range.mapping;
  return ((thread.rangeLast - thread.rangeFirst + 1) << PAGE_SHIFT) - skipped;
}

// SPDX-License-Identifier: GPL-2.0-only
/**
 * The page allocator: runs of 4 KiB heap pages.
 *
 * Each heap page has a byte in FRAMES that says what it is used for; 0 is free. User mappings grow from below, tables
 * and slabs from above, so that long-lived kernel pages do not cut the space of mappings into pieces. Two cursors skip
 * the parts that are known to be full.
 *
 * Invariant: a free page is all zero. freePages wipes, so nobody has to clear on allocation, and no byte of one owner
 * ever reaches another.
 *
 * Kernel counterpart: alloc_pages(), __GFP_ZERO.
 */
import { FRAMES, FRAME_FREE, IDENTITY, Identity, PAGES, PAGE_SHIFT, PageState } from "./memory-map";
import { RANK_PAGE, lock, unlock } from "./mutex";

const PAGE_LOCK: usize = PAGES + offsetof<PageState>("lock");

// @ts-ignore: a decorator on a function
@inline export function frameOf(address: usize): usize {
  return FRAMES + ((address - changetype<Identity>(IDENTITY).heap) >> PAGE_SHIFT);
}

// @ts-ignore: a decorator on a function
@inline function addressOf(page: u32): usize {
  return changetype<Identity>(IDENTITY).heap + (page << PAGE_SHIFT);
}

/** Lowest run of `count` free pages, for user mappings. Context: takes the page lock. Return: address, 0 when none. */
export function allocPagesLow(count: u32, frame: u8): usize {
  const state = changetype<PageState>(PAGES);
  lock(PAGE_LOCK, RANK_PAGE);
  const total = changetype<Identity>(IDENTITY).heapPages;
  while (state.low < total && load<u8>(FRAMES + state.low) != FRAME_FREE) state.low++;
  let run: u32 = 0;
  for (let page = state.low; page < total; page++) {
    run = load<u8>(FRAMES + page) == FRAME_FREE ? run + 1 : 0;
    if (run == count) return take(page + 1 - count, count, frame);
  }
  unlock(PAGE_LOCK, RANK_PAGE);
  return 0;
}

/** Highest run of `count` free pages, for tables and slabs. Context, Return: as allocPagesLow. */
export function allocPagesHigh(count: u32, frame: u8): usize {
  const state = changetype<PageState>(PAGES);
  lock(PAGE_LOCK, RANK_PAGE);
  while (state.high > 0 && load<u8>(FRAMES + state.high - 1) != FRAME_FREE) state.high--;
  let run: u32 = 0;
  for (let page = state.high; page > 0; page--) {
    run = load<u8>(FRAMES + page - 1) == FRAME_FREE ? run + 1 : 0;
    if (run == count) return take(page - 1, count, frame);
  }
  unlock(PAGE_LOCK, RANK_PAGE);
  return 0;
}

/** Context: page lock held, dropped here. */
function take(first: u32, count: u32, frame: u8): usize {
  memory.fill(FRAMES + first, frame, count);
  changetype<PageState>(PAGES).used += count;
  unlock(PAGE_LOCK, RANK_PAGE);
  return addressOf(first);
}

/** Wipes and frees a run. Context: nobody else knows the pages any more; takes the page lock. */
export function freePages(address: usize, count: u32): void {
  memory.fill(address, 0, (<usize>count) << PAGE_SHIFT);
  const state = changetype<PageState>(PAGES);
  const first = <u32>((address - changetype<Identity>(IDENTITY).heap) >> PAGE_SHIFT);
  lock(PAGE_LOCK, RANK_PAGE);
  memory.fill(FRAMES + first, FRAME_FREE, count);
  state.used -= count;
  if (first < state.low) state.low = first;
  if (first + count > state.high) state.high = first + count;
  unlock(PAGE_LOCK, RANK_PAGE);
}

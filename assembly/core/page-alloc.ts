// SPDX-License-Identifier: GPL-2.0-only
/**
 * The heap: pages for user mappings, which come and go, and kernel memory for tables and slabs, which stays.
 *
 * Each heap page has a byte in FRAMES that says what it is used for; 0 is free. User mappings take runs of pages from below.
 * Kernel memory is cut, to the byte, from an extent at the top that grows downwards page by page, and is never given back:
 * what was a slot or a node stays one. Where a mapping is in the way, a new extent begins below it. Two cursors skip the
 * pages that are known to be taken.
 *
 * Invariant: a free page is all zero. freePages wipes, so nobody has to clear on allocation, and no byte of one owner
 * ever reaches another.
 *
 * Kernel counterpart: alloc_pages(), __GFP_ZERO.
 */
import { fill, modelAlloc, modelFree } from "./atomics";
import { MODEL_BUILD } from "./config";
import {
  FRAMES,
  FRAME_FREE,
  FRAME_KERNEL,
  IDENTITY,
  Identity,
  PAGES,
  PAGE_SHIFT,
  PAGE_SIZE,
  PageState,
} from "./memory-map";
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
export function allocPages(count: u32, frame: u8): usize {
  const state = changetype<PageState>(PAGES);
  lock(PAGE_LOCK, RANK_PAGE);
  const total = changetype<Identity>(IDENTITY).heapPages;
  while (state.low < total && load<u8>(FRAMES + state.low) != FRAME_FREE) state.low++;
  let run: u32 = 0;
  for (let page = state.low; page < total; page++) {
    run = load<u8>(FRAMES + page) == FRAME_FREE ? run + 1 : 0;
    if (run != count) continue;
    claim(page + 1 - count, count, frame);
    if (MODEL_BUILD) modelAlloc(addressOf(page + 1 - count), (<usize>count) << PAGE_SHIFT);
    unlock(PAGE_LOCK, RANK_PAGE);
    return addressOf(page + 1 - count);
  }
  unlock(PAGE_LOCK, RANK_PAGE);
  return 0;
}

/**
 * Kernel memory, zeroed, for good.
 *
 * Context: takes the page lock; `align` is a power of two. Return: address, 0 when memory is short, and nothing has changed.
 */
export function allocKernel(bytes: u32, align: u32): usize {
  const state = changetype<PageState>(PAGES);
  lock(PAGE_LOCK, RANK_PAGE);
  let at: usize = 0;
  if (fitsExtent(bytes, align) || growExtent(bytes, align)) {
    at = (state.extentTop - bytes) & ~(align - 1);
    state.extentTop = <u32>at;
    if (MODEL_BUILD) modelAlloc(at, bytes);
  }
  unlock(PAGE_LOCK, RANK_PAGE);
  return at;
}

/** Context: page lock held. */
function fitsExtent(bytes: u32, align: u32): bool {
  const state = changetype<PageState>(PAGES);
  return bytes <= state.extentTop && ((state.extentTop - bytes) & ~(align - 1)) >= state.extentLow;
}

/** Makes room for such a piece: by the pages below the extent, or in a new one. Context: page lock held. */
function growExtent(bytes: u32, align: u32): bool {
  const state = changetype<PageState>(PAGES);
  const heap = changetype<Identity>(IDENTITY).heap;
  const room = state.extentTop - state.extentLow;
  const missing = bytes + align > room ? (bytes + align - room + PAGE_SIZE - 1) >> PAGE_SHIFT : 1;
  const first = (state.extentLow - heap) >> PAGE_SHIFT;
  if (missing <= first && isFree(first - missing, missing)) {
    claim(first - missing, missing, FRAME_KERNEL);
    state.extentLow = heap + ((first - missing) << PAGE_SHIFT);
    return true;
  }
  const count = (bytes + align + PAGE_SIZE - 1) >> PAGE_SHIFT;
  while (state.high > 0 && load<u8>(FRAMES + state.high - 1) != FRAME_FREE) state.high--;
  let run: u32 = 0;
  for (let page = state.high; page > 0; page--) {
    run = load<u8>(FRAMES + page - 1) == FRAME_FREE ? run + 1 : 0;
    if (run != count) continue;
    claim(page - 1, count, FRAME_KERNEL);
    state.extentLow = heap + ((page - 1) << PAGE_SHIFT);
    state.extentTop = state.extentLow + (count << PAGE_SHIFT);
    return true;
  }
  return false;
}

/** Context: page lock held. */
function isFree(first: u32, count: u32): bool {
  for (let page = first; page < first + count; page++) if (load<u8>(FRAMES + page) != FRAME_FREE) return false;
  return true;
}

/** Context: page lock held. */
function claim(first: u32, count: u32, frame: u8): void {
  fill(FRAMES + first, frame, count);
  changetype<PageState>(PAGES).used += count;
}

/** Wipes and frees a run. Context: nobody else knows the pages any more; takes the page lock. */
export function freePages(address: usize, count: u32): void {
  fill(address, 0, (<usize>count) << PAGE_SHIFT);
  const state = changetype<PageState>(PAGES);
  const first = <u32>((address - changetype<Identity>(IDENTITY).heap) >> PAGE_SHIFT);
  lock(PAGE_LOCK, RANK_PAGE);
  if (MODEL_BUILD) modelFree(address, (<usize>count) << PAGE_SHIFT);
  fill(FRAMES + first, FRAME_FREE, count);
  state.used -= count;
  if (first < state.low) state.low = first;
  if (first + count > state.high) state.high = first + count;
  unlock(PAGE_LOCK, RANK_PAGE);
}

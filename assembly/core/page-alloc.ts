// SPDX-License-Identifier: GPL-2.0-only
/**
 * The heap: pages for user mappings, which come and go, and kernel memory for tables and slabs, which stays.
 *
 * Each heap page has a byte in FRAMES that says what it is used for; 0 is free. User mappings take runs of pages from below.
 * Kernel memory is cut, to the byte, from an extent at the top that grows downwards page by page, and is never given back:
 * what was a slot or a node stays one. Where a mapping is in the way, a new extent begins below it. Two cursors skip the
 * pages that are known to be taken.
 *
 * Invariant: a free page is all zero. Who frees one has wiped it, so nobody has to clear on allocation, and no byte of one owner
 * ever reaches another.
 *
 * If a thread dies in here: what it was claiming is noted in PageState until it has a place, and the rest follows from the
 * frame bytes (repairPages).
 *
 * Kernel counterpart: alloc_pages(), __GFP_ZERO.
 */
import { fill, modelAlloc, modelFree } from "./atomics";
import { MODEL_BUILD } from "./config";
import { mayFail } from "./faults";
import {
  FAULT_MEMORY,
  FRAMES,
  FRAME_FREE,
  FRAME_KERNEL,
  FRAME_USER,
  IDENTITY,
  Identity,
  PAGES,
  PAGE_SHIFT,
  MEMORY_FLAGS,
  PAGE_SIZE,
  PageState,
  Thread,
} from "./memory-map";
import { RANK_PAGE, lock, unlock } from "./mutex";
import { clearHandMemory, current, setHandMemory } from "./thread";

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
  if (mayFail(FAULT_MEMORY)) return 0;
  const state = changetype<PageState>(PAGES);
  lock(PAGE_LOCK, RANK_PAGE);
  const total = changetype<Identity>(IDENTITY).heapPages;
  while (state.low < total && load<u8>(FRAMES + state.low) != FRAME_FREE) state.low++;
  let run: u32 = 0;
  for (let page = state.low; page < total; page++) {
    run = load<u8>(FRAMES + page) == FRAME_FREE ? run + 1 : 0;
    if (run != count) continue;
    claim(page + 1 - count, count, frame);
    state.claimCount = 0; // whoever asked holds the map lock, and notes the pages under it
    if (MODEL_BUILD) modelAlloc(addressOf(page + 1 - count), (<usize>count) << PAGE_SHIFT);
    unlock(PAGE_LOCK, RANK_PAGE);
    return addressOf(page + 1 - count);
  }
  unlock(PAGE_LOCK, RANK_PAGE);
  return 0;
}

/**
 * Kernel memory, zeroed, for good. It is in the thread's hand afterwards, as MEMORY_`kind` for `file`.
 *
 * Context: takes the page lock; `align` is a power of two. Return: address, 0 when memory is short, and nothing has changed.
 */
export function allocKernel(bytes: u32, align: u32, kind: u32, file: usize): usize {
  if (mayFail(FAULT_MEMORY)) return 0;
  const state = changetype<PageState>(PAGES);
  lock(PAGE_LOCK, RANK_PAGE);
  let at: usize = 0;
  if (fitsExtent(bytes, align) || growExtent(bytes, align)) {
    at = (state.extentTop - bytes) & ~(align - 1);
    setHandMemory(at | kind, file);
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
    state.claimCount = 0;
    return true;
  }
  const count = (bytes + align + PAGE_SIZE - 1) >> PAGE_SHIFT;
  while (state.high > 0 && load<u8>(FRAMES + state.high - 1) != FRAME_FREE) state.high--;
  let run: u32 = 0;
  for (let page = state.high; page > 0; page--) {
    run = load<u8>(FRAMES + page - 1) == FRAME_FREE ? run + 1 : 0;
    if (run != count) continue;
    claim(page - 1, count, FRAME_KERNEL);
    const low = heap + ((page - 1) << PAGE_SHIFT);
    store<u64>(PAGES + offsetof<PageState>("extentLow"), ((<u64>low + (count << PAGE_SHIFT)) << 32) | low);
    state.claimCount = 0;
    return true;
  }
  return false;
}

/** Context: page lock held. */
function isFree(first: u32, count: u32): bool {
  for (let page = first; page < first + count; page++) if (load<u8>(FRAMES + page) != FRAME_FREE) return false;
  return true;
}

/** Context: page lock held. The caller notes the pages, then sets claimCount to 0. */
function claim(first: u32, count: u32, frame: u8): void {
  const state = changetype<PageState>(PAGES);
  state.claimFirst = first;
  state.claimCount = count;
  fill(FRAMES + first, frame, count);
  state.used += count;
}

// What a thread that died has freed already may be somebody else's, but not as a user page: that takes the map lock.

/** Makes the user pages of a run zero. Context: nobody else knows the pages any more. */
export function wipePages(address: usize, count: u32): void {
  for (let page: u32 = 0; page < count; page++) {
    const at = address + (page << PAGE_SHIFT);
    if ((load<u8>(frameOf(at)) & FRAME_USER) != 0) fill(at, 0, PAGE_SIZE);
  }
}

/** Frees the user pages of a run. Context: they are wiped, the map lock is held; takes the page lock. */
export function freePages(address: usize, count: u32): void {
  const state = changetype<PageState>(PAGES);
  const first = <u32>((address - changetype<Identity>(IDENTITY).heap) >> PAGE_SHIFT);
  lock(PAGE_LOCK, RANK_PAGE);
  for (let page = first; page < first + count; page++) {
    if ((load<u8>(FRAMES + page) & FRAME_USER) == 0) continue;
    store<u8>(FRAMES + page, FRAME_FREE);
    if (MODEL_BUILD) modelFree(addressOf(page), PAGE_SIZE);
    state.used--;
  }
  if (first < state.low) state.low = first;
  if (first + count > state.high) state.high = first + count;
  unlock(PAGE_LOCK, RANK_PAGE);
}

/** Context: the page lock is held by the thread that the caller acts as, which died with it. */
export function repairPages(): void {
  const state = changetype<PageState>(PAGES);
  const thread = changetype<Thread>(current());
  const heap = changetype<Identity>(IDENTITY).heap;
  if (state.claimCount != 0 && state.extentLow != heap + (state.claimFirst << PAGE_SHIFT)) {
    fill(FRAMES + state.claimFirst, FRAME_FREE, state.claimCount);
  }
  state.claimCount = 0;
  // Announced, but not cut yet.
  const cut = thread.handMemory & ~MEMORY_FLAGS;
  if (cut >= state.extentLow && cut < state.extentTop) clearHandMemory();
  const total = changetype<Identity>(IDENTITY).heapPages;
  let used: u32 = 0;
  for (let page: u32 = 0; page < total; page++) if (load<u8>(FRAMES + page) != FRAME_FREE) used++;
  state.used = used;
  state.low = 0;
  state.high = total;
}

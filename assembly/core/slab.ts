// SPDX-License-Identifier: GPL-2.0-only
/**
 * Slabs: fixed-size slots, one class per slot size.
 *
 * A class takes chunks of whole pages from the heap and never gives them back: memory that was a slot of a class stays
 * one. The chunk size is chosen so that what is left over at its end costs at most WASTE bytes per slot. Freed slots
 * form a stack through Slot.link, the rest of the newest chunk is handed out in order.
 *
 * Exhaustion: ENOMEM (a 0 here), and nothing has changed.
 *
 * Kernel counterpart: kzalloc()/kfree() on a kmem_cache.
 */
import { assertInvariant } from "./config";
import {
  CLASSES,
  CLASS_BYTES,
  FRAME_SLAB,
  MAX_CLASSES,
  PAGE_SHIFT,
  REGISTRY,
  Registry,
  SlabClass,
  Slot,
} from "./memory-map";
import { RANK_CLASS, lock, unlock } from "./mutex";
import { allocPagesHigh } from "./page-alloc";

/** Bytes per slot that a chunk may leave unused at its end. */
const WASTE: u32 = 4;
/** Largest chunk tried for that, in pages. */
const MAX_CHUNK_PAGES: u32 = 64;

// @ts-ignore: a decorator on a function
@inline function classAt(number: u32): usize {
  return CLASSES + number * CLASS_BYTES;
}

/** Context: registry lock held. Return: number of the class for slots of that size, MAX_CLASSES when there is no room. */
export function slabClassFor(slotBytes: u32): u32 {
  const registry = changetype<Registry>(REGISTRY);
  for (let number: u32 = 0; number < registry.classCount; number++) {
    if (changetype<SlabClass>(classAt(number)).slotBytes == slotBytes) return number;
  }
  const number = registry.classCount;
  if (number == MAX_CLASSES) return number;
  const fresh = changetype<SlabClass>(classAt(number));
  fresh.slotBytes = slotBytes;
  fresh.chunkPages = chunkPagesFor(slotBytes);
  registry.classCount = number + 1;
  return number;
}

/** Return: the smallest chunk that wastes little, or else the one that wastes least. */
function chunkPagesFor(slotBytes: u32): u32 {
  const least = ((slotBytes - 1) >> PAGE_SHIFT) + 1;
  let best = least;
  let bestWaste: u32 = u32.MAX_VALUE;
  for (let pages = least; pages < least + MAX_CHUNK_PAGES; pages++) {
    const bytes = pages << PAGE_SHIFT;
    const waste = (bytes % slotBytes) / (bytes / slotBytes);
    if (waste <= WASTE) return pages;
    if (waste < bestWaste) {
      bestWaste = waste;
      best = pages;
    }
  }
  return best;
}

/** Context: takes the class and page locks. Return: a zeroed slot, or 0 (ENOMEM). */
export function slabAlloc(number: u32): usize {
  const mutex = classAt(number) + offsetof<SlabClass>("lock");
  const slab = changetype<SlabClass>(classAt(number));
  lock(mutex, RANK_CLASS);
  let slot: usize = slab.free;
  if (slot != 0) {
    slab.free = changetype<Slot>(slot).link;
    slab.used++;
    unlock(mutex, RANK_CLASS);
    memory.fill(slot, 0, slab.slotBytes);
    return slot;
  }
  if (slab.bump + slab.slotBytes > slab.bumpEnd) {
    const chunk = allocPagesHigh(slab.chunkPages, FRAME_SLAB);
    if (chunk == 0) {
      unlock(mutex, RANK_CLASS);
      return 0;
    }
    slab.bump = <u32>chunk;
    slab.bumpEnd = <u32>chunk + (slab.chunkPages << PAGE_SHIFT);
    slab.chunks++;
  }
  slot = slab.bump;
  slab.bump += slab.slotBytes;
  slab.used++;
  unlock(mutex, RANK_CLASS);
  return slot; // fresh from the heap, hence zero
}

/** Context: the caller owns the slot and nothing leads to it any more; takes the class lock. */
export function slabFree(number: u32, slot: usize): void {
  const mutex = classAt(number) + offsetof<SlabClass>("lock");
  const slab = changetype<SlabClass>(classAt(number));
  lock(mutex, RANK_CLASS);
  assertInvariant(slab.used > 0);
  changetype<Slot>(slot).link = slab.free;
  slab.free = <u32>slot;
  slab.used--;
  unlock(mutex, RANK_CLASS);
}

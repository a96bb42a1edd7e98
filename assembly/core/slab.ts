// SPDX-License-Identifier: GPL-2.0-only
/**
 * Slabs: fixed-size slots, one class per slot size.
 *
 * A class takes chunks of a page's worth of slots, or of one large slot, from the heap, to the byte, and never gives them
 * back: memory that was a slot of a class stays one. Freed slots form a stack through Slot.link, the rest of the newest
 * chunk is handed out in order.
 *
 * Exhaustion: ENOMEM (a 0 here), and nothing has changed.
 *
 * Kernel counterpart: kzalloc()/kfree() on a kmem_cache.
 */
import { fill, modelAlloc, modelFree } from "./atomics";
import { MODEL_BUILD, assertInvariant } from "./config";
import { CLASSES, CLASS_BYTES, MAX_CLASSES, PAGE_SIZE, REGISTRY, Registry, SlabClass, Slot } from "./memory-map";
import { RANK_CLASS, lock, unlock } from "./mutex";
import { allocKernel } from "./page-alloc";

// @ts-ignore: a decorator on a function
@inline function classAt(number: u32): usize {
  return CLASSES + number * CLASS_BYTES;
}

/** Slots are made of 64-bit words. */
const SLOT_ALIGN: u32 = 8;

/** Context: registry lock held, slotBytes a multiple of SLOT_ALIGN. Return: number of the class for slots of that size, MAX_CLASSES when there is no room. */
export function slabClassFor(slotBytes: u32): u32 {
  const registry = changetype<Registry>(REGISTRY);
  for (let number: u32 = 0; number < registry.classCount; number++) {
    if (changetype<SlabClass>(classAt(number)).slotBytes == slotBytes) return number;
  }
  const number = registry.classCount;
  if (number == MAX_CLASSES) return number;
  const fresh = changetype<SlabClass>(classAt(number));
  fresh.slotBytes = slotBytes;
  fresh.chunkBytes = max(PAGE_SIZE / slotBytes, 1) * slotBytes;
  registry.classCount = number + 1;
  return number;
}

/** Context: takes the class and page locks. Return: a zeroed slot, or 0 (ENOMEM). */
export function slabAlloc(number: u32): usize {
  const mutex = classAt(number) + offsetof<SlabClass>("lock");
  const slab = changetype<SlabClass>(classAt(number));
  lock(mutex, RANK_CLASS);
  let slot: usize = slab.free;
  if (slot != 0) {
    if (MODEL_BUILD) modelAlloc(slot, slab.slotBytes);
    slab.free = changetype<Slot>(slot).link;
    slab.used++;
    unlock(mutex, RANK_CLASS);
    fill(slot, 0, slab.slotBytes);
    return slot;
  }
  if (slab.bump + slab.slotBytes > slab.bumpEnd) {
    const chunk = allocKernel(slab.chunkBytes, SLOT_ALIGN);
    if (chunk == 0) {
      unlock(mutex, RANK_CLASS);
      return 0;
    }
    if (MODEL_BUILD) modelFree(chunk, slab.chunkBytes);
    slab.bump = <u32>chunk;
    slab.bumpEnd = <u32>chunk + slab.chunkBytes;
  }
  slot = slab.bump;
  if (MODEL_BUILD) modelAlloc(slot, slab.slotBytes);
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
  if (MODEL_BUILD) modelFree(slot, slab.slotBytes);
  slab.used--;
  unlock(mutex, RANK_CLASS);
}

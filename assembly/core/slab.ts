// SPDX-License-Identifier: GPL-2.0-only
/**
 * Slabs: fixed-size slots, one class per slot size.
 *
 * A class takes chunks of a page's worth of slots, or of one large slot, from the heap, to the byte, and never gives them
 * back: memory that was a slot of a class stays one. Freed slots form a stack through Slot.link, the rest of the newest
 * chunk is handed out in order.
 *
 * Each step under the lock is one store, and the slot that it moves stands in a word of the thread (Thread.hand, or handList for a
 * hold list) before the slot leaves the class and until it is back. So if the thread dies, the slot is either in the class or in hand.
 *
 * Exhaustion: ENOMEM (a 0 here), and nothing has changed.
 *
 * Kernel counterpart: kzalloc()/kfree() on a kmem_cache.
 */
import { fill, modelAlloc, modelFree } from "./atomics";
import { MODEL_BUILD } from "./config";
import { mayFail } from "./faults";
import {
  CLASSES,
  CLASS_BYTES,
  FAULT_MEMORY,
  FAULT_TYPE,
  HAND_MEMORY,
  MAX_CLASSES,
  MEMORY_CHUNK,
  PAGE_SIZE,
  REGISTRY,
  Registry,
  SlabClass,
  Slot,
  Thread,
} from "./memory-map";
import { RANK_CLASS, lock, unlock } from "./mutex";
import { allocKernel } from "./page-alloc";
import { clearHandMemory, current } from "./thread";

// @ts-ignore: a decorator on a function
@inline export function classAt(number: u32): usize {
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
  if (mayFail(FAULT_TYPE)) return MAX_CLASSES;
  const fresh = changetype<SlabClass>(classAt(number));
  fresh.slotBytes = slotBytes;
  fresh.chunkBytes = max(PAGE_SIZE / slotBytes, 1) * slotBytes;
  registry.classCount = number + 1;
  return number;
}

/**
 * Context: takes the class and page locks. `handWord`: where the slot stands until it has a place (| HAND_MEMORY).
 * Return: a zeroed slot, or 0 (ENOMEM).
 */
export function slabAlloc(number: u32, handWord: usize): usize {
  if (mayFail(FAULT_MEMORY)) return 0;
  const mutex = classAt(number) + offsetof<SlabClass>("lock");
  const slab = changetype<SlabClass>(classAt(number));
  changetype<Thread>(current()).handClass = number;
  lock(mutex, RANK_CLASS);
  let slot: usize = slab.free;
  if (slot != 0) {
    store<u32>(handWord, (<u32>slot) | HAND_MEMORY);
    if (MODEL_BUILD) modelAlloc(slot, slab.slotBytes);
    slab.free = changetype<Slot>(slot).link;
    unlock(mutex, RANK_CLASS);
    fill(slot, 0, slab.slotBytes);
    return slot;
  }
  if (slab.bump + slab.slotBytes > slab.bumpEnd) {
    const chunk = allocKernel(slab.chunkBytes, SLOT_ALIGN, MEMORY_CHUNK, 0);
    if (chunk == 0) {
      unlock(mutex, RANK_CLASS);
      return 0;
    }
    addChunk(number, chunk);
  }
  slot = slab.bump;
  store<u32>(handWord, (<u32>slot) | HAND_MEMORY);
  if (MODEL_BUILD) modelAlloc(slot, slab.slotBytes);
  slab.bump += slab.slotBytes;
  unlock(mutex, RANK_CLASS);
  return slot; // fresh from the heap, hence zero
}

/** Context: class lock held, the chunk is in hand. */
export function addChunk(number: u32, chunk: usize): void {
  const bounds = ((<u64>chunk + changetype<SlabClass>(classAt(number)).chunkBytes) << 32) | chunk;
  store<u64>(classAt(number) + offsetof<SlabClass>("bump"), bounds);
  if (MODEL_BUILD) modelFree(chunk, changetype<SlabClass>(classAt(number)).chunkBytes);
  clearHandMemory();
}

/** Context: the slot is in hand, by `handWord`, and nothing else leads to it; takes the class lock. */
export function slabFree(number: u32, slot: usize, handWord: usize): void {
  const mutex = classAt(number) + offsetof<SlabClass>("lock");
  const slab = changetype<SlabClass>(classAt(number));
  lock(mutex, RANK_CLASS);
  changetype<Slot>(slot).link = slab.free;
  slab.free = <u32>slot;
  store<u32>(handWord, 0);
  if (MODEL_BUILD) modelFree(slot, slab.slotBytes);
  unlock(mutex, RANK_CLASS);
}

/** The thread that had the slot in hand died before it had taken it, or after it had given it back. Context: as isNextFree, which is true. */
export function notTaken(number: u32, slot: usize): void {
  if (MODEL_BUILD) modelFree(slot, changetype<SlabClass>(classAt(number)).slotBytes);
}

/** Whether the slot is in the class, as the next to be handed out. Context: class lock held by who had the slot in hand. */
export function isNextFree(number: u32, slot: usize): bool {
  const slab = changetype<SlabClass>(classAt(number));
  return slab.free == <u32>slot || (slab.bump <= <u32>slot && <u32>slot < slab.bumpEnd);
}

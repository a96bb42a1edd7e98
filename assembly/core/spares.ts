// SPDX-License-Identifier: GPL-2.0-only
/**
 * Spare slots of a context: memory of objects that were just freed, kept for its next allocations.
 *
 * An allocation and a removal hold the table lock anyway; taking a slot from there, and leaving it there, spares both of them the
 * lock of the slab class. The spares are few, of one class and small, so what a context keeps from others is bounded
 * (MAX_SPARES × SPARE_BYTES); the release gives them back.
 *
 * All of it is under the table lock, and a slot on its way is in the thread's hand, as in slab.ts: if the thread dies, the slot is
 * either the context's first spare or in hand (repairSpares).
 *
 * Kernel counterpart: the per-CPU freelist of SLUB.
 */
import { loadRelaxed32, modelAlloc, modelFree, storeRelaxed32, storeRelaxed64 } from "./atomics";
import { MODEL_BUILD } from "./config";
import { FAULTS_BUILD } from "./faults";
import { Context, FILE_CONTEXT, HAND_FLAGS, HAND_MEMORY, SlabClass, Slot, Thread } from "./memory-map";
import { RANK_TABLE, lock, unlock } from "./mutex";
import { classAt, slabFree } from "./slab";
import { clearHand, current, hand, setHand } from "./thread";
import { tableLockOf } from "./xarray";

/** Spares of a context at most, and the largest slot that is kept, in bytes. */
const MAX_SPARES: u32 = MODEL_BUILD ? 1 : 16;
const SPARE_BYTES: u32 = 256;

// @ts-ignore: a decorator on a function
@inline function contextOf(file: usize): Context {
  return changetype<Context>(file + FILE_CONTEXT);
}

// @ts-ignore: a decorator on a function
@inline function spareOf(file: usize): usize {
  return file + FILE_CONTEXT + offsetof<Context>("spare");
}
// @ts-ignore: a decorator on a function
@inline function setSpares(file: usize, first: u32, count: u32): void {
  storeRelaxed64(spareOf(file), ((<u64>count) << 32) | first);
}
// @ts-ignore: a decorator on a function
@inline function classOf(file: usize): usize {
  return file + FILE_CONTEXT + offsetof<Context>("spareClass");
}

/** Whether takeSpare would find one: certain under the lock, a good guess outside. */
// @ts-ignore: a decorator on a function
@inline export function hasSpare(file: usize, slab: u32): bool {
  return loadRelaxed32(spareOf(file)) != 0 && loadRelaxed32(classOf(file)) == slab;
}

/** Context: table lock held. Return: a slot, zeroed but for serial, id and type, which is in hand; or 0. */
// @ts-ignore: a decorator on a function
@inline export function takeSpare(file: usize, slab: u32): usize {
  if (!hasSpare(file, slab)) return 0;
  const slot: usize = contextOf(file).spare;
  setHand(slot | HAND_MEMORY, slab);
  const bytes = changetype<SlabClass>(classAt(slab)).slotBytes;
  if (MODEL_BUILD) modelAlloc(slot, bytes);
  setSpares(file, changetype<Slot>(slot).link, contextOf(file).spareCount - 1);
  // Holds, link and payload; the rest of the head is the caller's to fill. Whole 64-bit words, and few: a loop beats memory.fill,
  // which is a call of the engine.
  for (let at: u32 = offsetof<Slot>("hold0"); at < bytes; at += 8) store<u64>(slot + at, 0);
  return slot;
}

/** Context: table lock held; the slot is in hand, and nothing else leads to it. Return: false when it is not kept. */
// @ts-ignore: a decorator on a function
@inline export function keepSpare(file: usize, slot: usize, slab: u32): bool {
  const context = contextOf(file);
  if (FAULTS_BUILD || context.spareCount >= MAX_SPARES) return false;
  // A wiped context has the class of the hold lists, which are small.
  if (context.spareClass != slab) {
    if (context.spare != 0 || changetype<SlabClass>(classAt(slab)).slotBytes > SPARE_BYTES) return false;
    storeRelaxed32(classOf(file), slab);
  }
  changetype<Slot>(slot).link = context.spare;
  setSpares(file, <u32>slot, context.spareCount + 1);
  clearHand();
  if (MODEL_BUILD) modelFree(slot, changetype<SlabClass>(classAt(slab)).slotBytes);
  return true;
}

/** Gives all of them back to their slab. Context: the caller releases the file. */
export function dropSpares(file: usize): void {
  const context = contextOf(file);
  if (context.spare == 0) return;
  lock(tableLockOf(file), RANK_TABLE);
  while (context.spare != 0) {
    const slot: usize = context.spare;
    setHand(slot | HAND_MEMORY, context.spareClass);
    if (MODEL_BUILD) modelAlloc(slot, changetype<SlabClass>(classAt(context.spareClass)).slotBytes);
    setSpares(file, changetype<Slot>(slot).link, context.spareCount - 1);
    slabFree(context.spareClass, slot, hand());
  }
  unlock(tableLockOf(file), RANK_TABLE);
}

/** A slot in hand may not have left the spares yet, or have arrived. Context: the table lock is held by the thread that the caller acts as, which died with it. */
export function repairSpares(file: usize): void {
  const context = contextOf(file);
  const thread = changetype<Thread>(current());
  const slot = thread.hand & ~HAND_FLAGS;
  if (slot != 0 && slot == context.spare) {
    clearHand();
    if (MODEL_BUILD) modelFree(slot, changetype<SlabClass>(classAt(context.spareClass)).slotBytes);
  }
}

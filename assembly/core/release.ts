// SPDX-License-Identifier: GPL-2.0-only
/**
 * The release of a file: its whole graph comes down.
 *
 * rfc: the seed's walk. Types in the order of their definition, ascending IDs within a type, once. The table's user is
 * dropped; an object that still has users is warned about, taken out and leaked: no destroy, its holds stay.
 *
 * mainline: passes over all IDs. Whatever only the table uses is destroyed, the rest is left to the next pass, until
 * nothing is there; a pass that sees objects and destroys none is warned about and ends it, what remains has leaked.
 *
 * A leaked object's memory is never reused, so what still points to it reads no other object.
 *
 * Context of everything here: the calling thread won the release (file.ts): nobody else can reach the table or an object.
 * A walk stops at each object whose callback is in this thread and goes on when the bindings have run it. Objects whose
 * callback is in other threads only are queued: release cannot fail, so they lose ID and holds now and their callback
 * runs where it can.
 *
 * If a thread dies: the walk's state is in the file's context, and the object that the walk is about to take out, or has taken, is
 * Context.walkSlot. Whoever inherits the release goes on from there.
 *
 * A poisoned file's objects are freed without regard to counts, holds and callbacks, which nobody can trust.
 *
 * Kernel counterpart: iommufd_fops_release(), and the try-and-fail loop of the review thread.
 */
import { arenaFree } from "./arena";
import { add32, compareExchange64, load32, load64, notify, store32, store64 } from "./atomics";
import { fileFree, isPoisoned, pauseRelease } from "./file";
import { dropHolds, forgetHolds } from "./hold";
import {
  ATTENTION_RELEASE,
  COUNTERS,
  Context,
  Counters,
  FILE_CONTEXT,
  HAND_FLAGS,
  HAND_MEMORY,
  HAND_QUEUED,
  HAND_NO_CALLBACK,
  HoldRecord,
  IDENTITY,
  Identity,
  PROFILE_RFC,
  QUEUE,
  Queue,
  RECORD_TAKEN,
  REGISTRY,
  Registry,
  SLOT_PAYLOAD,
  Slot,
  Thread,
  WARN_RELEASE_USERS,
} from "./memory-map";
import { RANK_QUEUE, lock, unlock } from "./mutex";
import { freeObject } from "./object";
import { releasePages } from "./pages";
import {
  PHASE_LEAKED,
  PHASE_LIVE,
  freedWord,
  holdersOf,
  isHeld,
  minusUser,
  phaseOf,
  settled,
  typeOf,
  usersOf,
  withPhase,
} from "./refcount";
import { classOfType, hasCallback, isRunnable } from "./registry";
import { RELEASE_AGAIN } from "./results";
import { slabFree } from "./slab";
import { fileOfSlot, hasCallbackRun, typeOfSlot } from "./slot";
import { dropSpares } from "./spares";
import {
  clearHand,
  current,
  findRecord,
  freeRecord,
  hand,
  hasFreeRecord,
  isWarningRingFull,
  setHand,
  takeRecord,
  warn,
} from "./thread";
import { slotOf, xaDestroy, xaErase, xaEntry, xaNext } from "./xarray";

/**
 * Takes the walk to its next stop.
 *
 * Return: the slot of an object whose callback this thread must run now, after callbackBegins; RELEASE_AGAIN; or 0: the file is
 * released, or waits for a lock whose owner takes it up again.
 */
export function releaseNext(file: usize): usize {
  changetype<Thread>(current()).attention &= ~ATTENTION_RELEASE;
  const interrupted = resumeWalk(file);
  if (interrupted != 0) return interrupted;
  if (isPoisoned(file)) freeAll(file);
  else {
    if (!findHolders(file)) return 0;
    const rfc = changetype<Identity>(IDENTITY).profile == PROFILE_RFC;
    const stop = rfc ? walkTypes(file) : walkPasses(file);
    if (stop == PAUSED) return 0;
    if (stop != 0) return stop;
  }
  dropSpares(file);
  releasePages(file);
  arenaFree(file);
  xaDestroy(file);
  fileFree(file);
  return 0;
}

/**
 * Deals with the object where the walk stopped: because its callback had to run, or because its thread died.
 *
 * Return: its slot if the callback is still to be run by this thread, else 0.
 */
function resumeWalk(file: usize): usize {
  const context = changetype<Context>(file + FILE_CONTEXT);
  const slot: usize = context.walkSlot;
  if (slot == 0) return 0;
  const entry = xaEntry(file, changetype<Slot>(slot).id);
  if (phaseOf(load64(entry)) == PHASE_LIVE && slotOf(entry) == slot) {
    context.walkSlot = 0; // announced, not taken
    return 0;
  }
  context.walkDestroyed = 1; // mainline: so that there is one more pass
  const type = typeOfSlot(slot);
  if (!hasCallbackRun(slot) && hasCallback(type)) {
    if (isRunnable(type)) return slot;
    setHand(slot, classOfType(type));
    context.walkSlot = 0;
    enqueue(slot);
    return 0;
  }
  setHand(slot | HAND_NO_CALLBACK, classOfType(type));
  context.walkSlot = 0;
  freeObject(slot);
  return 0;
}

/** A poisoned file: frees the memory of what can be told to be its objects. */
function freeAll(file: usize): void {
  for (let id = xaNext(file, 0); id != 0; id = xaNext(file, id + 1)) {
    const entry = xaEntry(file, id);
    const slot = slotOf(entry);
    if (!isObjectOf(slot, file, id)) {
      store64(entry, freedWord(load64(entry)));
      continue;
    }
    forgetHolds(slot);
    setHand(slot | HAND_MEMORY, classOfType(typeOfSlot(slot)));
    store64(entry, freedWord(load64(entry)));
    slabFree(changetype<Thread>(current()).handClass, slot, hand());
  }
}

/** Whether `slot` can be the object of that ID: an address of the heap that says so itself. */
export function isObjectOf(slot: usize, file: usize, id: u32): bool {
  const identity = changetype<Identity>(IDENTITY);
  if (slot < identity.heap || slot > identity.bytes - SLOT_PAYLOAD || (slot & 7) != 0) return false;
  const object = changetype<Slot>(slot);
  const type = typeOfSlot(slot);
  return (
    fileOfSlot(slot) == file &&
    object.id == id &&
    type != 0 &&
    type <= load32(REGISTRY + offsetof<Registry>("typeCount"))
  );
}

/** Before anything is destroyed: no object may be locked or reserved. Return: false when the release waits, and is not ours any more. */
function findHolders(file: usize): bool {
  const context = changetype<Context>(file + FILE_CONTEXT);
  if (context.walkType != 0) return true;
  for (let id = xaNext(file, context.walkId); id != 0; id = xaNext(file, id + 1)) {
    context.walkId = id;
    const entry = xaEntry(file, id);
    if (isHeld(settled(entry)) && pauseRelease(file, entry)) return false;
  }
  context.walkId = 0; // before the type: who dies between looks once more
  context.walkType = 1;
  return true;
}

/** A step of a walk that found a lookup at work on an object, one that will give up because the file is closed. */
const PAUSED: usize = usize.MAX_VALUE;

/** rfc. Return: as releaseNext; PAUSED. */
function walkTypes(file: usize): usize {
  const context = changetype<Context>(file + FILE_CONTEXT);
  while (context.walkType <= load32(REGISTRY + offsetof<Registry>("typeCount"))) {
    const id = xaNext(file, context.walkId);
    if (id == 0) {
      context.walkId = 0; // before the type, as above
      context.walkType++;
      continue;
    }
    context.walkId = id;
    const entry = xaEntry(file, id);
    const word = settled(entry);
    if (phaseOf(word) == PHASE_LIVE && typeOf(word) == context.walkType) {
      if (holdersOf(word) != 0) {
        if (pauseRelease(file, entry)) return PAUSED;
        continue;
      }
      if (usersOf(word) != 1) {
        if (isWarningRingFull()) return RELEASE_AGAIN;
        if (!leak(entry, word)) continue;
        warn(WARN_RELEASE_USERS, file, id);
      } else {
        if (!takeOut(file, entry, id, word)) continue;
        const slot = resumeWalk(file);
        if (slot != 0) return slot;
      }
    }
    context.walkId = id + 1;
  }
  return 0;
}

/** mainline. Return: as releaseNext; PAUSED. */
function walkPasses(file: usize): usize {
  const context = changetype<Context>(file + FILE_CONTEXT);
  while (true) {
    const id = xaNext(file, context.walkId);
    if (id == 0) {
      if (context.walkSeen == 0) return 0;
      if (context.walkDestroyed == 0) return leakAll(file);
      context.walkId = 0;
      context.walkSeen = 0;
      context.walkDestroyed = 0;
      continue;
    }
    context.walkId = id;
    const entry = xaEntry(file, id);
    const word = settled(entry);
    if (holdersOf(word) != 0) {
      if (pauseRelease(file, entry)) return PAUSED;
      continue;
    }
    context.walkSeen = 1;
    if (usersOf(word) == 1) {
      if (!takeOut(file, entry, id, word)) continue;
      const slot = resumeWalk(file);
      if (slot != 0) return slot;
    }
    context.walkId = id + 1;
  }
}

/** mainline: no pass helps any more. Return: 0, or PAUSED. */
function leakAll(file: usize): usize {
  const context = changetype<Context>(file + FILE_CONTEXT);
  for (let id = xaNext(file, 0); id != 0; id = xaNext(file, id + 1)) {
    const entry = xaEntry(file, id);
    let word = settled(entry);
    while (phaseOf(word) == PHASE_LIVE && !leak(entry, word)) {
      if (holdersOf(word) != 0 && pauseRelease(file, entry)) return PAUSED;
      word = settled(entry);
    }
  }
  warn(WARN_RELEASE_USERS, file, xaNext(file, 0));
  context.walkSeen = 0;
  return 0;
}

/** Takes an object out that still has users; nothing of it is ever reused. Return: false when the word has changed. */
function leak(entry: usize, word: u64): bool {
  if (holdersOf(word) != 0) return false;
  if (compareExchange64(entry, word, withPhase(minusUser(word), PHASE_LEAKED)) != word) return false;
  add32(COUNTERS + offsetof<Counters>("leaked"), 1);
  return true;
}

/** The object leaves the table if its word is still `word`; resumeWalk does the rest. Return: false when the word has changed. */
function takeOut(file: usize, entry: usize, id: u32, word: u64): bool {
  const context = changetype<Context>(file + FILE_CONTEXT);
  context.walkSlot = <u32>slotOf(entry);
  if (compareExchange64(entry, word, freedWord(word)) != word) {
    context.walkSlot = 0;
    return false;
  }
  xaErase(file, id);
  return true;
}

// ---------------------------------------------------------------------------------------------------- the queue

const QUEUE_LOCK: usize = QUEUE + offsetof<Queue>("lock");
const QUEUE_LENGTH: usize = QUEUE + offsetof<Queue>("length");
const QUEUED_EVER: usize = QUEUE + offsetof<Queue>("queuedEver");

/**
 * Leaves a dead object to a thread that has its type's callback. Its holds are dropped now. Context: the slot is in hand.
 *
 * Every step under the lock leaves a list that is whole up to its last object; tail and length follow from it (repairQueue).
 */
export function enqueue(slot: usize): void {
  dropHolds(slot);
  const queue = changetype<Queue>(QUEUE);
  lock(QUEUE_LOCK, RANK_QUEUE);
  if (queue.tail != 0) changetype<Slot>(queue.tail).link = <u32>slot;
  else queue.head = <u32>slot;
  queue.tail = <u32>slot;
  store32(QUEUE_LENGTH, queue.length + 1);
  store32(QUEUED_EVER, queue.queuedEver + 1);
  clearHand();
  unlock(QUEUE_LOCK, RANK_QUEUE);
  notify(QUEUED_EVER, -1);
}

/**
 * Takes the oldest queued object whose callback this thread has.
 *
 * Return: its slot, which is now the caller's, and in result0 a handle for queueFree; 0 when there is none, or no record left.
 */
export function queueTake(): usize {
  const queue = changetype<Queue>(QUEUE);
  if (load32(QUEUE_LENGTH) == 0 || !hasFreeRecord()) return 0;
  lock(QUEUE_LOCK, RANK_QUEUE);
  let before: usize = 0;
  let slot: usize = queue.head;
  while (slot != 0 && !isRunnable(typeOfSlot(slot))) {
    before = slot;
    slot = changetype<Slot>(slot).link;
  }
  if (slot != 0) {
    setHand(slot | HAND_QUEUED, classOfType(typeOfSlot(slot)));
    const next = changetype<Slot>(slot).link;
    if (before == 0) queue.head = next;
    else changetype<Slot>(before).link = next;
    if (next == 0) queue.tail = <u32>before;
    changetype<Slot>(slot).link = 0;
    store32(QUEUE_LENGTH, queue.length - 1);
    changetype<Thread>(current()).result0 = takeRecord(slot, 0, RECORD_TAKEN);
    clearHand();
  }
  unlock(QUEUE_LOCK, RANK_QUEUE);
  return slot;
}

/** After the callback of an object from queueTake: its memory is free. */
export function queueFree(handle: u32): void {
  const record = findRecord(handle, 0, RECORD_TAKEN);
  if (record == 0) return;
  const slot: usize = changetype<HoldRecord>(record).target;
  const slab = classOfType(typeOfSlot(slot));
  setHand(slot | HAND_MEMORY, slab);
  freeRecord(record);
  slabFree(slab, slot, hand());
}

/** Context: the queue's lock is held by the thread that the caller acts as, which died with it. */
export function repairQueue(): void {
  const queue = changetype<Queue>(QUEUE);
  const inHand: usize = changetype<Thread>(current()).hand & ~HAND_FLAGS;
  let length: u32 = 0;
  let last: usize = 0;
  let isIn = false;
  for (let slot: usize = queue.head; slot != 0; slot = changetype<Slot>(slot).link) {
    if (slot == inHand) isIn = true;
    last = slot;
    length++;
  }
  queue.tail = <u32>last;
  store32(QUEUE_LENGTH, length);
  store32(QUEUED_EVER, queue.queuedEver + 1);
  notify(QUEUED_EVER, -1);
  if (isIn) clearHand();
  else if ((changetype<Thread>(current()).hand & HAND_QUEUED) != 0) changetype<Slot>(inHand).link = 0; // no list of holds
}

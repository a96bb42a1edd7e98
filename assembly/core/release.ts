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
 * Kernel counterpart: iommufd_fops_release(), and the try-and-fail loop of the review thread.
 */
import { add32, compareExchange64, load32, load64, notify, store32 } from "./atomics";
import { fileFree, pauseRelease } from "./file";
import { dropHolds } from "./hold";
import {
  ATTENTION_RELEASE,
  COUNTERS,
  Context,
  Counters,
  FILE_CONTEXT,
  IDENTITY,
  Identity,
  PROFILE_RFC,
  QUEUE,
  Queue,
  REGISTRY,
  Registry,
  Slot,
  Thread,
  WARN_RELEASE_USERS,
} from "./memory-map";
import { RANK_QUEUE, lock, unlock } from "./mutex";
import { freeObject } from "./object";
import {
  PHASE_LEAKED,
  PHASE_LIVE,
  freedWord,
  holdersOf,
  minusUser,
  phaseOf,
  typeOf,
  usersOf,
  withPhase,
} from "./refcount";
import { classOfType, hasCallback, isRunnable } from "./registry";
import { RELEASE_AGAIN } from "./results";
import { slabFree } from "./slab";
import { current, isWarningRingFull, warn } from "./thread";
import { slotOf, xaDestroy, xaErase, xaLoad, xaNext } from "./xarray";

/**
 * Takes the walk to its next stop.
 *
 * `finished` is the slot of the last stop, whose callback has run, 0 at the start. Return: the slot of an object whose callback
 * this thread must run now; RELEASE_AGAIN; or 0: the file is released, or waits for a lock whose owner takes it up again.
 */
export function releaseNext(file: usize, finished: usize): usize {
  changetype<Thread>(current()).attention &= ~ATTENTION_RELEASE;
  if (finished > RELEASE_AGAIN) freeObject(finished);
  if (!findHolders(file)) return 0;
  const rfc = changetype<Identity>(IDENTITY).profile == PROFILE_RFC;
  const stop = rfc ? walkTypes(file) : walkPasses(file);
  if (stop == PAUSED) return 0;
  if (stop == 0) {
    xaDestroy(file);
    fileFree(file);
  }
  return stop;
}

/** Before anything is destroyed: no object may be locked. Return: false when the release waits, and is not ours any more. */
function findHolders(file: usize): bool {
  const context = changetype<Context>(file + FILE_CONTEXT);
  if (context.walkType != 0) return true;
  for (let id = xaNext(file, context.walkId); id != 0; id = xaNext(file, id + 1)) {
    context.walkId = id;
    const entry = xaLoad(file, id);
    if (holdersOf(load64(entry)) != 0 && pauseRelease(file, entry)) return false;
  }
  context.walkType = 1;
  context.walkId = 0;
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
      context.walkType++;
      context.walkId = 0;
      continue;
    }
    context.walkId = id;
    const entry = xaLoad(file, id);
    const word = load64(entry);
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
        if (compareExchange64(entry, word, freedWord(word)) != word) continue;
        context.walkId = id + 1;
        const slot = takeOut(file, entry, id, word);
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
    const entry = xaLoad(file, id);
    const word = load64(entry);
    if (holdersOf(word) != 0) {
      if (pauseRelease(file, entry)) return PAUSED;
      continue;
    }
    if (usersOf(word) == 1 && compareExchange64(entry, word, freedWord(word)) != word) continue;
    context.walkId = id + 1;
    context.walkSeen++;
    if (usersOf(word) != 1) continue;
    context.walkDestroyed++;
    const slot = takeOut(file, entry, id, word);
    if (slot != 0) return slot;
  }
}

/** mainline: no pass helps any more. Return: 0, or PAUSED. */
function leakAll(file: usize): usize {
  const context = changetype<Context>(file + FILE_CONTEXT);
  for (let id = xaNext(file, 0); id != 0; id = xaNext(file, id + 1)) {
    const entry = xaLoad(file, id);
    let word = load64(entry);
    while (phaseOf(word) == PHASE_LIVE && !leak(entry, word)) {
      if (holdersOf(word) != 0 && pauseRelease(file, entry)) return PAUSED;
      word = load64(entry);
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

/** The object has left the table: destroys it, unless its callback must run first. Return: its slot in that case, else 0. */
function takeOut(file: usize, entry: usize, id: u32, word: u64): usize {
  const slot = slotOf(entry);
  xaErase(file, id);
  const type = typeOf(word);
  if (!hasCallback(type)) freeObject(slot);
  else if (isRunnable(type)) return slot;
  else enqueue(slot);
  return 0;
}

// ---------------------------------------------------------------------------------------------------- the queue

const QUEUE_LOCK: usize = QUEUE + offsetof<Queue>("lock");
const QUEUE_LENGTH: usize = QUEUE + offsetof<Queue>("length");
const QUEUED_EVER: usize = QUEUE + offsetof<Queue>("queuedEver");

/** Leaves a dead object to a thread that has its type's callback. Its holds are dropped now. */
function enqueue(slot: usize): void {
  dropHolds(slot);
  const queue = changetype<Queue>(QUEUE);
  lock(QUEUE_LOCK, RANK_QUEUE);
  if (queue.tail != 0) changetype<Slot>(queue.tail).link = <u32>slot;
  else queue.head = <u32>slot;
  queue.tail = <u32>slot;
  store32(QUEUE_LENGTH, queue.length + 1);
  store32(QUEUED_EVER, queue.queuedEver + 1);
  unlock(QUEUE_LOCK, RANK_QUEUE);
  notify(QUEUED_EVER, -1);
}

/** Return: the oldest queued object whose callback this thread has, which is now the caller's; 0 when there is none. */
export function queueTake(): usize {
  const queue = changetype<Queue>(QUEUE);
  if (load32(QUEUE_LENGTH) == 0) return 0;
  lock(QUEUE_LOCK, RANK_QUEUE);
  let before: usize = 0;
  let slot: usize = queue.head;
  while (slot != 0 && !isRunnable(changetype<Slot>(slot).type)) {
    before = slot;
    slot = changetype<Slot>(slot).link;
  }
  if (slot != 0) {
    const next = changetype<Slot>(slot).link;
    if (before == 0) queue.head = next;
    else changetype<Slot>(before).link = next;
    if (next == 0) queue.tail = <u32>before;
    changetype<Slot>(slot).link = 0;
    store32(QUEUE_LENGTH, queue.length - 1);
  }
  unlock(QUEUE_LOCK, RANK_QUEUE);
  return slot;
}

/** After the callback of an object from queueTake: its memory is free. */
export function queueFree(slot: usize): void {
  slabFree(classOfType(changetype<Slot>(slot).type), slot);
}

// SPDX-License-Identifier: GPL-2.0-only
/**
 * What a thread that died left behind is given back: exactly once, and by whoever knows of the death.
 *
 * The reaper acts as the dead thread: it works on that thread's slot with the same functions that the thread itself would have
 * called, so if the reaper dies too, its work looks as if the first thread had died a little later, and the next reaper goes on.
 *
 *   1. locks that it held: what they protect is repaired, then they are free (repair.ts); a change is undone (change.ts)
 *   2. every lock is taken, so that no other thread is inside a section and none can die there meanwhile
 *   3. what it had in hand goes to where it belongs: an interrupted allocation is undone; an object is still in its table, and its
 *      destruction has not happened, or it is out, and is finished
 *   4. where a record is BUSY the object's holders are counted anew (recount.ts)
 *   5. every other record is given back as by a thread that leaves (detach.ts)
 *   6. its accesses end (abandon.ts)
 *   7. its marks are cleared, and files that waited for it go on
 *
 * None of it waits: where a living thread, or one whose death is not known yet, has to move first, reapNext says for which word.
 * No callback runs in here: objects whose callback has not begun are queued, one that has begun is not run again.
 *
 * A file whose objects do not fit together any more is poisoned (file.ts).
 *
 * Kernel counterpart: exit_files(), exit_robust_list(); the kernel's threads do not die inside of a call.
 */
import { recoverOwners } from "./abandon";
import { recoverCopy } from "./access_copy";
import { compareExchange32, load32, load64, notify } from "./atomics";
import { recoverChange } from "./change";
import { giveBack } from "./detach";
import { EINVAL, ESRCH } from "../errno";
import { clearClaim, clearMark, inheritRelease, isPoisoned, isReleaser, poison, settleFile } from "./file";
import {
  ATTENTION_RELEASE,
  Context,
  FILES,
  FILE_BYTES,
  FILE_CONTEXT,
  HAND_FLAGS,
  HAND_MEMORY,
  HAND_NO_CALLBACK,
  HoldRecord,
  MAX_FILES,
  MAX_THREADS,
  MEMORY_CHUNK,
  MEMORY_FLAGS,
  QUEUE,
  Queue,
  RECORD_BUSY,
  RECORD_DYING,
  RECORD_KIND_MASK,
  RECORD_QUEUED,
  RECORD_QUEUED_KEPT,
  RECORD_RESERVED,
  RECORD_TAKEN,
  Slot,
  THREADS,
  THREAD_ATTACHED,
  THREAD_BYTES,
  THREAD_DEAD,
  THREAD_FREE,
  THREAD_RECORDS,
  Thread,
} from "./memory-map";
import { recoverMemfds } from "./memfd";
import { finishLeaving, leavingRow, recoverMappings, sweepPages } from "./mmap";
import { eraseReserved, freeObject } from "./object";
import { INCONSISTENT, recount } from "./recount";
import { PHASE_FREE, PHASE_LIVE, PHASE_RESERVED, freezerOf, phaseOf, usersOf } from "./refcount";
import { HOLD_LIST_CLASS, classOfType, hasCallback } from "./registry";
import { enqueue, isObjectOf } from "./release";
import { lockAll, repairOwnLocks, unlockAll } from "./repair";
import { MUST_WAIT, REAP_AGAIN } from "./results";
import { slabFree } from "./slab";
import { fileOfSlot, hasCallbackRun, typeOfSlot } from "./slot";
import {
  actAs,
  adoptWarnings,
  blockedBy,
  blockedByChange,
  clearHand,
  clearHandMemory,
  current,
  endIncarnation,
  freeRecord,
  hand,
  markOf,
  nameOfThread,
  nextRecord,
  setHand,
  threadNamed,
} from "./thread";
import { freeNode, slotOf, xaContains, xaEntry, xaNext } from "./xarray";

/** What a step may come to besides an address to wait for. */
const DONE: usize = 0;
const AGAIN: usize = 1;

/**
 * Takes the reaping of thread `number` in its `incarnation`, which the caller knows to be dead, a step further.
 *
 * The reaper's word is taken before the incarnation is looked at: a slot is freed by its owner, who is dead, or under that word, so a
 * later owner is never taken for the dead one.
 *
 * Return: 0: it is done, and the slot is free; REAP_AGAIN: attend, then call again; MUST_WAIT: the word at result1, seen as result2,
 * must change first; -EINVAL for no number of a thread; -ESRCH for the caller's own, or when that owner
 * has been reaped, or had left by itself.
 */
export function reapNext(number: u32, incarnation: u32): i32 {
  if (number >= MAX_THREADS) return -EINVAL;
  const dead = THREADS + number * THREAD_BYTES;
  const state = dead + offsetof<Thread>("state");
  const self = current();
  if (dead == self) return -ESRCH;
  const other = beginReaping(dead);
  if (other != DONE) return mustWait(other, self);
  if (load32(dead + offsetof<Thread>("incarnation")) != incarnation || load32(state) == THREAD_FREE) {
    endReaping(dead, nameOfThread(self));
    return -ESRCH;
  }
  compareExchange32(state, THREAD_ATTACHED, THREAD_DEAD);
  forgetReaper(nameOfThread(dead));
  const blocked = reapStep(dead, self);
  const inherited = finishStep(dead, self, blocked == DONE);
  if (blocked > AGAIN) return mustWait(blocked, dead);
  return blocked == AGAIN || inherited ? REAP_AGAIN : 0;
}

/** One reaper at a time. Return: DONE, or the address of the word that says who it is. */
function beginReaping(dead: usize): usize {
  const word = dead + offsetof<Thread>("reaper");
  const own = nameOfThread(current());
  const reaper = load32(word);
  const isFree =
    reaper == 0 || reaper == own || load32(threadNamed(reaper) + offsetof<Thread>("state")) != THREAD_ATTACHED;
  return isFree && compareExchange32(word, reaper, own) == reaper ? DONE : blockedBy(word, reaper);
}

/** Back to the caller's own slot, with what the bindings have to do. Return: whether there is something. */
function finishStep(dead: usize, self: usize, isDone: bool): bool {
  const was = changetype<Thread>(dead);
  actAs(self);
  // The file says whose release it is: it may be an earlier reaper's already, who died before it was taken off here.
  const won = (was.attention & ATTENTION_RELEASE) != 0;
  const inherits = won && isReleaser(was.releasing, dead);
  if (inherits) inheritRelease(was.releasing);
  if (won) was.attention &= ~ATTENTION_RELEASE;
  adoptWarnings(dead);
  if (isDone && !inherits) {
    was.filesSettled = 0;
    endIncarnation(dead);
  }
  endReaping(dead, nameOfThread(self));
  return inherits;
}

/** The word may be of a later owner of the slot by now, and of who reaps that one. */
function endReaping(dead: usize, reaper: u32): void {
  const word = dead + offsetof<Thread>("reaper");
  compareExchange32(word, reaper, 0);
  notify(word, -1);
}

/**
 * The dead thread was itself reaping others: who waits for it to be done with them looks again, and later its name may be a living
 * thread's.
 */
function forgetReaper(name: u32): void {
  for (let number: u32 = 0; number < MAX_THREADS; number++) endReaping(THREADS + number * THREAD_BYTES, name);
}

/** `found`: the thread in whose name the step found the word, and said how it was. */
function mustWait(word: usize, found: usize): i32 {
  const thread = changetype<Thread>(current());
  thread.result1 = <u32>word;
  thread.result2 = changetype<Thread>(found).result2;
  return MUST_WAIT;
}

function reapStep(dead: usize, self: usize): usize {
  for (let number: u32 = 0; number < MAX_THREADS; number++) {
    const thread = THREADS + number * THREAD_BYTES;
    if (load32(thread + offsetof<Thread>("state")) == THREAD_DEAD) recoverLocks(thread, dead);
  }
  actAs(dead);
  const was = changetype<Thread>(dead);
  was.mayBlock = changetype<Thread>(self).mayBlock;
  const blocked = lockAll();
  if (blocked != 0) return blocked;
  const result = recoverAll();
  unlockAll();
  return result;
}

/** Also of other threads that are known to be dead, unless somebody is at it: this one's work may need their locks. */
function recoverLocks(thread: usize, dead: usize): void {
  const self = current();
  if (thread != dead && beginReaping(thread) != DONE) return;
  actAs(thread);
  changetype<Thread>(thread).reaping = 0;
  changetype<Thread>(thread).lockRank = 0;
  repairOwnLocks();
  recoverChange();
  actAs(self);
  if (thread != dead) endReaping(thread, nameOfThread(self));
}

/** Context: acting as the dead thread, every lock is held. */
function recoverAll(): usize {
  recoverMappings();
  for (let row = leavingRow(); row != 0; row = leavingRow()) {
    const copier = finishLeaving(row);
    if (copier != 0) return blockedBy(copier + offsetof<Thread>("pinned"), <u32>row);
  }
  recoverMemfds();
  if (changetype<Thread>(current()).sweeps != 0) sweepPages();
  changetype<Thread>(current()).sweeps = 0;
  verifyFiles();
  recoverWalk();
  recoverCopy();
  recoverMemory();
  recoverList();
  recoverHand();
  notify(QUEUE + offsetof<Queue>("queuedEver"), -1);
  let blocked = recoverRecords();
  if (blocked != DONE) return blocked;
  changetype<Thread>(current()).publishing = 0;
  blocked = recoverOwners();
  return blocked != DONE ? blocked : recoverFiles();
}

// ---------------------------------------------------------------------------------------------------- in hand

/** The release that the thread was in has its object; then it is not in hand. */
function recoverWalk(): void {
  const slot = changetype<Thread>(current()).hand & ~HAND_FLAGS;
  for (let index: u32 = 0; slot != 0 && index < MAX_FILES; index++) {
    const file = FILES + index * FILE_BYTES;
    if (!isReleaser(file, current())) continue; // another's walk is not for us to look at
    const context = changetype<Context>(file + FILE_CONTEXT);
    if (context.walkSlot == slot) context.walkSlot = 0;
  }
}

/** A node that has not arrived in a table goes back to its pool. A chunk arrived when its class was repaired. */
function recoverMemory(): void {
  const thread = changetype<Thread>(current());
  const kind = thread.handMemory & MEMORY_FLAGS;
  if (thread.handMemory == 0 || kind == MEMORY_CHUNK) return;
  const node: usize = thread.handMemory & ~MEMORY_FLAGS;
  if (xaContains(thread.handFile, node)) clearHandMemory();
  else freeNode(kind - 1, node);
}

/** A hold list belongs to an object, or is free. */
function recoverList(): void {
  const thread = changetype<Thread>(current());
  const list: usize = thread.handList & ~HAND_FLAGS;
  if (list == 0) return;
  if (isListOf(thread.hand & ~HAND_FLAGS, list)) {
    thread.handList = 0;
    return;
  }
  for (let record = nextRecord(0); record != 0; record = nextAfter(record)) {
    if (kindOf(record) != RECORD_RESERVED) continue;
    if (!isListOf(slotOf(changetype<HoldRecord>(record).target), list)) continue;
    thread.handList = 0;
    return;
  }
  slabFree(HOLD_LIST_CLASS, list, current() + offsetof<Thread>("handList"));
}

// @ts-ignore: a decorator on a function
@inline function isListOf(slot: usize, list: usize): bool {
  return slot != 0 && changetype<Slot>(slot).link == <u32>list;
}

/** The slot in hand: still in the table, or ours to end. */
function recoverHand(): void {
  const thread = changetype<Thread>(current());
  if (thread.hand == 0) return;
  const slot: usize = thread.hand & ~HAND_FLAGS;
  const flags = thread.hand & HAND_FLAGS;
  if ((flags & HAND_MEMORY) != 0) {
    dropRecordsOf(slot, 0);
    slabFree(thread.handClass, slot, hand());
    return;
  }
  const object = changetype<Slot>(slot);
  const file = fileOfSlot(slot);
  const entry = xaEntry(file, object.id);
  const phase = phaseOf(load64(entry));
  if (phase != PHASE_FREE && slotOf(entry) == slot) {
    if (phase != PHASE_RESERVED) {
      clearHand(); // the destroy had not begun: it is given up
      return;
    }
    eraseReserved(file, slot);
  }
  dropRecordsOf(slot, entry);
  const type = typeOfSlot(slot);
  const runs = (flags & HAND_NO_CALLBACK) == 0 && !hasCallbackRun(slot) && hasCallback(type);
  if (runs) enqueue(slot);
  else freeObject(slot);
}

/** What the slot in hand is known by: the records that were about to be freed, or had just been written. */
function dropRecordsOf(slot: usize, entry: usize): void {
  for (let record = nextRecord(0); record != 0; record = nextAfter(record)) {
    const kind = kindOf(record);
    const target: usize = changetype<HoldRecord>(record).target;
    const bySlot = kind == RECORD_DYING || kind == RECORD_TAKEN;
    const byEntry = kind == RECORD_RESERVED || kind == RECORD_QUEUED || kind == RECORD_QUEUED_KEPT;
    // One that waited names the slot before it says DYING.
    if ((bySlot || byEntry) && target == slot) freeRecord(record);
    else if (byEntry && entry != 0 && target == entry) freeRecord(record);
  }
}

// ---------------------------------------------------------------------------------------------------- records

// @ts-ignore: a decorator on a function
@inline function kindOf(record: usize): u32 {
  return changetype<HoldRecord>(record).fileKind & RECORD_KIND_MASK;
}

function nextAfter(record: usize): usize {
  return nextRecord(<u32>((record - current() - THREAD_RECORDS) / offsetof<HoldRecord>()) + 1);
}

function recoverRecords(): usize {
  for (let record = nextRecord(0); record != 0; record = nextAfter(record)) {
    const file: usize = changetype<HoldRecord>(record).fileKind & ~RECORD_KIND_MASK;
    const target: usize = changetype<HoldRecord>(record).target;
    const kind = kindOf(record);
    if (kind == RECORD_BUSY) {
      const blocked = isPoisoned(file) ? INCONSISTENT : recount(target);
      if (blocked > INCONSISTENT) return blocked;
      if (blocked == INCONSISTENT) {
        poison(file);
        freeRecord(record);
      }
      continue;
    }
    if (kind == RECORD_DYING || kind == RECORD_TAKEN) {
      endDying(record, target);
      continue;
    }
    const word = load64(target);
    if (!isPoisoned(file) && freezerOf(word) != 0) return blockedByChange(target, word);
    if (kind == RECORD_RESERVED && wasPublished(target)) freeRecord(record);
    else giveBack(record);
    // A release that was won is the bindings'.
    if ((changetype<Thread>(current()).attention & ATTENTION_RELEASE) != 0) return AGAIN;
  }
  return DONE;
}

/** The generation in the word tells the reservation from a later one of the same ID. */
function wasPublished(entry: usize): bool {
  const thread = changetype<Thread>(current());
  return thread.publishing == <u32>entry && load64(entry) != thread.publishWord;
}

/** An object that is out of its table: its callback runs elsewhere if it has not begun. */
function endDying(record: usize, slot: usize): void {
  const type = typeOfSlot(slot);
  if (hasCallbackRun(slot) || !hasCallback(type)) {
    giveBack(record);
    return;
  }
  setHand(slot, classOfType(type));
  freeRecord(record);
  enqueue(slot);
}

// ---------------------------------------------------------------------------------------------------- files

function recoverFiles(): usize {
  const was = changetype<Thread>(current());
  for (let index: u32 = 0; index < MAX_FILES; index++) {
    const file = FILES + index * FILE_BYTES;
    clearMark(file);
    const claimant = settleFile(file, index >= was.filesSettled);
    if (claimant != 0) return blockedBy(claimant + offsetof<Thread>("claiming"), <u32>file);
    was.filesSettled = max(was.filesSettled, index + 1);
    if ((changetype<Thread>(current()).attention & ATTENTION_RELEASE) != 0) return AGAIN;
  }
  clearClaim();
  return DONE;
}

/** Poisons the files that the thread was using and whose objects are not what their entries say. */
function verifyFiles(): void {
  for (let index: u32 = 0; index < MAX_FILES; index++) {
    const file = FILES + index * FILE_BYTES;
    if (load32(markOf(current(), file)) == 0 && changetype<Thread>(current()).suspect != <u32>file) continue;
    for (let id = xaNext(file, 0); id != 0; id = xaNext(file, id + 1)) {
      const entry = xaEntry(file, id);
      const word = load64(entry);
      const isLive = phaseOf(word) == PHASE_LIVE && freezerOf(word) == 0;
      if (isObjectOf(slotOf(entry), file, id) && (!isLive || usersOf(word) != 0)) continue;
      poison(file);
      break;
    }
  }
  changetype<Thread>(current()).suspect = 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/**
 * The end of a published object, asked for by its ID (IOMMU_DESTROY) or by a kept user (iommufd_object_destroy_user).
 *
 * Seed (rfc): queue behind the holders, which makes every new lookup fail; when the last holder is gone, drop the own
 * user and look: only the table's user left → the object goes; more → EBUSY and the object is open again.
 *
 *   destroy(id)          users + 1, destroyers + 1        holders = 0:  users = 2 → FREE, erase the ID
 *   destroyReference     destroyers + 1 (users is there)                else       users − 1, destroyers − 1, EBUSY
 *
 * Each arrow is one compare-and-swap of the state word, so no lookup, put or other destroyer ever sees half of it. When
 * nobody holds the object, destroy(id) decides at once, which is what the seed's steps amount to when nothing happens
 * between them. The decision that succeeds is made under the table lock, because it also frees the ID, and a slot is
 * never freed under somebody who walks the table with that lock (inspect.ts).
 *
 * No lost wake-up: dropHolder in refcount.ts. Two destroyers: both own a user, so the first to decide finds users ≥ 3 and
 * gets EBUSY; therefore whoever succeeds was the only one queued.
 *
 * mainline: destroy(id) never waits: users = 1 or EBUSY. destroyReference waits as above, but lookups go on until the last
 * holder is gone.
 *
 * If a thread dies: the slot of an object that is about to leave the table is in the thread's hand, so whether it has left is a look at
 * the entry; a BUSY record says that a destroyer was about to queue or to give up.
 *
 * A wait is a record of the thread: it can be looked at again, given up, or awaited without blocking. If the user is that of an owner's row
 * (keeper.ts), the row goes with it, or is open again.
 *
 * Kernel counterpart: iommufd_destroy(), iommufd_object_destroy_user().
 */
import { compareExchange64, load32, load64, loadRelaxed64, wait64 } from "./atomics";
import { beginChange, changeKept, changeNote, endChange } from "./change";
import { MODEL_BUILD, assertInvariant } from "./config";
import { EAGAIN, EBUSY, EDEADLK, EINVAL, EIO, ENOENT, ENOMEM, ENOSYS } from "../errno";
import { fileEnter, fileLeave, fileUnlocked, isPoisoned, mayUse, openStateOf, refusal } from "./file";
import { hasHolds } from "./hold";
import { freeKeeper, openKeeper, waitingKeeper } from "./keeper";
import { findKept } from "./kept";
import {
  Entry,
  FILE_BY_NUMBER,
  File,
  HAND_NO_CALLBACK,
  HoldRecord,
  IDENTITY,
  Identity,
  Keeper,
  PROFILE_RFC,
  RECORD_BUSY,
  RECORD_DYING,
  RECORD_KIND_MASK,
  RECORD_LOCKED,
  RECORD_QUEUED,
  RECORD_QUEUED_KEPT,
  SLOT_CALLBACK_RAN,
  SLOT_PAYLOAD,
  Slot,
  Thread,
} from "./memory-map";
import { RANK_TABLE, lock, lockNow, unlock, unlockNow } from "./mutex";
import { freeObject } from "./object";
import {
  DESTROYER,
  MAX_DESTROYERS,
  PHASE_LIVE,
  destroyersOf,
  freedWord,
  holdersOf,
  isIdle,
  minusUser,
  phaseOf,
  plusUser,
  settled,
  typeOf,
  usersOf,
  warnMinus,
  warnPlus,
} from "./refcount";
import { classOfType, hasCallback, isPlainType, isRunnable } from "./registry";
import { MUST_DESTROY, MUST_WAIT } from "./results";
import { slabFree } from "./slab";
import { typeOfSlot } from "./slot";
import { keepSpare } from "./spares";
import {
  announceRecord,
  changeRecord,
  clearHand,
  current,
  findRecord,
  freeNameOf,
  freeRecord,
  hand,
  hasFreeRecord,
  holdsTarget,
  nameRecord,
  peekRecord,
  setHand,
  takeRecord,
  withdrawRecord,
} from "./thread";
import { slotOf, tableLockOf, xaErase, xaEraseNow, xaLoad } from "./xarray";

/** Milliseconds that one wait may last, so that its nanoseconds fit an i64; the caller asks again. */
const LONGEST_WAIT: f64 = 1e9;

/** Rounds of looking at the word before a thread sleeps on it. */
const SPINS: u32 = MODEL_BUILD ? 0 : 200;

// @ts-ignore: a decorator on a function
@inline function isRfc(): bool {
  return changetype<Identity>(IDENTITY).profile == PROFILE_RFC;
}

/**
 * IOMMU_DESTROY.
 *
 * `blocking`: the caller would block this very thread, so waiting for a lock of its own is EDEADLK. Return: 0; -EBADF, -EIO, -ENOENT,
 * -EBUSY, -ENOSYS (the type's callback is not in this thread), -EDEADLK, -ENOMEM (no record): no change; MUST_WAIT, MUST_DESTROY.
 */
export function destroy(file: usize, expected: u32, id: u32, blocking: bool): i32 {
  if (expected == FILE_BY_NUMBER) expected = openStateOf(file);
  const entry = xaLoad(file, id);
  const word = loadRelaxed64(entry); // a guess, which removeIdle confirms
  if (isIdle(word)) {
    if (isPlainType(typeOf(word)) && removeIdle(file, expected, entry, word, id)) return 0;
  } else if (phaseOf(load64(entry)) != PHASE_LIVE && load32(file + offsetof<File>("state")) == expected) {
    return -ENOENT; // the file is what it was when the word was read: the generation tells
  }
  if (!fileEnter(file, expected)) return refusal(file, expected);
  const result = destroyEntry(file, entry, id, blocking);
  if (result != MUST_WAIT && result != MUST_DESTROY) fileLeave(file);
  return result;
}

/**
 * The usual case: nobody else uses the object, it holds none, and nothing has to be called. Needs no mark: the table lock keeps the
 * file, and afterwards the object is memory only.
 *
 * Return: false when it is not that case after all, and nothing happened.
 */
// @ts-ignore: a decorator on a function
@inline function removeIdle(file: usize, expected: u32, entry: usize, word: u64, id: u32): bool {
  const slab = classOfType(typeOf(word));
  let isOut = false;
  let isSpare = false;
  let slot: usize = 0;
  lockNow(tableLockOf(file), RANK_TABLE);
  // Only if the file may be used, as the one that it was, is the entry one of its table, and stays what it is.
  if (mayUse(file, expected) && loadRelaxed64(entry) == word) slot = slotOf(entry);
  if (slot != 0 && !hasHolds(slot)) {
    setHand(slot, slab);
    if (compareExchange64(entry, word, freedWord(word)) == word) {
      isOut = true;
      xaEraseNow(file, id);
      isSpare = keepSpare(file, slot, slab);
    } else {
      clearHand();
    }
  }
  unlockNow(tableLockOf(file), RANK_TABLE);
  if (isOut && !isSpare) slabFree(slab, slot, hand());
  fileUnlocked(file);
  return isOut;
}

/** Context: the file is marked; on MUST_* a record has taken the mark over. */
function destroyEntry(file: usize, entry: usize, id: u32, blocking: bool): i32 {
  while (true) {
    const word = settled(entry);
    if (phaseOf(word) != PHASE_LIVE || (destroyersOf(word) != 0 && isRfc())) return -ENOENT;
    if (!isRunnable(typeOf(word))) return -ENOSYS;
    if (holdersOf(word) == 0 || !isRfc()) {
      if (usersOf(word) != 1) return -EBUSY;
      if (hasCallback(typeOf(word)) && !hasFreeRecord()) return -ENOMEM;
      const slot = removeIf(file, entry, word, id);
      if (slot == 0) continue;
      if (hasCallback(typeOf(word))) {
        const handle = takeRecord(slot, file, RECORD_DYING);
        clearHand();
        return mustDestroy(handle, slot);
      }
      freeObject(slot);
      return 0;
    }
    if (!hasFreeRecord()) return -ENOMEM;
    if (blocking && holdsTarget(entry, RECORD_LOCKED)) return -EDEADLK;
    const next = plusUser(word) + DESTROYER;
    const record = peekRecord();
    const name = freeNameOf(record);
    announceRecord(record, name, entry, file);
    if (compareExchange64(entry, word, next) == word) {
      const handle = takeRecord(entry, file, RECORD_QUEUED);
      warnPlus(word, next, file, id);
      return mustWait(handle, entry, next);
    }
    withdrawRecord(record, name);
  }
}

/**
 * Takes the object out of the table if its word is still `word`.
 *
 * Context: takes the table lock. Return: its slot, which is in hand; or 0.
 */
function removeIf(file: usize, entry: usize, word: u64, id: u32): usize {
  lock(tableLockOf(file), RANK_TABLE);
  // Only what is in the table now, and stays there under the lock, may be taken into the hand.
  let slot = load64(entry) == word ? slotOf(entry) : 0;
  if (slot != 0) {
    setHand(slot, classOfType(typeOf(word)));
    if (compareExchange64(entry, word, freedWord(word)) == word) {
      xaErase(file, id);
    } else {
      clearHand();
      slot = 0;
    }
  }
  unlock(tableLockOf(file), RANK_TABLE);
  return slot;
}

/** `word` is what was seen: with holders, so whoever sleeps until it changes is woken by the last of them. */
function mustWait(handle: i32, entry: usize, word: u64): i32 {
  const thread = changetype<Thread>(current());
  thread.result0 = handle;
  thread.result1 = <u32>entry;
  thread.result2 = <u32>word;
  thread.result3 = <u32>(word >> 32);
  return MUST_WAIT;
}

function mustDestroy(handle: i32, slot: usize): i32 {
  const thread = changetype<Thread>(current());
  thread.result0 = handle;
  thread.result1 = <u32>slot;
  return MUST_DESTROY;
}

// ---------------------------------------------------------------------------------------------------- waiting

/** Return: the waiting record that `handle` names, or 0. */
function findWait(file: usize, handle: u32): usize {
  const record = findRecord(handle, file, RECORD_QUEUED);
  return record != 0 ? record : findRecord(handle, file, RECORD_QUEUED_KEPT);
}

/**
 * Decides a queued destroy if the last holder is gone.
 *
 * Return: as destroy; MUST_WAIT while there are holders; -EINVAL for a handle that names no wait. Never blocks.
 */
export function destroyPoll(file: usize, handle: u32): i32 {
  const record = findWait(file, handle);
  if (record == 0) return -EINVAL;
  if (isPoisoned(file)) return giveUp(file, record);
  const entry: usize = changetype<HoldRecord>(record).target;
  const word = settled(entry);
  if (holdersOf(word) != 0) return mustWait(handle, entry, word);
  return decide(file, entry, record);
}

/** A wait in a poisoned file. */
function giveUp(file: usize, record: usize): i32 {
  const owner = waitingKeeper(changetype<HoldRecord>(record).handle);
  freeRecord(record);
  return over(file, owner, -EIO);
}

/** A wait is over, and the user of the owner's row, if it had that of one, is gone. Return: `result`. */
function over(file: usize, owner: usize, result: i32): i32 {
  if (owner != 0) freeKeeper(owner);
  fileLeave(file);
  return result;
}

/**
 * Context: this thread is one of the queued destroyers, so the entry stays what it is; the last holder has gone, so no lookup comes
 * any more (lookup.ts).
 */
function decide(file: usize, entry: usize, record: usize): i32 {
  const slot = slotOf(entry);
  const id = changetype<Slot>(slot).id;
  const handle = changetype<HoldRecord>(record).handle;
  const kind = changetype<HoldRecord>(record).fileKind & RECORD_KIND_MASK;
  const owner = waitingKeeper(handle);
  while (true) {
    const word = settled(entry);
    assertInvariant(holdersOf(word) == 0);
    if (usersOf(word) == 2) {
      assertInvariant(destroyersOf(word) == 1);
      if (removeIf(file, entry, word, id) == 0) continue;
      if (hasCallback(typeOfSlot(slot))) {
        changeRecord(record, slot, RECORD_DYING);
        clearHand();
        return mustDestroy(handle, slot);
      }
      freeRecord(record);
      freeObject(slot);
      return over(file, owner, 0);
    }
    nameRecord(record, RECORD_BUSY);
    const next = minusUser(word) - DESTROYER;
    if (compareExchange64(entry, word, next) != word) {
      nameRecord(record, kind);
      continue;
    }
    warnMinus(word, file, id);
    freeRecord(record);
    return over(file, owner, -EBUSY);
  }
}

/**
 * Waits for the decision of a queued destroy.
 *
 * Context: a thread that may block. `milliseconds` < 0 waits for ever. Return: as destroyPoll; MUST_WAIT when the time ran
 * out, or after a wake-up without a decision if the time is limited (the caller knows the clock).
 */
export function destroyWait(file: usize, handle: u32, milliseconds: f64): i32 {
  for (let spin: u32 = 0; spin < SPINS; spin++) {
    const result = destroyPoll(file, handle);
    if (result != MUST_WAIT) return result;
  }
  const thread = changetype<Thread>(current());
  while (true) {
    const word = ((<u64>thread.result3) << 32) | thread.result2;
    wait64(thread.result1, word, milliseconds < 0 ? -1 : <i64>(min(milliseconds, LONGEST_WAIT) * 1e6));
    const result = destroyPoll(file, handle);
    if (result != MUST_WAIT || milliseconds >= 0) return result;
  }
}

/** Gives up a queued destroy: the object is open again, a kept user is kept again, by its owner. Return: 0, or -EINVAL, -EIO as destroyPoll. */
export function destroyCancel(file: usize, handle: u32): i32 {
  const record = findWait(file, handle);
  if (record == 0) return -EINVAL;
  if (isPoisoned(file)) return giveUp(file, record);
  const entry: usize = changetype<HoldRecord>(record).target;
  const slot = slotOf(entry);
  const id = changetype<Slot>(slot).id;
  const kept = (changetype<HoldRecord>(record).fileKind & RECORD_KIND_MASK) == RECORD_QUEUED_KEPT;
  const owner = waitingKeeper(changetype<HoldRecord>(record).handle);
  const word = beginChange(entry);
  nameRecord(record, RECORD_BUSY);
  if (kept) changeKept(entry, changetype<Entry>(entry).kept + 1);
  if (owner != 0) changeNote(owner + offsetof<Keeper>("payload"), slot + SLOT_PAYLOAD);
  endChange(entry, (kept ? word : minusUser(word)) - DESTROYER);
  if (!kept) warnMinus(word, file, id);
  freeRecord(record);
  if (owner != 0) openKeeper(owner, file);
  fileLeave(file);
  return 0;
}

/** The callback of an object that nobody can find any more is about to run: it will not run again, whatever becomes of the thread. */
export function callbackBegins(slot: usize): void {
  changetype<Slot>(slot).owner |= SLOT_CALLBACK_RAN;
}

/** After MUST_DESTROY and the callback: drops what the object held and frees it. Return: 0, or -EINVAL for a bad handle. */
export function destroyFinish(file: usize, handle: u32): i32 {
  const record = findRecord(handle, file, RECORD_DYING);
  if (record == 0) return -EINVAL;
  const slot: usize = changetype<HoldRecord>(record).target;
  setHand(slot | HAND_NO_CALLBACK, classOfType(typeOfSlot(slot)));
  freeRecord(record);
  freeObject(slot);
  fileLeave(file);
  return 0;
}

/**
 * iommufd_object_destroy_user(): consumes a kept user, and destroys the object if that was the last besides the table.
 *
 * Return: 0 destroyed; -EBUSY not, but the user is gone; MUST_WAIT, MUST_DESTROY; with the user still kept: -EBADF, -EIO, -EINVAL (no
 * such user), -ENOSYS, -EDEADLK, -EAGAIN (too many wait already), -ENOMEM (no record).
 */
export function destroyReference(file: usize, expected: u32, id: u32, serial: f64, blocking: bool): i32 {
  const handle = queueKept(file, expected, id, serial, 0, blocking);
  return handle < 0 ? handle : destroyPoll(file, handle);
}

/**
 * The same with the user of an owner's row, which this thread ends: the row is open again after -EDEADLK, -EAGAIN and -ENOMEM, goes on to be
 * this thread's with MUST_WAIT, and otherwise is not the caller's any more: it is free, and may be another's by now.
 */
export function destroyOwned(file: usize, expected: u32, row: usize, blocking: bool): i32 {
  const owned = changetype<Keeper>(row);
  const handle = queueKept(file, expected, owned.id, <f64>owned.serial, row, blocking);
  if (handle >= 0) return destroyPoll(file, handle);
  if (handle == -EDEADLK || handle == -EAGAIN || handle == -ENOMEM) openKeeper(row, file);
  else freeKeeper(row);
  return handle;
}

/** Return: handle of the wait, whose record has a mark of the file; or the error of destroyReference. */
function queueKept(file: usize, expected: u32, id: u32, serial: f64, owner: usize, blocking: bool): i32 {
  if (!fileEnter(file, expected)) return refusal(file, expected);
  lock(tableLockOf(file), RANK_TABLE);
  const entry = findKept(file, id, serial);
  const result = !hasFreeRecord() ? -ENOMEM : entry == 0 ? -EINVAL : queueReference(file, entry, owner, blocking);
  unlock(tableLockOf(file), RANK_TABLE);
  if (result < 0) fileLeave(file);
  return result;
}

/** Context: table lock held. Return: handle of the wait, whose record has the file's mark; or the error of destroyReference. */
function queueReference(file: usize, entry: usize, owner: usize, blocking: bool): i32 {
  if (!isRunnable(typeOfSlot(slotOf(entry)))) return -ENOSYS;
  if (blocking && holdsTarget(entry, RECORD_LOCKED)) return -EDEADLK;
  const word = beginChange(entry);
  const kept = changetype<Entry>(entry).kept;
  const result = kept == 0 ? -EINVAL : destroyersOf(word) == MAX_DESTROYERS ? -EAGAIN : 0;
  if (result != 0) {
    endChange(entry, word);
    return result;
  }
  announceRecord(peekRecord(), freeNameOf(peekRecord()), entry, file);
  changeKept(entry, kept - 1);
  if (owner != 0) {
    changetype<Keeper>(owner).wait = changetype<HoldRecord>(peekRecord()).handle;
    changeNote(owner + offsetof<Keeper>("payload"), 0);
  }
  endChange(entry, word + DESTROYER);
  return takeRecord(entry, file, RECORD_QUEUED_KEPT);
}

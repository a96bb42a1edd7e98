// SPDX-License-Identifier: GPL-2.0-only
/**
 * The life of an object up to its destruction: alloc → finalize or abort; get → put, put_keep_user; hold.
 *
 *   alloc      takes the lowest free ID and reserves it: invisible, but taken
 *   finalize   publishes; from here on anybody may find the object and only destroy can end it
 *   abort      gives the ID back, before finalize only
 *   get        one holder and one user more; fails while a destroyer waits (rfc) or has no holder left to wait for (mainline)
 *   put        one of each less; the last holder wakes the destroyers
 *   hold       the reserved object keeps a user of another object of its context, until it is destroyed itself
 *
 * All functions take the file's address and the state that the caller's context expects (fileEnter). A reservation keeps its
 * mark on the file until it is given back, and a lock keeps the file by itself, so a file is released only after all of them.
 *
 * Kernel counterpart: _iommufd_object_alloc(), iommufd_object_finalize(), iommufd_object_abort(), iommufd_get_object(),
 * iommufd_put_object(), iommufd_put_object_keep_user(). Difference: get takes no lock (refcount.ts says why it need not).
 */
import { add32, compareExchange64, load32, load64, loadRelaxed64, store64 } from "./atomics";
import { assertInvariant } from "./config";
import { EBADF, EINVAL, ENOENT, ENOMEM } from "../errno";
import { fileEnter, fileLeave, fileUnlocked, isDraining, isMarked, isUsable, openStateOf } from "./file";
import {
  Context,
  Entry,
  FILE_BY_NUMBER,
  FILE_CONTEXT,
  FILE_DRAINING,
  FILE_PHASE_MASK,
  File,
  HANDLE_UNCONFIRMED,
  HOLD_LIST_ENTRIES,
  HoldList,
  HoldRecord,
  IDENTITY,
  Identity,
  PROFILE_RFC,
  RECORD_KIND_MASK,
  RECORD_LOCKED,
  RECORD_RESERVED,
  SLOT_PAYLOAD,
  Slot,
  Thread,
} from "./memory-map";
import { RANK_TABLE, lock, unlock } from "./mutex";
import {
  HOLDER,
  PHASE_LIVE,
  PHASE_RESERVED,
  USER,
  decrementUsers,
  destroyersOf,
  dropHolder,
  freedWord,
  generationOf,
  holdersFull,
  holdersOf,
  incrementUsers,
  isPlainlyLocked,
  phaseOf,
  plusUser,
  reservedWord,
  typeOf,
  warnHolders,
  warnPlus,
  withPhase,
} from "./refcount";
import { HOLD_LIST_CLASS, classOfType } from "./registry";
import { slabAlloc, slabFree } from "./slab";
import { PUT_RELEASE, PUT_SLOWLY } from "./results";
import {
  current,
  findRecord,
  freeRecord,
  freeRecordFirst,
  hasFreeRecord,
  isLastGeneration,
  isLastRecord,
  isRecord,
  peekRecord,
  recordOf,
  takeRecord,
  takeThisRecord,
} from "./thread";
import { xaErase, xaFindFree, xaLoad, xaTake } from "./xarray";

// @ts-ignore: a decorator on a function
@inline export function tableLockOf(file: usize): usize {
  return file + FILE_CONTEXT + offsetof<Context>("lock");
}
// @ts-ignore: a decorator on a function
@inline export function slotOf(entry: usize): usize {
  return changetype<Entry>(entry).slot;
}

/**
 * Reserves an ID and zeroed memory for an object of `type`.
 *
 * Return: a handle on the reserved object; -EBADF, -ENOMEM, -EBUSY (no ID left), all without a change.
 */
export function alloc(file: usize, expected: u32, type: u32): i32 {
  if (!fileEnter(file, expected)) return -EBADF;
  const handle = hasFreeRecord() ? reserve(file, type) : -ENOMEM;
  if (handle < 0) fileLeave(file);
  return handle;
}

function reserve(file: usize, type: u32): i32 {
  const slab = classOfType(type);
  const slot = slabAlloc(slab);
  if (slot == 0) return -ENOMEM;
  lock(tableLockOf(file), RANK_TABLE);
  const found = xaFindFree(file);
  if (found < 0) {
    unlock(tableLockOf(file), RANK_TABLE);
    slabFree(slab, slot);
    return <i32>found;
  }
  const id = <u32>found;
  xaTake(file, id);
  const entry = xaLoad(file, id);
  changetype<Entry>(entry).slot = <u32>slot;
  changetype<Entry>(entry).kept = 0;
  store64(entry, reservedWord(load64(entry), type));
  unlock(tableLockOf(file), RANK_TABLE);
  const object = changetype<Slot>(slot);
  object.id = id;
  object.type = type;
  object.file = <u32>file;
  return takeRecord(entry, file, RECORD_RESERVED);
}

/** Publishes a reserved object; cannot fail otherwise. Return: its ID, or -EINVAL for a handle that is not of this kind. */
export function finalize(file: usize, handle: u32): i32 {
  const record = findRecord(handle, file, RECORD_RESERVED);
  if (record == 0) return -EINVAL;
  const entry: usize = changetype<HoldRecord>(record).target;
  const id = changetype<Slot>(slotOf(entry)).id;
  const word = load64(entry);
  assertInvariant(phaseOf(word) == PHASE_RESERVED);
  store64(entry, withPhase(word, PHASE_LIVE)); // nobody but the reserver writes a reserved word
  freeRecord(record);
  fileLeave(file);
  return id;
}

/** Undoes alloc: holds dropped, ID and memory given back. Return: 0, or -EINVAL as finalize. */
export function abort(file: usize, handle: u32): i32 {
  const record = findRecord(handle, file, RECORD_RESERVED);
  if (record == 0) return -EINVAL;
  const entry: usize = changetype<HoldRecord>(record).target;
  const slot = slotOf(entry);
  lock(tableLockOf(file), RANK_TABLE);
  const word = load64(entry);
  assertInvariant(phaseOf(word) == PHASE_RESERVED);
  store64(entry, freedWord(word));
  xaErase(file, changetype<Slot>(slot).id);
  unlock(tableLockOf(file), RANK_TABLE);
  freeObject(slot);
  freeRecord(record);
  fileLeave(file);
  return 0;
}

/** The end of an object that nobody can find any more: its holds are dropped in order, its memory is free. */
export function freeObject(slot: usize): void {
  dropHolds(slot);
  slabFree(classOfType(changetype<Slot>(slot).type), slot);
}

// ---------------------------------------------------------------------------------------------------- get and put

/**
 * Locks a published object against destruction, if nothing about it is unusual.
 *
 * The lock itself keeps the file from being released (file.ts), so the state is read after the swap. Calls no other function:
 * what needs more thought is left to getSlowly, which the bindings call then.
 *
 * Return: a handle in 1 … 2^30−1; HANDLE_UNCONFIRMED with it when getConfirm must decide; 0: ask getSlowly, nothing happened.
 */
export function get(file: usize, expected: u32, id: u32): i32 {
  const entry = xaLoad(file, id);
  const record = peekRecord();
  if (entry == 0 || isLastRecord(record)) return 0;
  const word = loadRelaxed64(entry);
  const next = word + USER + HOLDER;
  if (!isPlainlyLocked(next)) return 0;
  if (compareExchange64(entry, word, next) != word) return 0;
  const handle = takeThisRecord(record, entry, file, RECORD_LOCKED);
  return load32(file + offsetof<File>("state")) == expected ? handle : handle | HANDLE_UNCONFIRMED;
}

/** get for objects of one type. */
export function getTyped(file: usize, expected: u32, id: u32, type: u32): i32 {
  const entry = xaLoad(file, id);
  const record = peekRecord();
  if (entry == 0 || isLastRecord(record)) return 0;
  const word = loadRelaxed64(entry);
  const next = word + USER + HOLDER;
  if (!isPlainlyLocked(next) || typeOf(word) != type) return 0;
  if (compareExchange64(entry, word, next) != word) return 0;
  const handle = takeThisRecord(record, entry, file, RECORD_LOCKED);
  return load32(file + offsetof<File>("state")) == expected ? handle : handle | HANDLE_UNCONFIRMED;
}

/**
 * The file was not in the state that get expected: drops the lock again if the context may not use the file. Only then can
 * the entry have been another file's; its object was locked for that moment, as by a lookup that changed its mind.
 *
 * Return: the handle, or -EBADF.
 */
export function getConfirm(file: usize, expected: u32, handle: u32): i32 {
  if (expected != FILE_BY_NUMBER && mayUse(file, expected)) return handle;
  const record = recordOf(handle);
  const entry: usize = changetype<HoldRecord>(record).target;
  freeRecord(record);
  dropTransient(entry);
  return expected == FILE_BY_NUMBER ? 0 : -EBADF;
}

/** Undoes the lock on an object that may be another file's by now. */
function dropTransient(entry: usize): void {
  const owner: usize = changetype<Slot>(slotOf(entry)).file;
  dropHolder(entry, false);
  fileUnlocked(owner);
}

/**
 * get with all questions asked: any kind of context, other threads at the same word, a full field, a destroyer.
 *
 * Return: a handle; -EBADF; -ENOENT for a missing ID, another type (0 matches any), a reservation or a waiting destroyer, which
 * cannot be told apart; -ENOMEM when this thread has no record left.
 */
export function getSlowly(file: usize, expected: u32, id: u32, type: u32): i32 {
  if (expected == FILE_BY_NUMBER) expected = openStateOf(file);
  if (!mayUse(file, expected)) return -EBADF;
  const entry = xaLoad(file, id);
  if (entry == 0) return -ENOENT;
  let word = load64(entry);
  while (isOpenToLookups(word) && (type == 0 || typeOf(word) == type)) {
    if (!hasFreeRecord()) return -ENOMEM;
    if (holdersFull(word)) {
      warnHolders(file, id);
      return -ENOENT;
    }
    const next = plusUser(word) + HOLDER;
    const seen = compareExchange64(entry, word, next);
    if (seen != word) {
      word = seen;
      continue;
    }
    if (!mayUse(file, expected)) {
      dropTransient(entry);
      return -EBADF;
    }
    warnPlus(word, next, file, id);
    return takeRecord(entry, file, RECORD_LOCKED);
  }
  return -ENOENT;
}

// @ts-ignore: a decorator on a function
@inline function mayUse(file: usize, expected: u32): bool {
  return isUsable(file, expected) && ((expected & FILE_PHASE_MASK) != FILE_DRAINING || isMarked(file));
}

/** Published, and no destroyer has closed it: in rfc by waiting at all, in mainline once the last holder is gone. */
function isOpenToLookups(word: u64): bool {
  if (phaseOf(word) != PHASE_LIVE) return false;
  if (destroyersOf(word) == 0) return true;
  return changetype<Identity>(IDENTITY).profile != PROFILE_RFC && holdersOf(word) != 0;
}

/**
 * Lets go of a locked object, if nothing about it is unusual. Calls no other function, as get.
 *
 * Return: 0; PUT_SLOWLY: nothing happened, ask putSlowly; PUT_RELEASE: done, but the file waits for it: call releaseResume.
 */
export function put(file: usize, handle: u32): i32 {
  const record = recordOf(handle);
  if (!isRecord(record, handle, file, RECORD_LOCKED) || isLastGeneration(handle)) return PUT_SLOWLY;
  const entry: usize = changetype<HoldRecord>(record).target;
  const word = loadRelaxed64(entry);
  if (!isPlainlyLocked(word)) return PUT_SLOWLY;
  if (compareExchange64(entry, word, word - USER - HOLDER) != word) return PUT_SLOWLY;
  freeRecordFirst(record, handle);
  return isDraining(file) ? PUT_RELEASE : 0;
}

/** Return: 0, or -EINVAL for a handle that is stale, of another thread, another context or another kind. */
export function putSlowly(file: usize, handle: u32): i32 {
  const record = findRecord(handle, file, RECORD_LOCKED);
  if (record == 0) return -EINVAL;
  dropHolder(changetype<HoldRecord>(record).target, false);
  freeRecord(record);
  fileUnlocked(file);
  return 0;
}

/** Unlocks, but the user stays: any thread may drop it later. Return: 0 and the generation in result0; -EINVAL as put. */
export function putKeepUser(file: usize, handle: u32): i32 {
  const record = findRecord(handle, file, RECORD_LOCKED);
  if (record == 0) return -EINVAL;
  const entry: usize = changetype<HoldRecord>(record).target;
  changetype<Thread>(current()).result0 = generationOf(load64(entry));
  add32(entry + offsetof<Entry>("kept"), 1);
  dropHolder(entry, true);
  freeRecord(record);
  fileUnlocked(file);
  return 0;
}

/** Drops one kept user of a locked object. Return: 0; -EINVAL for a bad handle or when none is kept. */
export function dropUser(file: usize, handle: u32): i32 {
  const record = findRecord(handle, file, RECORD_LOCKED);
  if (record == 0) return -EINVAL;
  const entry: usize = changetype<HoldRecord>(record).target;
  lock(tableLockOf(file), RANK_TABLE);
  const result = takeKept(entry);
  unlock(tableLockOf(file), RANK_TABLE);
  if (result == 0) decrementUsers(entry, file, changetype<Slot>(slotOf(entry)).id);
  return result;
}

/** The kept user becomes the caller's. Context: table lock held, which all that lower `kept` hold. Return: 0 or -EINVAL. */
export function takeKept(entry: usize): i32 {
  const kept = entry + offsetof<Entry>("kept");
  if (load32(kept) == 0) return -EINVAL;
  add32(kept, -1);
  return 0;
}

/** Return: 0 and the slot's address in result0, the ID in result1; -EINVAL for a handle that is neither locked nor reserved. */
export function describe(file: usize, handle: u32): i32 {
  let record = findRecord(handle, file, RECORD_LOCKED);
  if (record == 0) record = findRecord(handle, file, RECORD_RESERVED);
  if (record == 0) return -EINVAL;
  const slot = slotOf(changetype<HoldRecord>(record).target);
  const thread = changetype<Thread>(current());
  thread.result0 = <u32>slot + SLOT_PAYLOAD;
  thread.result1 = changetype<Slot>(slot).id;
  thread.result2 = changetype<Slot>(slot).type;
  return 0;
}

// ---------------------------------------------------------------------------------------------------- holds

/** The reserved object holds a user of the locked one. Return: 0; -EINVAL for bad handles; -ENOMEM without a change. */
export function hold(file: usize, handle: u32, targetHandle: u32): i32 {
  const record = findRecord(handle, file, RECORD_RESERVED);
  const target = findRecord(targetHandle, file, RECORD_LOCKED);
  if (record == 0 || target == 0) return -EINVAL;
  const entry: usize = changetype<HoldRecord>(target).target;
  if (!addHold(slotOf(changetype<HoldRecord>(record).target), entry)) return -ENOMEM;
  incrementUsers(entry, file, changetype<Slot>(slotOf(entry)).id);
  return 0;
}

/** Notes in a reserved object that it owns a user of `entry`. Return: false when there is no memory for the note. */
export function addHold(slot: usize, entry: usize): bool {
  const object = changetype<Slot>(slot);
  if (object.hold0 == 0) {
    object.hold0 = <u32>entry;
    return true;
  }
  if (object.hold1 == 0) {
    object.hold1 = <u32>entry;
    return true;
  }
  // The newest list is first; a full one gets a new one in front.
  let list: usize = object.link;
  if (list == 0 || changetype<HoldList>(list).count == HOLD_LIST_ENTRIES) {
    const fresh = slabAlloc(HOLD_LIST_CLASS);
    if (fresh == 0) return false;
    changetype<HoldList>(fresh).link = <u32>list;
    object.link = <u32>fresh;
    list = fresh;
  }
  const count = changetype<HoldList>(list).count;
  store<u32>(holdAt(list, count), <u32>entry);
  changetype<HoldList>(list).count = count + 1;
  return true;
}

/** Address of the n-th entry of a list: the words around `link`. */
// @ts-ignore: a decorator on a function
@inline function holdAt(list: usize, index: u32): usize {
  return list + (index < 3 ? offsetof<HoldList>("hold0") + index * 4 : offsetof<HoldList>("hold3"));
}

/** Return: the n-th entry that the object holds, 0 behind the last. Order: as they were added, lists newest first. */
export function holdOf(slot: usize, index: u32): usize {
  const object = changetype<Slot>(slot);
  if (index == 0) return object.hold0;
  if (index == 1) return object.hold1;
  index -= 2;
  for (let list: usize = object.link; list != 0; list = changetype<HoldList>(list).link) {
    const count = changetype<HoldList>(list).count;
    if (index < count) return load<u32>(holdAt(list, index));
    index -= count;
  }
  return 0;
}

/** Drops all holds of an object. Its targets are alive: a user of theirs goes only here. */
export function dropHolds(slot: usize): void {
  const object = changetype<Slot>(slot);
  const file: usize = object.file;
  for (let index: u32 = 0; index < 2; index++) {
    const entry = index == 0 ? object.hold0 : object.hold1;
    if (entry != 0) decrementUsers(entry, file, changetype<Slot>(slotOf(entry)).id);
  }
  let list: usize = object.link;
  while (list != 0) {
    const count = changetype<HoldList>(list).count;
    for (let index: u32 = 0; index < count; index++) {
      const entry: usize = load<u32>(holdAt(list, index));
      decrementUsers(entry, file, changetype<Slot>(slotOf(entry)).id);
    }
    const next: usize = changetype<HoldList>(list).link;
    slabFree(HOLD_LIST_CLASS, list);
    list = next;
  }
  object.hold0 = 0;
  object.hold1 = 0;
  object.link = 0;
}

/** Return: the kind of a record in use (RECORD_*). */
// @ts-ignore: a decorator on a function
@inline export function kindOf(record: usize): u32 {
  return changetype<HoldRecord>(record).fileKind & RECORD_KIND_MASK;
}

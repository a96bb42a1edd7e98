// SPDX-License-Identifier: GPL-2.0-only
/**
 * Lookup with a lock on what is found: get → put or put_keep_user. The hottest code of the library.
 *
 *   get            one holder and one user more; fails while a destroyer waits (rfc), or once the last holder that it
 *                  waits for is gone (mainline)
 *   put            one of each less; the last holder wakes the destroyers
 *   putKeepUser    one holder less; the user stays and may be dropped by any thread (kept.ts)
 *
 * No lock is taken: refcount.ts says why none is needed, file.ts why the file cannot be released meanwhile.
 *
 * get and put exist twice. The fast forms handle the usual case in one swap and call no other function, which spares them
 * a stack frame; whatever is unusual they leave alone, and the bindings call the slow form, which asks all questions.
 *
 * Kernel counterpart: iommufd_get_object(), iommufd_lock_obj(), iommufd_put_object(), iommufd_put_object_keep_user().
 */
import { compareExchange64, load32, loadRelaxed64 } from "./atomics";
import { beginChange, changeKept, endChange } from "./change";
import { EINVAL, EIO, ENOENT, ENOMEM } from "../errno";
import { fileGivenUp, fileUnlocked, isPoisoned, isQuiet, mayUse, openStateOf, refusal } from "./file";
import {
  Entry,
  FILE_BY_NUMBER,
  File,
  HANDLE_UNCONFIRMED,
  HoldRecord,
  IDENTITY,
  Identity,
  PROFILE_RFC,
  RECORD_BUSY,
  RECORD_LOCKED,
  Thread,
} from "./memory-map";
import {
  HOLDER,
  PHASE_LIVE,
  USER,
  destroyersOf,
  dropHolder,
  holdersFull,
  holdersOf,
  isPlainlyLocked,
  phaseOf,
  plusUser,
  settled,
  typeOf,
  warnHolders,
  warnPlus,
} from "./refcount";
import { PUT_SLOWLY, PUT_UNQUIET } from "./results";
import { fileOfSlot, serialOfSlot } from "./slot";
import {
  announceRecord,
  current,
  findRecord,
  freeRecord,
  freeNameOf,
  freeRecordFirst,
  handleIn,
  hasFreeRecord,
  isLastGeneration,
  isRecord,
  keepRecord,
  nameRecord,
  nextFree,
  peekRecord,
  recordOf,
  renameRecord,
  takeRecord,
  withdrawRecord,
} from "./thread";
import { slotOf, xaEntry, xaLoad } from "./xarray";

/**
 * Locks a published object against destruction, if nothing about it is unusual.
 *
 * Return: a handle in 1 … 2^30−1; HANDLE_UNCONFIRMED with it when getConfirm must decide; 0: ask getSlowly, nothing happened.
 */
export function get(file: usize, expected: u32, id: u32): i32 {
  return lockPlainly(file, expected, id, 0);
}

/** get for objects of one type. */
export function getTyped(file: usize, expected: u32, id: u32, type: u32): i32 {
  return lockPlainly(file, expected, id, type);
}

/**
 * The lock itself keeps the file from being released (file.ts), so the state is read after the swap. Calls no other function:
 * what needs more thought is left to getSlowly, which the bindings call then.
 */
// @ts-ignore: a decorator on a function
@inline function lockPlainly(file: usize, expected: u32, id: u32, type: u32): i32 {
  const entry = xaLoad(file, id);
  const record = peekRecord();
  const after = nextFree(record);
  if (after == 0) return 0;
  const word = loadRelaxed64(entry);
  const next = word + USER + HOLDER;
  if (!isPlainlyLocked(next) || (type != 0 && typeOf(word) != type)) return 0;
  const name = freeNameOf(record);
  announceRecord(record, name, entry, file);
  if (compareExchange64(entry, word, next) != word) {
    withdrawRecord(record, name);
    return 0;
  }
  keepRecord(record, name, after, file, RECORD_LOCKED);
  const handle = handleIn(name);
  return load32(file + offsetof<File>("state")) == expected ? handle : handle | HANDLE_UNCONFIRMED;
}

/**
 * The file was not in the state that get expected: drops the lock again if the context may not use the file. Only then can
 * the entry have been another file's; its object was locked for that moment, as by a lookup that changed its mind.
 *
 * Return: the handle, 0 to ask getSlowly, or -EBADF, -EIO.
 */
export function getConfirm(file: usize, expected: u32, handle: u32): i32 {
  if (expected != FILE_BY_NUMBER && mayUse(file, expected)) return handle;
  dropTransient(recordOf(handle));
  return expected == FILE_BY_NUMBER ? 0 : refusal(file, expected);
}

/** Undoes the lock on an object that may be another file's by now. */
function dropTransient(record: usize): void {
  const entry: usize = changetype<HoldRecord>(record).target;
  const owner = fileOfSlot(slotOf(entry));
  dropHolder(entry, record, RECORD_LOCKED);
  freeRecord(record);
  fileUnlocked(owner);
}

/**
 * get with all questions asked: any kind of context, other threads at the same word, a full field, a destroyer.
 *
 * Return: a handle; -EBADF, -EIO; -ENOENT for a missing ID, another type (0 matches any), a reservation or a waiting destroyer, which
 * cannot be told apart; -ENOMEM when this thread has no record left.
 */
export function getSlowly(file: usize, expected: u32, id: u32, type: u32): i32 {
  if (expected == FILE_BY_NUMBER) expected = openStateOf(file);
  if (!mayUse(file, expected)) return refusal(file, expected);
  const entry = xaEntry(file, id);
  while (true) {
    const word = settled(entry);
    if (!isOpenToLookups(word) || (type != 0 && typeOf(word) != type)) return -ENOENT;
    if (!hasFreeRecord()) return -ENOMEM;
    if (holdersFull(word)) {
      warnHolders(file, id);
      return -ENOENT;
    }
    const next = plusUser(word) + HOLDER;
    const record = peekRecord();
    const name = freeNameOf(record);
    announceRecord(record, name, entry, file);
    if (compareExchange64(entry, word, next) != word) {
      withdrawRecord(record, name);
      continue;
    }
    const handle = takeRecord(entry, file, RECORD_LOCKED);
    if (!mayUse(file, expected)) {
      dropTransient(recordOf(handle));
      return refusal(file, expected);
    }
    warnPlus(word, next, file, id);
    return handle;
  }
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
 * Return: 0; PUT_SLOWLY: nothing happened, ask putSlowly; PUT_UNQUIET: done, but something is up with the file: call putUnquiet.
 */
export function put(file: usize, handle: u32): i32 {
  const record = recordOf(handle);
  if (!isRecord(record, handle, file, RECORD_LOCKED) || isLastGeneration(handle)) return PUT_SLOWLY;
  const entry: usize = changetype<HoldRecord>(record).target;
  const word = loadRelaxed64(entry);
  if (!isPlainlyLocked(word)) return PUT_SLOWLY;
  renameRecord(record, handle, file, RECORD_BUSY);
  if (compareExchange64(entry, word, word - USER - HOLDER) != word) {
    renameRecord(record, handle, file, RECORD_LOCKED);
    return PUT_SLOWLY;
  }
  freeRecordFirst(record, handle);
  return isQuiet(file) ? 0 : PUT_UNQUIET;
}

/** The file waits for the lock that was dropped, or is poisoned. Return: 0, or -EIO. */
export function putUnquiet(file: usize): i32 {
  fileUnlocked(file);
  return isPoisoned(file) ? -EIO : 0;
}

/** Return: 0; -EINVAL for a handle that is stale, of another thread, another context or another kind; -EIO, and the handle is used up. */
export function putSlowly(file: usize, handle: u32): i32 {
  const record = findRecord(handle, file, RECORD_LOCKED);
  if (record == 0) return -EINVAL;
  if (isPoisoned(file)) return giveUp(file, record);
  dropHolder(changetype<HoldRecord>(record).target, record, RECORD_LOCKED);
  freeRecord(record);
  fileUnlocked(file);
  return 0;
}

/** A lock on an object of a poisoned file: nobody asks for it any more. */
function giveUp(file: usize, record: usize): i32 {
  freeRecord(record);
  fileGivenUp(file);
  return -EIO;
}

/** Unlocks, but the user stays: any thread may drop it later. Return: 0 and the object's serial in result0 and result1; -EINVAL, -EIO as put. */
export function putKeepUser(file: usize, handle: u32): i32 {
  const record = findRecord(handle, file, RECORD_LOCKED);
  if (record == 0) return -EINVAL;
  if (isPoisoned(file)) return giveUp(file, record);
  const entry: usize = changetype<HoldRecord>(record).target;
  const serial = serialOfSlot(slotOf(entry));
  changetype<Thread>(current()).result0 = <u32>serial;
  changetype<Thread>(current()).result1 = <u32>(serial >> 32);
  const word = beginChange(entry);
  nameRecord(record, RECORD_BUSY);
  changeKept(entry, changetype<Entry>(entry).kept + 1);
  endChange(entry, word - HOLDER);
  freeRecord(record);
  fileUnlocked(file);
  return 0;
}

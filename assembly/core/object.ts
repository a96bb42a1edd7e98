// SPDX-License-Identifier: GPL-2.0-only
/**
 * How an object comes into being: alloc → finalize or abort.
 *
 *   alloc      takes the lowest free ID and reserves it: invisible, but taken
 *   finalize   publishes; from here on anybody may find the object and only destroy can end it
 *   abort      gives the ID back, before finalize only
 *
 * The functions take the file's address and the state that the caller's context expects (file.ts). They need no mark: the table lock
 * keeps the file while alloc works, and from then on the reserved word does, until it is published or freed.
 *
 * Kernel counterpart: _iommufd_object_alloc(), iommufd_object_finalize(), iommufd_object_abort().
 */
import { load64, loadRelaxed64, store64, storeRelaxed64 } from "./atomics";
import { accessGone } from "./attached";
import { DEBUG_BUILD, assertInvariant } from "./config";
import { EINVAL, EIO, ENOMEM } from "../errno";
import { fileGivenUp, fileLeave, fileMark, fileUnlocked, isPoisoned, isReleasing, mayUse, refusal } from "./file";
import { dropHolds, forgetHolds, hasHolds } from "./hold";
import { ioasDestroy } from "./io_pagetable";
import {
  Context,
  Entry,
  FILE_CONTEXT,
  HAND_FLAGS,
  HAND_MEMORY,
  HAND_NO_CALLBACK,
  HoldRecord,
  RECORD_LOCKED,
  RECORD_RESERVED,
  SLOT_PAYLOAD,
  Slot,
  Thread,
} from "./memory-map";
import { RANK_TABLE, lock, lockNow, unlock, unlockNow } from "./mutex";
import { PHASE_LIVE, PHASE_RESERVED, freedWord, phaseOf, plusUser, reservedWord, withPhase } from "./refcount";
import { classOfType, isAccess, isIoas } from "./registry";
import { slabAlloc, slabFree } from "./slab";
import { fileOfSlot, initSlot, typeOfSlot } from "./slot";
import { hasSpare, keepSpare, takeSpare } from "./spares";
import {
  clearHand,
  current,
  findRecord,
  freeRecord,
  freeRecordFirst,
  hand,
  hasFreeRecord,
  isLastGeneration,
  isRecord,
  recordOf,
  setHand,
  takeRecordNow,
} from "./thread";
import { slotOf, tableLockOf, xaEntry, xaErase, xaFindFree, xaMakeEntry, xaTake } from "./xarray";

/**
 * Reserves an ID and zeroed memory for an object of `type`.
 *
 * Return: a handle on the reserved object; -EBADF, -EIO, -ENOMEM, -EBUSY (no ID left), all without a change.
 */
export function alloc(file: usize, expected: u32, type: u32): i32 {
  const slab = classOfType(type);
  // A large slot is not to be emptied under the table lock, so what is no spare is taken before.
  const isSpare = hasSpare(file, slab);
  const slot: usize = isSpare ? 0 : slabAlloc(slab, hand());
  lockNow(tableLockOf(file), RANK_TABLE);
  const entry = mayUse(file, expected) ? reserve(file, type, slab, slot, isSpare) : refusal(file, expected);
  unlockNow(tableLockOf(file), RANK_TABLE);
  if (entry < 0) return undo(file, slab, entry);
  const handle = takeRecordNow(entry, file, RECORD_RESERVED);
  clearHand();
  return handle; // a release that waits is taken up at the reservation's end
}

/** Nothing was reserved: a slot in hand goes back. Return: `result`. */
function undo(file: usize, slab: u32, result: i32): i32 {
  const slot: usize = changetype<Thread>(current()).hand & ~HAND_FLAGS;
  if (slot != 0) slabFree(slab, slot, hand());
  fileUnlocked(file);
  return result;
}

/**
 * Context: table lock held; `slot` is in hand, or 0: there was no memory, or `isSpare`: there was a spare. Until the record is written,
 * the slot in hand tells what has been taken. Return: the entry; -ENOMEM, -EBUSY, and the slot is still in hand if there is one.
 */
// @ts-ignore: a decorator on a function
@inline function reserve(file: usize, type: u32, slab: u32, slot: usize, isSpare: bool): i32 {
  if (!hasFreeRecord()) return -ENOMEM;
  if (slot == 0) slot = takeSpare(file, slab);
  if (slot == 0 && isSpare) slot = slabAlloc(slab, hand()); // another thread was faster
  if (slot == 0) return -ENOMEM;
  const found = xaFindFree(file);
  if (found < 0) return <i32>found;
  const id = <u32>found;
  const entry = xaMakeEntry(file, id);
  if (entry == 0) return -ENOMEM;
  const context = changetype<Context>(file + FILE_CONTEXT);
  initSlot(slot, id, type, file, context.serial++);
  setHand(slot | HAND_NO_CALLBACK, slab);
  changetype<Entry>(entry).slot = <u32>slot;
  if (DEBUG_BUILD) assertInvariant(changetype<Entry>(entry).kept == 0); // nobody is left who could drop a user of a free entry
  // Who reads a free word changes nothing, and neither half of a reserved one looks like a published object. The unlock orders it.
  storeRelaxed64(entry, reservedWord(loadRelaxed64(entry), type));
  xaTake(file, id);
  return <i32>entry;
}

/** One user more of a reserved object, kept as by putKeepUser. Context: the handle is good; nobody else writes a reserved word. */
export function keepUserOfReserved(file: usize, handle: u32): void {
  const entry: usize = changetype<HoldRecord>(findRecord(handle, file, RECORD_RESERVED)).target;
  changetype<Entry>(entry).kept = 1;
  store64(entry, plusUser(load64(entry)));
}

/** Publishes a reserved object; cannot fail otherwise. Return: its ID; -EINVAL for a handle that is not of this kind; -EIO. */
export function finalize(file: usize, handle: u32): i32 {
  const record = recordOf(handle);
  if (!isRecord(record, handle, file, RECORD_RESERVED)) return -EINVAL;
  if (isPoisoned(file)) return giveUp(file, record);
  const entry: usize = changetype<HoldRecord>(record).target;
  const id = changetype<Slot>(slotOf(entry)).id;
  const word = loadRelaxed64(entry); // nobody but the reserver writes a reserved word
  assertInvariant(phaseOf(word) == PHASE_RESERVED);
  const thread = changetype<Thread>(current());
  thread.publishWord = word;
  thread.publishing = <u32>entry;
  store64(entry, withPhase(word, PHASE_LIVE));
  if (isLastGeneration(handle)) freeRecord(record);
  else freeRecordFirst(record, handle);
  thread.publishing = 0;
  fileUnlocked(file);
  return id;
}

/** A reservation in a poisoned file: its memory goes with the file. */
function giveUp(file: usize, record: usize): i32 {
  freeRecord(record);
  fileGivenUp(file);
  return -EIO;
}

/** Undoes alloc: holds dropped, ID and memory given back. Return: 0, or -EINVAL, -EIO as finalize. */
export function abort(file: usize, handle: u32): i32 {
  const record = findRecord(handle, file, RECORD_RESERVED);
  if (record == 0) return -EINVAL;
  if (isPoisoned(file)) return giveUp(file, record);
  const slot = slotOf(changetype<HoldRecord>(record).target);
  const slab = classOfType(typeOfSlot(slot));
  if (hasHolds(slot)) return abortHolding(file, record, slot, slab);
  setHand(slot | HAND_NO_CALLBACK, slab);
  lockNow(tableLockOf(file), RANK_TABLE);
  erase(file, slot);
  freeRecord(record); // before the slot is out of hand: until then the hand tells what became of the record's entry
  const isSpare = keepSpare(file, slot, slab);
  unlock(tableLockOf(file), RANK_TABLE); // a reaper gives a dead thread's reservations back by this
  if (!isSpare) slabFree(slab, slot, hand());
  fileUnlocked(file);
  return 0;
}

/** The objects that it holds must outlive the reservation, so here a mark keeps the file. */
function abortHolding(file: usize, record: usize, slot: usize, slab: u32): i32 {
  fileMark(file);
  setHand(slot | HAND_NO_CALLBACK, slab);
  eraseReserved(file, slot);
  freeRecord(record);
  freeObject(slot);
  fileLeave(file);
  return 0;
}

/** Takes a reserved object out of the table. Context: takes the table lock; the slot is in hand. */
export function eraseReserved(file: usize, slot: usize): void {
  lock(tableLockOf(file), RANK_TABLE);
  erase(file, slot);
  unlock(tableLockOf(file), RANK_TABLE);
}

/** The same. Context: table lock held. */
function erase(file: usize, slot: usize): void {
  const id = changetype<Slot>(slot).id;
  const entry = xaEntry(file, id);
  const word = load64(entry);
  assertInvariant(phaseOf(word) == PHASE_RESERVED);
  changetype<Entry>(entry).kept = 0; // keepUserOfReserved
  store64(entry, freedWord(word));
  xaErase(file, id);
}

/** What the object has to do with address spaces ends. */
function leaveSpaces(file: usize, slot: usize): void {
  if (isIoas(typeOfSlot(slot))) ioasDestroy(file, slot + SLOT_PAYLOAD);
  else if (isAccess(typeOfSlot(slot))) accessGone(file, slot + SLOT_PAYLOAD);
}

/** The end of an object that nobody can find any more: what it has is given back, its holds are dropped in order, its memory is free. */
export function freeObject(slot: usize): void {
  const slab = classOfType(typeOfSlot(slot));
  setHand(slot | HAND_NO_CALLBACK, slab);
  if (isPoisoned(fileOfSlot(slot))) forgetHolds(slot);
  else {
    // At the release the file's arena goes as a whole.
    if (!isReleasing(fileOfSlot(slot))) leaveSpaces(fileOfSlot(slot), slot);
    dropHolds(slot);
  }
  setHand(slot | HAND_MEMORY, slab);
  slabFree(slab, slot, hand());
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
  thread.result2 = typeOfSlot(slot);
  return 0;
}

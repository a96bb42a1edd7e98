// SPDX-License-Identifier: GPL-2.0-only
/**
 * How an object comes into being: alloc → finalize or abort.
 *
 *   alloc      takes the lowest free ID and reserves it: invisible, but taken
 *   finalize   publishes; from here on anybody may find the object and only destroy can end it
 *   abort      gives the ID back, before finalize only
 *
 * The functions take the file's address and the state that the caller's context expects (fileEnter). A reservation keeps its
 * mark on the file until it is given back, so a file is released only after it.
 *
 * Kernel counterpart: _iommufd_object_alloc(), iommufd_object_finalize(), iommufd_object_abort().
 */
import { load64, store64 } from "./atomics";
import { assertInvariant } from "./config";
import { EINVAL, EIO, ENOMEM } from "../errno";
import { fileEnter, fileLeave, isPoisoned, refusal } from "./file";
import { dropHolds, forgetHolds } from "./hold";
import {
  Context,
  Entry,
  FILE_CONTEXT,
  HAND_MEMORY,
  HAND_NO_CALLBACK,
  HoldRecord,
  RECORD_LOCKED,
  RECORD_RESERVED,
  SLOT_PAYLOAD,
  SLOT_TYPE_MASK,
  Slot,
  Thread,
} from "./memory-map";
import { RANK_TABLE, lock, unlock } from "./mutex";
import { PHASE_LIVE, PHASE_RESERVED, freedWord, phaseOf, reservedWord, withPhase } from "./refcount";
import { classOfType } from "./registry";
import { slabAlloc, slabFree } from "./slab";
import { clearHand, current, findRecord, freeRecord, hand, hasFreeRecord, setHand, takeRecord } from "./thread";
import { slotOf, tableLockOf, xaErase, xaFindFree, xaLoad, xaTake } from "./xarray";

/**
 * Reserves an ID and zeroed memory for an object of `type`.
 *
 * Return: a handle on the reserved object; -EBADF, -EIO, -ENOMEM, -EBUSY (no ID left), all without a change.
 */
export function alloc(file: usize, expected: u32, type: u32): i32 {
  if (!fileEnter(file, expected)) return refusal(file, expected);
  const handle = hasFreeRecord() ? reserve(file, type) : -ENOMEM;
  if (handle < 0) fileLeave(file);
  return handle;
}

/** Until the record is written, the slot in hand tells what has been taken. */
function reserve(file: usize, type: u32): i32 {
  const slab = classOfType(type);
  const slot = slabAlloc(slab, hand());
  if (slot == 0) return -ENOMEM;
  lock(tableLockOf(file), RANK_TABLE);
  const found = xaFindFree(file);
  if (found < 0) {
    unlock(tableLockOf(file), RANK_TABLE);
    slabFree(slab, slot, hand());
    return <i32>found;
  }
  const id = <u32>found;
  const entry = xaLoad(file, id);
  const object = changetype<Slot>(slot);
  const context = changetype<Context>(file + FILE_CONTEXT);
  object.serial = context.serial++;
  object.id = id;
  object.type = type;
  object.file = <u32>file;
  setHand(slot | HAND_NO_CALLBACK, slab);
  changetype<Entry>(entry).slot = <u32>slot;
  changetype<Entry>(entry).kept = 0;
  store64(entry, reservedWord(load64(entry), type)); // who reads a free word changes nothing
  xaTake(file, id);
  unlock(tableLockOf(file), RANK_TABLE);
  const handle = takeRecord(entry, file, RECORD_RESERVED);
  clearHand();
  return handle;
}

/** Publishes a reserved object; cannot fail otherwise. Return: its ID; -EINVAL for a handle that is not of this kind; -EIO. */
export function finalize(file: usize, handle: u32): i32 {
  const record = findRecord(handle, file, RECORD_RESERVED);
  if (record == 0) return -EINVAL;
  if (isPoisoned(file)) return giveUp(file, record);
  const entry: usize = changetype<HoldRecord>(record).target;
  const id = changetype<Slot>(slotOf(entry)).id;
  const word = load64(entry);
  assertInvariant(phaseOf(word) == PHASE_RESERVED);
  const thread = changetype<Thread>(current());
  thread.publishWord = word;
  thread.publishing = <u32>entry;
  store64(entry, withPhase(word, PHASE_LIVE)); // nobody but the reserver writes a reserved word
  freeRecord(record);
  thread.publishing = 0;
  fileLeave(file);
  return id;
}

/** A reservation in a poisoned file: its memory goes with the file. */
function giveUp(file: usize, record: usize): i32 {
  freeRecord(record);
  fileLeave(file);
  return -EIO;
}

/** Undoes alloc: holds dropped, ID and memory given back. Return: 0, or -EINVAL, -EIO as finalize. */
export function abort(file: usize, handle: u32): i32 {
  const record = findRecord(handle, file, RECORD_RESERVED);
  if (record == 0) return -EINVAL;
  if (isPoisoned(file)) return giveUp(file, record);
  const slot = slotOf(changetype<HoldRecord>(record).target);
  setHand(slot | HAND_NO_CALLBACK, classOfType(changetype<Slot>(slot).type));
  eraseReserved(file, slot);
  freeRecord(record);
  freeObject(slot);
  fileLeave(file);
  return 0;
}

/** Takes a reserved object out of the table. Context: takes the table lock; the slot is in hand. */
export function eraseReserved(file: usize, slot: usize): void {
  lock(tableLockOf(file), RANK_TABLE);
  const id = changetype<Slot>(slot).id;
  const entry = xaLoad(file, id);
  assertInvariant(phaseOf(load64(entry)) == PHASE_RESERVED);
  store64(entry, freedWord(load64(entry)));
  xaErase(file, id);
  unlock(tableLockOf(file), RANK_TABLE);
}

/** The end of an object that nobody can find any more: its holds are dropped in order, its memory is free. */
export function freeObject(slot: usize): void {
  const slab = classOfType(changetype<Slot>(slot).type & SLOT_TYPE_MASK);
  setHand(slot | HAND_NO_CALLBACK, slab);
  if (isPoisoned(changetype<Slot>(slot).file)) forgetHolds(slot);
  else dropHolds(slot);
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
  thread.result2 = changetype<Slot>(slot).type & SLOT_TYPE_MASK;
  return 0;
}

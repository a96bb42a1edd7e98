// SPDX-License-Identifier: GPL-2.0-only
/**
 * Holds: users references that an object keeps on others until it is destroyed. They are the edges of the graph.
 *
 * A hold is a note, one word in the holder's slot that names the target's entry, and one of the target's users. Both appear and
 * both go in one change (change.ts). The first two notes fit into the slot, more go to lists of their own slab class. A hold
 * is added while its owner is reserved and belongs to one thread; afterwards the notes do not change until the object has
 * left the table. Who takes a snapshot of a reserved object meanwhile sees the notes that were there at some moment.
 *
 * Kernel counterpart: the pointers between iommufd objects, each with a refcount_inc(&obj->users).
 */
import { load32, loadRelaxed32, store32 } from "./atomics";
import { beginChange, changeKept, changeNote, endChange } from "./change";
import { EINVAL, EIO, ENOMEM } from "../errno";
import { isPoisoned } from "./file";
import { findKept } from "./kept";
import {
  Entry,
  HOLD_LIST_ENTRIES,
  HoldList,
  HoldRecord,
  IDENTITY,
  Identity,
  RECORD_LOCKED,
  RECORD_RESERVED,
  Slot,
  Thread,
} from "./memory-map";
import { RANK_TABLE, lock, unlock } from "./mutex";
import { minusUser, plusUser, warnMinus, warnPlus } from "./refcount";
import { HOLD_LIST_CLASS } from "./registry";
import { slabAlloc, slabFree } from "./slab";
import { fileOfSlot } from "./slot";
import { current, findRecord } from "./thread";
import { slotOf, tableLockOf } from "./xarray";

// @ts-ignore: a decorator on a function
@inline function handList(): usize {
  return current() + offsetof<Thread>("handList");
}

/** The reserved object holds a user of the locked one. Return: 0; -EINVAL for bad handles; -ENOMEM without a change; -EIO. */
export function hold(file: usize, handle: u32, targetHandle: u32): i32 {
  const record = findRecord(handle, file, RECORD_RESERVED);
  const target = findRecord(targetHandle, file, RECORD_LOCKED);
  if (record == 0 || target == 0) return -EINVAL;
  if (isPoisoned(file)) return -EIO;
  const note = freeNote(slotOf(changetype<HoldRecord>(record).target));
  if (note == 0) return -ENOMEM;
  holdEntry(file, note, changetype<HoldRecord>(target).target);
  return 0;
}

/** A note of a user of the entry's object, which is locked. Context: nobody else writes the note, which is free. */
export function holdEntry(file: usize, note: usize, entry: usize): void {
  const word = beginChange(entry);
  const next = plusUser(word);
  changeNote(note, entry);
  endChange(entry, next);
  warnPlus(word, next, file, changetype<Slot>(slotOf(entry)).id);
}

/** Context: the object is reserved by the caller. Return: address of a note that is free, 0 when there is no memory for one. */
function freeNote(slot: usize): usize {
  const object = changetype<Slot>(slot);
  if (object.hold0 == 0) return slot + offsetof<Slot>("hold0");
  if (object.hold1 == 0) return slot + offsetof<Slot>("hold1");
  // The newest list is first; a full one gets a new one in front.
  const list: usize = object.link;
  for (let index: u32 = 0; list != 0 && index < HOLD_LIST_ENTRIES; index++) {
    if (load<u32>(noteAt(list, index)) == 0) return noteAt(list, index);
  }
  const fresh = slabAlloc(HOLD_LIST_CLASS, handList());
  if (fresh == 0) return 0;
  changetype<HoldList>(fresh).link = <u32>list;
  store32(slot + offsetof<Slot>("link"), <u32>fresh);
  store<u32>(handList(), 0);
  return noteAt(fresh, 0);
}

/** Notes of a list before its link. */
const HOLDS_BEFORE_LINK: u32 = offsetof<HoldList>("link") / 4;

/** Address of the n-th note of a list: the words around `link`. */
// @ts-ignore: a decorator on a function
@inline function noteAt(list: usize, index: u32): usize {
  return list + (index + u32(index >= HOLDS_BEFORE_LINK)) * 4;
}

/** Whether the object holds any. Context: it is the caller's, or not reserved any more. */
// @ts-ignore: a decorator on a function
@inline export function hasHolds(slot: usize): bool {
  return changetype<Slot>(slot).hold0 != 0; // the first note is taken first, and freed with the object
}

/** Return: the n-th entry that the object holds, 0 behind the last. Order: as they were added, lists newest first. */
export function holdOf(slot: usize, index: u32): usize {
  if (index == 0) return loadRelaxed32(slot + offsetof<Slot>("hold0"));
  if (index == 1) return loadRelaxed32(slot + offsetof<Slot>("hold1"));
  index -= 2;
  // Not relaxed: what the list contained before it was this object's must not be seen.
  let list: usize = load32(slot + offsetof<Slot>("link"));
  while (list != 0) {
    let count: u32 = 0;
    while (count < HOLD_LIST_ENTRIES && loadRelaxed32(noteAt(list, count)) != 0) count++;
    if (index < count) return loadRelaxed32(noteAt(list, index));
    index -= count;
    list = load32(list + offsetof<HoldList>("link"));
  }
  return 0;
}

/** Drops all holds of an object. Its targets are alive: a user of theirs goes only here. Context: the caller owns the object. */
export function dropHolds(slot: usize): void {
  const object = changetype<Slot>(slot);
  const file = fileOfSlot(slot);
  dropHold(slot + offsetof<Slot>("hold0"), file);
  dropHold(slot + offsetof<Slot>("hold1"), file);
  while (object.link != 0) {
    const list: usize = object.link;
    for (let index: u32 = 0; index < HOLD_LIST_ENTRIES; index++) dropHold(noteAt(list, index), file);
    store<u32>(handList(), <u32>list);
    object.link = changetype<HoldList>(list).link;
    slabFree(HOLD_LIST_CLASS, list, handList());
  }
}

/** The holds of an object of a poisoned file: only the memory of its lists is given back. */
export function forgetHolds(slot: usize): void {
  const object = changetype<Slot>(slot);
  const identity = changetype<Identity>(IDENTITY);
  while (object.link >= identity.heap && object.link < identity.bytes && (object.link & 7) == 0) {
    const list: usize = object.link;
    store<u32>(handList(), <u32>list);
    object.link = changetype<HoldList>(list).link;
    slabFree(HOLD_LIST_CLASS, list, handList());
  }
}

/** Context: as holdEntry, or the object is the caller's. */
export function dropHold(note: usize, file: usize): void {
  const entry: usize = load<u32>(note);
  if (entry == 0) return;
  const id = changetype<Slot>(slotOf(entry)).id; // the hold keeps the object, so its slot is its own
  const word = beginChange(entry);
  changeNote(note, 0);
  endChange(entry, minusUser(word));
  warnMinus(word, file, id);
}

/** The reserved object takes a kept user over. Return: 0; -EINVAL for a bad handle or no such user; -ENOMEM; -EIO. */
export function holdReference(file: usize, handle: u32, id: u32, serial: f64): i32 {
  const record = findRecord(handle, file, RECORD_RESERVED);
  if (record == 0) return -EINVAL;
  if (isPoisoned(file)) return -EIO;
  const slot = slotOf(changetype<HoldRecord>(record).target);
  lock(tableLockOf(file), RANK_TABLE);
  const entry = findKept(file, id, serial);
  const result = entry == 0 ? -EINVAL : takeOver(entry, slot);
  unlock(tableLockOf(file), RANK_TABLE);
  return result;
}

/** Context: table lock held. Return: as holdReference. */
function takeOver(entry: usize, slot: usize): i32 {
  const note = freeNote(slot);
  if (note == 0) return -ENOMEM;
  const word = beginChange(entry);
  const kept = changetype<Entry>(entry).kept;
  if (kept != 0) {
    changeKept(entry, kept - 1);
    changeNote(note, entry);
  }
  endChange(entry, word);
  return kept == 0 ? -EINVAL : 0;
}

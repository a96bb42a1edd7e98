// SPDX-License-Identifier: GPL-2.0-only
/**
 * Holds: users references that an object keeps on others until it is destroyed. They are the edges of the graph.
 *
 * The first two fit into the slot, more go to lists of their own slab class. A hold is added while its owner is reserved
 * and belongs to one thread; afterwards the lists do not change until the object has left the table.
 *
 * Kernel counterpart: the pointers between iommufd objects, each with a refcount_inc(&obj->users).
 */
import { add32 } from "./atomics";
import { EINVAL, ENOMEM } from "../errno";
import { findKept, takeKept } from "./kept";
import { Entry, HOLD_LIST_ENTRIES, HoldList, HoldRecord, RECORD_LOCKED, RECORD_RESERVED, Slot } from "./memory-map";
import { RANK_TABLE, lock, unlock } from "./mutex";
import { decrementUsers, incrementUsers } from "./refcount";
import { HOLD_LIST_CLASS } from "./registry";
import { slabAlloc, slabFree } from "./slab";
import { findRecord } from "./thread";
import { slotOf, tableLockOf } from "./xarray";

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
  return list + (index < 5 ? offsetof<HoldList>("hold0") + index * 4 : offsetof<HoldList>("hold5"));
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

/** The reserved object takes a kept user over. Return: 0; -EINVAL for a bad handle or no such user; -ENOMEM. */
export function holdReference(file: usize, handle: u32, id: u32, serial: f64): i32 {
  const record = findRecord(handle, file, RECORD_RESERVED);
  if (record == 0) return -EINVAL;
  lock(tableLockOf(file), RANK_TABLE);
  const entry = findKept(file, id, serial);
  let result = entry == 0 ? -EINVAL : takeKept(entry);
  if (result == 0 && !addHold(slotOf(changetype<HoldRecord>(record).target), entry)) {
    add32(entry + offsetof<Entry>("kept"), 1);
    result = -ENOMEM;
  }
  unlock(tableLockOf(file), RANK_TABLE);
  return result;
}

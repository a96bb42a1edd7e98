// SPDX-License-Identifier: GPL-2.0-only
/**
 * Kept users: references that putKeepUser left behind, which belong to the context and not to a thread.
 *
 * A reference names its object by ID and serial, so that it never reaches a later object of the same ID. (A serial is a
 * JavaScript number for the bindings: exact up to 2^53.)
 *
 * Entry.kept counts them, and changes together with the state word (change.ts). Who finds the object by ID and serial holds the
 * table lock, so that it cannot leave the table meanwhile.
 *
 * Kernel counterpart: the refcount_dec(&obj->users) of a driver that kept a reference.
 */
import { beginChange, changeKept, endChange } from "./change";
import { EINVAL, EIO } from "../errno";
import { fileEnter, fileLeave, isPoisoned, refusal } from "./file";
import { Entry, HoldRecord, RECORD_LOCKED, Slot } from "./memory-map";
import { RANK_TABLE, lock, unlock } from "./mutex";
import { PHASE_LIVE, minusUser, phaseOf, settled, warnMinus } from "./refcount";
import { serialOfSlot } from "./slot";
import { findRecord } from "./thread";
import { slotOf, tableLockOf, xaEntry } from "./xarray";

/** Drops one kept user of a locked object. Return: 0; -EINVAL for a bad handle or when none is kept; -EIO. */
export function dropUser(file: usize, handle: u32): i32 {
  const record = findRecord(handle, file, RECORD_LOCKED);
  if (record == 0) return -EINVAL;
  if (isPoisoned(file)) return -EIO;
  const entry: usize = changetype<HoldRecord>(record).target;
  return dropKept(entry, file, changetype<Slot>(slotOf(entry)).id);
}

/** refcount_dec() of a kept user. Context: the object cannot leave the table. Return: 0, or -EINVAL when none is kept. */
export function dropKept(entry: usize, file: usize, id: u32): i32 {
  const word = beginChange(entry);
  const kept = changetype<Entry>(entry).kept;
  if (kept == 0) {
    endChange(entry, word);
    return -EINVAL;
  }
  changeKept(entry, kept - 1);
  endChange(entry, minusUser(word));
  warnMinus(word, file, id);
  return 0;
}

/** Context: table lock held. Return: the entry of the object with that serial, on which a reference was kept, or 0. */
export function findKept(file: usize, id: u32, serial: f64): usize {
  const entry = xaEntry(file, id);
  if (phaseOf(settled(entry)) != PHASE_LIVE) return 0;
  return <f64>serialOfSlot(slotOf(entry)) == serial ? entry : 0;
}

/** Drops a reference. Return: 0; -EBADF when the file is gone; -EINVAL when no such user is kept any more; -EIO. */
export function dropReference(file: usize, expected: u32, id: u32, serial: f64): i32 {
  if (!fileEnter(file, expected)) return refusal(file, expected);
  lock(tableLockOf(file), RANK_TABLE);
  const entry = findKept(file, id, serial);
  const result = entry == 0 ? -EINVAL : dropKept(entry, file, id);
  unlock(tableLockOf(file), RANK_TABLE);
  fileLeave(file);
  return result;
}

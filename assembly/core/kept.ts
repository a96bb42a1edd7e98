// SPDX-License-Identifier: GPL-2.0-only
/**
 * Kept users: references that putKeepUser left behind, which belong to the context and not to a thread.
 *
 * A reference names its object by ID and serial, so that it never reaches a later object of the same ID. (A serial is a
 * JavaScript number for the bindings: exact up to 2^53.)
 *
 * Entry.kept counts them. It is lowered under the table lock only, together with the question whether the entry still is the
 * object that the user was kept on; raising it needs no lock, since who raises it owns the user.
 *
 * Kernel counterpart: the refcount_dec(&obj->users) of a driver that kept a reference.
 */
import { add32, load32, load64 } from "./atomics";
import { EBADF, EINVAL } from "../errno";
import { fileEnter, fileLeave } from "./file";
import { Entry, HoldRecord, RECORD_LOCKED, Slot } from "./memory-map";
import { RANK_TABLE, lock, unlock } from "./mutex";
import { PHASE_LIVE, decrementUsers, phaseOf } from "./refcount";
import { findRecord } from "./thread";
import { slotOf, tableLockOf, xaLoad } from "./xarray";

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

/** Context: table lock held. Return: the entry of the object with that serial, on which a reference was kept, or 0. */
export function findKept(file: usize, id: u32, serial: f64): usize {
  const entry = xaLoad(file, id);
  if (phaseOf(load64(entry)) != PHASE_LIVE) return 0;
  return <f64>changetype<Slot>(slotOf(entry)).serial == serial ? entry : 0;
}

/** refcount_dec() of a kept user. Return: 0; -EBADF when the file is gone; -EINVAL when no such user is kept any more. */
export function dropReference(file: usize, expected: u32, id: u32, serial: f64): i32 {
  if (!fileEnter(file, expected)) return -EBADF;
  lock(tableLockOf(file), RANK_TABLE);
  const entry = findKept(file, id, serial);
  const result = entry == 0 ? -EINVAL : takeKept(entry);
  if (result == 0) decrementUsers(entry, file, id);
  unlock(tableLockOf(file), RANK_TABLE);
  fileLeave(file);
  return result;
}

// SPDX-License-Identifier: GPL-2.0-only
/**
 * Objects that have an owner outside of the table from their birth to their end (keeper.ts).
 *
 *   allocOwned     reserves the object and takes a row for its owner
 *   publishOwned   the object is published with the owner's user, then the row is open; cannot fail for want of anything
 *   abortOwned     undoes allocOwned
 *   endOwned       the owner is gone; who calls it has a mark, drops the user, and frees the row
 *   dropOwned      the user goes, alone or with the object
 *
 * Kernel counterpart: iommufd_object_alloc() with refcount_inc(&obj->users) and iommufd_ctx_get().
 */
import { compareExchange32, load32, store32, store64 } from "./atomics";
import { beginChange, changeKept, changeNote, endChange } from "./change";
import { EMFILE } from "../errno";
import { fileMark } from "./file";
import { claimKeeper, freeKeeper, keeperAt, keeperMaking, keeperState, keptBy, openKeeper } from "./keeper";
import {
  Entry,
  HoldRecord,
  KEEPER_MASK,
  KEEPER_OPEN,
  Keeper,
  MAX_KEEPERS,
  SLOT_PAYLOAD,
  Slot,
  Thread,
} from "./memory-map";
import { RANK_TABLE, lock, unlock } from "./mutex";
import { abort, alloc, finalize, freeObject, keepUserOfReserved } from "./object";
import { freedWord, minusUser, usersOf } from "./refcount";
import { classOfType } from "./registry";
import { serialOfSlot } from "./slot";
import { clearHand, current, recordOf, setHand } from "./thread";
import { slotOf, tableLockOf, xaErase } from "./xarray";

/** Return: the handle of the reservation, and the row in result0; -EMFILE when all rows are taken; the errors of alloc. */
export function allocOwned(file: usize, expected: u32, type: u32): i32 {
  const handle = alloc(file, expected, type);
  if (handle < 0) return handle;
  const number = claimKeeper(file);
  if (number == MAX_KEEPERS) {
    abort(file, handle);
    return -EMFILE;
  }
  const slot = slotOf(changetype<HoldRecord>(recordOf(handle)).target);
  const thread = changetype<Thread>(current());
  const row = changetype<Keeper>(keeperAt(number));
  // Who names the row's last owner may be looking.
  store32(keeperAt(number) + offsetof<Keeper>("type"), type);
  store64(keeperAt(number) + offsetof<Keeper>("serial"), serialOfSlot(slot));
  row.incarnation = thread.incarnation;
  row.payload = <u32>slot + SLOT_PAYLOAD;
  store32(keeperAt(number) + offsetof<Keeper>("id"), changetype<Slot>(slot).id); // last: from here on the others are right
  thread.result0 = <u32>keeperAt(number);
  return handle;
}

export function abortOwned(file: usize, handle: u32, row: usize): void {
  freeKeeper(row);
  abort(file, handle);
}

/** Return: 0; -EIO, and there is neither object nor owner. */
export function publishOwned(file: usize, handle: u32, row: usize): i32 {
  keepUserOfReserved(file, handle);
  const result = finalize(file, handle);
  if (result < 0) freeKeeper(row);
  else openKeeper(row, file);
  return min(result, 0);
}

/**
 * Marks the file that an open row keeps.
 *
 * Return: the row's state, for endOwned; 0: somebody else has ended it, and nothing is marked.
 */
export function markOwned(row: usize): u32 {
  const state = load32(keeperState(row));
  if ((state & KEEPER_MASK) != KEEPER_OPEN) return 0;
  fileMark(keptBy(state));
  return state;
}

/**
 * Takes the row away from its owner. Context: the caller has marked the file that `state` names, and frees the row in the end.
 *
 * Return: false when somebody else was faster.
 */
export function endOwned(row: usize, state: u32): bool {
  if ((state & KEEPER_MASK) != KEEPER_OPEN) return false;
  return compareExchange32(keeperState(row), state, keeperMaking(keptBy(state))) == state;
}

/**
 * Drops the owner's user, if it is not gone already. `destroys`: the object goes with it, unless somebody else uses it. All of that and the
 * note in the row is one change: so who ends the row of a dead thread drops no other's user, and nobody takes the object in between.
 *
 * Context: the row is this thread's, its file is whole and marked, and `entry` is the object's, which is published.
 */
export function dropOwned(file: usize, row: usize, entry: usize, destroys: bool): void {
  const owned = changetype<Keeper>(row);
  const slot = slotOf(entry);
  lock(tableLockOf(file), RANK_TABLE);
  setHand(slot, classOfType(owned.type));
  const word = beginChange(entry);
  const own = u32(owned.payload != 0);
  const goes = destroys && usersOf(word) == own + 1; // the table's is the other one
  changeKept(entry, changetype<Entry>(entry).kept - own);
  changeNote(row + offsetof<Keeper>("payload"), 0);
  endChange(entry, goes ? freedWord(word) : own != 0 ? minusUser(word) : word);
  if (goes) xaErase(file, owned.id);
  else clearHand();
  unlock(tableLockOf(file), RANK_TABLE);
  if (goes) freeObject(slot);
}

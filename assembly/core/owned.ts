// SPDX-License-Identifier: GPL-2.0-only
/**
 * Objects that have an owner outside of the table from their birth to their end (keeper.ts).
 *
 *   allocOwned     reserves the object and takes a row for its owner
 *   publishOwned   the object is published with the owner's user, then the row keeps the file; cannot fail for want of anything
 *   abortOwned     undoes allocOwned
 *   endOwned       the owner is gone; who calls it has a mark, drops the user, and frees the row
 *
 * Kernel counterpart: iommufd_object_alloc() with refcount_inc(&obj->users) and iommufd_ctx_get().
 */
import { compareExchange32, load32, load64, store32, store64 } from "./atomics";
import { EMFILE } from "../errno";
import { fileMark, isPoisoned } from "./file";
import { dropKept, findKept } from "./kept";
import { claimKeeper, freeKeeper, keeperAt, keeperMaking, keeperState, nextKeeperMaking } from "./keeper";
import { HoldRecord, KEEPER_MASK, KEEPER_OPEN, Keeper, MAX_KEEPERS, SLOT_PAYLOAD, Slot, Thread } from "./memory-map";
import { abort, alloc, finalize, keepUserOfReserved } from "./object";
import { freezerOf } from "./refcount";
import { serialOfSlot } from "./slot";
import { blockedByChange, current, recordOf } from "./thread";
import { slotOf, xaEntry } from "./xarray";

/** Return: the handle of the reservation, and the row in result0; -EMFILE when all rows are taken; the errors of alloc. */
export function allocOwned(file: usize, expected: u32, type: u32): i32 {
  const handle = alloc(file, expected, type);
  if (handle < 0) return handle;
  const number = claimKeeper();
  if (number == MAX_KEEPERS) {
    abort(file, handle);
    return -EMFILE;
  }
  const slot = slotOf(changetype<HoldRecord>(recordOf(handle)).target);
  const row = changetype<Keeper>(keeperAt(number));
  // Who names the row's last owner may be looking.
  store32(keeperAt(number) + offsetof<Keeper>("type"), type);
  store32(keeperAt(number) + offsetof<Keeper>("id"), changetype<Slot>(slot).id);
  store64(keeperAt(number) + offsetof<Keeper>("serial"), serialOfSlot(slot));
  row.payload = <u32>slot + SLOT_PAYLOAD;
  row.file = <u32>file;
  changetype<Thread>(current()).result0 = <u32>keeperAt(number);
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
  else store32(keeperState(row), (<u32>file) | KEEPER_OPEN);
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
  fileMark(state & ~KEEPER_MASK);
  return state;
}

/**
 * Takes the row away from its owner. Context: the caller has marked the file that `state` names, and frees the row in the end.
 *
 * Return: false when somebody else was faster.
 */
export function endOwned(row: usize, state: u32): bool {
  if ((state & KEEPER_MASK) != KEEPER_OPEN) return false;
  return compareExchange32(keeperState(row), state, keeperMaking()) == state;
}

/**
 * Ends the rows that a thread was making or closing when it died. An object that it had published by then stays, without an owner.
 *
 * Should it have died between the drop of a user and the note of it, that is taken for one that is still to be dropped; so another's
 * kept user of the same object could be lost.
 *
 * Context: acting as the dead thread, every lock is held. Return: 0; a word on which a living thread must be awaited first.
 */
export function recoverKeepers(): usize {
  for (let row = nextKeeperMaking(); row != 0; row = nextKeeperMaking()) {
    const was = changetype<Keeper>(row);
    const file: usize = was.file;
    if (file != 0 && !isPoisoned(file)) {
      const entry = xaEntry(file, was.id);
      const word = load64(entry);
      if (freezerOf(word) != 0) return blockedByChange(entry, word);
      if (findKept(file, was.id, <f64>was.serial) != 0) dropKept(entry, file, was.id);
    }
    freeKeeper(row);
  }
  return 0;
}

/** The file that an open row keeps. */
export function fileOfKeeper(row: usize): usize {
  return load32(keeperState(row)) & ~KEEPER_MASK;
}

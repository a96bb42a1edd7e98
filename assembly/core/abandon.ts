// SPDX-License-Identifier: GPL-2.0-only
/**
 * The end of owners (owned.ts) whose thread leaves or has died: an access ends as if its driver had gone, and had let go of all that it had.
 *
 *   1. under the space's lock: the row is MAKING, so every later call with its numbers is EBADF; all pins go with their charges; the
 *      access leaves its address space, whose user is dropped
 *   2. in one change of the object's state word: the owner's user goes; if nobody else uses the object, that too
 *   3. the row is free, and does not keep the file any more: who asks for its release next, wins it
 *
 * An object that somebody else uses at that moment, by a lock or a kept user, stays without an owner: as after EBUSY of
 * iommufd_object_destroy_user(), IOMMU_DESTROY or the end of the file takes it. Nobody waits for a lock here, because who has it may wait for
 * the reaper.
 *
 * A reaper does the same in a dead thread's name, with all locks held:
 *
 *   UNMAP          looks at an area's pins, under the space's lock: it sees all of an access' pins or none
 *   DESTROY        of the access: EBUSY as long as step 2 has not happened, ENOENT afterwards; both need the table's lock. Of its
 *                  address space: EBUSY as long as step 1 has not
 *   close          of the number, or of the file's other owners: rows keep their file until they are free, so no release begins before; the
 *                  dead thread's mark stays until the reaper asks each file (reap.ts), and so one of them wins it
 *   another reaper of the same thread waits; one of another thread has all locks, or none
 *   its own death  the dead thread has died a little later: in 1 it has the lock, and the file is poisoned; 2 happened or not, and the
 *                  row tells (Keeper.payload); then the row is still this thread's
 *
 * A thread may have died while it made a row: then the object is reserved, and goes with its reservation, or published, and goes here. A poisoned
 * file's objects and pins are left to its release; only the row is freed.
 *
 * The file of a fault queue is an open file of the process: it stays, but for one that the thread was making or closing.
 *
 * Kernel counterpart: what a driver does when it is unbound, iommufd_access_unpin_pages() and iommufd_access_destroy().
 */
import { detach, noteOf } from "./access";
import { unpinEverything } from "./access_pin";
import { lockSpace, unlockSpace } from "./arena";
import { load32, load64, store32 } from "./atomics";
import { fileLeave, fileMark, isPoisoned } from "./file";
import { findKept } from "./kept";
import { freeKeeper, keeperMaking, keeperState, keptBy, ownKeeper } from "./keeper";
import { Access, Keeper, SLOT_PAYLOAD, TYPE_ACCESS } from "./memory-map";
import { dropOwned } from "./owned";
import { freezerOf } from "./refcount";
import { blockedByChange } from "./thread";
import { slotOf, xaEntry } from "./xarray";

/** Ends an access of the calling thread, which leaves and is in no copy. Return: whether there was one. */
export function abandonNext(): bool {
  const row = ownKeeper();
  if (row == 0) return false;
  const file = fileOf(row);
  abandon(file, row);
  fileLeave(file);
  return true;
}

/**
 * Ends the accesses of a dead thread, and the rows that it was making or ending.
 *
 * Context: acting as that thread, every lock is held, and it has no record any more. Return: 0; a word on which a living thread must be
 * awaited first.
 */
export function recoverOwners(): usize {
  for (let row = ownKeeper(); row != 0; row = ownKeeper()) {
    const file = fileOf(row);
    const blocked = frozenFor(file, row);
    if (blocked != 0) return blocked;
    abandon(file, row);
  }
  return 0;
}

function fileOf(row: usize): usize {
  return keptBy(load32(keeperState(row)));
}

/** Whether there may be an object that is the owner's, and can be trusted. */
function mayHaveObject(file: usize, row: usize): bool {
  return changetype<Keeper>(row).id != 0 && !isPoisoned(file);
}

/** Return: the word of an object that is to be changed and that another thread changes now, seen by blockedBy; 0 when there is none. */
function frozenFor(file: usize, row: usize): usize {
  if (!mayHaveObject(file, row)) return 0;
  const owned = changetype<Keeper>(row);
  const blocked = frozen(xaEntry(file, owned.id));
  if (blocked != 0 || owned.type != TYPE_ACCESS) return blocked;
  const entry = findKept(file, owned.id, <f64>owned.serial);
  const space: usize = entry == 0 ? 0 : load<u32>(noteOf(slotOf(entry) + SLOT_PAYLOAD));
  return space == 0 ? 0 : frozen(space);
}

function frozen(entry: usize): usize {
  const word = load64(entry);
  return freezerOf(word) == 0 ? 0 : blockedByChange(entry, word);
}

/** Context: the row is this thread's. The file's mark is the caller's to take back. */
function abandon(file: usize, row: usize): void {
  const owned = changetype<Keeper>(row);
  fileMark(file);
  const entry = mayHaveObject(file, row) ? findKept(file, owned.id, <f64>owned.serial) : 0;
  if (entry != 0) {
    const isAccess = owned.type == TYPE_ACCESS;
    if (isAccess) letGo(file, row, slotOf(entry) + SLOT_PAYLOAD);
    if (!isPoisoned(file)) dropOwned(file, row, entry, isAccess);
  }
  freeKeeper(row);
}

function letGo(file: usize, row: usize, access: usize): void {
  lockSpace(file);
  store32(keeperState(row), keeperMaking(file));
  if (!isPoisoned(file)) {
    unpinEverything(file, changetype<Access>(access));
    detach(file, access);
  }
  unlockSpace(file);
}

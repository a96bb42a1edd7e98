// SPDX-License-Identifier: GPL-2.0-only
/**
 * Owners of objects outside of the ID table: the open file of a fault queue, the driver that has an access.
 *
 * An owner has a user of its object, so DESTROY is EBUSY, and keeps the context's file: closing the number of /dev/iommu releases
 * nothing before the last owner is gone.
 *
 * A row goes free → MAKING → OPEN → MAKING → free, and a destroy that is given up makes it OPEN again. In each state but the first it names
 * the context's file, and keeps it: whoever asks whether a file is in use looks at the marks first and then at the rows. Who makes a row has a
 * mark from before until after it is OPEN, so one of the two is seen. Who ends one has a mark until after it is free, and then asks by
 * himself.
 *
 * MAKING also names the thread whose call makes or ends the row. OPEN names the owner of an access, which is a thread: the driver is
 * code, whose state goes with its thread. The file of a fault queue is an open file, which any thread may use and close.
 *
 * If a thread dies: rows that name it end (abandon.ts).
 *
 * Kernel counterpart: iommufd_ctx_get() and refcount_inc(&obj->users), of iommufd_fault_alloc() and iommufd_access_create().
 */
import { compareExchange32, load32, store32 } from "./atomics";
import { mayFail } from "./faults";
import {
  FAULT_FILE,
  KEEPERS,
  KEEPER_FILE,
  KEEPER_MAKING,
  KEEPER_MASK,
  KEEPER_NAME_SHIFT,
  KEEPER_OPEN,
  KEEPER_STATE,
  Keeper,
  KeeperState,
  MAX_KEEPERS,
  TYPE_ACCESS,
  Thread,
} from "./memory-map";
import { current, nameOfThread } from "./thread";

const LIMIT: usize = KEEPER_STATE + offsetof<KeeperState>("limit");

// @ts-ignore: a decorator on a function
@inline export function keeperAt(number: u32): usize {
  return KEEPERS + number * offsetof<Keeper>();
}
// @ts-ignore: a decorator on a function
@inline export function keeperState(row: usize): usize {
  return row + offsetof<Keeper>("state");
}

/** The file that a row in this state keeps. */
// @ts-ignore: a decorator on a function
@inline export function keptBy(state: u32): usize {
  return state & KEEPER_FILE;
}

function ownState(file: usize, phase: u32): u32 {
  return (nameOfThread(current()) << KEEPER_NAME_SHIFT) | (<u32>file) | phase;
}

/** What a row holds that this thread is making or ending. */
export function keeperMaking(file: usize): u32 {
  return ownState(file, KEEPER_MAKING);
}

/** The owner is there: this thread, if it is an access'. Context: this thread was making or ending the row. */
export function openKeeper(row: usize, file: usize): void {
  const isThread = changetype<Keeper>(row).type == TYPE_ACCESS;
  store32(keeperState(row), isThread ? ownState(file, KEEPER_OPEN) : (<u32>file) | KEEPER_OPEN);
}

/** The lowest free row becomes this thread's. Return: its number; MAX_KEEPERS when there is none. */
export function claimKeeper(file: usize): u32 {
  if (mayFail(FAULT_FILE)) return MAX_KEEPERS;
  const making = keeperMaking(file);
  for (let number: u32 = 0; number < MAX_KEEPERS; number++) {
    if (load32(keeperState(keeperAt(number))) != 0) continue;
    let limit = load32(LIMIT);
    while (limit <= number) {
      compareExchange32(LIMIT, limit, number + 1);
      limit = load32(LIMIT);
    }
    if (compareExchange32(keeperState(keeperAt(number)), 0, making) == 0) return number;
  }
  return MAX_KEEPERS;
}

/** Whether an owner keeps the file. */
export function hasKeeper(file: usize): bool {
  const limit = load32(LIMIT);
  for (let number: u32 = 0; number < limit; number++) {
    if (keptBy(load32(keeperState(keeperAt(number)))) == file) return true;
  }
  return false;
}

/** Return: the row of that number if it owns an object of that type, or 0. */
export function keeperOf(number: u32, type: u32): usize {
  if (number >= MAX_KEEPERS) return 0;
  const row = keeperAt(number);
  return (load32(keeperState(row)) & KEEPER_MASK) == KEEPER_OPEN && load32(row + offsetof<Keeper>("type")) == type
    ? row
    : 0;
}

/** A row that this thread owns, or was making or ending; 0 when there is none. */
export function ownKeeper(): usize {
  const limit = load32(LIMIT);
  for (let number: u32 = 0; number < limit; number++) {
    const row = keeperAt(number);
    const state = load32(keeperState(row));
    if (state >> KEEPER_NAME_SHIFT != nameOfThread(current())) continue;
    if ((state & KEEPER_MASK) == KEEPER_MAKING || isOfThisOwner(row)) return row;
  }
  return 0;
}

/** The slot may have had other owners. */
function isOfThisOwner(row: usize): bool {
  return changetype<Keeper>(row).incarnation == changetype<Thread>(current()).incarnation;
}

/** The row whose user the destroy with that handle has, which is this thread's; 0 when it has none of a row's. */
export function waitingKeeper(handle: u32): usize {
  const limit = load32(LIMIT);
  for (let number: u32 = 0; number < limit; number++) {
    const row = keeperAt(number);
    const state = load32(keeperState(row));
    if (state == keeperMaking(keptBy(state)) && changetype<Keeper>(row).wait == handle) return row;
  }
  return 0;
}

/** The row's user is dropped, or was never kept: it is free. Context: this thread was making or ending it. */
export function freeKeeper(row: usize): void {
  store32(row + offsetof<Keeper>("id"), 0); // who names the row's last owner may be looking
  changetype<Keeper>(row).payload = 0;
  changetype<Keeper>(row).wait = 0;
  store32(keeperState(row), 0);
}

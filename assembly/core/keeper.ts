// SPDX-License-Identifier: GPL-2.0-only
/**
 * Owners of objects outside of the ID table: the open file of a fault queue, the driver that has an access.
 *
 * An owner has a user of its object, so DESTROY is EBUSY, and keeps the context's file: closing the number of /dev/iommu releases
 * nothing before the last owner is gone.
 *
 * A row goes free → MAKING → OPEN → MAKING → free. MAKING names the thread that makes or closes it, whose call has a mark on the
 * context's file. OPEN names that file, and keeps it: whoever asks whether a file is in use looks at the marks first and then at the
 * rows. A maker writes OPEN before it takes its mark back, so one of the two is seen.
 *
 * If a thread dies: a row that it was making or closing is free again, without a user on its object (owned.ts).
 *
 * Kernel counterpart: iommufd_ctx_get() and refcount_inc(&obj->users), of iommufd_fault_alloc() and iommufd_access_create().
 */
import { compareExchange32, load32, store32 } from "./atomics";
import { mayFail } from "./faults";
import {
  FAULT_FILE,
  KEEPERS,
  KEEPER_MAKING,
  KEEPER_MASK,
  KEEPER_OPEN,
  KEEPER_STATE,
  Keeper,
  KeeperState,
  MAX_KEEPERS,
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

/** What a row holds that this thread is making or closing. */
export function keeperMaking(): u32 {
  return (nameOfThread(current()) << 2) | KEEPER_MAKING;
}

/** The lowest free row becomes this thread's. Return: its number; MAX_KEEPERS when there is none. */
export function claimKeeper(): u32 {
  if (mayFail(FAULT_FILE)) return MAX_KEEPERS;
  const making = keeperMaking();
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
    if (load32(keeperState(keeperAt(number))) == ((<u32>file) | KEEPER_OPEN)) return true;
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

/** A row that this thread was making or closing; 0 when there is none. */
export function nextKeeperMaking(): usize {
  const making = keeperMaking();
  const limit = load32(LIMIT);
  for (let number: u32 = 0; number < limit; number++) {
    if (load32(keeperState(keeperAt(number))) == making) return keeperAt(number);
  }
  return 0;
}

/** The row's user is dropped, or was never kept: it is free. Context: this thread was making or closing it. */
export function freeKeeper(row: usize): void {
  changetype<Keeper>(row).file = 0;
  store32(keeperState(row), 0);
}

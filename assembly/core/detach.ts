// SPDX-License-Identifier: GPL-2.0-only
/**
 * A thread leaves: whatever it still holds is given back, one record at a time, and reported as a leak.
 *
 * Locks are put, reservations aborted, waits given up. An object whose callback was to run is finished without it: the callback is the
 * bindings' business, and they run it before the record can be found here. Then its accesses end, which is no leak: drivers may go.
 */
import { abandonNext } from "./abandon";
import { destroyCancel, destroyFinish } from "./destroy";
import { putSlowly } from "./lookup";
import {
  HoldRecord,
  RECORD_KIND_MASK,
  RECORD_LOCKED,
  RECORD_QUEUED,
  RECORD_QUEUED_KEPT,
  RECORD_RESERVED,
  RECORD_TAKEN,
  WARN_DETACH_HELD,
} from "./memory-map";
import { abort } from "./object";
import { queueFree } from "./release";
import { nextRecord, warn } from "./thread";

/**
 * Gives one leftover record or access back. The bindings call it until nothing is left, because giving back may win a release.
 *
 * Return: whether there was one.
 */
export function detachNext(): bool {
  const record = nextRecord(0);
  if (record == 0) return abandonNext();
  warn(WARN_DETACH_HELD, changetype<HoldRecord>(record).fileKind & ~RECORD_KIND_MASK, 0);
  giveBack(record);
  return true;
}

/** Gives one thing back. Context: it is none whose callback is to be run. */
export function giveBack(record: usize): void {
  const held = changetype<HoldRecord>(record);
  const file: usize = held.fileKind & ~RECORD_KIND_MASK;
  const kind = held.fileKind & RECORD_KIND_MASK;
  if (kind == RECORD_LOCKED) putSlowly(file, held.handle);
  else if (kind == RECORD_RESERVED) abort(file, held.handle);
  else if (kind == RECORD_QUEUED || kind == RECORD_QUEUED_KEPT) destroyCancel(file, held.handle);
  else if (kind == RECORD_TAKEN) queueFree(held.handle);
  else destroyFinish(file, held.handle);
}

// SPDX-License-Identifier: GPL-2.0-only
/**
 * Looking without touching: a snapshot of one entry, for tools, for statistics and for tests.
 *
 * Taken under the table lock: no object that is in the table can be freed meanwhile, so its slot may be read. The counts
 * are one atomic read of the word; the references of an object that is still reserved are those added so far.
 */
import { ENOENT } from "../errno";
import { fileEnter, fileLeave, refusal } from "./file";
import { holdOf } from "./hold";
import { COMMAND_BYTES, Slot, THREAD_WINDOW } from "./memory-map";
import { RANK_TABLE, lock, unlock } from "./mutex";
import { PHASE_LIVE, PHASE_RESERVED, destroyersOf, holdersOf, phaseOf, settled, typeOf, usersOf } from "./refcount";
import { current } from "./thread";
import { slotOf, tableLockOf, xaEntry, xaNext } from "./xarray";

/** What inspect leaves in the window. */
@unmanaged
export class Snapshot {
  id: u32;
  type: u32;
  /** PHASE_* of refcount.ts. */
  phase: u32;
  users: u32;
  holders: u32;
  destroyers: u32;
  /** IDs of the objects it holds: how many follow, as far as the window has room. */
  references: u32;
}
export const SNAPSHOT_REFERENCES: u32 = offsetof<Snapshot>();
const MAX_REFERENCES: u32 = (COMMAND_BYTES - SNAPSHOT_REFERENCES) / 4;

/**
 * Describes one object in the window.
 *
 * `exact`: the one with that ID, if it is published; else the first that is not free at or above it. `skip` references are left
 * out, so that long lists can be read in parts. Return: 0; -EBADF, -EIO; -ENOENT.
 */
export function inspect(file: usize, expected: u32, id: u32, exact: bool, skip: u32): i32 {
  if (!fileEnter(file, expected)) return refusal(file, expected);
  lock(tableLockOf(file), RANK_TABLE);
  if (!exact) id = xaNext(file, id);
  const entry = xaEntry(file, id);
  const word = settled(entry);
  const phase = phaseOf(word);
  const found = exact ? phase == PHASE_LIVE : phase >= PHASE_RESERVED;
  if (found) describeEntry(entry, word, id, skip);
  unlock(tableLockOf(file), RANK_TABLE);
  fileLeave(file);
  return found ? 0 : -ENOENT;
}

/** Context: table lock held. */
function describeEntry(entry: usize, word: u64, id: u32, skip: u32): void {
  const window = current() + THREAD_WINDOW;
  const slot = slotOf(entry);
  const snapshot = changetype<Snapshot>(window);
  snapshot.id = id;
  snapshot.type = typeOf(word);
  snapshot.phase = phaseOf(word);
  snapshot.users = usersOf(word);
  snapshot.holders = holdersOf(word);
  snapshot.destroyers = destroyersOf(word);
  let count: u32 = 0;
  for (let target = holdOf(slot, skip); target != 0 && count < MAX_REFERENCES; target = holdOf(slot, skip + count)) {
    store<u32>(window + SNAPSHOT_REFERENCES + count * 4, changetype<Slot>(slotOf(target)).id);
    count++;
  }
  snapshot.references = count;
}

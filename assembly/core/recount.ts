// SPDX-License-Identifier: GPL-2.0-only
/**
 * How many hold an object, counted anew: after a thread died with a BUSY record, its share of the state word is not certain.
 *
 * The entry is frozen, so no swap of it can happen. Then each living thread's record says for certain whether it has the object
 * (LOCKED) or waits for it (QUEUED): whoever was in the middle of a swap has a BUSY record from before it, and is waited for. What
 * the word has beyond that sum is the dead's, and is taken off, with as many users.
 *
 * Why a living thread's record may be read while it runs, its kind first and then its target: what it says of the entry changes with a
 * swap of the entry only, and none succeeds now. Nor does a record come to speak of the entry between the two looks: it is announced
 * for it after the word was looked at, so by a thread that had it free before the freezing, and then the kind was BUSY or FREE. A record
 * that is BUSY for the frozen entry either succeeded before the freezing and is about to say so, or fails and is withdrawn.
 *
 * Kernel counterpart: none.
 */
import { load32, load64, loadRelaxed64, storeRelaxed64 } from "./atomics";
import { endChange, freeze } from "./change";
import { MODEL_BUILD } from "./config";
import {
  Entry,
  HoldRecord,
  MAX_RECORDS,
  MAX_THREADS,
  RECORD_BUSY,
  RECORD_FREE,
  RECORD_KIND_MASK,
  RECORD_LOCKED,
  RECORD_QUEUED,
  RECORD_QUEUED_KEPT,
  THREADS,
  THREAD_BYTES,
  THREAD_DEAD,
  THREAD_FREE,
  THREAD_RECORDS,
  Thread,
} from "./memory-map";
import { DESTROYER, HOLDER, PHASE_LIVE, destroyersOf, freezerOf, holdersOf, minusUser, phaseOf } from "./refcount";
import { blockedBy, blockedByChange } from "./thread";

/** All records are counted, or the reaper has to wait, or the word does not fit the records. */
export const COUNTED: usize = 0;
export const INCONSISTENT: usize = 1;

/** Looks at a living thread's BUSY record before the reaper lets others run. */
const LOOKS: u32 = MODEL_BUILD ? 1 : 1000;

/**
 * Makes the word of `entry` what living threads hold, and ends the dead ones' BUSY records on it.
 *
 * Context: acting as a dead thread that holds every lock. Return: COUNTED; INCONSISTENT; or the address of a word of a living
 * thread that must change first.
 */
export function recount(entry: usize): usize {
  const dead = deadThreads();
  let word: u64;
  do {
    word = load64(entry);
    // Not published: then nobody holds it, and the dead thread's swap failed or was undone by all that came after it.
    if (phaseOf(word) != PHASE_LIVE) {
      endBusy(entry, dead);
      return COUNTED;
    }
    if (freezerOf(word) != 0) return blockedByChange(entry, word);
  } while (!freeze(entry, word));
  let holders: u32 = 0;
  let destroyers: u32 = 0;
  let busy: u32 = 0;
  for (let number: u32 = 0; number < MAX_THREADS; number++) {
    const thread = THREADS + number * THREAD_BYTES;
    const state = load32(thread + offsetof<Thread>("state"));
    if (state == THREAD_FREE) continue;
    const isDead = ((dead >> number) & 1) != 0;
    for (let index: u32 = 0; index < MAX_RECORDS; index++) {
      const record = thread + THREAD_RECORDS + index * offsetof<HoldRecord>();
      const kind = kindFor(record, entry, !isDead);
      if (kind == RECORD_LOCKED) holders++;
      else if (kind == RECORD_QUEUED || kind == RECORD_QUEUED_KEPT) destroyers++;
      else if (kind == RECORD_BUSY && !isDead) {
        endChange(entry, word);
        return blockedByRecord(record + offsetof<HoldRecord>("fileKind"));
      } else if (kind == RECORD_BUSY) busy++;
    }
  }
  const surplus = holdersOf(word) + destroyersOf(word) - holders - destroyers;
  if (holdersOf(word) < holders || destroyersOf(word) < destroyers || surplus > busy) {
    endChange(entry, word);
    return INCONSISTENT;
  }
  let next = word - (holdersOf(word) - holders) * HOLDER - (destroyersOf(word) - destroyers) * DESTROYER;
  for (let count: u32 = 0; count < surplus; count++) next = minusUser(next);
  endChange(entry, next);
  endBusy(entry, dead);
  return COUNTED;
}

/** A living thread's record was BUSY; if it is not any more the reaper looks again at once. */
function blockedByRecord(at: usize): usize {
  const fileKind = load32(at);
  return blockedBy(at, (fileKind & RECORD_KIND_MASK) == RECORD_BUSY ? fileKind : ~fileKind);
}

/** What the record says about `entry`: its kind, RECORD_FREE when it is about something else. */
function kindFor(record: usize, entry: usize, isLiving: bool): u32 {
  for (let look: u32 = 0; look < LOOKS; look++) {
    const kind = load32(record + offsetof<HoldRecord>("fileKind")) & RECORD_KIND_MASK;
    if (kind == RECORD_FREE || load32(record + offsetof<HoldRecord>("target")) != <u32>entry) return RECORD_FREE;
    if (kind != RECORD_BUSY || !isLiving) return kind;
  }
  return RECORD_BUSY;
}

/**
 * Bit n: thread n is known to be dead. Asked once, before the freezing: one that dies later may swap between the thaw and its death, so
 * its record is not settled by this count.
 */
function deadThreads(): u64 {
  let dead: u64 = 0;
  for (let number: u32 = 0; number < MAX_THREADS; number++) {
    const state = load32(THREADS + number * THREAD_BYTES + offsetof<Thread>("state"));
    if (state == THREAD_DEAD) dead |= (<u64>1) << number;
  }
  return dead;
}

/** The BUSY records on the entry of the threads in `dead` are settled. */
function endBusy(entry: usize, dead: u64): void {
  for (let number: u32 = 0; number < MAX_THREADS; number++) {
    const thread = THREADS + number * THREAD_BYTES;
    if (((dead >> number) & 1) == 0) continue;
    for (let index: u32 = 0; index < MAX_RECORDS; index++) {
      const record = thread + THREAD_RECORDS + index * offsetof<HoldRecord>();
      const at = record + offsetof<HoldRecord>("fileKind");
      const name = loadRelaxed64(at);
      if (((<u32>name) & RECORD_KIND_MASK) != RECORD_BUSY || changetype<HoldRecord>(record).target != <u32>entry)
        continue;
      storeRelaxed64(at, (name >> 32) << 32);
    }
  }
}

// SPDX-License-Identifier: GPL-2.0-only
/**
 * The calling thread: its slot in the shared memory, its hold records and its marks.
 *
 * A record stands for one thing that the thread must give back (a lock, a reservation, a wait, a dying object). Records
 * and everything else in the slot are written by their owner only, so plain loads and stores do; the marks are the
 * exception, because close reads them while their owner runs (file.ts has the argument).
 *
 * A handle names one use of one record: the record keeps the handle of its current use, and takes the next generation
 * when it is freed. A handle that was used up, or that another thread made, therefore matches no record of this thread.
 * When a record's generations wrap it goes to the far end of the free list, so a handle comes back only after all
 * records have used up all of theirs: 16.7 million records later.
 *
 * Kernel counterpart: current, and lockdep's list of held locks.
 */
import { add32, compareExchange32, store32 } from "./atomics";
import { assertInvariant } from "./config";
import { FAULTS_BUILD, mayFail } from "./faults";
import {
  ATTENTION_WARNINGS,
  COUNTERS,
  Counters,
  FAULT_MEMORY,
  FILES,
  FILE_SHIFT,
  FIRST_FD,
  HANDLE_END,
  HANDLE_GENERATION_SHIFT,
  HANDLE_RECORD_BITS,
  HoldRecord,
  MAX_RECORDS,
  MAX_THREADS,
  MAX_THREAD_WARNINGS,
  NOBODY,
  RECORD_FREE,
  RECORD_KIND_MASK,
  THREADS,
  THREAD_ATTACHED,
  THREAD_BYTES,
  THREAD_FREE,
  THREAD_MARKS,
  THREAD_RECORDS,
  THREAD_WARNINGS,
  Thread,
  WarningRecord,
} from "./memory-map";

/** Handles of generation 1 begin here, those of the last one there. */
const FIRST_GENERATION: u32 = 1 << HANDLE_GENERATION_SHIFT;
const LAST_GENERATION: u32 = HANDLE_END - FIRST_GENERATION;

/**
 * Address of the calling thread's slot: the module's one mutable global, because each thread has its own instance. 0 until
 * attachThread, which everything that looks at it comes after; NOBODY after detachThread.
 */
let self: usize = 0;

/** Return: address of the calling thread's slot. */
// @ts-ignore: a decorator on a function
@inline export function current(): usize {
  return self;
}

/**
 * Claims a thread slot for this instance.
 *
 * Context: no other call of this instance is in progress. Return: the slot's address, 0 when all are taken.
 */
export function attachThread(mayBlock: u32): usize {
  for (let number: u32 = 0; number < MAX_THREADS; number++) {
    const slot = THREADS + number * THREAD_BYTES;
    if (compareExchange32(slot + offsetof<Thread>("state"), THREAD_FREE, THREAD_ATTACHED) != THREAD_FREE) continue;
    self = slot;
    const thread = changetype<Thread>(slot);
    thread.mayBlock = mayBlock;
    thread.attention = 0;
    thread.boundTypes = 0;
    thread.boundCommandsLow = 0;
    thread.boundCommandsHigh = 0;
    thread.warningCount = 0;
    thread.warningsLost = 0;
    thread.lockRank = 0;
    linkRecords(slot, number);
    return slot;
  }
  return 0;
}

/** Builds the free list. Handles of an earlier owner of the slot go on counting, so they stay stale. */
function linkRecords(slot: usize, number: u32): void {
  const thread = changetype<Thread>(slot);
  for (let index: u32 = 0; index < MAX_RECORDS; index++) {
    const record = changetype<HoldRecord>(slot + THREAD_RECORDS + index * offsetof<HoldRecord>());
    record.fileKind = RECORD_FREE;
    if (record.handle == 0) record.handle = FIRST_GENERATION | (number << HANDLE_RECORD_BITS) | index;
    record.next = <u32>(slot + THREAD_RECORDS + (index + 1) * offsetof<HoldRecord>());
  }
  thread.freeRecord = <u32>(slot + THREAD_RECORDS);
  thread.lastFreeRecord = <u32>(slot + THREAD_RECORDS + (MAX_RECORDS - 1) * offsetof<HoldRecord>());
  changetype<HoldRecord>(thread.lastFreeRecord).next = 0;
}

/** Context: every record was given back. */
export function detachThread(): void {
  assertInvariant(nextRecord(0) == 0);
  const slot = self;
  self = NOBODY;
  store32(slot + offsetof<Thread>("state"), THREAD_FREE);
}

// ---------------------------------------------------------------------------------------------------- records

// @ts-ignore: a decorator on a function
@inline function recordAt(index: u32): usize {
  return self + THREAD_RECORDS + index * offsetof<HoldRecord>();
}

/** Return: the record that would be taken next. */
// @ts-ignore: a decorator on a function
@inline export function peekRecord(): usize {
  return changetype<Thread>(self).freeRecord;
}

/** The last free record is never taken: the list is never empty, so its end need not be looked at when one is freed. */
// @ts-ignore: a decorator on a function
@inline export function isLastRecord(record: usize): bool {
  return FAULTS_BUILD || changetype<HoldRecord>(record).next == 0;
}

/** Return: whether takeRecord will succeed. Asked before an operation starts, so that nothing has to be undone. */
// @ts-ignore: a decorator on a function
@inline export function hasFreeRecord(): bool {
  return changetype<HoldRecord>(peekRecord()).next != 0 && !mayFail(FAULT_MEMORY);
}

/** Context: `record` is peekRecord() and not the last. Return: the handle of this use. */
// @ts-ignore: a decorator on a function
@inline export function takeThisRecord(record: usize, target: usize, file: usize, kind: u32): i32 {
  const taken = changetype<HoldRecord>(record);
  changetype<Thread>(self).freeRecord = taken.next;
  taken.target = <u32>target;
  const handle = taken.handle;
  storeNameOf(record, handle, (<u32>file) | kind);
  return handle;
}

/** Context: hasFreeRecord(). Return: the handle of the new record. */
export function takeRecord(target: usize, file: usize, kind: u32): i32 {
  return takeThisRecord(peekRecord(), target, file, kind);
}

/** Return: the record whose number is in `handle`, whatever the handle is worth. */
// @ts-ignore: a decorator on a function
@inline export function recordOf(handle: u32): usize {
  return recordAt(handle & (MAX_RECORDS - 1));
}

/** Whether `record` is in use under this handle, for a thing of that kind on that file. */
// @ts-ignore: a decorator on a function
@inline export function isRecord(record: usize, handle: u32, file: usize, kind: u32): bool {
  return load<u64>(record, offsetof<HoldRecord>("fileKind")) == nameOf(handle, (<u32>file) | kind);
}

// What a record is, and under which handle, is one 64-bit word: compared at once, and always stored at once, because a
// wide load that follows a narrow store of one half waits for the store to reach the cache.
// @ts-ignore: a decorator on a function
@inline function nameOf(handle: u32, fileKind: u32): u64 {
  return ((<u64>handle) << 32) | fileKind;
}
// @ts-ignore: a decorator on a function
@inline function storeNameOf(record: usize, handle: u32, fileKind: u32): void {
  store<u64>(record, nameOf(handle, fileKind), offsetof<HoldRecord>("fileKind"));
}

/** Return: the record that `handle` names if it is of that kind and on that file, else 0. */
export function findRecord(handle: u32, file: usize, kind: u32): usize {
  const record = recordOf(handle);
  return isRecord(record, handle, file, kind) ? record : 0;
}

/** Whether this use of a record is the last before its generations start again. */
// @ts-ignore: a decorator on a function
@inline export function isLastGeneration(handle: u32): bool {
  return handle >= LAST_GENERATION;
}

/** Ends a record's use; its handle is stale from here on. Context: not the last generation. */
// @ts-ignore: a decorator on a function
@inline export function freeRecordFirst(record: usize, handle: u32): void {
  const was = changetype<HoldRecord>(record);
  const thread = changetype<Thread>(self);
  storeNameOf(record, handle + FIRST_GENERATION, RECORD_FREE);
  was.next = thread.freeRecord;
  thread.freeRecord = <u32>record;
}

/** Ends a record's use; its handle is stale from here on. After the last generation it goes behind all others. */
export function freeRecord(record: usize): void {
  const was = changetype<HoldRecord>(record);
  if (!isLastGeneration(was.handle)) {
    freeRecordFirst(record, was.handle);
    return;
  }
  const thread = changetype<Thread>(self);
  was.fileKind = RECORD_FREE;
  was.handle = (was.handle & (FIRST_GENERATION - 1)) | FIRST_GENERATION;
  was.next = 0;
  changetype<HoldRecord>(thread.lastFreeRecord).next = <u32>record;
  thread.lastFreeRecord = <u32>record;
}

/** The same thing is now held in another way. */
// @ts-ignore: a decorator on a function
@inline export function changeRecord(record: usize, target: usize, kind: u32): void {
  const is = changetype<HoldRecord>(record);
  is.target = <u32>target;
  is.fileKind = (is.fileKind & ~RECORD_KIND_MASK) | kind;
}

/** Return: the first record in use at or behind `index`, or 0. */
export function nextRecord(index: u32): usize {
  for (; index < MAX_RECORDS; index++) {
    const record = recordAt(index);
    if (changetype<HoldRecord>(record).fileKind != RECORD_FREE) return record;
  }
  return 0;
}

/** Return: whether this thread has a record of that kind on `target`. Slow: looks at all records. */
export function holdsTarget(target: usize, kind: u32): bool {
  for (let index: u32 = 0; index < MAX_RECORDS; index++) {
    const record = changetype<HoldRecord>(recordAt(index));
    if (record.target == <u32>target && (record.fileKind & RECORD_KIND_MASK) == kind) return true;
  }
  return false;
}

// ---------------------------------------------------------------------------------------------------- marks

/** Return: address of the word that counts this thread's uses of `file`. */
// @ts-ignore: a decorator on a function
@inline export function markOf(thread: usize, file: usize): usize {
  return thread + THREAD_MARKS + ((file - FILES) >> (FILE_SHIFT - 2));
}

// ---------------------------------------------------------------------------------------------------- warnings

/** Whether the next warning's report would be lost. */
export function isWarningRingFull(): bool {
  return changetype<Thread>(self).warningCount == MAX_THREAD_WARNINGS;
}

/**
 * WARN_ON(): counts a kernel warning and leaves it for the bindings, which report it after the call. Never fails; when
 * the thread's ring is full, only the report is lost, and counted.
 */
export function warn(kind: u32, file: usize, id: u32): void {
  add32(COUNTERS + offsetof<Counters>("warnings") + kind * 4, 1);
  const thread = changetype<Thread>(self);
  thread.attention |= ATTENTION_WARNINGS;
  if (thread.warningCount == MAX_THREAD_WARNINGS) {
    thread.warningsLost++;
    return;
  }
  const at = changetype<WarningRecord>(self + THREAD_WARNINGS + thread.warningCount * offsetof<WarningRecord>());
  at.kind = kind;
  at.fd = <u32>((file - FILES) >> FILE_SHIFT) + FIRST_FD;
  at.id = id;
  thread.warningCount++;
}

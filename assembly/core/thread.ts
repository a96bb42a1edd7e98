// SPDX-License-Identifier: GPL-2.0-only
/**
 * The calling thread: its slot in the shared memory, its hold records and its marks.
 *
 * A record stands for one thing that the thread must give back (a lock, a reservation, a wait, a dying object). Records
 * and everything else in the slot are written by their owner only, so plain loads and stores do. Two kinds of words are read
 * by others meanwhile: the marks, by whoever closes a file (file.ts has the argument), and a record's target and name, by
 * whoever reaps another thread (recount.ts).
 *
 * A record is written before the state word that it speaks of is swapped: while it is BUSY, what it stands for may or may not
 * have happened. So a thread that dies leaves a record for everything that it has, and at most one of which it is not certain.
 *
 * A handle names one use of one record: the record keeps the handle of its current use, and takes the next generation
 * when it is freed. A handle that was used up, or that another thread made, therefore matches no record of this thread.
 * When a record's generations wrap it goes to the far end of the free list, so a handle comes back only after all
 * records have used up all of theirs: 16.7 million records later.
 *
 * Kernel counterpart: current, and lockdep's list of held locks.
 */
import { add32, compareExchange64, copy, load64, store32, store64, storeRelaxed32, storeRelaxed64 } from "./atomics";
import { DEBUG_BUILD, assertInvariant } from "./config";
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
  PROCESSES,
  RECORD_BUSY,
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

/** From here on this instance acts as another thread: for the one who reaps a dead one, and back. */
export function actAs(slot: usize): void {
  self = slot;
}

/** A step of a reaper cannot go on while the word is as it was seen. Return: its address. */
export function blockedBy(word: usize, seen: u32): usize {
  changetype<Thread>(self).result2 = seen;
  return word;
}

/** The same for a frozen state word: whether it is frozen stands in its upper half, while the lower may be the same before and after. */
export function blockedByChange(entry: usize, word: u64): usize {
  return blockedBy(entry + 4, <u32>(word >> 32));
}

/** Number + 1 of the thread that owns `slot`: how others' words name it. */
// @ts-ignore: a decorator on a function
@inline export function nameOfThread(slot: usize): u32 {
  return <u32>(slot - THREADS) / THREAD_BYTES + 1;
}

/** Return: the slot of the thread that a word names. Context: `name` is not 0. */
// @ts-ignore: a decorator on a function
@inline export function threadNamed(name: u32): usize {
  return THREADS + (name - 1) * THREAD_BYTES;
}

/**
 * Claims a thread slot for this instance.
 *
 * Context: no other call of this instance is in progress. Return: the slot's address, 0 when all are taken.
 */
export function attachThread(mayBlock: u32): usize {
  for (let number: u32 = 0; number < MAX_THREADS; number++) {
    const slot = THREADS + number * THREAD_BYTES;
    const state = slot + offsetof<Thread>("state");
    // As wide as the store that frees the slot: accesses of different width order nothing.
    const free = load64(state);
    if (<u32>free != THREAD_FREE || compareExchange64(state, free, free | THREAD_ATTACHED) != free) continue;
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
    thread.building = 0;
    thread.buildingLevels = 0;
    thread.windowWritten = 0;
    thread.process = <u32>PROCESSES;
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
    const first = FIRST_GENERATION | (number << HANDLE_RECORD_BITS) | index;
    storeNameOf(changetype<usize>(record), record.handle == 0 ? first : record.handle, RECORD_FREE);
    record.next = <u32>(slot + THREAD_RECORDS + (index + 1) * offsetof<HoldRecord>());
  }
  thread.freeRecord = <u32>(slot + THREAD_RECORDS);
  thread.lastFreeRecord = <u32>(slot + THREAD_RECORDS + (MAX_RECORDS - 1) * offsetof<HoldRecord>());
  changetype<HoldRecord>(thread.lastFreeRecord).next = 0;
}

/**
 * Frees the slot. Its next owner is another one: that is said in the same store, so that who dies here leaves the slot to a reaper,
 * or free.
 */
export function endIncarnation(slot: usize): void {
  store32(slot + offsetof<Thread>("process"), 0); // it names no process any more
  const next = changetype<Thread>(slot).incarnation + 1;
  store64(slot + offsetof<Thread>("state"), ((<u64>next) << 32) | THREAD_FREE);
}

/** Context: every record was given back. */
export function detachThread(): void {
  if (DEBUG_BUILD) assertInvariant(nextRecord(0) == 0);
  const slot = self;
  self = NOBODY;
  endIncarnation(slot);
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

/** The record behind `record` in the free list. */
// @ts-ignore: a decorator on a function
@inline export function nextFree(record: usize): u32 {
  return FAULTS_BUILD ? 0 : changetype<HoldRecord>(record).next;
}

/**
 * Return: whether takeRecord will succeed. Asked before an operation starts, so that nothing has to be undone. The last free record
 * is never taken: the list is never empty, so its end need not be looked at when one is freed.
 */
// @ts-ignore: a decorator on a function
@inline export function hasFreeRecord(): bool {
  return changetype<HoldRecord>(peekRecord()).next != 0 && !mayFail(FAULT_MEMORY);
}

/** What a free record is called: the handle of its next use, and no kind. Loaded as it was stored, all at once. */
// @ts-ignore: a decorator on a function
@inline export function freeNameOf(record: usize): u64 {
  return load<u64>(record, offsetof<HoldRecord>("fileKind"));
}
// @ts-ignore: a decorator on a function
@inline export function handleIn(name: u64): u32 {
  return <u32>(name >> 32);
}

// The hottest calls have a free record's name and successor in locals already: a load that follows a store of the same word must wait
// for it, and the compiler may not carry a value across an atomic operation.

/** A free record says that the state word of `target` is about to change by what it will stand for. It stays the next to take. */
// @ts-ignore: a decorator on a function
@inline export function announceRecord(record: usize, freeName: u64, target: usize, file: usize): void {
  storeRelaxed32(record + offsetof<HoldRecord>("target"), <u32>target);
  storeName(record, freeName | ((<u32>file) | RECORD_BUSY));
}

/** It came to nothing. */
// @ts-ignore: a decorator on a function
@inline export function withdrawRecord(record: usize, freeName: u64): void {
  storeName(record, freeName);
}

/** It came true. `next`: the record behind it in the free list. */
// @ts-ignore: a decorator on a function
@inline export function keepRecord(record: usize, freeName: u64, next: u32, file: usize, kind: u32): void {
  changetype<Thread>(self).freeRecord = next;
  storeName(record, freeName | ((<u32>file) | kind));
}

/** Context: hasFreeRecord(). Return: the handle of the new record. */
export function takeRecord(target: usize, file: usize, kind: u32): i32 {
  return takeRecordNow(target, file, kind);
}

/** The same without a call, for the hottest functions. */
// @ts-ignore: a decorator on a function
@inline export function takeRecordNow(target: usize, file: usize, kind: u32): i32 {
  const record = peekRecord();
  const handle = changetype<HoldRecord>(record).handle; // it may be BUSY already
  const next = changetype<HoldRecord>(record).next;
  storeRelaxed32(record + offsetof<HoldRecord>("target"), <u32>target);
  changetype<Thread>(self).freeRecord = next;
  storeNameOf(record, handle, (<u32>file) | kind);
  return handle;
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
  storeName(record, nameOf(handle, fileKind));
}
// @ts-ignore: a decorator on a function
@inline function storeName(record: usize, name: u64): void {
  storeRelaxed64(record + offsetof<HoldRecord>("fileKind"), name);
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
  storeNameOf(record, (was.handle & (FIRST_GENERATION - 1)) | FIRST_GENERATION, RECORD_FREE);
  was.next = 0;
  changetype<HoldRecord>(thread.lastFreeRecord).next = <u32>record;
  thread.lastFreeRecord = <u32>record;
}

/** The same thing is now held in another way. */
// @ts-ignore: a decorator on a function
@inline export function changeRecord(record: usize, target: usize, kind: u32): void {
  storeRelaxed32(record + offsetof<HoldRecord>("target"), <u32>target);
  nameRecord(record, kind);
}

/** The record's kind alone: BUSY around a swap of the state word, and back. */
// @ts-ignore: a decorator on a function
@inline export function nameRecord(record: usize, kind: u32): void {
  const is = changetype<HoldRecord>(record);
  storeNameOf(record, is.handle, (is.fileKind & ~RECORD_KIND_MASK) | kind);
}

/** The same for who has its handle and file at hand. */
// @ts-ignore: a decorator on a function
@inline export function renameRecord(record: usize, handle: u32, file: usize, kind: u32): void {
  storeNameOf(record, handle, (<u32>file) | kind);
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

// ---------------------------------------------------------------------------------------------------- in hand

/** Address of the word that says which slot this thread has in hand. */
// @ts-ignore: a decorator on a function
@inline export function hand(): usize {
  return self + offsetof<Thread>("hand");
}

/** `slot` | HAND_*, of that slab class. */
// @ts-ignore: a decorator on a function
@inline export function setHand(slot: usize, slab: u32): void {
  store<u64>(self, ((<u64>slab) << 32) | (<u32>slot), offsetof<Thread>("hand"));
}

/** No slot is in hand any more. The class stays: it may only change while there is none. */
// @ts-ignore: a decorator on a function
@inline export function clearHand(): void {
  changetype<Thread>(self).hand = 0;
}

/** Kernel memory or a node of `file`'s table | MEMORY_*. */
// @ts-ignore: a decorator on a function
@inline export function setHandMemory(memory: usize, file: usize): void {
  changetype<Thread>(self).handFile = <u32>file;
  changetype<Thread>(self).handMemory = <u32>memory;
}

/** No memory is in hand any more. The file stays, as the class of a slot. */
// @ts-ignore: a decorator on a function
@inline export function clearHandMemory(): void {
  changetype<Thread>(self).handMemory = 0;
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

/** Takes the reports over that another thread left; they are counted already. */
export function adoptWarnings(from: usize): void {
  const ring = changetype<Thread>(from);
  const thread = changetype<Thread>(self);
  const bytes = offsetof<WarningRecord>();
  for (let index: u32 = 0; index < ring.warningCount; index++) {
    thread.attention |= ATTENTION_WARNINGS;
    if (thread.warningCount == MAX_THREAD_WARNINGS) {
      thread.warningsLost++;
      continue;
    }
    copy(
      self + THREAD_WARNINGS + <usize>thread.warningCount * bytes,
      from + THREAD_WARNINGS + <usize>index * bytes,
      bytes,
    );
    thread.warningCount++;
  }
  ring.warningCount = 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/**
 * The file table: open, fget, close, and who may use a file when.
 *
 * A file is open by its number (phase OPEN) and may have references from fget. When neither is left it is DRAINING: calls
 * in flight go on, new ones get EBADF. When no call is in flight and no object is locked either, one thread wins the
 * release (release.ts).
 *
 * How that thread learns it, without any call writing a word that other threads write. Calls and most records count their
 * use of a file in a mark of their own thread. The argument is Dekker's:
 *
 *     a call                                   the last reference goes
 *     1. mark + 1                              1. state := DRAINING
 *     2. read state; not OPEN: undo, EBADF     2. read all marks; all zero: release
 *
 * In the one order of all atomic operations either (call 1) comes before (close 2), and the marks are not all zero; or
 * (close 1) comes before (call 2), and the call withdraws without having touched the table. Who takes a mark back
 * afterwards reads the state again, and scans himself if it is DRAINING, so the last one out always releases. Several may
 * scan at the same time; the compare-and-swap DRAINING → RELEASING picks one. A mark that is set while somebody scans
 * is of a call that will withdraw: the state was DRAINING before the scan began.
 *
 * A locked object needs no mark: get's own swap of the state word is step 1, reading the file's state after it is step 2
 * (undo: drop the lock), and the release reads every state word before it destroys anything. Where it finds a holder it
 * steps back to DRAINING, and whoever drops the last lock reads the state and takes the release up again.
 *
 * fget against close is the same pattern with `references` in the place of the marks.
 *
 * A file number is the row's number + FIRST_FD. It is free again once the release has run (Linux: at once).
 *
 * Kernel counterpart: struct file, fget(), fput(), and iommufd_fops_open().
 */
import { add32, compareExchange32, fill, load32, load64, store32 } from "./atomics";
import { EBADF, EMFILE } from "../errno";
import {
  ATTENTION_RELEASE,
  Context,
  FILES,
  FILE_BYTES,
  FILE_BY_NUMBER,
  FILE_CLOSED,
  FILE_CONTEXT,
  FILE_DRAINING,
  FILE_FREE,
  FILE_GENERATION,
  FILE_NEVER,
  FILE_OPEN,
  FILE_PHASE_MASK,
  FILE_RELEASING,
  FIRST_FD,
  File,
  MAX_FILES,
  MAX_THREADS,
  THREADS,
  THREAD_BYTES,
  Thread,
} from "./memory-map";
import { holdersOf } from "./refcount";
import { current, markOf } from "./thread";

/** The highest generation of a file. */
const LAST_GENERATION: u32 = 0x7fff_ffff & ~FILE_PHASE_MASK;

// @ts-ignore: a decorator on a function
@inline function stateOf(file: usize): usize {
  return file + offsetof<File>("state");
}
// @ts-ignore: a decorator on a function
@inline function referencesOf(file: usize): usize {
  return file + FILE_CONTEXT + offsetof<Context>("references");
}

/** open("/dev/iommu"). Return: the file's address, and its state in result0; -EMFILE when the table is full. */
export function open(): i32 {
  for (let index: u32 = 0; index < MAX_FILES; index++) {
    const file = FILES + index * FILE_BYTES;
    const state = load32(stateOf(file));
    if ((state & FILE_PHASE_MASK) != FILE_FREE) continue;
    const opened = nextGeneration(state) | FILE_OPEN;
    if (compareExchange32(stateOf(file), state, opened) != state) continue;
    changetype<Thread>(current()).result0 = opened;
    return <i32>file;
  }
  return -EMFILE;
}

/** A state stays a positive i32, and generation 0 is that of a row that was never opened. */
function nextGeneration(state: u32): u32 {
  return state >= LAST_GENERATION ? FILE_GENERATION : state + FILE_GENERATION;
}

/** Return: address of the open file with that number, or -EBADF. Takes no reference. */
export function fileByNumber(fd: i32): i32 {
  const index = <u32>(fd - <i32>FIRST_FD);
  if (index >= MAX_FILES) return -EBADF;
  const file = FILES + index * FILE_BYTES;
  return (load32(stateOf(file)) & FILE_PHASE_MASK) == FILE_OPEN ? <i32>file : -EBADF;
}

/** fget(): one more reference on an open file. Return: its state with phase CLOSED, what the referrer expects; or -EBADF. */
export function fget(file: usize): i32 {
  add32(referencesOf(file), 1);
  const state = load32(stateOf(file));
  if ((state & FILE_PHASE_MASK) == FILE_OPEN) return <i32>(state - FILE_OPEN + FILE_CLOSED);
  fput(file);
  return -EBADF;
}

/** fput(): gives back what fget took. The last one starts the release. */
export function fput(file: usize): void {
  if (add32(referencesOf(file), -1) == 1) drain(file);
}

/** close(2) on the number. Return: 0, or -EBADF when somebody else has closed it already. */
export function closeNumber(file: usize, expected: u32): i32 {
  if (expected == FILE_BY_NUMBER) expected = openStateOf(file);
  if ((expected & FILE_PHASE_MASK) != FILE_OPEN) return -EBADF;
  const closed = expected - FILE_OPEN + FILE_CLOSED;
  if (compareExchange32(stateOf(file), expected, closed) != expected) return -EBADF;
  if (load32(referencesOf(file)) == 0) drain(file);
  return 0;
}

/** The number is closed and the references may be gone: if so, no new call gets in. */
function drain(file: usize): void {
  const state = load32(stateOf(file));
  if ((state & FILE_PHASE_MASK) != FILE_CLOSED) return;
  if (load32(referencesOf(file)) != 0) return; // a later open of the row, closed while somebody refers to it
  compareExchange32(stateOf(file), state, state - FILE_CLOSED + FILE_DRAINING);
  tryRelease(file);
}

/** Wins the release if the file drains and no call is in flight; the bindings then run it. */
function tryRelease(file: usize): void {
  const state = load32(stateOf(file));
  if ((state & FILE_PHASE_MASK) != FILE_DRAINING) return;
  for (let number: u32 = 0; number < MAX_THREADS; number++) {
    if (load32(markOf(THREADS + number * THREAD_BYTES, file)) != 0) return;
  }
  if (compareExchange32(stateOf(file), state, state - FILE_DRAINING + FILE_RELEASING) != state) return;
  const thread = changetype<Thread>(current());
  thread.attention |= ATTENTION_RELEASE;
  thread.releasing = <u32>file;
}

/**
 * Marks the file as used by this thread.
 *
 * `expected` is what the caller's context stands for: a generation and the last phase in which it may be used (OPEN for a
 * number, CLOSED for a reference of fget, DRAINING for the context of a call in flight, whose own mark keeps the file), or
 * FILE_BY_NUMBER. Return: false means EBADF, and no mark.
 */
// @ts-ignore: a decorator on a function
@inline export function fileEnter(file: usize, expected: u32): bool {
  const mark = markOf(current(), file);
  store32(mark, load<u32>(mark) + 1);
  return load32(stateOf(file)) == expected || enterLater(file, expected);
}

function enterLater(file: usize, expected: u32): bool {
  const inFlight = (expected & FILE_PHASE_MASK) == FILE_DRAINING;
  if (isUsable(file, expected) && (!inFlight || load<u32>(markOf(current(), file)) > 1)) return true;
  fileLeave(file);
  return false;
}

/** Whether a context that stands for `expected` may use the file now; for one in flight only as long as its call is. */
export function isUsable(file: usize, expected: u32): bool {
  const state = load32(stateOf(file));
  const phase = state & FILE_PHASE_MASK;
  if (expected == FILE_BY_NUMBER) return phase == FILE_OPEN;
  return phase != FILE_FREE && phase <= (expected & FILE_PHASE_MASK) && (state ^ expected) <= FILE_PHASE_MASK;
}

/** For get, which cannot use a number's later file: the state that it must find again. FILE_NEVER when nothing is open. */
export function openStateOf(file: usize): u32 {
  const state = load32(stateOf(file));
  return (state & FILE_PHASE_MASK) == FILE_OPEN ? state : FILE_NEVER;
}

/** Whether this thread has a call in flight on the file. */
export function isMarked(file: usize): bool {
  return load<u32>(markOf(current(), file)) != 0;
}

/** Whether the file waits for its last user. */
// @ts-ignore: a decorator on a function
@inline export function isDraining(file: usize): bool {
  return (load32(stateOf(file)) & FILE_PHASE_MASK) == FILE_DRAINING;
}

/** After a lock on an object was dropped: takes a release up that waits for it. */
export function fileUnlocked(file: usize): void {
  if (isDraining(file)) tryRelease(file);
}

/**
 * The release found an object locked. Context: the caller releases the file. Return: true when the release is no longer the
 * caller's; false when the lock is gone meanwhile and it goes on.
 */
export function pauseRelease(file: usize, entry: usize): bool {
  const releasing = load32(stateOf(file));
  const draining = releasing - FILE_RELEASING + FILE_DRAINING;
  store32(stateOf(file), draining);
  if (holdersOf(load64(entry)) != 0) return true; // whoever drops the lock after this sees DRAINING
  return compareExchange32(stateOf(file), draining, releasing) != draining;
}

/** Takes a mark back; the last one of a draining file starts its release. */
// @ts-ignore: a decorator on a function
@inline export function fileLeave(file: usize): void {
  const mark = markOf(current(), file);
  store32(mark, load<u32>(mark) - 1);
  if (isDraining(file)) tryRelease(file);
}

/** The end of a release: the row can be opened again. Context: the caller won the release and has freed everything. */
export function fileFree(file: usize): void {
  fill(file + FILE_CONTEXT, 0, offsetof<Context>("references"));
  store32(stateOf(file), load32(stateOf(file)) - FILE_RELEASING);
}

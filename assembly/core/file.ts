// SPDX-License-Identifier: GPL-2.0-only
/**
 * The file table: open, fget, close, and who may use a file when.
 *
 * A file is open by its number (phase OPEN) and may have references from fget. When neither is left it is DRAINING: calls
 * in flight go on, new ones get EBADF. When no call is in flight either, one thread wins the release (release.ts).
 *
 * How close learns that no call is in flight, without any call writing a shared word: each thread counts its uses of a
 * file in a mark of its own. The argument is Dekker's:
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
 * fget against close is the same pattern with `references` in the place of the marks.
 *
 * A file number is the row's number + FIRST_FD. It is free again once the release has run (Linux: at once).
 *
 * Kernel counterpart: struct file, fget(), fput(), and iommufd_fops_open().
 */
import { add32, compareExchange32, load32, store32 } from "./atomics";
import { EBADF, EMFILE } from "../errno";
import {
  ATTENTION_RELEASE,
  Context,
  FILES,
  FILE_BYTES,
  FILE_CLOSED,
  FILE_CONTEXT,
  FILE_DRAINING,
  FILE_FREE,
  FILE_GENERATION,
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
import { current, markOf } from "./thread";

// @ts-ignore: a decorator on a function
@inline function stateOf(file: usize): usize {
  return file + offsetof<File>("state");
}
// @ts-ignore: a decorator on a function
@inline function referencesOf(file: usize): usize {
  return file + FILE_CONTEXT + offsetof<Context>("references");
}

/** open("/dev/iommu"). Return: the file's address; -EMFILE when the table is full. */
export function open(): i32 {
  for (let index: u32 = 0; index < MAX_FILES; index++) {
    const file = FILES + index * FILE_BYTES;
    const state = load32(stateOf(file));
    if ((state & FILE_PHASE_MASK) != FILE_FREE) continue;
    if (compareExchange32(stateOf(file), state, state + FILE_GENERATION + FILE_OPEN) == state) return <i32>file;
  }
  return -EMFILE;
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
  compareExchange32(stateOf(file), state, state - FILE_CLOSED + FILE_DRAINING);
  tryRelease(file);
}

/** Wins the release if the file drains and nobody uses it; the bindings then run it. */
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
 * `expected` is what the caller's context stands for, a generation and the last phase in which it may be used: OPEN for a
 * number, CLOSED for a reference of fget, DRAINING for the context of a call in flight, whose own mark keeps the file.
 * Return: false means EBADF, and no mark.
 */
// @ts-ignore: a decorator on a function
@inline export function fileEnter(file: usize, expected: u32): bool {
  const mark = markOf(current(), file);
  store32(mark, load<u32>(mark) + 1);
  return load32(stateOf(file)) == expected || enterLater(file, expected);
}

function enterLater(file: usize, expected: u32): bool {
  const state = load32(stateOf(file));
  const inFlight = (expected & FILE_PHASE_MASK) == FILE_DRAINING;
  const sameOpen = (state & ~FILE_PHASE_MASK) == (expected & ~FILE_PHASE_MASK) && (state & FILE_PHASE_MASK) != FILE_FREE;
  if (sameOpen && state <= expected && (!inFlight || load<u32>(markOf(current(), file)) > 1)) return true;
  fileLeave(file);
  return false;
}

/** Takes a mark back; the last one of a draining file starts its release. */
// @ts-ignore: a decorator on a function
@inline export function fileLeave(file: usize): void {
  const mark = markOf(current(), file);
  store32(mark, load<u32>(mark) - 1);
  if ((load32(stateOf(file)) & FILE_PHASE_MASK) == FILE_DRAINING) tryRelease(file);
}

/** The end of a release: the row can be opened again. Context: the caller won the release and has freed everything. */
export function fileFree(file: usize): void {
  memory.fill(file + FILE_CONTEXT, 0, FILE_BYTES - FILE_CONTEXT);
  store32(stateOf(file), load32(stateOf(file)) - FILE_RELEASING);
}

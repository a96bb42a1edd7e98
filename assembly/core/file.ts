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
 * steps back to DRAINING, and whoever drops the last lock reads the state and takes the release up again. A reservation is the
 * same with the word's phase in the place of the holder.
 *
 * Nor does a section under the table lock that looks at the state inside: taking the lock is step 1, and who scans the marks looks at
 * the lock, too. Whoever leaves such a section reads the state after the unlock (fileUnlocked). Locks that a reaper has taken in a
 * dead thread's name are no such section; the dead thread's own is, until its lock is repaired, and then its files are asked.
 *
 * fget against close is the same pattern with the references in the place of the uses: each thread counts its own in the upper
 * half of its mark.
 *
 * If a thread dies: its marks are cleared, and then every file is asked whether it waited for that (settleFiles). Who was about to
 * win a release has named the file in Thread.claiming, who has won it is named by the file itself.
 *
 * A poisoned file answers EIO, but its number can be closed and its references given back, and then it is released. Its words are
 * not to be trusted, so there the threads' records say whether somebody has an object locked or reserved.
 *
 * A file number is the row's number + FIRST_FD. It is free again once the release has run (Linux: at once).
 *
 * Kernel counterpart: struct file, fget(), fput(), and iommufd_fops_open().
 */
import { compareExchange32, fillRelaxed, load32, store32 } from "./atomics";
import { EBADF, EIO, EMFILE } from "../errno";
import { mayFail } from "./faults";
import {
  ATTENTION_RELEASE,
  Context,
  FAULT_FILE,
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
  FILE_POISONED,
  FILE_RELEASING,
  FIRST_FD,
  File,
  HoldRecord,
  MARK_MOST_REFERENCES,
  MARK_REFERENCE,
  MARK_USES,
  MAX_FILES,
  MAX_RECORDS,
  MAX_THREADS,
  RECORD_KIND_MASK,
  THREADS,
  THREAD_ATTACHED,
  THREAD_BYTES,
  THREAD_RECORDS,
  Thread,
} from "./memory-map";
import { ownerOf } from "./mutex";
import { hasKeeper } from "./keeper";
import { isHeld, settled } from "./refcount";
import { current, markOf, nameOfThread, threadNamed } from "./thread";
import { tableLockOf } from "./xarray";

/** The highest generation of a file. */
const LAST_GENERATION: u32 = 0x7fff_ffff & ~(FILE_PHASE_MASK | FILE_POISONED);

// @ts-ignore: a decorator on a function
@inline function stateOf(file: usize): usize {
  return file + offsetof<File>("state");
}
// @ts-ignore: a decorator on a function
@inline function releaserOf(file: usize): usize {
  return file + FILE_CONTEXT + offsetof<Context>("releaser");
}

/** open("/dev/iommu"). Return: the file's address, and its state in result0; -EMFILE when the table is full. */
export function open(): i32 {
  if (mayFail(FAULT_FILE)) return -EMFILE;
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

/**
 * fget(): one more reference on an open file.
 *
 * Return: its state with phase CLOSED, what the referrer expects; -EBADF; -EIO; -EMFILE when this thread has 32,767 of the file.
 */
export function fget(file: usize): i32 {
  const mark = markOf(current(), file);
  const before = load<u32>(mark);
  if (before / MARK_REFERENCE == MARK_MOST_REFERENCES) return -EMFILE;
  store32(mark, before + MARK_REFERENCE);
  const state = load32(stateOf(file));
  if ((state & (FILE_PHASE_MASK | FILE_POISONED)) == FILE_OPEN) return <i32>(state - FILE_OPEN + FILE_CLOSED);
  fput(file);
  return (state & FILE_PHASE_MASK) == FILE_OPEN ? -EIO : -EBADF;
}

/** fput(): gives back what fget took, in the thread that took it. The last one starts the release. */
export function fput(file: usize): void {
  const mark = markOf(current(), file);
  store32(mark, load<u32>(mark) - MARK_REFERENCE);
  drain(file);
}

/** close(2) on the number. Return: 0, or -EBADF when somebody else has closed it already. */
export function closeNumber(file: usize, expected: u32): i32 {
  if (expected == FILE_BY_NUMBER) expected = openStateOf(file);
  while (true) {
    const state = load32(stateOf(file));
    if ((expected & FILE_PHASE_MASK) != FILE_OPEN || (state & ~FILE_POISONED) != (expected & ~FILE_POISONED))
      return -EBADF;
    if (compareExchange32(stateOf(file), state, state - FILE_OPEN + FILE_CLOSED) == state) break;
  }
  drain(file);
  return 0;
}

/** The number may be closed and the references may be gone: if so, no new call gets in. */
function drain(file: usize): void {
  const state = load32(stateOf(file));
  if ((state & FILE_PHASE_MASK) != FILE_CLOSED || hasReference(file)) return;
  compareExchange32(stateOf(file), state, state - FILE_CLOSED + FILE_DRAINING);
  tryRelease(file);
}

function hasReference(file: usize): bool {
  for (let number: u32 = 0; number < MAX_THREADS; number++) {
    if (load32(markOf(THREADS + number * THREAD_BYTES, file)) >= MARK_REFERENCE) return true;
  }
  return false;
}

function isInUse(file: usize): bool {
  for (let number: u32 = 0; number < MAX_THREADS; number++) {
    if ((load32(markOf(THREADS + number * THREAD_BYTES, file)) & MARK_USES) != 0) return true;
  }
  const owner = ownerOf(tableLockOf(file));
  if (owner != 0 && load32(threadNamed(owner) + offsetof<Thread>("collecting")) == 0) return true;
  if (hasKeeper(file)) return true; // after the marks
  return isPoisoned(file) && hasRecord(file);
}

/** Whether a thread has a record of the file. */
function hasRecord(file: usize): bool {
  for (let number: u32 = 0; number < MAX_THREADS; number++) {
    const records = THREADS + number * THREAD_BYTES + THREAD_RECORDS;
    for (let index: u32 = 0; index < MAX_RECORDS; index++) {
      const fileKind = load32(records + index * offsetof<HoldRecord>() + offsetof<HoldRecord>("fileKind"));
      if ((fileKind & ~RECORD_KIND_MASK) == <u32>file) return true;
    }
  }
  return false;
}

/** Wins the release if the file drains and no call is in flight; the bindings then run it. */
function tryRelease(file: usize): void {
  const state = load32(stateOf(file));
  if ((state & FILE_PHASE_MASK) != FILE_DRAINING || isInUse(file)) return;
  if (claimRelease(file, state)) attendRelease(file);
}

/** DRAINING → RELEASING, so that whatever happens to this thread the file names who has it. Return: whether it is ours. */
function claimRelease(file: usize, draining: u32): bool {
  store32(claimingOf(), <u32>file);
  const won = compareExchange32(stateOf(file), draining, draining - FILE_DRAINING + FILE_RELEASING) == draining;
  if (won) store32(releaserOf(file), nameOfThread(current()));
  store32(claimingOf(), 0);
  return won;
}

// @ts-ignore: a decorator on a function
@inline function claimingOf(): usize {
  return current() + offsetof<Thread>("claiming");
}

function attendRelease(file: usize): void {
  const thread = changetype<Thread>(current());
  thread.releasing = <u32>file;
  thread.attention |= ATTENTION_RELEASE;
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
  if (isUsable(file, expected) && (!inFlight || (load<u32>(markOf(current(), file)) & MARK_USES) > 1)) return true;
  fileLeave(file);
  return false;
}

/** What a call may expect whose own mark keeps the file. */
// @ts-ignore: a decorator on a function
@inline export function inFlight(file: usize): u32 {
  return (load32(stateOf(file)) & ~(FILE_PHASE_MASK | FILE_POISONED)) | FILE_DRAINING;
}

/** A mark without a question: the caller has something that keeps the file until the mark is set. */
export function fileMark(file: usize): void {
  const mark = markOf(current(), file);
  store32(mark, load<u32>(mark) + 1);
}

/** Why fileEnter, or a lookup, was refused: -EBADF, or -EIO for a file that would be usable if it were not poisoned. */
export function refusal(file: usize, expected: u32): i32 {
  const state = load32(stateOf(file));
  if ((state & FILE_POISONED) == 0) return -EBADF;
  if (expected == FILE_BY_NUMBER || expected == FILE_NEVER)
    return (state & FILE_PHASE_MASK) == FILE_OPEN ? -EIO : -EBADF;
  return isPhaseWithin(state & ~FILE_POISONED, expected) ? -EIO : -EBADF;
}

// @ts-ignore: a decorator on a function
@inline function isPhaseWithin(state: u32, expected: u32): bool {
  const phase = state & FILE_PHASE_MASK;
  return phase != FILE_FREE && phase <= (expected & FILE_PHASE_MASK) && (state ^ expected) <= FILE_PHASE_MASK;
}

/** What the file's objects are worth is not known any more: every call is EIO until it is closed. */
export function poison(file: usize): void {
  while (true) {
    const state = load32(stateOf(file));
    if (compareExchange32(stateOf(file), state, state | FILE_POISONED) == state) return;
  }
}

// @ts-ignore: a decorator on a function
@inline export function isPoisoned(file: usize): bool {
  return (load32(stateOf(file)) & FILE_POISONED) != 0;
}

/** Neither draining nor poisoned: nothing to do after a lock was dropped. */
// @ts-ignore: a decorator on a function
@inline export function isQuiet(file: usize): bool {
  return (load32(stateOf(file)) & (FILE_PHASE_MASK | FILE_POISONED)) < FILE_DRAINING;
}

/** Whether a context that stands for `expected` may use the file now; for one in flight only as long as its call is. */
export function isUsable(file: usize, expected: u32): bool {
  const state = load32(stateOf(file));
  if (expected == FILE_BY_NUMBER) return (state & (FILE_PHASE_MASK | FILE_POISONED)) == FILE_OPEN;
  return isPhaseWithin(state, expected);
}

/** For get, which cannot use a number's later file: the state that it must find again. FILE_NEVER when nothing is open. */
export function openStateOf(file: usize): u32 {
  const state = load32(stateOf(file));
  return (state & FILE_PHASE_MASK) == FILE_OPEN ? state & ~FILE_POISONED : FILE_NEVER;
}

/** The same for a caller without a mark: a context in flight may use the file as long as the call's own mark is there. */
// @ts-ignore: a decorator on a function
@inline export function mayUse(file: usize, expected: u32): bool {
  return load32(stateOf(file)) == expected || mayUseLater(file, expected);
}

function mayUseLater(file: usize, expected: u32): bool {
  if (!isUsable(file, expected)) return false;
  return (expected & FILE_PHASE_MASK) != FILE_DRAINING || (load<u32>(markOf(current(), file)) & MARK_USES) != 0;
}

/** Whether the file waits for its last user. */
// @ts-ignore: a decorator on a function
@inline export function isDraining(file: usize): bool {
  return (load32(stateOf(file)) & FILE_PHASE_MASK) == FILE_DRAINING;
}

/** Whether the file is being released, by whoever may touch its objects now. */
export function isReleasing(file: usize): bool {
  return (load32(stateOf(file)) & FILE_PHASE_MASK) == FILE_RELEASING;
}

/** After a lock, a reservation or a section under the table lock has ended: takes a release up that waits for it. */
// @ts-ignore: a decorator on a function
@inline export function fileUnlocked(file: usize): void {
  if (isDraining(file)) tryRelease(file);
}

/** The same after a record of a poisoned file was freed, by plain stores: a swap that changes nothing keeps them before the look. */
export function fileGivenUp(file: usize): void {
  if ((compareExchange32(stateOf(file), 0, 0) & FILE_PHASE_MASK) == FILE_DRAINING) tryRelease(file);
}

/**
 * The release found an object locked or reserved. Context: the caller releases the file. Return: true when the release is no longer
 * the caller's; false when nobody has it any more and it goes on.
 */
export function pauseRelease(file: usize, entry: usize): bool {
  store32(claimingOf(), <u32>file);
  store32(releaserOf(file), 0);
  const releasing = load32(stateOf(file));
  const draining = releasing - FILE_RELEASING + FILE_DRAINING;
  store32(stateOf(file), draining);
  store32(claimingOf(), 0);
  if (isHeld(settled(entry))) return true; // whoever lets go after this sees DRAINING
  return !claimRelease(file, draining);
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
  fillRelaxed(file + FILE_CONTEXT, offsetof<Context>("releaser")); // alloc guesses from outside whether there is a spare
  store32(claimingOf(), <u32>file);
  store32(releaserOf(file), 0);
  store32(stateOf(file), (load32(stateOf(file)) & ~FILE_POISONED) - FILE_RELEASING);
  store32(claimingOf(), 0);
}

// ---------------------------------------------------------------------------------------------------- for the reaper

/** All that the dead thread has of the file is given back. Context: acting as that thread. */
export function clearMark(file: usize): void {
  if (load<u32>(markOf(current(), file)) != 0) store32(markOf(current(), file), 0);
}

/**
 * Takes the next step of a file that may wait for somebody who died: closed without references, draining without users, or
 * released by that thread.
 *
 * A draining file is asked once (`isFirst`): if a living thread has an object locked the release stops again, and is that thread's to
 * take up.
 *
 * Context: acting as the dead thread; its marks are cleared. Return: a thread that is about to win the release, if so: look again.
 */
export function settleFile(file: usize, isFirst: bool): usize {
  const phase = load32(stateOf(file)) & FILE_PHASE_MASK;
  if (phase == FILE_CLOSED) drain(file);
  else if (phase == FILE_RELEASING) return takeRelease(file);
  else if (phase == FILE_DRAINING && isFirst) tryRelease(file);
  return 0;
}

function takeRelease(file: usize): usize {
  const own = nameOfThread(current());
  let releaser = load32(releaserOf(file));
  if (releaser == 0) {
    // Whoever has won it says so next, if he lives.
    const thread = claimantOf(file);
    if (thread != 0) return thread;
    releaser = load32(releaserOf(file));
    if (releaser == 0 && load32(claimingOf()) == <u32>file) {
      store32(releaserOf(file), own);
      releaser = own;
    }
  }
  store32(claimingOf(), 0);
  if (releaser == own) attendRelease(file);
  return 0;
}

/** Return: a living thread that is about to win the release of the file, 0 when there is none. */
function claimantOf(file: usize): usize {
  for (let number: u32 = 0; number < MAX_THREADS; number++) {
    const thread = THREADS + number * THREAD_BYTES;
    if (load32(thread + offsetof<Thread>("state")) != THREAD_ATTACHED) continue;
    if (load32(thread + offsetof<Thread>("claiming")) == <u32>file) return thread;
  }
  return 0;
}

/** Whether the release of the file is the thread's. */
export function isReleaser(file: usize, thread: usize): bool {
  return (
    (load32(stateOf(file)) & FILE_PHASE_MASK) == FILE_RELEASING && load32(releaserOf(file)) == nameOfThread(thread)
  );
}

/** No file is waited for by the thread any more. Context: acting as the dead thread, every file is settled. */
export function clearClaim(): void {
  store32(claimingOf(), 0);
}

/** The release goes on in this thread. Context: acting as `this` again; `from` is the dead thread that had won it. */
export function inheritRelease(file: usize): void {
  store32(releaserOf(file), nameOfThread(current()));
  attendRelease(file);
}

// SPDX-License-Identifier: GPL-2.0-only
/**
 * The table of fault queues' files.
 *
 * A row goes free → MAKING → OPEN → MAKING → free. MAKING names the thread that makes or closes it, whose call has a mark on the
 * context's file. OPEN names that file, and keeps it: whoever asks whether a file is in use looks at the marks first and then at the
 * rows. A maker writes OPEN before it takes its mark back, so one of the two is seen.
 *
 * If a thread dies: a row that it was making or closing is free again. What was told to nobody is an object with a kept user, as any
 * other.
 *
 * Kernel counterpart: the file descriptor table, for anon_inode:[iommufd-pgfault].
 */
import { compareExchange32, load32, store32 } from "./atomics";
import { mayFail } from "./faults";
import {
  FAULT_FILE,
  FIRST_QUEUE_FD,
  MAX_QUEUE_FILES,
  QUEUE_FILES,
  QUEUE_FILE_MAKING,
  QUEUE_FILE_MASK,
  QUEUE_FILE_OPEN,
  QUEUE_FILE_STATE,
  QueueFile,
  QueueFiles,
} from "./memory-map";
import { current, nameOfThread } from "./thread";

const LIMIT: usize = QUEUE_FILE_STATE + offsetof<QueueFiles>("limit");

// @ts-ignore: a decorator on a function
@inline export function queueFileAt(number: u32): usize {
  return QUEUE_FILES + number * offsetof<QueueFile>();
}
// @ts-ignore: a decorator on a function
@inline export function queueFileState(row: usize): usize {
  return row + offsetof<QueueFile>("state");
}

/** What a row holds that this thread is making or closing. */
// @ts-ignore: a decorator on a function
@inline export function queueFileMaking(): u32 {
  return (nameOfThread(current()) << 2) | QUEUE_FILE_MAKING;
}

/** The lowest free row becomes this thread's. Return: its number; MAX_QUEUE_FILES when there is none. */
export function claimQueueFile(): u32 {
  if (mayFail(FAULT_FILE)) return MAX_QUEUE_FILES;
  const making = queueFileMaking();
  for (let number: u32 = 0; number < MAX_QUEUE_FILES; number++) {
    if (load32(queueFileState(queueFileAt(number))) != 0) continue;
    let limit = load32(LIMIT);
    while (limit <= number) {
      compareExchange32(LIMIT, limit, number + 1);
      limit = load32(LIMIT);
    }
    if (compareExchange32(queueFileState(queueFileAt(number)), 0, making) == 0) return number;
  }
  return MAX_QUEUE_FILES;
}

/** Whether an open queue keeps the file. */
export function hasQueueFile(file: usize): bool {
  const limit = load32(LIMIT);
  for (let number: u32 = 0; number < limit; number++) {
    if (load32(queueFileState(queueFileAt(number))) == ((<u32>file) | QUEUE_FILE_OPEN)) return true;
  }
  return false;
}

/** Return: the open row of that number, or 0. */
export function findQueueFile(fd: i32): usize {
  const number = <u32>fd - FIRST_QUEUE_FD;
  if (number >= MAX_QUEUE_FILES) return 0;
  return (load32(queueFileState(queueFileAt(number))) & QUEUE_FILE_MASK) == QUEUE_FILE_OPEN ? queueFileAt(number) : 0;
}

/** Context: acting as a dead thread. */
export function recoverQueueFiles(): void {
  const making = queueFileMaking();
  const limit = load32(LIMIT);
  for (let number: u32 = 0; number < limit; number++) {
    if (load32(queueFileState(queueFileAt(number))) == making) store32(queueFileState(queueFileAt(number)), 0);
  }
}

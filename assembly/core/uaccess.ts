// SPDX-License-Identifier: GPL-2.0-only
/**
 * Copies from and to user memory. Every byte of a user address is checked; a bad one is EFAULT, never a trap.
 *
 * A copy goes from one accessible run to the next and stops at the first byte it may not touch: what came before has been
 * copied, as in the kernel. Other threads may write user memory meanwhile; whoever needs a stable view copies once and
 * looks at the copy only.
 *
 * Kernel counterpart: get_user(), copy_from_user(), copy_to_user(), check_zeroed_user(), access_ok().
 */
import { copy } from "./atomics";
import { EFAULT, EINVAL } from "../errno";
import { copyStep, mayFail } from "./faults";
import { backingOf, pin, unpin } from "./gup";
import { COMMAND_BYTES, FAULT_COPY, PROT_READ, PROT_WRITE, TASK_SIZE, THREAD_WINDOW } from "./memory-map";
import { current } from "./thread";

/** access_ok(): the range lies in user space. */
// @ts-ignore: a decorator on a function
@inline function isUserRange(va: u64, length: u64): bool {
  return length <= TASK_SIZE && va <= TASK_SIZE - length;
}

/** Return: false is EFAULT. */
export function copyFromUser(to: usize, from: u64, length: u32): bool {
  if (!isUserRange(from, length)) return false;
  while (length != 0) {
    if (mayFail(FAULT_COPY)) return false;
    const run = <u32>pin(from, copyStep(from, length), PROT_READ);
    if (run == 0) return false;
    copy(to, backingOf(from), run);
    unpin();
    to += run;
    from += run;
    length -= run;
  }
  return true;
}

/** Return: false is EFAULT. */
export function copyToUser(to: u64, from: usize, length: u32): bool {
  if (!isUserRange(to, length)) return false;
  while (length != 0) {
    if (mayFail(FAULT_COPY)) return false;
    const run = <u32>pin(to, copyStep(to, length), PROT_WRITE);
    if (run == 0) return false;
    copy(backingOf(to), from, run);
    unpin();
    to += run;
    from += run;
    length -= run;
  }
  return true;
}

export const ZERO: i32 = 0;
export const NOT_ZERO: i32 = 1;
export const FAULT: i32 = 2;

/** check_zeroed_user(): what comes first, a byte that is not zero or one that cannot be read. Return: ZERO, NOT_ZERO, FAULT. */
export function checkZeroedUser(from: u64, length: u64): i32 {
  if (!isUserRange(from, length)) return FAULT;
  while (length != 0) {
    if (mayFail(FAULT_COPY)) return FAULT;
    const run = pin(from, copyStep(from, length), PROT_READ);
    if (run == 0) return FAULT;
    const zero = isZero(backingOf(from), run);
    unpin();
    if (!zero) return NOT_ZERO;
    from += run;
    length -= run;
  }
  return ZERO;
}

/** Whether `length` bytes of this memory are all zero: a word at a time between the ragged ends. */
export function isZero(at: usize, length: usize): bool {
  const end = at + length;
  while (at < end && (at & 7) != 0) if (load<u8>(at++) != 0) return false;
  for (; at + 8 <= end; at += 8) if (load<u64>(at) != 0) return false;
  while (at < end) if (load<u8>(at++) != 0) return false;
  return true;
}

/** For the bindings: `length` bytes of user memory into the window. Return: 0; -EFAULT; -EINVAL when the window is shorter. */
export function readUser(from: u64, length: u32): i32 {
  if (length > COMMAND_BYTES) return -EINVAL;
  return copyFromUser(current() + THREAD_WINDOW, from, length) ? 0 : -EFAULT;
}

/** For the bindings: `length` bytes of the window to user memory. Return: as readUser. */
export function writeUser(to: u64, length: u32): i32 {
  if (length > COMMAND_BYTES) return -EINVAL;
  return copyToUser(to, current() + THREAD_WINDOW, length) ? 0 : -EFAULT;
}

// SPDX-License-Identifier: GPL-2.0-only
/**
 * A command that the core executes: its struct, its caller's memory, its reply.
 *
 * The struct is a copy that nobody else can change. For an argument in user memory it is in the command buffer, and a reply goes to
 * the argument's address. For a JavaScript buffer it is the window itself, which the bindings filled and nobody else sees: what is
 * written there is the reply, and windowWritten tells the bindings how much of it to take back.
 *
 * A VFIO request has no table entry that says how large its struct is; readArgument and writeArgument reach its memory piece by piece.
 *
 * Context of everything here: between beginCommand and the end of the call, which makes no other.
 *
 * Kernel counterpart: struct iommufd_ucmd, iommufd_ucmd_respond().
 */
import { copy } from "./atomics";
import { THREAD_COMMAND, THREAD_WINDOW, Thread } from "./memory-map";
import { current } from "./thread";
import { copyFromUser, copyToUser } from "./uaccess";

/** Return: address of the struct. */
export function structOf(): usize {
  return current() + (changetype<Thread>(current()).argumentIsWindow != 0 ? THREAD_WINDOW : THREAD_COMMAND);
}

/** The argument is at a user address. `size`: as declared. */
export function beginUserCommand(address: u64, size: u32): void {
  const thread = changetype<Thread>(current());
  thread.argument = address;
  thread.argumentSize = size;
  thread.argumentIsWindow = 0;
}

/** The argument is in the window, where `bytes` bytes are the caller's. */
export function beginWindowCommand(size: u32, bytes: u32): void {
  const thread = changetype<Thread>(current());
  thread.argumentSize = size;
  thread.argumentIsWindow = 1;
  thread.windowBytes = bytes;
}

/** iommufd_ucmd_respond(): as much of the struct's `bytes` as the caller has declared goes back. Return: false is EFAULT. */
export function respond(bytes: u32): bool {
  return respondWith(0, min(changetype<Thread>(current()).argumentSize, bytes));
}

/** The struct's bytes from `offset` on go back, whatever was declared. Return: false is EFAULT. */
export function respondWith(offset: u32, bytes: u32): bool {
  const thread = changetype<Thread>(current());
  if (thread.argumentIsWindow == 0) return copyToUser(thread.argument + offset, structOf() + offset, bytes);
  thread.windowWritten = max(thread.windowWritten, offset + bytes);
  return true;
}

/** Copies the caller's bytes at `offset` of the argument to the command buffer. Return: false is EFAULT. */
export function readArgument(offset: u32, bytes: u32): bool {
  const thread = changetype<Thread>(current());
  const to = current() + THREAD_COMMAND + offset;
  if (thread.argumentIsWindow == 0) return copyFromUser(to, thread.argument + offset, bytes);
  if (offset + bytes > thread.windowBytes) return false;
  copy(to, current() + THREAD_WINDOW + offset, bytes);
  return true;
}

/** Copies `bytes` bytes to `offset` of the argument. Return: false is EFAULT: only what fits has been copied. */
export function writeArgument(offset: u32, from: usize, bytes: u32): bool {
  const thread = changetype<Thread>(current());
  if (thread.argumentIsWindow == 0) return copyToUser(thread.argument + offset, from, bytes);
  const fits = offset < thread.windowBytes ? min(bytes, thread.windowBytes - offset) : 0;
  copy(current() + THREAD_WINDOW + offset, from, fits);
  thread.windowWritten = max(thread.windowWritten, offset + fits);
  return fits == bytes;
}

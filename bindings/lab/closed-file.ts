// SPDX-License-Identifier: GPL-2.0-only
//
// What elements do about a file that is closed while they look at it.
//
// Anybody may close a file by its number, and the page's thread may leave the kernel; nothing announces the one or the other.
// Who looks is told by EBADF or ESRCH, which mean the same to an element: there is nothing to see any more.

import { IommufdError } from "../index.js";

/** Whether an error says that the file is closed, or that this thread has left the kernel. */
export function isClosedFile(error: unknown): boolean {
  return error instanceof IommufdError && (error.code === "EBADF" || error.code === "ESRCH");
}

/** What `look` returns, or `closed` when there is no file any more. @throws whatever else `look` throws */
export function unlessClosed<T>(look: () => T, closed: T): T {
  try {
    return look();
  } catch (error) {
    if (isClosedFile(error)) return closed;
    throw error;
  }
}

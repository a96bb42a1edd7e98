// SPDX-License-Identifier: GPL-2.0-only

/** What a thread that is to be killed can be doing (threads/victim.js); a shared word holds the index. */
export const DOINGS = [
  ...["outside", "alloc", "finalize", "abort", "hold", "get", "put", "keep", "drop user", "destroy", "destroy waiting"],
  ...["ioctl", "ioctl executing", "open", "fget", "close", "map", "unmap", "copy", "look", "callback", "holding"],
  ...["process", "exit", "memfd"],
];

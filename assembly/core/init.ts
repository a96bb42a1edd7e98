// SPDX-License-Identifier: GPL-2.0-only
/**
 * Making a memory: sizes, tables, and the identity that attaching threads check.
 *
 * Context: `init` runs once, in the thread that created the memory, before anybody else has it. A fresh memory is all zero,
 * which is what every table starts from.
 */
import { load32, store32 } from "./atomics";
import { DEBUG_BUILD, assertInvariant } from "./config";
import { EINVAL } from "../errno";
import {
  ABI_VERSION,
  Entry,
  FRAMES,
  IDENTITY,
  INNER_IDS_SHIFT,
  Identity,
  MAGIC,
  MAINLINE_COMMAND_LIMIT,
  NOBODY,
  NULL_BYTES,
  PAGES,
  PAGE_SHIFT,
  PAGE_SIZE,
  PROFILE_MAINLINE,
  PageState,
  SLOT_PAYLOAD,
  THREAD_RECORDS,
  Thread,
} from "./memory-map";
import { processInit } from "./process";
import { registryInit, registryInitMainline } from "./registry";
import { freeRecord } from "./thread";

/** Heap pages without which nothing useful works. */
const MIN_HEAP_PAGES: u32 = 16;

/** `tableEnd`: one past the last ioctl number of the kernel release, in mainline. Return: 0, or -EINVAL when the memory is too small or an argument makes no sense. */
export function init(bytes: u32, profile: u32, idLimit: u32, tableEnd: u32): i32 {
  if (profile > PROFILE_MAINLINE || idLimit == 0 || tableEnd > MAINLINE_COMMAND_LIMIT || bytes <= <u32>FRAMES)
    return -EINVAL;
  // Frame bytes for all pages of the memory: a few more than the heap has.
  const heap = (<u32>FRAMES + (bytes >> PAGE_SHIFT) + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
  if (bytes < heap || (bytes - heap) >> PAGE_SHIFT < MIN_HEAP_PAGES) return -EINVAL;
  const identity = changetype<Identity>(IDENTITY);
  identity.abiVersion = ABI_VERSION;
  identity.profile = profile;
  identity.bytes = bytes;
  identity.idLimit = idLimit;
  identity.tableEnd = tableEnd;
  identity.heap = heap;
  identity.heapPages = (bytes - heap) >> PAGE_SHIFT;
  const maxObjects = (bytes - heap) / (offsetof<Entry>() + SLOT_PAYLOAD);
  identity.rootSlots = (maxObjects >> INNER_IDS_SHIFT) + 1;
  const rootBytes = ((identity.rootSlots * 4 + 7) & ~7) + ((identity.rootSlots + 63) >> 6) * 8;
  if (DEBUG_BUILD) assertInvariant(identity.rootSlots * 4 <= NULL_BYTES);
  identity.rootPages = (rootBytes + 4 + PAGE_SIZE - 1) >> PAGE_SHIFT; // the last word links free nodes
  const pages = changetype<PageState>(PAGES);
  pages.low = 0;
  pages.high = identity.heapPages;
  pages.extentLow = bytes & ~(PAGE_SIZE - 1);
  pages.extentTop = pages.extentLow;
  changetype<Thread>(NOBODY).freeRecord = <u32>NOBODY + THREAD_RECORDS;
  registryInit();
  if (profile == PROFILE_MAINLINE) registryInitMainline(tableEnd);
  processInit();
  store32(IDENTITY + offsetof<Identity>("magic"), MAGIC);
  return 0;
}

/** Return: whether this memory was made by a core with the same map. */
export function isCompatible(): bool {
  return (
    load32(IDENTITY + offsetof<Identity>("magic")) == MAGIC && changetype<Identity>(IDENTITY).abiVersion == ABI_VERSION
  );
}

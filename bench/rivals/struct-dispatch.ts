// SPDX-License-Identifier: GPL-2.0-only
/**
 * The ioctl of a rival that has none of its own: IOMMU_DESTROY by its struct, written by hand with the kernel's checks.
 *
 * Uses its arguments only, so that `fresh` can make a copy of it for each rival.
 */
import type { Rival } from "./rival.ts";

export function dispatchStruct(table: Rival, request: number, bytes: Uint8Array): number {
  if (request !== 0x3b80) return -25; // ENOTTY
  if (bytes.length < 4) return -14; // EFAULT
  const word = (at: number): number =>
    ((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)) >>>
    0;
  const size = word(0);
  if (size < 8) return -95; // EOPNOTSUPP
  if (bytes.length < size) return -14; // EFAULT
  for (let at = 8; at < size; at++) if (bytes[at] !== 0) return -7; // E2BIG
  return table.tryDestroy(word(4));
}

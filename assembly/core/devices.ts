// SPDX-License-Identifier: GPL-2.0-only
/**
 * Commands that need a device or what is made of one. There is no device yet: each checks its arguments in the kernel's order as far
 * as it gets, which is the look-up of an ID that no device has.
 *
 * Context and Return as in ioas.ts.
 *
 * Kernel counterpart: drivers/iommu/iommufd/hw_pagetable.c, device.c, viommu.c.
 */
import { EFAULT, EINVAL, ENOENT, EOPNOTSUPP } from "../errno";
import { getSlowly, putSlowly } from "./lookup";
import { IDENTITY, Identity, PAGE_SIZE } from "./memory-map";
import {
  IOMMU_HWPT_DATA_NONE,
  IOMMU_HWPT_DIRTY_TRACKING_ENABLE,
  IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR,
  IOMMU_HWPT_INVALIDATE_ENTRIES,
  IOMMU_HW_INFO_FLAG_INPUT_TYPE,
  IOMMU_VIOMMU_TYPE_DEFAULT,
  IommuHwInfo,
  IommuHwptAlloc,
  IommuHwptGetDirtyBitmap,
  IommuHwptInvalidate,
  IommuHwptSetDirtyTracking,
  IommuViommuAlloc,
  NR_IOAS_MAP_FILE,
} from "./uapi";
import { respond, structOf } from "./ucmd";

/** Whether the kernel that is played is older than 6.13, which brought vIOMMUs and what belongs to them. */
function isBeforeViommus(): bool {
  return changetype<Identity>(IDENTITY).tableEnd <= NR_IOAS_MAP_FILE;
}

export function hwptAlloc(): i32 {
  const cmd = changetype<IommuHwptAlloc>(structOf());
  if (cmd.__reserved != 0) return -EOPNOTSUPP;
  return (cmd.data_type == IOMMU_HWPT_DATA_NONE) != (cmd.data_len == 0) ? -EINVAL : -ENOENT;
}

export function getHwInfo(): i32 {
  const cmd = changetype<IommuHwInfo>(structOf());
  const known: u32 = isBeforeViommus() ? 0 : IOMMU_HW_INFO_FLAG_INPUT_TYPE;
  if ((cmd.flags & ~known) != 0) return -EOPNOTSUPP;
  return (cmd.__reserved0 | cmd.__reserved1 | cmd.__reserved2) != 0 ? -EOPNOTSUPP : -ENOENT;
}

export function hwptSetDirtyTracking(): i32 {
  const cmd = changetype<IommuHwptSetDirtyTracking>(structOf());
  return (cmd.flags & ~IOMMU_HWPT_DIRTY_TRACKING_ENABLE) != 0 ? -EOPNOTSUPP : -ENOENT;
}

export function hwptGetDirtyBitmap(): i32 {
  const cmd = changetype<IommuHwptGetDirtyBitmap>(structOf());
  const known = IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR;
  return (cmd.flags & ~known) != 0 || cmd.__reserved != 0 ? -EOPNOTSUPP : -ENOENT;
}

/** Replies on errors, too: how many entries were done. */
export function hwptInvalidate(file: usize, expected: u32): i32 {
  const cmd = changetype<IommuHwptInvalidate>(structOf());
  const result = checkInvalidate(file, expected, cmd);
  cmd.entry_num = 0;
  return respond(offsetof<IommuHwptInvalidate>()) ? result : -EFAULT;
}

function checkInvalidate(file: usize, expected: u32, cmd: IommuHwptInvalidate): i32 {
  if (cmd.__reserved != 0) return -EOPNOTSUPP;
  if (cmd.entry_num != 0) {
    if (cmd.data_uptr == 0 || cmd.entry_len == 0) return -EINVAL;
    const isTooMuch = cmd.entry_len > PAGE_SIZE || cmd.entry_num > IOMMU_HWPT_INVALIDATE_ENTRIES;
    if (isTooMuch && !isBeforeViommus()) return -EINVAL;
  }
  const handle = getSlowly(file, expected, cmd.hwpt_id, 0);
  if (handle < 0) return handle;
  putSlowly(file, handle);
  return isBeforeViommus() ? -ENOENT : -EINVAL; // neither a nested page table nor, since there are some, a virtual IOMMU
}

export function viommuAlloc(): i32 {
  const cmd = changetype<IommuViommuAlloc>(structOf());
  return cmd.flags != 0 || cmd.type == IOMMU_VIOMMU_TYPE_DEFAULT ? -EOPNOTSUPP : -ENOENT;
}

export function vdeviceAlloc(): i32 {
  return -ENOENT; // no virtual IOMMU
}

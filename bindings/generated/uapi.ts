// SPDX-License-Identifier: GPL-2.0-only
//
// Generated from assembly/core/uapi.ts by bindings/build/generate-uapi.mjs; do not edit.
// `npm run build:layout` writes this file, `npm run check:layout` compares it.

import { IoctlCommand } from "../command.js";
import { type Fields, Struct } from "../struct.js";

/** Map at the given IOVA, instead of at one that the kernel picks. */
export const IOMMU_IOAS_MAP_FIXED_IOVA = 1;
export const IOMMU_IOAS_MAP_WRITEABLE = 2;
export const IOMMU_IOAS_MAP_READABLE = 4;
export const IOMMU_OPTION_RLIMIT_MODE = 0;
export const IOMMU_OPTION_HUGE_PAGES = 1;
export const IOMMU_OPTION_OP_SET = 0;
export const IOMMU_OPTION_OP_GET = 1;
export const IOMMU_VFIO_IOAS_GET = 0;
export const IOMMU_VFIO_IOAS_SET = 1;
export const IOMMU_VFIO_IOAS_CLEAR = 2;
export const IOMMU_HWPT_ALLOC_NEST_PARENT = 1;
export const IOMMU_HWPT_ALLOC_DIRTY_TRACKING = 2;
export const IOMMU_HWPT_FAULT_ID_VALID = 4;
export const IOMMU_HWPT_ALLOC_PASID = 8;
export const IOMMU_HWPT_DATA_NONE = 0;
export const IOMMU_HWPT_DATA_VTD_S1 = 1;
export const IOMMU_HWPT_DATA_ARM_SMMUV3 = 2;
export const IOMMU_HW_INFO_FLAG_INPUT_TYPE = 1;
export const IOMMU_HWPT_DIRTY_TRACKING_ENABLE = 1;
export const IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR = 1;
export const IOMMU_HWPT_INVALIDATE_DATA_VTD_S1 = 0;
export const IOMMU_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3 = 1;
/** Most entries of one IOMMU_HWPT_INVALIDATE. */
export const IOMMU_HWPT_INVALIDATE_ENTRIES = 524288;
export const IOMMU_VIOMMU_TYPE_DEFAULT = 0;
export const IOMMU_VIOMMU_TYPE_ARM_SMMUV3 = 1;
export const IOMMU_VIOMMU_TYPE_TEGRA241_CMDQV = 2;
export const IOMMU_PGFAULT_FLAGS_PASID_VALID = 1;
export const IOMMU_PGFAULT_FLAGS_LAST_PAGE = 2;
export const IOMMU_PAGE_RESP_SUCCESS = 0;
export const IOMMU_PAGE_RESP_INVALID = 1;
/** Answers 0; the argument is not looked at. Takes nothing. */
export const VFIO_GET_API_VERSION = 0x3b64;
/**
 * Answers 1 or 0. ENODEV (VFIO_DMA_CC_IOMMU without an address space for VFIO). Takes by value: VFIO_TYPE1_IOMMU,
 * VFIO_TYPE1v2_IOMMU, VFIO_DMA_CC_IOMMU, VFIO_UNMAP_ALL.
 */
export const VFIO_CHECK_EXTENSION = 0x3b65;
/**
 * Chooses the rules of VFIO_IOMMU_UNMAP_DMA: version 1 cuts mappings, for good. EINVAL, ENODEV, EADDRINUSE. Takes by
 * value: VFIO_TYPE1_IOMMU, VFIO_TYPE1v2_IOMMU.
 */
export const VFIO_SET_IOMMU = 0x3b66;
/** Page sizes, and free ranges of IOVAs. EFAULT, EINVAL, ENODEV. Takes vfio_iommu_type1_info. */
export const VFIO_IOMMU_GET_INFO = 0x3b70;
/** Maps user memory at a given IOVA. EFAULT, EINVAL, ENODEV, EOVERFLOW, EEXIST, ENOMEM. Takes vfio_iommu_type1_dma_map. */
export const VFIO_IOMMU_MAP_DMA = 0x3b71;
/**
 * Unmaps a range, or all; that nothing is mapped there is no error. EFAULT, EINVAL, ENODEV, ENOENT, EBUSY. Takes
 * vfio_iommu_type1_dma_unmap.
 */
export const VFIO_IOMMU_UNMAP_DMA = 0x3b72;
/** Arguments of VFIO_CHECK_EXTENSION; the first two of VFIO_SET_IOMMU, too. */
export const VFIO_TYPE1_IOMMU = 1;
export const VFIO_TYPE1v2_IOMMU = 3;
export const VFIO_DMA_CC_IOMMU = 4;
export const VFIO_UNMAP_ALL = 9;
export const VFIO_DMA_MAP_FLAG_READ = 1;
export const VFIO_DMA_MAP_FLAG_WRITE = 2;
export const VFIO_DMA_UNMAP_FLAG_ALL = 2;
export const VFIO_IOMMU_INFO_PGSIZES = 1;
export const VFIO_IOMMU_INFO_CAPS = 2;
export const VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE = 1;
export const VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL = 3;

/** The fields of struct iommu_destroy. */
export type IommuDestroy = {
  /** Any object id. */
  id: "u32";
};
/** struct iommu_destroy. Destroys any object by its ID. ENOENT, EBUSY. */
export const IOMMU_DESTROY: IoctlCommand<IommuDestroy> = /* @__PURE__ */ new IoctlCommand({
  name: "IOMMU_DESTROY",
  nr: 0x80,
  fields: { id: "u32" },
});

/** The fields of struct iommu_ioas_alloc. */
export type IommuIoasAlloc = {
  /** Must be 0. */
  flags: "u32";
  /** New id. */
  out_ioas_id: "u32";
};
/** struct iommu_ioas_alloc. Makes an empty IO address space. EOPNOTSUPP, ENOMEM, EBUSY. */
export const IOMMU_IOAS_ALLOC: IoctlCommand<IommuIoasAlloc> = /* @__PURE__ */ new IoctlCommand({
  name: "IOMMU_IOAS_ALLOC",
  nr: 0x81,
  fields: { flags: "u32", out_ioas_id: "u32" },
});

/** The fields of struct iommu_ioas_allow_iovas. */
export type IommuIoasAllowIovas = {
  ioas_id: "u32";
  /** Entries; 0 clears the list. */
  num_iovas: "u32";
  /** Must be 0. */
  __reserved: "u32";
  /** Pointer to iommu_iova_range[]. */
  allowed_iovas: "u64";
};
/**
 * struct iommu_ioas_allow_iovas. Replaces the ranges from which IOVAs are picked. EOPNOTSUPP, ENOENT, EFAULT, EINVAL,
 * EADDRINUSE.
 */
export const IOMMU_IOAS_ALLOW_IOVAS: IoctlCommand<IommuIoasAllowIovas> = /* @__PURE__ */ new IoctlCommand({
  name: "IOMMU_IOAS_ALLOW_IOVAS",
  nr: 0x82,
  fields: { ioas_id: "u32", num_iovas: "u32", __reserved: "u32", allowed_iovas: "u64" },
});

/** The fields of struct iommu_ioas_copy. */
export type IommuIoasCopy = {
  /**
   * As for IOMMU_IOAS_MAP; a fixed IOVA is `dst_iova`. Bits: IOMMU_IOAS_MAP_FIXED_IOVA, IOMMU_IOAS_MAP_WRITEABLE,
   * IOMMU_IOAS_MAP_READABLE.
   */
  flags: "u32";
  dst_ioas_id: "u32";
  /** May equal `dst_ioas_id`. */
  src_ioas_id: "u32";
  /** Bytes. */
  length: "u64";
  /** In with IOMMU_IOAS_MAP_FIXED_IOVA; out: the IOVA of the copy. */
  dst_iova: "u64";
  src_iova: "u64";
};
/** struct iommu_ioas_copy. Maps what another address space, or the same, has mapped already. As IOMMU_IOAS_MAP; EPERM. */
export const IOMMU_IOAS_COPY: IoctlCommand<IommuIoasCopy> = /* @__PURE__ */ new IoctlCommand({
  name: "IOMMU_IOAS_COPY",
  nr: 0x83,
  fields: { flags: "u32", dst_ioas_id: "u32", src_ioas_id: "u32", length: "u64", dst_iova: "u64", src_iova: "u64" },
});

/** The fields of struct iommu_ioas_iova_ranges. */
export type IommuIoasIovaRanges = {
  ioas_id: "u32";
  /** In: array capacity; out: total ranges. */
  num_iovas: "u32";
  /** Must be 0. */
  __reserved: "u32";
  /** Pointer to iommu_iova_range[]. */
  allowed_iovas: "u64";
  /** Power of two, 1 … PAGE_SIZE. */
  out_iova_alignment: "u64";
};
/** struct iommu_ioas_iova_ranges. Tells which IOVAs are not reserved. EOPNOTSUPP, ENOENT, EFAULT, EMSGSIZE. */
export const IOMMU_IOAS_IOVA_RANGES: IoctlCommand<IommuIoasIovaRanges> = /* @__PURE__ */ new IoctlCommand({
  name: "IOMMU_IOAS_IOVA_RANGES",
  nr: 0x84,
  fields: { ioas_id: "u32", num_iovas: "u32", __reserved: "u32", allowed_iovas: "u64", out_iova_alignment: "u64" },
});

/** The fields of struct iommu_ioas_map. */
export type IommuIoasMap = {
  /**
   * At least one of readable and writeable. Bits: IOMMU_IOAS_MAP_FIXED_IOVA, IOMMU_IOAS_MAP_WRITEABLE,
   * IOMMU_IOAS_MAP_READABLE.
   */
  flags: "u32";
  ioas_id: "u32";
  /** Must be 0. */
  __reserved: "u32";
  /** Caller's address. */
  user_va: "u64";
  /** Bytes. */
  length: "u64";
  /** In with IOMMU_IOAS_MAP_FIXED_IOVA; out: the IOVA of the mapping. */
  iova: "u64";
};
/** struct iommu_ioas_map. Maps user memory. EOPNOTSUPP, EOVERFLOW, EINVAL, ENOENT, EEXIST, ENOSPC, ENOMEM. */
export const IOMMU_IOAS_MAP: IoctlCommand<IommuIoasMap> = /* @__PURE__ */ new IoctlCommand({
  name: "IOMMU_IOAS_MAP",
  nr: 0x85,
  fields: { flags: "u32", ioas_id: "u32", __reserved: "u32", user_va: "u64", length: "u64", iova: "u64" },
});

/** The fields of struct iommu_ioas_unmap. */
export type IommuIoasUnmap = {
  ioas_id: "u32";
  iova: "u64";
  /** In: bytes, 2^64-1 with `iova` 0 for everything; out: bytes unmapped. */
  length: "u64";
};
/** struct iommu_ioas_unmap. Unmaps whole areas. ENOENT, EOVERFLOW, EINVAL, EBUSY, EDEADLOCK. */
export const IOMMU_IOAS_UNMAP: IoctlCommand<IommuIoasUnmap> = /* @__PURE__ */ new IoctlCommand({
  name: "IOMMU_IOAS_UNMAP",
  nr: 0x86,
  fields: { ioas_id: "u32", iova: "u64", length: "u64" },
});

/** The fields of struct iommu_option. */
export type IommuOption = {
  /** Which option. One of IOMMU_OPTION_RLIMIT_MODE, IOMMU_OPTION_HUGE_PAGES. */
  option_id: "u32";
  /** What to do with it. One of IOMMU_OPTION_OP_SET, IOMMU_OPTION_OP_GET. */
  op: "u16";
  /** Must be 0. */
  __reserved: "u16";
  /** 0 for IOMMU_OPTION_RLIMIT_MODE; the address space for IOMMU_OPTION_HUGE_PAGES. */
  object_id: "u32";
  /** The option's value: in to set, out in any case. */
  val64: "u64";
};
/**
 * struct iommu_option. Reads or sets an option of the file or of one object. EOPNOTSUPP, EPERM, EBUSY, EINVAL, ENOENT,
 * EADDRINUSE.
 */
export const IOMMU_OPTION: IoctlCommand<IommuOption> = /* @__PURE__ */ new IoctlCommand({
  name: "IOMMU_OPTION",
  nr: 0x87,
  fields: { option_id: "u32", op: "u16", __reserved: "u16", object_id: "u32", val64: "u64" },
});

/** The fields of struct iommu_vfio_ioas. */
export type IommuVfioIoas = {
  /** In to set, out to get. */
  ioas_id: "u32";
  /** What to do. One of IOMMU_VFIO_IOAS_GET, IOMMU_VFIO_IOAS_SET, IOMMU_VFIO_IOAS_CLEAR. */
  op: "u16";
  /** Must be 0. */
  __reserved: "u16";
};
/** struct iommu_vfio_ioas. Reads, sets or clears the address space that the VFIO requests use. EOPNOTSUPP, ENODEV, ENOENT. */
export const IOMMU_VFIO_IOAS: IoctlCommand<IommuVfioIoas> = /* @__PURE__ */ new IoctlCommand({
  name: "IOMMU_VFIO_IOAS",
  nr: 0x88,
  fields: { ioas_id: "u32", op: "u16", __reserved: "u16" },
});

/** The fields of struct iommu_hwpt_alloc. */
export type IommuHwptAlloc = {
  /**
   * What the table can do. Bits: IOMMU_HWPT_ALLOC_NEST_PARENT, IOMMU_HWPT_ALLOC_DIRTY_TRACKING, IOMMU_HWPT_FAULT_ID_VALID,
   * IOMMU_HWPT_ALLOC_PASID.
   */
  flags: "u32";
  /** A device. */
  dev_id: "u32";
  /** An address space, a paging table or a virtual IOMMU. */
  pt_id: "u32";
  out_hwpt_id: "u32";
  /** Must be 0. */
  __reserved: "u32";
  /** What `data_uptr` points to. One of IOMMU_HWPT_DATA_NONE, IOMMU_HWPT_DATA_VTD_S1, IOMMU_HWPT_DATA_ARM_SMMUV3. */
  data_type: "u32";
  /** Bytes. */
  data_len: "u32";
  /** Driver data. */
  data_uptr: "u64";
  /** A fault queue, with IOMMU_HWPT_FAULT_ID_VALID. */
  fault_id: "u32";
  /** Documented 0, not checked. */
  __reserved2: "u32";
};
/** struct iommu_hwpt_alloc. Makes a hardware page table. EOPNOTSUPP, EINVAL, ENOENT. */
export const IOMMU_HWPT_ALLOC: IoctlCommand<IommuHwptAlloc> = /* @__PURE__ */ new IoctlCommand({
  name: "IOMMU_HWPT_ALLOC",
  nr: 0x89,
  fields: {
    flags: "u32",
    dev_id: "u32",
    pt_id: "u32",
    out_hwpt_id: "u32",
    __reserved: "u32",
    data_type: "u32",
    data_len: "u32",
    data_uptr: "u64",
    fault_id: "u32",
    __reserved2: "u32",
  },
  last: "__reserved",
});

/** The fields of struct iommu_hw_info. */
export type IommuHwInfo = {
  /** Linux 6.12 has none. Bits: IOMMU_HW_INFO_FLAG_INPUT_TYPE. */
  flags: "u32";
  /** A device. */
  dev_id: "u32";
  /** In: buffer bytes; out: bytes the kernel has. */
  data_len: "u32";
  /** Buffer; may be null with data_len 0. */
  data_uptr: "u64";
  /** In, with IOMMU_HW_INFO_FLAG_INPUT_TYPE: the type that is wanted; out: the type of the data. */
  data_type: "u32";
  /** Bits of a PASID; 0: none. */
  out_max_pasid_log2: "u8";
  /** Must be 0. */
  __reserved: "u8[3]";
  /** DIRTY_TRACKING 1, PCI_PASID_EXEC 2, PCI_PASID_PRIV 4, PCI_ATS_NOT_SUPPORTED 8. */
  out_capabilities: "u64";
};
/** struct iommu_hw_info. Asks what a device's IOMMU can do. EOPNOTSUPP, ENOENT, EFAULT. */
export const IOMMU_GET_HW_INFO: IoctlCommand<IommuHwInfo> = /* @__PURE__ */ new IoctlCommand({
  name: "IOMMU_GET_HW_INFO",
  nr: 0x8a,
  fields: {
    flags: "u32",
    dev_id: "u32",
    data_len: "u32",
    data_uptr: "u64",
    data_type: "u32",
    out_max_pasid_log2: "u8",
    __reserved: "u8[3]",
    out_capabilities: "u64",
  },
  last: "__reserved",
});

/** The fields of struct iommu_hwpt_set_dirty_tracking. */
export type IommuHwptSetDirtyTracking = {
  /** On or off. Bits: IOMMU_HWPT_DIRTY_TRACKING_ENABLE. */
  flags: "u32";
  /** A paging table. */
  hwpt_id: "u32";
  /** Documented 0, not checked. */
  __reserved: "u32";
};
/** struct iommu_hwpt_set_dirty_tracking. Turns dirty tracking on or off. EOPNOTSUPP, ENOENT. */
export const IOMMU_HWPT_SET_DIRTY_TRACKING: IoctlCommand<IommuHwptSetDirtyTracking> = /* @__PURE__ */ new IoctlCommand({
  name: "IOMMU_HWPT_SET_DIRTY_TRACKING",
  nr: 0x8b,
  fields: { flags: "u32", hwpt_id: "u32", __reserved: "u32" },
});

/** The fields of struct iommu_hwpt_get_dirty_bitmap. */
export type IommuHwptGetDirtyBitmap = {
  /** A paging table; before the flags, unlike elsewhere. */
  hwpt_id: "u32";
  /** Whether what is read stays dirty. Bits: IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR. */
  flags: "u32";
  /** Must be 0. */
  __reserved: "u32";
  /** What bit 0 of the bitmap stands for. */
  iova: "u64";
  /** Bytes. */
  length: "u64";
  /** Bytes per bit. */
  page_size: "u64";
  /** Pointer; bits are OR-ed in. */
  data: "u64";
};
/** struct iommu_hwpt_get_dirty_bitmap. Reads and clears dirty bits. EOPNOTSUPP, ENOENT, EOVERFLOW, EINVAL. */
export const IOMMU_HWPT_GET_DIRTY_BITMAP: IoctlCommand<IommuHwptGetDirtyBitmap> = /* @__PURE__ */ new IoctlCommand({
  name: "IOMMU_HWPT_GET_DIRTY_BITMAP",
  nr: 0x8c,
  fields: {
    hwpt_id: "u32",
    flags: "u32",
    __reserved: "u32",
    iova: "u64",
    length: "u64",
    page_size: "u64",
    data: "u64",
  },
});

/** The fields of struct iommu_hwpt_invalidate. */
export type IommuHwptInvalidate = {
  /** A nested table or a virtual IOMMU. */
  hwpt_id: "u32";
  /** Pointer to the entries. */
  data_uptr: "u64";
  /**
   * What the entries are; 1 for a virtual IOMMU only. One of IOMMU_HWPT_INVALIDATE_DATA_VTD_S1,
   * IOMMU_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3.
   */
  data_type: "u32";
  /** Bytes of one: 1 … 4096. */
  entry_len: "u32";
  /** In: at most 2^19; out: entries done, also on errors. */
  entry_num: "u32";
  /** Must be 0. */
  __reserved: "u32";
};
/** struct iommu_hwpt_invalidate. Invalidates cached translations of a nested page table. EOPNOTSUPP, EINVAL, ENOENT. */
export const IOMMU_HWPT_INVALIDATE: IoctlCommand<IommuHwptInvalidate> = /* @__PURE__ */ new IoctlCommand({
  name: "IOMMU_HWPT_INVALIDATE",
  nr: 0x8d,
  fields: { hwpt_id: "u32", data_uptr: "u64", data_type: "u32", entry_len: "u32", entry_num: "u32", __reserved: "u32" },
});

/** The fields of struct iommu_fault_alloc. */
export type IommuFaultAlloc = {
  /** Must be 0. */
  flags: "u32";
  /** New id. */
  out_fault_id: "u32";
  /** File number: reads give iommu_hwpt_pgfault, writes take iommu_hwpt_page_response. */
  out_fault_fd: "u32";
};
/**
 * struct iommu_fault_alloc. Makes a queue of page faults, with a file to read and answer them. EOPNOTSUPP, ENOMEM, EMFILE.
 */
export const IOMMU_FAULT_QUEUE_ALLOC: IoctlCommand<IommuFaultAlloc> = /* @__PURE__ */ new IoctlCommand({
  name: "IOMMU_FAULT_QUEUE_ALLOC",
  nr: 0x8e,
  fields: { flags: "u32", out_fault_id: "u32", out_fault_fd: "u32" },
});

/** The fields of struct iommu_ioas_map_file. */
export type IommuIoasMapFile = {
  /** As for IOMMU_IOAS_MAP. Bits: IOMMU_IOAS_MAP_FIXED_IOVA, IOMMU_IOAS_MAP_WRITEABLE, IOMMU_IOAS_MAP_READABLE. */
  flags: "u32";
  ioas_id: "u32";
  /** File number of a memfd. */
  fd: "s32";
  /** Bytes from the file's start. */
  start: "u64";
  /** Bytes. */
  length: "u64";
  /** In with IOMMU_IOAS_MAP_FIXED_IOVA; out: the IOVA of the mapping. */
  iova: "u64";
};
/** struct iommu_ioas_map_file. Maps a range of a memfd. As IOMMU_IOAS_MAP; EBADF. */
export const IOMMU_IOAS_MAP_FILE: IoctlCommand<IommuIoasMapFile> = /* @__PURE__ */ new IoctlCommand({
  name: "IOMMU_IOAS_MAP_FILE",
  nr: 0x8f,
  fields: { flags: "u32", ioas_id: "u32", fd: "s32", start: "u64", length: "u64", iova: "u64" },
});

/** The fields of struct iommu_viommu_alloc. */
export type IommuViommuAlloc = {
  /** Must be 0. */
  flags: "u32";
  /**
   * Of which driver; the default is refused. One of IOMMU_VIOMMU_TYPE_DEFAULT, IOMMU_VIOMMU_TYPE_ARM_SMMUV3,
   * IOMMU_VIOMMU_TYPE_TEGRA241_CMDQV.
   */
  type: "u32";
  dev_id: "u32";
  /** A paging table with IOMMU_HWPT_ALLOC_NEST_PARENT. */
  hwpt_id: "u32";
  /** New id. */
  out_viommu_id: "u32";
  /** Bytes. */
  data_len: "u32";
  /** Documented 0, not checked. */
  __reserved: "u32";
  /** Driver data, driver may write back. */
  data_uptr: "u64";
};
/** struct iommu_viommu_alloc. Makes a virtual IOMMU. EOPNOTSUPP, ENOENT, EINVAL. */
export const IOMMU_VIOMMU_ALLOC: IoctlCommand<IommuViommuAlloc> = /* @__PURE__ */ new IoctlCommand({
  name: "IOMMU_VIOMMU_ALLOC",
  nr: 0x90,
  fields: {
    flags: "u32",
    type: "u32",
    dev_id: "u32",
    hwpt_id: "u32",
    out_viommu_id: "u32",
    data_len: "u32",
    __reserved: "u32",
    data_uptr: "u64",
  },
  last: "out_viommu_id",
});

/** The fields of struct iommu_vdevice_alloc. */
export type IommuVdeviceAlloc = {
  viommu_id: "u32";
  dev_id: "u32";
  /** New id. */
  out_vdevice_id: "u32";
  /** Unique within the virtual IOMMU. */
  virt_id: "u64";
};
/** struct iommu_vdevice_alloc. Makes a device of a virtual IOMMU. ENOENT, EINVAL, EEXIST. */
export const IOMMU_VDEVICE_ALLOC: IoctlCommand<IommuVdeviceAlloc> = /* @__PURE__ */ new IoctlCommand({
  name: "IOMMU_VDEVICE_ALLOC",
  nr: 0x91,
  fields: { viommu_id: "u32", dev_id: "u32", out_vdevice_id: "u32", virt_id: "u64" },
});

/** The fields of struct iommu_ioas_change_process. */
export type IommuIoasChangeProcess = {
  /** Must be 0. */
  __reserved: "u32";
};
/** struct iommu_ioas_change_process. Charges the calling process for all file mappings. EOPNOTSUPP, EBUSY, EINVAL, ENOMEM. */
export const IOMMU_IOAS_CHANGE_PROCESS: IoctlCommand<IommuIoasChangeProcess> = /* @__PURE__ */ new IoctlCommand({
  name: "IOMMU_IOAS_CHANGE_PROCESS",
  nr: 0x92,
  fields: { __reserved: "u32" },
});

/** All commands of the newest mainline kernel that are built, by ascending number. */
export const IOMMUFD_COMMANDS: readonly IoctlCommand<Fields>[] = [
  IOMMU_DESTROY,
  IOMMU_IOAS_ALLOC,
  IOMMU_IOAS_ALLOW_IOVAS,
  IOMMU_IOAS_COPY,
  IOMMU_IOAS_IOVA_RANGES,
  IOMMU_IOAS_MAP,
  IOMMU_IOAS_UNMAP,
  IOMMU_OPTION,
  IOMMU_VFIO_IOAS,
  IOMMU_HWPT_ALLOC,
  IOMMU_GET_HW_INFO,
  IOMMU_HWPT_SET_DIRTY_TRACKING,
  IOMMU_HWPT_GET_DIRTY_BITMAP,
  IOMMU_HWPT_INVALIDATE,
  IOMMU_FAULT_QUEUE_ALLOC,
  IOMMU_IOAS_MAP_FILE,
  IOMMU_VIOMMU_ALLOC,
  IOMMU_VDEVICE_ALLOC,
  IOMMU_IOAS_CHANGE_PROCESS,
];

/** The fields of struct iommu_iova_range. */
export type IommuIovaRange = {
  /** First IOVA. */
  start: "u64";
  /** Inclusive last. */
  last: "u64";
};
/** struct iommu_iova_range. IOVAs from `start` to `last`. */
export const iommu_iova_range: Struct<IommuIovaRange> = /* @__PURE__ */ new Struct("iommu_iova_range", {
  start: "u64",
  last: "u64",
});

/** The fields of struct iommu_hwpt_pgfault. */
export type IommuHwptPgfault = {
  /** Of this fault. Bits: IOMMU_PGFAULT_FLAGS_PASID_VALID, IOMMU_PGFAULT_FLAGS_LAST_PAGE. */
  flags: "u32";
  /** A device. */
  dev_id: "u32";
  pasid: "u32";
  grpid: "u32";
  /** READ 1, WRITE 2, EXEC 4, PRIV 8. */
  perm: "u32";
  /** 0. */
  __reserved: "u32";
  addr: "u64";
  /** Always 0 today. */
  length: "u32";
  /** Group cookie, from 1. */
  cookie: "u32";
};
/** struct iommu_hwpt_pgfault. A page fault, as the file of a fault queue gives it. */
export const iommu_hwpt_pgfault: Struct<IommuHwptPgfault> = /* @__PURE__ */ new Struct("iommu_hwpt_pgfault", {
  flags: "u32",
  dev_id: "u32",
  pasid: "u32",
  grpid: "u32",
  perm: "u32",
  __reserved: "u32",
  addr: "u64",
  length: "u32",
  cookie: "u32",
});

/** The fields of struct iommu_hwpt_page_response. */
export type IommuHwptPageResponse = {
  cookie: "u32";
  /** The answer. One of IOMMU_PAGE_RESP_SUCCESS, IOMMU_PAGE_RESP_INVALID. */
  code: "u32";
};
/** struct iommu_hwpt_page_response. The answer to a group of page faults. */
export const iommu_hwpt_page_response: Struct<IommuHwptPageResponse> = /* @__PURE__ */ new Struct(
  "iommu_hwpt_page_response",
  { cookie: "u32", code: "u32" },
);

/** The fields of struct vfio_iommu_type1_dma_map. */
export type VfioIommuType1DmaMap = {
  /** ≥ 32. */
  argsz: "u32";
  /** What a device may do; nothing is no error. Bits: VFIO_DMA_MAP_FLAG_READ, VFIO_DMA_MAP_FLAG_WRITE. */
  flags: "u32";
  /** Caller's address. */
  vaddr: "u64";
  iova: "u64";
  /** Bytes. */
  size: "u64";
};
/** struct vfio_iommu_type1_dma_map. What VFIO_IOMMU_MAP_DMA takes. */
export const vfio_iommu_type1_dma_map: Struct<VfioIommuType1DmaMap> = /* @__PURE__ */ new Struct(
  "vfio_iommu_type1_dma_map",
  { argsz: "u32", flags: "u32", vaddr: "u64", iova: "u64", size: "u64" },
);

/** The fields of struct vfio_iommu_type1_dma_unmap. */
export type VfioIommuType1DmaUnmap = {
  /** ≥ 24. */
  argsz: "u32";
  /** Everything, with `iova` and `size` 0. Bits: VFIO_DMA_UNMAP_FLAG_ALL. */
  flags: "u32";
  iova: "u64";
  /** In: bytes; out: bytes unmapped, also when the unmap itself fails. */
  size: "u64";
};
/** struct vfio_iommu_type1_dma_unmap. What VFIO_IOMMU_UNMAP_DMA takes. */
export const vfio_iommu_type1_dma_unmap: Struct<VfioIommuType1DmaUnmap> = /* @__PURE__ */ new Struct(
  "vfio_iommu_type1_dma_unmap",
  { argsz: "u32", flags: "u32", iova: "u64", size: "u64" },
);

/** The fields of struct vfio_iommu_type1_info. */
export type VfioIommuType1Info = {
  /** In: ≥ 16; out: bytes with all capabilities. */
  argsz: "u32";
  /** Always both. Bits: VFIO_IOMMU_INFO_PGSIZES, VFIO_IOMMU_INFO_CAPS. */
  flags: "u32";
  /** A bit for each page size. */
  iova_pgsizes: "u64";
  /** Where the first capability is; 0 unless all fit. */
  cap_offset: "u32";
  pad: "u32";
};
/** struct vfio_iommu_type1_info. What VFIO_IOMMU_GET_INFO takes; capabilities follow. */
export const vfio_iommu_type1_info: Struct<VfioIommuType1Info> = /* @__PURE__ */ new Struct("vfio_iommu_type1_info", {
  argsz: "u32",
  flags: "u32",
  iova_pgsizes: "u64",
  cap_offset: "u32",
  pad: "u32",
});

/** The fields of struct vfio_info_cap_header. */
export type VfioInfoCapHeader = {
  id: "u16";
  version: "u16";
  /** Offset from struct start, 0 = last. */
  next: "u32";
};
/** struct vfio_info_cap_header. What each capability begins with. */
export const vfio_info_cap_header: Struct<VfioInfoCapHeader> = /* @__PURE__ */ new Struct("vfio_info_cap_header", {
  id: "u16",
  version: "u16",
  next: "u32",
});

/** The fields of struct vfio_iommu_type1_info_dma_avail. */
export type VfioIommuType1InfoDmaAvail = {
  id: "u16";
  version: "u16";
  next: "u32";
  avail: "u32";
};
/** struct vfio_iommu_type1_info_dma_avail. How many more mappings there may be. */
export const vfio_iommu_type1_info_dma_avail: Struct<VfioIommuType1InfoDmaAvail> = /* @__PURE__ */ new Struct(
  "vfio_iommu_type1_info_dma_avail",
  { id: "u16", version: "u16", next: "u32", avail: "u32" },
);

/** The fields of struct vfio_iommu_type1_info_cap_iova_range. */
export type VfioIommuType1InfoCapIovaRange = {
  id: "u16";
  version: "u16";
  next: "u32";
  nr_iovas: "u32";
  reserved: "u32";
};
/** struct vfio_iommu_type1_info_cap_iova_range. `nr_iovas` ranges follow, as iommu_iova_range. */
export const vfio_iommu_type1_info_cap_iova_range: Struct<VfioIommuType1InfoCapIovaRange> = /* @__PURE__ */ new Struct(
  "vfio_iommu_type1_info_cap_iova_range",
  { id: "u16", version: "u16", next: "u32", nr_iovas: "u32", reserved: "u32" },
);

// SPDX-License-Identifier: GPL-2.0-only
/**
 * The uAPI: the structs and numbers that callers pass, declared once.
 *
 * The core takes offsets and sizes from the classes, which are never instantiated; the build reads this file's text and writes
 * bindings/generated/uapi.ts, from which the typed commands and the decoder are made. A struct that belongs to an ioctl names it:
 *
 *     @ioctl NAME nr last   the request, its number, and the last field that a caller must know of
 *
 * Rules: field names are the kernel's; all integers are little endian; each field lies at a multiple of its size, with explicit
 * padding, so that layouts do not depend on word size. `__reserved` must be 0 unless it says otherwise.
 *
 * Kernel counterpart: include/uapi/linux/iommufd.h, include/uapi/linux/vfio.h.
 */

// Numbers: a request is _IO(';', number).

export const NR_DESTROY: u32 = 0x80;
export const NR_IOAS_ALLOC: u32 = 0x81;
export const NR_IOAS_ALLOW_IOVAS: u32 = 0x82;
export const NR_IOAS_COPY: u32 = 0x83;
export const NR_IOAS_IOVA_RANGES: u32 = 0x84;
export const NR_IOAS_MAP: u32 = 0x85;
export const NR_IOAS_UNMAP: u32 = 0x86;
export const NR_OPTION: u32 = 0x87;
export const NR_VFIO_IOAS: u32 = 0x88;
export const NR_HWPT_ALLOC: u32 = 0x89;
export const NR_GET_HW_INFO: u32 = 0x8a;
export const NR_HWPT_SET_DIRTY_TRACKING: u32 = 0x8b;
export const NR_HWPT_GET_DIRTY_BITMAP: u32 = 0x8c;
export const NR_HWPT_INVALIDATE: u32 = 0x8d;
export const NR_FAULT_QUEUE_ALLOC: u32 = 0x8e;
export const NR_IOAS_MAP_FILE: u32 = 0x8f;
export const NR_VIOMMU_ALLOC: u32 = 0x90;
export const NR_VDEVICE_ALLOC: u32 = 0x91;
export const NR_IOAS_CHANGE_PROCESS: u32 = 0x92;

// Values of fields.

/** Map at the given IOVA, instead of at one that the kernel picks. */
export const IOMMU_IOAS_MAP_FIXED_IOVA: u32 = 1;
export const IOMMU_IOAS_MAP_WRITEABLE: u32 = 2;
export const IOMMU_IOAS_MAP_READABLE: u32 = 4;

export const IOMMU_OPTION_RLIMIT_MODE: u32 = 0;
export const IOMMU_OPTION_HUGE_PAGES: u32 = 1;
export const IOMMU_OPTION_OP_SET: u32 = 0;
export const IOMMU_OPTION_OP_GET: u32 = 1;

export const IOMMU_VFIO_IOAS_GET: u32 = 0;
export const IOMMU_VFIO_IOAS_SET: u32 = 1;
export const IOMMU_VFIO_IOAS_CLEAR: u32 = 2;

export const IOMMU_HWPT_DATA_NONE: u32 = 0;
export const IOMMU_HW_INFO_FLAG_INPUT_TYPE: u32 = 1;
export const IOMMU_HWPT_DIRTY_TRACKING_ENABLE: u32 = 1;
export const IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR: u32 = 1;
/** Most entries of one IOMMU_HWPT_INVALIDATE. */
export const IOMMU_HWPT_INVALIDATE_ENTRIES: u32 = 0x80000;
export const IOMMU_VIOMMU_TYPE_DEFAULT: u32 = 0;

export const IOMMU_PGFAULT_FLAGS_PASID_VALID: u32 = 1;
export const IOMMU_PGFAULT_FLAGS_LAST_PAGE: u32 = 2;
export const IOMMU_PAGE_RESP_SUCCESS: u32 = 0;
export const IOMMU_PAGE_RESP_INVALID: u32 = 1;

// The VFIO requests of the same file, whole.

export const VFIO_GET_API_VERSION: u32 = 0x3b64;
export const VFIO_CHECK_EXTENSION: u32 = 0x3b65;
export const VFIO_SET_IOMMU: u32 = 0x3b66;
export const VFIO_IOMMU_GET_INFO: u32 = 0x3b70;
export const VFIO_IOMMU_MAP_DMA: u32 = 0x3b71;
export const VFIO_IOMMU_UNMAP_DMA: u32 = 0x3b72;

/** Arguments of VFIO_CHECK_EXTENSION; the first two of VFIO_SET_IOMMU, too. */
export const VFIO_TYPE1_IOMMU: u32 = 1;
export const VFIO_TYPE1V2_IOMMU: u32 = 3;
export const VFIO_DMA_CC_IOMMU: u32 = 4;
export const VFIO_UNMAP_ALL: u32 = 9;

export const VFIO_DMA_MAP_FLAG_READ: u32 = 1;
export const VFIO_DMA_MAP_FLAG_WRITE: u32 = 2;
export const VFIO_DMA_UNMAP_FLAG_ALL: u32 = 2;

export const VFIO_IOMMU_INFO_PGSIZES: u32 = 1;
export const VFIO_IOMMU_INFO_CAPS: u32 = 2;
export const VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE: u32 = 1;
export const VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL: u32 = 3;

// Structs.

/**
 * struct iommu_destroy. Destroys any object by its ID. ENOENT, EBUSY.
 *
 * @ioctl IOMMU_DESTROY NR_DESTROY id
 */
@unmanaged
export class IommuDestroy {
  /** Declared size. */
  size: u32;
  /** Any object id. */
  id: u32;
}

/**
 * struct iommu_ioas_alloc. Makes an empty IO address space. EOPNOTSUPP, ENOMEM, EBUSY.
 *
 * @ioctl IOMMU_IOAS_ALLOC NR_IOAS_ALLOC out_ioas_id
 */
@unmanaged
export class IommuIoasAlloc {
  /** Declared size. */
  size: u32;
  /** Must be 0. */
  flags: u32;
  /** New id. */
  out_ioas_id: u32;
}

/**
 * struct iommu_ioas_allow_iovas. Replaces the ranges from which IOVAs are picked. EOPNOTSUPP, ENOENT, EFAULT, EINVAL, EADDRINUSE.
 *
 * @ioctl IOMMU_IOAS_ALLOW_IOVAS NR_IOAS_ALLOW_IOVAS allowed_iovas
 */
@unmanaged
export class IommuIoasAllowIovas {
  /** Declared size. */
  size: u32;
  ioas_id: u32;
  /** Entries; 0 clears the list. */
  num_iovas: u32;
  __reserved: u32;
  /** Pointer to iommu_iova_range[]. */
  allowed_iovas: u64;
}

/**
 * struct iommu_ioas_copy. Maps what another address space, or the same, has mapped already. As map; EPERM.
 *
 * @ioctl IOMMU_IOAS_COPY NR_IOAS_COPY src_iova
 */
@unmanaged
export class IommuIoasCopy {
  /** Declared size. */
  size: u32;
  /** As MAP (FIXED refers to dst). */
  flags: u32;
  dst_ioas_id: u32;
  /** May equal dst. */
  src_ioas_id: u32;
  length: u64;
  dst_iova: u64;
  src_iova: u64;
}

/**
 * struct iommu_ioas_iova_ranges. Tells which IOVAs are not reserved. EOPNOTSUPP, ENOENT, EFAULT, EMSGSIZE.
 *
 * @ioctl IOMMU_IOAS_IOVA_RANGES NR_IOAS_IOVA_RANGES out_iova_alignment
 */
@unmanaged
export class IommuIoasIovaRanges {
  /** Declared size. */
  size: u32;
  ioas_id: u32;
  /** In: array capacity; out: total ranges. */
  num_iovas: u32;
  __reserved: u32;
  /** Pointer to iommu_iova_range[]. */
  allowed_iovas: u64;
  /** Power of two, 1 … PAGE_SIZE. */
  out_iova_alignment: u64;
}

/**
 * struct iommu_ioas_map. Maps user memory. EOPNOTSUPP, EOVERFLOW, EINVAL, ENOENT, EEXIST, ENOSPC, ENOMEM.
 *
 * @ioctl IOMMU_IOAS_MAP NR_IOAS_MAP iova
 */
@unmanaged
export class IommuIoasMap {
  /** Declared size. */
  size: u32;
  /** IOMMU_IOAS_MAP_*. */
  flags: u32;
  ioas_id: u32;
  __reserved: u32;
  /** Caller's address. */
  user_va: u64;
  /** Bytes. */
  length: u64;
  /** In with FIXED; out chosen IOVA. */
  iova: u64;
}

/**
 * struct iommu_ioas_unmap. Unmaps whole areas. ENOENT, EOVERFLOW, EINVAL, EBUSY, EDEADLOCK.
 *
 * @ioctl IOMMU_IOAS_UNMAP NR_IOAS_UNMAP length
 */
@unmanaged
export class IommuIoasUnmap {
  /** Declared size. */
  size: u32;
  ioas_id: u32;
  iova: u64;
  /** Out: bytes unmapped. */
  length: u64;
}

/**
 * struct iommu_option. Reads or sets an option of the file or of one object. EOPNOTSUPP, EPERM, EBUSY, EINVAL, ENOENT, EADDRINUSE.
 *
 * @ioctl IOMMU_OPTION NR_OPTION val64
 */
@unmanaged
export class IommuOption {
  /** Declared size. */
  size: u32;
  /** 0 RLIMIT_MODE, 1 HUGE_PAGES. */
  option_id: u32;
  /** 0 SET, 1 GET. */
  op: u16;
  __reserved: u16;
  /** 0 for RLIMIT_MODE; IOAS id for HUGE_PAGES. */
  object_id: u32;
  /** Value. */
  val64: u64;
}

/**
 * struct iommu_vfio_ioas. Reads, sets or clears the address space that the VFIO requests use. EOPNOTSUPP, ENODEV, ENOENT.
 *
 * @ioctl IOMMU_VFIO_IOAS NR_VFIO_IOAS __reserved
 */
@unmanaged
export class IommuVfioIoas {
  /** Declared size. */
  size: u32;
  /** In for SET, out for GET. */
  ioas_id: u32;
  /** 0 GET, 1 SET, 2 CLEAR. */
  op: u16;
  __reserved: u16;
}

/**
 * struct iommu_hwpt_alloc. Makes a hardware page table. EOPNOTSUPP, EINVAL, ENOENT.
 *
 * @ioctl IOMMU_HWPT_ALLOC NR_HWPT_ALLOC __reserved
 */
@unmanaged
export class IommuHwptAlloc {
  /** Declared size. */
  size: u32;
  /** Below. */
  flags: u32;
  /** DEVICE. */
  dev_id: u32;
  /** IOAS, HWPT_PAGING or VIOMMU. */
  pt_id: u32;
  out_hwpt_id: u32;
  __reserved: u32;
  /** Below. */
  data_type: u32;
  data_len: u32;
  /** Driver data. */
  data_uptr: u64;
  /** FAULT, with flag 4. */
  fault_id: u32;
  /** Documented 0, not checked. */
  __reserved2: u32;
}

/**
 * struct iommu_hw_info. Asks what a device's IOMMU can do. EOPNOTSUPP, ENOENT, EFAULT.
 *
 * @ioctl IOMMU_GET_HW_INFO NR_GET_HW_INFO __reserved2
 */
@unmanaged
export class IommuHwInfo {
  /** Declared size. */
  size: u32;
  /** Bit 0 INPUT_TYPE. */
  flags: u32;
  /** DEVICE. */
  dev_id: u32;
  /** In: buffer bytes; out: bytes the kernel has. */
  data_len: u32;
  /** Buffer; may be null with data_len 0. */
  data_uptr: u64;
  /** In, with INPUT_TYPE: the type that is wanted; out: the type of the data. */
  data_type: u32;
  /** 0 = none. */
  out_max_pasid_log2: u8;
  __reserved0: u8;
  __reserved1: u8;
  __reserved2: u8;
  /** Below. */
  out_capabilities: u64;
}

/**
 * struct iommu_hwpt_set_dirty_tracking. Turns dirty tracking on or off. EOPNOTSUPP, ENOENT.
 *
 * @ioctl IOMMU_HWPT_SET_DIRTY_TRACKING NR_HWPT_SET_DIRTY_TRACKING __reserved
 */
@unmanaged
export class IommuHwptSetDirtyTracking {
  /** Declared size. */
  size: u32;
  /** Bit 0 ENABLE. */
  flags: u32;
  /** HWPT_PAGING. */
  hwpt_id: u32;
  /** Documented 0, not checked. */
  __reserved: u32;
}

/**
 * struct iommu_hwpt_get_dirty_bitmap. Reads and clears dirty bits. EOPNOTSUPP, ENOENT, EOVERFLOW, EINVAL.
 *
 * @ioctl IOMMU_HWPT_GET_DIRTY_BITMAP NR_HWPT_GET_DIRTY_BITMAP data
 */
@unmanaged
export class IommuHwptGetDirtyBitmap {
  /** Declared size. */
  size: u32;
  /** Note: id before flags here. */
  hwpt_id: u32;
  /** Bit 0 NO_CLEAR. */
  flags: u32;
  __reserved: u32;
  /** Bit 0 of the bitmap. */
  iova: u64;
  length: u64;
  /** Bytes per bit. */
  page_size: u64;
  /** Pointer; bits are OR-ed in. */
  data: u64;
}

/**
 * struct iommu_hwpt_invalidate. Invalidates cached translations of a nested page table. EOPNOTSUPP, EINVAL, ENOENT.
 *
 * @ioctl IOMMU_HWPT_INVALIDATE NR_HWPT_INVALIDATE __reserved
 */
@unmanaged
export class IommuHwptInvalidate {
  /** Declared size. */
  size: u32;
  /** HWPT_NESTED or VIOMMU. */
  hwpt_id: u32;
  /** Array. */
  data_uptr: u64;
  /** VTD_S1 0, ARM_SMMUV3 (vIOMMU) 1. */
  data_type: u32;
  /** 1 … PAGE_SIZE. */
  entry_len: u32;
  /** In ≤ 2¹⁹; out entries done. */
  entry_num: u32;
  __reserved: u32;
}

/**
 * struct iommu_fault_alloc. Makes a queue of page faults, with a file to read and answer them. EOPNOTSUPP, ENOMEM, EMFILE.
 *
 * @ioctl IOMMU_FAULT_QUEUE_ALLOC NR_FAULT_QUEUE_ALLOC out_fault_fd
 */
@unmanaged
export class IommuFaultAlloc {
  /** Declared size. */
  size: u32;
  /** Must be 0. */
  flags: u32;
  out_fault_id: u32;
  /** Close-on-exec, read/write. */
  out_fault_fd: u32;
}

/**
 * struct iommu_ioas_map_file. Maps a range of a memfd. As map; EBADF.
 *
 * @ioctl IOMMU_IOAS_MAP_FILE NR_IOAS_MAP_FILE iova
 */
@unmanaged
export class IommuIoasMapFile {
  /** Declared size. */
  size: u32;
  /** As MAP. */
  flags: u32;
  ioas_id: u32;
  /** Memfd (or supported dma-buf). */
  fd: i32;
  /** Byte offset in file. */
  start: u64;
  length: u64;
  /** As MAP. */
  iova: u64;
}

/**
 * struct iommu_viommu_alloc. Makes a virtual IOMMU. EOPNOTSUPP, ENOENT, EINVAL.
 *
 * @ioctl IOMMU_VIOMMU_ALLOC NR_VIOMMU_ALLOC out_viommu_id
 */
@unmanaged
export class IommuViommuAlloc {
  /** Declared size. */
  size: u32;
  /** Must be 0. */
  flags: u32;
  /** ARM_SMMUV3 1, TEGRA241_CMDQV 2; 0 refused. */
  type: u32;
  dev_id: u32;
  /** NEST_PARENT HWPT_PAGING. */
  hwpt_id: u32;
  out_viommu_id: u32;
  data_len: u32;
  /** Documented 0, not checked. */
  __reserved: u32;
  /** Driver data, driver may write back. */
  data_uptr: u64;
}

/**
 * struct iommu_vdevice_alloc. Makes a device of a virtual IOMMU. ENOENT, EINVAL, EEXIST.
 *
 * @ioctl IOMMU_VDEVICE_ALLOC NR_VDEVICE_ALLOC virt_id
 */
@unmanaged
export class IommuVdeviceAlloc {
  /** Declared size. */
  size: u32;
  viommu_id: u32;
  dev_id: u32;
  out_vdevice_id: u32;
  /** Unique per vIOMMU. */
  virt_id: u64;
}

/**
 * struct iommu_ioas_change_process. Charges the calling process for all file mappings. EOPNOTSUPP, EBUSY, EINVAL, ENOMEM.
 *
 * @ioctl IOMMU_IOAS_CHANGE_PROCESS NR_IOAS_CHANGE_PROCESS __reserved
 */
@unmanaged
export class IommuIoasChangeProcess {
  /** Declared size. */
  size: u32;
  __reserved: u32;
}

/**
 * struct iommu_iova_range.
 */
@unmanaged
export class IommuIovaRange {
  /** First IOVA. */
  start: u64;
  /** Inclusive last. */
  last: u64;
}

/**
 * struct iommu_hwpt_pgfault.
 */
@unmanaged
export class IommuHwptPgfault {
  /** PASID_VALID 1, LAST_PAGE 2. */
  flags: u32;
  /** DEVICE id. */
  dev_id: u32;
  pasid: u32;
  grpid: u32;
  /** READ 1, WRITE 2, EXEC 4, PRIV 8. */
  perm: u32;
  /** 0. */
  __reserved: u32;
  addr: u64;
  /** Always 0 today. */
  length: u32;
  /** Group cookie, from 1. */
  cookie: u32;
}

/**
 * struct iommu_hwpt_page_response.
 */
@unmanaged
export class IommuHwptPageResponse {
  cookie: u32;
  /** SUCCESS 0, INVALID 1. */
  code: u32;
}

/**
 * struct vfio_iommu_type1_dma_map.
 */
@unmanaged
export class VfioIommuType1DmaMap {
  /** ≥ 32. */
  argsz: u32;
  /** READ 1, WRITE 2. */
  flags: u32;
  vaddr: u64;
  iova: u64;
  size: u64;
}

/**
 * struct vfio_iommu_type1_dma_unmap.
 */
@unmanaged
export class VfioIommuType1DmaUnmap {
  /** ≥ 24. */
  argsz: u32;
  /** ALL 2. */
  flags: u32;
  iova: u64;
  /** Out bytes; written also when the unmap itself fails. */
  size: u64;
}

/**
 * struct vfio_iommu_type1_info.
 */
@unmanaged
export class VfioIommuType1Info {
  /** In ≥ 16; out total size with capabilities. */
  argsz: u32;
  /** PGSIZES 1 and CAPS 2, always both. */
  flags: u32;
  iova_pgsizes: u64;
  /** 24 if all caps fit, else 0. */
  cap_offset: u32;
  pad: u32;
}

/**
 * struct vfio_info_cap_header.
 */
@unmanaged
export class VfioInfoCapHeader {
  id: u16;
  version: u16;
  /** Offset from struct start, 0 = last. */
  next: u32;
}

/**
 * struct vfio_iommu_type1_info_dma_avail.
 */
@unmanaged
export class VfioIommuType1InfoDmaAvail {
  id: u16;
  version: u16;
  next: u32;
  avail: u32;
}

/**
 * struct vfio_iommu_type1_info_cap_iova_range.
 */
@unmanaged
export class VfioIommuType1InfoCapIovaRange {
  id: u16;
  version: u16;
  next: u32;
  nr_iovas: u32;
  reserved: u32;
}

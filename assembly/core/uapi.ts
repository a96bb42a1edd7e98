// SPDX-License-Identifier: GPL-2.0-only
/**
 * The uAPI: the structs and numbers that callers pass, declared once.
 *
 * The core takes offsets and sizes from the classes, which are never instantiated; the build reads this file's text and writes
 * bindings/generated/uapi.ts, from which the typed commands and the decoder are made. A struct that belongs to an ioctl names it:
 *
 *     @ioctl NAME nr last   the request, its number, and the last field that a caller must know of
 *     @request NAME         on a struct without a number of its own: the VFIO request, a constant here, that takes it
 *     @flags A B …          on a field: a set of these bits
 *     @values A B …         on a field: one of these; on a VFIO request: it takes one of these by value, not a pointer
 *
 * A run of u8 fields x0, x1, … is the byte array x.
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

export const IOMMU_HWPT_ALLOC_NEST_PARENT: u32 = 1;
export const IOMMU_HWPT_ALLOC_DIRTY_TRACKING: u32 = 2;
export const IOMMU_HWPT_FAULT_ID_VALID: u32 = 4;
export const IOMMU_HWPT_ALLOC_PASID: u32 = 8;
export const IOMMU_HWPT_DATA_NONE: u32 = 0;
export const IOMMU_HWPT_DATA_VTD_S1: u32 = 1;
export const IOMMU_HWPT_DATA_ARM_SMMUV3: u32 = 2;
export const IOMMU_HW_INFO_FLAG_INPUT_TYPE: u32 = 1;
export const IOMMU_HWPT_DIRTY_TRACKING_ENABLE: u32 = 1;
export const IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR: u32 = 1;
export const IOMMU_HWPT_INVALIDATE_DATA_VTD_S1: u32 = 0;
export const IOMMU_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3: u32 = 1;
/** Most entries of one IOMMU_HWPT_INVALIDATE. */
export const IOMMU_HWPT_INVALIDATE_ENTRIES: u32 = 0x80000;
export const IOMMU_VIOMMU_TYPE_DEFAULT: u32 = 0;
export const IOMMU_VIOMMU_TYPE_ARM_SMMUV3: u32 = 1;
export const IOMMU_VIOMMU_TYPE_TEGRA241_CMDQV: u32 = 2;

export const IOMMU_PGFAULT_FLAGS_PASID_VALID: u32 = 1;
export const IOMMU_PGFAULT_FLAGS_LAST_PAGE: u32 = 2;
export const IOMMU_PAGE_RESP_SUCCESS: u32 = 0;
export const IOMMU_PAGE_RESP_INVALID: u32 = 1;

// The VFIO requests of the same file, whole.

/** Answers 0; the argument is not looked at. @values */
export const VFIO_GET_API_VERSION: u32 = 0x3b64;
/**
 * Answers 1 or 0. ENODEV (VFIO_DMA_CC_IOMMU without an address space for VFIO).
 *
 * @values VFIO_TYPE1_IOMMU VFIO_TYPE1v2_IOMMU VFIO_DMA_CC_IOMMU VFIO_UNMAP_ALL
 */
export const VFIO_CHECK_EXTENSION: u32 = 0x3b65;
/**
 * Chooses the rules of VFIO_IOMMU_UNMAP_DMA: version 1 cuts mappings, for good. EINVAL, ENODEV, EADDRINUSE.
 *
 * @values VFIO_TYPE1_IOMMU VFIO_TYPE1v2_IOMMU
 */
export const VFIO_SET_IOMMU: u32 = 0x3b66;
/** Page sizes, and free ranges of IOVAs. EFAULT, EINVAL, ENODEV. */
export const VFIO_IOMMU_GET_INFO: u32 = 0x3b70;
/** Maps user memory at a given IOVA. EFAULT, EINVAL, ENODEV, EOVERFLOW, EEXIST, ENOMEM. */
export const VFIO_IOMMU_MAP_DMA: u32 = 0x3b71;
/** Unmaps a range, or all; that nothing is mapped there is no error. EFAULT, EINVAL, ENODEV, ENOENT, EBUSY. */
export const VFIO_IOMMU_UNMAP_DMA: u32 = 0x3b72;

/** Arguments of VFIO_CHECK_EXTENSION; the first two of VFIO_SET_IOMMU, too. */
export const VFIO_TYPE1_IOMMU: u32 = 1;
export const VFIO_TYPE1v2_IOMMU: u32 = 3;
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
 * struct iommu_ioas_copy. Maps what another address space, or the same, has mapped already. As IOMMU_IOAS_MAP; EPERM.
 *
 * @ioctl IOMMU_IOAS_COPY NR_IOAS_COPY src_iova
 */
@unmanaged
export class IommuIoasCopy {
  /** Declared size. */
  size: u32;
  /**
   * As for IOMMU_IOAS_MAP; a fixed IOVA is `dst_iova`.
   *
   * @flags IOMMU_IOAS_MAP_FIXED_IOVA IOMMU_IOAS_MAP_WRITEABLE IOMMU_IOAS_MAP_READABLE
   */
  flags: u32;
  dst_ioas_id: u32;
  /** May equal `dst_ioas_id`. */
  src_ioas_id: u32;
  /** Bytes. */
  length: u64;
  /** In with IOMMU_IOAS_MAP_FIXED_IOVA; out: the IOVA of the copy. */
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
  /**
   * At least one of readable and writeable.
   *
   * @flags IOMMU_IOAS_MAP_FIXED_IOVA IOMMU_IOAS_MAP_WRITEABLE IOMMU_IOAS_MAP_READABLE
   */
  flags: u32;
  ioas_id: u32;
  __reserved: u32;
  /** Caller's address. */
  user_va: u64;
  /** Bytes. */
  length: u64;
  /** In with IOMMU_IOAS_MAP_FIXED_IOVA; out: the IOVA of the mapping. */
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
  /** In: bytes, 2^64-1 with `iova` 0 for everything; out: bytes unmapped. */
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
  /**
   * Which option.
   *
   * @values IOMMU_OPTION_RLIMIT_MODE IOMMU_OPTION_HUGE_PAGES
   */
  option_id: u32;
  /**
   * What to do with it.
   *
   * @values IOMMU_OPTION_OP_SET IOMMU_OPTION_OP_GET
   */
  op: u16;
  __reserved: u16;
  /** 0 for IOMMU_OPTION_RLIMIT_MODE; the address space for IOMMU_OPTION_HUGE_PAGES. */
  object_id: u32;
  /** The option's value: in to set, out in any case. */
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
  /** In to set, out to get. */
  ioas_id: u32;
  /**
   * What to do.
   *
   * @values IOMMU_VFIO_IOAS_GET IOMMU_VFIO_IOAS_SET IOMMU_VFIO_IOAS_CLEAR
   */
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
  /**
   * What the table can do.
   *
   * @flags IOMMU_HWPT_ALLOC_NEST_PARENT IOMMU_HWPT_ALLOC_DIRTY_TRACKING IOMMU_HWPT_FAULT_ID_VALID IOMMU_HWPT_ALLOC_PASID
   */
  flags: u32;
  /** A device. */
  dev_id: u32;
  /** An address space, a paging table or a virtual IOMMU. */
  pt_id: u32;
  out_hwpt_id: u32;
  __reserved: u32;
  /**
   * What `data_uptr` points to.
   *
   * @values IOMMU_HWPT_DATA_NONE IOMMU_HWPT_DATA_VTD_S1 IOMMU_HWPT_DATA_ARM_SMMUV3
   */
  data_type: u32;
  /** Bytes. */
  data_len: u32;
  /** Driver data. */
  data_uptr: u64;
  /** A fault queue, with IOMMU_HWPT_FAULT_ID_VALID. */
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
  /**
   * Linux 6.12 has none.
   *
   * @flags IOMMU_HW_INFO_FLAG_INPUT_TYPE
   */
  flags: u32;
  /** A device. */
  dev_id: u32;
  /** In: buffer bytes; out: bytes the kernel has. */
  data_len: u32;
  /** Buffer; may be null with data_len 0. */
  data_uptr: u64;
  /** In, with IOMMU_HW_INFO_FLAG_INPUT_TYPE: the type that is wanted; out: the type of the data. */
  data_type: u32;
  /** Bits of a PASID; 0: none. */
  out_max_pasid_log2: u8;
  __reserved0: u8;
  __reserved1: u8;
  __reserved2: u8;
  /** DIRTY_TRACKING 1, PCI_PASID_EXEC 2, PCI_PASID_PRIV 4, PCI_ATS_NOT_SUPPORTED 8. */
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
  /**
   * On or off.
   *
   * @flags IOMMU_HWPT_DIRTY_TRACKING_ENABLE
   */
  flags: u32;
  /** A paging table. */
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
  /** A paging table; before the flags, unlike elsewhere. */
  hwpt_id: u32;
  /**
   * Whether what is read stays dirty.
   *
   * @flags IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR
   */
  flags: u32;
  __reserved: u32;
  /** What bit 0 of the bitmap stands for. */
  iova: u64;
  /** Bytes. */
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
  /** A nested table or a virtual IOMMU. */
  hwpt_id: u32;
  /** Pointer to the entries. */
  data_uptr: u64;
  /**
   * What the entries are; 1 for a virtual IOMMU only.
   *
   * @values IOMMU_HWPT_INVALIDATE_DATA_VTD_S1 IOMMU_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3
   */
  data_type: u32;
  /** Bytes of one: 1 … 4096. */
  entry_len: u32;
  /** In: at most 2^19; out: entries done, also on errors. */
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
  /** New id. */
  out_fault_id: u32;
  /** File number: reads give iommu_hwpt_pgfault, writes take iommu_hwpt_page_response. */
  out_fault_fd: u32;
}

/**
 * struct iommu_ioas_map_file. Maps a range of a memfd. As IOMMU_IOAS_MAP; EBADF.
 *
 * @ioctl IOMMU_IOAS_MAP_FILE NR_IOAS_MAP_FILE iova
 */
@unmanaged
export class IommuIoasMapFile {
  /** Declared size. */
  size: u32;
  /**
   * As for IOMMU_IOAS_MAP.
   *
   * @flags IOMMU_IOAS_MAP_FIXED_IOVA IOMMU_IOAS_MAP_WRITEABLE IOMMU_IOAS_MAP_READABLE
   */
  flags: u32;
  ioas_id: u32;
  /** File number of a memfd. */
  fd: i32;
  /** Bytes from the file's start. */
  start: u64;
  /** Bytes. */
  length: u64;
  /** In with IOMMU_IOAS_MAP_FIXED_IOVA; out: the IOVA of the mapping. */
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
  /**
   * Of which driver; the default is refused.
   *
   * @values IOMMU_VIOMMU_TYPE_DEFAULT IOMMU_VIOMMU_TYPE_ARM_SMMUV3 IOMMU_VIOMMU_TYPE_TEGRA241_CMDQV
   */
  type: u32;
  dev_id: u32;
  /** A paging table with IOMMU_HWPT_ALLOC_NEST_PARENT. */
  hwpt_id: u32;
  /** New id. */
  out_viommu_id: u32;
  /** Bytes. */
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
  /** New id. */
  out_vdevice_id: u32;
  /** Unique within the virtual IOMMU. */
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
 * struct iommu_iova_range. IOVAs from `start` to `last`.
 */
@unmanaged
export class IommuIovaRange {
  /** First IOVA. */
  start: u64;
  /** Inclusive last. */
  last: u64;
}

/**
 * struct iommu_hwpt_pgfault. A page fault, as the file of a fault queue gives it.
 */
@unmanaged
export class IommuHwptPgfault {
  /**
   * Of this fault.
   *
   * @flags IOMMU_PGFAULT_FLAGS_PASID_VALID IOMMU_PGFAULT_FLAGS_LAST_PAGE
   */
  flags: u32;
  /** A device. */
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
 * struct iommu_hwpt_page_response. The answer to a group of page faults.
 */
@unmanaged
export class IommuHwptPageResponse {
  cookie: u32;
  /**
   * The answer.
   *
   * @values IOMMU_PAGE_RESP_SUCCESS IOMMU_PAGE_RESP_INVALID
   */
  code: u32;
}

/**
 * struct vfio_iommu_type1_dma_map. What VFIO_IOMMU_MAP_DMA takes.
 *
 * @request VFIO_IOMMU_MAP_DMA
 */
@unmanaged
export class VfioIommuType1DmaMap {
  /** ≥ 32. */
  argsz: u32;
  /**
   * What a device may do; nothing is no error.
   *
   * @flags VFIO_DMA_MAP_FLAG_READ VFIO_DMA_MAP_FLAG_WRITE
   */
  flags: u32;
  /** Caller's address. */
  vaddr: u64;
  iova: u64;
  /** Bytes. */
  size: u64;
}

/**
 * struct vfio_iommu_type1_dma_unmap. What VFIO_IOMMU_UNMAP_DMA takes.
 *
 * @request VFIO_IOMMU_UNMAP_DMA
 */
@unmanaged
export class VfioIommuType1DmaUnmap {
  /** ≥ 24. */
  argsz: u32;
  /**
   * Everything, with `iova` and `size` 0.
   *
   * @flags VFIO_DMA_UNMAP_FLAG_ALL
   */
  flags: u32;
  iova: u64;
  /** In: bytes; out: bytes unmapped, also when the unmap itself fails. */
  size: u64;
}

/**
 * struct vfio_iommu_type1_info. What VFIO_IOMMU_GET_INFO takes; capabilities follow.
 *
 * @request VFIO_IOMMU_GET_INFO
 */
@unmanaged
export class VfioIommuType1Info {
  /** In: ≥ 16; out: bytes with all capabilities. */
  argsz: u32;
  /**
   * Always both.
   *
   * @flags VFIO_IOMMU_INFO_PGSIZES VFIO_IOMMU_INFO_CAPS
   */
  flags: u32;
  /** A bit for each page size. */
  iova_pgsizes: u64;
  /** Where the first capability is; 0 unless all fit. */
  cap_offset: u32;
  pad: u32;
}

/**
 * struct vfio_info_cap_header. What each capability begins with.
 */
@unmanaged
export class VfioInfoCapHeader {
  id: u16;
  version: u16;
  /** Offset from struct start, 0 = last. */
  next: u32;
}

/**
 * struct vfio_iommu_type1_info_dma_avail. How many more mappings there may be.
 */
@unmanaged
export class VfioIommuType1InfoDmaAvail {
  id: u16;
  version: u16;
  next: u32;
  avail: u32;
}

/**
 * struct vfio_iommu_type1_info_cap_iova_range. `nr_iovas` ranges follow, as iommu_iova_range.
 */
@unmanaged
export class VfioIommuType1InfoCapIovaRange {
  id: u16;
  version: u16;
  next: u32;
  nr_iovas: u32;
  reserved: u32;
}

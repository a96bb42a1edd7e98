// SPDX-License-Identifier: GPL-2.0-only
//
// The uAPI as Linux has it: numbers, offsets, sizes and types, as a C program printed them that was compiled against Linux 7.3's
// include/uapi/linux/iommufd.h and vfio.h on x86-64. What the library says of itself is compared with this.
//
// A field: its offset, its bytes, its name, its type. One name differs: the union of in_data_type and out_data_type of struct iommu_hw_info is
// one field, data_type. The header of a VFIO capability is written out.

export interface KernelStruct {
  readonly struct: string;
  readonly size: number;
  readonly fields: string;
}

export interface KernelCommand extends KernelStruct {
  readonly name: string;
  readonly nr: number;
  readonly minSize: number;
}

export const KERNEL_COMMANDS: readonly KernelCommand[] = [
  { name: "IOMMU_DESTROY", nr: 0x80, struct: "iommu_destroy", size: 8, minSize: 8, fields: "0 4 size u32, 4 4 id u32" },
  {
    name: "IOMMU_IOAS_ALLOC",
    nr: 0x81,
    struct: "iommu_ioas_alloc",
    size: 12,
    minSize: 12,
    fields: "0 4 size u32, 4 4 flags u32, 8 4 out_ioas_id u32",
  },
  {
    name: "IOMMU_IOAS_ALLOW_IOVAS",
    nr: 0x82,
    struct: "iommu_ioas_allow_iovas",
    size: 24,
    minSize: 24,
    fields: "0 4 size u32, 4 4 ioas_id u32, 8 4 num_iovas u32, 12 4 __reserved u32, 16 8 allowed_iovas u64",
  },
  {
    name: "IOMMU_IOAS_COPY",
    nr: 0x83,
    struct: "iommu_ioas_copy",
    size: 40,
    minSize: 40,
    fields:
      "0 4 size u32, 4 4 flags u32, 8 4 dst_ioas_id u32, 12 4 src_ioas_id u32, 16 8 length u64, 24 8 dst_iova u64, 32 8 src_iova u64",
  },
  {
    name: "IOMMU_IOAS_IOVA_RANGES",
    nr: 0x84,
    struct: "iommu_ioas_iova_ranges",
    size: 32,
    minSize: 32,
    fields:
      "0 4 size u32, 4 4 ioas_id u32, 8 4 num_iovas u32, 12 4 __reserved u32, 16 8 allowed_iovas u64, 24 8 out_iova_alignment u64",
  },
  {
    name: "IOMMU_IOAS_MAP",
    nr: 0x85,
    struct: "iommu_ioas_map",
    size: 40,
    minSize: 40,
    fields:
      "0 4 size u32, 4 4 flags u32, 8 4 ioas_id u32, 12 4 __reserved u32, 16 8 user_va u64, 24 8 length u64, 32 8 iova u64",
  },
  {
    name: "IOMMU_IOAS_UNMAP",
    nr: 0x86,
    struct: "iommu_ioas_unmap",
    size: 24,
    minSize: 24,
    fields: "0 4 size u32, 4 4 ioas_id u32, 8 8 iova u64, 16 8 length u64",
  },
  {
    name: "IOMMU_OPTION",
    nr: 0x87,
    struct: "iommu_option",
    size: 24,
    minSize: 24,
    fields: "0 4 size u32, 4 4 option_id u32, 8 2 op u16, 10 2 __reserved u16, 12 4 object_id u32, 16 8 val64 u64",
  },
  {
    name: "IOMMU_VFIO_IOAS",
    nr: 0x88,
    struct: "iommu_vfio_ioas",
    size: 12,
    minSize: 12,
    fields: "0 4 size u32, 4 4 ioas_id u32, 8 2 op u16, 10 2 __reserved u16",
  },
  {
    name: "IOMMU_HWPT_ALLOC",
    nr: 0x89,
    struct: "iommu_hwpt_alloc",
    size: 48,
    minSize: 24,
    fields:
      "0 4 size u32, 4 4 flags u32, 8 4 dev_id u32, 12 4 pt_id u32, 16 4 out_hwpt_id u32, 20 4 __reserved u32, 24 4 data_type u32, 28 4 data_len u32, 32 8 data_uptr u64, 40 4 fault_id u32, 44 4 __reserved2 u32",
  },
  {
    name: "IOMMU_GET_HW_INFO",
    nr: 0x8a,
    struct: "iommu_hw_info",
    size: 40,
    minSize: 32,
    fields:
      "0 4 size u32, 4 4 flags u32, 8 4 dev_id u32, 12 4 data_len u32, 16 8 data_uptr u64, 24 4 data_type u32, 28 1 out_max_pasid_log2 u8, 29 3 __reserved u8[3], 32 8 out_capabilities u64",
  },
  {
    name: "IOMMU_HWPT_SET_DIRTY_TRACKING",
    nr: 0x8b,
    struct: "iommu_hwpt_set_dirty_tracking",
    size: 16,
    minSize: 16,
    fields: "0 4 size u32, 4 4 flags u32, 8 4 hwpt_id u32, 12 4 __reserved u32",
  },
  {
    name: "IOMMU_HWPT_GET_DIRTY_BITMAP",
    nr: 0x8c,
    struct: "iommu_hwpt_get_dirty_bitmap",
    size: 48,
    minSize: 48,
    fields:
      "0 4 size u32, 4 4 hwpt_id u32, 8 4 flags u32, 12 4 __reserved u32, 16 8 iova u64, 24 8 length u64, 32 8 page_size u64, 40 8 data u64",
  },
  {
    name: "IOMMU_HWPT_INVALIDATE",
    nr: 0x8d,
    struct: "iommu_hwpt_invalidate",
    size: 32,
    minSize: 32,
    fields:
      "0 4 size u32, 4 4 hwpt_id u32, 8 8 data_uptr u64, 16 4 data_type u32, 20 4 entry_len u32, 24 4 entry_num u32, 28 4 __reserved u32",
  },
  {
    name: "IOMMU_FAULT_QUEUE_ALLOC",
    nr: 0x8e,
    struct: "iommu_fault_alloc",
    size: 16,
    minSize: 16,
    fields: "0 4 size u32, 4 4 flags u32, 8 4 out_fault_id u32, 12 4 out_fault_fd u32",
  },
  {
    name: "IOMMU_IOAS_MAP_FILE",
    nr: 0x8f,
    struct: "iommu_ioas_map_file",
    size: 40,
    minSize: 40,
    fields: "0 4 size u32, 4 4 flags u32, 8 4 ioas_id u32, 12 4 fd s32, 16 8 start u64, 24 8 length u64, 32 8 iova u64",
  },
  {
    name: "IOMMU_VIOMMU_ALLOC",
    nr: 0x90,
    struct: "iommu_viommu_alloc",
    size: 40,
    minSize: 24,
    fields:
      "0 4 size u32, 4 4 flags u32, 8 4 type u32, 12 4 dev_id u32, 16 4 hwpt_id u32, 20 4 out_viommu_id u32, 24 4 data_len u32, 28 4 __reserved u32, 32 8 data_uptr u64",
  },
  {
    name: "IOMMU_VDEVICE_ALLOC",
    nr: 0x91,
    struct: "iommu_vdevice_alloc",
    size: 24,
    minSize: 24,
    fields: "0 4 size u32, 4 4 viommu_id u32, 8 4 dev_id u32, 12 4 out_vdevice_id u32, 16 8 virt_id u64",
  },
  {
    name: "IOMMU_IOAS_CHANGE_PROCESS",
    nr: 0x92,
    struct: "iommu_ioas_change_process",
    size: 8,
    minSize: 8,
    fields: "0 4 size u32, 4 4 __reserved u32",
  },
];

export const KERNEL_STRUCTS: readonly KernelStruct[] = [
  { struct: "iommu_iova_range", size: 16, fields: "0 8 start u64, 8 8 last u64" },
  {
    struct: "iommu_hwpt_pgfault",
    size: 40,
    fields:
      "0 4 flags u32, 4 4 dev_id u32, 8 4 pasid u32, 12 4 grpid u32, 16 4 perm u32, 20 4 __reserved u32, 24 8 addr u64, 32 4 length u32, 36 4 cookie u32",
  },
  { struct: "iommu_hwpt_page_response", size: 8, fields: "0 4 cookie u32, 4 4 code u32" },
  {
    struct: "vfio_iommu_type1_dma_map",
    size: 32,
    fields: "0 4 argsz u32, 4 4 flags u32, 8 8 vaddr u64, 16 8 iova u64, 24 8 size u64",
  },
  {
    struct: "vfio_iommu_type1_dma_unmap",
    size: 24,
    fields: "0 4 argsz u32, 4 4 flags u32, 8 8 iova u64, 16 8 size u64",
  },
  {
    struct: "vfio_iommu_type1_info",
    size: 24,
    fields: "0 4 argsz u32, 4 4 flags u32, 8 8 iova_pgsizes u64, 16 4 cap_offset u32, 20 4 pad u32",
  },
  { struct: "vfio_info_cap_header", size: 8, fields: "0 2 id u16, 2 2 version u16, 4 4 next u32" },
  {
    struct: "vfio_iommu_type1_info_dma_avail",
    size: 12,
    fields: "0 2 id u16, 2 2 version u16, 4 4 next u32, 8 4 avail u32",
  },
  {
    struct: "vfio_iommu_type1_info_cap_iova_range",
    size: 16,
    fields: "0 2 id u16, 2 2 version u16, 4 4 next u32, 8 4 nr_iovas u32, 12 4 reserved u32",
  },
];

/** Values of fields, and the VFIO requests of the same file. One is ours: the kernel has no name for IOMMU_HWPT_INVALIDATE_ENTRIES. */
export const KERNEL_CONSTANTS: Readonly<Record<string, number>> = {
  IOMMU_IOAS_MAP_FIXED_IOVA: 1,
  IOMMU_IOAS_MAP_WRITEABLE: 2,
  IOMMU_IOAS_MAP_READABLE: 4,
  IOMMU_OPTION_RLIMIT_MODE: 0,
  IOMMU_OPTION_HUGE_PAGES: 1,
  IOMMU_OPTION_OP_SET: 0,
  IOMMU_OPTION_OP_GET: 1,
  IOMMU_VFIO_IOAS_GET: 0,
  IOMMU_VFIO_IOAS_SET: 1,
  IOMMU_VFIO_IOAS_CLEAR: 2,
  IOMMU_HWPT_ALLOC_NEST_PARENT: 1,
  IOMMU_HWPT_ALLOC_DIRTY_TRACKING: 2,
  IOMMU_HWPT_FAULT_ID_VALID: 4,
  IOMMU_HWPT_ALLOC_PASID: 8,
  IOMMU_HWPT_DATA_NONE: 0,
  IOMMU_HWPT_DATA_VTD_S1: 1,
  IOMMU_HWPT_DATA_ARM_SMMUV3: 2,
  IOMMU_HW_INFO_FLAG_INPUT_TYPE: 1,
  IOMMU_HWPT_DIRTY_TRACKING_ENABLE: 1,
  IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR: 1,
  IOMMU_HWPT_INVALIDATE_DATA_VTD_S1: 0,
  IOMMU_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3: 1,
  IOMMU_HWPT_INVALIDATE_ENTRIES: 524288,
  IOMMU_VIOMMU_TYPE_DEFAULT: 0,
  IOMMU_VIOMMU_TYPE_ARM_SMMUV3: 1,
  IOMMU_VIOMMU_TYPE_TEGRA241_CMDQV: 2,
  IOMMU_PGFAULT_FLAGS_PASID_VALID: 1,
  IOMMU_PGFAULT_FLAGS_LAST_PAGE: 2,
  IOMMU_PAGE_RESP_SUCCESS: 0,
  IOMMU_PAGE_RESP_INVALID: 1,
  VFIO_GET_API_VERSION: 0x3b64,
  VFIO_CHECK_EXTENSION: 0x3b65,
  VFIO_SET_IOMMU: 0x3b66,
  VFIO_IOMMU_GET_INFO: 0x3b70,
  VFIO_IOMMU_MAP_DMA: 0x3b71,
  VFIO_IOMMU_UNMAP_DMA: 0x3b72,
  VFIO_TYPE1_IOMMU: 1,
  VFIO_TYPE1v2_IOMMU: 3,
  VFIO_DMA_CC_IOMMU: 4,
  VFIO_UNMAP_ALL: 9,
  VFIO_DMA_MAP_FLAG_READ: 1,
  VFIO_DMA_MAP_FLAG_WRITE: 2,
  VFIO_DMA_UNMAP_FLAG_ALL: 2,
  VFIO_IOMMU_INFO_PGSIZES: 1,
  VFIO_IOMMU_INFO_CAPS: 2,
  VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE: 1,
  VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL: 3,
};

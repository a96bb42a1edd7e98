// SPDX-License-Identifier: GPL-2.0-only
//
// Generated from assembly/core/uapi.ts by bindings/build/generate-uapi.mjs; do not edit.
// `npm run build:layout` writes this file, `npm run check:layout` compares it.

import { IOMMUFD_TYPE } from "../core/memory-map";
import {
  IOMMU_HWPT_ALLOC_DIRTY_TRACKING,
  IOMMU_HWPT_ALLOC_NEST_PARENT,
  IOMMU_HWPT_ALLOC_PASID,
  IOMMU_HWPT_DATA_ARM_SMMUV3,
  IOMMU_HWPT_DATA_NONE,
  IOMMU_HWPT_DATA_VTD_S1,
  IOMMU_HWPT_DIRTY_TRACKING_ENABLE,
  IOMMU_HWPT_FAULT_ID_VALID,
  IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR,
  IOMMU_HWPT_INVALIDATE_DATA_VTD_S1,
  IOMMU_HW_INFO_FLAG_INPUT_TYPE,
  IOMMU_IOAS_MAP_FIXED_IOVA,
  IOMMU_IOAS_MAP_READABLE,
  IOMMU_IOAS_MAP_WRITEABLE,
  IOMMU_OPTION_HUGE_PAGES,
  IOMMU_OPTION_OP_GET,
  IOMMU_OPTION_OP_SET,
  IOMMU_OPTION_RLIMIT_MODE,
  IOMMU_VFIO_IOAS_CLEAR,
  IOMMU_VFIO_IOAS_GET,
  IOMMU_VFIO_IOAS_SET,
  IOMMU_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3,
  IOMMU_VIOMMU_TYPE_ARM_SMMUV3,
  IOMMU_VIOMMU_TYPE_DEFAULT,
  IOMMU_VIOMMU_TYPE_TEGRA241_CMDQV,
  IommuDestroy,
  IommuFaultAlloc,
  IommuHwInfo,
  IommuHwptAlloc,
  IommuHwptGetDirtyBitmap,
  IommuHwptInvalidate,
  IommuHwptSetDirtyTracking,
  IommuIoasAlloc,
  IommuIoasAllowIovas,
  IommuIoasChangeProcess,
  IommuIoasCopy,
  IommuIoasIovaRanges,
  IommuIoasMap,
  IommuIoasMapFile,
  IommuIoasUnmap,
  IommuOption,
  IommuVdeviceAlloc,
  IommuVfioIoas,
  IommuViommuAlloc,
  NR_DESTROY,
  NR_FAULT_QUEUE_ALLOC,
  NR_GET_HW_INFO,
  NR_HWPT_ALLOC,
  NR_HWPT_GET_DIRTY_BITMAP,
  NR_HWPT_INVALIDATE,
  NR_HWPT_SET_DIRTY_TRACKING,
  NR_IOAS_ALLOC,
  NR_IOAS_ALLOW_IOVAS,
  NR_IOAS_CHANGE_PROCESS,
  NR_IOAS_COPY,
  NR_IOAS_IOVA_RANGES,
  NR_IOAS_MAP,
  NR_IOAS_MAP_FILE,
  NR_IOAS_UNMAP,
  NR_OPTION,
  NR_VDEVICE_ALLOC,
  NR_VFIO_IOAS,
  NR_VIOMMU_ALLOC,
  VFIO_CHECK_EXTENSION,
  VFIO_DMA_CC_IOMMU,
  VFIO_DMA_MAP_FLAG_READ,
  VFIO_DMA_MAP_FLAG_WRITE,
  VFIO_DMA_UNMAP_FLAG_ALL,
  VFIO_GET_API_VERSION,
  VFIO_IOMMU_GET_INFO,
  VFIO_IOMMU_INFO_CAPS,
  VFIO_IOMMU_INFO_PGSIZES,
  VFIO_IOMMU_MAP_DMA,
  VFIO_IOMMU_UNMAP_DMA,
  VFIO_SET_IOMMU,
  VFIO_TYPE1_IOMMU,
  VFIO_TYPE1v2_IOMMU,
  VFIO_UNMAP_ALL,
  VfioIommuType1DmaMap,
  VfioIommuType1DmaUnmap,
  VfioIommuType1Info,
} from "../core/uapi";
import { byValue, field, meaning, struct } from "./built_in";
import { Kind } from "./command";

/** Describes all built-in commands, with the names of the values that their fields take. */
export function describeUapi(): void {
  struct("IOMMU_DESTROY", IOMMUFD_TYPE | NR_DESTROY, offsetof<IommuDestroy>());
  field("size", offsetof<IommuDestroy>("size"), 4, Kind.UNSIGNED);
  field("id", offsetof<IommuDestroy>("id"), 4, Kind.UNSIGNED);
  struct("IOMMU_IOAS_ALLOC", IOMMUFD_TYPE | NR_IOAS_ALLOC, offsetof<IommuIoasAlloc>());
  field("size", offsetof<IommuIoasAlloc>("size"), 4, Kind.UNSIGNED);
  field("flags", offsetof<IommuIoasAlloc>("flags"), 4, Kind.UNSIGNED);
  field("out_ioas_id", offsetof<IommuIoasAlloc>("out_ioas_id"), 4, Kind.UNSIGNED);
  struct("IOMMU_IOAS_ALLOW_IOVAS", IOMMUFD_TYPE | NR_IOAS_ALLOW_IOVAS, offsetof<IommuIoasAllowIovas>());
  field("size", offsetof<IommuIoasAllowIovas>("size"), 4, Kind.UNSIGNED);
  field("ioas_id", offsetof<IommuIoasAllowIovas>("ioas_id"), 4, Kind.UNSIGNED);
  field("num_iovas", offsetof<IommuIoasAllowIovas>("num_iovas"), 4, Kind.UNSIGNED);
  field("__reserved", offsetof<IommuIoasAllowIovas>("__reserved"), 4, Kind.UNSIGNED);
  field("allowed_iovas", offsetof<IommuIoasAllowIovas>("allowed_iovas"), 8, Kind.UNSIGNED);
  struct("IOMMU_IOAS_COPY", IOMMUFD_TYPE | NR_IOAS_COPY, offsetof<IommuIoasCopy>());
  field("size", offsetof<IommuIoasCopy>("size"), 4, Kind.UNSIGNED);
  field("flags", offsetof<IommuIoasCopy>("flags"), 4, Kind.FLAGS);
  meaning("IOMMU_IOAS_MAP_FIXED_IOVA", IOMMU_IOAS_MAP_FIXED_IOVA);
  meaning("IOMMU_IOAS_MAP_WRITEABLE", IOMMU_IOAS_MAP_WRITEABLE);
  meaning("IOMMU_IOAS_MAP_READABLE", IOMMU_IOAS_MAP_READABLE);
  field("dst_ioas_id", offsetof<IommuIoasCopy>("dst_ioas_id"), 4, Kind.UNSIGNED);
  field("src_ioas_id", offsetof<IommuIoasCopy>("src_ioas_id"), 4, Kind.UNSIGNED);
  field("length", offsetof<IommuIoasCopy>("length"), 8, Kind.UNSIGNED);
  field("dst_iova", offsetof<IommuIoasCopy>("dst_iova"), 8, Kind.UNSIGNED);
  field("src_iova", offsetof<IommuIoasCopy>("src_iova"), 8, Kind.UNSIGNED);
  struct("IOMMU_IOAS_IOVA_RANGES", IOMMUFD_TYPE | NR_IOAS_IOVA_RANGES, offsetof<IommuIoasIovaRanges>());
  field("size", offsetof<IommuIoasIovaRanges>("size"), 4, Kind.UNSIGNED);
  field("ioas_id", offsetof<IommuIoasIovaRanges>("ioas_id"), 4, Kind.UNSIGNED);
  field("num_iovas", offsetof<IommuIoasIovaRanges>("num_iovas"), 4, Kind.UNSIGNED);
  field("__reserved", offsetof<IommuIoasIovaRanges>("__reserved"), 4, Kind.UNSIGNED);
  field("allowed_iovas", offsetof<IommuIoasIovaRanges>("allowed_iovas"), 8, Kind.UNSIGNED);
  field("out_iova_alignment", offsetof<IommuIoasIovaRanges>("out_iova_alignment"), 8, Kind.UNSIGNED);
  struct("IOMMU_IOAS_MAP", IOMMUFD_TYPE | NR_IOAS_MAP, offsetof<IommuIoasMap>());
  field("size", offsetof<IommuIoasMap>("size"), 4, Kind.UNSIGNED);
  field("flags", offsetof<IommuIoasMap>("flags"), 4, Kind.FLAGS);
  meaning("IOMMU_IOAS_MAP_FIXED_IOVA", IOMMU_IOAS_MAP_FIXED_IOVA);
  meaning("IOMMU_IOAS_MAP_WRITEABLE", IOMMU_IOAS_MAP_WRITEABLE);
  meaning("IOMMU_IOAS_MAP_READABLE", IOMMU_IOAS_MAP_READABLE);
  field("ioas_id", offsetof<IommuIoasMap>("ioas_id"), 4, Kind.UNSIGNED);
  field("__reserved", offsetof<IommuIoasMap>("__reserved"), 4, Kind.UNSIGNED);
  field("user_va", offsetof<IommuIoasMap>("user_va"), 8, Kind.UNSIGNED);
  field("length", offsetof<IommuIoasMap>("length"), 8, Kind.UNSIGNED);
  field("iova", offsetof<IommuIoasMap>("iova"), 8, Kind.UNSIGNED);
  struct("IOMMU_IOAS_UNMAP", IOMMUFD_TYPE | NR_IOAS_UNMAP, offsetof<IommuIoasUnmap>());
  field("size", offsetof<IommuIoasUnmap>("size"), 4, Kind.UNSIGNED);
  field("ioas_id", offsetof<IommuIoasUnmap>("ioas_id"), 4, Kind.UNSIGNED);
  field("iova", offsetof<IommuIoasUnmap>("iova"), 8, Kind.UNSIGNED);
  field("length", offsetof<IommuIoasUnmap>("length"), 8, Kind.UNSIGNED);
  struct("IOMMU_OPTION", IOMMUFD_TYPE | NR_OPTION, offsetof<IommuOption>());
  field("size", offsetof<IommuOption>("size"), 4, Kind.UNSIGNED);
  field("option_id", offsetof<IommuOption>("option_id"), 4, Kind.ONE_OF);
  meaning("IOMMU_OPTION_RLIMIT_MODE", IOMMU_OPTION_RLIMIT_MODE);
  meaning("IOMMU_OPTION_HUGE_PAGES", IOMMU_OPTION_HUGE_PAGES);
  field("op", offsetof<IommuOption>("op"), 2, Kind.ONE_OF);
  meaning("IOMMU_OPTION_OP_SET", IOMMU_OPTION_OP_SET);
  meaning("IOMMU_OPTION_OP_GET", IOMMU_OPTION_OP_GET);
  field("__reserved", offsetof<IommuOption>("__reserved"), 2, Kind.UNSIGNED);
  field("object_id", offsetof<IommuOption>("object_id"), 4, Kind.UNSIGNED);
  field("val64", offsetof<IommuOption>("val64"), 8, Kind.UNSIGNED);
  struct("IOMMU_VFIO_IOAS", IOMMUFD_TYPE | NR_VFIO_IOAS, offsetof<IommuVfioIoas>());
  field("size", offsetof<IommuVfioIoas>("size"), 4, Kind.UNSIGNED);
  field("ioas_id", offsetof<IommuVfioIoas>("ioas_id"), 4, Kind.UNSIGNED);
  field("op", offsetof<IommuVfioIoas>("op"), 2, Kind.ONE_OF);
  meaning("IOMMU_VFIO_IOAS_GET", IOMMU_VFIO_IOAS_GET);
  meaning("IOMMU_VFIO_IOAS_SET", IOMMU_VFIO_IOAS_SET);
  meaning("IOMMU_VFIO_IOAS_CLEAR", IOMMU_VFIO_IOAS_CLEAR);
  field("__reserved", offsetof<IommuVfioIoas>("__reserved"), 2, Kind.UNSIGNED);
  struct("IOMMU_HWPT_ALLOC", IOMMUFD_TYPE | NR_HWPT_ALLOC, offsetof<IommuHwptAlloc>());
  field("size", offsetof<IommuHwptAlloc>("size"), 4, Kind.UNSIGNED);
  field("flags", offsetof<IommuHwptAlloc>("flags"), 4, Kind.FLAGS);
  meaning("IOMMU_HWPT_ALLOC_NEST_PARENT", IOMMU_HWPT_ALLOC_NEST_PARENT);
  meaning("IOMMU_HWPT_ALLOC_DIRTY_TRACKING", IOMMU_HWPT_ALLOC_DIRTY_TRACKING);
  meaning("IOMMU_HWPT_FAULT_ID_VALID", IOMMU_HWPT_FAULT_ID_VALID);
  meaning("IOMMU_HWPT_ALLOC_PASID", IOMMU_HWPT_ALLOC_PASID);
  field("dev_id", offsetof<IommuHwptAlloc>("dev_id"), 4, Kind.UNSIGNED);
  field("pt_id", offsetof<IommuHwptAlloc>("pt_id"), 4, Kind.UNSIGNED);
  field("out_hwpt_id", offsetof<IommuHwptAlloc>("out_hwpt_id"), 4, Kind.UNSIGNED);
  field("__reserved", offsetof<IommuHwptAlloc>("__reserved"), 4, Kind.UNSIGNED);
  field("data_type", offsetof<IommuHwptAlloc>("data_type"), 4, Kind.ONE_OF);
  meaning("IOMMU_HWPT_DATA_NONE", IOMMU_HWPT_DATA_NONE);
  meaning("IOMMU_HWPT_DATA_VTD_S1", IOMMU_HWPT_DATA_VTD_S1);
  meaning("IOMMU_HWPT_DATA_ARM_SMMUV3", IOMMU_HWPT_DATA_ARM_SMMUV3);
  field("data_len", offsetof<IommuHwptAlloc>("data_len"), 4, Kind.UNSIGNED);
  field("data_uptr", offsetof<IommuHwptAlloc>("data_uptr"), 8, Kind.UNSIGNED);
  field("fault_id", offsetof<IommuHwptAlloc>("fault_id"), 4, Kind.UNSIGNED);
  field("__reserved2", offsetof<IommuHwptAlloc>("__reserved2"), 4, Kind.UNSIGNED);
  struct("IOMMU_GET_HW_INFO", IOMMUFD_TYPE | NR_GET_HW_INFO, offsetof<IommuHwInfo>());
  field("size", offsetof<IommuHwInfo>("size"), 4, Kind.UNSIGNED);
  field("flags", offsetof<IommuHwInfo>("flags"), 4, Kind.FLAGS);
  meaning("IOMMU_HW_INFO_FLAG_INPUT_TYPE", IOMMU_HW_INFO_FLAG_INPUT_TYPE);
  field("dev_id", offsetof<IommuHwInfo>("dev_id"), 4, Kind.UNSIGNED);
  field("data_len", offsetof<IommuHwInfo>("data_len"), 4, Kind.UNSIGNED);
  field("data_uptr", offsetof<IommuHwInfo>("data_uptr"), 8, Kind.UNSIGNED);
  field("data_type", offsetof<IommuHwInfo>("data_type"), 4, Kind.UNSIGNED);
  field("out_max_pasid_log2", offsetof<IommuHwInfo>("out_max_pasid_log2"), 1, Kind.UNSIGNED);
  field("__reserved", offsetof<IommuHwInfo>("__reserved0"), 3, Kind.BYTES);
  field("out_capabilities", offsetof<IommuHwInfo>("out_capabilities"), 8, Kind.UNSIGNED);
  struct(
    "IOMMU_HWPT_SET_DIRTY_TRACKING",
    IOMMUFD_TYPE | NR_HWPT_SET_DIRTY_TRACKING,
    offsetof<IommuHwptSetDirtyTracking>(),
  );
  field("size", offsetof<IommuHwptSetDirtyTracking>("size"), 4, Kind.UNSIGNED);
  field("flags", offsetof<IommuHwptSetDirtyTracking>("flags"), 4, Kind.FLAGS);
  meaning("IOMMU_HWPT_DIRTY_TRACKING_ENABLE", IOMMU_HWPT_DIRTY_TRACKING_ENABLE);
  field("hwpt_id", offsetof<IommuHwptSetDirtyTracking>("hwpt_id"), 4, Kind.UNSIGNED);
  field("__reserved", offsetof<IommuHwptSetDirtyTracking>("__reserved"), 4, Kind.UNSIGNED);
  struct("IOMMU_HWPT_GET_DIRTY_BITMAP", IOMMUFD_TYPE | NR_HWPT_GET_DIRTY_BITMAP, offsetof<IommuHwptGetDirtyBitmap>());
  field("size", offsetof<IommuHwptGetDirtyBitmap>("size"), 4, Kind.UNSIGNED);
  field("hwpt_id", offsetof<IommuHwptGetDirtyBitmap>("hwpt_id"), 4, Kind.UNSIGNED);
  field("flags", offsetof<IommuHwptGetDirtyBitmap>("flags"), 4, Kind.FLAGS);
  meaning("IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR", IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR);
  field("__reserved", offsetof<IommuHwptGetDirtyBitmap>("__reserved"), 4, Kind.UNSIGNED);
  field("iova", offsetof<IommuHwptGetDirtyBitmap>("iova"), 8, Kind.UNSIGNED);
  field("length", offsetof<IommuHwptGetDirtyBitmap>("length"), 8, Kind.UNSIGNED);
  field("page_size", offsetof<IommuHwptGetDirtyBitmap>("page_size"), 8, Kind.UNSIGNED);
  field("data", offsetof<IommuHwptGetDirtyBitmap>("data"), 8, Kind.UNSIGNED);
  struct("IOMMU_HWPT_INVALIDATE", IOMMUFD_TYPE | NR_HWPT_INVALIDATE, offsetof<IommuHwptInvalidate>());
  field("size", offsetof<IommuHwptInvalidate>("size"), 4, Kind.UNSIGNED);
  field("hwpt_id", offsetof<IommuHwptInvalidate>("hwpt_id"), 4, Kind.UNSIGNED);
  field("data_uptr", offsetof<IommuHwptInvalidate>("data_uptr"), 8, Kind.UNSIGNED);
  field("data_type", offsetof<IommuHwptInvalidate>("data_type"), 4, Kind.ONE_OF);
  meaning("IOMMU_HWPT_INVALIDATE_DATA_VTD_S1", IOMMU_HWPT_INVALIDATE_DATA_VTD_S1);
  meaning("IOMMU_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3", IOMMU_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3);
  field("entry_len", offsetof<IommuHwptInvalidate>("entry_len"), 4, Kind.UNSIGNED);
  field("entry_num", offsetof<IommuHwptInvalidate>("entry_num"), 4, Kind.UNSIGNED);
  field("__reserved", offsetof<IommuHwptInvalidate>("__reserved"), 4, Kind.UNSIGNED);
  struct("IOMMU_FAULT_QUEUE_ALLOC", IOMMUFD_TYPE | NR_FAULT_QUEUE_ALLOC, offsetof<IommuFaultAlloc>());
  field("size", offsetof<IommuFaultAlloc>("size"), 4, Kind.UNSIGNED);
  field("flags", offsetof<IommuFaultAlloc>("flags"), 4, Kind.UNSIGNED);
  field("out_fault_id", offsetof<IommuFaultAlloc>("out_fault_id"), 4, Kind.UNSIGNED);
  field("out_fault_fd", offsetof<IommuFaultAlloc>("out_fault_fd"), 4, Kind.UNSIGNED);
  struct("IOMMU_IOAS_MAP_FILE", IOMMUFD_TYPE | NR_IOAS_MAP_FILE, offsetof<IommuIoasMapFile>());
  field("size", offsetof<IommuIoasMapFile>("size"), 4, Kind.UNSIGNED);
  field("flags", offsetof<IommuIoasMapFile>("flags"), 4, Kind.FLAGS);
  meaning("IOMMU_IOAS_MAP_FIXED_IOVA", IOMMU_IOAS_MAP_FIXED_IOVA);
  meaning("IOMMU_IOAS_MAP_WRITEABLE", IOMMU_IOAS_MAP_WRITEABLE);
  meaning("IOMMU_IOAS_MAP_READABLE", IOMMU_IOAS_MAP_READABLE);
  field("ioas_id", offsetof<IommuIoasMapFile>("ioas_id"), 4, Kind.UNSIGNED);
  field("fd", offsetof<IommuIoasMapFile>("fd"), 4, Kind.SIGNED);
  field("start", offsetof<IommuIoasMapFile>("start"), 8, Kind.UNSIGNED);
  field("length", offsetof<IommuIoasMapFile>("length"), 8, Kind.UNSIGNED);
  field("iova", offsetof<IommuIoasMapFile>("iova"), 8, Kind.UNSIGNED);
  struct("IOMMU_VIOMMU_ALLOC", IOMMUFD_TYPE | NR_VIOMMU_ALLOC, offsetof<IommuViommuAlloc>());
  field("size", offsetof<IommuViommuAlloc>("size"), 4, Kind.UNSIGNED);
  field("flags", offsetof<IommuViommuAlloc>("flags"), 4, Kind.UNSIGNED);
  field("type", offsetof<IommuViommuAlloc>("type"), 4, Kind.ONE_OF);
  meaning("IOMMU_VIOMMU_TYPE_DEFAULT", IOMMU_VIOMMU_TYPE_DEFAULT);
  meaning("IOMMU_VIOMMU_TYPE_ARM_SMMUV3", IOMMU_VIOMMU_TYPE_ARM_SMMUV3);
  meaning("IOMMU_VIOMMU_TYPE_TEGRA241_CMDQV", IOMMU_VIOMMU_TYPE_TEGRA241_CMDQV);
  field("dev_id", offsetof<IommuViommuAlloc>("dev_id"), 4, Kind.UNSIGNED);
  field("hwpt_id", offsetof<IommuViommuAlloc>("hwpt_id"), 4, Kind.UNSIGNED);
  field("out_viommu_id", offsetof<IommuViommuAlloc>("out_viommu_id"), 4, Kind.UNSIGNED);
  field("data_len", offsetof<IommuViommuAlloc>("data_len"), 4, Kind.UNSIGNED);
  field("__reserved", offsetof<IommuViommuAlloc>("__reserved"), 4, Kind.UNSIGNED);
  field("data_uptr", offsetof<IommuViommuAlloc>("data_uptr"), 8, Kind.UNSIGNED);
  struct("IOMMU_VDEVICE_ALLOC", IOMMUFD_TYPE | NR_VDEVICE_ALLOC, offsetof<IommuVdeviceAlloc>());
  field("size", offsetof<IommuVdeviceAlloc>("size"), 4, Kind.UNSIGNED);
  field("viommu_id", offsetof<IommuVdeviceAlloc>("viommu_id"), 4, Kind.UNSIGNED);
  field("dev_id", offsetof<IommuVdeviceAlloc>("dev_id"), 4, Kind.UNSIGNED);
  field("out_vdevice_id", offsetof<IommuVdeviceAlloc>("out_vdevice_id"), 4, Kind.UNSIGNED);
  field("virt_id", offsetof<IommuVdeviceAlloc>("virt_id"), 8, Kind.UNSIGNED);
  struct("IOMMU_IOAS_CHANGE_PROCESS", IOMMUFD_TYPE | NR_IOAS_CHANGE_PROCESS, offsetof<IommuIoasChangeProcess>());
  field("size", offsetof<IommuIoasChangeProcess>("size"), 4, Kind.UNSIGNED);
  field("__reserved", offsetof<IommuIoasChangeProcess>("__reserved"), 4, Kind.UNSIGNED);
  byValue("VFIO_GET_API_VERSION", VFIO_GET_API_VERSION);
  byValue("VFIO_CHECK_EXTENSION", VFIO_CHECK_EXTENSION);
  meaning("VFIO_TYPE1_IOMMU", VFIO_TYPE1_IOMMU);
  meaning("VFIO_TYPE1v2_IOMMU", VFIO_TYPE1v2_IOMMU);
  meaning("VFIO_DMA_CC_IOMMU", VFIO_DMA_CC_IOMMU);
  meaning("VFIO_UNMAP_ALL", VFIO_UNMAP_ALL);
  byValue("VFIO_SET_IOMMU", VFIO_SET_IOMMU);
  meaning("VFIO_TYPE1_IOMMU", VFIO_TYPE1_IOMMU);
  meaning("VFIO_TYPE1v2_IOMMU", VFIO_TYPE1v2_IOMMU);
  struct("VFIO_IOMMU_GET_INFO", VFIO_IOMMU_GET_INFO, offsetof<VfioIommuType1Info>());
  field("argsz", offsetof<VfioIommuType1Info>("argsz"), 4, Kind.UNSIGNED);
  field("flags", offsetof<VfioIommuType1Info>("flags"), 4, Kind.FLAGS);
  meaning("VFIO_IOMMU_INFO_PGSIZES", VFIO_IOMMU_INFO_PGSIZES);
  meaning("VFIO_IOMMU_INFO_CAPS", VFIO_IOMMU_INFO_CAPS);
  field("iova_pgsizes", offsetof<VfioIommuType1Info>("iova_pgsizes"), 8, Kind.UNSIGNED);
  field("cap_offset", offsetof<VfioIommuType1Info>("cap_offset"), 4, Kind.UNSIGNED);
  field("pad", offsetof<VfioIommuType1Info>("pad"), 4, Kind.UNSIGNED);
  struct("VFIO_IOMMU_MAP_DMA", VFIO_IOMMU_MAP_DMA, offsetof<VfioIommuType1DmaMap>());
  field("argsz", offsetof<VfioIommuType1DmaMap>("argsz"), 4, Kind.UNSIGNED);
  field("flags", offsetof<VfioIommuType1DmaMap>("flags"), 4, Kind.FLAGS);
  meaning("VFIO_DMA_MAP_FLAG_READ", VFIO_DMA_MAP_FLAG_READ);
  meaning("VFIO_DMA_MAP_FLAG_WRITE", VFIO_DMA_MAP_FLAG_WRITE);
  field("vaddr", offsetof<VfioIommuType1DmaMap>("vaddr"), 8, Kind.UNSIGNED);
  field("iova", offsetof<VfioIommuType1DmaMap>("iova"), 8, Kind.UNSIGNED);
  field("size", offsetof<VfioIommuType1DmaMap>("size"), 8, Kind.UNSIGNED);
  struct("VFIO_IOMMU_UNMAP_DMA", VFIO_IOMMU_UNMAP_DMA, offsetof<VfioIommuType1DmaUnmap>());
  field("argsz", offsetof<VfioIommuType1DmaUnmap>("argsz"), 4, Kind.UNSIGNED);
  field("flags", offsetof<VfioIommuType1DmaUnmap>("flags"), 4, Kind.FLAGS);
  meaning("VFIO_DMA_UNMAP_FLAG_ALL", VFIO_DMA_UNMAP_FLAG_ALL);
  field("iova", offsetof<VfioIommuType1DmaUnmap>("iova"), 8, Kind.UNSIGNED);
  field("size", offsetof<VfioIommuType1DmaUnmap>("size"), 8, Kind.UNSIGNED);
}

// SPDX-License-Identifier: GPL-2.0-only
//
// What the program of examples/v86 says, in Node and in the page.

/** Its lines, when the kernel gives its file the number `file`. */
export function saidBy(file: number): string[] {
  return [
    `open /dev/iommu = ${file}`,
    "LAB_ALLOC IOAS = 0",
    "  its ID is 1",
    "LAB_ALLOC HWPT, holds 1 = 0",
    "  its ID is 2",
    "IOMMU_DESTROY 1 = -1 EBUSY",
    "IOMMU_DESTROY 2 = 0",
    "IOMMU_DESTROY 1 = 0",
    "IOMMU_DESTROY 1 = -1 ENOENT",
    "IOMMU_DESTROY with a pointer outside RAM = -1 EFAULT",
    "close = 0",
    "IOMMU_DESTROY 1 = -1 EBADF",
    "done",
  ];
}

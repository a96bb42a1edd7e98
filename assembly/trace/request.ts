// SPDX-License-Identifier: GPL-2.0-only
//
// The 32-bit request of an ioctl: its four parts and its name.
//
//    31 30 29            16 15             8 7              0
//   ┌─────┬────────────────┬────────────────┬────────────────┐
//   │ dir │      size      │      type      │       nr       │
//   └─────┴────────────────┴────────────────┴────────────────┘
//
// Kernel counterpart: include/uapi/asm-generic/ioctl.h. All of iommufd is _IO(';', nr): no direction, no size, and the
// numbers 0x64..0x7f of that type belong to VFIO, which iommufd also answers.
//
// Names are known for more commands than this library has, because a caller may ask for any of them, and a line with a
// name says more than one with a number. The structs of those commands are not known, and the built-in ones are in uapi.ts.

import { COMMAND_BASE, IOMMUFD_TYPE } from "../core/memory-map";
import * as line from "./line";

const DIR_WRITE: u32 = 1;
const DIR_READ: u32 = 2;

function nrOf(request: u32): u32 {
  return request & 0xff;
}

function typeOf(request: u32): u32 {
  return (request >> 8) & 0xff;
}

function sizeOf(request: u32): u32 {
  return (request >> 16) & 0x3fff;
}

function dirOf(request: u32): u32 {
  return request >> 30;
}

/** Whether the argument, if any, starts with its own size: so does every struct of iommufd's range. */
export function hasDeclaredSize(request: u32): bool {
  return typeOf(request) == IOMMUFD_TYPE >> 8 && nrOf(request) >= COMMAND_BASE;
}

/** Appends the request as strace prints one that it does not know: _IOC(_IOC_NONE, 0x3b, 0x99, 0). */
export function encoding(request: u32): void {
  const dir = dirOf(request);
  line.text("_IOC(");
  if (dir == 0) line.text("_IOC_NONE");
  if (dir & DIR_READ) line.text("_IOC_READ");
  if (dir == (DIR_READ | DIR_WRITE)) line.unit(0x7c);
  if (dir & DIR_WRITE) line.text("_IOC_WRITE");
  line.text(", ");
  line.hex(typeOf(request));
  line.text(", ");
  line.hex(nrOf(request));
  line.text(", ");
  line.hex(sizeOf(request));
  line.unit(0x29);
}

/** The kernel's name of a request that is not built in, or null. The whole request must match, direction and size bits too. */
export function requestName(request: u32): string | null {
  if ((request & ~0xff) != IOMMUFD_TYPE) return null;
  switch (nrOf(request)) {
    case 0x75:
      return "VFIO_IOMMU_DIRTY_PAGES";
    case 0x93:
      return "IOMMU_VEVENTQ_ALLOC";
    case 0x94:
      return "IOMMU_HW_QUEUE_ALLOC";
    case 0x95:
      return "IOMMU_IOAS_NOIOMMU_GET_PA";
    case 0xa0:
      return "IOMMU_TEST_CMD";
  }
  return null;
}

/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Written by build.mjs: the register map of ../registers.mjs, and the requests as the library defines them.
 */
#ifndef DEVICE_H
#define DEVICE_H

#include <stdint.h>

#define DEVICE_BASE 0xd0000000u
#define DEVICE_MAGIC 0x44464f49u
#define DEVICE_VERSION 0x1u
#define DEVICE_MAX_STRUCT_BYTES 0x10000u
#define REGISTER_MAGIC 0x0u
#define REGISTER_VERSION 0x4u
#define REGISTER_FILE 0x8u
#define REGISTER_REQUEST 0xcu
#define REGISTER_ARGUMENT 0x10u
#define REGISTER_COMMAND 0x14u
#define REGISTER_STATUS 0x18u
#define REGISTER_RESULT 0x1cu
#define COMMAND_OPEN 0x1u
#define COMMAND_IOCTL 0x2u
#define COMMAND_CLOSE 0x3u
#define STATUS_BUSY 0x1u
#define STATUS_OVERRUN 0x2u

#define IOMMU_DESTROY 0x3b80u
struct iommu_destroy {
	uint32_t size;
	uint32_t id;
};

#define LAB_ALLOC 0x3ba0u
struct lab_alloc {
	uint32_t size;
	uint32_t type;
	uint32_t hold_id0;
	uint32_t hold_id1;
	uint32_t flags;
	uint32_t out_id;
	uint32_t out_probe_errno;
};

#endif

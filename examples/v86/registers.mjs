// SPDX-License-Identifier: GPL-2.0-only
//
// The device's register map: the numbers that the device and the program inside the machine must agree on. `guest/build.mjs`
// writes them into `guest/device.h`, so each stands here only.
//
// All registers are 32 bits wide, little endian, and accessed whole: other accesses read as zero and write nothing.

/** Physical address of the first register: beyond any RAM that the machine has. */
export const DEVICE_BASE = 0xd000_0000;

/** Bytes from DEVICE_BASE. */
export const Register = Object.freeze({
  /** Read: MAGIC, so that a driver knows what it talks to. */
  MAGIC: 0x00,
  /** Read: 1, the version of this map. */
  VERSION: 0x04,
  /** Read, write: the open file that IOCTL and CLOSE mean: a number that OPEN answered. */
  FILE: 0x08,
  /** Read, write: the request of IOCTL, e.g. 0x3b80. */
  REQUEST: 0x0c,
  /** Read, write: physical address of the request's struct, which has MAX_STRUCT_BYTES at most. */
  ARGUMENT: 0x10,
  /** Write: starts one of the commands. While STATUS says BUSY, the command is lost. */
  COMMAND: 0x14,
  /** Read: BUSY while a command is going on, OVERRUN when one was lost since the last that was taken. */
  STATUS: 0x18,
  /** Read, when not BUSY: the last command's answer, ≥ 0 or -errno as in Linux. */
  RESULT: 0x1c,
});

/** "IOFD" as it lies in memory. */
export const MAGIC = 0x4446_4f49;
export const VERSION = 1;

/** Bytes that an ioctl's struct may say it has; more is -E2BIG. */
export const MAX_STRUCT_BYTES = 0x1_0000;

/** What COMMAND takes; anything else is answered by -EINVAL. */
export const Command = Object.freeze({
  /** open("/dev/iommu"): RESULT is the number of the file. */
  OPEN: 1,
  /** ioctl(FILE, REQUEST, ARGUMENT). */
  IOCTL: 2,
  /** close(FILE): every object in it is released. */
  CLOSE: 3,
});

/** Bits of STATUS. */
export const Status = Object.freeze({ BUSY: 1, OVERRUN: 2 });

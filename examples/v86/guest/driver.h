/* SPDX-License-Identifier: GPL-2.0-only
 *
 * open, ioctl and close, as a program of Linux knows them, over the device's registers. Answers are >= 0 or -errno.
 *
 * Context: one caller at a time; each call waits until the device has answered.
 */
#ifndef DRIVER_H
#define DRIVER_H

#include <stdint.h>

/* Whether the device is there, in the version that this driver knows. */
int device_is_present(void);

int open_iommu(void);

/* `argument` is the request's struct. */
int ioctl(int file, uint32_t request, void *argument);

/* The same with any number as the struct's address. */
int ioctl_at(int file, uint32_t request, uint32_t address);

int close_file(int file);

#endif

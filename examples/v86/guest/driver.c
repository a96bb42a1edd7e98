// SPDX-License-Identifier: GPL-2.0-only
//
// The driver's whole job: fill registers, start the command, wait, read the answer.
//
// The device reads and writes the struct in RAM while a command goes on, and it knows physical addresses only. Both are no
// trouble here: memory is a compiler barrier away, and without paging a pointer is a physical address.

#include "driver.h"

#include "device.h"

static volatile uint32_t *reg(uint32_t offset)
{
	return (volatile uint32_t *)(DEVICE_BASE + offset);
}

static int run_command(uint32_t command)
{
	__asm__ volatile("" : : : "memory"); // the struct is in RAM before the device is told to look
	*reg(REGISTER_COMMAND) = command;
	while ((*reg(REGISTER_STATUS) & STATUS_BUSY) != 0)
		__asm__ volatile("pause");
	__asm__ volatile("" : : : "memory"); // and read again after it has answered
	return (int)*reg(REGISTER_RESULT);
}

int device_is_present(void)
{
	return *reg(REGISTER_MAGIC) == DEVICE_MAGIC && *reg(REGISTER_VERSION) == DEVICE_VERSION;
}

int open_iommu(void)
{
	return run_command(COMMAND_OPEN);
}

int ioctl_at(int file, uint32_t request, uint32_t address)
{
	*reg(REGISTER_FILE) = (uint32_t)file;
	*reg(REGISTER_REQUEST) = request;
	*reg(REGISTER_ARGUMENT) = address;
	return run_command(COMMAND_IOCTL);
}

int ioctl(int file, uint32_t request, void *argument)
{
	return ioctl_at(file, request, (uint32_t)argument);
}

int close_file(int file)
{
	*reg(REGISTER_FILE) = (uint32_t)file;
	return run_command(COMMAND_CLOSE);
}

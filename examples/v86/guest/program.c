// SPDX-License-Identifier: GPL-2.0-only
//
// What a program of this machine does with /dev/iommu: it makes two objects, one of which holds the other, and learns that
// what is held cannot be destroyed. Each step is a line of text: the call, and behind it the answer.

#include "device.h"
#include "driver.h"
#include "serial.h"

#define ADDRESS_OUTSIDE_RAM 0xfffff000u

enum lab_type { TYPE_DEVICE = 1, TYPE_HWPT = 2, TYPE_IOAS = 3 };

// The errnos that this program can meet, by name.
static const char *errno_name(int error)
{
	switch (error) {
	case 2:
		return "ENOENT";
	case 9:
		return "EBADF";
	case 14:
		return "EFAULT";
	case 16:
		return "EBUSY";
	default:
		return "an errno that this program does not know";
	}
}

static void print_answer(int answer)
{
	print(" = ");
	print_number(answer < 0 ? -1 : answer);
	if (answer < 0) {
		print(" ");
		print(errno_name(-answer));
	}
	print("\n");
}

// Makes an object that holds another one, or none if `held` is 0. Returns its ID.
static uint32_t allocate(int file, enum lab_type type, const char *name, uint32_t held)
{
	struct lab_alloc command = { .size = sizeof(command), .type = type, .hold_id0 = held };

	print("LAB_ALLOC ");
	print(name);
	if (held != 0) {
		print(", holds ");
		print_number((int)held);
	}
	print_answer(ioctl(file, LAB_ALLOC, &command));
	print("  its ID is ");
	print_number((int)command.out_id);
	print("\n");
	return command.out_id;
}

static void destroy(int file, uint32_t id)
{
	struct iommu_destroy command = { .size = sizeof(command), .id = id };

	print("IOMMU_DESTROY ");
	print_number((int)id);
	print_answer(ioctl(file, IOMMU_DESTROY, &command));
}

void run_program(void)
{
	uint32_t ioas, hwpt;
	int file;

	if (!device_is_present()) {
		print("there is no device\n");
		return;
	}
	print("open /dev/iommu");
	file = open_iommu();
	print_answer(file);

	ioas = allocate(file, TYPE_IOAS, "IOAS", 0);
	hwpt = allocate(file, TYPE_HWPT, "HWPT", ioas);
	destroy(file, ioas); // the other one still holds it
	destroy(file, hwpt);
	destroy(file, ioas);
	destroy(file, ioas); // and now it is gone

	print("IOMMU_DESTROY with a pointer outside RAM");
	print_answer(ioctl_at(file, IOMMU_DESTROY, ADDRESS_OUTSIDE_RAM));

	print("close");
	print_answer(close_file(file));
	destroy(file, ioas); // of a file that is closed
	print("done\n");
}

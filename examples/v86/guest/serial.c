// SPDX-License-Identifier: GPL-2.0-only
//
// A 16550 that is used by polling: a byte is written when the one before it has left.

#include "serial.h"

#include <stdint.h>

#define COM1 0x3f8
#define LINE_STATUS (COM1 + 5)
#define READY_FOR_A_BYTE 0x20

static void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static uint8_t in8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

void print(const char *text)
{
	for (; *text != '\0'; text++) {
		while ((in8(LINE_STATUS) & READY_FOR_A_BYTE) == 0)
			;
		out8(COM1, (uint8_t)*text);
	}
}

void print_number(int number)
{
	char digits[12]; // of -2147483648, and the end of the text
	char *first = digits + sizeof(digits) - 1;
	unsigned int rest = number < 0 ? 0u - (unsigned int)number : (unsigned int)number;

	*first = '\0';
	do {
		*--first = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest != 0);
	if (number < 0)
		*--first = '-';
	print(first);
}

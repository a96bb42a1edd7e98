/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Text on the first serial port, COM1: what the program says, the page shows.
 */
#ifndef SERIAL_H
#define SERIAL_H

void print(const char *text);

/* In decimal, with a sign if it is negative. */
void print_number(int number);

#endif

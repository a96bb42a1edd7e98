/* SPDX-License-Identifier: GPL-2.0-only
 *
 * The first instructions: what a Multiboot loader jumps to, in 32-bit protected mode without paging, interrupts off.
 *
 * There is no BIOS in the machine: the loader is the emulator itself, which finds the three words of the header.
 */

#define MULTIBOOT_MAGIC 0x1badb002
#define STACK_BYTES 4096

	.section .multiboot, "a"
	.balign 4
	.long MULTIBOOT_MAGIC
	.long 0					/* flags: nothing is asked for */
	.long -MULTIBOOT_MAGIC			/* the three words add up to zero */

	.text
	.globl start
start:
	movl $stack_end, %esp
	xorl %ebp, %ebp
	cld
	call run_program
	cli
halt:	hlt
	jmp halt

	.bss
	.balign 16
	.skip STACK_BYTES
stack_end:

	.section .note.GNU-stack, "", @progbits

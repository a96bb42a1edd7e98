// SPDX-License-Identifier: GPL-2.0-only
//
// ioctl(2) of the reference: the checks in the kernel's order, then the command.
//
//   rfc        the file; the u32 size; number and whole request; size below the minimum is EOPNOTSUPP; the unknown tail, byte by
//              byte; the struct; the command
//   mainline   a number outside the table is ENOTTY before the size is read; a short struct is EINVAL
//
// A command that a thread has not defined is none in that thread.

import { Refusal, require } from "./errors.ts";
import type { Machine } from "./machine.ts";
import type { Context, Thread } from "./objects.ts";
import { BufferMemory, type Memory, copyFrom, copyTo, requireZeros } from "./user-space.ts";

/** ';' in the second byte of a request. */
const REQUEST_TYPE = 0x3b00;
const FIRST_NR = 0x80;
const NR_DESTROY = 0x80;
const DESTROY_BYTES = 8;
/** One past the last number of today's kernel. */
const MAINLINE_TABLE_END = 0x96;

/** A command in progress, as its executor sees it. */
export interface Call {
  readonly machine: Machine;
  readonly thread: Thread;
  /** Good for this call, whatever becomes of the number. */
  readonly context: Context;
  /** The struct, as long as the command's: what the caller's lacks is zero. */
  readonly struct: DataView;
  readonly userSize: number;
  /** iommufd_ucmd_respond(): the struct as it is now, at most `length` bytes of it. */
  readonly respond: (length?: number) => void;
}

/** Answers as ioctl does: a value ≥ 0 or -errno by a Refusal. */
export type Executor = (call: Call) => number;

/** The argument: a buffer, which replies change, or a user address. */
export type Argument = Uint8Array | bigint;

export function defineCommand(
  machine: Machine,
  thread: Thread,
  row: { nr: number; name: string; shape: string; size: number; minSize: number },
): void {
  require(row.nr >= FIRST_NR && row.nr <= 0xff, "EINVAL");
  require(row.nr !== NR_DESTROY, "EEXIST");
  const known = machine.commands.get(row.nr);
  require(known === undefined || (known.name === row.name && known.shape === row.shape), "EEXIST");
  machine.commands.set(row.nr, known ?? row);
  thread.commands.add(row.nr);
}

export function ioctl(
  machine: Machine,
  context: Context,
  request: number,
  argument: Argument,
  executors: ReadonlyMap<number, Executor>,
): number {
  const file = machine.use(context);
  const memory: Memory = typeof argument === "bigint" ? machine.userSpace : new BufferMemory(argument);
  const address = typeof argument === "bigint" ? argument : 0n;
  const command = find(machine, context.thread, request, () => viewOf(copyFrom(memory, address, 4)));
  const { userSize, minSize, size } = command;
  require(userSize >= minSize, machine.abi === "rfc" ? "EOPNOTSUPP" : "EINVAL");
  if (userSize > size) requireZeros(memory, address + BigInt(size), userSize - size);
  const struct = new Uint8Array(size);
  struct.set(copyFrom(memory, address, Math.min(userSize, size)));
  if (command.nr === NR_DESTROY) {
    machine.destroy(context, viewOf(struct).getUint32(4, true));
    return 0;
  }
  const execute = executors.get(command.nr);
  require(execute !== undefined, "ENOTTY");
  file.calls++;
  const inFlight: Context = { thread: context.thread, access: "call", fd: file.fd, file, ended: false };
  try {
    return execute({
      ...{ machine, thread: context.thread, context: inFlight, struct: viewOf(struct), userSize },
      respond: (length = size) => copyTo(memory, address, struct.subarray(0, Math.min(userSize, length))),
    });
  } finally {
    file.calls--;
    machine.settle(context.thread, file);
  }
}

/** The row of a request, and the caller's size. */
function find(machine: Machine, thread: Thread, request: number, readSize: () => DataView) {
  const whole = request >>> 0 === request || (request | 0) === request ? request >>> 0 : 0;
  const nr = whole & 0xff;
  const tableEnd = Math.max(MAINLINE_TABLE_END, ...[...machine.commands.keys()].map((known) => known + 1));
  if (machine.abi === "mainline") require(nr >= FIRST_NR && nr < tableEnd, "ENOTTY");
  const userSize = readSize().getUint32(0, true);
  require(whole === (REQUEST_TYPE | nr), "ENOTTY");
  if (nr === NR_DESTROY) return { nr, userSize, size: DESTROY_BYTES, minSize: DESTROY_BYTES };
  const row = machine.commands.get(nr);
  require(row !== undefined && thread.commands.has(nr), "ENOTTY");
  return { nr, userSize, size: row.size, minSize: row.minSize };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The errno of a Refusal, as ioctl returns it; other errors are thrown on. */
export function codeOf(error: unknown): string {
  if (error instanceof Refusal) return error.code;
  throw error;
}

// SPDX-License-Identifier: GPL-2.0-only
/**
 * A call as the client keeps it until it settles, and what of its argument goes to the server and comes back.
 *
 * There is no user space here, so an address has no bytes behind it, as null has none.
 */
import type { Argument } from "../ioctl-call.js";

/** A call that waits for room, or for its answer. */
export interface PendingCall {
  /** Its number once it is in flight. */
  id: number;
  readonly request: number;
  /** What the server gets. */
  readonly bytes: Uint8Array;
  /** Where a reply is written. */
  readonly target: Uint8Array;
  /** By the clock of `performance.now`. */
  readonly deadline: number;
  readonly signal: AbortSignal | undefined;
  settle(result: number): void;
  fail(reason: unknown): void;
}

/** Bytes of a struct's first field, its size. */
const SIZE_BYTES = 4;

/** The bytes behind an argument; none behind null, an address, or a view that has lost its buffer. @throws TypeError for what is no argument */
export function bytesOf(arg: Argument): Uint8Array {
  if (arg === null || typeof arg === "bigint") return new Uint8Array(0);
  if (!ArrayBuffer.isView(arg)) {
    throw new TypeError("the argument of an ioctl is an ArrayBufferView, a bigint address, or null");
  }
  try {
    return new Uint8Array(arg.buffer, arg.byteOffset, arg.byteLength);
  } catch {
    return new Uint8Array(0); // detached, or resized away from under the view: no byte is accessible
  }
}

/** How many of the bytes an ioctl can look at: as many as the struct says that it has. */
export function structLength(bytes: Uint8Array): number {
  if (bytes.length < SIZE_BYTES) return bytes.length;
  const declared = new DataView(bytes.buffer, bytes.byteOffset, SIZE_BYTES).getUint32(0, true);
  return Math.min(bytes.length, Math.max(declared, SIZE_BYTES));
}

/** What is no 32-bit number is no request; 0 is none either. */
export function requestOf(request: number): number {
  return (request | 0) === request || request >>> 0 === request ? request >>> 0 : 0;
}

/** Writes the reply as far as there is room; false when the buffer has become too short meanwhile. */
export function writeBack(target: Uint8Array, reply: Uint8Array): boolean {
  const room = Math.min(target.length, reply.length); // a detached one has no length
  if (room > 0) target.set(reply.subarray(0, room));
  return room === reply.length;
}

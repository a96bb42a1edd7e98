// SPDX-License-Identifier: GPL-2.0-only
//
// An ioctl that is being composed: which request, which bytes, and what is wrong with it on purpose.
//
// Invariant: the bytes are the only truth about the struct. The fields, the hex and the shape are all read from them, and
// whatever is edited becomes bytes at once; so no two views can disagree, and none can show what will not be sent.
//
// Vocabulary: the *declared* size is what the struct's first word says; the *shape* is how that and the number of bytes
// compare with the struct that the kernel knows.

import type { Fields, IoctlCommand } from "../../index.js";

/** What the pointer points at. */
export type Pointer = "memory" | "readonly" | "unmapped" | "null";
/** Whether the file number is open. */
export type FileNumber = "open" | "closed";
/** How the bytes compare with the struct that the kernel knows. */
export type Shape = "exact" | "short" | "zeros" | "garbage" | "lying";

/** What will be called. */
export interface Draft {
  /** The 32-bit request. */
  readonly request: number;
  /** The struct and its tail. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly pointer: Pointer;
  readonly file: FileNumber;
}

/** The size that a request without a known struct starts with, in bytes: a size and one more word. */
const UNKNOWN_SIZE = 8;
const WORD = 4;
/** Bytes of a tail that is put behind a struct. */
const TAIL_BYTES = 8;
const GARBAGE = [0xde, 0xad, 0xbe, 0xef];
/** The most bytes that a draft has: a page. */
export const MOST_BYTES = 4096;

/** A correct call of a command with these values; what is left out is zero. @throws IommufdError EINVAL for a field that does not fit */
export function draftOf(
  command: IoctlCommand<Fields>,
  values: Readonly<Record<string, number | bigint | Uint8Array>> = {},
): Draft {
  const bytes = command.encode(values);
  return { request: command.request, bytes, pointer: "memory", file: "open" };
}

/** The first word of the struct; missing bytes are zero. */
export function declaredSize(bytes: Uint8Array): number {
  return ((bytes[0] ?? 0) | ((bytes[1] ?? 0) << 8) | ((bytes[2] ?? 0) << 16) | ((bytes[3] ?? 0) << 24)) >>> 0;
}

/** Bytes of the struct as the kernel knows it. */
export function knownSize(command: IoctlCommand<Fields> | undefined): number {
  return command?.size ?? UNKNOWN_SIZE;
}

/** The shape of these bytes. */
export function shapeOf(bytes: Uint8Array, command: IoctlCommand<Fields> | undefined): Shape {
  const size = knownSize(command);
  if (bytes.length < WORD) return "short";
  if (declaredSize(bytes) !== bytes.length) return "lying";
  if (bytes.length < size) return "short";
  if (bytes.length === size) return "exact";
  return bytes.subarray(size).every((byte) => byte === 0) ? "zeros" : "garbage";
}

/** The same values in that shape. */
export function reshape(
  bytes: Uint8Array,
  command: IoctlCommand<Fields> | undefined,
  shape: Shape,
): Uint8Array<ArrayBuffer> {
  const size = knownSize(command);
  const tooShort = Math.max(WORD, (command?.minSize ?? UNKNOWN_SIZE) - WORD);
  const length = shape === "short" ? tooShort : shape === "zeros" || shape === "garbage" ? size + TAIL_BYTES : size;
  const shaped = new Uint8Array(length);
  shaped.set(bytes.subarray(0, Math.min(size, length)));
  if (shape === "garbage") shaped.forEach((_, at) => at >= size && (shaped[at] = GARBAGE[(at - size) % 4] ?? 0));
  writeDeclared(shaped, shape === "lying" ? length + TAIL_BYTES : length);
  return shaped;
}

/** These bytes with another declared size. */
export function writeDeclared(bytes: Uint8Array<ArrayBuffer>, size: number): void {
  new DataView(bytes.buffer).setUint32(0, size, true);
}

/** Whether all of a field's bytes are there. */
export function covers(bytes: Uint8Array, field: { readonly offset: number; readonly size: number }): boolean {
  return field.offset + field.size <= bytes.length;
}

/** A request in iommufd's range that none of these commands has. */
export function unusedRequest(commands: readonly IoctlCommand<Fields>[]): number {
  let request = 0x3b99;
  while (commands.some((command) => command.request === request)) request++;
  return request;
}

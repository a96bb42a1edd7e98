// SPDX-License-Identifier: GPL-2.0-only
//
// The operations of the oracle: one call of the public API each, as plain JSON, so that a sequence can be printed and replayed.
//
// What an operation makes gets a name (`as`), and later operations name what they use. If the named thing does not exist,
// because the operation that made it failed or was cut away while shrinking, the operation is skipped on both sides. So any part
// of a sequence is a sequence.
//
// `object`, `reference` and `handle` are the three kinds of things a thread can have in hand: a ReservedObject or LockedObject, an
// ObjectReference, and the number of a hot call.

/** A user address: absolute, in hexadecimal, or within a mapping. */
export type Address = { at: string } | { mapping: number; offset: number };

/** An ioctl's argument: bytes in hexadecimal, of a JavaScript buffer or at an address where they are written first. */
export type IoctlArgument = { buffer: string } | { user: Address };

export type Protection = "rw" | "r" | "none";

/** Hot calls on one handle. */
export interface HandleOperation {
  op: "finalizeHandle" | "abortHandle" | "putHandle" | "keepHandle" | "dropUserHandle" | "describeHandle";
  context: number;
  handle: number;
}

export type Operation =
  // threads and definitions
  | { op: "attach"; as: number }
  | { op: "detach"; thread: number }
  | { op: "type"; thread: number; name: string; bytes: number; callback: boolean }
  | { op: "command"; thread: number; command: number }
  // files
  | { op: "open"; thread: number; as: number }
  | { op: "fget"; thread: number; fd: number; as: number }
  | { op: "file"; thread: number; fd: number; as: number }
  | { op: "close"; context: number }
  // hot calls
  | { op: "tryAlloc"; context: number; type: string; value: number; as: number }
  | { op: "tryGet"; context: number; id: number; type?: string; as: number }
  | HandleOperation
  | { op: "holdHandle"; context: number; handle: number; target: number }
  | { op: "tryDestroy"; context: number; id: number }
  // classes
  | { op: "alloc"; context: number; type: string; value: number; as: number }
  | { op: "get"; context: number; id: number; type?: string; as: number }
  | { op: "finalize" | "abort" | "put" | "dropUser"; object: number }
  | { op: "keep"; object: number; as: number }
  | { op: "hold"; object: number; target: number }
  | { op: "holdReference"; object: number; reference: number }
  | { op: "drop" | "destroyUser"; reference: number }
  // ioctls and user memory
  | { op: "ioctl"; context: number; request: number; argument: IoctlArgument }
  | { op: "map"; thread: number; length: number; va?: string; prot: Protection; as: number }
  | { op: "protect"; thread: number; address: Address; length: number; prot: Protection }
  | { op: "unmap"; mapping: number }
  | { op: "read"; thread: number; address: Address; length: number }
  | { op: "write"; thread: number; address: Address; bytes: string }
  // looking
  | { op: "inspect"; context: number; id: number }
  | { op: "objects"; context: number }
  | { op: "stats" }
  | { op: "memory" };

/** What both sides must agree on: JSON. */
export type Answer = unknown;

/** The answer of an operation whose things do not exist. */
export const SKIPPED = "skipped";

/** Thrown for an operation whose things do not exist: always the same one, because it happens often. */
export const SKIP = new Error(SKIPPED);

/** One side: the library or the reference. */
export interface Side {
  run(operation: Operation): Answer;
  /** What callbacks and listeners heard since the last look; undefined for nothing. */
  takeEvents(): Answer;
  /** Forgets all names. The machine stays as it is, and its first thread goes on. */
  reset(): void;
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

export function hexOf(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at++) text += HEX[bytes[at] as number];
  return text;
}

export function bytesOf(hex: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(hex.length >> 1);
  for (let at = 0; at < bytes.length; at++) {
    bytes[at] = (digit(hex.charCodeAt(2 * at)) << 4) | digit(hex.charCodeAt(2 * at + 1));
  }
  return bytes;
}

function digit(code: number): number {
  return code < 0x3a ? code - 0x30 : code - 0x61 + 10;
}

/** Long contents in one number: FNV-1a over words, then over the bytes behind the last word. */
export function digestOf(bytes: Uint8Array): number {
  const words = bytes.byteOffset % 4 === 0 ? bytes.length >> 2 : 0;
  let hash = 0x811c9dc5;
  for (const word of new Uint32Array(bytes.buffer, words === 0 ? 0 : bytes.byteOffset, words)) {
    hash = Math.imul(hash ^ word, 0x01000193);
    hash ^= hash >>> 15;
  }
  for (let at = words * 4; at < bytes.length; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  return hash >>> 0;
}

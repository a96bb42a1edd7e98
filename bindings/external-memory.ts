// SPDX-License-Identifier: GPL-2.0-only
/**
 * Memory that lives outside of the shared one, such as an emulator's guest RAM: JavaScript reaches it, the core does not.
 *
 * A mapping of it has a number, which the core knows; which memory that is, each thread knows for itself.
 */
import { invalid, isWithin } from "./error.js";
import { Layout } from "./generated/layout.js";

/** Memory behind callbacks. They are called with ranges inside it only, never while the core is in a call. */
export interface ExternalMemory {
  /** Its length: a multiple of 4096, below 4 GiB. */
  readonly bytes: number;
  /** Copies from `offset` on into `to`. */
  read(offset: number, to: Uint8Array): void;
  /** Copies `from` to `offset`. */
  write(offset: number, from: Uint8Array): void;
}

const MAX_BYTES = 2 ** 32 - Layout.PAGE_SIZE;

/** Checks what the user gave. @throws IommufdError EINVAL */
export function externalMemory(memory: SharedArrayBuffer | ExternalMemory): ExternalMemory {
  const external = isShared(memory) ? ofBuffer(memory) : memory;
  const { bytes, read, write } = (external ?? {}) as Partial<ExternalMemory>;
  if (typeof read !== "function" || typeof write !== "function") {
    throw invalid("mmap", "bytes, read and write are wanted");
  }
  if (!isWithin(bytes, Layout.PAGE_SIZE, MAX_BYTES) || bytes % Layout.PAGE_SIZE !== 0) {
    throw invalid("mmap", `not whole pages: ${String(bytes)}`);
  }
  return external;
}

/** A page without isolation has such buffers, of Wasm memories, but not their constructor. */
function isShared(memory: object): memory is SharedArrayBuffer {
  return Object.prototype.toString.call(memory) === "[object SharedArrayBuffer]";
}

function ofBuffer(buffer: SharedArrayBuffer): ExternalMemory {
  const all = new Uint8Array(buffer);
  return {
    bytes: buffer.byteLength,
    read: (offset, to) => to.set(all.subarray(offset, offset + to.length)),
    write: (offset, from) => all.set(from, offset),
  };
}

// SPDX-License-Identifier: GPL-2.0-only
/**
 * A process' address space inside the shared memory: what user addresses mean.
 *
 * Pages are 4 KiB, addresses 64 bits. A mapping's bytes are live shared memory, seen by all threads without a copy.
 *
 * Kernel counterpart: mmap(MAP_FIXED_NOREPLACE), mprotect(), munmap(), copy_from_user(), copy_to_user().
 */
import { IommufdError, check, invalid, isWithin } from "./error.js";
import { Layout } from "./generated/layout.js";
import type { Kernel } from "./kernel.js";
import { rowsOf } from "./rows.js";

/** A pointer into the calling thread's user space. */
export type UserAddress = bigint;
/** Page protection: readable and writable, readable, or neither. */
export type Protection = "rw" | "r" | "none";

/** A run of mapped pages. */
export interface UserMapping {
  /** User address of the first byte. */
  readonly va: bigint;
  /** The pages' bytes: live shared memory. Not to be used after `unmap`. */
  readonly bytes: Uint8Array;
}

const PROTECTIONS: Readonly<Record<Protection, number>> = {
  none: Layout.PROT_NONE,
  r: Layout.PROT_READ,
  rw: Layout.PROT_READ | Layout.PROT_WRITE,
};

/** The memory of the process that calls ioctl: all threads of an Iommufd share it. */
export class UserSpace {
  readonly #kernel: Kernel;
  readonly #mappings = new WeakSet<UserMapping>();

  /** Made with its `Iommufd`. */
  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /**
   * Maps zeroed pages.
   *
   * @param length - Bytes, rounded up to whole pages.
   * @param options - `va`: a page-aligned address, default a free one; `prot`: default "rw".
   * @throws IommufdError EINVAL (length, alignment, outside user space), EEXIST (something is mapped there), ENOMEM.
   */
  map(length: number, options: { va?: bigint; prot?: Protection } = {}): UserMapping {
    const kernel = this.#kernel;
    if (!isWithin(length, 1, Infinity)) throw invalid("mmap", `length must be > 0, not ${String(length)}`);
    if (options.va !== undefined && !isUserAddress(options.va)) throw invalid("mmap", "va must be a bigint > 0");
    const row = kernel.core.map(options.va ?? 0n, BigInt(length), protOf(options.prot ?? "rw", "mmap"));
    check(row, "mmap");
    const mapping = this.#mappingOf(row);
    kernel.core.mapDone();
    return mapping;
  }

  /**
   * All mappings of the process, whichever thread made them, by ascending address; each can be unmapped by this thread. (/proc/self/maps)
   *
   * For looking and for cleaning up: a mapping that another thread removes meanwhile may still be listed.
   */
  mappings(): UserMapping[] {
    const rows = rowsOf(Layout.MAPPINGS, Layout.MAPPING_BYTES, Layout.MAX_MAPPINGS);
    const mapped = rows.filter((row) => this.#kernel.word(row + Layout.MAPPING_STATE) === Layout.MAPPING_MAPPED);
    return mapped.map((row) => this.#mappingOf(row)).sort((a, b) => (a.va < b.va ? -1 : 1));
  }

  #mappingOf(row: number): UserMapping {
    const { memory, longs } = this.#kernel;
    const backing = this.#kernel.word(row + Layout.MAPPING_BACKING);
    const length = this.#kernel.word(row + Layout.MAPPING_PAGES) * Layout.PAGE_SIZE;
    const va = BigInt.asUintN(64, longs[(row + Layout.MAPPING_VA) / 8] ?? 0n);
    const mapping = Object.freeze({ va, bytes: new Uint8Array(memory.buffer, backing, length) });
    this.#mappings.add(mapping);
    return mapping;
  }

  /**
   * Changes the protection of whole pages, which may belong to several mappings.
   *
   * @throws IommufdError EINVAL (alignment, protection), ENOMEM (part of the range is not mapped); nothing has changed.
   */
  protect(va: bigint, length: number, prot: Protection): void {
    if (!isUserAddress(va)) throw invalid("mprotect", "va must be a bigint > 0");
    if (!isWithin(length, 0, Infinity)) throw invalid("mprotect", "length must be ≥ 0");
    check(this.#kernel.core.protect(va, BigInt(length), protOf(prot, "mprotect")), "mprotect");
  }

  /**
   * Removes a mapping. Waits for copies in progress, then wipes the pages.
   *
   * @throws IommufdError EINVAL when it is not a mapping of this object, or was removed already.
   */
  unmap(mapping: UserMapping): void {
    if (!this.#mappings.has(mapping)) throw invalid("munmap", "not a mapping of this user space, or unmapped already");
    this.#mappings.delete(mapping);
    check(this.#kernel.core.unmap(mapping.va), "munmap");
  }

  /** Reads user memory as the kernel would. @throws IommufdError EFAULT, EINVAL */
  read(va: bigint, length: number): Uint8Array {
    return readUser(this.#kernel, va, length);
  }

  /** Writes user memory as the kernel would. @throws IommufdError EFAULT; the bytes before the bad one were written. */
  write(va: bigint, bytes: Uint8Array): void {
    writeUser(this.#kernel, va, bytes);
  }
}

/** copy_from_user(), in pieces of the thread's window. @throws IommufdError EFAULT, EINVAL */
export function readUser(kernel: Kernel, from: bigint, length: number): Uint8Array {
  if (!isWithin(length, 0, Infinity)) throw invalid("copy_from_user", "length must be ≥ 0");
  if (!isAddress(from) || length > kernel.bytes.length) throw new IommufdError("EFAULT", { syscall: "copy_from_user" });
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; done += Layout.COMMAND_BYTES) {
    const piece = Math.min(length - done, Layout.COMMAND_BYTES);
    check(kernel.core.readUser(from + BigInt(done), piece), "copy_from_user");
    bytes.set(kernel.window.subarray(0, piece), done);
  }
  return bytes;
}

/** copy_to_user(), in pieces of the thread's window. @throws IommufdError EFAULT (nothing written if the range leaves user space), EINVAL */
export function writeUser(kernel: Kernel, to: bigint, bytes: Uint8Array): void {
  if (!(bytes instanceof Uint8Array)) throw invalid("copy_to_user", "bytes must be a Uint8Array");
  if (bytes.length > 0 && !isAddress(to)) throw new IommufdError("EFAULT", { syscall: "copy_to_user" });
  // access_ok() is asked of the whole range, before the first piece is written: no byte beyond its end is user memory.
  if (bytes.length > Layout.COMMAND_BYTES) check(kernel.core.writeUser(to + BigInt(bytes.length), 0), "copy_to_user");
  for (let done = 0; done < bytes.length; done += Layout.COMMAND_BYTES) {
    const piece = bytes.subarray(done, done + Layout.COMMAND_BYTES);
    kernel.window.set(piece);
    check(kernel.core.writeUser(to + BigInt(done), piece.length), "copy_to_user");
  }
}

/** Whether a bigint is a 64-bit address at all; others are EFAULT, like every address without a mapping. */
export function isAddress(address: unknown): address is bigint {
  return typeof address === "bigint" && address === BigInt.asUintN(64, address);
}

function isUserAddress(va: unknown): va is bigint {
  return isAddress(va) && va > 0n;
}

function protOf(prot: Protection, syscall: string): number {
  const bits = Object.hasOwn(PROTECTIONS, prot) ? PROTECTIONS[prot] : undefined;
  if (bits === undefined) throw invalid(syscall, `prot must be "rw", "r" or "none", not ${String(prot)}`);
  return bits;
}

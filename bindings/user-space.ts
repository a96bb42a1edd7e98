// SPDX-License-Identifier: GPL-2.0-only
/**
 * A process, and its address space inside the shared memory: what user addresses mean.
 *
 * Pages are 4 KiB, addresses 64 bits. A mapping's bytes are live shared memory, seen by all threads without a copy. An object of this
 * class names its process by number, so every thread has its own.
 *
 * Kernel counterpart: mmap(MAP_FIXED_NOREPLACE), mprotect(), munmap(), copy_from_user(), copy_to_user(), exit().
 */
import { IommufdError, check, invalid, isWithin } from "./error.js";
import { type ExternalMemory, externalMemory } from "./external-memory.js";
import { Layout } from "./generated/layout.js";
import type { Kernel } from "./kernel.js";
import { Memfd } from "./memfd.js";
import {
  type Credentials,
  type MemlockUsage,
  credentialsOf,
  memlockOf,
  rowOf,
  setCredentials,
  setMemlock,
  usageOf,
} from "./process.js";
import { rowsOf } from "./rows.js";

/** A pointer into the calling thread's user space. */
export type UserAddress = bigint;
/** Page protection: readable and writable, readable, or neither. */
export type Protection = "rw" | "r" | "none";

/** A run of mapped pages. */
export interface UserMapping {
  /** User address of the first byte. */
  readonly va: bigint;
  /** Bytes, whole pages. */
  readonly length: number;
  /**
   * The pages' bytes: live shared memory. Not to be used after `unmap`. Of a file, as much as it has at the time, rounded up to a page;
   * of external memory, none.
   */
  readonly bytes: Uint8Array;
  /** Of external memory: its number, for `bindExternal` in other threads; else 0. */
  readonly external: number;
}

/** Options of `UserSpace.map`. */
export interface MapOptions {
  /** A page-aligned address; default a free one. */
  va?: bigint;
  /** Default "rw". */
  prot?: Protection;
  /** Maps the bytes of this file, shared, instead of fresh pages. */
  file?: Memfd;
  /** Where in the file the mapping begins: bytes, a multiple of 4096. Default 0. */
  offset?: number | bigint;
}

const PROTECTIONS: Readonly<Record<Protection, number>> = {
  none: Layout.PROT_NONE,
  r: Layout.PROT_READ,
  rw: Layout.PROT_READ | Layout.PROT_WRITE,
};

/** A process: whose memory user addresses point into, and who is asked for its rights and limits when it calls ioctl. */
export class UserSpace {
  /** The process' number, never given twice; another thread gets at the process by it (`Iommufd.userSpaceOf`). 1 is the default process. */
  readonly pid: number;
  readonly #kernel: Kernel;
  readonly #mappings = new WeakSet<UserMapping>();

  /** Made with its `Iommufd`, or by it. */
  constructor(kernel: Kernel, pid: number) {
    this.#kernel = kernel;
    this.pid = pid;
  }

  // -------------------------------------------------------------------------------------------------- memory

  /**
   * Maps zeroed pages, or a part of a file, which all of its mappings share.
   *
   * @param length - Bytes, rounded up to whole pages. A mapping may go beyond a file's size, where it is EFAULT, but not beyond its
   *   `maxBytes`.
   * @throws IommufdError EINVAL (length, alignment, outside user space), EEXIST (something is mapped there), ENOMEM, EBADF (the file is
   *   closed), EOVERFLOW (beyond `maxBytes`), ESRCH (the process has ended).
   */
  map(length: number, options: MapOptions = {}): UserMapping {
    const { core } = this.#kernel;
    const { file, offset = 0 } = options;
    if (file === undefined) return this.#map(length, options, (va, bytes, prot) => core.map(va, bytes, prot));
    if (!(file instanceof Memfd)) throw invalid("mmap", "file must be a Memfd");
    const at = typeof offset === "bigint" ? offset : isWithin(offset, 0, Infinity) ? BigInt(offset) : -1n;
    if (!isAddress(at)) throw invalid("mmap", `offset must be ≥ 0, not ${String(offset)}`);
    const { fd, generation } = file.share;
    return this.#map(length, options, (va, bytes, prot) => core.mapFile(va, bytes, prot, fd, generation, at));
  }

  /**
   * Maps memory that lives outside of the shared one, all of it. A device reaches it through an IOAS; `read`, `write` and an ioctl's
   * argument do not: there it is EFAULT.
   *
   * Other threads know nothing of it until they call `bindExternal`.
   *
   * @throws IommufdError as `map`; EINVAL for what is no whole pages of memory.
   */
  mapExternal(
    memory: SharedArrayBuffer | ExternalMemory,
    options: { va?: bigint; prot?: Protection } = {},
  ): UserMapping {
    const { core, externals } = this.#kernel;
    const external = externalMemory(memory);
    this.#forgetExternals();
    const mapping = this.#map(external.bytes, options, (va, bytes, prot) => core.mapExternal(va, bytes, prot));
    externals.set(mapping.external, external);
    return mapping;
  }

  /** Tells this thread which memory another thread's external mapping is of. @throws IommufdError EINVAL */
  bindExternal(number: number, memory: SharedArrayBuffer | ExternalMemory): void {
    if (!isWithin(number, 1, 2 ** 32 - 1)) throw invalid("mmap", "not an external mapping");
    this.#kernel.externals.set(number, externalMemory(memory));
  }

  #map(length: number, options: MapOptions, map: (va: bigint, length: bigint, prot: number) => number): UserMapping {
    const kernel = this.#kernel;
    const { va, prot = "rw" } = options;
    if (!isWithin(length, 1, Infinity)) throw invalid("mmap", `length must be > 0, not ${String(length)}`);
    if (va !== undefined && !isUserAddress(va)) throw invalid("mmap", "va must be a bigint > 0");
    const bits = protOf(prot, "mmap");
    const row = kernel.within(this.pid, () => map(va ?? 0n, BigInt(length), bits));
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
    const space = BigInt((this.pid - 1) % Layout.MAX_PROCESSES);
    const rows = mappedRows(this.#kernel).filter((row) => keyOf(this.#kernel, row) >> SPACE_SHIFT === space);
    return this.#isOver() ? [] : rows.map((row) => this.#mappingOf(row)).sort((a, b) => (a.va < b.va ? -1 : 1));
  }

  #isOver(): boolean {
    try {
      rowOf(this.#kernel, this.pid, "mmap");
      return false;
    } catch {
      return true;
    }
  }

  #mappingOf(row: number): UserMapping {
    const kernel = this.#kernel;
    const isExternal = kernel.word(row + Layout.MAPPING_KIND) === Layout.MAPPING_EXTERNAL;
    const length = kernel.word(row + Layout.MAPPING_PAGES) * Layout.PAGE_SIZE;
    const mapping = Object.freeze({
      va: BigInt.asUintN(Layout.SPACE_SHIFT, keyOf(kernel, row)),
      length,
      bytes: isExternal ? new Uint8Array(0) : bytesOf(kernel, row, length),
      external: isExternal ? kernel.word(row + Layout.MAPPING_SOURCE) : 0,
    });
    this.#mappings.add(mapping);
    return mapping;
  }

  /** Drops this thread's memories that no mapping shows any more. */
  #forgetExternals(): void {
    const kernel = this.#kernel;
    if (kernel.externals.size === 0) return;
    const rows = usedRows(kernel).filter((row) => kernel.word(row + Layout.MAPPING_KIND) === Layout.MAPPING_EXTERNAL);
    const numbers = new Set(rows.map((row) => kernel.word(row + Layout.MAPPING_SOURCE)));
    for (const number of kernel.externals.keys()) if (!numbers.has(number)) kernel.externals.delete(number);
  }

  /**
   * Changes the protection of whole pages, which may belong to several mappings.
   *
   * @throws IommufdError EINVAL (alignment, protection), ENOMEM (part of the range is not mapped); nothing has changed.
   */
  protect(va: bigint, length: number, prot: Protection): void {
    if (!isUserAddress(va)) throw invalid("mprotect", "va must be a bigint > 0");
    if (!isWithin(length, 0, Infinity)) throw invalid("mprotect", "length must be ≥ 0");
    const bits = protOf(prot, "mprotect");
    check(
      this.#kernel.within(this.pid, () => this.#kernel.core.protect(va, BigInt(length), bits)),
      "mprotect",
    );
  }

  /**
   * Removes a mapping. Waits for copies in progress, then wipes the pages: those of a file with the file, those that a device has
   * pinned with the last pin.
   *
   * @throws IommufdError EINVAL when it is not a mapping of this object, or was removed already.
   */
  unmap(mapping: UserMapping): void {
    if (!this.#mappings.has(mapping)) throw invalid("munmap", "not a mapping of this user space, or unmapped already");
    this.#mappings.delete(mapping);
    check(
      this.#kernel.within(this.pid, () => this.#kernel.core.unmap(mapping.va)),
      "munmap",
    );
  }

  /** Reads user memory as the kernel would. @throws IommufdError EFAULT, EINVAL */
  read(va: bigint, length: number): Uint8Array {
    return this.#kernel.within(this.pid, () => readUser(this.#kernel, va, length));
  }

  /** Writes user memory as the kernel would. @throws IommufdError EFAULT; the bytes before the bad one were written. */
  write(va: bigint, bytes: Uint8Array): void {
    this.#kernel.within(this.pid, () => writeUser(this.#kernel, va, bytes));
  }

  // -------------------------------------------------------------------------------------------------- the process

  /**
   * Runs `call`, and what it calls, as this process: user addresses are its, and so are the rights and limits. Afterwards, also when
   * `call` throws, the thread acts for the process that it acted for before. What an asynchronous function does after its first `await`
   * is no part of the run; an ioctlAsync is done as the process that it began in.
   *
   * @throws IommufdError ESRCH when the process has ended.
   */
  run<T>(call: () => T): T {
    rowOf(this.#kernel, this.pid, "run");
    return this.#kernel.within(this.pid, call);
  }

  /** User and capabilities. @throws IommufdError ESRCH */
  get credentials(): Credentials {
    return credentialsOf(this.#kernel, this.pid);
  }

  /**
   * Changes the user, the capabilities, or both: dropping privileges. What is pinned stays charged as it was. (setuid, capset)
   *
   * @throws IommufdError EINVAL, ESRCH, EAGAIN (too many users).
   */
  setCredentials(change: Partial<Credentials>): void {
    setCredentials(this.#kernel, this.pid, change);
  }

  /** RLIMIT_MEMLOCK in bytes, Infinity for none. @throws IommufdError ESRCH */
  get memlockBytes(): number {
    return memlockOf(this.#kernel, this.pid);
  }

  /** Sets it, for what is pinned from now on; a limit below what is pinned already undoes nothing. (setrlimit) @throws IommufdError EINVAL, ESRCH */
  setMemlock(bytes: number | bigint): void {
    setMemlock(this.#kernel, this.pid, bytes);
  }

  /** What is charged. @throws IommufdError ESRCH */
  get memlock(): MemlockUsage {
    return usageOf(this.#kernel, this.pid);
  }

  /**
   * Ends the process: its mappings go, and whatever wants to read its memory later gets EFAULT. Waits for copies in progress. Threads that
   * act for it go on without memory. (exit)
   *
   * @throws IommufdError ESRCH (ended already), EINVAL for the default process.
   */
  exit(): void {
    check(this.#kernel.core.endProcess(this.pid), "exit", `process ${this.pid}`);
  }
}

const SPACE_SHIFT = BigInt(Layout.SPACE_SHIFT);

/** Rows of mappings that are in use, of all processes. */
function usedRows(kernel: Kernel): number[] {
  const rows = rowsOf(Layout.MAPPINGS, Layout.MAPPING_BYTES, Layout.MAX_MAPPINGS);
  return rows.filter((row) => kernel.word(row + Layout.MAPPING_STATE) !== 0);
}

/** Those that can be found by address. */
function mappedRows(kernel: Kernel): number[] {
  return usedRows(kernel).filter((row) => kernel.word(row + Layout.MAPPING_STATE) === Layout.MAPPING_MAPPED);
}

/** The process' index and the address in one. */
function keyOf(kernel: Kernel, row: number): bigint {
  return BigInt.asUintN(64, kernel.longs[(row + Layout.MAPPING_VA) / 8] ?? 0n);
}

/** The bytes that a mapping shows. */
function bytesOf(kernel: Kernel, row: number, length: number): Uint8Array {
  const backing = kernel.word(row + Layout.MAPPING_BACKING);
  if (kernel.word(row + Layout.MAPPING_KIND) === Layout.MAPPING_MEMFD) {
    const file = kernel.word(row + Layout.MAPPING_SOURCE);
    const pages = Math.ceil(kernel.word(file + Layout.MEMFD_SIZE) / Layout.PAGE_SIZE);
    const end = kernel.word(file + Layout.MEMFD_BACKING) + pages * Layout.PAGE_SIZE;
    length = Math.min(length, Math.max(0, end - backing));
  }
  return new Uint8Array(kernel.memory.buffer, backing, length);
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

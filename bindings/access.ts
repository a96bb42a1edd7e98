// SPDX-License-Identifier: GPL-2.0-only
/**
 * Accesses: a pretend device that reaches memory by IOVA, as a driver in the kernel does, without page tables.
 *
 * The bytes of user memory and of memfds are reached in place. Memory outside of the shared one (UserSpace.mapExternal) is reached by
 * its callbacks, in a thread that has them.
 *
 * The core names an access by its row, ID and serial; whoever uses one that has ended gets EBADF.
 */
import type { IommufdContext } from "./context.js";
import { IommufdError, check, failure, invalid } from "./error.js";
import { Layout } from "./generated/layout.js";
import type { Kernel } from "./kernel.js";
import { type WaitOptions, deadlineOf } from "./wait.js";

/** How a driver's access is made. */
export interface AccessOptions {
  /** Whether it pins pages: its address space is then mapped in whole pages (EADDRINUSE if it is not). Default true. */
  pins?: boolean;
  /**
   * UNMAP wants `length` bytes from `iova` on, and asks for the pins that meet them. When it returns, none may be left: after 100
   * rounds UNMAP gives up (EDEADLK). It may be called for ranges that the access has not pinned. It runs in the thread that unmaps, if
   * that is the thread of this access. (iommufd_access_ops.unmap)
   */
  unmap?(iova: bigint, length: bigint): void;
}

/** A range of pinned memory that lies in one piece. */
export interface PinnedPiece {
  /** Its first IOVA. */
  readonly iova: bigint;
  readonly length: number;
  /** The bytes, live; undefined for memory outside of the shared one. */
  readonly bytes: Uint8Array | undefined;
}

/** An IOVA or a length: a bigint, or a safe integer. */
type Wide = bigint | number;
const END = 2n ** 64n;

/** A driver's access to an IO address space. (struct iommufd_access) */
export class Access {
  /** The object's ID in the context. */
  readonly id: number;
  readonly #kernel: Kernel;
  readonly #context: IommufdContext;
  readonly #row: number;
  readonly #serial: number;
  readonly #unmap: AccessOptions["unmap"];
  #ioasId = 0;

  /** @internal iommufd_access_create(). @throws IommufdError ENOMEM; EBUSY (no ID); EMFILE (1024 owners); EBADF; EIO */
  constructor(kernel: Kernel, context: IommufdContext, options: AccessOptions) {
    const { pins = true, unmap } = options;
    if (unmap !== undefined && typeof unmap !== "function") throw invalid("access", "unmap must be a function");
    this.#kernel = kernel;
    this.#context = context;
    this.#row = check(
      kernel.core.accessCreate(context.fileAddress, context.expected, pins ? Layout.ACCESS_PINS : 0),
      "access",
    );
    this.id = kernel.result(0);
    this.#serial = kernel.result(1) >>> 0;
    this.#serial += (kernel.result(2) >>> 0) * 2 ** 32;
    this.#unmap = unmap?.bind(options);
    kernel.accesses.add(this);
  }

  /** The ID of the address space that it is attached to, 0 for none. */
  get ioasId(): number {
    return this.#ioasId;
  }

  /** Attaches it to an address space. (iommufd_access_attach) @throws IommufdError ENOENT; EINVAL (attached already); EADDRINUSE; EBADF */
  attach(ioasId: number): void {
    this.#attach(ioasId, 0);
  }

  /**
   * Goes to another address space: `unmap` is called for everything first, and must let go of all pins. (iommufd_access_replace)
   * @throws IommufdError ENOENT (no such address space, or attached to none); EBUSY (pins are left); EADDRINUSE; EBADF
   */
  replace(ioasId: number): void {
    this.#letGo();
    this.#attach(ioasId, 1);
  }

  #attach(ioasId: number, replaces: number): void {
    check(this.#kernel.core.accessAttach(this.#row, this.id, this.#serial, ioasId, replaces), "access");
    this.#ioasId = ioasId;
  }

  /** Leaves its address space: `unmap` is called for everything first. (iommufd_access_detach) @throws IommufdError EINVAL (not attached); EBUSY (pins are left); EBADF */
  detach(): void {
    this.#letGo();
    check(this.#kernel.core.accessDetach(this.#row, this.id, this.#serial), "access");
    this.#ioasId = 0;
  }

  /** Ends it: `unmap` is called for everything first. (iommufd_access_destroy) @throws IommufdError EBUSY (pins are left); EBADF */
  destroy(options?: WaitOptions): void {
    const deadline = deadlineOf(options?.timeoutMs);
    this.#letGo();
    const { core } = this.#kernel;
    const file = this.#context.fileAddress;
    const begun = core.accessDestroy(this.#row, this.id, this.#serial, 1);
    check(this.#kernel.settle(begun, file, this.#context, deadline), "access");
    this.#ioasId = 0;
    this.#kernel.accesses.delete(this);
  }

  /** All that it has pinned is to be let go. */
  #letGo(): void {
    if (this.#ioasId !== 0) this.notify(0n, END - 1n);
  }

  /** @internal Calls the driver's unmap. */
  notify(iova: bigint, length: bigint): void {
    if (this.#unmap) this.#kernel.callUser(() => this.#unmap?.(iova, length));
  }

  /** @internal Whether it is attached to that address space. */
  isOn(file: number, ioasId: number): boolean {
    return this.#context.fileAddress === file && this.#ioasId === ioasId;
  }

  /**
   * Pins all pages of a range, or none; what is pinned more than once is unpinned as often. (iommufd_access_pin_pages)
   *
   * @returns where they are, in ascending order of IOVA.
   * @throws IommufdError EINVAL (length 0, not whole pages, being unmapped, behind the end of a file); EOVERFLOW; ENOENT (not mapped
   *   throughout); EPERM; EFAULT; ENOMEM (RLIMIT_MEMLOCK)
   */
  pin(iova: Wide, length: Wide, options: { write?: boolean } = {}): PinnedPiece[] {
    const [first, bytes] = [wide(iova), wide(length)];
    const { core } = this.#kernel;
    check(core.accessPin(this.#row, this.id, this.#serial, first, bytes, options.write ? 1 : 0), "access");
    const pieces: PinnedPiece[] = [];
    for (let at = first; at < first + bytes;) {
      const left = first + bytes - at;
      const reach = check(core.accessPinned(this.#row, this.id, this.#serial, at, left), "access");
      const address = this.#kernel.result(1) >>> 0;
      const inside = this.#kernel.result(2) === 0;
      pieces.push({ iova: at, length: reach, bytes: inside ? this.#bytes(address, reach) : undefined });
      at += BigInt(reach);
    }
    return pieces;
  }

  /** Undoes a pin of exactly that range. (iommufd_access_unpin_pages) @throws IommufdError EINVAL when there is none; EBADF */
  unpin(iova: Wide, length: Wide): void {
    check(this.#kernel.core.accessUnpin(this.#row, this.id, this.#serial, wide(iova), wide(length)), "access");
  }

  /**
   * Copies memory at `iova` into the buffer. Of a range that is not good to its end, the part before may have been copied.
   * (iommufd_access_rw) @throws IommufdError EINVAL (length 0, being unmapped, behind the end of a file); EOVERFLOW; ENOENT; EPERM; EFAULT; EBADF
   */
  read(iova: Wide, into: Uint8Array): void {
    this.#copy(wide(iova), into, 0);
  }

  /** Copies the buffer to memory at `iova`. As `read`. (iommufd_access_rw) */
  write(iova: Wide, from: Uint8Array): void {
    this.#copy(wide(iova), from, 1);
  }

  #copy(iova: bigint, buffer: Uint8Array, writes: number): void {
    const { core } = this.#kernel;
    let done = 0;
    do {
      const left = BigInt(buffer.length - done);
      const reach = core.accessSegment(this.#row, this.id, this.#serial, iova + BigInt(done), left, writes);
      if (reach < 0) throw IommufdError.fromErrno(reach, { syscall: "access" });
      const address = this.#kernel.result(1) >>> 0;
      const external = this.#kernel.result(2) >>> 0;
      try {
        const part = reach === buffer.length ? buffer : buffer.subarray(done, done + reach);
        if (external !== 0) this.#copyOutside(external, address, part, writes);
        else if (writes) this.#kernel.bytes.set(part, address);
        else part.set(this.#bytes(address, reach));
      } finally {
        core.segmentEnd();
      }
      done += reach;
    } while (done < buffer.length);
  }

  #copyOutside(number: number, offset: number, part: Uint8Array, writes: number): void {
    const memory = this.#kernel.externals.get(number);
    if (memory === undefined) {
      throw failure("EFAULT", "access", "the memory is outside of the shared one, and this thread does not have it");
    }
    this.#kernel.callUser(() => (writes ? memory.write(offset, part) : memory.read(offset, part)));
  }

  #bytes(address: number, length: number): Uint8Array {
    return this.#kernel.bytes.subarray(address, address + length);
  }
}

/** @throws IommufdError EINVAL for what is no 64-bit number */
function wide(value: Wide): bigint {
  const isInteger = typeof value === "bigint" || Number.isSafeInteger(value);
  const number = isInteger ? BigInt(value) : -1n;
  if (number < 0n || number >= END) throw invalid("access", `an IOVA or a length has 64 bits, not ${String(value)}`);
  return number;
}

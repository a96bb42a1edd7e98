// SPDX-License-Identifier: GPL-2.0-only
/**
 * Accesses: a pretend device that reaches memory by IOVA, as a driver in the kernel does, without page tables.
 *
 * The bytes of user memory and of memfds are reached in place. Memory outside of the shared one (UserSpace.mapExternal) is reached by
 * its callbacks, in a thread that has them. A buffer that lies in the shared memory itself, such as a mapping's bytes, is copied by the
 * core: engines copy between shared memory and their own a word at a time, at a third of that speed.
 *
 * The core names an access by its row, ID and serial; whoever uses one that has ended gets EBADF.
 *
 * No code of the user runs while bytes are copied in place: an argument may be of a class of its own, so its bytes are reached through
 * the built-in class.
 */
import type { IommufdContext } from "./context.js";
import { check, failure, invalid } from "./error.js";
import { Errno } from "./generated/errno.js";
import { Layout } from "./generated/layout.js";
import type { Ioas } from "./ioas.js";
import type { Kernel } from "./kernel.js";
import { type WaitOptions, deadlineOf } from "./wait.js";

/** How a driver's access is made. */
export interface AccessOptions {
  /** Whether it pins pages: its address space is then mapped in whole pages (EADDRINUSE if it is not). Default true. */
  pins?: boolean;
  /**
   * UNMAP wants `length` bytes from `iova` on, and asks for the pins that meet them. When it returns, none may be left: after 100
   * rounds UNMAP gives up (EDEADLOCK). It may be called for ranges that the access has not pinned, and may make any call. It runs in
   * the thread that unmaps, if that is the thread of this access; the accesses of other threads are not asked. What it throws, the call
   * that asked throws once it is over. (iommufd_access_ops.unmap)
   */
  unmap?: (iova: bigint, length: bigint) => void;
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
/** Up to this many bytes a loop beats TypedArray.set, and needs no view. */
const LOOP_BYTES = 8;

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
    this.#row = kernel.core.accessCreate(context.fileAddress, context.expected, pins ? Layout.ACCESS_PINS : 0);
    this.id = kernel.result(0);
    this.#serial = (kernel.result(1) >>> 0) + (kernel.result(2) >>> 0) * 2 ** 32;
    this.#done(this.#row);
    this.#unmap = unmap?.bind(options);
    kernel.accesses.add(this);
  }

  /** The ID of the address space that it is attached to, 0 for none. */
  get ioasId(): number {
    return this.#ioasId;
  }

  /**
   * Attaches it to an address space, which cannot be destroyed as long (EBUSY). (iommufd_access_attach)
   *
   * @throws IommufdError ENOENT; EINVAL (attached already); EADDRINUSE (it pins, and something is mapped in less than pages); EBUSY
   *   (`unmap` of its detach or replace is running); EBADF; EIO
   */
  attach(ioas: Ioas | number): void {
    const ioasId = this.#idOf(ioas);
    this.#done(this.#kernel.core.accessAttach(this.#row, this.id, this.#serial, ioasId, 0));
    this.#ioasId = ioasId;
  }

  /**
   * Goes to another address space: `unmap` is called for everything first, and must let go of all pins; meanwhile there are no new ones
   * (ENOENT). Nothing happens when it is there already. (iommufd_access_replace)
   *
   * @throws IommufdError ENOENT (no such address space, or attached to none); EADDRINUSE; EBUSY (pins are left, or it is leaving, or
   *   copying); EBADF; EIO. It stays where it was.
   */
  replace(ioas: Ioas | number): void {
    const ioasId = this.#idOf(ioas);
    this.#letGo(ioasId, () => {
      this.#done(this.#kernel.core.accessAttach(this.#row, this.id, this.#serial, ioasId, 1));
      this.#ioasId = ioasId;
    });
  }

  /**
   * Leaves its address space, as `replace`. (iommufd_access_detach)
   *
   * @throws IommufdError EINVAL (not attached); EBUSY (pins are left, or it is leaving, or copying); EBADF; EIO
   */
  detach(): void {
    this.#letGo(0, () => {
      this.#done(this.#kernel.core.accessDetach(this.#row, this.id, this.#serial));
      this.#ioasId = 0;
    });
  }

  /**
   * Ends it, as `detach` if it is attached; then the file may go. (iommufd_access_destroy)
   *
   * Other users of its object keep that, without a driver.
   *
   * @throws IommufdError EBUSY (pins are left, or it is leaving, or copying); ETIMEDOUT (somebody has its object locked), EDEADLK (that is
   *   this thread), EAGAIN, ENOMEM: it is as it was, but for what `unmap` has let go, and can be destroyed again. EBADF.
   */
  destroy(options?: WaitOptions): void {
    const deadline = deadlineOf(options?.timeoutMs);
    if (this.#ioasId === 0) this.#end(deadline);
    else this.#letGo(0, () => this.#end(deadline));
  }

  #end(deadline: number): void {
    const { core } = this.#kernel;
    const begun = core.accessDestroy(this.#row, this.id, this.#serial, 1);
    let result = begun;
    try {
      result = this.#kernel.settle(begun, this.#context.fileAddress, this.#context, deadline);
    } finally {
      // Others use its object; or it is a poisoned file's, and goes with it.
      if (result === -Errno.EIO || (result === -Errno.EBUSY && begun !== result)) result = 0;
      if (result >= 0) {
        this.#ioasId = 0;
        this.#kernel.accesses.delete(this);
      }
    }
    check(result, "access");
  }

  /**
   * Undoes all of its pins. No call of the kernel's has this; a driver there knows what it has pinned.
   *
   * @throws IommufdError EBADF; EIO
   */
  unpinAll(): void {
    this.#done(this.#kernel.core.accessUnpinAll(this.#row, this.id, this.#serial));
  }

  /** All that it has pinned is to be let go, then the call goes on; also when `unmap` throws, which is thrown afterwards. */
  #letGo(ioasId: number, goOn: () => void): void {
    const { core } = this.#kernel;
    const result = core.accessLeave(this.#row, this.id, this.#serial, ioasId);
    // A poisoned file's access has nobody to ask, and can only be ended.
    if (result !== -Errno.EIO && this.#done(result) === 0) return;
    const failures: unknown[] = [];
    try {
      if (result > 0) this.notify(0n, END - 1n);
    } catch (error) {
      failures.push(error);
    }
    goOn();
    if (failures.length > 0) throw failures[0];
  }

  /** After a call of the core, whose results have been read. */
  #done(result: number): number {
    if (this.#kernel.words[this.#kernel.attention] !== 0) this.#kernel.attend();
    return check(result, "access");
  }

  #idOf(ioas: Ioas | number): number {
    const id = typeof ioas === "object" ? ioas.idIn(this.#context) : ioas;
    if (id >>> 0 !== id) throw invalid("access", `no address space: ${String(id)}`);
    return id;
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
    this.#done(
      this.#kernel.core.accessPin(this.#row, this.id, this.#serial, first, bytes, options.write === true ? 1 : 0),
    );
    try {
      return this.#piecesOf(first, bytes);
    } catch (error) {
      this.#kernel.core.accessUnpin(this.#row, this.id, this.#serial, first, bytes);
      throw error;
    }
  }

  #piecesOf(first: bigint, bytes: bigint): PinnedPiece[] {
    const pieces: PinnedPiece[] = [];
    for (let at = first; at < first + bytes;) {
      const reach = this.#kernel.core.accessPinned(this.#row, this.id, this.#serial, at, first + bytes - at);
      const address = this.#kernel.result(1) >>> 0;
      const inside = this.#kernel.result(2) === 0;
      this.#done(reach);
      pieces.push({ iova: at, length: reach, bytes: inside ? this.#bytes(address, reach) : undefined });
      at += BigInt(reach);
    }
    return pieces;
  }

  /** Undoes a pin of exactly that range, once. (iommufd_access_unpin_pages) @throws IommufdError EINVAL when there is none; EBADF; EIO */
  unpin(iova: Wide, length: Wide): void {
    this.#done(this.#kernel.core.accessUnpin(this.#row, this.id, this.#serial, wide(iova), wide(length)));
  }

  /**
   * Copies memory at `iova` into the buffer. Of a range that is not good to its end, the part before may have been copied.
   * (iommufd_access_rw)
   *
   * @throws IommufdError EINVAL (length 0, being unmapped, behind the end of a file); EOVERFLOW; ENOENT (not mapped, not attached); EPERM;
   *   EFAULT (nothing is there in the source's memory, or it is outside and this thread does not have it); EDEADLK (called by external
   *   memory that is being copied); EBADF; EIO
   */
  read(iova: Wide, into: Uint8Array): void {
    this.#copy(wide(iova), into, 0);
  }

  /** Copies the buffer to memory at `iova`. As `read`. (iommufd_access_rw) */
  write(iova: Wide, from: Uint8Array): void {
    this.#copy(wide(iova), from, 1);
  }

  #copy(iova: bigint, buffer: Uint8Array, writes: number): void {
    const { core, bytes } = this.#kernel;
    const { length } = buffer;
    const isInside = length > LOOP_BYTES && buffer.buffer === bytes.buffer;
    let done = 0;
    do {
      const at = done === 0 ? iova : iova + BigInt(done);
      const reach = core.accessSegment(this.#row, this.id, this.#serial, at, length - done, writes);
      const address = this.#kernel.result(1) >>> 0;
      if (reach < 0) this.#done(reach);
      if (this.#kernel.result(2) !== 0) this.#copyOutside(address, buffer, done, reach, writes);
      else {
        try {
          if (reach <= LOOP_BYTES) copyFew(bytes, address, buffer, done, reach, writes);
          else if (isInside) core.copySegment(address, buffer.byteOffset + done, reach, writes);
          else copyMany(bytes, address, buffer, done, reach, writes);
        } finally {
          core.segmentEnd();
        }
      }
      if (this.#kernel.words[this.#kernel.attention] !== 0) this.#kernel.attend();
      done += reach;
    } while (done < length);
  }

  /** Context: the piece has begun, and `result` 2 is the memory's number. */
  #copyOutside(offset: number, buffer: Uint8Array, done: number, length: number, writes: number): void {
    try {
      const memory = this.#kernel.externals.get(this.#kernel.result(2) >>> 0);
      if (memory === undefined) {
        throw failure("EFAULT", "access", "this thread does not have the external memory");
      }
      const part = new Uint8Array(buffer.buffer, buffer.byteOffset + done, length);
      this.#kernel.callUser(() => (writes ? memory.write(offset, part) : memory.read(offset, part)));
    } finally {
      this.#kernel.core.segmentEnd();
    }
  }

  #bytes(address: number, length: number): Uint8Array {
    return this.#kernel.bytes.subarray(address, address + length);
  }
}

/** As copyMany, for a few bytes, without a view. */
function copyFew(
  memory: Uint8Array,
  address: number,
  buffer: Uint8Array,
  offset: number,
  length: number,
  writes: number,
): void {
  for (let index = 0; index < length; index++) {
    if (writes) memory[address + index] = buffer[offset + index] ?? 0;
    else buffer[offset + index] = memory[address + index] ?? 0;
  }
}

/** `length` bytes between the shared memory and the buffer. */
function copyMany(
  memory: Uint8Array,
  address: number,
  buffer: Uint8Array,
  offset: number,
  length: number,
  writes: number,
): void {
  if (!writes) {
    // The built-in one, whatever the user's arrays have in its place.
    Uint8Array.prototype.set.call(buffer, memory.subarray(address, address + length), offset);
  } else if (length === buffer.length) memory.set(buffer, address);
  else memory.set(new Uint8Array(buffer.buffer, buffer.byteOffset + offset, length), address);
}

/** @throws IommufdError EINVAL for what is no 64-bit number */
function wide(value: Wide): bigint {
  const isInteger = typeof value === "bigint" || Number.isSafeInteger(value);
  const number = isInteger ? BigInt(value) : -1n;
  if (number < 0n || number >= END) throw invalid("access", `not of 64 bits: ${String(value)}`);
  return number;
}

// SPDX-License-Identifier: GPL-2.0-only
/**
 * An IO address space: which IOVAs of a device show which memory. mainline only: the rfc profile answers ENOTTY.
 *
 * Nothing is looked at when memory is mapped: an address that means nothing is found out when somebody reaches through the mapping.
 * Addresses, IOVAs and lengths are 64 bits: bigint, or numbers up to 2^53 - 1; what comes back is bigint, but for the hot calls.
 *
 * Each call is the ioctl that its comment names, so it is traced, and answers the kernel's errnos in the kernel's order. EBADF (the file is
 * closed) and ENOENT (the address space is gone) are of all calls and not repeated; EINVAL also for what is no 64-bit number.
 *
 * Kernel counterpart: struct iommufd_ioas, drivers/iommu/iommufd/ioas.c.
 */
import type { Access, AccessOptions } from "./access.js";
import type { IoctlCommand } from "./command.js";
import type { IommufdContext } from "./context.js";
import { dispose } from "./dispose.js";
import { IommufdError, invalid } from "./error.js";
import { Errno } from "./generated/errno.js";
import { Layout } from "./generated/layout.js";
import {
  IOMMU_IOAS_ALLOW_IOVAS,
  IOMMU_IOAS_COPY,
  IOMMU_IOAS_IOVA_RANGES,
  IOMMU_IOAS_MAP,
  IOMMU_IOAS_MAP_FILE,
  IOMMU_IOAS_MAP_FIXED_IOVA,
  IOMMU_IOAS_MAP_READABLE,
  IOMMU_IOAS_MAP_WRITEABLE,
  IOMMU_IOAS_UNMAP,
  IOMMU_OPTION,
  IOMMU_OPTION_HUGE_PAGES,
  IOMMU_OPTION_OP_GET,
  IOMMU_OPTION_OP_SET,
  iommu_iova_range,
} from "./generated/uapi.js";
import {
  type IoasArea,
  type IovaRange,
  type RangePart,
  countAreas,
  readAllowed,
  readAreas,
  readReserved,
} from "./ioas-ranges.js";
import type { Kernel } from "./kernel.js";
import { Memfd } from "./memfd.js";
import type { Fields, Input, Values } from "./struct.js";
import { type UserAddress, type UserMapping, UserSpace } from "./user-space.js";

declare const brand: unique symbol;
/** The ID of an IO address space. */
export type IoasId = number & { readonly [brand]: "IOAS" };

/** Options of `Ioas.map` and `copyFrom`. */
export interface IoasMapOptions {
  /** Map exactly there, IOVA 0 included; default the lowest place that suits. */
  iova?: number | bigint;
  /** Whether a device may read. Default true. */
  read?: boolean;
  /** Whether a device may write. Default true. */
  write?: boolean;
}

/** Options of `Ioas.mapFile`. */
export interface IoasMapFileOptions extends IoasMapOptions {
  /** Where in the file the mapping begins: bytes. Default 0. */
  start?: number | bigint;
  /** Bytes. Default the rest of the file, which must be a Memfd then. */
  length?: number | bigint;
}

/** What `Ioas.ranges` answers. */
export interface IovaRanges {
  /** Where mappings may be, ascending: all but what is reserved. */
  readonly ranges: IovaRange[];
  /** What IOVAs, lengths and offsets must be multiples of: bytes, a power of two, 1 … 4096. */
  readonly alignment: bigint;
}

/** A range for `Ioas.allow`: `last` is inclusive. */
export interface IovaRangeInput {
  readonly start: number | bigint;
  readonly last: number | bigint;
}

const ALL = 2n ** 64n - 1n;
const WORD = 2 ** 32;
/** A number has 53 bits: so many above the low word. */
const HIGH_BITS = 0x1f_ffff;

/** One address space of a context, by its ID: looked up at each call. Any thread may have an object of this class for it. */
export class Ioas {
  /** The context that has it. */
  readonly context: IommufdContext;
  /** Its ID. */
  readonly id: IoasId;
  readonly #kernel: Kernel;
  /** The ID that calls name: 0, which is nobody's, once this object has destroyed it. */
  #named: number;

  /** Made by `IommufdContext.ioasAlloc` and `ioas`. @throws IommufdError ENOTTY in the rfc profile. */
  constructor(context: IommufdContext, id: number) {
    context.checkBuiltIn(IOMMU_IOAS_MAP);
    this.context = context;
    this.#kernel = context.kernel;
    this.id = id as IoasId;
    this.#named = id;
  }

  // -------------------------------------------------------------------------------------------------- mapping

  /**
   * IOMMU_IOAS_MAP: shows memory of the calling process to devices. (iommufd_ioas_map)
   *
   * @param memory - A mapping, all of it, or an address.
   * @param length - Bytes, > 0; not of a mapping.
   * @returns The IOVA of the first byte.
   * @throws IommufdError EINVAL: length 0, neither read nor write, a length, IOVA or address that is less aligned than the address space
   *   demands, a reserved range; EEXIST: something is mapped there; ENOSPC: no hole is large enough; EOVERFLOW: IOVA or length is
   *   2^64 - 1, or a range wraps; ENOMEM.
   */
  map(memory: UserMapping, options?: IoasMapOptions): bigint;
  map(memory: UserMapping | UserAddress | number, length?: number | bigint, options?: IoasMapOptions): bigint;
  map(
    memory: UserMapping | UserAddress | number,
    lengthOrOptions?: number | bigint | IoasMapOptions,
    options: IoasMapOptions = {},
  ): bigint {
    const isMapping = typeof memory === "object" && memory !== null;
    let length: number | bigint | undefined = isMapping ? memory.length : undefined;
    if (typeof lengthOrOptions === "object") options = lengthOrOptions;
    else length = lengthOrOptions ?? length;
    if (length === undefined) throw invalid("ioctl", "length is missing", IOMMU_IOAS_MAP.name);
    const fields = {
      flags: flagsOf(options),
      ioas_id: this.#named,
      user_va: isMapping ? memory.va : memory,
      length,
      iova: options.iova ?? 0,
    };
    return this.#call(IOMMU_IOAS_MAP, fields, "iova");
  }

  /**
   * Hot twin of `map`, in numbers: the IOVA, or -errno. Allocates nothing.
   *
   * @param address - A user address.
   * @param flags - IOMMU_IOAS_MAP_READABLE, IOMMU_IOAS_MAP_WRITEABLE, and IOMMU_IOAS_MAP_FIXED_IOVA with an `iova`.
   * @returns -EINVAL also for what is no whole number of 0 … 2^53 - 1; -EOVERFLOW also when the IOVA would be larger.
   */
  tryMap(address: number, length: number, flags: number, iova = 0): number {
    if (!isCount(address) || !isCount(length) || !isCount(iova)) return -Errno.EINVAL;
    const words = this.#kernel.windowWords;
    words[0] = Layout.MAP_BYTES;
    words[Layout.MAP_FLAGS >> 2] = (flags | 0) === flags || flags >>> 0 === flags ? flags : -1;
    words[Layout.MAP_IOAS_ID >> 2] = this.#named;
    words[Layout.MAP_RESERVED >> 2] = 0;
    words[Layout.MAP_USER_VA >> 2] = address;
    words[(Layout.MAP_USER_VA >> 2) + 1] = address / WORD;
    words[Layout.MAP_LENGTH >> 2] = length;
    words[(Layout.MAP_LENGTH >> 2) + 1] = length / WORD;
    words[Layout.MAP_IOVA >> 2] = iova;
    words[(Layout.MAP_IOVA >> 2) + 1] = iova / WORD;
    const result = this.context.callWindow(IOMMU_IOAS_MAP.request, Layout.MAP_BYTES);
    if (result < 0) return result;
    const high = words[(Layout.MAP_IOVA >> 2) + 1] ?? 0;
    const low = words[Layout.MAP_IOVA >> 2] ?? 0;
    return high >>> 0 <= HIGH_BITS ? high * WORD + (low >>> 0) : this.#unmapBeyond(high, low, length);
  }

  /** No number names the IOVA. */
  #unmapBeyond(high: number, low: number, length: number): number {
    this.unmap((BigInt(high >>> 0) << 32n) | BigInt(low >>> 0), length);
    return -Errno.EOVERFLOW;
  }

  /**
   * IOMMU_IOAS_MAP_FILE: shows pages of a file, whatever is mapped of it into processes. (iommufd_ioas_map_file)
   *
   * @param file - A memfd, or the number of one.
   * @returns The IOVA of the first byte.
   * @throws IommufdError as `map`; EBADF: no such file. A range beyond the file's end is found out when somebody reaches there. ENOTTY
   *   on a kernel that does not have it (`release`).
   */
  mapFile(file: Memfd | number, options: IoasMapFileOptions = {}): bigint {
    const { start = 0 } = options;
    const length = options.length ?? (file instanceof Memfd ? restOf(file, start) : undefined);
    if (length === undefined) throw invalid("ioctl", "length is missing", IOMMU_IOAS_MAP_FILE.name);
    const fields = {
      flags: flagsOf(options),
      ioas_id: this.#named,
      fd: file instanceof Memfd ? openNumberOf(file) : file,
      start,
      length,
      iova: options.iova ?? 0,
    };
    return this.#call(IOMMU_IOAS_MAP_FILE, fields, "iova");
  }

  /**
   * IOMMU_IOAS_COPY: shows here what a range of an address space shows, which may be this one. Both share the memory: it goes when the
   * last of them unmaps it. (iommufd_ioas_copy)
   *
   * @param source - Of the same context.
   * @param sourceIova - Where the range begins there; it may be a part of a mapping, or span several without a gap.
   * @param length - Bytes, > 0.
   * @returns The IOVA of the first byte.
   * @throws IommufdError as `map`; ENOENT: the range has a gap; EPERM: `write` of memory that was first mapped without.
   */
  copyFrom(
    source: Ioas | IoasId,
    sourceIova: number | bigint,
    length: number | bigint,
    options: IoasMapOptions = {},
  ): bigint {
    if (source instanceof Ioas && source.context.fileAddress !== this.context.fileAddress) {
      throw invalid("ioctl", "another file's address space", IOMMU_IOAS_COPY.name);
    }
    const fields = {
      flags: flagsOf(options),
      dst_ioas_id: this.#named,
      src_ioas_id: source instanceof Ioas ? source.#named : source,
      length,
      dst_iova: options.iova ?? 0,
      src_iova: sourceIova,
    };
    return this.#call(IOMMU_IOAS_COPY, fields, "dst_iova");
  }

  /**
   * IOMMU_IOAS_UNMAP: unmaps all mappings that lie in the range, which may have gaps. (iommufd_ioas_unmap)
   *
   * @param length - Bytes, > 0.
   * @returns Bytes that were mapped.
   * @throws IommufdError ENOENT: nothing is mapped there, or a mapping sticks out of the range; EBUSY: one is in transition; EDEADLK:
   *   an access keeps its pins; in all of these but the first, mappings before that one are gone. EINVAL: length 0. EOVERFLOW: IOVA or
   *   length is 2^64 - 1, or the range wraps.
   */
  unmap(iova: number | bigint, length: number | bigint): bigint {
    return this.#call(IOMMU_IOAS_UNMAP, { ioas_id: this.#named, iova, length }, "length");
  }

  /**
   * Hot twin of `unmap`, in numbers: bytes, or -errno; throws only what an access' `unmap` threw. Allocates nothing where nothing is pinned.
   *
   * @returns -EINVAL also for what is no whole number of 0 … 2^53 - 1.
   */
  tryUnmap(iova: number, length: number): number {
    if (!isCount(iova) || !isCount(length)) return -Errno.EINVAL;
    const words = this.#kernel.windowWords;
    words[0] = Layout.UNMAP_BYTES;
    words[Layout.UNMAP_IOAS_ID >> 2] = this.#named;
    words[Layout.UNMAP_IOVA >> 2] = iova;
    words[(Layout.UNMAP_IOVA >> 2) + 1] = iova / WORD;
    words[Layout.UNMAP_LENGTH >> 2] = length;
    words[(Layout.UNMAP_LENGTH >> 2) + 1] = length / WORD;
    const result = this.context.callWindow(IOMMU_IOAS_UNMAP.request, Layout.UNMAP_BYTES);
    if (result < 0) return result;
    return (words[(Layout.UNMAP_LENGTH >> 2) + 1] ?? 0) * WORD + ((words[Layout.UNMAP_LENGTH >> 2] ?? 0) >>> 0);
  }

  /** IOMMU_IOAS_UNMAP of everything. @returns Bytes that were mapped: 0 when nothing was, and modulo 2^64. @throws IommufdError EBUSY, EDEADLK, as `unmap` */
  unmapAll(): bigint {
    return this.unmap(0n, ALL);
  }

  // -------------------------------------------------------------------------------------------------- where

  /**
   * IOMMU_IOAS_IOVA_RANGES. Takes a page of the calling process' memory for as long as it runs. (iommufd_ioas_iova_ranges)
   *
   * @throws IommufdError ENOMEM, ESRCH (the process has ended).
   */
  ranges(): IovaRanges {
    for (let capacity = Layout.PAGE_SIZE / iommu_iova_range.size; ;) {
      const answer = this.#withMemory(capacity, ({ va, bytes }) => this.#rangesInto(va, bytes, capacity));
      if (typeof answer === "object") return answer;
      capacity = answer;
    }
  }

  /** Return: what the call told; a number of ranges when it did not fit. */
  #rangesInto(va: bigint, memory: Uint8Array, capacity: number): IovaRanges | number {
    const command = IOMMU_IOAS_IOVA_RANGES;
    const fields = { ioas_id: this.#named, num_iovas: capacity, allowed_iovas: va };
    const result = this.context.tryBuiltIn(command, fields);
    const length = this.context.replyOf(command, "num_iovas");
    if (result === -Errno.EMSGSIZE) return length;
    if (result < 0) throw this.context.errorOf(command, result);
    const alignment = this.context.replyOf(command, "out_iova_alignment");
    const ranges = Array.from({ length }, (_, index) =>
      iommu_iova_range.decode(memory.subarray(index * iommu_iova_range.size)),
    );
    return { ranges, alignment };
  }

  /**
   * IOMMU_IOAS_ALLOW_IOVAS: from which ranges IOVAs are picked from now on, instead of the list before; an empty list: from all. It
   * restricts neither fixed IOVAs nor what is mapped. Takes memory of the calling process for as long as it runs. (iommufd_ioas_allow_iovas)
   *
   * @throws IommufdError EINVAL: two ranges overlap, or one has less than two IOVAs; EADDRINUSE: one meets what is reserved; ENOMEM, ESRCH.
   *   The list before stays.
   */
  allow(ranges: readonly IovaRangeInput[]): void {
    const list: readonly IovaRangeInput[] = ranges; // isArray would make any of its elements
    if (!Array.isArray(ranges)) throw invalid("ioctl", "ranges must be an array");
    const entries = list.map(({ start, last }) => iommu_iova_range.encode({ start, last }));
    this.#withMemory(entries.length, ({ va, bytes }) => {
      entries.forEach((entry, index) => bytes.set(entry, index * iommu_iova_range.size));
      const fields = { ioas_id: this.#named, num_iovas: entries.length, allowed_iovas: va };
      this.context.callBuiltIn(IOMMU_IOAS_ALLOW_IOVAS, fields);
    });
  }

  /** Fresh memory of the calling process for so many ranges, for as long as `use` runs. @throws IommufdError ENOMEM, ESRCH */
  #withMemory<T>(ranges: number, use: (memory: UserMapping) => T): T {
    const process = new UserSpace(this.#kernel, this.#kernel.pid);
    const memory = process.map(Math.max(ranges, 1) * iommu_iova_range.size);
    try {
      return use(memory);
    } finally {
      process.unmap(memory);
    }
  }

  // -------------------------------------------------------------------------------------------------- option

  /**
   * IOMMU_OPTION_HUGE_PAGES: whether mappings may be of pieces other than whole pages of 4096 bytes. True at first. (iommufd_ioas_option)
   *
   * @throws IommufdError EADDRINUSE when it is set to false and a mapping is not of whole pages.
   */
  get hugePages(): boolean {
    return this.#option(IOMMU_OPTION_OP_GET, 0) === 1n;
  }

  set hugePages(on: boolean) {
    this.#option(IOMMU_OPTION_OP_SET, Number(on));
  }

  #option(op: number, value: number): bigint {
    const option_id = IOMMU_OPTION_HUGE_PAGES;
    return this.#call(IOMMU_OPTION, { option_id, op, object_id: this.#named, val64: value }, "val64");
  }

  // -------------------------------------------------------------------------------------------------- looking

  /** How many mappings there are. No ioctl: nothing is disturbed. */
  get areaCount(): number {
    return countAreas(this.context, this.#named);
  }

  /**
   * The mappings, by ascending IOVA. No ioctl: nothing is disturbed. Many are read in pieces, each of one moment, between which other threads
   * may map and unmap.
   *
   * @param part - Only those from an IOVA on, and so many: to go on, `from` the last one's `last`, plus one.
   * @throws IommufdError EIO; EINVAL for what is no IOVA or number.
   */
  areas(part: RangePart = {}): IoasArea[] {
    return readAreas(this.context, this.#named, part);
  }

  /** Where nothing may be mapped, by ascending IOVA; neighbours may be one range. As `areas` otherwise. */
  reservedRanges(part: RangePart = {}): IovaRange[] {
    return readReserved(this.context, this.#named, part);
  }

  /** What `allow` has set, by ascending IOVA; empty: IOVAs are picked from everywhere. As `areas` otherwise. */
  allowedRanges(part: RangePart = {}): IovaRange[] {
    return readAllowed(this.context, this.#named, part);
  }

  // -------------------------------------------------------------------------------------------------- reaching

  /**
   * A pretend device that reaches memory by IOVA, without page tables. Until it is destroyed the file stays open, and this address
   * space cannot be destroyed (EBUSY). (iommufd_access_create, iommufd_access_attach)
   *
   * @throws IommufdError EADDRINUSE: it pins, and something is mapped in less than whole pages; EINVAL: `unmap` is no function; EBUSY:
   *   no ID left; EMFILE: 1024 accesses and fault queues; ENOMEM; EIO. Then there is none.
   */
  access(options: AccessOptions = {}): Access {
    const access = this.context.access(options);
    try {
      access.attach(this);
      return access;
    } catch (error) {
      access.destroy();
      throw error;
    }
  }

  // -------------------------------------------------------------------------------------------------- the end

  /**
   * IOMMU_DESTROY: its mappings go with it. From here on this object's calls are ENOENT, whoever gets the ID. (iommufd_ioas_destroy)
   *
   * @throws IommufdError EBUSY: in use, also by another thread's call; as `IommufdContext.destroy`.
   */
  destroy(): void {
    this.context.destroy(this.#named);
    this.#named = 0;
  }

  /** `destroy`, for `using`; nothing when it or its context is gone already. */
  [dispose](): void {
    const result = this.#named === 0 ? 0 : this.context.tryDestroy(this.#named);
    if (result < 0 && result !== -Errno.ENOENT && result !== -Errno.EBADF) {
      throw IommufdError.fromErrno(result, { command: "IOMMU_DESTROY", message: `object ${this.id}` });
    }
    this.#named = 0;
  }

  /** @internal The ID for a call of the same context: 0 once it is destroyed. */
  idIn(context: IommufdContext): number {
    if (context.fileAddress !== this.context.fileAddress) throw invalid("ioctl", "another file's address space");
    return this.#named;
  }

  /** A field of the command's answer. */
  #call<F extends Fields, K extends string & keyof F>(
    command: IoctlCommand<F>,
    fields: Input<F>,
    answer: K,
  ): Values<F>[K] {
    this.context.callBuiltIn(command, fields);
    return this.context.replyOf(command, answer);
  }
}

function flagsOf({ iova, read = true, write = true }: IoasMapOptions): number {
  const fixed = iova === undefined ? 0 : IOMMU_IOAS_MAP_FIXED_IOVA;
  return fixed | (read ? IOMMU_IOAS_MAP_READABLE : 0) | (write ? IOMMU_IOAS_MAP_WRITEABLE : 0);
}

/** A number that the core can be given in two words. */
function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** Bytes of the file behind `start`; a `start` that is no offset is for the ioctl to refuse. @throws IommufdError EBADF */
function restOf({ size }: Memfd, start: number | bigint): bigint {
  const at = Number.isSafeInteger(start) ? BigInt(start) : start;
  return typeof at === "bigint" && at < BigInt(size) ? BigInt(size) - at : 0n;
}

/** The number of a file that is still that file's. @throws IommufdError EBADF */
function openNumberOf(file: Memfd): number {
  void file.size;
  return file.fd;
}

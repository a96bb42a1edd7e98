// SPDX-License-Identifier: GPL-2.0-only
//
// One file's IO address spaces as the specification has them: sorted arrays, bigints and loops over everything. No tree, no lock, no
// memory that runs out, no device: nothing is ever reserved or pinned.
//
// ioctl() takes a whole struct and leaves the reply in it, as the kernel does; the dispatch of sizes is dispatch.ts's.

import { Refusal, require } from "./errors.ts";
import * as abi from "./address-space-structs.ts";

const PAGE = 4096n;
const ULONG_MAX = 2n ** 64n - 1n;
const HUGE_PAGE = 2n << 20n;
const ALL_RIGHTS = abi.FIXED_IOVA | abi.WRITEABLE | abi.READABLE;

/** Memory that areas show: where it begins in user space, and whether it was first mapped to be written. */
interface Pages {
  readonly writable: boolean;
}

export interface Area {
  readonly first: bigint;
  /** Inclusive. */
  readonly last: bigint;
  readonly pages: Pages;
  /** User address behind `first`. */
  readonly source: bigint;
}

interface Range {
  readonly first: bigint;
  readonly last: bigint;
}

export interface AddressSpace {
  /** Ascending. */
  areas: Area[];
  /** Ascending; empty: no list. */
  allowed: Range[];
  largePages: boolean;
}

/** User memory outside of the struct: what an array's address leads to. */
export interface UserMemory {
  read(address: bigint, length: number): Uint8Array | undefined;
  write(address: bigint, bytes: Uint8Array): boolean;
}

/** Whether the struct's bytes are the reply, and the answer: a value ≥ 0, or an errno's name. */
export type Answer = number | string;

export class AddressSpaces {
  readonly spaces = new Map<number, AddressSpace>();
  compat: AddressSpace | undefined;
  #accountsByMm = 0;
  readonly #memory: UserMemory;

  constructor(memory: UserMemory) {
    this.#memory = memory;
  }

  spaceOf(id: number): AddressSpace {
    const found = this.spaces.get(id);
    require(found !== undefined, "ENOENT");
    return found;
  }

  /** The request with its struct, or with a number; the struct is the reply afterwards. */
  ioctl(request: number, argument: Uint8Array | bigint): Answer {
    try {
      return typeof argument === "bigint" ? this.#byValue(request, argument) : this.#byStruct(request, argument);
    } catch (error) {
      if (error instanceof Refusal) return error.code;
      throw error;
    }
  }

  #byStruct(request: number, bytes: Uint8Array): number {
    if (request === abi.VFIO_GET_INFO.request) return this.#getInfo(bytes);
    const run: Readonly<Record<number, (bytes: Uint8Array) => void>> = {
      [abi.DESTROY.request]: (struct) => this.#destroy(struct),
      [abi.IOAS_ALLOC.request]: (struct) => this.#ioasAlloc(struct),
      [abi.ALLOW_IOVAS.request]: (struct) => this.#allowIovas(struct),
      [abi.COPY.request]: (struct) => this.#copy(struct),
      [abi.IOVA_RANGES.request]: (struct) => this.#iovaRanges(struct),
      [abi.MAP.request]: (struct) => this.#map(struct),
      [abi.UNMAP.request]: (struct) => this.#unmap(struct),
      [abi.OPTION.request]: (struct) => this.#option(struct),
      [abi.VFIO_IOAS.request]: (struct) => this.#vfioIoas(struct),
      [abi.VFIO_MAP_DMA.request]: (struct) => this.#mapDma(struct),
      [abi.VFIO_UNMAP_DMA.request]: (struct) => this.#unmapDma(struct),
    };
    require(run[request] !== undefined, "ENOTTY");
    run[request](bytes);
    return 0;
  }

  // ---------------------------------------------------------------------------------------------- spaces

  #add(object: AddressSpace): number {
    let id = 1;
    while (this.spaces.has(id)) id++;
    this.spaces.set(id, object);
    return id;
  }

  #destroy(bytes: Uint8Array): void {
    const { id } = abi.decode(abi.DESTROY, bytes);
    const object = this.spaces.get(id);
    require(object !== undefined, "ENOENT");
    if (this.compat === object) this.compat = undefined;
    this.spaces.delete(id);
  }

  #ioasAlloc(bytes: Uint8Array): void {
    const struct = abi.decode(abi.IOAS_ALLOC, bytes);
    require(struct.flags === 0, "EOPNOTSUPP");
    const outIoasId = this.#add({ areas: [], allowed: [], largePages: true });
    reply(bytes, abi.IOAS_ALLOC, { ...struct, outIoasId });
  }

  // ---------------------------------------------------------------------------------------------- ranges

  #iovaRanges(bytes: Uint8Array): void {
    const struct = abi.decode(abi.IOVA_RANGES, bytes);
    require(struct.reserved === 0, "EOPNOTSUPP");
    const space = this.spaceOf(struct.ioasId);
    const everything = new BigUint64Array([0n, ULONG_MAX]);
    if (struct.numIovas > 0) {
      require(this.#memory.write(struct.allowedIovas, new Uint8Array(everything.buffer)), "EFAULT");
    }
    reply(bytes, abi.IOVA_RANGES, { ...struct, numIovas: 1, outIovaAlignment: alignmentOf(space) });
    require(struct.numIovas > 0, "EMSGSIZE");
  }

  #allowIovas(bytes: Uint8Array): void {
    const struct = abi.decode(abi.ALLOW_IOVAS, bytes);
    require(struct.reserved === 0, "EOPNOTSUPP");
    const space = this.spaceOf(struct.ioasId);
    const list: Range[] = [];
    for (let index = 0n; index < struct.numIovas; index++) {
      const read = this.#memory.read(BigInt.asUintN(64, struct.allowedIovas + 16n * index), 16);
      require(read !== undefined, "EFAULT");
      const view = new DataView(read.buffer, read.byteOffset);
      const [first, last] = [view.getBigUint64(0, true), view.getBigUint64(8, true)];
      require(first < last, "EINVAL");
      require(!list.some((range) => meets(range, first, last)), "EINVAL");
      list.push({ first, last });
    }
    space.allowed = list.sort((a, b) => (a.first < b.first ? -1 : 1));
  }

  // ---------------------------------------------------------------------------------------------- map and copy

  #map(bytes: Uint8Array): void {
    const struct = abi.decode(abi.MAP, bytes);
    require((struct.flags & ~ALL_RIGHTS) === 0 && struct.reserved === 0, "EOPNOTSUPP");
    require(struct.iova !== ULONG_MAX && struct.length !== ULONG_MAX, "EOVERFLOW");
    require((struct.flags & (abi.WRITEABLE | abi.READABLE)) !== 0, "EINVAL");
    const space = this.spaceOf(struct.ioasId);
    const iova = mapUser(space, struct.userVa, struct.length, struct.iova, struct.flags);
    reply(bytes, abi.MAP, { ...struct, iova });
  }

  #copy(bytes: Uint8Array): void {
    const struct = abi.decode(abi.COPY, bytes);
    const { flags, length, srcIova, dstIova } = struct;
    require((flags & ~ALL_RIGHTS) === 0, "EOPNOTSUPP");
    require(length !== ULONG_MAX && srcIova !== ULONG_MAX && dstIova !== ULONG_MAX, "EOVERFLOW");
    require((flags & (abi.WRITEABLE | abi.READABLE)) !== 0, "EINVAL");
    const from = this.spaceOf(struct.srcIoasId);
    require(length !== 0n, "EINVAL");
    const last = srcIova + length - 1n;
    require(last <= ULONG_MAX, "EOVERFLOW");
    const pieces = piecesOf(from, srcIova, last);
    const to = this.spaceOf(struct.dstIoasId);
    const iova = place(to, pieces[0]!.source, length, dstIova, (flags & abi.FIXED_IOVA) !== 0);
    const added: Area[] = [];
    for (const { first, last: end, pages, source } of pieces) {
      require((flags & abi.WRITEABLE) === 0 || pages.writable, "EPERM");
      require(((source % PAGE) & (alignmentOf(to) - 1n)) === 0n, "EINVAL");
      added.push({ first: iova + (first - srcIova), last: iova + (end - srcIova), pages, source });
    }
    for (const area of added) insert(to.areas, area);
    reply(bytes, abi.COPY, { ...struct, dstIova: iova });
  }

  // ---------------------------------------------------------------------------------------------- unmap

  #unmap(bytes: Uint8Array): void {
    const struct = abi.decode(abi.UNMAP, bytes);
    const space = this.spaceOf(struct.ioasId);
    const { iova } = struct;
    let length = struct.length;
    if (iova === 0n && length === ULONG_MAX) {
      length = unmap(space, 0n, ULONG_MAX).bytes;
    } else {
      require(iova !== ULONG_MAX && length !== ULONG_MAX, "EOVERFLOW");
      require(length !== 0n, "EINVAL");
      require(iova + length - 1n <= ULONG_MAX, "EOVERFLOW");
      const done = unmap(space, iova, iova + length - 1n);
      require(done.isWhole && done.bytes > 0n, "ENOENT");
      length = done.bytes;
    }
    reply(bytes, abi.UNMAP, { ...struct, length });
  }

  // ---------------------------------------------------------------------------------------------- options

  #option(bytes: Uint8Array): void {
    const struct = abi.decode(abi.OPTION, bytes);
    require(struct.reserved === 0, "EOPNOTSUPP");
    let val64 = struct.val64;
    if (struct.optionId === abi.OPTION_RLIMIT_MODE) {
      require(struct.objectId === 0, "EOPNOTSUPP");
      if (struct.op === abi.OP_GET) val64 = BigInt(this.#accountsByMm);
      else {
        require(struct.op === abi.OP_SET, "EOPNOTSUPP");
        require(this.spaces.size === 0, "EBUSY");
        require(val64 <= 1n, "EINVAL");
        this.#accountsByMm = Number(val64);
      }
    } else {
      require(struct.optionId === abi.OPTION_HUGE_PAGES, "EOPNOTSUPP");
      const space = this.spaceOf(struct.objectId);
      if (struct.op === abi.OP_GET) val64 = space.largePages ? 1n : 0n;
      else {
        require(struct.op === abi.OP_SET, "EOPNOTSUPP");
        require(val64 <= 1n, "EINVAL");
        if (val64 === 1n) space.largePages = true;
        else disableLargePages(space);
      }
    }
    reply(bytes, abi.OPTION, { ...struct, val64 });
  }

  // ---------------------------------------------------------------------------------------------- VFIO

  #compat(): AddressSpace {
    require(this.compat !== undefined, "ENODEV");
    return this.compat;
  }

  #vfioIoas(bytes: Uint8Array): void {
    const struct = abi.decode(abi.VFIO_IOAS, bytes);
    require(struct.reserved === 0, "EOPNOTSUPP");
    if (struct.op === abi.VFIO_IOAS_GET) {
      const compat = this.#compat();
      const ioasId = [...this.spaces].find(([, space]) => space === compat)![0];
      reply(bytes, abi.VFIO_IOAS, { ...struct, ioasId });
    } else if (struct.op === abi.VFIO_IOAS_SET) this.compat = this.spaceOf(struct.ioasId);
    else {
      require(struct.op === abi.VFIO_IOAS_CLEAR, "EOPNOTSUPP");
      this.compat = undefined;
    }
  }

  #byValue(request: number, value: bigint): number {
    if (request === abi.VFIO_GET_API_VERSION) return 0;
    if (request === abi.VFIO_CHECK_EXTENSION) {
      if (value === 4n) this.#compat();
      return [1n, 3n, 4n, 9n].includes(value) ? 1 : 0;
    }
    require(request === abi.VFIO_SET_IOMMU, "ENOTTY");
    require(value === 1n || value === 3n, "EINVAL");
    const space = this.#compat();
    if (value === 1n) disableLargePages(space);
    return 0;
  }

  #mapDma(bytes: Uint8Array): void {
    const struct = abi.decode(abi.VFIO_MAP_DMA, bytes);
    require(bytes.length >= abi.bytesOf(abi.VFIO_MAP_DMA), "EFAULT");
    require(struct.argsz >= abi.bytesOf(abi.VFIO_MAP_DMA) && (struct.flags & ~3) === 0, "EINVAL");
    const rights = ((struct.flags & 1) !== 0 ? abi.READABLE : 0) | ((struct.flags & 2) !== 0 ? abi.WRITEABLE : 0);
    mapUser(this.#compat(), struct.vaddr, struct.size, struct.iova, rights | abi.FIXED_IOVA);
  }

  /** The size goes back although the unmap itself failed, but not when what precedes it did. */
  #unmapDma(bytes: Uint8Array): void {
    const struct = abi.decode(abi.VFIO_UNMAP_DMA, bytes);
    require(bytes.length >= abi.bytesOf(abi.VFIO_UNMAP_DMA), "EFAULT");
    require(struct.argsz >= abi.bytesOf(abi.VFIO_UNMAP_DMA), "EINVAL");
    require((struct.flags & ~abi.UNMAP_DMA_ALL) === 0, "EINVAL");
    const space = this.#compat();
    const { iova, size } = struct;
    const answer = (bytesGone: bigint): void => reply(bytes, abi.VFIO_UNMAP_DMA, { ...struct, size: bytesGone });
    if ((struct.flags & abi.UNMAP_DMA_ALL) !== 0) {
      require(iova === 0n && size === 0n, "EINVAL");
      answer(unmap(space, 0n, ULONG_MAX).bytes);
      return;
    }
    if (!space.largePages) {
      cut(space, BigInt.asUintN(64, iova + size));
      cut(space, iova);
    }
    const isRange = size > 0n && iova + size - 1n <= ULONG_MAX;
    const done = isRange ? unmap(space, iova, iova + size - 1n) : { bytes: 0n, isWhole: true };
    answer(done.bytes);
    require(size > 0n, "EINVAL");
    require(isRange, "EOVERFLOW");
    require(done.isWhole, "ENOENT");
  }

  #getInfo(bytes: Uint8Array): number {
    require(bytes.length >= 16, "EFAULT");
    const { argsz } = abi.decode(abi.VFIO_GET_INFO, bytes);
    require(argsz >= 16, "EINVAL");
    const space = this.#compat();
    const head = 24;
    const chain = 40;
    const total = 72;
    const put = (at: number, of: Uint8Array): void => {
      of.forEach((byte, index) => (bytes[at + index] = byte)); // those beyond the end go nowhere
      require(at + of.length <= bytes.length, "EFAULT");
    };
    const words = (...values: number[]): Uint8Array => new Uint8Array(new Uint32Array(values).buffer);
    if (argsz >= head + 12) put(head, words(3 | (1 << 16), argsz >= chain ? chain : 0, 0xffffffff));
    if (argsz >= total) put(chain, words(1 | (1 << 16), 0, 1, 0, 0, 0, 0xffffffff, 0xffffffff));
    const smallest = alignmentOf(space) > PAGE ? alignmentOf(space) : PAGE;
    const info = abi.encode(abi.VFIO_GET_INFO, {
      ...{ argsz: total, flags: 3, iovaPgsizes: BigInt.asUintN(64, -smallest) },
      capOffset: argsz >= total ? head : 0,
    });
    put(0, info.subarray(0, Math.min(argsz, head)));
    return 0;
  }
}

// ------------------------------------------------------------------------------------------------ the rules

function insert(areas: Area[], area: Area): void {
  const behind = areas.findIndex(({ first }) => first > area.first);
  areas.splice(behind < 0 ? areas.length : behind, 0, area);
}

function meets(range: Range, first: bigint, last: bigint): boolean {
  return range.first <= last && range.last >= first;
}

function alignmentOf({ largePages }: AddressSpace): bigint {
  return largePages ? 1n : PAGE;
}

function disableLargePages(space: AddressSpace): void {
  const isAligned = ({ first, last, source }: Area): boolean => (first | (last + 1n) | source) % PAGE === 0n;
  require(!space.largePages || space.areas.every(isAligned), "EADDRINUSE");
  space.largePages = false;
}

/** Return: the IOVA. */
function mapUser(space: AddressSpace, address: bigint, length: bigint, wish: bigint, flags: number): bigint {
  require(address + length <= ULONG_MAX, "EOVERFLOW");
  require(length !== 0n && length <= ULONG_MAX - PAGE, "EINVAL");
  const iova = place(space, address, length, wish, (flags & abi.FIXED_IOVA) !== 0);
  require(((address % PAGE) & (alignmentOf(space) - 1n)) === 0n, "EINVAL");
  const pages = { writable: (flags & abi.WRITEABLE) !== 0 };
  insert(space.areas, { first: iova, last: iova + length - 1n, pages, source: address });
  return iova;
}

function place(space: AddressSpace, address: bigint, length: bigint, wish: bigint, isFixed: boolean): bigint {
  const alignment = alignmentOf(space);
  require(length !== 0n && length % alignment === 0n, "EINVAL");
  if (!isFixed) return pick(space, address, length);
  require(wish % alignment === 0n, "EINVAL");
  require(wish + length - 1n <= ULONG_MAX, "EOVERFLOW");
  require(!space.areas.some((area) => meets(area, wish, wish + length - 1n)), "EEXIST");
  return wish;
}

function pick(space: AddressSpace, address: bigint, length: bigint): bigint {
  require(length < ULONG_MAX / 2n, "EOVERFLOW");
  let quantum = 1n;
  while (quantum < length) quantum *= 2n;
  const lowestBit = address & -address;
  if (address !== 0n && lowestBit < quantum) quantum = lowestBit;
  if (quantum > HUGE_PAGE) quantum = HUGE_PAGE;
  require(quantum >= alignmentOf(space), "EINVAL");
  /** Where it would lie in [start, last]. */
  const fit = (start: bigint, last: bigint): bigint | undefined => {
    const rounded = ((start + quantum - 1n) / quantum) * quantum;
    if (start + quantum - 1n > ULONG_MAX) return undefined;
    const at = rounded | (address % PAGE);
    return at >= last || last - at < length - 1n ? undefined : at;
  };
  for (const window of windowsOf(space)) {
    let start = fit(window.first, window.last);
    if (start === undefined) continue;
    for (const area of space.areas) {
      if (area.last < start || area.first > window.last) continue;
      if (area.first > start) {
        const found = fit(start, area.first - 1n);
        if (found !== undefined) return found;
      }
      start = area.last + 1n;
    }
    const found = start <= window.last ? fit(start, window.last) : undefined;
    if (found !== undefined) return found;
  }
  throw new Refusal("ENOSPC");
}

/** The allowed ranges, neighbours united, without the first and the last page. */
function windowsOf({ allowed }: AddressSpace): Range[] {
  const [lowest, highest] = [PAGE, ULONG_MAX - PAGE];
  if (allowed.length === 0) return [{ first: lowest, last: highest }];
  const united: Range[] = [];
  for (const range of allowed) {
    const before = united.at(-1);
    if (before !== undefined && before.last + 1n === range.first) {
      united[united.length - 1] = { first: before.first, last: range.last };
    } else united.push(range);
  }
  return united
    .map(({ first, last }) => ({ first: first < lowest ? lowest : first, last: last > highest ? highest : last }))
    .filter(({ first, last }) => first <= last);
}

/** What [first, last] shows, cut at its ends. */
function piecesOf({ areas }: AddressSpace, first: bigint, last: bigint): Area[] {
  const pieces: Area[] = [];
  let at = first;
  for (const area of areas) {
    if (area.last < at || at > last) continue;
    require(area.first <= at, "ENOENT");
    const end = area.last < last ? area.last : last;
    pieces.push({ first: at, last: end, pages: area.pages, source: area.source + (at - area.first) });
    at = end + 1n;
  }
  require(at > last, "ENOENT");
  return pieces;
}

/** The areas in [first, last] go, until one sticks out. */
function unmap(space: AddressSpace, first: bigint, last: bigint): { bytes: bigint; isWhole: boolean } {
  let bytes = 0n;
  const gone = new Set<Area>();
  let isWhole = true;
  for (const area of space.areas) {
    if (!meets(area, first, last)) continue;
    isWhole = area.first >= first && area.last <= last;
    if (!isWhole) break;
    gone.add(area);
    bytes += area.last - area.first + 1n;
  }
  space.areas = space.areas.filter((area) => !gone.has(area));
  return { bytes: BigInt.asUintN(64, bytes), isWhole };
}

/** The area that goes on at `iova` is two afterwards. One whose first byte would be alone stays whole: there the kernel does not look. */
function cut(space: AddressSpace, iova: bigint): void {
  const area = space.areas.find(({ first, last }) => first < iova && iova <= last);
  if (area === undefined || area.first === iova - 1n) return;
  const { first, last, pages, source } = area;
  require((iova | (source + (iova - first))) % alignmentOf(space) === 0n, "EINVAL");
  space.areas.splice(space.areas.indexOf(area), 1);
  insert(space.areas, { first, last: iova - 1n, pages, source });
  insert(space.areas, { first: iova, last, pages, source: source + (iova - first) });
}

function reply<F extends Readonly<Record<string, 2 | 4 | 8>>>(
  bytes: Uint8Array,
  of: abi.Command<F>,
  values: abi.Values<F>,
): void {
  bytes.set(abi.encode(of, values).subarray(0, bytes.length));
}

// SPDX-License-Identifier: GPL-2.0-only
/**
 * Snapshots of an IO address space for tools and tests, read without disturbing it (assembly/core/inspect_areas.ts): its areas, and
 * the ranges that are reserved or allowed.
 */
import type { IommufdContext } from "./context.js";
import { check, invalid, isWithin } from "./error.js";
import { Layout } from "./generated/layout.js";
import type { Kernel } from "./kernel.js";
import { isAddress } from "./user-space.js";

/** IOVAs from `start` to `last`, which is inclusive. */
export interface IovaRange {
  readonly start: bigint;
  readonly last: bigint;
}

/** A mapping at one moment. (struct iopt_area) */
export interface IoasArea extends IovaRange {
  /** "transition": it occupies its IOVAs but is half made, or half gone; what it shows is not known then. */
  readonly state: "mapped" | "transition";
  /** IOMMU_IOAS_MAP_READABLE. */
  readonly read: boolean;
  /** IOMMU_IOAS_MAP_WRITEABLE. */
  readonly write: boolean;
  /** Which memory it shows: areas that share one pages object have the same number, and no other has it meanwhile. */
  readonly pages: number;
  /** How many areas of the file show that object, this one included. */
  readonly shared: number;
  /** The process whose memory it is, or of a file's pages who pays for them. */
  readonly pid: number;
  /** Number of the memfd whose pages they are, which may be closed; undefined for memory of the process. */
  readonly file: number | undefined;
  /** Where its first byte lies: an address of the process, or a byte offset in the file. */
  readonly source: bigint;
  /** Pins that accesses have on it. */
  readonly pins: number;
}

/** A part of an address space. */
export interface RangePart {
  /** The lowest IOVA wanted: what ends below is left out. Default 0. */
  from?: number | bigint;
  /** How many at most; default all. */
  limit?: number;
}

type ReadEntry<T> = (kernel: Kernel, at: number) => T;

/** The areas of the part, ascending. @throws IommufdError EBADF, EIO, ENOENT, EINVAL */
export function readAreas(context: IommufdContext, id: number, part: RangePart): IoasArea[] {
  return read(context, id, Layout.RANGES_AREAS, part, areaAt);
}

/** What no mapping may use, ascending. @throws IommufdError EBADF, EIO, ENOENT, EINVAL */
export function readReserved(context: IommufdContext, id: number, part: RangePart): IovaRange[] {
  return read(context, id, Layout.RANGES_RESERVED, part, rangeAt);
}

/** Where automatic IOVAs come from, ascending. @throws IommufdError EBADF, EIO, ENOENT, EINVAL */
export function readAllowed(context: IommufdContext, id: number, part: RangePart): IovaRange[] {
  return read(context, id, Layout.RANGES_ALLOWED, part, rangeAt);
}

/** How many areas there are. @throws IommufdError EBADF, EIO, ENOENT */
export function countAreas(context: IommufdContext, id: number): number {
  const { kernel, fileAddress, expected } = context;
  const result = kernel.core.inspectRanges(fileAddress, expected, id, Layout.RANGES_AREAS, 0n, 0);
  const count = kernel.result(0) >>> 0;
  kernel.attend();
  check(result, "inspect", `IOAS ${id}`);
  return count;
}

/** In pieces of the thread's window: each is of one moment. */
function read<T extends IovaRange>(
  { kernel, fileAddress, expected }: IommufdContext,
  id: number,
  set: number,
  { from = 0, limit = Infinity }: RangePart,
  entryAt: ReadEntry<T>,
): T[] {
  let next = isWithin(from, 0, Infinity) ? BigInt(from) : from;
  if (!isAddress(next)) throw invalid("inspect", `from must be an IOVA, not ${String(from)}`);
  if (limit !== Infinity && !isWithin(limit, 0, Infinity)) {
    throw invalid("inspect", `limit must be ≥ 0`);
  }
  const entries: T[] = [];
  for (;;) {
    const most = Math.min(limit - entries.length, Layout.RANGES_MOST);
    const count = kernel.core.inspectRanges(fileAddress, expected, id, set, next, most);
    for (let index = 0; index < count; index++) {
      entries.push(entryAt(kernel, kernel.thread + Layout.THREAD_WINDOW + index * Layout.RANGE_BYTES));
    }
    kernel.attend();
    check(count, "inspect", `IOAS ${id}`);
    const last = entries.at(-1);
    if (last === undefined || count < Layout.RANGES_MOST || entries.length === limit) return entries;
    next = last.last + 1n;
    if (!isAddress(next)) return entries;
  }
}

function longAt(kernel: Kernel, address: number): bigint {
  return BigInt.asUintN(64, kernel.longs[address / 8] ?? 0n);
}

function rangeAt(kernel: Kernel, at: number): IovaRange {
  return { start: longAt(kernel, at + Layout.RANGE_FIRST), last: longAt(kernel, at + Layout.RANGE_LAST) };
}

function areaAt(kernel: Kernel, at: number): IoasArea {
  const pages = kernel.word(at + Layout.RANGE_PAGES);
  const flags = kernel.word(at + Layout.RANGE_FLAGS);
  const fd = kernel.word(at + Layout.RANGE_FD);
  return {
    start: longAt(kernel, at + Layout.RANGE_FIRST),
    last: longAt(kernel, at + Layout.RANGE_LAST),
    state: pages === 0 ? "transition" : "mapped",
    read: (flags & Layout.AREA_READ) !== 0,
    write: (flags & Layout.AREA_WRITE) !== 0,
    pages,
    shared: kernel.word(at + Layout.RANGE_SHARED),
    pid: kernel.word(at + Layout.RANGE_PID),
    file: fd === 0 ? undefined : fd,
    source: longAt(kernel, at + Layout.RANGE_SOURCE),
    pins: kernel.word(at + Layout.RANGE_PINS),
  };
}

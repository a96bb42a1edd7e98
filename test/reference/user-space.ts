// SPDX-License-Identifier: GPL-2.0-only
//
// User memory of the reference: pages by their number, each with its bytes and its protection.
//
// `Memory` is what an ioctl's argument lies in: the whole user space, or the bytes of a JavaScript buffer from address 0 on.
// Copies go from page to page.

import { require } from "./errors.ts";

export const PAGE = 4096;
/** End of user space (x86-64: one page below 2^47). */
export const TASK_SIZE = 0x7fff_ffff_f000n;
/** Where addresses that the caller does not choose begin. */
const MAP_BASE = 0x7f00_0000_0000n;
const MAX_MAPPINGS = 1024;
/** A mapping has fewer pages than that, whatever the memory. */
const MAX_PAGES = 2n ** 20n - 1n;

export type Protection = "rw" | "r" | "none";

/** The bytes from an address to the end of its page, and what may be done with them. */
export interface Run {
  readonly bytes: Uint8Array;
  readonly prot: Protection;
}

export interface Memory {
  /** access_ok(): whether the range lies where addresses can be good at all. */
  isRange(address: bigint, length: bigint): boolean;
  /** Undefined where nothing is. */
  runAt(address: bigint): Run | undefined;
}

interface Page {
  readonly bytes: Uint8Array;
  prot: Protection;
}

export interface Mapping {
  readonly va: bigint;
  readonly pages: number;
  isMapped: boolean;
}

export class UserSpace implements Memory {
  readonly mappings: Mapping[] = [];
  readonly #pages = new Map<bigint, Page>();
  readonly #limit: number;

  /** `limit`: bytes beyond which a mapping never fits. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  map(length: number, va: bigint | undefined, prot: Protection): Mapping {
    require(Number.isSafeInteger(length) && length > 0, "EINVAL");
    require(va === undefined || (va > 0n && va < 2n ** 64n), "EINVAL");
    require((va ?? 0n) % BigInt(PAGE) === 0n && this.isRange(va ?? 0n, BigInt(length)), "EINVAL");
    const count = pagesOf(length);
    require(count <= MAX_PAGES, "ENOMEM");
    const first = va === undefined ? this.#lowestGap(count) : va / BigInt(PAGE);
    for (const mapping of this.mappings) require(!overlaps(mapping, first, count), "EEXIST");
    require(first * BigInt(PAGE) + BigInt(length) <= TASK_SIZE, "ENOMEM");
    require(this.mappings.length < MAX_MAPPINGS && count * BigInt(PAGE) < this.#limit, "ENOMEM");
    for (let page = first; page < first + count; page++) this.#pages.set(page, { bytes: new Uint8Array(PAGE), prot });
    const mapping: Mapping = { va: first * BigInt(PAGE), pages: Number(count), isMapped: true };
    this.mappings.push(mapping);
    this.mappings.sort((a, b) => (a.va < b.va ? -1 : 1));
    return mapping;
  }

  #lowestGap(count: bigint): bigint {
    let first = MAP_BASE / BigInt(PAGE);
    for (const mapping of this.mappings) {
      if (overlaps(mapping, first, count)) first = mapping.va / BigInt(PAGE) + BigInt(mapping.pages);
    }
    return first;
  }

  protect(va: bigint, length: number, prot: Protection): void {
    require(va > 0n && va < 2n ** 64n && Number.isSafeInteger(length) && length >= 0, "EINVAL");
    require(va % BigInt(PAGE) === 0n, "EINVAL");
    require(this.isRange(va, BigInt(length)), "ENOMEM");
    const first = va / BigInt(PAGE);
    const count = pagesOf(length);
    // An accessible range is a few hundred pages at most: whoever asks for more meets a hole within them.
    for (let page = first; page < first + count; page++) require(this.#pages.has(page), "ENOMEM");
    for (let page = first; page < first + count; page++) (this.#pages.get(page) as Page).prot = prot;
  }

  unmap(mapping: Mapping): void {
    require(mapping.isMapped, "EINVAL");
    mapping.isMapped = false;
    this.mappings.splice(this.mappings.indexOf(mapping), 1);
    const first = mapping.va / BigInt(PAGE);
    for (let page = first; page < first + BigInt(mapping.pages); page++) this.#pages.delete(page);
  }

  isRange(address: bigint, length: bigint): boolean {
    return address + length <= TASK_SIZE;
  }

  runAt(address: bigint): Run | undefined {
    const page = this.#pages.get(address / BigInt(PAGE));
    return page && { bytes: page.bytes.subarray(Number(address % BigInt(PAGE))), prot: page.prot };
  }

  /** All bytes of a mapping, whatever the protection. */
  bytesOf(mapping: Mapping): Uint8Array {
    const bytes = new Uint8Array(mapping.pages * PAGE);
    const first = mapping.va / BigInt(PAGE);
    for (let n = 0; n < mapping.pages; n++) {
      bytes.set((this.#pages.get(first + BigInt(n)) as Page).bytes, n * PAGE);
    }
    return bytes;
  }
}

/** A JavaScript buffer as an argument: exactly its bytes are accessible. */
export class BufferMemory implements Memory {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  isRange(): boolean {
    return true;
  }

  runAt(address: bigint): Run | undefined {
    const bytes = this.#bytes.subarray(Number(address));
    return bytes.length === 0 ? undefined : { bytes, prot: "rw" };
  }
}

// ---------------------------------------------------------------------------------------------------- copies

/** copy_from_user() */
export function copyFrom(memory: Memory, address: bigint, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  if (length > 0) require(memory.isRange(address, BigInt(length)), "EFAULT");
  for (const [done, run] of readableRuns(memory, address, length)) bytes.set(run, done);
  return bytes;
}

/** copy_to_user(): what lies before the bad byte has been written. */
export function copyTo(memory: Memory, address: bigint, bytes: Uint8Array): void {
  if (bytes.length > 0) require(memory.isRange(address, BigInt(bytes.length)), "EFAULT");
  for (let done = 0; done < bytes.length;) {
    const run = memory.runAt(address + BigInt(done));
    require(run?.prot === "rw", "EFAULT");
    const piece = bytes.subarray(done, done + run.bytes.length);
    run.bytes.set(piece);
    done += piece.length;
  }
}

/** check_zeroed_user(): whichever comes first, a byte that is not zero or one that cannot be read. */
export function requireZeros(memory: Memory, address: bigint, length: number): void {
  require(memory.isRange(address, BigInt(length)), "EFAULT");
  for (const [, run] of readableRuns(memory, address, length)) {
    require(run.every((byte) => byte === 0), "E2BIG");
  }
}

/** A range piece by piece, each with its distance from the start; EFAULT at the first byte that cannot be read. */
function* readableRuns(memory: Memory, address: bigint, length: number): Iterable<[done: number, run: Uint8Array]> {
  for (let done = 0; done < length;) {
    const run = memory.runAt(address + BigInt(done));
    require(run !== undefined && run.prot !== "none", "EFAULT");
    const piece = run.bytes.subarray(0, length - done);
    yield [done, piece];
    done += piece.length;
  }
}

function pagesOf(length: number): bigint {
  return (BigInt(length) + BigInt(PAGE) - 1n) / BigInt(PAGE);
}

function overlaps(mapping: Mapping, first: bigint, count: bigint): boolean {
  const start = mapping.va / BigInt(PAGE);
  return first < start + BigInt(mapping.pages) && start < first + count;
}

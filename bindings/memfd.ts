// SPDX-License-Identifier: GPL-2.0-only
/**
 * Files without a name whose bytes are shared memory: mapped into processes, and mapped for devices by IOMMU_IOAS_MAP_FILE.
 *
 * Kernel counterpart: memfd_create(), ftruncate(), close().
 */
import { dispose } from "./dispose.js";
import { check, failure, invalid, isWithin } from "./error.js";
import { Layout } from "./generated/layout.js";
import type { Kernel } from "./kernel.js";
import { rowsOf } from "./rows.js";

/** Names a memfd in another thread: structured-cloneable. */
export interface MemfdShare {
  /** The file number. */
  readonly fd: number;
  /** Which file of that number. */
  readonly generation: number;
}

/** Longest file: all of the largest memory. */
const MAX_BYTES = 2 ** 31;

/** An open memfd. Its bytes stay as long as the number is open, a mapping shows them or an IOAS has them mapped. */
export class Memfd {
  /** The file number, for IOMMU_IOAS_MAP_FILE. */
  readonly fd: number;
  /** What another thread needs for `Iommufd.memfd`. */
  readonly share: MemfdShare;
  readonly #kernel: Kernel;
  readonly #row: number;

  /** Made by `createMemfd` and `memfd`. */
  constructor(kernel: Kernel, { fd, generation }: MemfdShare) {
    this.#kernel = kernel;
    this.#row = Layout.MEMFDS + (fd - Layout.FIRST_MEMFD) * Layout.MEMFD_BYTES;
    this.fd = fd;
    this.share = Object.freeze({ fd, generation });
    this.#check("fget");
  }

  /** Length in bytes. (st_size) @throws IommufdError EBADF when it was closed. */
  get size(): number {
    this.#check("fstat");
    return this.#kernel.word(this.#row + Layout.MEMFD_SIZE);
  }

  /** The longest that it can become, in bytes. @throws IommufdError EBADF */
  get maxBytes(): number {
    this.#check("fstat");
    return this.#kernel.word(this.#row + Layout.MEMFD_PAGES) * Layout.PAGE_SIZE;
  }

  /**
   * The bytes of the file as long as it is now: live shared memory, no copy. Not to be used once the file is shorter, or gone.
   *
   * @throws IommufdError EBADF
   */
  get bytes(): Uint8Array {
    const { size } = this;
    return new Uint8Array(this.#kernel.memory.buffer, this.#kernel.word(this.#row + Layout.MEMFD_BACKING), size);
  }

  /**
   * Changes the length. Bytes behind it are out of reach, for mappings by whole pages, and zero when the file grows over them again.
   * (ftruncate)
   *
   * @throws IommufdError EFBIG beyond `maxBytes`; EINVAL; EBADF.
   */
  truncate(bytes: number): void {
    if (!isWithin(bytes, 0, Number.MAX_SAFE_INTEGER)) throw invalid("ftruncate", "bytes must be a number ≥ 0");
    const { fd, generation } = this.share;
    if (bytes > MAX_BYTES) throw failure(this.#isOpen() ? "EFBIG" : "EBADF", "ftruncate", `${bytes} bytes`);
    check(this.#kernel.core.truncateMemfd(fd, generation, bytes), "ftruncate", `file ${fd}, ${bytes} bytes`);
  }

  /** Closes the number. Idempotent; other threads' objects of it are EBADF from here on. */
  close(): void {
    if (!this.#kernel.detached) this.#kernel.core.closeMemfd(this.fd, this.share.generation); // EBADF: closed already
  }

  /** `close`, for `using`. */
  [dispose](): void {
    this.close();
  }

  #isOpen(): boolean {
    const { fd, generation } = this.share;
    if (!isWithin(fd, Layout.FIRST_MEMFD, Layout.FIRST_MEMFD + Layout.MAX_MEMFDS - 1)) return false;
    if (this.#kernel.word(this.#row + Layout.MEMFD_STATE) !== Layout.MEMFD_OPEN) return false;
    return this.#kernel.word(this.#row + Layout.MEMFD_GENERATION) === generation;
  }

  #check(syscall: string): void {
    if (!this.#isOpen()) throw this.#kernel.badFile(syscall, this.fd);
  }
}

/** memfd_create() and the first ftruncate(). @throws IommufdError as `Iommufd.createMemfd` */
export function makeMemfd(kernel: Kernel, bytes: number, maxBytes: number | undefined): Memfd {
  const most = maxBytes ?? Math.max(bytes, 1);
  if (!isWithin(most, 1, MAX_BYTES)) throw invalid("memfd_create", `maxBytes must be 1 … ${MAX_BYTES}`);
  if (!isWithin(bytes, 0, most)) throw invalid("memfd_create", `bytes must be 0 … ${most}`);
  const row = check(kernel.core.createMemfd(bytes, most), "memfd_create", `${most} bytes`);
  const memfd = new Memfd(kernel, shareOf(kernel, row));
  kernel.core.mapDone();
  return memfd;
}

/** Rows of memfds that somebody has: open, mapped or held. */
export function usedMemfds(kernel: Kernel): number[] {
  const rows = rowsOf(Layout.MEMFDS, Layout.MEMFD_BYTES, Layout.MAX_MEMFDS);
  return rows.filter((row) => kernel.word(row + Layout.MEMFD_STATE) !== Layout.MEMFD_UNUSED);
}

/** Those whose number is open. */
export function openMemfds(kernel: Kernel): MemfdShare[] {
  const open = usedMemfds(kernel).filter((row) => kernel.word(row + Layout.MEMFD_STATE) === Layout.MEMFD_OPEN);
  return open.map((row) => shareOf(kernel, row));
}

function shareOf(kernel: Kernel, row: number): MemfdShare {
  const fd = Layout.FIRST_MEMFD + (row - Layout.MEMFDS) / Layout.MEMFD_BYTES;
  return { fd, generation: kernel.word(row + Layout.MEMFD_GENERATION) };
}

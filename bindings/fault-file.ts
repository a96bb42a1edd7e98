// SPDX-License-Identifier: GPL-2.0-only
/**
 * The file of a fault queue, by the number that IOMMU_FAULT_QUEUE_ALLOC answers: page faults are read from it, and answered there.
 *
 * While it is open the queue cannot be destroyed, and closing the number of /dev/iommu releases nothing. It is looked up at each call, as any
 * number is; any thread may use and close it.
 *
 * Kernel counterpart: anon_inode:[iommufd-pgfault], iommufd_fault_fops.
 */
import { dispose } from "./dispose.js";
import { check } from "./error.js";
import type { Kernel } from "./kernel.js";

/** What poll(2) would tell of a file. */
export interface FaultFileEvents {
  /** A group of faults waits to be read. */
  readonly readable: boolean;
  /** Always true. */
  readonly writable: boolean;
}

export class FaultFile {
  /** The file number. */
  readonly fd: number;
  readonly #kernel: Kernel;

  /** Made by `Iommufd.faultFile`. */
  constructor(kernel: Kernel, fd: number) {
    this.#kernel = kernel;
    this.fd = (fd | 0) === fd ? fd : -1; // others would be folded into one that may be open
    this.#exists("open");
  }

  /**
   * read(2): the faults that wait, as iommu_hwpt_pgfault, whole groups of them. Never waits.
   *
   * @returns Bytes read; 0 when no fault waits.
   * @throws IommufdError EBADF; ESPIPE when `into` is no whole number of records.
   */
  read(into: Uint8Array): number {
    return check(this.#kernel.core.queueFileRead(this.fd, into.length), "read");
  }

  /**
   * write(2): answers, as iommu_hwpt_page_response.
   *
   * @returns Bytes of the answers that were taken.
   * @throws IommufdError EBADF; ESPIPE when `responses` is no whole number of records; EINVAL for a code or cookie that is not known.
   */
  write(responses: Uint8Array): number {
    return check(this.#kernel.core.queueFileWrite(this.fd, responses.length), "write");
  }

  /** poll(2), without waiting. There is no device yet, hence no fault. @throws IommufdError EBADF */
  poll(): FaultFileEvents {
    this.#exists("poll");
    return { readable: false, writable: true };
  }

  /** close(2). (iommufd_fault_fops_release) @throws IommufdError EBADF; what a destroy callback throws, once the release is complete. */
  close(): void {
    check(this.#kernel.core.queueFileClose(this.fd), "close");
    this.#kernel.attend();
  }

  /** `close`, for `using`. */
  [dispose](): void {
    this.close();
  }

  /** Reading nothing asks for nothing but the number. */
  #exists(syscall: string): void {
    check(this.#kernel.core.queueFileRead(this.fd, 0), syscall, `file ${this.fd}`);
  }
}

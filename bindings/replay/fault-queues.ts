// SPDX-License-Identifier: GPL-2.0-only
//
// The files of fault queues in a recording: named system calls on the one that was made last.
//
// The recorder wrote no number beside them. What it calls besides, such as fcntl() or lseek(), the VFS answers for any such file.

import { type FaultFile, type Iommufd, IommufdError } from "../index.js";

const POLLIN = 1;
const POLLOUT = 4;
/** The one file number that a recording names. */
const CLOSE = "close_raw_fd";
const TRANSFER = /^fault_(read|write)(\d{1,6})$/;

export class FaultQueues {
  private readonly open: FaultFile[] = [];

  constructor(private readonly iommufd: Iommufd) {}

  /** Whether a system call is on a fault queue's file, and ours to answer. */
  static answers(name: string): boolean {
    return name === CLOSE || name === "fault_poll" || name === "fault_revents" || TRANSFER.test(name);
  }

  /** A queue was made, and answered with that file number. */
  made(fd: number): void {
    this.open.push(this.iommufd.faultFile(fd));
  }

  /** Makes one of the calls that `answers` knows: its value, or a negative errno. */
  call(name: string): number {
    const file = this.open.at(-1);
    if (file === undefined) throw new TypeError(`${name} without a fault queue`);
    try {
      const [, kind, bytes] = TRANSFER.exec(name) ?? [];
      if (kind === "read") return file.read(new Uint8Array(Number(bytes)));
      if (kind === "write") return file.write(new Uint8Array(Number(bytes)));
      if (name === CLOSE) {
        this.open.pop();
        file.close();
        return 0;
      }
      const { readable, writable } = file.poll();
      if (name === "fault_poll") return Number(readable || writable); // how many files are ready
      return (readable ? POLLIN : 0) | (writable ? POLLOUT : 0);
    } catch (error) {
      if (error instanceof IommufdError) return error.errno;
      throw error;
    }
  }

  /** Whether there is a file to call. */
  get any(): boolean {
    return this.open.length > 0;
  }

  closeAll(): void {
    for (const file of this.open.splice(0)) file.close();
  }
}

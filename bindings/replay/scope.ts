// SPDX-License-Identifier: GPL-2.0-only
//
// Which records are the library's to reproduce, and why the others are not.
//
// The library stands for the driver behind /dev/iommu. What Linux answers in the VFS before the driver sees it, what
// other system calls say about the device file, what 32-bit callers get, and what other processes do is outside. Some
// of that has consequences for later records of the scenario, which is why this keeps state: after a fork the
// recording's files are in a state that only the recorder knows, and a label opened under another path is another
// driver's file.

import { FaultQueues } from "./fault-queues.js";
import { DEVICE_PATH } from "./files.js";
import { RecordedProcess } from "./process.js";
import type { CallRecord } from "./records.js";
import type { SkipReason } from "./results.js";

/** fs/ioctl.c answers these whatever the file is: FIGETBSZ, FIONBIO, FIONCLEX, FIOCLEX, FIOASYNC. */
const VFS_REQUESTS: ReadonlySet<number> = new Set([0x2, 0x5421, 0x5450, 0x5451, 0x5452]);
/** The scenario of the other requests that fs/ioctl.c looks at first. */
const VFS_SCENARIO = "dispatch.vfs_common";

export class Scope {
  /** @param hasFaultQueue whether a fault queue's file is open */
  constructor(private readonly hasFaultQueue: () => boolean) {}

  /** A child was forked in this scenario. */
  forked = false;
  /** Labels of other drivers' files. */
  private readonly foreign = new Set<number>();

  /** Why the scenario's next record is not the library's to reproduce; undefined if it is. To be called in order. */
  outside(record: CallRecord): SkipReason | undefined {
    if (this.forked) return "fork";
    switch (record.op) {
      case "named":
        this.forked = record.name.startsWith("fork_");
        if (this.forked) return "fork";
        if (RecordedProcess.answers(record.name)) return undefined;
        if (FaultQueues.answers(record.name) && this.hasFaultQueue()) return undefined;
        return record.name === "ioctl_compat32" ? "compat32" : "syscall";
      case "open":
        if (record.path === DEVICE_PATH) {
          this.foreign.delete(record.fd);
          return undefined;
        }
        this.foreign.add(record.fd);
        return "path";
      case "dup":
        if (!this.foreign.has(record.fd)) return undefined;
        this.foreign.add(record.newFd);
        return "path";
      case "close":
        return this.foreign.delete(record.fd) ? "path" : undefined;
      case "ioctl":
        if (record.scenario === VFS_SCENARIO || VFS_REQUESTS.has(record.request)) return "vfs";
        return this.foreign.has(record.fd) ? "path" : undefined;
      case "implicit_close":
        return undefined;
    }
  }
}

// SPDX-License-Identifier: GPL-2.0-only
// What the page and its workers say to each other, beside the calls that `forwardCalls` reports.

import type { IommufdShare } from "iommufd-wasm";

/** First message to a worker. */
export interface StartMessage {
  readonly share: IommufdShare;
  /** What the trace calls it. */
  readonly thread: string;
}

/** One ioctl that takes a while. */
export type Job =
  | { readonly kind: "hold"; readonly id: number; readonly msecs: number }
  | { readonly kind: "reserve"; readonly type: number; readonly msecs: number };

/** Every further message to a worker: a job on the file of that number. */
export interface JobMessage {
  readonly fd: number;
  readonly job: Job;
}

/** From a worker: it listens, and is that thread of the kernel; an object's destroy operation ran in it; its job has ended, ≥ 0 or -errno. */
export type WorkerMessage =
  | { readonly lab: "ready"; readonly thread: number }
  | { readonly lab: "destroyed"; readonly type: number; readonly id: number }
  | { readonly lab: "ended"; readonly result: number };

// SPDX-License-Identifier: GPL-2.0-only
//
// The two messages between `forwardCalls` and `receiveCalls`, and the two words of shared memory beside them.

/** The first message: who speaks. */
export interface HelloMessage {
  readonly iommufd: "thread";
  readonly thread: string;
  /** Shared: the words TAKEN and LOST. */
  readonly credit: Int32Array;
}

/** Some calls, see call-batch.ts. */
export interface BatchMessage {
  readonly iommufd: "calls";
  readonly calls: ArrayBuffer;
}

/** Word that the page adds to: batches taken. */
export const TAKEN = 0;
/** Word that the worker adds to: calls that found no room. */
export const LOST = 1;
/** Batches that may be on their way at a time. */
export const OUTSTANDING = 8;

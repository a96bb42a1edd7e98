// SPDX-License-Identifier: GPL-2.0-only
//
// The message from `forwardCalls` to `receiveCalls`, and the two words of shared memory that come along.
//
// Each message says all of it: who made the calls, and where leave for the next batch is given. So a port may be heard of from any
// message on, and begin again under another name or from another thread.

/** Some calls, see call-batch.ts. */
export interface BatchMessage {
  readonly iommufd: "calls";
  readonly thread: string;
  /** Shared: the words TAKEN and LOST. */
  readonly credit: Int32Array;
  readonly calls: ArrayBuffer;
}

/** Word that the page adds to: batches taken. */
export const TAKEN = 0;
/** Word that the worker adds to, and the page takes from: calls that found no room and were not told of yet. */
export const LOST = 1;
/** Words beside each other. */
export const CREDIT_WORDS = 2;
/** Batches that may be on their way at a time. */
export const OUTSTANDING = 8;

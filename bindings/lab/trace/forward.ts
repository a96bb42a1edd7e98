// SPDX-License-Identifier: GPL-2.0-only
//
// Entry `iommufd-wasm/lab/worker`: lets a page see the calls of another thread.
//
//   worker   forwardCalls(iommufd, self, { thread: "worker 1" });
//   page     receiveCalls(session, worker);
//
// Calls are collected and posted in batches. The first call after a quiet time is posted at once; the others when a batch
// is full, when the last post was a frame ago, or when the worker's task ends. So a thread that is about to block has
// said what it did, and one that works without a pause is heard of many times a second. Nothing here blocks or polls.
//
// Invariant: no more than OUTSTANDING batches are on their way. The page tells how many it has taken by a word of shared
// memory, which a thread can read that never returns to its event loop, and which wakes up one that has. What finds no
// room is counted in a second word.

import type { Iommufd, TraceEvent } from "../../index.js";
import { BatchWriter } from "./call-batch.js";
import { LOST, OUTSTANDING, TAKEN, type BatchMessage, type HelloMessage } from "./forward-message.js";

/** Where batches go: a MessagePort, or a worker's own global scope. */
export interface ForwardPort {
  postMessage(message: unknown, transfer: Transferable[]): void;
}

/** Options of {@link forwardCalls}. */
export interface ForwardOptions {
  /** What the page calls this thread, e.g. "worker 1"; at most 40 characters are kept. */
  readonly thread: string;
}

/** So often at most a page that is drawn 60 times a second can show something new; in milliseconds. */
const FRAME = 1000 / 60;

/**
 * Reports this thread's ioctls to a page that called `receiveCalls` with the other end of the port. It takes the thread's
 * one trace listener.
 *
 * @returns A function that posts what is left and stops.
 * @throws TypeError where no memory can be shared, so that there is no other thread either.
 */
export function forwardCalls(
  iommufd: Pick<Iommufd, "onTrace">,
  port: ForwardPort,
  options: ForwardOptions,
): () => void {
  if (typeof SharedArrayBuffer === "undefined") {
    throw new TypeError("calls of other threads need a page that may share memory: it is not cross-origin isolated");
  }
  const credit = new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT));
  const hello: HelloMessage = { iommufd: "thread", thread: options.thread, credit };
  port.postMessage(hello, []);
  const writer = new BatchWriter();
  let posted = 0;
  let lastPost = -Infinity;
  let flushing = false;

  const post = (now: number): void => {
    if (writer.empty) return;
    posted++;
    lastPost = now;
    const calls = writer.take();
    const message: BatchMessage = { iommufd: "calls", calls };
    port.postMessage(message, [calls]);
  };
  const roomFor = (taken: number): boolean => ((posted - taken) | 0) < OUTSTANDING;
  const room = (): boolean => roomFor(Atomics.load(credit, TAKEN));
  /** Posts what is left now, or as soon as the page has taken something. */
  const flush = (): void => {
    const taken = Atomics.load(credit, TAKEN);
    flushing = !roomFor(taken);
    if (!flushing) {
      post(performance.now());
      return;
    }
    if (typeof Atomics.waitAsync !== "function") {
      flushing = false; // an older host: what is left goes with the next call
      return;
    }
    const woken = Atomics.waitAsync(credit, TAKEN, taken);
    if (woken.async) void woken.value.then(flush);
    else queueMicrotask(flush);
  };

  const stop = iommufd.onTrace((event: TraceEvent) => {
    const now = performance.now();
    if (!writer.add(event, performance.timeOrigin + now)) {
      if (!room()) {
        Atomics.add(credit, LOST, 1);
        return;
      }
      post(now);
      writer.add(event, performance.timeOrigin + now);
    }
    if (now - lastPost >= FRAME && room()) post(now);
    else if (!flushing) {
      flushing = true;
      queueMicrotask(flush);
    }
  });
  return () => {
    stop();
    if (!flushing) flush();
  };
}

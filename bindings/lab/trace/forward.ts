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
// room is counted in a second word. All of that belongs to the port: forwarding that begins again on it shares the room with what an
// earlier one has still to send.

import type { Iommufd, TraceEvent } from "../../index.js";
import { BatchWriter } from "./call-batch.js";
import { CREDIT_WORDS, LOST, OUTSTANDING, TAKEN, type BatchMessage } from "./forward-message.js";

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

/** How much may be on its way through a port. */
interface Room {
  /** Shared with the page: TAKEN and LOST. */
  readonly credit: Int32Array;
  /** Batches posted, of 32 bits. */
  posted: number;
}

const rooms = new WeakMap<ForwardPort, Room>();

/**
 * Reports this thread's ioctls to a page that called `receiveCalls` with the other end of the port. It takes the thread's
 * one trace listener. On the same port it may begin again, under another name, too: before or after the first one has stopped.
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
  const { thread } = options;
  const room = roomOf(port);
  const { credit } = room;
  const writer = new BatchWriter();
  let lastPost = -Infinity;
  let flushing = false;

  const post = (now: number): void => {
    if (writer.empty) return;
    room.posted = (room.posted + 1) | 0;
    lastPost = now;
    const calls = writer.take();
    const message: BatchMessage = { iommufd: "calls", thread, credit, calls };
    port.postMessage(message, [calls]);
  };
  const hasRoom = (taken = Atomics.load(credit, TAKEN)): boolean => ((room.posted - taken) | 0) < OUTSTANDING;
  /** Posts what is left now, or as soon as the page has taken something. */
  const flush = (): void => {
    const taken = Atomics.load(credit, TAKEN);
    flushing = !hasRoom(taken);
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
      if (!hasRoom()) {
        Atomics.add(credit, LOST, 1);
        return;
      }
      post(now);
      writer.add(event, performance.timeOrigin + now);
    }
    if (now - lastPost >= FRAME && hasRoom()) post(now);
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

function roomOf(port: ForwardPort): Room {
  let room = rooms.get(port);
  if (room === undefined) {
    room = { credit: new Int32Array(new SharedArrayBuffer(CREDIT_WORDS * Int32Array.BYTES_PER_ELEMENT)), posted: 0 };
    rooms.set(port, room);
  }
  return room;
}

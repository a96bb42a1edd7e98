// SPDX-License-Identifier: GPL-2.0-only
/**
 * Watches the queue of destroyed objects whose callback other threads could not run (assembly/core/release.ts).
 *
 * A thread that has a destroy callback is woken when an object is queued and runs what it can. Without
 * Atomics.waitAsync the queue is looked at when a type is defined only.
 */
import { Layout } from "./generated/layout.js";
import type { Kernel } from "./kernel.js";

/** A count that only grows: by the length, one object in and one out would look like nothing. */
const EVER = Layout.QUEUE_QUEUED_EVER >> 2;

export class DyingQueue {
  readonly #kernel: Kernel;
  #watching = false;
  #stopped = false;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** Starts watching; once is enough. */
  watch(): void {
    if (this.#watching || typeof Atomics.waitAsync !== "function") return;
    this.#watching = true;
    void this.#run();
  }

  /** Stops watching, before the thread leaves. */
  stop(): void {
    this.#stopped = true;
    if (this.#watching) Atomics.notify(this.#kernel.words, EVER);
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      // Read before draining: a change after that makes the wait return at once.
      const seen = Atomics.load(this.#kernel.words, EVER);
      try {
        this.#kernel.drainQueue();
      } catch (error) {
        // What a callback threw is its author's to see, as an uncaught exception; the queue goes on.
        queueMicrotask(() => {
          throw error;
        });
      }
      const wait = Atomics.waitAsync(this.#kernel.words, EVER, seen);
      if (wait.async) await wait.value;
    }
  }
}

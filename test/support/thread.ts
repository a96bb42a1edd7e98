// SPDX-License-Identifier: GPL-2.0-only
//
// Starts a plain .js file of test/support/threads in another thread: a worker_thread in Node, a module Worker in a page.
//
// The other side talks through ./thread-port.js. Messages arrive in order and none is lost: `next()` gives the oldest one
// that nobody took yet. An error inside the thread makes every later `next()` reject, so that no test waits for ever.

import type { WatchableWorker } from "iommufd-wasm";
import { isBrowser } from "./environment.ts";

export interface Thread {
  /** The host's own object. */
  readonly worker: WatchableWorker;
  /** Posts one structured-cloneable value to the thread. */
  post(message: unknown): void;
  /** The oldest message of the thread that was not taken yet. */
  next<T = unknown>(): Promise<T>;
  /** Ends the thread. Resolves when the host says so; in a page that is at once, and the thread may still run a while. */
  terminate(): Promise<void>;
}

// In two steps: Vite would rewrite `new URL("…", import.meta.url)` for a bundle.
const here = import.meta.url;

/** `file` is the name of a file in test/support/threads, for example "echo.js". */
export async function startThread(file: string): Promise<Thread> {
  const url = new URL(`threads/${file}`, here);
  const inbox = new Inbox();
  if (isBrowser) return startInPage(url, inbox);
  const { Worker } = await import("node:worker_threads");
  const worker = new Worker(url);
  worker.on("message", (message) => inbox.put(message));
  worker.on("error", (error) => inbox.fail(error instanceof Error ? error : new Error(String(error))));
  worker.on("exit", (code) => inbox.fail(new Error(`${file} ended with code ${code}`)));
  return {
    worker,
    post: (message) => worker.postMessage(message),
    next: <T>() => inbox.take() as Promise<T>,
    terminate: async () => void (await worker.terminate()),
  };
}

function startInPage(url: URL, inbox: Inbox): Thread {
  const worker = new Worker(url, { type: "module" });
  worker.onmessage = (event) => inbox.put(event.data);
  worker.onerror = (event) => {
    event.preventDefault(); // the test reports it
    inbox.fail(new Error(`${url.pathname}: ${event.message ?? "cannot be loaded"}`));
  };
  return {
    worker,
    post: (message) => worker.postMessage(message),
    next: <T>() => inbox.take() as Promise<T>,
    terminate: () => Promise.resolve(worker.terminate()),
  };
}

class Inbox {
  readonly #messages: unknown[] = [];
  readonly #takers: Taker[] = [];
  #failure: Error | undefined;

  put(message: unknown): void {
    const taker = this.#takers.shift();
    if (taker) taker.resolve(message);
    else this.#messages.push(message);
  }

  fail(reason: Error): void {
    this.#failure ??= reason; // the first one is the cause
    for (const taker of this.#takers.splice(0)) taker.reject(reason);
  }

  take(): Promise<unknown> {
    if (this.#messages.length > 0) return Promise.resolve(this.#messages.shift());
    if (this.#failure) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => this.#takers.push({ resolve, reject }));
  }
}

interface Taker {
  resolve(value: unknown): void;
  reject(reason: Error): void;
}

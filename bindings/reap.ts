// SPDX-License-Identifier: GPL-2.0-only
/**
 * Giving back what a dead thread left (assembly/core/reap.ts): the core works in steps, and says for which word a step has to wait.
 */
import { check, failure, invalid, isWithin } from "./error.js";
import { Layout } from "./generated/layout.js";
import type { Kernel } from "./kernel.js";
import { incarnationOf, isDead } from "./life.js";
import { type ThreadStats, readThread } from "./stats.js";

/** What a dead thread had, and what has been given back. */
export interface ReapReport extends ThreadStats {
  /** Whether it died inside an operation on shared state, which was undone or finished. */
  interrupted: boolean;
}

/** The word that a step waits for is written without a wake-up: it is looked at again after so many milliseconds. */
const LOOK_AGAIN_MS = 1;

/** Reaps a thread that must be known to be dead. @throws IommufdError as `Iommufd.reap` */
export async function reapKnown(kernel: Kernel, thread: number): Promise<ReapReport> {
  if (!isWithin(thread, 0, Layout.MAX_THREADS - 1)) {
    throw invalid("reap", `thread must be 0 … ${Layout.MAX_THREADS - 1}, not ${String(thread)}`);
  }
  if (kernel.wordOf(thread, Layout.THREAD_STATE) === Layout.THREAD_FREE) {
    throw failure("ESRCH", "reap", `no thread is attached as ${thread}`);
  }
  const incarnation = incarnationOf(kernel, thread); // before the question: the slot may have another owner after it
  if (!(await isDead(kernel, thread))) {
    throw failure("EBUSY", "reap", `thread ${thread} is not known to be dead`);
  }
  return reap(kernel, thread, incarnation);
}

/** Context: the thread is dead. Several who ask at a time get one answer. Rethrows what a destroy callback threw, once all is done. */
export async function reap(kernel: Kernel, thread: number, incarnation: number): Promise<ReapReport> {
  const key = incarnation * Layout.MAX_THREADS + thread;
  let reaping = kernel.reaping.get(key);
  if (reaping === undefined) {
    reaping = reapOnce(kernel, thread, incarnation).finally(() => kernel.reaping.delete(key));
    kernel.reaping.set(key, reaping);
  }
  return reaping;
}

async function reapOnce(kernel: Kernel, thread: number, incarnation: number): Promise<ReapReport> {
  const { core, words } = kernel;
  const report: ReapReport = readThread(kernel, thread);
  const failures: unknown[] = [];
  for (;;) {
    const result = core.reapNext(thread, incarnation);
    const word = kernel.result(1) >>> 2;
    const seen = kernel.result(2);
    try {
      kernel.attend();
    } catch (error) {
      failures.push(error);
    }
    if (result === Layout.MUST_WAIT) await changeOf(words, word, seen);
    else if (result === 0) break;
    else if (result !== Layout.REAP_AGAIN) check(result, "reap", `thread ${thread}`);
  }
  kernel.drainQueue();
  if (failures.length > 0) throw failures[0];
  return report;
}

async function changeOf(words: Int32Array, index: number, seen: number): Promise<void> {
  if (typeof Atomics.waitAsync !== "function") throw failure("ENOSYS", "reap", "this host has no Atomics.waitAsync");
  const wait = Atomics.waitAsync(words, index, seen, LOOK_AGAIN_MS);
  if (wait.async) await wait.value;
}

// SPDX-License-Identifier: GPL-2.0-only
/**
 * Waiting for a queued destroy: by blocking the thread where that is allowed, by a bounded spin where it is not, or by a
 * promise. Whatever ends a wait without a decision gives it up in the core, so the object is open again.
 *
 * Lost wake-ups: the core tells which word it saw, with holders in it; both the blocking and the asynchronous wait sleep
 * only while the word still has that value.
 */
import { IommufdError, invalid } from "./error.js";
import { Errno } from "./generated/errno.js";
import { Layout } from "./generated/layout.js";
import type { Kernel } from "./kernel.js";

/** Looks at the word before a thread that may not block gives up: some tenths of a millisecond. */
const SPIN_POLLS = 20_000;

/** Limits of a wait. */
export interface WaitOptions {
  /** Gives the wait up; the promise rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Milliseconds; afterwards ETIMEDOUT. Default: no limit. */
  timeoutMs?: number;
}

/** When a wait of `timeoutMs` ends, by the clock of `performance.now`; NaN when it is no number of milliseconds. */
export function tryDeadlineOf(timeoutMs: number | undefined): number {
  if (timeoutMs === undefined) return Infinity;
  return typeof timeoutMs === "number" && timeoutMs >= 0 ? performance.now() + timeoutMs : NaN;
}

/** As `tryDeadlineOf`. @throws IommufdError EINVAL */
export function deadlineOf(timeoutMs: number | undefined): number {
  const deadline = tryDeadlineOf(timeoutMs);
  if (!Number.isNaN(deadline)) return deadline;
  throw invalid("ioctl", `timeoutMs must be a number of milliseconds, not ${String(timeoutMs)}`);
}

/** Whether this thread may block: everywhere but on a browser's main thread. */
export function canBlock(words: Int32Array): boolean {
  try {
    Atomics.wait(words, 0, ~Atomics.load(words, 0), 0); // another value: returns at once, or throws
    return true;
  } catch {
    return false;
  }
}

/** Blocks or spins until the destroy is decided. Returns its answer, -EAGAIN where blocking is not allowed, or -ETIMEDOUT. */
export function waitSync(kernel: Kernel, file: number, handle: number, deadline: number): number {
  const { core, mayBlock } = kernel;
  if (mayBlock && deadline === Infinity) return core.destroyWait(file, handle, -1);
  if (mayBlock) {
    for (;;) {
      const left = deadline - performance.now();
      const result = left > 0 ? core.destroyWait(file, handle, left) : core.destroyPoll(file, handle);
      if (result !== Layout.MUST_WAIT) return result;
      if (left <= 0) break;
    }
  } else {
    for (let poll = 0; poll < SPIN_POLLS; poll++) {
      const result = core.destroyPoll(file, handle);
      if (result !== Layout.MUST_WAIT) return result;
    }
  }
  core.destroyCancel(file, handle);
  return mayBlock ? -Errno.ETIMEDOUT : -Errno.EAGAIN;
}

/**
 * Waits without blocking. `settle` turns an answer of the core into the caller's, and is called without a break after it:
 * the thread's result and attention words are those of its last call only.
 */
export async function waitAsync(
  kernel: Kernel,
  file: number,
  handle: number,
  deadline: number,
  signal: AbortSignal | undefined,
  settle: (answer: number) => number,
): Promise<number> {
  const { core, longs } = kernel;
  if (typeof Atomics.waitAsync !== "function") {
    core.destroyCancel(file, handle);
    settle(0);
    throw new IommufdError("ENOSYS", { message: "this host has no Atomics.waitAsync" });
  }
  const wake = wakeUp(kernel, signal);
  try {
    for (;;) {
      const answer = core.destroyPoll(file, handle);
      if (answer !== Layout.MUST_WAIT) return settle(answer);
      const index = (kernel.result(1) >>> 0) / BigInt64Array.BYTES_PER_ELEMENT;
      const seen = (BigInt(kernel.result(3)) << 32n) | BigInt(kernel.result(2) >>> 0);
      const left = deadline - performance.now();
      if (signal?.aborted || left <= 0) {
        core.destroyCancel(file, handle);
        settle(0);
        signal?.throwIfAborted();
        return -Errno.ETIMEDOUT;
      }
      const wait = Atomics.waitAsync(longs, index, seen, left);
      if (!wait.async) continue;
      await Promise.race([wait.value, wake.promise]);
      // Let go of the wait that lost the race; others on the word look again.
      if (signal?.aborted || kernel.detached) Atomics.notify(longs, index);
    }
  } finally {
    wake.forget();
  }
}

/** A promise that resolves when the signal fires or the thread detaches, and how to stop listening. */
function wakeUp(kernel: Kernel, signal: AbortSignal | undefined): { promise: Promise<void>; forget(): void } {
  let wake = (): void => undefined;
  const promise = new Promise<void>((resolve) => (wake = resolve));
  signal?.addEventListener("abort", wake, { once: true });
  kernel.pendingWaits.add(wake);
  return {
    promise,
    forget() {
      signal?.removeEventListener("abort", wake);
      kernel.pendingWaits.delete(wake);
    },
  };
}

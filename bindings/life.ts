// SPDX-License-Identifier: GPL-2.0-only
/**
 * How the death of a thread is known: by what the host says, never by a guess.
 *
 * Node     a worker's `exit` event. Each thread leaves its threadId in its slot, so that whoever hears the event finds the slots.
 * Browser  a Web Lock: each thread takes one that is named after its slot, and the host releases it when the thread is gone;
 *          `terminate()` alone is not death, a busy worker goes on for a while. Where there are no Web Locks (a page that is
 *          not a secure context) nothing is known.
 *
 * A thread that attaches synchronously is not known of until its lock is granted.
 */
import { failure, invalid } from "./error.js";
import { Layout } from "./generated/layout.js";
import type { Kernel } from "./kernel.js";
import { rowsOf } from "./rows.js";

/** What is needed of Node's Worker. */
interface NodeWorker {
  readonly threadId: number;
  once(event: "exit", listener: () => void): unknown;
}

/** A worker of either host. */
export type WatchableWorker = NodeWorker | Worker;

interface NodeThreads {
  readonly threadId: number;
}

const node: NodeThreads | undefined = globalThis.process?.getBuiltinModule?.("node:worker_threads");
const locks: LockManager | undefined = node === undefined ? globalThis.navigator?.locks : undefined;

/** Node's threads that are known to have ended; their numbers are never used again. */
const ended = new Set<number>();

/** Called when a thread is known to be dead, with the incarnation of its slot. Who listens hears of it, whoever else does. */
type DeathListener = (thread: number, incarnation: number) => void;

/** Which owner of the slot it is. */
export function incarnationOf(kernel: Kernel, thread: number): number {
  return kernel.wordOf(thread, Layout.THREAD_INCARNATION);
}

/** One thread's announcement of itself. */
export class Life {
  /** Settled once the host will tell of this thread's death; at once where it never will. */
  readonly announced: Promise<void>;
  #leave = (): void => undefined;

  constructor(kernel: Kernel) {
    const { words } = kernel;
    const say = (): void => {
      Atomics.store(
        words,
        (kernel.thread + Layout.THREAD_WATCHED) >> 2,
        incarnationOf(kernel, kernel.threadNumber) + 1,
      );
      Atomics.add(words, Layout.LIFE_ANNOUNCED >> 2, 1);
      Atomics.notify(words, Layout.LIFE_ANNOUNCED >> 2);
    };
    if (node !== undefined) {
      words[(kernel.thread + Layout.THREAD_HOST) >> 2] = node.threadId + 1;
      say();
      this.announced = Promise.resolve();
      return;
    }
    const held = new Promise<void>((resolve) => (this.#leave = resolve));
    const name = lockName(kernel, kernel.threadNumber);
    this.announced = new Promise((resolve) => {
      if (locks === undefined) return resolve();
      const granted = (): Promise<void> => {
        if (!kernel.detached) say();
        resolve();
        return held;
      };
      locks.request(name, granted).catch(() => resolve()); // a page that is being closed
    });
  }

  /** The thread leaves by itself. */
  end(): void {
    this.#leave();
  }
}

/** Whether this owner of the slot has said how its death will be known; what an earlier one said does not count. */
function isAnnounced(kernel: Kernel, thread: number): boolean {
  const isFree = kernel.wordOf(thread, Layout.THREAD_STATE) === Layout.THREAD_FREE;
  return !isFree && kernel.wordOf(thread, Layout.THREAD_WATCHED) === incarnationOf(kernel, thread) + 1;
}

/** Named after this owner of the slot: the next one has a name of its own. */
function lockName(kernel: Kernel, thread: number): string {
  const nonce = [0, 4].map((offset) => kernel.word(Layout.LIFE_NONCE + offset).toString(16)).join("-");
  return `iommufd-wasm ${nonce} ${thread} ${incarnationOf(kernel, thread)}`;
}

/** A number that tells a new memory from all others, for the names of locks; Node, which has none, takes milliseconds to find one. */
export function writeNonce(words: Int32Array): void {
  if (node !== undefined) return;
  const at = Layout.LIFE_NONCE >> 2;
  words.set(globalThis.crypto.getRandomValues(new Int32Array(2)), at);
}

/** Whether the thread is known to be dead. */
export async function isDead(kernel: Kernel, thread: number): Promise<boolean> {
  if (thread === kernel.threadNumber || !isAnnounced(kernel, thread)) return false;
  if (node !== undefined) return ended.has(kernel.wordOf(thread, Layout.THREAD_HOST) - 1);
  if (locks === undefined) return false;
  return locks.request(lockName(kernel, thread), { ifAvailable: true }, (lock) => lock !== null);
}

/** Calls `died` for each slot whose thread has ended with the worker (Node), or for each thread that ends (browsers). Returns how to stop. */
export function watchDeaths(kernel: Kernel, worker: WatchableWorker, died: DeathListener): () => void {
  return node === undefined ? watchLocks(kernel, died) : watchExit(kernel, worker as NodeWorker, died);
}

function watchExit(kernel: Kernel, worker: NodeWorker, died: DeathListener): () => void {
  const { threadId } = worker;
  if (typeof worker.once !== "function" || !Number.isInteger(threadId))
    throw invalid("watch", "worker must be a Worker");
  if (threadId < 0) {
    throw failure("ESRCH", "watch", "the worker has ended; watch it while it runs");
  }
  let ofKernel = exits.get(kernel);
  if (ofKernel === undefined) exits.set(kernel, (ofKernel = new WeakMap()));
  const known = ofKernel.get(worker);
  const listeners = known ?? new Set<DeathListener>();
  if (known === undefined) {
    ofKernel.set(worker, listeners);
    worker.once("exit", () => {
      ended.add(threadId);
      for (const { thread, incarnation } of slotsOf(kernel, threadId)) {
        for (const died of [...listeners]) died(thread, incarnation);
      }
    });
  }
  const listener: DeathListener = (thread, incarnation) => died(thread, incarnation);
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Who listens to which worker's end, in Node. */
const exits = new WeakMap<Kernel, WeakMap<NodeWorker, Set<DeathListener>>>();

/** The slots of a thread of Node: it may have attached more than once. */
function slotsOf(kernel: Kernel, threadId: number): { thread: number; incarnation: number }[] {
  return rowsOf(0, 1, Layout.MAX_THREADS)
    .filter((thread) => isAnnounced(kernel, thread) && kernel.wordOf(thread, Layout.THREAD_HOST) === threadId + 1)
    .map((thread) => ({ thread, incarnation: incarnationOf(kernel, thread) }));
}

/** Who watches which memory, in a browser. */
const watchers = new WeakMap<Kernel, LockWatcher>();

function watchLocks(kernel: Kernel, died: DeathListener): () => void {
  let watcher = watchers.get(kernel);
  if (watcher === undefined) watchers.set(kernel, (watcher = new LockWatcher(kernel)));
  const { listeners } = watcher;
  const listener: DeathListener = (thread, incarnation) => died(thread, incarnation);
  listeners.add(listener);
  watcher.start();
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) watcher.stop();
  };
}

/** Queues for the lock of every thread; who gets one has outlived its owner. New threads are noticed by their announcement. */
class LockWatcher {
  readonly listeners = new Set<DeathListener>();
  readonly #kernel: Kernel;
  /** Names of the locks that it waits for; those of an earlier start are being given up. */
  #queued = new Set<string>();
  #controller: AbortController | undefined;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  start(): void {
    if (this.#controller !== undefined) return;
    this.#controller = new AbortController();
    this.#queued = new Set();
    void this.#run(this.#controller.signal);
  }

  stop(): void {
    this.#controller?.abort();
    this.#controller = undefined;
    Atomics.notify(this.#kernel.words, Layout.LIFE_ANNOUNCED >> 2);
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { words } = this.#kernel;
    while (!signal.aborted && !this.#kernel.detached) {
      const seen = Atomics.load(words, Layout.LIFE_ANNOUNCED >> 2);
      for (let thread = 0; thread < Layout.MAX_THREADS; thread++) this.#queueFor(thread, signal);
      const wait = Atomics.waitAsync(words, Layout.LIFE_ANNOUNCED >> 2, seen);
      if (wait.async) await wait.value;
    }
  }

  #queueFor(thread: number, signal: AbortSignal): void {
    const kernel = this.#kernel;
    if (thread === kernel.threadNumber || !isAnnounced(kernel, thread)) return;
    const name = lockName(kernel, thread);
    const queued = this.#queued;
    if (locks === undefined || queued.has(name)) return;
    queued.add(name);
    const outlived = (): void => {
      if (name !== lockName(kernel, thread) || !isAnnounced(kernel, thread)) return;
      const incarnation = incarnationOf(kernel, thread);
      for (const died of [...this.listeners]) died(thread, incarnation);
    };
    locks
      .request(name, { signal }, outlived)
      .catch(() => undefined) // stopped
      .finally(() => queued.delete(name));
  }
}

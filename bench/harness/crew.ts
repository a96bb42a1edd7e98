// SPDX-License-Identifier: GPL-2.0-only
/**
 * Threads that are measured together: they are given their tasks, wait for each other, and work for as long.
 *
 * Nobody but they take part: the last one that arrives at the barrier, a word of shared memory on which all of them spin, lets all
 * go, and each looks at its own clock. So a round's figure is the sum of what each did per second of its own time. Threads that
 * have nothing to do in a round wait for a message, which costs nothing.
 */
import type { Host, Peer } from "./bench.ts";

/** Where and how long a thread works; part of each task. */
export interface Window {
  readonly board: SharedArrayBuffer;
  /** Number of the barrier's word: each round has its own. */
  readonly barrier: number;
  /** How many work together. */
  readonly threads: number;
  readonly milliseconds: number;
}

/** What a thread has done. */
export interface Work {
  readonly operations: number;
  /** Of its own clock. */
  readonly milliseconds: number;
}

const MAX_ROUNDS = 4096;

export class Crew {
  readonly #peers: readonly Peer[];
  readonly #board = new SharedArrayBuffer(MAX_ROUNDS * 4);
  #rounds = 0;

  private constructor(peers: readonly Peer[]) {
    this.#peers = peers;
  }

  /** Starts a thread of bench/workers/`entry` for each of `setups`, which is its first message, and waits for its "ready". */
  static async start(host: Host, entry: string, setups: readonly Setup[]): Promise<Crew> {
    const peers = await Promise.all(setups.map(() => host.spawn(entry)));
    for (const [number, { message, transfer }] of setups.entries()) {
      peers[number]?.post(message, transfer);
      if ((await peers[number]?.next()) !== "ready") throw new Error(`${entry} ${number} is not ready`);
    }
    return new Crew(peers);
  }

  /** One round: each of the first threads does its task. Returns operations per second, all together. */
  async perSecond(tasks: readonly object[], milliseconds: number): Promise<number> {
    const works = await this.round<Work>(tasks, milliseconds);
    return works.reduce((sum, work) => sum + (work.operations * 1000) / work.milliseconds, 0);
  }

  /** One round with answers of any kind. */
  async round<A>(tasks: readonly object[], milliseconds: number): Promise<A[]> {
    const threads = tasks.length;
    const window: Window = { board: this.#board, barrier: this.#rounds++, threads, milliseconds };
    const peers = this.#peers.slice(0, threads);
    peers.forEach((peer, number) => peer.post({ ...tasks[number], ...window }));
    return Promise.all(peers.map((peer) => peer.next() as Promise<A>));
  }

  async end(): Promise<void> {
    await Promise.all(this.#peers.map((peer) => peer.end()));
  }
}

/** A thread's first message. */
export interface Setup {
  readonly message: object;
  readonly transfer?: Transferable[];
}

/** The thread's side: waits until all of the round have come. */
export function meet({ board, barrier, threads }: Window): void {
  const words = new Int32Array(board);
  Atomics.add(words, barrier, 1);
  while (Atomics.load(words, barrier) < threads);
}

/**
 * The thread's side: meets the others, then calls `loop(BATCH, done)` until the time is up. `loop` returns how many of its operations
 * did what they should; all must.
 */
export function work(window: Window, loop: (operations: number, done: number) => number): Work {
  meet(window);
  const start = performance.now();
  let operations = 0;
  let milliseconds: number;
  do {
    const right = loop(BATCH, operations);
    if (right !== BATCH) throw new Error(`${right} of ${BATCH} operations did what they should`);
    operations += BATCH;
    milliseconds = performance.now() - start;
  } while (milliseconds < window.milliseconds);
  return { operations, milliseconds };
}

const BATCH = 256;

// SPDX-License-Identifier: GPL-2.0-only
//
// What the threads of a race share besides the Iommufd: one SharedArrayBuffer of 32-bit words.
//
//   FD          the number of the file that the race is about
//   BARRIER     where all actors of a try meet
//   GATES       one per actor: a LAB_HOLD of this actor goes on when its gate is opened
//   DONE        one per actor: 1 once its call has returned
//   RESULTS     RESULT_WORDS per actor: what its call answered
//   WARNINGS    the kernel warnings of all threads, in order
//   LOG         the lab's destroy log (DestroyLog of iommufd-wasm/replay), in order
//
// Nobody sleeps here but in `meet` and `passGate`, which only threads that may block call. STOP ends both with an error,
// so that one failing thread does not leave the others asleep.

export const MAX_ACTORS = 16;
export const RESULT_WORDS = 3;

const STOP = 0;
const FD = 1;
const BARRIER_COUNT = 2;
const BARRIER_ROUND = 3;
const WARNING_COUNT = 4;
const LOG_LOCK = 5;
const LOG_COUNT = 6;
const GATES = 16;
const DONE = GATES + MAX_ACTORS;
const RESULTS = DONE + MAX_ACTORS;
const WARNINGS = RESULTS + MAX_ACTORS * RESULT_WORDS;
const MAX_WARNINGS = 1024;
const LOG = WARNINGS + MAX_WARNINGS;
const MAX_LOG = 1 << 16;

const KINDS = ["release:users", "refcount:decrement_hit_0_leaking_memory", "other"];

/** Looks at the barrier before a thread sleeps: a few microseconds, what the slowest actor of a try needs to arrive. */
const SPINS = 3000;

/** Thrown out of a wait when another thread has failed: that one's error is the one to report. */
export class Stopped extends Error {}

export class Board {
  /** @param {SharedArrayBuffer} buffer */
  constructor(buffer = new SharedArrayBuffer((LOG + 2 * MAX_LOG) * 4)) {
    this.buffer = buffer;
    this.words = new Int32Array(buffer);
  }

  get fd() {
    return Atomics.load(this.words, FD);
  }
  set fd(number) {
    Atomics.store(this.words, FD, number);
  }

  /** Ends every wait on the board, now and later. */
  stop() {
    Atomics.store(this.words, STOP, 1);
    Atomics.notify(this.words, BARRIER_ROUND);
    for (let actor = 0; actor < MAX_ACTORS; actor++) Atomics.notify(this.words, GATES + actor);
  }

  #checkStop() {
    if (Atomics.load(this.words, STOP) !== 0) throw new Stopped();
  }

  /** Returns when `count` threads have called it. */
  meet(count) {
    const { words } = this;
    const round = Atomics.load(words, BARRIER_ROUND);
    if (Atomics.add(words, BARRIER_COUNT, 1) === count - 1) {
      Atomics.store(words, BARRIER_COUNT, 0);
      Atomics.add(words, BARRIER_ROUND, 1);
      Atomics.notify(words, BARRIER_ROUND);
      return;
    }
    for (let spin = 0; spin < SPINS; spin++) if (Atomics.load(words, BARRIER_ROUND) !== round) return;
    while (Atomics.load(words, BARRIER_ROUND) === round) {
      this.#checkStop();
      Atomics.wait(words, BARRIER_ROUND, round);
    }
  }

  closeGates() {
    for (let actor = 0; actor < MAX_ACTORS; actor++) {
      Atomics.store(this.words, GATES + actor, 0);
      Atomics.store(this.words, DONE + actor, 0);
    }
  }

  openGate(actor) {
    Atomics.store(this.words, GATES + actor, 1);
    Atomics.notify(this.words, GATES + actor);
  }

  /** Sleeps until the actor's gate is open. */
  passGate(actor) {
    while (Atomics.load(this.words, GATES + actor) === 0) {
      this.#checkStop();
      Atomics.wait(this.words, GATES + actor, 0);
    }
  }

  setDone(actor) {
    Atomics.store(this.words, DONE + actor, 1);
  }

  /** @returns {boolean} */
  isDone(actor) {
    return Atomics.load(this.words, DONE + actor) === 1;
  }

  /** @param {readonly number[]} values */
  setResult(actor, values) {
    for (let n = 0; n < RESULT_WORDS; n++)
      Atomics.store(this.words, RESULTS + actor * RESULT_WORDS + n, values[n] ?? 0);
  }

  /** @returns {number[]} */
  result(actor) {
    return Array.from({ length: RESULT_WORDS }, (_, n) => Atomics.load(this.words, RESULTS + actor * RESULT_WORDS + n));
  }

  /** @param {string} kind */
  addWarning(kind) {
    const known = KINDS.indexOf(kind);
    const at = Atomics.add(this.words, WARNING_COUNT, 1);
    if (at < MAX_WARNINGS) Atomics.store(this.words, WARNINGS + at, known < 0 ? KINDS.length - 1 : known);
  }

  /** The warnings since the last call, oldest first. @returns {string[]} */
  takeWarnings() {
    const count = Math.min(Atomics.exchange(this.words, WARNING_COUNT, 0), MAX_WARNINGS);
    return Array.from({ length: count }, (_, n) => KINDS[Atomics.load(this.words, WARNINGS + n)] ?? "");
  }

  /** The destroy log; entries beyond its room are counted and not kept. */
  get log() {
    const { words } = this;
    const lock = () => {
      while (Atomics.compareExchange(words, LOG_LOCK, 0, 1) !== 0);
    };
    const unlock = () => Atomics.store(words, LOG_LOCK, 0);
    return {
      /** @param {number} type @param {number} id */
      append(type, id) {
        lock();
        const at = words[LOG_COUNT]++;
        if (at < MAX_LOG) words.set([type, id], LOG + 2 * at);
        unlock();
      },
      /** @param {number} capacity @param {(pairs: Uint32Array) => void} deliver @returns {number} */
      take(capacity, deliver) {
        lock();
        try {
          const count = words[LOG_COUNT];
          deliver(Uint32Array.from(words.subarray(LOG, LOG + 2 * Math.min(count, capacity, MAX_LOG))));
          words[LOG_COUNT] = 0;
          return count;
        } finally {
          unlock();
        }
      },
    };
  }
}

// SPDX-License-Identifier: GPL-2.0-only
//
// What the threads of a race share besides the kernel: one SharedArrayBuffer of 32-bit words.
//
//   STOP       every wait on the board ends, now and later
//   GOES_ON    the leader says before each try whether there is one
//   FD         number of the try's file
//   BARRIER    where all actors meet: how many have come, and the number of the meeting
//   WARNINGS   kinds of the kernel's warnings, in order, of all threads
//   RESULTS    RESULT_WORDS for each actor: what its call answered
//   LOG        type and ID of each object whose destroy callback ran, in order; as many as the memory has room for
//
// Only threads that may block wait here, in `meet`. Whoever stores STOP makes a new meeting of it afterwards, so that a thread that has
// not seen the one finds the other and does not sleep.

import type { DestroyLog } from "../../replay/log.js";

const STOP = 0;
const GOES_ON = 1;
const FD = 2;
const ARRIVED = 3;
const MEETING = 4;
const WARNING_COUNT = 5;
const LOG_LOCK = 6;
const LOG_COUNT = 7;
const WARNINGS = 16;
const MAX_WARNINGS = 1024;
const RESULTS = WARNINGS + MAX_WARNINGS;
const RESULT_WORDS = 3;
/** Threads that may have a result, or anything else of their own, on a board. */
export const MAX_ACTORS = 16;
const LOG = RESULTS + MAX_ACTORS * RESULT_WORDS;
/** Objects that a try of a race destroys, and many more. */
const MAX_LOG = 64;

/** Warnings that a race can have; any other kind is told apart from them, no more. */
const KINDS: readonly string[] = ["release:users", "refcount:decrement_hit_0_leaking_memory"];
const OTHER = "another warning";

/** Looks at the meeting before a worker sleeps: a few microseconds, what the slowest actor needs to come. */
const SPINS = 3000;

/** Thrown out of a wait on a board that was stopped. */
export class Stopped extends Error {}

/** The threads' shared words. */
export class RaceBoard {
  readonly buffer: SharedArrayBuffer;
  readonly words: Int32Array;
  /** The lab's destroy log. Entries beyond its room are counted and not kept. Context: taking and appending exclude each other by a spin lock. */
  readonly log: DestroyLog;

  /** `more` words lie behind the log, for a subclass. */
  constructor(buffer?: SharedArrayBuffer, maxLog = MAX_LOG, more = 0) {
    this.buffer = buffer ?? new SharedArrayBuffer((LOG + 2 * maxLog + more) * Int32Array.BYTES_PER_ELEMENT);
    this.words = new Int32Array(this.buffer);
    this.log = logOf(this.words, maxLog);
  }

  /** Ends every wait, now and later. */
  stop(): void {
    Atomics.store(this.words, STOP, 1);
    Atomics.add(this.words, MEETING, 1);
    Atomics.notify(this.words, MEETING);
  }

  get isStopped(): boolean {
    return Atomics.load(this.words, STOP) === 1;
  }

  /** @throws Stopped once `stop` was called */
  checkStop(): void {
    if (this.isStopped) throw new Stopped();
  }

  get goesOn(): boolean {
    return Atomics.load(this.words, GOES_ON) === 1;
  }
  set goesOn(value: boolean) {
    Atomics.store(this.words, GOES_ON, value ? 1 : 0);
  }

  get fd(): number {
    return Atomics.load(this.words, FD);
  }
  set fd(number: number) {
    Atomics.store(this.words, FD, number);
  }

  /** How often all have met: it changes as long as they get on. */
  get meetings(): number {
    return Atomics.load(this.words, MEETING);
  }

  /** Returns when `count` threads have called it. @throws Stopped once `stop` was called */
  meet(count: number): void {
    const { words } = this;
    const meeting = Atomics.load(words, MEETING);
    this.checkStop(); // after the load: who has seen the meeting that stopping makes, sees STOP
    if (Atomics.add(words, ARRIVED, 1) === count - 1) {
      Atomics.store(words, ARRIVED, 0);
      Atomics.add(words, MEETING, 1);
      Atomics.notify(words, MEETING);
      return;
    }
    for (let spin = 0; spin < SPINS; spin++) if (Atomics.load(words, MEETING) !== meeting) break;
    while (Atomics.load(words, MEETING) === meeting) Atomics.wait(words, MEETING, meeting);
    this.checkStop();
  }

  /** Looks at a word `rounds` times: a short while, shorter than any clock shows. */
  dawdle(rounds: number): void {
    for (let round = 0; round < rounds; round++) Atomics.load(this.words, STOP);
  }

  setResult(actor: number, values: readonly number[]): void {
    for (let n = 0; n < RESULT_WORDS; n++)
      Atomics.store(this.words, RESULTS + actor * RESULT_WORDS + n, values[n] ?? 0);
  }

  result(actor: number): number[] {
    return Array.from({ length: RESULT_WORDS }, (_, n) => Atomics.load(this.words, RESULTS + actor * RESULT_WORDS + n));
  }

  addWarning(kind: string): void {
    const known = KINDS.indexOf(kind);
    const at = Atomics.add(this.words, WARNING_COUNT, 1);
    if (at < MAX_WARNINGS) Atomics.store(this.words, WARNINGS + at, known);
  }

  /** The warnings since the last call. */
  takeWarnings(): string[] {
    const count = Math.min(Atomics.exchange(this.words, WARNING_COUNT, 0), MAX_WARNINGS);
    return Array.from({ length: count }, (_, n) => KINDS[Atomics.load(this.words, WARNINGS + n)] ?? OTHER);
  }
}

function logOf(words: Int32Array, maxLog: number): DestroyLog {
  const lock = (): void => {
    while (Atomics.compareExchange(words, LOG_LOCK, 0, 1) !== 0);
  };
  const unlock = (): void => void Atomics.store(words, LOG_LOCK, 0);
  return {
    append(type, id) {
      lock();
      const at = Atomics.add(words, LOG_COUNT, 1);
      if (at < maxLog) words.set([type, id], LOG + 2 * at);
      unlock();
    },
    take(capacity, deliver) {
      lock();
      try {
        const count = Atomics.load(words, LOG_COUNT);
        deliver(Uint32Array.from(words.subarray(LOG, LOG + 2 * Math.min(count, capacity, maxLog))));
        Atomics.store(words, LOG_COUNT, 0);
        return count;
      } finally {
        unlock();
      }
    },
  };
}

// SPDX-License-Identifier: GPL-2.0-only
//
// What the workers of a running race share besides the kernel: one SharedArrayBuffer of 32-bit words.
//
//   STOP       the page wants the race to end
//   GOES_ON    the leader says before each try whether there is one
//   FD         number of the try's file
//   BARRIER    where all actors meet: how many have come, and the number of the meeting
//   WARNINGS   kinds of the kernel's warnings, in order, of all threads
//   LOG        type and ID of each object whose destroy callback ran, in order
//   RESULTS    RESULT_WORDS for each actor: what its call answered
//
// Only workers wait here. The page stores STOP and goes on. Log and warnings are taken by the leader when all have met, so that nobody
// appends at that moment.

const STOP = 0;
const GOES_ON = 1;
const FD = 2;
const ARRIVED = 3;
const MEETING = 4;
const WARNING_COUNT = 5;
const LOG_COUNT = 6;
const WARNINGS = 16;
const MAX_WARNINGS = 64;
const LOG = WARNINGS + MAX_WARNINGS;
const MAX_LOG = 64;
const RESULTS = LOG + 2 * MAX_LOG;
const RESULT_WORDS = 3;
const MAX_ACTORS = 8;

/** Warnings that a race can have; any other kind is told apart from them, no more. */
const KINDS: readonly string[] = ["release:users", "refcount:decrement_hit_0_leaking_memory"];
const OTHER = "another warning";

/** Looks at the meeting before a worker sleeps: a few microseconds, what the slowest actor needs to come. */
const SPINS = 3000;

/** The workers' shared words. */
export class RaceBoard {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;

  constructor(buffer = new SharedArrayBuffer((RESULTS + MAX_ACTORS * RESULT_WORDS) * 4)) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
  }

  /** Asks the workers to end. */
  stop(): void {
    Atomics.store(this.#words, STOP, 1);
  }

  get isStopped(): boolean {
    return Atomics.load(this.#words, STOP) === 1;
  }

  get goesOn(): boolean {
    return Atomics.load(this.#words, GOES_ON) === 1;
  }
  set goesOn(value: boolean) {
    Atomics.store(this.#words, GOES_ON, value ? 1 : 0);
  }

  get fd(): number {
    return Atomics.load(this.#words, FD);
  }
  set fd(number: number) {
    Atomics.store(this.#words, FD, number);
  }

  /** Returns when `count` workers have called it. */
  meet(count: number): void {
    const words = this.#words;
    const meeting = Atomics.load(words, MEETING);
    if (Atomics.add(words, ARRIVED, 1) === count - 1) {
      Atomics.store(words, ARRIVED, 0);
      Atomics.add(words, MEETING, 1);
      Atomics.notify(words, MEETING);
      return;
    }
    for (let spin = 0; spin < SPINS; spin++) if (Atomics.load(words, MEETING) !== meeting) return;
    while (Atomics.load(words, MEETING) === meeting) Atomics.wait(words, MEETING, meeting);
  }

  /** Looks at a word `rounds` times: a short while, shorter than any clock shows. */
  dawdle(rounds: number): void {
    for (let round = 0; round < rounds; round++) Atomics.load(this.#words, STOP);
  }

  setResult(actor: number, values: readonly number[]): void {
    for (let n = 0; n < RESULT_WORDS; n++)
      Atomics.store(this.#words, RESULTS + actor * RESULT_WORDS + n, values[n] ?? 0);
  }

  result(actor: number): number[] {
    return Array.from({ length: RESULT_WORDS }, (_, n) =>
      Atomics.load(this.#words, RESULTS + actor * RESULT_WORDS + n),
    );
  }

  addWarning(kind: string): void {
    const known = KINDS.indexOf(kind);
    const at = Atomics.add(this.#words, WARNING_COUNT, 1);
    if (at < MAX_WARNINGS) Atomics.store(this.#words, WARNINGS + at, known);
  }

  /** The warnings since the last call. */
  takeWarnings(): string[] {
    const count = Math.min(Atomics.exchange(this.#words, WARNING_COUNT, 0), MAX_WARNINGS);
    return Array.from({ length: count }, (_, n) => KINDS[Atomics.load(this.#words, WARNINGS + n)] ?? OTHER);
  }

  /** An object's destroy callback ran. */
  addDestroyed(type: number, id: number): void {
    const at = Atomics.add(this.#words, LOG_COUNT, 1);
    if (at >= MAX_LOG) return;
    Atomics.store(this.#words, LOG + 2 * at, type);
    Atomics.store(this.#words, LOG + 2 * at + 1, id);
  }

  /** What was destroyed since the last call: type, ID, type, ID … */
  takeDestroyed(): number[] {
    const count = Math.min(Atomics.exchange(this.#words, LOG_COUNT, 0), MAX_LOG);
    return Array.from({ length: 2 * count }, (_, n) => Atomics.load(this.#words, LOG + n));
  }
}

// SPDX-License-Identifier: GPL-2.0-only
//
// Finds data races by vector clocks, as FastTrack does, in the memory model of JavaScript and WebAssembly.
//
// Two accesses race when they touch the same byte, at least one writes, at least one is plain, and neither happens before the
// other. What orders accesses of different threads: an atomic load that reads what an atomic store of the same address and width
// wrote, a notify and the wait that it ends, and a death and the program that waits for it. Relaxed accesses order nothing, and race
// with plain ones only.
//
// Clocks never go back: each execution starts all threads at a common clock above all earlier ones, so whatever is left in the
// tables counts as ordered before, and nothing needs to be wiped.

import { Failure } from "./failure.js";

const LIMIT = 0x7000_0000;

export class RaceChecker {
  readonly #threads: number;
  readonly #bytes: number;
  /** Row t: what thread t knows of each thread's clock. */
  readonly #clocks: Int32Array;
  #base = 0;
  // The last plain write of a byte, the last plain read by each thread, the last atomic ones of a word by each thread.
  readonly #writeClock: Int32Array;
  readonly #writer: Uint8Array;
  readonly #reads: Int32Array;
  readonly #atomicReads: Int32Array;
  readonly #atomicWrites: Int32Array;
  /** What an atomic write released: by word, a row of clocks, valid when the stamp is the execution's and the width fits. */
  readonly #released: Int32Array;
  readonly #releasedStamp: Int32Array;
  readonly #releasedWidth: Uint8Array;
  #stamp = 0;
  #exempt: [number, number][] = [];

  constructor(threads: number, bytes: number) {
    this.#threads = threads;
    this.#bytes = bytes;
    this.#clocks = new Int32Array(threads * threads);
    this.#writeClock = new Int32Array(bytes);
    this.#writer = new Uint8Array(bytes);
    this.#reads = new Int32Array(bytes * threads);
    const words = bytes >> 2;
    this.#atomicReads = new Int32Array(words * threads);
    this.#atomicWrites = new Int32Array(words * threads);
    this.#released = new Int32Array(words * threads);
    this.#releasedStamp = new Int32Array(words);
    this.#releasedWidth = new Uint8Array(words);
  }

  /** Bytes whose plain accesses may race: user memory. */
  exempt(from: number, to: number): void {
    this.#exempt.push([from, to]);
  }

  begin(): void {
    const threads = this.#threads;
    let highest = this.#base;
    for (let t = 0; t < threads; t++) highest = Math.max(highest, this.#clocks[t * threads + t]!);
    if (highest > LIMIT) {
      for (const table of [this.#writeClock, this.#reads, this.#atomicReads, this.#atomicWrites]) table.fill(0);
      highest = 0;
    }
    this.#base = highest + 1;
    this.#stamp++;
    this.#clocks.fill(this.#base);
    for (let t = 0; t < threads; t++) this.#clocks[t * threads + t] = this.#base + 1;
  }

  plainRead(thread: number, address: number, bytes: number): void {
    const threads = this.#threads;
    const row = thread * threads;
    const own = this.#clocks[row + thread]!;
    const reads = thread * this.#bytes;
    for (let at = address; at < address + bytes; at++) {
      const written = this.#writeClock[at]!;
      if (written > this.#clocks[row + this.#writer[at]!]!)
        this.#fail(thread, "plain read", this.#writer[at]!, "plain write", at);
      this.#reads[reads + at] = own;
    }
    const words = this.#bytes >> 2;
    for (let word = address >> 2; word << 2 < address + bytes; word++) {
      for (let other = 0; other < threads; other++) {
        if (other === thread) continue;
        if (this.#atomicWrites[other * words + word]! > this.#clocks[row + other]!) {
          this.#fail(thread, "plain read", other, "atomic or relaxed write", word << 2);
        }
      }
    }
  }

  plainWrite(thread: number, address: number, bytes: number, what = "plain write"): void {
    const threads = this.#threads;
    const row = thread * threads;
    const own = this.#clocks[row + thread]!;
    for (let at = address; at < address + bytes; at++) {
      const written = this.#writeClock[at]!;
      if (written > this.#clocks[row + this.#writer[at]!]!)
        this.#fail(thread, what, this.#writer[at]!, "plain write", at);
      this.#writeClock[at] = own;
      this.#writer[at] = thread;
    }
    const words = this.#bytes >> 2;
    const endWord = (address + bytes + 3) >> 2;
    for (let other = 0; other < threads; other++) {
      if (other === thread) continue;
      const known = this.#clocks[row + other]!;
      const reads = other * this.#bytes;
      for (let at = address; at < address + bytes; at++) {
        if (this.#reads[reads + at]! > known) this.#fail(thread, what, other, "plain read", at);
      }
      for (let word = other * words + (address >> 2); word < other * words + endWord; word++) {
        if (this.#atomicWrites[word]! > known || this.#atomicReads[word]! > known) {
          this.#fail(thread, what, other, "atomic or relaxed access", (word - other * words) << 2);
        }
      }
    }
    for (let word = address >> 2; word < endWord; word++) this.#releasedStamp[word] = 0;
  }

  /** An atomic (or relaxed) access: against plain ones, and with `acquire` and `release` the order that it makes. */
  atomic(thread: number, address: number, bytes: number, writes: boolean, relaxed: boolean): void {
    const threads = this.#threads;
    const row = thread * threads;
    const clocks = this.#clocks;
    const own = clocks[row + thread]!;
    const first = address >> 2;
    if (!relaxed && this.#releasedStamp[first] === this.#stamp && this.#releasedWidth[first] === bytes) {
      for (let t = 0; t < threads; t++) {
        const released = this.#released[first * threads + t]!;
        if (released > clocks[row + t]!) clocks[row + t] = released;
      }
    }
    for (let at = address; at < address + bytes; at++) {
      if (this.#writeClock[at]! > clocks[row + this.#writer[at]!]!) {
        this.#fail(thread, relaxed ? "relaxed access" : "atomic access", this.#writer[at]!, "plain write", at);
      }
    }
    const words = this.#bytes >> 2;
    const table = writes ? this.#atomicWrites : this.#atomicReads;
    for (let word = first; word < first + (bytes >> 2); word++) {
      table[thread * words + word] = own;
      if (writes) this.#releasedStamp[word] = 0;
    }
    if (!writes) return;
    for (let other = 0; other < threads; other++) {
      if (other === thread) continue;
      const known = clocks[row + other]!;
      for (let at = address; at < address + bytes; at++) {
        if (this.#reads[other * this.#bytes + at]! > known) {
          this.#fail(thread, relaxed ? "relaxed write" : "atomic write", other, "plain read", at);
        }
      }
    }
    if (relaxed) return;
    for (let t = 0; t < threads; t++) this.#released[first * threads + t] = clocks[row + t]!;
    this.#releasedStamp[first] = this.#stamp;
    this.#releasedWidth[first] = bytes;
    clocks[row + thread] = own + 1;
  }

  /** Everything that `from` did so far happens before what `to` does next. */
  order(from: number, to: number): void {
    const threads = this.#threads;
    for (let t = 0; t < threads; t++) {
      const known = this.#clocks[from * threads + t]!;
      if (known > this.#clocks[to * threads + t]!) this.#clocks[to * threads + t] = known;
    }
    this.#clocks[from * threads + from]!++;
  }

  #fail(thread: number, what: string, other: number, before: string, at: number): void {
    for (const [from, to] of this.#exempt) if (at >= from && at < to) return;
    throw new Failure(
      "race",
      `${what} by thread ${thread} races with a ${before} by thread ${other}, byte 0x${at.toString(16)}`,
    );
  }
}

// SPDX-License-Identifier: GPL-2.0-only
//
// Which bytes may be touched. Every byte is forbidden, live or freed; the core's alloc and free reports change it.
//
// Besides, within one call of the core a thread must not touch a slot in two lives: once before it was freed and again after it was
// allocated anew, unless the thread itself allocated it.
//
// Invariant: after restore() the map is what it was at keep().

import { Failure } from "./failure.js";

const FORBIDDEN = 0;
const LIVE = 1;
const FREED = 2;
const GRANULE_SHIFT = 3;
const LARGEST_SLOT = 1024;

export class LiveBytes {
  readonly #state: Uint8Array;
  #kept: Uint8Array;
  #changes: [number, number][] = [];
  #nullEnd = 0;
  /** By granule: the first granule of its slot, + 1; and by first granule, its life. */
  readonly #slot: Int32Array;
  readonly #life: Int32Array;
  // By thread and first granule: in which call it was last touched, and in which life.
  readonly #seenCall: Int32Array;
  readonly #seenLife: Int32Array;
  readonly #call: Int32Array;
  readonly #granules: number;
  #calls = 0;

  constructor(threads: number, bytes: number) {
    this.#state = new Uint8Array(bytes);
    this.#kept = new Uint8Array(bytes);
    this.#granules = bytes >> GRANULE_SHIFT;
    this.#slot = new Int32Array(this.#granules);
    this.#life = new Int32Array(this.#granules);
    this.#seenCall = new Int32Array(this.#granules * threads);
    this.#seenLife = new Int32Array(this.#granules * threads);
    this.#call = new Int32Array(threads);
  }

  allow(from: number, to: number): void {
    this.#state.fill(LIVE, from, to);
  }
  forbid(from: number, to: number): void {
    this.#state.fill(FORBIDDEN, from, to);
  }
  /** Bytes below can be read, never written. */
  nullPage(end: number): void {
    this.#nullEnd = end;
  }

  count(from: number, to: number): { live: number; freed: number } {
    let live = 0;
    let freed = 0;
    for (let at = from; at < to; at++) {
      if (this.#state[at] === LIVE) live++;
      else if (this.#state[at] === FREED) freed++;
    }
    return { live, freed };
  }

  keep(): void {
    this.#kept = this.#state.slice();
    this.#changes = [];
  }
  restore(): void {
    for (const [from, to] of this.#changes) this.#state.set(this.#kept.subarray(from, to), from);
    this.#changes.length = 0;
  }

  beginCall(thread: number): void {
    this.#call[thread] = ++this.#calls;
  }

  access(thread: number, address: number, bytes: number, writes: boolean): void {
    const state = this.#state;
    for (let at = address; at < address + bytes; at++) {
      if (state[at] !== LIVE) {
        throw new Failure(
          "memory",
          `thread ${thread} ${writes ? "writes" : "reads"} 0x${at.toString(16)}, which is ${state[at] === FREED ? "free" : "no memory of the core"}`,
        );
      }
    }
    if (writes && address < this.#nullEnd) {
      throw new Failure("memory", `thread ${thread} writes 0x${address.toString(16)}, in the null page`);
    }
    const slot = this.#slot[address >> GRANULE_SHIFT]!;
    if (slot === 0) return;
    const at = thread * this.#granules + slot - 1;
    const life = this.#life[slot - 1]!;
    if (this.#seenCall[at] === this.#call[thread]) {
      if (this.#seenLife[at] === life) return;
      throw new Failure(
        "memory",
        `thread ${thread} touches 0x${address.toString(16)} in a second life of its slot within one call`,
      );
    }
    this.#seenCall[at] = this.#call[thread]!;
    this.#seenLife[at] = life;
  }

  alloc(thread: number, address: number, bytes: number): void {
    this.#set(address, bytes, LIVE);
    if (bytes > LARGEST_SLOT) return;
    const first = address >> GRANULE_SHIFT;
    this.#slot.fill(first + 1, first, (address + bytes) >> GRANULE_SHIFT);
    this.#life[first]!++;
    const at = thread * this.#granules + first;
    this.#seenCall[at] = this.#call[thread]!;
    this.#seenLife[at] = this.#life[first]!;
  }

  free(thread: number, address: number, bytes: number): void {
    for (let at = address; at < address + bytes; at++) {
      if (this.#state[at] !== LIVE) {
        throw new Failure("memory", `thread ${thread} frees 0x${at.toString(16)}, which is not allocated`);
      }
    }
    this.#set(address, bytes, FREED);
    // Whoever frees a slot knows it: meeting it again later in the call is no mistake.
    this.#seenCall[thread * this.#granules + (address >> GRANULE_SHIFT)] = 0;
  }

  #set(address: number, bytes: number, state: number): void {
    this.#state.fill(state, address, address + bytes);
    this.#changes.push([address, address + bytes]);
  }
}

// SPDX-License-Identifier: GPL-2.0-only
//
// Depth-first search over all schedules with at most N preemptions (Musuvathi, Qadeer 2007): a switch away from a thread that could
// have gone on is one; a switch where the thread blocks or ends is free.
//
// A thread is preempted only before an operation on a shared place: one that two processes used, one of them writing, in any
// execution so far. Preempting it earlier reaches the same states. When an execution makes more places shared, the search of this
// bound starts again (`grew`).

import { DepthFirst, MOST_EVENTS } from "../../bindings/explorer/depth-first.js";
import type { Scheduler } from "../../bindings/explorer/scheduler.js";
import { PROCESSES, emptyEvent, type Event, type Strategy } from "../../bindings/explorer/strategy.js";

/** Which places several processes use; goes on from bound to bound. */
export class SharedPlaces {
  readonly isShared: Uint8Array;
  /** The process that used it + 1; and whether anybody wrote it. */
  readonly #user: Uint8Array;
  readonly #written: Uint8Array;
  grew = false;

  constructor(places: number) {
    this.isShared = new Uint8Array(places);
    this.#user = new Uint8Array(places);
    this.#written = new Uint8Array(places);
  }

  use(place: number, process: number, writes: boolean): void {
    if (this.isShared[place] !== 0) return;
    if (writes) this.#written[place] = 1;
    const user = this.#user[place]!;
    if (user === 0) this.#user[place] = process + 1;
    else if (user !== process + 1) this.#user[place] = 255;
    if (this.#user[place] === 255 && this.#written[place] !== 0) {
      this.isShared[place] = 1;
      this.grew = true;
    }
  }
}

export class Bounded extends DepthFirst implements Strategy {
  readonly #bound: number;
  readonly #shared: SharedPlaces;
  readonly #left = new Int32Array(MOST_EVENTS);
  readonly #spent = new Int32Array(MOST_EVENTS);
  readonly #current = new Int8Array(MOST_EVENTS);
  readonly #enabled = new Int32Array(MOST_EVENTS);
  readonly #pending = emptyEvent();

  constructor(bound: number, shared: SharedPlaces) {
    super();
    this.#bound = bound;
    this.#shared = shared;
  }

  pick(enabled: number, current: number, scheduler: Scheduler): number {
    const node = this.depth;
    if (node < this.fixed) return this.process[node]!;
    const canGoOn = current >= 0 && ((enabled >> current) & 1) !== 0;
    const process = canGoOn ? current : 31 - Math.clz32(enabled & -enabled);
    const spent = this.#spent[node]!;
    let options = enabled;
    if (canGoOn) {
      const mayPreempt = spent < this.#bound && this.#touchesShared(current, scheduler);
      options = mayPreempt ? enabled : 1 << current;
    }
    this.#current[node] = current;
    this.#enabled[node] = enabled;
    this.#left[node] = options & ~(1 << process);
    return this.first(node, process);
  }

  #touchesShared(process: number, scheduler: Scheduler): boolean {
    const pending = this.#pending;
    if (!scheduler.footprintOf(process, pending)) return false;
    const { isShared } = this.#shared;
    for (let place = pending.place; place < pending.place + pending.places; place++)
      if (isShared[place] !== 0) return true;
    return pending.queue >= 0 && isShared[pending.queue] !== 0;
  }

  event(event: Event): void {
    const node = this.happened();
    const process = event.process % (PROCESSES / 2);
    for (let place = event.place; place < event.place + event.places; place++)
      this.#shared.use(place, process, event.writes);
    if (event.queue >= 0) this.#shared.use(event.queue, process, event.queueWrites);
    if (!this.isNew(node)) return;
    const current = this.#current[node]!;
    const preempts = current >= 0 && event.process !== current && ((this.#enabled[node]! >> current) & 1) !== 0;
    this.#spent[node + 1] = this.#spent[node]! + (preempts ? 1 : 0);
  }

  protected override others(node: number): number {
    return this.#left[node]!;
  }

  protected override tries(node: number, process: number): void {
    this.#left[node]! &= ~(1 << process);
  }
}

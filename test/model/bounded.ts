// SPDX-License-Identifier: GPL-2.0-only
//
// Depth-first search over all schedules with at most N preemptions (Musuvathi, Qadeer 2007): a switch away from a thread that could
// have gone on is one; a switch where the thread blocks or ends is free.
//
// A thread is preempted only before an operation on a shared place: one that two processes used, one of them writing, in any
// execution so far. Preempting it earlier reaches the same states. When an execution makes more places shared, the search of this
// bound starts again (`grew`).

import type { Scheduler } from "../../bindings/explorer/scheduler.js";
import { PROCESSES, emptyEvent, type Event, type Strategy } from "../../bindings/explorer/strategy.js";

const MOST_EVENTS = 1 << 13;

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

export class Bounded implements Strategy {
  readonly #bound: number;
  readonly #shared: SharedPlaces;
  readonly #process = new Uint8Array(MOST_EVENTS);
  readonly #left = new Int32Array(MOST_EVENTS);
  readonly #spent = new Int32Array(MOST_EVENTS);
  readonly #current = new Int8Array(MOST_EVENTS);
  readonly #enabled = new Int32Array(MOST_EVENTS);
  readonly #ways: [number, number][][] = [];
  #depth = 0;
  #fixed = 0;
  #asked = 0;
  readonly #pending = emptyEvent();

  constructor(bound: number, shared: SharedPlaces) {
    this.#bound = bound;
    this.#shared = shared;
  }

  get choices(): { processes: number[]; answers: number[] } {
    const answers: number[] = [];
    for (let node = 0; node < this.#depth; node++) for (const [answer] of this.#ways[node] ?? []) answers.push(answer);
    return { processes: [...this.#process.subarray(0, this.#depth)], answers };
  }

  begin(): void {
    this.#depth = 0;
  }

  pick(enabled: number, current: number, scheduler: Scheduler): number {
    const node = this.#depth;
    if (node < this.#fixed) return this.#process[node]!;
    const canGoOn = current >= 0 && ((enabled >> current) & 1) !== 0;
    const process = canGoOn ? current : 31 - Math.clz32(enabled & -enabled);
    const spent = this.#spent[node]!;
    let options = enabled;
    if (canGoOn) {
      const mayPreempt = spent < this.#bound && this.#touchesShared(current, scheduler);
      options = mayPreempt ? enabled : 1 << current;
    }
    this.#process[node] = process;
    this.#current[node] = current;
    this.#enabled[node] = enabled;
    this.#left[node] = options & ~(1 << process);
    this.#ways[node] = [];
    return process;
  }

  #touchesShared(process: number, scheduler: Scheduler): boolean {
    const pending = this.#pending;
    if (!scheduler.footprintOf(process, pending)) return false;
    const { isShared } = this.#shared;
    for (let place = pending.place; place < pending.place + pending.places; place++)
      if (isShared[place] !== 0) return true;
    return pending.queue >= 0 && isShared[pending.queue] !== 0;
  }

  choose(count: number): number {
    const ways = (this.#ways[this.#depth] ??= []);
    if (this.#asked < ways.length) return ways[this.#asked++]![0];
    ways.push([0, count]);
    this.#asked++;
    return 0;
  }

  event(event: Event): void {
    const node = this.#depth++;
    if (node >= MOST_EVENTS - 1) throw new Error("an execution has too many events");
    this.#asked = 0;
    const process = event.process % (PROCESSES / 2);
    for (let place = event.place; place < event.place + event.places; place++)
      this.#shared.use(place, process, event.writes);
    if (event.queue >= 0) this.#shared.use(event.queue, process, event.queueWrites);
    if (node < this.#fixed && node + 1 < this.#fixed) return;
    const current = this.#current[node]!;
    const preempts = current >= 0 && event.process !== current && ((this.#enabled[node]! >> current) & 1) !== 0;
    this.#spent[node + 1] = this.#spent[node]! + (preempts ? 1 : 0);
  }

  next(): boolean {
    for (let node = this.#depth - 1; node >= 0; node--) {
      const ways = this.#ways[node]!;
      while (ways.length > 0) {
        const last = ways[ways.length - 1]!;
        if (++last[0] < last[1]) return this.#restart(node);
        ways.pop();
      }
      const left = this.#left[node]!;
      if (left === 0) continue;
      const chosen = 31 - Math.clz32(left & -left);
      this.#process[node] = chosen;
      this.#left[node] = left & ~(1 << chosen);
      return this.#restart(node);
    }
    return false;
  }

  #restart(node: number): boolean {
    this.#fixed = node + 1;
    return true;
  }
}

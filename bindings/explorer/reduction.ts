// SPDX-License-Identifier: GPL-2.0-only
//
// Depth-first search over schedules that leaves out what cannot differ: source-set dynamic partial-order reduction with sleep sets
// (Abdulla, Aronis, Jonsson, Sagonas 2014).
//
// Two events depend on each other if they touch the same word and one writes, if one is a notify and the other a wait, timeout or
// notify on the same word, or if one woke or started the other. Schedules that differ only in the order of independent neighbours
// are the same. After each event the search looks for races: an earlier event of another process that this one depends on with
// nothing in between. For each it makes sure that, at the earlier event, some process is tried that leads to the other order.
//
// What blocks needs care:
// - a pause that was disabled where the race would be reversed is not tried there; the search goes back to the last conflicting
//   event at which it was enabled;
// - a notify stops the clocks of those that it wakes, so each of these clocks is tried in its place;
// - wakes and starts come after their cause in any order, so they are no race.
//
// Vocabulary, beyond that of depth-first.ts: backtrack, the processes to be tried at a node; sleep, those that need not be.

import { DepthFirst, MOST_EVENTS } from "./depth-first.js";
import { Pruned } from "./failure.js";
import { PAUSE } from "./operation.js";
import type { Scheduler } from "./scheduler.js";
import { PROCESSES, emptyEvent, type Event, type Strategy } from "./strategy.js";

export class Reduction extends DepthFirst implements Strategy {
  /** With false: every schedule. */
  readonly #reduces: boolean;
  // By event, or the node before it.
  readonly #enabled = new Int32Array(MOST_EVENTS);
  readonly #backtrack = new Int32Array(MOST_EVENTS);
  readonly #tried = new Int32Array(MOST_EVENTS);
  readonly #sleep = new Int32Array(MOST_EVENTS);
  readonly #clocks = new Int32Array(MOST_EVENTS * PROCESSES);
  readonly #writesAt = new Int32Array(MOST_EVENTS);
  // By place: the last event that wrote it, + 1, and the last that read it by each process.
  readonly #lastWrite: Int32Array;
  readonly #lastRead: Int32Array;
  readonly #used: Int32Array;
  readonly #isUsed: Uint8Array;
  #usedCount = 0;
  /** Row p: the last event of each process that comes before the next event of p, + 1. */
  readonly #before = new Int32Array(PROCESSES * PROCESSES);
  readonly #candidates: number[] = [];
  readonly #first = new Int32Array(PROCESSES);
  /** Its next row: with the event that is looked at. */
  readonly #joined = new Int32Array(PROCESSES);
  readonly #other = emptyEvent();

  constructor(places: number, options: { reduces: boolean }) {
    super();
    this.#reduces = options.reduces;
    this.#lastWrite = new Int32Array(places);
    this.#lastRead = new Int32Array(places * PROCESSES);
    this.#used = new Int32Array(places);
    this.#isUsed = new Uint8Array(places);
  }

  override begin(): void {
    super.begin();
    this.#before.fill(0);
    for (let index = 0; index < this.#usedCount; index++) {
      const place = this.#used[index]!;
      this.#isUsed[place] = 0;
      this.#lastWrite[place] = 0;
      this.#lastRead.fill(0, place * PROCESSES, (place + 1) * PROCESSES);
    }
    this.#usedCount = 0;
  }

  pick(enabled: number, current: number): number {
    const node = this.depth;
    if (node < this.fixed) {
      this.#enabled[node] = enabled;
      return this.process[node]!;
    }
    const awake = enabled & ~this.#sleep[node]!;
    if (awake === 0) throw new Pruned();
    const process = current >= 0 && (awake >> current) & 1 ? current : 31 - Math.clz32(awake & -awake);
    this.#enabled[node] = enabled;
    this.#backtrack[node] = this.#reduces ? 1 << process : enabled;
    this.#tried[node] = 1 << process;
    return this.first(node, process);
  }

  event(event: Event, scheduler: Scheduler): void {
    const node = this.happened();
    if (!this.#reduces) {
      if (node >= this.fixed) this.#sleep[node + 1] = 0;
      return;
    }
    this.#order(node, event);
    if (!this.isNew(node)) return;
    let sleep = this.#sleep[node]!;
    const other = this.#other;
    for (let rest = sleep; rest !== 0; rest &= rest - 1) {
      const process = 31 - Math.clz32(rest & -rest);
      if (scheduler.footprintOf(process, other) && conflict(event, other)) sleep &= ~(1 << process);
    }
    this.#sleep[node + 1] = sleep;
  }

  /** Finds the races of the new event, and the events that come before it. */
  #order(node: number, event: Event): void {
    const { process } = event;
    const row = process * PROCESSES;
    const before = this.#before;
    if (event.cause >= 0) this.#join(row, event.cause);
    const looks = this.isNew(node);
    this.#writesAt[node] = event.writes ? event.place + 1 : 0;
    const candidates = this.#candidates;
    candidates.length = 0;
    for (let place = event.place; place < event.place + event.places; place++)
      this.#collect(place, event.writes, process, candidates);
    if (event.queue >= 0) this.#collect(event.queue, event.queueWrites, process, candidates);
    const joined = this.#joined;
    for (let p = 0; p < PROCESSES; p++) joined[p] = before[row + p]!;
    for (const earlier of candidates) joinEvent(joined, this.#clocks, earlier);
    if (looks && candidates.length > 0) this.#reverse(node, event, candidates);
    if (looks && event.stopped !== 0)
      this.#backtrack[node]! |= event.stopped & this.#enabled[node]! & ~this.#sleep[node]!;
    joined[process] = node + 1;
    const clock = node * PROCESSES;
    for (let p = 0; p < PROCESSES; p++) {
      before[row + p] = joined[p]!;
      this.#clocks[clock + p] = joined[p]!;
    }
    for (let place = event.place; place < event.place + event.places; place++)
      this.#mark(place, event.writes, process, node);
    if (event.queue >= 0) this.#mark(event.queue, event.queueWrites, process, node);
    // Who is woken goes on after this event, whatever the waker does next.
    for (let rest = event.wakes; rest !== 0; rest &= rest - 1)
      this.#join((31 - Math.clz32(rest & -rest)) * PROCESSES, process);
    // A clock runs from its thread's wait on.
    if (process < PROCESSES / 2 && event.queue >= 0 && !event.queueWrites)
      this.#join((process + PROCESSES / 2) * PROCESSES, process);
  }

  #collect(place: number, writes: boolean, process: number, into: number[]): void {
    const write = this.#lastWrite[place]! - 1;
    if (write >= 0 && !into.includes(write)) into.push(write);
    if (!writes) return;
    for (let reader = 0; reader < PROCESSES; reader++) {
      const read = this.#lastRead[place * PROCESSES + reader]! - 1;
      if (reader !== process && read >= 0 && !into.includes(read)) into.push(read);
    }
  }

  #mark(place: number, writes: boolean, process: number, node: number): void {
    if (this.#isUsed[place] === 0) {
      this.#isUsed[place] = 1;
      this.#used[this.#usedCount++] = place;
    }
    if (writes) {
      this.#lastWrite[place] = node + 1;
      this.#lastRead.fill(0, place * PROCESSES, (place + 1) * PROCESSES);
    } else this.#lastRead[place * PROCESSES + process] = node + 1;
  }

  #join(row: number, process: number): void {
    const before = this.#before;
    for (let p = 0; p < PROCESSES; p++) {
      const known = before[process * PROCESSES + p]!;
      if (known > before[row + p]!) before[row + p] = known;
    }
  }

  /** Whether event `early` comes before event `late` in every equal schedule. */
  #isBefore(early: number, late: number): boolean {
    return this.#clocks[late * PROCESSES + this.process[early]!]! > early;
  }

  #reverse(node: number, event: Event, candidates: number[]): void {
    const { process } = event;
    for (const earlier of candidates) {
      const rival = this.process[earlier]!;
      if (rival === process || this.#before[process * PROCESSES + rival]! > earlier) continue;
      if (candidates.some((other) => other > earlier && this.#isBefore(earlier, other))) continue;
      if (event.kind === PAUSE && ((this.#enabled[earlier]! >> process) & 1) === 0) {
        this.#reversePause(node, event, earlier);
      } else this.#tryOtherOrder(node, process, earlier);
    }
  }

  /** A pause that never ended may have been possible earlier. */
  blocked(event: Event): void {
    if (!this.#reduces) return;
    const row = event.process * PROCESSES;
    this.#joined.set(this.#before.subarray(row, row + PROCESSES));
    this.#reversePause(this.depth, event, this.depth);
  }

  #reversePause(node: number, { process, place }: Event, from: number): void {
    for (let earlier = from - 1; earlier >= 0; earlier--) {
      const rival = this.process[earlier]!;
      if (rival === process || this.#before[process * PROCESSES + rival]! > earlier) continue;
      const written = this.#writesAt[earlier]! - 1;
      if (written !== place && written !== place - 1) continue;
      if (((this.#enabled[earlier]! >> process) & 1) === 0) continue;
      this.#tryOtherOrder(node, process, earlier);
      return;
    }
  }

  /** At `earlier`, a process must be tried from which the events after it that do not depend on it, and then `process`, can go first. */
  #tryOtherOrder(node: number, process: number, earlier: number): void {
    const first = this.#first.fill(-1);
    let initials = 0;
    const isInitial = (row: Int32Array, offset: number): boolean => {
      for (let p = 0; p < PROCESSES; p++) if (first[p]! >= 0 && row[offset + p]! > first[p]!) return false;
      return true;
    };
    for (let later = earlier + 1; later < node; later++) {
      if (this.#isBefore(earlier, later)) continue;
      const p = this.process[later]!;
      if (first[p]! >= 0) continue;
      if (isInitial(this.#clocks, later * PROCESSES)) initials |= 1 << p;
      first[p] = later;
    }
    if (first[process]! < 0 && isInitial(this.#joined, 0)) initials |= 1 << process;
    if ((initials & (this.#backtrack[earlier]! | this.#sleep[earlier]!)) !== 0) return;
    const possible = initials & this.#enabled[earlier]!;
    // Without a good candidate (an initial that blocks) all are tried.
    if (possible === 0) this.#backtrack[earlier]! |= this.#enabled[earlier]!;
    else this.#backtrack[earlier]! |= (possible >> process) & 1 ? 1 << process : possible & -possible;
  }

  protected override others(node: number): number {
    if (this.#reduces) this.#sleep[node]! |= 1 << this.process[node]!;
    return this.#backtrack[node]! & ~this.#tried[node]! & ~this.#sleep[node]!;
  }

  protected override tries(node: number, process: number): void {
    this.#tried[node]! |= 1 << process;
  }
}

function conflict(a: Event, b: Event): boolean {
  if (a.places > 0 && b.places > 0 && (a.writes || b.writes)) {
    if (a.place < b.place + b.places && b.place < a.place + a.places) return true;
  }
  return a.queue >= 0 && a.queue === b.queue && (a.queueWrites || b.queueWrites);
}

function joinEvent(row: Int32Array, clocks: Int32Array, event: number): void {
  for (let p = 0; p < PROCESSES; p++) {
    const known = clocks[event * PROCESSES + p]!;
    if (known > row[p]!) row[p] = known;
  }
}

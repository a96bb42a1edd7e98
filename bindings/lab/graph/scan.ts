// SPDX-License-Identifier: GPL-2.0-only
//
// When the objects are read, and how much of a frame that may take.
//
// Any thread may change an object at any moment, and nothing announces it: whoever wants to see must look. Looking is
// bounded twice. A slice is what one animation frame reads: it ends after SLICE_MS, and the next frame goes on behind the
// last ID. A pass is all slices from the first object to the last: after one that cost C (its reading, and what its result
// made the page do), the next begins no sooner than C / SHARE after this one began, so the graph takes at most SHARE of the
// page's thread, however many objects there are. With few objects that is every frame.
//
// What only the browser knows the cost of, painting above all, is charged afterwards (`charge`) and waits in the same way.
//
// Invariant: each object of a pass is consistent in itself; the pass is not one moment.

import type { ObjectFacts } from "./facts.js";

/** Most milliseconds of reading in one frame. */
export const SLICE_MS = 4;
/** Most part of the time that looking may take. */
export const SHARE = 0.2;
/** Longest rest because of a charge, milliseconds. */
const MOST_REST_MS = 500;
/** Objects read between two looks at the clock. */
const BATCH = 128;

/** Reads up to `limit` objects from the ID `from` on. */
export type ReadObjects = (from: number, limit: number) => readonly ObjectFacts[];

/** What takes the objects of a pass. */
export interface PassSink {
  begin(): void;
  take(objects: readonly ObjectFacts[]): void;
  /** The pass is complete; what this does counts as its cost. */
  end(): void;
}

/** Passes over the objects, a slice at each call of `step`. */
export class ObjectScan {
  readonly #read: ReadObjects;
  readonly #sink: PassSink;
  readonly #clock: () => number;
  #next = 0;
  #inPass = false;
  #begun = 0;
  #cost = 0;
  #due = -Infinity;

  /** @param clock milliseconds, as `performance.now()` */
  constructor(read: ReadObjects, sink: PassSink, clock: () => number) {
    this.#read = read;
    this.#sink = sink;
    this.#clock = clock;
  }

  /** Reads a slice, if one is due. Returns whether it completed a pass. Throws what reading throws. */
  step(): boolean {
    const start = this.#clock();
    if (!this.#inPass) {
      if (start < this.#due) return false;
      this.#inPass = true;
      this.#next = 0;
      this.#begun = start;
      this.#cost = 0;
      this.#sink.begin();
    }
    const complete = this.#slice(start);
    if (complete) {
      this.#inPass = false;
      this.#sink.end();
    }
    this.#cost += this.#clock() - start;
    if (complete) this.#due = this.#begun + this.#cost / SHARE;
    return complete;
  }

  /** Adds what a pass made the browser do after it: the next one begins so much later that the share holds. */
  charge(milliseconds: number): void {
    const rest = Math.min(milliseconds / SHARE, MOST_REST_MS);
    this.#due = Math.max(this.#due, this.#clock() + rest);
  }

  #slice(start: number): boolean {
    do {
      const objects = this.#read(this.#next, BATCH);
      this.#sink.take(objects);
      const last = objects.at(-1);
      if (last === undefined || objects.length < BATCH) return true;
      this.#next = last.id + 1;
    } while (this.#clock() - start < SLICE_MS);
    return false;
  }
}

// SPDX-License-Identifier: GPL-2.0-only
//
// The newest items of an endless sequence, up to a fixed number.
//
// Invariant: an item has one index for ever, counted from 0 at the first push; `first` … `end - 1` are still there. What falls
// out is returned by the push that displaced it, so that somebody can count it.

/** The newest `capacity` items of a sequence, by their index in it. */
export class Ring<T> {
  readonly #items: (T | undefined)[];
  #first = 0;
  #end = 0;

  /** @param capacity how many items are kept, at least 1 */
  constructor(capacity: number) {
    this.#items = new Array<T | undefined>(capacity).fill(undefined);
  }

  /** How many items can be kept. */
  get capacity(): number {
    return this.#items.length;
  }

  /** Index of the oldest item that is kept. */
  get first(): number {
    return this.#first;
  }

  /** Index that the next item gets. */
  get end(): number {
    return this.#end;
  }

  /** How many items are kept. */
  get length(): number {
    return this.#end - this.#first;
  }

  /** Appends an item; returns the one that fell out. */
  push(item: T): T | undefined {
    const slot = this.#end % this.capacity;
    const displaced = this.length === this.capacity ? this.#items[slot] : undefined;
    if (this.length === this.capacity) this.#first++;
    this.#items[slot] = item;
    this.#end++;
    return displaced;
  }

  /** The item of that index, while it is kept. */
  at(index: number): T | undefined {
    return index >= this.#first && index < this.#end ? this.#items[index % this.capacity] : undefined;
  }

  /** Forgets the oldest item. */
  shift(): void {
    if (this.length === 0) return;
    this.#items[this.#first % this.capacity] = undefined;
    this.#first++;
  }

  /** Forgets all items; indexes go on. */
  clear(): void {
    this.#items.fill(undefined);
    this.#first = this.#end;
  }

  *[Symbol.iterator](): Generator<T> {
    for (let index = this.#first; index < this.#end; index++) yield this.#items[index % this.capacity] as T;
  }
}

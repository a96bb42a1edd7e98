// SPDX-License-Identifier: GPL-2.0-only
/** Rival by hand: the areas in sorted arrays of numbers, found by halving, with everything behind moved at each change. */
import { type AddressSpace, EEXIST, ENOENT, type Scanned, USER, firstFit } from "./address-space.ts";

export class SortedArraySpace implements AddressSpace, Scanned {
  #firsts = new Float64Array(1024);
  #lasts = new Float64Array(1024);
  #users = new Float64Array(1024);
  #count = 0;

  map(first: number, length: number): number {
    const last = first + length - 1;
    const at = this.#lowerBound(first);
    if (at < this.#count && (this.#firsts[at] ?? 0) <= last) return EEXIST;
    this.#insert(at, first, last);
    return 0;
  }

  unmap(first: number, length: number): number {
    const last = first + length - 1;
    const from = this.#lowerBound(first);
    let to = from;
    let sticksOut = false;
    for (; to < this.#count && (this.#firsts[to] ?? 0) <= last; to++) {
      sticksOut = (this.#firsts[to] ?? 0) < first || (this.#lasts[to] ?? 0) > last;
      if (sticksOut) break;
    }
    this.#remove(from, to);
    return sticksOut || to === from ? ENOENT : 0;
  }

  mapAnywhere(length: number): number {
    const first = firstFit(this, length);
    this.#insert(this.#lowerBound(first), first, first + length - 1);
    return first;
  }

  look(address: number): number {
    const found = this.#lowerBound(address);
    if (found === this.#count || (this.#firsts[found] ?? 0) > address) return ENOENT;
    const met = this.#lowerBound(address);
    return met < this.#count && (this.#firsts[met] ?? 0) <= address ? EEXIST : 0;
  }

  scan(step: (first: number, last: number) => boolean): void {
    for (let at = 0; at < this.#count; at++) if (step(this.#firsts[at] ?? 0, this.#lasts[at] ?? 0)) return;
  }

  /** Index of the first area that ends at the address or above. */
  #lowerBound(address: number): number {
    const lasts = this.#lasts;
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((lasts[middle] ?? 0) < address) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #insert(at: number, first: number, last: number): void {
    if (this.#count === this.#firsts.length) {
      this.#firsts = grown(this.#firsts);
      this.#lasts = grown(this.#lasts);
      this.#users = grown(this.#users);
    }
    this.#move(at + 1, at);
    this.#firsts[at] = first;
    this.#lasts[at] = last;
    this.#users[at] = USER;
    this.#count++;
  }

  #remove(from: number, to: number): void {
    this.#move(from, to);
    this.#count -= to - from;
  }

  #move(to: number, from: number): void {
    this.#firsts.copyWithin(to, from, this.#count);
    this.#lasts.copyWithin(to, from, this.#count);
    this.#users.copyWithin(to, from, this.#count);
  }
}

function grown(array: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(array.length * 2);
  larger.set(array);
  return larger;
}

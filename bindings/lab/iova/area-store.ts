// SPDX-License-Identifier: GPL-2.0-only
//
// The areas of one pass, ascending, in so little room that a million of them can be kept, and sums from which any part of them is
// summarised without going through it.
//
// Invariant: entries do not overlap. `readable[i]` is how many IOVAs of the areas 0 … i - 1 a device may read, modulo 2^64, so a difference
// of two of them is exact; `writable` likewise.

/** What is kept of an area; `IoasArea` of the library is such a record. */
export interface AreaFacts {
  readonly start: bigint;
  readonly last: bigint;
  readonly state: "mapped" | "transition";
  readonly read: boolean;
  readonly write: boolean;
  readonly pages: number;
  readonly shared: number;
}

/** Bits of `flags`. */
export const READ = 1;
export const WRITE = 2;
export const TRANSITION = 4;
export const SHARED = 8;

/** A range without areas. */
export interface Hole {
  readonly start: bigint;
  readonly last: bigint;
}

/** Holes between areas that are remembered: the largest. */
export const MOST_HOLES = 31;
/** Between two sortings of the holes. */
const HOLES_KEPT = 512;
const FIRST_CAPACITY = 256;

/** The areas of one pass. */
export class AreaStore {
  count = 0;
  starts = new BigUint64Array(FIRST_CAPACITY);
  lasts = new BigUint64Array(FIRST_CAPACITY);
  readable = new BigUint64Array(FIRST_CAPACITY + 1);
  writable = new BigUint64Array(FIRST_CAPACITY + 1);
  flags = new Uint8Array(FIRST_CAPACITY);
  pages = new Uint32Array(FIRST_CAPACITY);
  /** IOVAs that are mapped. */
  mapped = 0n;
  /** `lasts` as numbers. */
  #roundedLasts = new Float64Array(FIRST_CAPACITY);
  #holes: Hole[] = [];

  /** Forgets all entries and keeps the room. */
  clear(): void {
    this.count = 0;
    this.mapped = 0n;
    this.#holes = [];
  }

  /** Adds areas that lie behind those that are there. */
  add(areas: readonly AreaFacts[]): void {
    for (const area of areas) this.#add(area);
    if (this.#holes.length > HOLES_KEPT) this.#holes = largest(this.#holes);
  }

  /** The largest holes between areas, ascending. */
  holes(): Hole[] {
    this.#holes = largest(this.#holes);
    return [...this.#holes].sort(({ start: a }, { start: b }) => (a < b ? -1 : 1));
  }

  /** Index of the first area that ends at that IOVA or behind it; `count` when there is none. */
  indexFrom(iova: bigint): number {
    // By the rounded numbers first, which is many times faster: they ascend, too.
    const about = Number(iova);
    let [low, high] = [0, this.count];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#roundedLasts[middle] ?? 0) < about) low = middle + 1;
      else high = middle;
    }
    while (low < this.count && (this.lasts[low] ?? 0n) < iova) low++;
    while (low > 0 && (this.lasts[low - 1] ?? 0n) >= iova) low--;
    return low;
  }

  /** Index behind the last area that begins at that IOVA or before it. */
  indexBehind(iova: bigint): number {
    const index = this.indexFrom(iova);
    return index < this.count && (this.starts[index] ?? 0n) <= iova ? index + 1 : index;
  }

  /** The hole that has that IOVA; undefined in an area. */
  holeAt(iova: bigint, last: bigint): Hole | undefined {
    const index = this.indexFrom(iova);
    const next = index < this.count ? this.starts[index] : undefined;
    if (next !== undefined && next <= iova) return undefined;
    const before = index > 0 ? this.lasts[index - 1] : undefined;
    return { start: before === undefined ? 0n : before + 1n, last: next === undefined ? last : next - 1n };
  }

  /** Whether entries from `from` on are those that the other store has there. */
  agrees(other: AreaStore, from: number): boolean {
    if (this.count > other.count) return false;
    for (let index = from; index < this.count; index++) {
      if (
        this.starts[index] !== other.starts[index] ||
        this.lasts[index] !== other.lasts[index] ||
        this.flags[index] !== other.flags[index] ||
        this.pages[index] !== other.pages[index]
      )
        return false;
    }
    return true;
  }

  #add({ start, last, state, read, write, pages, shared }: AreaFacts): void {
    const index = this.count;
    if (index === this.starts.length) this.#grow();
    const length = last - start + 1n;
    this.starts[index] = start;
    this.lasts[index] = last;
    this.#roundedLasts[index] = Number(last);
    this.flags[index] =
      (read ? READ : 0) | (write ? WRITE : 0) | (state === "transition" ? TRANSITION : 0) | (shared > 1 ? SHARED : 0);
    this.pages[index] = pages;
    this.readable[index + 1] = (this.readable[index] ?? 0n) + (read ? length : 0n);
    this.writable[index + 1] = (this.writable[index] ?? 0n) + (write ? length : 0n);
    this.mapped += length;
    const before = index === 0 ? undefined : this.lasts[index - 1];
    if (before !== undefined && start > before + 1n) this.#holes.push({ start: before + 1n, last: start - 1n });
    this.count++;
  }

  #grow(): void {
    const capacity = this.starts.length * 2;
    this.starts = grown(this.starts, new BigUint64Array(capacity));
    this.lasts = grown(this.lasts, new BigUint64Array(capacity));
    this.#roundedLasts = grown(this.#roundedLasts, new Float64Array(capacity));
    this.readable = grown(this.readable, new BigUint64Array(capacity + 1));
    this.writable = grown(this.writable, new BigUint64Array(capacity + 1));
    this.flags = grown(this.flags, new Uint8Array(capacity));
    this.pages = grown(this.pages, new Uint32Array(capacity));
  }
}

function grown<T extends { set(from: T): void }>(from: T, to: T): T {
  to.set(from);
  return to;
}

function largest(holes: readonly Hole[]): Hole[] {
  const length = ({ start, last }: Hole): bigint => last - start;
  return [...holes].sort((a, b) => (length(b) > length(a) ? 1 : -1)).slice(0, MOST_HOLES);
}

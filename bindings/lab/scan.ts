// SPDX-License-Identifier: GPL-2.0-only
//
// When something long is read, and how much of a frame that may take.
//
// Any thread may change what is read at any moment, and nothing announces it: whoever wants to see must look. Looking is
// bounded twice. A slice is what one animation frame reads: it ends after SLICE_MS, and the next frame goes on behind the
// last entry. A pass is all slices from the first entry to the last: after one that cost C (its reading, and what its result
// made the page do), the next begins no sooner than C / SHARE after this one began, so an element takes at most SHARE of the
// page's thread, however many entries there are. With few that is every frame.
//
// What only the browser knows the cost of, painting above all, is charged afterwards (`charge`) and waits in the same way.
//
// Invariant: each entry of a pass is consistent in itself; the pass is not one moment.

/** Most milliseconds of reading in one frame. */
export const SLICE_MS = 4;
/** Most part of the time that looking may take. */
export const SHARE = 0.2;
/** Longest rest because of a charge, milliseconds. */
const MOST_REST_MS = 500;
/** Entries read between two looks at the clock. */
const BATCH = 128;

/** How entries are read: `Key` says where to go on. */
export interface ScanSource<Entry, Key> {
  readonly first: Key;
  /** Up to `limit` entries from `from` on, ascending. */
  read(from: Key, limit: number): readonly Entry[];
  /** Where the entries behind that one begin; undefined: there can be none. */
  after(last: Entry): Key | undefined;
}

/** What takes the entries of a pass. */
export interface PassSink<Entry> {
  begin(): void;
  take(entries: readonly Entry[]): void;
  /** The pass is complete; what this does counts as its cost. */
  end(): void;
}

/** Passes over entries, a slice at each call of `step`. */
export class Scan<Entry, Key> {
  readonly #source: ScanSource<Entry, Key>;
  readonly #sink: PassSink<Entry>;
  readonly #clock: () => number;
  #next: Key;
  #inPass = false;
  #begun = 0;
  #cost = 0;
  #due = -Infinity;

  /** @param clock milliseconds, as `performance.now()` */
  constructor(source: ScanSource<Entry, Key>, sink: PassSink<Entry>, clock: () => number) {
    this.#source = source;
    this.#sink = sink;
    this.#clock = clock;
    this.#next = source.first;
  }

  /** Whether a pass has begun that is not complete. */
  get isAmid(): boolean {
    return this.#inPass;
  }

  /** Reads a slice, if one is due. Returns whether it completed a pass. Throws what reading throws. */
  step(): boolean {
    const start = this.#clock();
    if (!this.#inPass) {
      if (start < this.#due) return false;
      this.#inPass = true;
      this.#next = this.#source.first;
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
      const entries = this.#source.read(this.#next, BATCH);
      this.#sink.take(entries);
      const last = entries.at(-1);
      const next = last === undefined || entries.length < BATCH ? undefined : this.#source.after(last);
      if (next === undefined) return true;
      this.#next = next;
    } while (this.#clock() - start < SLICE_MS);
    return false;
  }
}

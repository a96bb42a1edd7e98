// SPDX-License-Identifier: GPL-2.0-only
//
// What is known about an address space: looks at it in passes (../scan.ts) and keeps the last complete one.
//
// Two stores take turns: one is shown, the other is filled. Until the first pass is complete, what it has found so far is shown.

import { Scan } from "../scan.js";
import { type AreaFacts, AreaStore } from "./area-store.js";
import { type Segment, foldedScale } from "./folded-scale.js";
import { LAST_IOVA } from "./window.js";

/** IOVAs from `start` to the inclusive `last`. */
export interface Range {
  readonly start: bigint;
  readonly last: bigint;
}

/** An address space, as it is read; `Ioas` of the library is such a one. */
export interface AreaSource {
  areas(part: { from: bigint; limit: number }): readonly AreaFacts[];
  reservedRanges(part: { limit: number }): readonly Range[];
  allowedRanges(part: { limit: number }): readonly Range[];
}

/** Reserved and allowed ranges that are shown. */
const MOST_RANGES = 512;

/** Least milliseconds between two pictures of a first pass that is not complete. */
const PROGRESS_MS = 250;

/** Watches one address space. */
export class AreaWatch {
  readonly #scan: Scan<AreaFacts, bigint>;
  #shown = new AreaStore();
  #filled = new AreaStore();
  #complete = false;
  #changed = false;
  #told = -Infinity;
  /** Whether the pass has found nothing new so far. */
  #agrees = false;
  #reserved: readonly Range[] = [];
  #allowed: readonly Range[] = [];
  #scale: Segment[] = foldedScale(undefined, []);

  /** @param clock milliseconds, as `performance.now()` */
  constructor(source: AreaSource, clock: () => number) {
    this.#scan = new Scan(
      {
        first: 0n,
        read: (from, limit) => source.areas({ from, limit }),
        after: ({ last }) => (last === LAST_IOVA ? undefined : last + 1n),
      },
      {
        begin: () => {
          this.#filled.clear();
          this.#agrees = true;
          this.#takeRanges(source);
        },
        take: (areas) => {
          const from = this.#filled.count;
          this.#filled.add(areas);
          if (!this.#complete) this.#tellProgress(clock());
          else this.#agrees &&= this.#filled.agrees(this.#shown, from);
        },
        end: () => this.#end(),
      },
      clock,
    );
  }

  /** What is known: the last complete pass, or the first one as far as it is. */
  get store(): AreaStore {
    return this.#complete ? this.#shown : this.#filled;
  }

  /** Whether a pass was completed. */
  get complete(): boolean {
    return this.#complete;
  }

  /** Where nothing may be mapped. */
  get reserved(): readonly Range[] {
    return this.#reserved;
  }

  /** Where IOVAs are picked from; empty: everywhere. */
  get allowed(): readonly Range[] {
    return this.#allowed;
  }

  /** The whole space with its holes folded. */
  get scale(): readonly Segment[] {
    return this.#scale;
  }

  /** From the first area to the last; undefined without any. */
  get extent(): Range | undefined {
    const { count, starts, lasts } = this.store;
    return count === 0 ? undefined : { start: starts[0] ?? 0n, last: lasts[count - 1] ?? 0n };
  }

  /** Whether a look has begun that is not complete. */
  get isAmid(): boolean {
    return this.#scan.isAmid;
  }

  /** Reads on, for a few milliseconds at most. Returns whether anything is different now. Throws what reading throws. */
  step(): boolean {
    this.#changed = false;
    this.#scan.step();
    return this.#changed;
  }

  /** Adds what showing it cost. */
  charge(milliseconds: number): void {
    this.#scan.charge(milliseconds);
  }

  #takeRanges(source: AreaSource): void {
    const reserved = source.reservedRanges({ limit: MOST_RANGES });
    const allowed = source.allowedRanges({ limit: MOST_RANGES });
    if (sameRanges(reserved, this.#reserved) && sameRanges(allowed, this.#allowed)) return;
    this.#reserved = reserved;
    this.#allowed = allowed;
    this.#changed = true;
  }

  #tellProgress(now: number): void {
    if (now - this.#told < PROGRESS_MS) return;
    this.#told = now;
    this.#changed = true;
  }

  #end(): void {
    if (this.#complete && this.#agrees && this.#filled.count === this.#shown.count) return;
    [this.#shown, this.#filled] = [this.#filled, this.#shown];
    this.#complete = true;
    this.#changed = true;
    this.#scale = foldedScale(this.extent, this.#shown.holes());
  }
}

function sameRanges(a: readonly Range[], b: readonly Range[]): boolean {
  return a.length === b.length && a.every(({ start, last }, at) => start === b[at]?.start && last === b[at].last);
}

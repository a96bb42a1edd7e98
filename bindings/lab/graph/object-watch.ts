// SPDX-License-Identifier: GPL-2.0-only
//
// What is known about a file's objects: looks at them (scan.ts) and keeps the last complete look, what happened before it, or,
// beyond MOST_DRAWN objects, their sums.
//
// Invariant: `summary` is set exactly while the objects are only added up; `model` and `histories` are empty then. Between
// the two lies some room, so that a number of objects around the limit does not make the picture change all the time.

import { MOST_DRAWN } from "./cards.js";
import type { ObjectFacts } from "./facts.js";
import { Histories } from "./history.js";
import { type Changes, GraphModel } from "./model.js";
import { ObjectScan, type ReadObjects } from "./scan.js";
import { type Summary, Summing } from "./summary.js";

/** Once added up, objects are drawn again from this number down. */
const DRAWN_AGAIN = MOST_DRAWN - 100;

/** What a complete look found. */
export type Finding =
  | { readonly kind: "objects"; readonly changes: Changes; readonly modeChanged: boolean }
  | { readonly kind: "summary"; readonly summary: Summary; readonly modeChanged: boolean };

/** Watches the objects of one file. */
export class ObjectWatch {
  readonly model = new GraphModel();
  readonly histories = new Histories();
  readonly #scan: ObjectScan;
  readonly #clock: () => number;
  readonly #found: (finding: Finding) => void;
  #summary: Summary | undefined;
  #pass: ObjectFacts[] = [];
  #summing = new Summing();
  #complete = false;

  /**
   * @param found takes each complete look that found something new, and the first one
   * @param clock milliseconds, as `performance.now()`
   */
  constructor(read: ReadObjects, found: (finding: Finding) => void, clock: () => number) {
    this.#found = found;
    this.#clock = clock;
    const sink = {
      begin: (): void => this.#begin(),
      take: (objects: readonly ObjectFacts[]): void => this.#take(objects),
      end: (): void => this.#end(),
    };
    this.#scan = new ObjectScan(read, sink, clock);
  }

  /** The objects added up, while they are too many. */
  get summary(): Summary | undefined {
    return this.#summary;
  }

  /** Whether there was a complete look. */
  get complete(): boolean {
    return this.#complete;
  }

  /** How many objects there are. */
  get count(): number {
    return this.#summary?.objects ?? this.model.objects.size;
  }

  /** Whether a look has begun that is not complete. */
  get isAmid(): boolean {
    return this.#scan.isAmid;
  }

  /** Looks for a slice of time, if it is time to look; to be called in each frame. Throws what reading throws. */
  step(): void {
    this.#scan.step();
  }

  /** Adds what the last look made the browser do, in milliseconds; see ObjectScan. */
  charge(milliseconds: number): void {
    this.#scan.charge(milliseconds);
  }

  #begin(): void {
    this.#pass = [];
    this.#summing = new Summing();
  }

  #take(objects: readonly ObjectFacts[]): void {
    if (this.#pass.length <= MOST_DRAWN) for (const object of objects) this.#pass.push(object);
    this.#summing.take(objects);
  }

  #end(): void {
    const pass = this.#pass;
    this.#pass = [];
    const first = !this.#complete;
    this.#complete = true;
    const summarised = pass.length > (this.#summary === undefined ? MOST_DRAWN : DRAWN_AGAIN);
    const modeChanged = first || summarised !== (this.#summary !== undefined);
    if (summarised) {
      const summary = this.#summing.result();
      const same = !modeChanged && JSON.stringify(summary) === JSON.stringify(this.#summary);
      this.#summary = summary;
      if (modeChanged) {
        this.model.clear();
        this.histories.clear();
      }
      if (!same) this.#found({ kind: "summary", summary, modeChanged });
    } else {
      this.#summary = undefined;
      const changes = this.model.update(pass);
      this.histories.note(changes, this.#clock(), modeChanged);
      if (modeChanged || changes.structure || changes.changed.length > 0) {
        this.#found({ kind: "objects", changes, modeChanged });
      }
    }
  }
}

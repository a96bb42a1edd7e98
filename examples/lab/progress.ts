// SPDX-License-Identifier: GPL-2.0-only
//
// How far a student got, kept in the browser: the lesson that is open, a place in each lesson, and which ones were finished.
//
// What is stored is read as if a stranger had written it: whatever does not fit counts as nothing. Where a browser keeps no
// storage (private windows, sandboxed frames), progress lasts as long as the page.

import type { Facts } from "./lessons/lesson.js";

/** The part of a Storage that is used. */
export type Store = Pick<Storage, "getItem" | "setItem" | "removeItem">;

/** How far a student is in a lesson. */
export interface Place {
  /** Steps that are done or were left out. */
  readonly step: number;
  /** What they remembered; empty for lessons that are repeated. */
  readonly facts: Facts;
  /** Those that were left out. */
  readonly leftOut: readonly number[];
}

const KEY = "iommufd-lab-progress";

/** A student's progress. */
export class Progress {
  readonly #store: Store | undefined;
  #finished = new Set<string>();
  #places = new Map<string, Place>();
  #lesson: string | undefined;

  /** Reads what is stored. */
  constructor(store: Store | undefined) {
    this.#store = store;
    const { finished, lesson, places } = parse(attempt(() => store?.getItem(KEY)));
    if (Array.isArray(finished)) this.#finished = new Set(finished.filter((id) => typeof id === "string"));
    if (typeof lesson === "string") this.#lesson = lesson;
    for (const [id, value] of Object.entries(recordOf(places))) {
      const place = readPlace(value);
      if (place !== undefined) this.#places.set(id, place);
    }
  }

  /** ID of the lesson that was open last. */
  get lesson(): string | undefined {
    return this.#lesson;
  }

  /** How far the student was in the lesson; undefined where he never was in it. */
  placeIn(lesson: string): Place | undefined {
    return this.#places.get(lesson);
  }

  /** Whether the lesson was finished once. */
  isFinished(lesson: string): boolean {
    return this.#finished.has(lesson);
  }

  /** Remembers which lesson is open. */
  open(lesson: string): void {
    this.#lesson = lesson;
    this.#save();
  }

  /** Remembers how far the student is in a lesson. */
  keep(lesson: string, place: Place): void {
    this.#places.set(lesson, place);
    this.#save();
  }

  /** Remembers that the lesson is finished. */
  finish(lesson: string): void {
    this.#finished.add(lesson);
    this.#save();
  }

  /** Forgets everything. */
  reset(): void {
    this.#finished.clear();
    this.#places.clear();
    this.#lesson = undefined;
    attempt(() => this.#store?.removeItem(KEY));
  }

  #save(): void {
    const text = JSON.stringify({
      finished: [...this.#finished],
      lesson: this.#lesson,
      places: Object.fromEntries(this.#places),
    });
    attempt(() => this.#store?.setItem(KEY, text));
  }
}

/** The page's storage; undefined where the browser gives none. */
export function localStore(): Store | undefined {
  return attempt(() => localStorage);
}

function parse(text: string | null | undefined): Readonly<Record<string, unknown>> {
  return recordOf(attempt(() => JSON.parse(text ?? "null") as unknown));
}

function readPlace(value: unknown): Place | undefined {
  const { step, facts, leftOut } = recordOf(value);
  if (!isIndex(step)) return undefined;
  return {
    step,
    facts: Object.fromEntries(
      Object.entries(recordOf(facts)).filter((entry): entry is [string, number] => typeof entry[1] === "number"),
    ),
    leftOut: Array.isArray(leftOut) ? leftOut.filter(isIndex) : [],
  };
}

function isIndex(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 0;
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

/** A browser may refuse any use of its storage. */
function attempt<T>(use: () => T): T | undefined {
  try {
    return use();
  } catch {
    return undefined;
  }
}

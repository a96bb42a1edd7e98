// SPDX-License-Identifier: GPL-2.0-only
//
// How far a student got, kept in the browser.
//
// What is stored is read as if a stranger had written it: whatever does not fit counts as nothing. Where a browser keeps no
// storage (private windows, sandboxed frames), progress lasts as long as the page.

/** The part of a Storage that is used. */
export type Store = Pick<Storage, "getItem" | "setItem" | "removeItem">;

/** Where a student is. */
export interface Place {
  /** ID of a lesson. */
  readonly lesson: string;
  /** Steps of it that are done. */
  readonly step: number;
}

const KEY = "iommufd-lab-progress";

/** A student's progress. */
export class Progress {
  readonly #store: Store | undefined;
  #finished = new Set<string>();
  #place: Place | undefined;

  /** Reads what is stored. */
  constructor(store: Store | undefined) {
    this.#store = store;
    const saved = parse(attempt(() => store?.getItem(KEY)));
    if (Array.isArray(saved?.finished)) this.#finished = new Set(saved.finished.filter((id) => typeof id === "string"));
    const { lesson, step } = saved ?? {};
    if (typeof lesson === "string" && Number.isInteger(step) && Number(step) >= 0) {
      this.#place = { lesson, step: Number(step) };
    }
  }

  /** Where the student was last. */
  get place(): Place | undefined {
    return this.#place;
  }

  /** Whether the lesson was finished once. */
  isFinished(lesson: string): boolean {
    return this.#finished.has(lesson);
  }

  /** Remembers where the student is. */
  moveTo(place: Place): void {
    this.#place = place;
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
    this.#place = undefined;
    attempt(() => this.#store?.removeItem(KEY));
  }

  #save(): void {
    const text = JSON.stringify({ finished: [...this.#finished], ...this.#place });
    attempt(() => this.#store?.setItem(KEY, text));
  }
}

/** The page's storage; undefined where the browser gives none. */
export function localStore(): Store | undefined {
  return attempt(() => localStorage);
}

function parse(
  text: string | null | undefined,
): { finished?: unknown[]; lesson?: unknown; step?: unknown } | undefined {
  const value: unknown = attempt(() => JSON.parse(text ?? "null") as unknown);
  return typeof value === "object" && value !== null ? value : undefined;
}

/** A browser may refuse any use of its storage. */
function attempt<T>(use: () => T): T | undefined {
  try {
    return use();
  } catch {
    return undefined;
  }
}

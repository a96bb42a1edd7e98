// SPDX-License-Identifier: GPL-2.0-only
//
// Lists of names to choose from: those whose thing is still good for something, and a few of those that are not any more.

import type { Random } from "../support/random.ts";

/** How many used-up names are remembered, to be misused. */
const STALE = 12;

export class Names {
  readonly #live: number[] = [];
  readonly #stale: number[] = [];
  readonly #isLive: (name: number) => boolean;

  constructor(isLive: (name: number) => boolean) {
    this.#isLive = isLive;
  }

  add(name: number): void {
    this.#live.push(name);
  }

  /** A name whose thing lives, if there is one. */
  live(random: Random): number | undefined {
    while (this.#live.length > 0) {
      const at = random.below(this.#live.length);
      const name = this.#live[at] as number;
      if (this.#isLive(name)) return name;
      this.#live[at] = this.#live.at(-1) as number;
      this.#live.pop();
      this.#stale.push(name);
      if (this.#stale.length > STALE) this.#stale.shift();
    }
    return undefined;
  }

  /** Mostly a live name, now and then one that is used up. */
  any(random: Random): number | undefined {
    if (this.#stale.length > 0 && random.oneIn(16)) return random.pick(this.#stale);
    const live = this.live(random);
    return live !== undefined || this.#stale.length === 0 || !random.oneIn(8) ? live : random.pick(this.#stale);
  }

  all(): number[] {
    return this.#live.filter((name) => this.#isLive(name));
  }

  /** Live ones and some that are dead already. */
  get size(): number {
    return this.#live.length;
  }
}

/** One of the keys, by its weight. */
export function weighted<K extends string>(random: Random, weights: Readonly<Record<K, number>>): K {
  const entries = Object.entries(weights) as [K, number][];
  let at = random.below(entries.reduce((sum, [, weight]) => sum + weight, 0));
  for (const [key, weight] of entries) {
    at -= weight;
    if (at < 0) return key;
  }
  throw new Error("no weights");
}

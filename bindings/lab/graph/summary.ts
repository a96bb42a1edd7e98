// SPDX-License-Identifier: GPL-2.0-only
//
// Too many objects to draw, added up: how many of each type in each state, and how many references lead from type to type.
//
// Filled a batch at a time, so that it can follow a pass through 100,000 objects. A reference to an object that the pass has
// not reached yet waits until the end; one whose target has gone meanwhile is left out.

import { type ObjectFacts, type State } from "./facts.js";

/** IDs remembered of each type. */
const SAMPLE = 12;

/** One type's objects. */
export interface TypeSummary {
  readonly number: number;
  readonly name: string;
  readonly objects: number;
  readonly states: Readonly<Record<State, number>>;
  readonly users: number;
  readonly holders: number;
  /** The first IDs. */
  readonly first: readonly number[];
}

/** References from one type to another. */
export interface EdgeSummary {
  readonly from: number;
  readonly to: number;
  readonly references: number;
}

/** All objects, added up. */
export interface Summary {
  readonly objects: number;
  /** By type number. */
  readonly types: readonly TypeSummary[];
  readonly edges: readonly EdgeSummary[];
}

interface Sum {
  number: number;
  name: string;
  objects: number;
  states: Record<State, number>;
  users: number;
  holders: number;
  first: number[];
}

/** Adds up the objects of one pass. */
export class Summing {
  readonly #sums = new Map<number, Sum>();
  readonly #typeOf = new Map<number, number>();
  readonly #edges = new Map<number, Map<number, number>>();
  readonly #ahead: [from: number, target: number][] = [];
  #objects = 0;

  /** Adds objects. */
  take(objects: readonly ObjectFacts[]): void {
    this.#objects += objects.length;
    for (const object of objects) {
      const { number } = object.type;
      this.#typeOf.set(object.id, number);
      const sum = this.#sumOf(object);
      sum.objects++;
      sum.states[object.state]++;
      sum.users += object.users;
      sum.holders += object.holders;
      if (sum.first.length < SAMPLE) sum.first.push(object.id);
      for (const target of object.references) {
        if (!this.#count(number, target)) this.#ahead.push([number, target]);
      }
    }
  }

  /** What was added. */
  result(): Summary {
    for (const [from, target] of this.#ahead.splice(0)) this.#count(from, target);
    const types = [...this.#sums.values()].sort((a, b) => a.number - b.number);
    const edges = [...this.#edges].flatMap(([from, targets]) =>
      [...targets].map(([to, references]) => ({ from, to, references })),
    );
    return { objects: this.#objects, types, edges: edges.sort((a, b) => a.from - b.from || a.to - b.to) };
  }

  #count(from: number, target: number): boolean {
    const to = this.#typeOf.get(target);
    if (to === undefined) return false;
    const targets = this.#edges.get(from) ?? new Map<number, number>();
    this.#edges.set(from, targets.set(to, (targets.get(to) ?? 0) + 1));
    return true;
  }

  #sumOf({ type }: ObjectFacts): Sum {
    let sum = this.#sums.get(type.number);
    if (sum === undefined) {
      sum = {
        number: type.number,
        name: type.name,
        objects: 0,
        states: { reserved: 0, live: 0, destroying: 0, leaked: 0 },
        users: 0,
        holders: 0,
        first: [],
      };
      this.#sums.set(type.number, sum);
    }
    return sum;
  }
}

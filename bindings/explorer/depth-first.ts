// SPDX-License-Identifier: GPL-2.0-only
//
// A depth-first search over schedules: the choices of the last execution, and which of them is made another way next.
//
// Each execution makes the choices below `fixed` as the one before it, but for the last of these, which is another one; from there on
// the strategy chooses freely. The ways of a notify are chosen like processes, innermost: all of them before the node's next process.
//
// Vocabulary: node, the choice before event i; way, the answer to a question in event i.

import type { Schedule } from "./schedule.js";

/** Events of an execution, and more than any model has. */
export const MOST_EVENTS = 1 << 13;

/** What strategies that search have in common. A subclass says what is chosen first, and what else. */
export abstract class DepthFirst {
  /** By node: who was chosen. */
  protected readonly process = new Uint8Array(MOST_EVENTS);
  protected depth = 0;
  /** Nodes below are replayed; the last one of them was changed. */
  protected fixed = 0;
  /** For each question of an event in turn: answer and number of answers. */
  readonly #ways: [number, number][][] = [];
  #asked = 0;

  /** The choices of the last execution: processes, and answers to the questions of notifies. */
  get choices(): Schedule {
    const answers: number[] = [];
    for (let node = 0; node < this.depth; node++) for (const [answer] of this.#ways[node] ?? []) answers.push(answer);
    return { processes: [...this.process.subarray(0, this.depth)], answers };
  }

  begin(): void {
    this.depth = 0;
  }

  choose(count: number): number {
    const ways = (this.#ways[this.depth] ??= []);
    if (this.#asked < ways.length) return ways[this.#asked++]![0];
    ways.push([0, count]);
    this.#asked++;
    return 0;
  }

  /** Prepares the next execution. Return: false when all were explored. */
  next(): boolean {
    for (let node = this.depth - 1; node >= 0; node--) {
      const ways = this.#ways[node]!;
      while (ways.length > 0) {
        const last = ways[ways.length - 1]!;
        if (++last[0] < last[1]) return this.#restart(node);
        ways.pop();
      }
      const left = this.others(node);
      if (left === 0) continue;
      const chosen = 31 - Math.clz32(left & -left);
      this.process[node] = chosen;
      this.tries(node, chosen);
      return this.#restart(node);
    }
    return false;
  }

  /** A node that is not replayed: who goes on. */
  protected first(node: number, process: number): number {
    this.process[node] = process;
    this.#ways[node] = [];
    return process;
  }

  /** The event of the newest node has happened. Return: that node. */
  protected happened(): number {
    const node = this.depth++;
    if (node >= MOST_EVENTS - 1) throw new Error("an execution has too many events");
    this.#asked = 0;
    return node;
  }

  /** Whether the node's event is one that the execution before this one had not. */
  protected isNew(node: number): boolean {
    return node >= this.fixed - 1;
  }

  /** Mask of the processes that are still to be tried there, when all is done for the one that was. */
  protected abstract others(node: number): number;

  /** One of these is tried next. */
  protected abstract tries(node: number, process: number): void;

  #restart(node: number): boolean {
    this.fixed = node + 1;
    return true;
  }
}

// SPDX-License-Identifier: GPL-2.0-only
//
// All that step-by-step programs can do: every order of their steps, by depth-first search and running again from the start.
//
// A state that was seen before is not gone into again. Two runs are in the same state when what the tasks share is the same
// and each task has had the same answers to its steps, because what a task does next depends on those alone (steps.ts); so
// nothing is lost by that. A task that is done counts by its result only.
//
// Clocks. "any": a sleep may last as long or as short as it likes, so that all orders are explored. "virtual": time goes on
// only while nobody can take a step, as if each step took no time; tasks that wake up at the same time do so in any order.
//
// Invariant: a state in which nobody can step and somebody is not done is an error, and so is anything that a step throws;
// the message ends with the schedule that led there.

import type { Step, Steps } from "./steps.ts";

/** One fresh start: programs, and what they share. */
export interface World<O> {
  readonly tasks: readonly Steps<string>[];
  /** What the tasks share, as text. */
  readonly snapshot: () => string;
  /** When all tasks are done: what came of it. */
  readonly finish: (results: string[]) => O;
}

export type Clock = "any" | "virtual";

export interface Explored<O> {
  /** In the order of discovery, each once. */
  readonly outcomes: O[];
  readonly states: number;
  /** Runs from the start. */
  readonly runs: number;
}

/** A point at which the search may still take another way. */
interface Choice {
  readonly tasks: readonly number[];
  next: number;
}

/**
 * Everything that can come of the programs of `start`, which is to be the same each time it is called.
 *
 * `prune` false: goes into every state each time it is met, to show that pruning loses nothing. Small programs only.
 */
export function explore<O>(start: () => World<O>, clock: Clock = "any", prune = true): Explored<O> {
  const outcomes = new Map<string, O>();
  const seen = new Set<string>();
  const answers = new Answers();
  const path: Choice[] = [];
  let runs = 0;
  do {
    runs++;
    const run = new Run(start(), clock, answers);
    for (const { tasks, next } of path) run.take(tasks[next]);
    for (;;) {
      const state = run.state();
      if (prune && seen.has(state)) break;
      seen.add(state);
      const tasks = run.ready();
      if (tasks.length === 0) {
        const outcome = run.finish();
        outcomes.set(JSON.stringify(outcome), outcome);
        break;
      }
      path.push({ tasks, next: 0 });
      run.take(tasks[0]);
    }
    for (let last = path.at(-1); last !== undefined && ++last.next === last.tasks.length; last = path.at(-1))
      path.pop();
  } while (path.length > 0);
  return { outcomes: [...outcomes.values()], states: seen.size, runs };
}

/** Runs one program that nobody disturbs. */
export function runAlone(program: Steps<string>): string {
  const run = new Run(
    { tasks: [program], snapshot: () => "", finish: ([result = ""]) => result },
    "any",
    new Answers(),
  );
  for (let [task] = run.ready(); task !== undefined; [task] = run.ready()) run.take(task);
  return run.finish();
}

/** Numbers for sequences of answers: the same sequence, the same number. */
class Answers {
  readonly #numbers = new Map<string, number>();

  after(sequence: number, answer: unknown): number {
    const key = `${sequence} ${textOf(answer)}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    this.#numbers.set(key, this.#numbers.size + 1);
    return this.#numbers.size;
  }
}

/** Plain values by themselves, the kernel's things by their address. */
function textOf(answer: unknown): string {
  if (typeof answer === "string") return answer;
  if (typeof answer !== "object" || answer === null) return `${answer as number | boolean | undefined}`;
  return (answer as { address: string }).address;
}

class Run<O> {
  readonly #world: World<O>;
  readonly #virtual: boolean;
  readonly #answers: Answers;
  readonly #pending: (Step | undefined)[];
  /** What each task was told so far, or its result once it is done. */
  readonly #heard: (number | string)[];
  readonly #wakes: number[];
  readonly #results: string[] = [];
  readonly #schedule: string[] = [];
  #now = 0;

  constructor(world: World<O>, clock: Clock, answers: Answers) {
    this.#world = world;
    this.#virtual = clock === "virtual";
    this.#answers = answers;
    this.#pending = world.tasks.map(() => undefined);
    this.#heard = world.tasks.map(() => 0);
    this.#wakes = world.tasks.map(() => 0);
    world.tasks.forEach((_, task) => this.#resume(task, undefined));
  }

  /** Lets a task go on to its next step. */
  #resume(task: number, answer: unknown): void {
    const next = this.#world.tasks[task]?.next(answer);
    if (next?.done) {
      this.#results[task] = next.value;
      this.#heard[task] = `=${next.value}`;
    }
    this.#pending[task] = next?.done ? undefined : next?.value;
    this.#wakes[task] = this.#now + (this.#pending[task]?.sleeps ?? 0);
  }

  take(task = 0): void {
    const step = this.#pending[task];
    if (step === undefined) throw new Error(`task ${task} is done`);
    this.#schedule.push(`${task}: ${step.label}`);
    if (this.#virtual) this.#now = Math.max(this.#now, this.#wakes[task] ?? 0);
    try {
      const answer = step.run();
      this.#heard[task] = this.#answers.after(Number(this.#heard[task]), answer);
      this.#resume(task, answer);
    } catch (error) {
      throw this.#wrong(String(error));
    }
  }

  /** The tasks that can take a step now. */
  ready(): number[] {
    const can = (task: number) => this.#pending[task] !== undefined && (this.#pending[task]?.when?.() ?? true);
    const able = this.#world.tasks.map((_, task) => task).filter(can);
    if (!this.#virtual) return able;
    const awake = able.filter((task) => (this.#wakes[task] ?? 0) <= this.#now);
    if (awake.length > 0) return awake;
    const earliest = Math.min(...able.map((task) => this.#wakes[task] ?? 0));
    return able.filter((task) => this.#wakes[task] === earliest);
  }

  state(): string {
    const time = this.#virtual ? `${this.#now} ${this.#wakes.join()} ` : "";
    return `${time}${this.#heard.join()} ${this.#world.snapshot()}`;
  }

  finish(): O {
    if (this.#pending.some((step) => step !== undefined)) throw this.#wrong("deadlock");
    return this.#world.finish(this.#results);
  }

  #wrong(what: string): Error {
    return new Error(`${what}\n  ${this.#schedule.join("\n  ")}`);
  }
}

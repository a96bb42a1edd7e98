// SPDX-License-Identifier: GPL-2.0-only
//
// A student's way through one lesson: what happened goes in, the step that is to be done comes out.
//
// Nothing here knows a page. Invariant: steps before `step` are done or were passed over, `facts` is what they remembered,
// and `evidence()` covers what happened since the present step began, so an old call never does a later step by chance. Only the
// races of the step before count on where a step says so (`continuesRaces`).
// Calls are judged one by one: a step may be done by the first of several that are reported together.
// A lesson that the student has left for another one hears nothing; it is told only what may have taken what it had built (`overhear`).

import type { ObjectInfo } from "iommufd-wasm";
import type { LabCall } from "iommufd-wasm/lab";
import type { Place } from "./progress.js";
import type { Already, DefinitionText, Evidence, Facts, Lesson, RaceSeen, Step, UserMemory } from "./lessons/lesson.js";

/** What a lesson can hear of. */
export type Happening =
  | { readonly kind: "calls"; readonly calls: readonly LabCall[] }
  | { readonly kind: "reopened" }
  /** The page's button made these objects. */
  | { readonly kind: "sampled"; readonly ids: readonly number[] }
  /** The student takes what is there already. */
  | { readonly kind: "taken" }
  | { readonly kind: "selected"; readonly id: number }
  | { readonly kind: "answered"; readonly value: number }
  | { readonly kind: "raced"; readonly race: RaceSeen }
  | { readonly kind: "defined"; readonly definition: DefinitionText };

/** What a lesson looks at by itself. */
export interface World {
  /** What the open file has now. */
  objects(): readonly ObjectInfo[];
  readonly memory: UserMemory;
  /** Whether real threads can be had. */
  readonly threads: boolean;
}

const FILE_CLOSED = "The file was closed, and the objects of this lesson went with it. So it begins again.";

/** A step needs its last calls only. */
const KEPT_CALLS = 100;

interface Seen {
  calls: LabCall[];
  selected: number[];
  answers: number[];
  races: RaceSeen[];
  defined: DefinitionText[];
  sampled: number[];
  reopened: number;
}

/** One student in one lesson. */
export class LessonRun {
  readonly lesson: Lesson;
  readonly #world: World;
  readonly #passedOver = new Set<number>();
  #step = 0;
  #facts: Facts = {};
  #note: string | undefined;
  #seen = nothingSeen();

  constructor(lesson: Lesson, world: World) {
    this.lesson = lesson;
    this.#world = world;
    this.#passOver();
  }

  /** Index of the step that is to be done; the number of steps when all are. */
  get step(): number {
    return this.#step;
  }

  /** The step that is to be done. */
  get present(): Step | undefined {
    return this.lesson.steps[this.#step];
  }

  /** Whether the lesson is over. */
  get isDone(): boolean {
    return this.#step >= this.lesson.steps.length;
  }

  /** What the steps so far remembered. */
  get facts(): Facts {
    return this.#facts;
  }

  /** How far it is, as it is kept for the next visit. */
  get place(): Place {
    const facts = this.lesson.isRemembered === true ? this.#facts : {};
    return { step: this.#step, facts, leftOut: [...this.#passedOver] };
  }

  /** Why the present step is not done yet although something happened; or what `say` said. */
  get note(): string | undefined {
    return this.#note;
  }

  /** Whether that step was left out, because this page has one thread. */
  wasPassedOver(step: number): boolean {
    return this.#passedOver.has(step);
  }

  /** What the present step asks for and finds there. */
  get already(): Already | undefined {
    return this.present?.already?.(this.evidence());
  }

  /**
   * Goes on at a place that was kept, in a lesson that is remembered. What was left out for want of threads is to be done where there
   * are some now.
   */
  resume({ step, facts, leftOut }: Place): void {
    const due = this.#world.threads ? leftOut : [];
    this.#step = Math.min(step, this.lesson.steps.length, ...due);
    this.#facts = facts;
    this.#note = undefined;
    this.#seen = nothingSeen();
    this.#passedOver.clear();
    for (const index of leftOut) if (index < this.#step) this.#passedOver.add(index);
    this.#passOver();
  }

  /** Puts a note to the present step. */
  say(note: string): void {
    this.#note = note;
  }

  /**
   * Something happened to the file while the student is in another lesson. No step is done by it, but the lesson begins again if what it
   * had built is gone. Returns whether it does.
   */
  overhear(happening: "changed" | "reopened"): boolean {
    const step = this.present;
    if (step === undefined || this.#step === 0) return false;
    if (happening === "reopened") {
      if (this.lesson.tiedToFile === false) return false;
      this.#restart(FILE_CLOSED);
      return true;
    }
    const verdict = step.check(this.evidence());
    if (verdict === undefined || !("again" in verdict)) return false;
    this.#restart(verdict.again);
    return true;
  }

  /** What the present step would judge now. */
  evidence(): Evidence {
    const world = this.#world;
    let objects: readonly ObjectInfo[] | undefined;
    return {
      ...this.#seen,
      // Only when a step asks: a file may have a hundred thousand.
      get objects() {
        return (objects ??= world.objects());
      },
      facts: this.#facts,
      memory: world.memory,
    };
  }

  /** Takes note of what happened. Returns whether the step, or the note on it, is another one now. */
  happened(happening: Happening): boolean {
    const before = [this.#step, this.#note, this.#facts];
    if (happening.kind === "calls") {
      for (const call of happening.calls) this.#hear({ kind: "calls", calls: [call] });
    } else {
      this.#hear(happening);
    }
    return [this.#step, this.#note, this.#facts].some((value, index) => value !== before[index]);
  }

  #hear(happening: Happening): void {
    const step = this.present;
    if (step === undefined) return;
    if (happening.kind === "taken") {
      const { already } = this;
      if (already !== undefined) this.#advance(already.facts);
      return;
    }
    this.#remember(happening);
    const verdict = step.check(this.evidence());
    if (verdict !== undefined && "done" in verdict) this.#advance(verdict.done);
    else if (happening.kind === "reopened" && this.#step > 0 && this.lesson.tiedToFile !== false) {
      this.#restart(FILE_CLOSED);
    } else if (verdict !== undefined && "again" in verdict) this.#restart(verdict.again);
    else if (verdict !== undefined) this.#note = verdict.note;
  }

  #remember(happening: Exclude<Happening, { kind: "taken" }>): void {
    const seen = this.#seen;
    switch (happening.kind) {
      case "calls":
        seen.calls = [...seen.calls, ...happening.calls].slice(-KEPT_CALLS);
        break;
      case "selected":
        seen.selected.push(happening.id);
        break;
      case "answered":
        seen.answers.push(happening.value);
        break;
      case "raced":
        seen.races.push(happening.race);
        break;
      case "defined":
        seen.defined.push(happening.definition);
        break;
      case "sampled":
        seen.sampled.push(...happening.ids);
        break;
      case "reopened":
        seen.reopened++;
    }
  }

  #advance(facts: Facts): void {
    this.#facts = { ...this.#facts, ...facts };
    this.#step++;
    this.#note = undefined;
    const { races } = this.#seen;
    this.#seen = nothingSeen();
    this.#passOver();
    if (this.present?.continuesRaces === true) this.#seen.races = races;
  }

  #passOver(): void {
    while (this.present?.needsThreads === true && !this.#world.threads) this.#passedOver.add(this.#step++);
  }

  #restart(note: string): void {
    this.#step = 0;
    this.#facts = {};
    this.#note = note;
    this.#seen = nothingSeen();
    this.#passedOver.clear();
    this.#passOver();
  }
}

function nothingSeen(): Seen {
  return { calls: [], selected: [], answers: [], races: [], defined: [], sampled: [], reopened: 0 };
}

// SPDX-License-Identifier: GPL-2.0-only
//
// Who may catch a mutant, from cheap to dear. The first that does ends the search.
//
//   near     the unit tests about the mutant's file
//   model    the explorer: properties about that file
//   single   all other tests with one thread, and the fuzzer's oracle with fixed seeds
//   all      the other properties
//   slow     tests with real threads, kills, the recorded races; and what takes long
//
// A fault that only other threads or a death can show goes to the explorer before the rest of the tests.

import { Workshop } from "./child.ts";
import { nearProperties, otherProperties } from "./explorer.ts";
import { editsOf, type Kind, type Mutant } from "./mutant.ts";
import { Stage } from "./stage.ts";
import { QUICK_ONLY, type Variant, nearTests, singleTests, slowTests, variantsOf } from "./suite.ts";
import type { Reply, Request } from "./workshop.ts";

export type Step = "near" | "model" | "single" | "slow" | "all";

export interface Catch {
  by: Step;
  /** The test or the property, and what it saw. */
  what: string;
  /** The test's file, when known: while it and the core stay the same, so does the answer. */
  file?: string;
  property?: string;
  timedOut: boolean;
}

/** Undefined: it survives. */
export type Answer = { caught: Catch | undefined } | { broken: string };

const NEEDS_OTHERS: readonly Kind[] = ["locking", "waking", "repair"];
const OTHERS_FIRST: readonly Step[] = ["near", "model", "single", "all", "slow"];
const ALONE_FIRST: readonly Step[] = ["near", "single", "model", "all", "slow"];

/** Seconds that the explorer has for a property in a profile, and for all of them. */
const EXPLORE_SECONDS = { model: 10, all: 5 };
const STEP_SECONDS = { model: 60, all: 120 };
/** Without the end of a test; far more than any test takes on a machine with nothing else to do. */
const SUITE_MS = { near: 25_000, single: 40_000, slow: 130_000 };
const COMPILE_MS = 120_000;

// Test files and properties, by whether they hold on the core as it is.
const reliable = new Set<string>();
const unreliable = new Set<string>();

/** One of several that try mutants at the same time. */
export class Job {
  readonly #workshop = new Workshop();
  /** Targets of that mutant that the stage has. */
  readonly #compiled = new Set<string>();
  #compiledFrom: Mutant | undefined;

  private constructor(
    readonly stage: Stage,
    /** How many times the usual time the explorer has. */
    readonly patience: number,
  ) {}

  static async make(number: number, patience: number): Promise<Job> {
    return new Job(await Stage.make(number), patience);
  }

  end(): void {
    this.#workshop.end();
  }

  /** `first`: the step that caught it the last time, if any. `only`: the steps that are taken at all. */
  async tryMutant(mutant: Mutant, first?: Step, only?: readonly string[]): Promise<Answer> {
    const usual = NEEDS_OTHERS.includes(mutant.kind) ? OTHERS_FIRST : ALONE_FIRST;
    try {
      for (const step of new Set(first === undefined ? usual : [first, ...usual])) {
        if (only?.includes(step) === false) continue;
        let caught = await this.#tryStep(mutant, step);
        while (caught && !(await this.#isReliable(mutant, caught))) caught = await this.#tryStep(mutant, step);
        if (caught) return { caught };
      }
    } catch (error) {
      if (error instanceof DoesNotCompile) return { broken: error.message };
      throw error;
    }
    return { caught: undefined };
  }

  /** What fails on the core as it is has caught nothing. Asked once for each test file and property. */
  async #isReliable(mutant: Mutant, { by, file, property }: Catch): Promise<boolean> {
    const witness = file ?? property;
    if (witness === undefined || reliable.has(witness)) return true;
    const original = { ...mutant, name: `unchanged for ${witness}`, replace: mutant.find };
    const again =
      property === undefined
        ? await this.#test(original, [witness], by)
        : await this.#explore(original, [property], by === "all" ? "all" : "model");
    (again ? unreliable : reliable).add(witness);
    if (again) console.log(`NOT COUNTED, fails on the core as it is: ${again.what}`);
    return !again;
  }

  async #tryStep(mutant: Mutant, step: Step): Promise<Catch | undefined> {
    if (step === "model") return this.#explore(mutant, nearProperties(mutant), step);
    if (step === "all") return this.#explore(mutant, otherProperties(mutant), step);
    return this.#test(mutant, { near: nearTests, single: singleTests, slow: slowTests }[step](mutant.file), step);
  }

  async #test(mutant: Mutant, wanted: readonly string[], by: Step): Promise<Catch | undefined> {
    const files = wanted.filter((file) => !unreliable.has(file));
    if (files.length === 0) return undefined;
    await this.#compile(mutant, "debug");
    for (const variant of variantsOf(files)) await this.#compile(mutant, variant);
    const namePattern = by === "slow" ? "" : QUICK_ONLY;
    const silence = by === "near" || by === "single" || by === "slow" ? SUITE_MS[by] : SUITE_MS.slow;
    const reply = await this.#ask({ kind: "test", root: this.stage.path, files, namePattern }, silence);
    if (!reply) return { by, what: `no answer within ${silence / 1000} s`, timedOut: true };
    const { failed, file, timedOut = false } = reply.suite ?? { failed: reply.problem };
    return failed === undefined ? undefined : { by, what: failed, timedOut, ...(file !== undefined && { file }) };
  }

  async #compile(mutant: Mutant, target: "debug" | Variant): Promise<void> {
    if (this.#compiledFrom !== mutant) this.#compiled.clear();
    this.#compiledFrom = mutant;
    if (this.#compiled.has(target)) return;
    const outFile = this.stage.coreFile(target);
    const reply = await this.#ask({ kind: "compile", edits: editsOf(mutant), target, outFile }, COMPILE_MS);
    if (!reply || reply.problem !== undefined) throw new DoesNotCompile("the compiler gave no answer");
    if (target === "debug") await this.stage.replaceCore();
    this.#compiled.add(target);
  }

  async #explore(mutant: Mutant, properties: readonly string[], by: "model" | "all"): Promise<Catch | undefined> {
    const seconds = EXPLORE_SECONDS[by] * this.patience;
    const end = performance.now() + STEP_SECONDS[by] * this.patience * 1000;
    for (const property of properties) {
      if (performance.now() > end) break;
      if (unreliable.has(property)) continue;
      const request = { kind: "explore", edits: editsOf(mutant), property, seconds } as const;
      // A property may take its time again with bounded preemptions; beyond that it hangs in the core's code.
      const reply = await this.#ask(request, COMPILE_MS + 2 * seconds * 4000);
      if (!reply) return { by, what: `property ${property}: no answer`, property, timedOut: true };
      const { problem } = reply;
      if (problem !== undefined) return { by, what: `property ${property}: ${problem}`, property, timedOut: false };
    }
    return undefined;
  }

  async #ask(request: Request, milliseconds: number): Promise<Reply | undefined> {
    const reply = await this.#workshop.ask(request, milliseconds);
    if (reply?.broken !== undefined) throw new DoesNotCompile(reply.broken);
    return reply;
  }
}

class DoesNotCompile extends Error {}

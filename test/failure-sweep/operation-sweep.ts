// SPDX-License-Identifier: GPL-2.0-only
//
// One operation of the public API with each of its attempts failing in turn.
//
// For each n the machine starts afresh, is prepared in the same way, and the n-th attempt of the call fails. Then
//
//   - the call gives exactly the error of what failed,
//   - no object, count or file has changed, and user memory holds the beginning of a copy at most,
//   - memory has grown by at most what the call needs, and a second failure adds nothing that the call would not,
//   - the same call, made again, answers what it answers without a failure,
//   - and when everything is closed, every count is what it is without a failure, and nothing is left.
//
// Nothing is left means: no object, no file, no lock, no pin, no charge, no owner.
//
// Findings are sentences. A call without attempts cannot fail, and says so by an empty list of errors.

import { type Abi, Errno, type ErrnoName, Iommufd, IommufdError } from "iommufd-wasm";
import { Faults, countsOf, graphOf, isCopyStopped, leftoversOf } from "./faults.ts";

/** A machine on which an operation is prepared. */
export class World {
  readonly faults: Faults;
  readonly #closings: (() => void)[] = [];
  readonly #watched: Uint8Array[] = [];
  readonly #observations: (() => unknown)[] = [];

  constructor(readonly iommufd: Iommufd) {
    this.faults = new Faults(iommufd);
  }

  /** What is to be closed at the end, the last one first. */
  atEnd(close: () => void): void {
    this.#closings.push(close);
  }

  /** User memory that the call may write. */
  watch(bytes: Uint8Array): Uint8Array {
    this.#watched.push(bytes);
    return bytes;
  }

  /** Copies of it, as it is now. */
  readonly watched = (): Uint8Array[] => this.#watched.map((bytes) => bytes.slice());

  /** What else a failed call must leave as it is; looking at it makes no attempt that could fail, and changes nothing. */
  observe(look: () => unknown): void {
    this.#observations.push(look);
  }

  /** The graph, and what is observed besides. */
  graph(): string {
    const seen = this.#observations.map((look) => textOf(look()));
    return [graphOf(this.iommufd, this.faults), ...seen].join("\n");
  }

  closeAll(): void {
    for (const close of this.#closings.splice(0).reverse()) close();
    for (const fd of this.faults.openFiles()) this.iommufd.file(fd).close();
  }
}

export interface Operation {
  readonly name: string;
  /** The profiles that have it; default both. */
  readonly abis?: readonly Abi[];
  /** Every error that a failed attempt gives; none when the call cannot fail. */
  readonly errors: readonly ErrnoName[];
  /** Makes all that the call needs; the call can be repeated after a failure. */
  prepare(world: World): () => unknown;
}

export interface OperationResult {
  readonly attempts: number;
  readonly errors: readonly ErrnoName[];
  readonly findings: readonly string[];
}

const MEMORY_BYTES = 8 * 1024 * 1024;

/** Fails each attempt of the operation once. `module` is the core with fault injection. */
export async function sweepOperation(
  operation: Operation,
  abi: Abi,
  module: WebAssembly.Module,
): Promise<OperationResult> {
  const good = await runOnce(operation, abi, module, 0);
  const findings: string[] = good.findings.map((finding) => `without a failure: ${finding}`);
  const errors = new Set<ErrnoName>();
  for (let n = 1; n <= good.attempts; n++) {
    const bad = await runOnce(operation, abi, module, n, good);
    findings.push(...bad.findings.map((finding) => `attempt ${n}: ${finding}`));
    if (bad.error !== undefined) errors.add(bad.error);
  }
  return { attempts: good.attempts, errors: [...errors].sort(), findings };
}

interface Run {
  readonly attempts: number;
  readonly error: ErrnoName | undefined;
  readonly answer: string;
  readonly after: State;
  readonly endCounts: string;
  readonly endUsed: number;
  readonly findings: readonly string[];
}

interface State {
  readonly graph: string;
  readonly counts: string;
  readonly used: number;
  readonly memory: readonly Uint8Array[];
}

/** `n` 0: nothing fails, which is what `good` is for the others. */
async function runOnce(
  operation: Operation,
  abi: Abi,
  module: WebAssembly.Module,
  n: number,
  good?: Run,
): Promise<Run> {
  const iommufd = await Iommufd.create({ abi, module, memoryBytes: MEMORY_BYTES });
  const world = new World(iommufd);
  const { faults } = world;
  const findings: string[] = [];
  let error: ErrnoName | undefined;
  try {
    const call = operation.prepare(world);
    const before = stateOf(world);
    const start = faults.attempts;
    let answer: string | undefined;
    // Twice: what the first failure left prepared the second may use, but it must not leave more.
    for (let time = 0; time < 2 && good !== undefined && answer === undefined; time++) {
      faults.arm(n);
      const given = await answerOf(call);
      const expected = faults.disarm();
      if (expected === undefined) {
        if (time === 0) findings.push("it was never made");
        answer = given;
      } else {
        error ??= expected;
        if (given !== expected) findings.push(`the call answers ${given} instead of ${expected}`);
        findings.push(...changes(before, stateOf(world), good.after));
      }
    }
    answer ??= await answerOf(call);
    const attempts = faults.attempts - start;
    const after = stateOf(world);
    world.closeAll();
    const end = iommufd.stats();
    const leftovers = leftoversOf(end) + faults.pinsAndOwners();
    if (leftovers !== "") findings.push(`at the end there is still ${leftovers}`);
    const run = { attempts, error, answer, after, endCounts: countsOf(end), endUsed: end.bytes.used, findings };
    if (good !== undefined) findings.push(...differences(good, run));
    return run;
  } finally {
    faults.disarm();
    iommufd.detach();
  }
}

function stateOf(world: World): State {
  const stats = world.iommufd.stats();
  return { graph: world.graph(), counts: countsOf(stats), used: stats.bytes.used, memory: world.watched() };
}

/** What a failed call has changed. `after` is the state that it leaves when it succeeds. */
function changes(before: State, now: State, after: State): string[] {
  const found: string[] = [];
  if (now.graph !== before.graph) found.push(`the failed call leaves\n${now.graph}\ninstead of\n${before.graph}`);
  if (now.counts !== before.counts) found.push(`the failed call leaves ${now.counts} instead of ${before.counts}`);
  if (now.used < before.used || now.used > Math.max(before.used, after.used)) {
    found.push(`the failed call uses ${now.used} bytes; ${before.used} before, ${after.used} when it succeeds`);
  }
  now.memory.forEach((bytes, index) => {
    const [was, is] = [before.memory[index], after.memory[index]];
    if (was && is && !isCopyStopped(was, is, bytes))
      found.push("the failed call leaves user memory that no copy makes");
  });
  return found;
}

/** How a run with a failure, which was repeated, differs from the one without. */
function differences(good: Run, run: Run): string[] {
  const found: string[] = [];
  const compare = (what: string, is: unknown, was: unknown): void => {
    if (is !== was) found.push(`made again it ${what} ${String(is)} instead of ${String(was)}`);
  };
  compare("answers", run.answer, good.answer);
  compare("leaves", run.after.graph, good.after.graph);
  compare("counts", run.after.counts, good.after.counts);
  compare("uses bytes:", run.after.used, good.after.used);
  compare("writes", run.after.memory.join(" "), good.after.memory.join(" "));
  compare("ends with", run.endCounts, good.endCounts);
  compare("ends with bytes:", run.endUsed, good.endUsed);
  return found;
}

const NAMES = new Map(Object.entries(Errno).map(([name, value]) => [-value, name]));

function textOf(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => (typeof each === "bigint" ? `${each}n` : each)) ?? "undefined";
}

/** The errno's name, returned as -errno or thrown, or the value as text. */
async function answerOf(call: () => unknown): Promise<string> {
  try {
    const value: unknown = await call();
    if (typeof value === "number" && value < 0) return NAMES.get(value) ?? String(value);
    return textOf(value);
  } catch (error) {
    if (error instanceof IommufdError) return error.code;
    throw error;
  }
}

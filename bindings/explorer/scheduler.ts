// SPDX-License-Identifier: GPL-2.0-only
//
// One execution of a model: threads run one at a time, and at each scheduling point a strategy says who goes on.
//
// A process is what a strategy can choose: thread t, or t + MAX_THREADS, the clock that ends t's wait without a notify. An event is one
// chosen operation. It takes effect when it is chosen: the scheduler tells strategy and checkers, and the thread runs on to its next
// point. If the thread at a point is chosen again it goes on without being suspended.
//
// A wait sleeps if the word is what it expects; a notify of fewer than all sleepers asks the strategy which. Program code between
// calls, and plain accesses, belong to the event before them.

import { Failure, Killed, Pruned, asFailure } from "./failure.js";
import { coreOf, exportOf } from "./core-access.js";
import { LiveBytes } from "./live-bytes.js";
import { Machine, MAX_THREADS, type Hooks } from "./machine.js";
import type { Core, Model, Program, Run, Step } from "./model.js";
import * as op from "./operation.js";
import { RaceChecker } from "./race-checker.js";
import {
  emptyEvent,
  footprint,
  type Event,
  type Kill,
  type Listener,
  type Outcome,
  type Strategy,
} from "./strategy.js";

const UNSTARTED = 0;
const READY = 1;
const SLEEPING = 2;
const DONE = 3;
const DEAD = 4;
const DEFAULT_STEPS = 4000;
const DEFAULT_PAGES = 3;

export class Scheduler implements Hooks {
  readonly machine: Machine;
  readonly races: RaceChecker;
  readonly live: LiveBytes;
  readonly words: number;
  readonly places: number;
  readonly pending: op.Operation[] = [];
  /** With a listener: where each thread's pending operation was asked for, as Error.stack says it. */
  readonly stacks: string[] = [];
  readonly core: Core;
  /** What the model's set-up returned. */
  readonly state: unknown;
  listener: Listener | undefined;
  /** Called when all threads are done, with what their programs answered, before the model looks at the end. */
  onEnd: ((results: readonly unknown[]) => void) | undefined;
  kills: readonly Kill[] = [];
  /** Kill points that each thread passed, in the last execution. */
  readonly #killPoints = new Int32Array(MAX_THREADS);
  events = 0;

  readonly #model: Model;
  #strategy!: Strategy;
  #direct = true;
  #starting = false;
  #run!: Run;
  readonly #status = new Int32Array(MAX_THREADS);
  readonly #suspended = new Uint8Array(MAX_THREADS);
  readonly #rewinding = new Uint8Array(MAX_THREADS);
  readonly #inCall = new Uint8Array(MAX_THREADS);
  readonly #expected = new Int32Array(MAX_THREADS).fill(-1);
  /** The thread whose end starts this one. */
  readonly #cause = new Int32Array(MAX_THREADS);
  readonly #canTimeOut = new Uint8Array(MAX_THREADS);
  readonly #spurious = new Int32Array(MAX_THREADS);
  /** How often each thread has gone to sleep. */
  readonly #sleeps = new Int32Array(MAX_THREADS);
  /** The export that each thread is in, or was in last. */
  readonly calls: { name: string; args: readonly (number | bigint)[] }[] = [];
  readonly #programs: Program[] = [];
  #results: unknown[] = [];
  #next = -1;
  readonly #event = emptyEvent();

  constructor(module: WebAssembly.Module, model: Model) {
    this.#model = model;
    this.machine = new Machine(module, model.pages ?? DEFAULT_PAGES, this);
    const { bytes } = this.machine;
    this.words = bytes >> 2;
    this.places = 2 * this.words + 64;
    this.races = new RaceChecker(MAX_THREADS, bytes);
    this.live = new LiveBytes(MAX_THREADS, this.machine.allBytes);
    this.live.allow(0, bytes);
    for (let t = 0; t < MAX_THREADS; t++) {
      this.pending.push(op.noOperation());
      this.calls.push({ name: "", args: [] });
    }
    this.core = coreOf(this.machine, this.live, this.races);
    this.state = model.setup(this.core);
    this.machine.keep();
    this.live.keep();
  }

  describe(address: number): string {
    return this.#model.describeAddress?.(address, this.state) ?? `0x${address.toString(16)}`;
  }

  get threadNames(): string[] {
    return this.#run.threads.map((thread) => thread.name);
  }

  // -------------------------------------------------------------------------------------------------- an execution

  execute(strategy: Strategy, options?: { keepMemory?: boolean }): Outcome {
    this.#strategy = strategy;
    this.#begin();
    strategy.begin();
    let deaths = 0;
    try {
      this.#runAll();
      deaths = this.kills.filter(({ thread }) => this.#status[thread] === DEAD).length;
      this.#direct = true;
      this.onEnd?.(this.#results);
      const died = this.#run.threads.map((_, t) => this.#status[t] === DEAD);
      const text = this.#run.finish?.(this.#results, died, this.#sleeps) ?? "";
      return { kind: "done", text, deaths };
    } catch (error) {
      if (error instanceof Pruned) return { kind: "pruned", text: "", deaths };
      const failure = asFailure(error);
      return { kind: "failed", text: `${failure.kind}: ${failure.message}`, failure, deaths };
    } finally {
      this.#direct = true;
      if (!options?.keepMemory) {
        this.machine.restore();
        this.live.restore();
      }
    }
  }

  #begin(): void {
    this.#run = this.#model.run(this.core, this.state);
    this.races.begin();
    this.events = 0;
    this.#killPoints.fill(0);
    this.#results = [];
    this.#programs.length = 0;
    for (let t = 0; t < MAX_THREADS; t++) {
      const thread = this.#run.threads[t];
      this.#status[t] = thread ? UNSTARTED : DONE;
      this.#suspended[t] = 0;
      this.#rewinding[t] = 0;
      this.#inCall[t] = 0;
      this.#expected[t] = -1;
      this.#cause[t] = -1;
      this.#spurious[t] = this.#model.spurious ?? 0;
      this.#sleeps[t] = 0;
      this.pending[t]!.kind = op.NONE;
      if (thread) this.#programs.push(thread.program());
    }
  }

  #runAll(): void {
    this.#direct = false;
    this.#starting = true;
    const { threads } = this.#run;
    for (let t = 0; t < threads.length; t++) {
      if (threads[t]!.afterDeathOf === undefined && threads[t]!.afterEndOf === undefined) this.#resume(t);
    }
    this.#starting = false;
    this.#next = this.#advance(-1);
    while (this.#next >= 0) this.#resume(this.#next);
  }

  /** Runs a thread until it is suspended, done or dead; #next is then the one to run. */
  #resume(t: number): void {
    try {
      if (this.#inCall[t] !== 0) {
        if (!this.#enter(t)) return;
      } else if (!this.#nextStep(t, undefined)) return;
      this.#status[t] = DONE;
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      this.#status[t] = DEAD;
      this.#inCall[t] = 0;
      this.listener?.step(t, "dies");
    }
    this.pending[t]!.kind = op.NONE;
    this.#ended(t);
    if (!this.#starting) this.#next = this.#advance(-1);
  }

  /** Goes on with a call. Return: false when the thread was suspended. */
  #enter(t: number): boolean {
    const instance = this.machine.instances[t]!;
    const { name, args } = this.calls[t]!;
    if (this.#suspended[t] !== 0) {
      this.#suspended[t] = 0;
      this.#rewinding[t] = 1;
      instance.startRewind(instance.stack);
    }
    const result = exportOf(this.machine, t, name)(...args);
    if (this.#suspended[t] !== 0) {
      instance.stopUnwind();
      return false;
    }
    this.#inCall[t] = 0;
    this.listener?.step(t, `${name}(${args.join(", ")}) = ${String(result)}`);
    return this.#nextStep(t, result);
  }

  /** Goes on with a program. Return: false when the thread was suspended, true at its end. */
  #nextStep(t: number, answer: unknown): boolean {
    let next = this.#programs[t]!.next(answer as never);
    while (!next.done) {
      const step: Step = next.value;
      if ("name" in step) {
        const run = this.calls[t]!;
        run.name = step.name;
        run.args = step.args;
        this.#inCall[t] = 1;
        this.live.beginCall(t);
        return this.#enter(t);
      }
      this.#setPending(t, step.writes ? op.WRITE_VARIABLE : op.READ_VARIABLE, step.variable, 0, 0, 0, 0);
      if (this.#starting) return false;
      const chosen = this.#advance(t);
      if (chosen !== t) {
        this.#next = chosen;
        return false;
      }
      next = this.#programs[t]!.next(undefined as never);
    }
    this.#results[t] = next.value;
    return true;
  }

  #ended(t: number): void {
    const dead = this.#status[t] === DEAD;
    this.#run.threads.forEach((thread, other) => {
      if (thread.afterEndOf !== t && thread.afterDeathOf !== t) return;
      if (thread.afterDeathOf === t && !dead) {
        this.#status[other] = DONE;
        return;
      }
      this.#cause[other] = t;
      this.#setPending(other, op.START, 0, 0, 0, 0, 0);
    });
  }

  #setPending(
    t: number,
    kind: number,
    address: number,
    aLow: number,
    aHigh: number,
    bLow: number,
    bHigh: number,
  ): void {
    const operation = this.pending[t]!;
    operation.kind = kind;
    operation.address = address;
    operation.aLow = aLow;
    operation.aHigh = aHigh;
    operation.bLow = bLow;
    operation.bHigh = bHigh;
    this.#status[t] = READY;
    if (this.listener) this.stacks[t] = kind < op.WAKE ? (new Error().stack ?? "") : "";
  }

  // -------------------------------------------------------------------------------------------------- scheduling

  /** Chooses and performs events until one needs a thread to run. Return: that thread, -1 when all are done. */
  #advance(current: number): number {
    for (;;) {
      const enabled = this.#enabled();
      if (enabled === 0) {
        this.#checkDone();
        return -1;
      }
      if (this.events >= (this.#model.steps ?? DEFAULT_STEPS)) {
        throw new Failure("livelock", `no end after ${this.events} steps; ${this.#describeThreads()}`);
      }
      const process = this.#strategy.pick(enabled, current, this);
      if (process >= MAX_THREADS) this.#timeOut(process - MAX_THREADS);
      else if (this.#perform(process)) return process;
    }
  }

  #enabled(): number {
    let mask = 0;
    const { u32 } = this.machine;
    for (let t = 0; t < this.#programs.length; t++) {
      const status = this.#status[t];
      if (status === READY) {
        const { kind, address, aLow } = this.pending[t]!;
        if (kind !== op.PAUSE || u32[address >> 2] !== aLow >>> 0) mask |= 1 << t;
      } else if (status === SLEEPING && (this.#canTimeOut[t] !== 0 || this.#spurious[t]! > 0)) {
        mask |= 1 << (t + MAX_THREADS);
      }
    }
    return mask;
  }

  #checkDone(): void {
    let isDone = true;
    for (let t = 0; t < this.#programs.length; t++) {
      const status = this.#status[t];
      if (status === READY && this.footprintOf(t, this.#event)) this.#strategy.blocked?.(this.#event);
      isDone &&= status !== READY && status !== SLEEPING;
    }
    if (!isDone) throw new Failure("deadlock", `nobody can go on: ${this.#describeThreads()}`);
  }

  #describeThreads(): string {
    const words = ["not started", "about to", "asleep in", "done", "dead"];
    return this.#run.threads
      .map(({ name }, t) => {
        const status = this.#status[t]!;
        const { kind, address } = this.pending[t]!;
        const what = status === READY || status === SLEEPING ? ` ${op.NAMES[kind]} ${this.describe(address)}` : "";
        return `${name} is ${words[status]}${what}`;
      })
      .join(", ");
  }

  /** The chosen operation takes effect. Return: whether the thread runs on (it does not if it sleeps now). */
  #perform(t: number): boolean {
    const operation = this.pending[t]!;
    const { kind, address } = operation;
    const event = this.#event;
    const { u32 } = this.machine;
    event.process = t;
    event.kind = kind;
    event.address = address;
    event.cause = -1;
    event.stopped = 0;
    event.wakes = 0;
    event.queue = -1;
    event.queueWrites = false;
    footprint(operation, this.words, event);
    let sleeps = false;
    let before = 0n;
    if (op.TOUCHES_MEMORY[kind]) {
      const wide = op.IS_64[kind]!;
      const bytes = op.bytesOf(operation);
      const word = address >> 2;
      if ((address & (wide ? 7 : 3)) !== 0)
        throw new Failure("memory", `${op.NAMES[kind]} of 0x${address.toString(16)} is not aligned`);
      this.live.access(t, address, bytes, op.WRITES[kind]!);
      if (this.listener) before = wide ? this.machine.u64(address) : BigInt(u32[word]!);
      const same = u32[word] === operation.aLow >>> 0 && (!wide || u32[word + 1] === operation.aHigh >>> 0);
      if ((kind === op.COMPARE_EXCHANGE32 || kind === op.COMPARE_EXCHANGE64) && !same) event.writes = false;
      if (op.IS_WAIT[kind]) sleeps = same;
      if (event.writes) this.machine.touch(address, bytes);
      this.races.atomic(t, address, bytes, event.writes, op.IS_RELAXED[kind]! || kind === op.PAUSE);
    } else if (kind === op.START) {
      event.cause = this.#cause[t]!;
      if (event.cause >= 0) this.races.order(event.cause, t);
    } else if (kind === op.NOTIFY) {
      this.#wake(t, address, operation.aLow);
    }
    this.events++;
    if (this.listener) this.listener.event(event, operation, before, sleeps ? "sleeps" : "");
    this.#strategy.event(event, this);
    if (!sleeps) return true;
    this.#status[t] = SLEEPING;
    this.#sleeps[t]!++;
    this.#canTimeOut[t] = operation.bLow !== 0 ? 1 : 0;
    return false;
  }

  #wake(notifier: number, address: number, count: number): void {
    const sleepers: number[] = [];
    for (let t = 0; t < this.#programs.length; t++) {
      if (this.#status[t] === SLEEPING && this.pending[t]!.address === address) sleepers.push(t);
    }
    let left = count < 0 ? sleepers.length : Math.min(count, sleepers.length);
    // Each way to choose `left` of them once: in ascending order, leaving enough for the rest.
    let from = 0;
    while (left > 0) {
      const ways = sleepers.length - from - left + 1;
      from += ways > 1 ? this.#strategy.choose(ways) : 0;
      const t = sleepers[from++]!;
      this.#event.wakes |= 1 << t;
      if (this.#canTimeOut[t] !== 0 || this.#spurious[t]! > 0) this.#event.stopped |= 1 << (t + MAX_THREADS);
      this.races.order(notifier, t);
      this.#setPending(t, op.WAKE, address, 0, 0, 0, 0);
      left--;
    }
  }

  #timeOut(t: number): void {
    const operation = this.pending[t]!;
    if (this.#canTimeOut[t] === 0) this.#spurious[t]!--;
    const event = this.#event;
    event.process = t + MAX_THREADS;
    event.kind = op.TIMEOUT;
    event.address = operation.address;
    event.places = 0;
    event.writes = false;
    event.queue = this.words + (operation.address >> 2);
    event.queueWrites = false;
    event.cause = -1;
    event.stopped = 0;
    event.wakes = 1 << t;
    this.events++;
    this.listener?.event(event, operation, 0n, "");
    this.#strategy.event(event, this);
    this.#setPending(t, op.WAKE, operation.address, 0, 0, 0, 0);
  }

  /** What process p would do next, for the question whether that commutes with an event. Return: false when it does nothing. */
  footprintOf(process: number, into: Event): boolean {
    into.process = process;
    if (process >= MAX_THREADS) {
      into.places = 0;
      into.queue = this.words + (this.pending[process - MAX_THREADS]!.address >> 2);
      into.queueWrites = false;
      return true;
    }
    into.queue = -1;
    into.queueWrites = false;
    footprint(this.pending[process]!, this.words, into);
    return into.places > 0 || into.queue >= 0;
  }

  // -------------------------------------------------------------------------------------------------- hooks

  point(t: number, kind: number, address: number, aLow: number, aHigh: number, bLow: number, bHigh: number): void {
    if (this.#direct) {
      if (op.WRITES[kind]) this.machine.touch(address, kind === op.FILL_RELAXED ? aLow : 8);
      if (op.IS_WAIT[kind] || kind === op.PAUSE)
        throw new Failure("twin", `set-up or finish would block at 0x${address.toString(16)}`);
      return;
    }
    const instance = this.machine.instances[t]!;
    if (this.#rewinding[t] !== 0) {
      this.#rewinding[t] = 0;
      instance.stopRewind();
      this.#expected[t] = op.IS_REPORTED_TWICE[kind] ? address : -1;
      return;
    }
    if (op.IS_KILL_POINT[kind]) this.#killPoint(t);
    this.#setPending(t, kind, address, aLow, aHigh, bLow, bHigh);
    if (!this.#starting) {
      const chosen = this.#advance(t);
      if (chosen === t) {
        this.#expected[t] = op.IS_REPORTED_TWICE[kind] ? address : -1;
        return;
      }
      this.#next = chosen;
    }
    this.machine.resetStack(instance);
    this.#suspended[t] = 1;
    instance.startUnwind(instance.stack);
  }

  #killPoint(t: number): void {
    for (const { thread, at } of this.kills) if (thread === t && this.#killPoints[t] === at) throw new Killed();
    this.#killPoints[t]!++;
  }

  load(t: number, address: number, bytes: number): void {
    if (this.#direct) return;
    if (this.#expected[t] === address) {
      this.#expected[t] = -1;
      return;
    }
    this.#expected[t] = -1;
    this.live.access(t, address, bytes, false);
    this.races.plainRead(t, address, bytes);
  }

  store(t: number, address: number, bytes: number): void {
    if (this.#direct) {
      this.machine.touch(address, bytes);
      return;
    }
    if (this.#expected[t] === address) {
      this.#expected[t] = -1;
      return;
    }
    this.#expected[t] = -1;
    this.#killPoint(t);
    this.live.access(t, address, bytes, true);
    this.machine.touch(address, bytes);
    this.races.plainWrite(t, address, bytes);
  }

  range(t: number, kind: number, address: number, bytes: number): void {
    if (bytes === 0) return;
    const writes = kind !== op.RANGE_READ;
    if (writes) this.machine.touch(address, bytes);
    if (kind === op.RANGE_ALLOC) this.live.alloc(t, address, bytes);
    if (kind === op.RANGE_WRITE && !this.#direct) this.#killPoint(t);
    if (!this.#direct) {
      if (kind <= op.RANGE_WRITE) this.live.access(t, address, bytes, writes);
      if (kind === op.RANGE_READ) this.races.plainRead(t, address, bytes);
      else this.races.plainWrite(t, address, bytes, ["", "write", "allocation", "free"][kind]);
    }
    if (kind === op.RANGE_FREE) this.live.free(t, address, bytes);
  }
}

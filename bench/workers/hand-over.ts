// SPDX-License-Identifier: GPL-2.0-only
/**
 * One of the two threads of hand-over: it lets go of what it has, and waits for what the other one has, again and again.
 *
 * Waits: each thread holds half of the objects. The second thread first waits for the other's first object to go, the first one lets
 * go of its own first; from then on each wake-up leads to the next one, so that a round of N objects is a chain of N wake-ups.
 *
 * Sleeps: the same, but whoever is woken up lets some time pass first, so that the other one is asleep for sure and not looking at
 * the word for the last time.
 *
 * Turns: a word says whose turn it is; who has it does one get + put of the one object and gives it to the other.
 */
import { Iommufd, type IommufdShare } from "iommufd-wasm";
import { type Window, meet } from "../harness/crew.ts";
import { peer } from "../harness/peer.ts";
import { AtomicsTable } from "../rivals/atomics.ts";
import { type Floor, STRIDE, attachFloor } from "../rivals/floor.ts";

export type Kind = "turns" | "waits" | "sleeps";

/** What a thread says of a round. */
export interface HandedOver {
  /** From the first to the last, by its own clock. */
  readonly milliseconds: number;
  /** Of these: what it has let pass on purpose. */
  readonly paused: number;
}

export interface HandOverSetup {
  readonly share: IommufdShare;
  readonly fd: number;
  readonly table: SharedArrayBuffer;
  /** One word for each wake-up of the bare wait + notify, STRIDE apart, as state words. */
  readonly words: SharedArrayBuffer;
  readonly turn: SharedArrayBuffer;
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
}

export interface HandOverTask {
  readonly kind: Kind;
  readonly who: "ours" | "atomics" | "bare";
  /** 0 lets go first. */
  readonly thread: 0 | 1;
  /** Wake-ups or turns of both threads: objects 1 … count, odd ones the first thread's. */
  readonly count: number;
}

/** Words from one wake-up of the bare chain to the next. */
const WORDS_APART = STRIDE / 4;

/** What the chain of waits is made of; each is called with an object's ID. */
interface Steps {
  hold(id: number): void;
  letGo(id: number): void;
  /** Waits until the other thread has let go. */
  waitFor(id: number): void;
}

const setup = (await peer.next()) as HandOverSetup;
const iommufd = Iommufd.attachSync(setup.share);
const context = iommufd.fget(setup.fd);
const table = new AtomicsTable(setup.table);
const words = new Int32Array(setup.words);
const turn = new Int32Array(setup.turn);
const floor: Floor = attachFloor(setup.module, setup.memory);
const handles = new Int32Array(4096);

const WAITS: Readonly<Record<HandOverTask["who"], Steps>> = {
  ours: {
    hold: (id) => (handles[id] = context.tryGet(id)),
    letGo: (id) => context.put(handles[id] ?? 0),
    waitFor: (id) => succeed(context.tryDestroy(id)),
  },
  atomics: {
    hold: (id) => (handles[id] = table.tryGet(id)),
    letGo: (id) => table.put(handles[id] ?? 0),
    waitFor: (id) => succeed(table.destroy(id)),
  },
  bare: {
    hold: (id) => Atomics.store(words, id * WORDS_APART, 1),
    letGo: (id) => {
      Atomics.store(words, id * WORDS_APART, 0);
      Atomics.notify(words, id * WORDS_APART);
    },
    waitFor: (id) => {
      while (Atomics.load(words, id * WORDS_APART) !== 0) Atomics.wait(words, id * WORDS_APART, 1);
    },
  },
};

function succeed(result: number): void {
  if (result !== 0) throw new Error(`destroy answered ${result}`);
}

/** Milliseconds that nobody spends looking at a word before he sleeps. */
const LONG = 0.1;

/** Lets `milliseconds` pass. Returns how many it were. */
function pause(milliseconds: number): number {
  const start = performance.now();
  let passed = 0;
  while (passed < milliseconds) passed = performance.now() - start;
  return passed;
}

/** Returns how long it has paused. */
function waits(steps: Steps, { thread, count }: HandOverTask, milliseconds: number): number {
  let paused = 0;
  for (let id = 1; id < count; id += 2) {
    if (thread === 1) steps.waitFor(id);
    paused += pause(milliseconds);
    steps.letGo(id + thread);
    if (thread === 0) steps.waitFor(id + 1);
  }
  return paused;
}

const TURNS: Readonly<Record<HandOverTask["who"], () => number>> = {
  ours: () => {
    const handle = context.tryGet(1);
    context.put(handle);
    return handle;
  },
  atomics: () => {
    const handle = table.tryGet(1);
    table.put(handle);
    return handle;
  },
  bare: () => {
    floor.increment(0);
    return floor.decrement(0);
  },
};

/** Returns 0: it never pauses. */
function turns(pair: () => number, { thread, count }: HandOverTask): number {
  for (let done = thread; done < count; done += 2) {
    while (Atomics.load(turn, 0) !== done);
    if (pair() <= 0) throw new Error("no lock in this turn");
    Atomics.store(turn, 0, done + 1);
  }
  return 0;
}

function run(task: HandOverTask & Window): HandedOver {
  const { kind, who, thread, count } = task;
  if (kind !== "turns") for (let id = 1 + thread; id <= count; id += 2) WAITS[who].hold(id);
  meet(task);
  const start = performance.now();
  const paused = kind === "turns" ? turns(TURNS[who], task) : waits(WAITS[who], task, kind === "sleeps" ? LONG : 0);
  return { milliseconds: performance.now() - start, paused };
}

peer.post("ready");
for (;;) peer.post(run((await peer.next()) as HandOverTask & Window));

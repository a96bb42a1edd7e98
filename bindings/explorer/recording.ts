// SPDX-License-Identifier: GPL-2.0-only
//
// One execution as data to be shown: each event in order, with what it found, what it left, and some words of the memory after it.
//
// Invariant: an event's `words` are those that the next event finds. So they also have what plain accesses and program code
// between two events changed, which belong to the event before.

import { MAX_THREADS } from "./machine.js";
import * as op from "./operation.js";
import { Guided, type Schedule } from "./schedule.js";
import type { Scheduler } from "./scheduler.js";
import type { Outcome } from "./strategy.js";

/** Something that a thread did, or that ended its wait. */
export interface RecordedEvent {
  readonly thread: number;
  /** One of operation.ts. */
  readonly kind: number;
  readonly address: number;
  /** How many bytes it reads or writes; 0 for none. */
  readonly bytes: number;
  /** The operation's operands, as unsigned numbers: a compare-and-swap expects `a` and stores `b`, a store stores `a`. */
  readonly a: bigint;
  readonly b: bigint;
  /** What it found. */
  readonly before: bigint;
  readonly writes: boolean;
  /** A wait: the thread is asleep now. */
  readonly sleeps: boolean;
  /** A notify or timeout: mask of the threads that are awake because of it. */
  readonly wakes: number;
  /** Export of the core that the thread is in. */
  readonly call: string;
  /** The core's function that asked for it, as "file/function"; "" where the host's stacks do not say. */
  readonly within: string;
  /** The watched words, after the event. */
  readonly words: readonly bigint[];
}

/** What came of a schedule. */
export interface Recording {
  /** The watched words before the first event. */
  readonly words: readonly bigint[];
  readonly events: readonly RecordedEvent[];
  /** What each thread's program answered; undefined for one that did not get so far. */
  readonly results: readonly unknown[];
  readonly outcome: Outcome;
}

/** Frames of the core's functions in a stack; those of atomics.ts only pass on what others ask for. */
const FRAME = /assembly\/core\/([^\s@(]+)/g;
const PASSES_ON = "atomics/";

/** Executes a schedule again. `watched` are addresses of 64-bit words. */
export function record(scheduler: Scheduler, schedule: Schedule, watched: readonly number[]): Recording {
  const look = (): bigint[] => watched.map((address) => scheduler.machine.u64(address));
  const events: Omit<RecordedEvent, "words">[] = [];
  const seen: bigint[][] = [];
  let results: readonly unknown[] = [];
  scheduler.onEnd = (answered) => {
    results = answered;
    seen.push(look());
  };
  scheduler.listener = {
    event(event, operation, before, note) {
      const thread = event.process % MAX_THREADS;
      seen.push(look());
      events.push({
        thread,
        kind: event.kind,
        address: event.address,
        bytes: op.TOUCHES_MEMORY[event.kind] ? op.bytesOf(operation) : 0,
        ...operandsOf(operation),
        before,
        writes: event.writes,
        sleeps: note === "sleeps",
        wakes: event.wakes,
        call: scheduler.calls[thread]?.name ?? "",
        within: functionOf(scheduler.stacks[thread] ?? ""),
      });
    },
    step: () => undefined,
  };
  const outcome = scheduler.execute(new Guided(schedule, { strict: true }));
  scheduler.listener = undefined;
  scheduler.onEnd = undefined;
  const last = seen[seen.length - 1] ?? look();
  return {
    words: seen[0] ?? last,
    events: events.map((event, index) => ({ ...event, words: seen[index + 1] ?? last })),
    results,
    outcome,
  };
}

function operandsOf({ kind, aLow, aHigh, bLow, bHigh }: op.Operation): { a: bigint; b: bigint } {
  const wide = op.IS_64[kind];
  const value = (low: number, high: number): bigint => (wide ? BigInt(high >>> 0) << 32n : 0n) | BigInt(low >>> 0);
  return { a: value(aLow, aHigh), b: value(bLow, bHigh) };
}

function functionOf(stack: string): string {
  for (const [, name = ""] of stack.matchAll(FRAME)) if (!name.startsWith(PASSES_ON)) return name;
  return "";
}

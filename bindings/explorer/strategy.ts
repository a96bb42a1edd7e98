// SPDX-License-Identifier: GPL-2.0-only
//
// What a scheduler and a search say to each other: processes, events, and the questions that a strategy answers.

import type { Failure } from "./failure.js";
import { MAX_THREADS } from "./machine.js";
import * as op from "./operation.js";
import type { Scheduler } from "./scheduler.js";

export const PROCESSES = 2 * MAX_THREADS;
/** Words of the memory, then a queue for each, then the programs' variables: what events can conflict on. */
export interface Event {
  process: number;
  kind: number;
  address: number;
  /** First place and number of places that it reads or writes; 0 places for none. */
  place: number;
  places: number;
  writes: boolean;
  /** The queue of sleepers: -1 none. Only a notify writes it. */
  queue: number;
  queueWrites: boolean;
  /** A start: the thread whose end it waited for. Else -1. */
  cause: number;
  /** A notify or timeout: mask of the threads that are awake because of it. */
  wakes: number;
  /** A notify: mask of the clocks that its wake-ups stopped. */
  stopped: number;
}

export interface Strategy {
  begin(): void;
  /** `enabled` is a mask of processes, never 0; `current` the thread that ran last, or -1. May throw Pruned. */
  pick(enabled: number, current: number, scheduler: Scheduler): number;
  event(event: Event, scheduler: Scheduler): void;
  /** At the end, for a thread whose pause nobody ended: what it would have done. */
  blocked?(event: Event): void;
  /** One of `count` ways; called during event processing of the process just picked. */
  choose(count: number): number;
}

export interface Kill {
  readonly thread: number;
  /** It dies before this kill point of its own, counted from 0. */
  readonly at: number;
}

export interface Outcome {
  readonly kind: "done" | "pruned" | "failed";
  readonly text: string;
  readonly failure?: Failure;
  /** How many of those that were to die did. */
  readonly deaths: number;
}

export interface Listener {
  /** `before` is the value that the operation found. */
  event(event: Event, operation: op.Operation, before: bigint, note: string): void;
  /** A call returned, or the thread died. */
  step(thread: number, text: string): void;
}

/** What an operation touches, for the question whether it commutes with another. */
export function footprint(operation: op.Operation, words: number, into: Event): void {
  const { kind, address } = operation;
  into.writes = op.WRITES[kind]! || kind === op.WRITE_VARIABLE;
  into.places = 0;
  if (kind === op.READ_VARIABLE || kind === op.WRITE_VARIABLE) {
    into.place = 2 * words + address;
    into.places = 1;
  } else if (op.TOUCHES_MEMORY[kind]) {
    into.place = address >> 2;
    into.places = op.bytesOf(operation) >> 2;
  }
  if (op.IS_WAIT[kind]) into.queue = words + (address >> 2);
  if (kind === op.NOTIFY) {
    into.queue = words + (address >> 2);
    into.queueWrites = true;
  }
}

export function emptyEvent(): Event {
  return {
    process: 0,
    kind: op.NONE,
    address: 0,
    place: 0,
    places: 0,
    writes: false,
    queue: -1,
    queueWrites: false,
    cause: -1,
    wakes: 0,
    stopped: 0,
  };
}

// SPDX-License-Identifier: GPL-2.0-only
//
// A recorded execution as rows of swim lanes: what each thread does, one after the other, in plain words.
//
// Rows that matter: events on an object's state word, on words that another thread writes or reads what this one wrote, and all
// sleeping and waking. Everything else a thread does is seen by nobody; in the short form such events in a row are one row that
// only counts them. A thread's last row is its answer.

import * as op from "../../explorer/operation.js";
import type { RecordedEvent, Recording } from "../../explorer/recording.js";
import type { StateWordLayout } from "./state-word.js";

/** One row. */
export interface Row {
  readonly kind: "event" | "own" | "answer";
  readonly thread: number;
  readonly text: string;
  /** Where in the core, as "file/function"; "" when unknown. */
  readonly within: string;
  /** Index of the watched word that the row is about; -1 for none. */
  readonly object: number;
  /** The watched words after it. */
  readonly words: readonly bigint[];
  /** What the thread is after it. */
  readonly state: ThreadState;
  /** Threads that are awake because of it. */
  readonly wakes: readonly number[];
}

export type ThreadState = "running" | "asleep" | "done";

/** What rows are made of besides the recording. */
export interface TimeLineOptions {
  /** A short name for an address. */
  readonly describe: (address: number) => string;
  readonly layout: StateWordLayout;
  /** What a value of a named word says, where there is more to say than the number. */
  readonly valueInWords: (name: string, value: bigint) => string | undefined;
  /** IDs of the objects whose words are watched, in the recording's order. */
  readonly ids: readonly number[];
  /** Every event is a row. */
  readonly everything: boolean;
}

/** The rows of a recording. */
export function timeLine(recording: Recording, options: TimeLineOptions): Row[] {
  const { events, results } = recording;
  const shared = sharedWords(events);
  const rows: Row[] = [];
  const lastOf = results.map((_, thread) => events.map((event) => event.thread).lastIndexOf(thread));
  let own: { thread: number; count: number } | undefined;
  let words = recording.words;
  const endOwn = (): void => {
    if (own === undefined) return;
    const { thread, count } = own;
    const text = count === 1 ? "1 step that nobody else sees" : `${count} steps that nobody else sees`;
    rows.push({ kind: "own", thread, text, within: "", object: -1, words, state: "running", wakes: [] });
    own = undefined;
  };
  events.forEach((event, index) => {
    const object = watchedIndex(event, options);
    const matters = options.everything || object >= 0 || event.bytes === 0 || touches(shared, event);
    if (matters) {
      endOwn();
      rows.push({
        kind: "event",
        thread: event.thread,
        text: inWords(event, object, words[object], options),
        within: event.within,
        object,
        words: event.words,
        state: event.sleeps ? "asleep" : "running",
        wakes: threadsOf(event.wakes),
      });
    } else {
      if (own !== undefined && own.thread !== event.thread) endOwn();
      own = { thread: event.thread, count: (own?.count ?? 0) + 1 };
    }
    words = event.words;
    const { thread } = event;
    const answer = results[thread];
    if (index !== lastOf[thread] || typeof answer !== "string") return;
    endOwn();
    const text = `answers ${answer}`;
    rows.push({ kind: "answer", thread, text, within: "", object: -1, words, state: "done", wakes: [] });
  });
  endOwn();
  return rows;
}

/** What each thread is after the first `count` rows. */
export function threadStates(rows: readonly Row[], count: number, threads: number): ThreadState[] {
  const states = Array.from({ length: threads }, (): ThreadState => "running");
  for (const { thread, state, wakes } of rows.slice(0, count)) {
    states[thread] = state;
    for (const woken of wakes) states[woken] = "running";
  }
  return states;
}

/** Words that several threads use, one of them writing. */
function sharedWords(events: readonly RecordedEvent[]): Set<number> {
  const uses = new Map<number, { threads: number; written: boolean }>();
  for (const { thread, address, bytes, writes } of events) {
    for (let word = address >> 2; word << 2 < address + bytes; word++) {
      const use = uses.get(word) ?? { threads: 0, written: false };
      use.threads |= 1 << thread;
      use.written ||= writes;
      uses.set(word, use);
    }
  }
  const isShared = ({ threads, written }: { threads: number; written: boolean }): boolean =>
    written && (threads & (threads - 1)) !== 0;
  return new Set([...uses].filter(([, use]) => isShared(use)).map(([word]) => word));
}

function touches(shared: ReadonlySet<number>, { address, bytes }: RecordedEvent): boolean {
  for (let word = address >> 2; word << 2 < address + bytes; word++) if (shared.has(word)) return true;
  return false;
}

function watchedIndex({ address }: RecordedEvent, { ids, describe }: TimeLineOptions): number {
  return ids.findIndex((id) => describe(address) === `object ${id}`);
}

function threadsOf(mask: number): number[] {
  return Array.from({ length: 32 }, (_, thread) => thread).filter((thread) => (mask >>> thread) & 1);
}

// ------------------------------------------------------------------------------------------------------ in words

function inWords(event: RecordedEvent, object: number, found: bigint | undefined, options: TimeLineOptions): string {
  const { kind, before, writes, sleeps, wakes } = event;
  const { describe, layout, ids } = options;
  const name = object >= 0 ? `the state word of object ${ids[object] ?? ""}` : `the ${describe(event.address)}`;
  if (op.IS_WAIT[kind])
    return sleeps ? `sleeps until ${name} changes` : `need not sleep: ${name} has changed meanwhile`;
  if (kind === op.WAKE) return "is awake again";
  if (kind === op.TIMEOUT) return "stops waiting";
  if (kind === op.START) return "starts";
  if (kind === op.PAUSE) return `waits until ${name} changes`;
  if (kind === op.NOTIFY) return wakes === 0 ? "wakes nobody: nobody sleeps" : `wakes ${threadNames(wakes)}`;
  if (name.endsWith(" lock")) return lockInWords(event, name);
  const isSwap = kind === op.COMPARE_EXCHANGE32 || kind === op.COMPARE_EXCHANGE64;
  if (isSwap && !writes) return `wanted to change ${name}, but it is not what it was: looks again`;
  if (object >= 0 && found !== undefined) {
    if (!writes) return `reads ${name}: ${layout.summary(found)}`;
    const after = event.words[object] ?? found;
    return `changes ${name}: ${layout.changeInWords(found, after)}`;
  }
  const said = (value: bigint): string => options.valueInWords(describe(event.address), value) ?? number(value);
  if (!writes) return `reads ${name}: ${said(before)}`;
  if (kind === op.FILL_RELAXED) return `clears ${event.bytes} bytes from ${name}`;
  return `writes ${name}: ${said(before)} → ${said(isSwap ? event.b : event.a)}`;
}

/** A lock is free when it is 0. */
function lockInWords({ kind, before, writes, a, b }: RecordedEvent, name: string): string {
  const isSwap = kind === op.COMPARE_EXCHANGE32;
  if (!writes) return isSwap ? `finds ${name} taken` : `looks at ${name}: ${before === 0n ? "free" : "taken"}`;
  if ((isSwap ? b : a) === 0n) return `gives ${name} back`;
  return before === 0n ? `takes ${name}` : `marks ${name}: somebody waits for it`;
}

function threadNames(mask: number): string {
  return threadsOf(mask)
    .map((thread) => `thread ${thread + 1}`)
    .join(" and ");
}

const MOST_DECIMAL = 9n;

function number(value: bigint): string {
  return value <= MOST_DECIMAL ? String(value) : `0x${value.toString(16)}`;
}

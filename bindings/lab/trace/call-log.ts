// SPDX-License-Identifier: GPL-2.0-only
//
// The calls that a trace lists: the newest ones, those of them that a filter lets through, and a count of what is gone.
//
// Vocabulary: *kept* calls are in the ring; *shown* ones pass the filter; *summarised* ones fell out of the ring and are only
// counted; *held* ones arrived during a pause.
//
// Invariant: everything is bounded: the kept calls, the held ones, and the choices that the filters offer, because names,
// requests and results come from other threads. Adding a call costs the same however many there are; only a new filter
// looks at all of them. Nothing is decoded here.

import type { LabCall } from "../session.js";
import { Ring } from "./ring.js";

/** Which calls are shown; what is undefined does not matter. */
export interface CallFilter {
  readonly thread?: string | undefined;
  readonly request?: number | undefined;
  /** A result such as -16, or all that failed or did not. */
  readonly result?: number | "failed" | "succeeded" | undefined;
}

/** Calls that are counted but no longer there. */
export interface CallCounts {
  readonly calls: number;
  readonly failed: number;
}

/** More choices than this in one filter are not offered; the calls are listed all the same. */
const MOST_CHOICES = 64;
const NONE: CallCounts = { calls: 0, failed: 0 };

/** The newest calls, filtered. */
export class CallLog {
  readonly #kept: Ring<LabCall>;
  /** Indexes in the ring, ascending. */
  readonly #shown: Ring<number>;
  readonly #held: Ring<LabCall>;
  #heldLost = NONE;
  #filter: CallFilter = {};
  #paused = false;
  #summarised = NONE;
  #failed = 0;
  #started: number | undefined;
  /** Threads seen, in order of appearance. */
  readonly threads = new Set<string>();
  /** Requests seen, and the name of the command. */
  readonly requests = new Map<number, string | undefined>();
  /** Negative results seen. */
  readonly errnos = new Set<number>();

  /** @param capacity how many calls are kept, and how many are held during a pause */
  constructor(capacity: number) {
    this.#kept = new Ring(capacity);
    this.#shown = new Ring(capacity);
    this.#held = new Ring(capacity);
  }

  /** Calls since the last `clear`, without those that are held. */
  get total(): CallCounts {
    return { calls: this.#kept.length + this.#summarised.calls, failed: this.#failed };
  }

  /** Calls that fell out of the list. */
  get summarised(): CallCounts {
    return this.#summarised;
  }

  /** Calls that arrived during the pause, and how many of them will be missing. */
  get held(): { readonly calls: number; readonly lost: number } {
    return { calls: this.#held.length + this.#heldLost.calls, lost: this.#heldLost.calls };
  }

  /** When the first call was reported, in milliseconds. */
  get started(): number {
    return this.#started ?? 0;
  }

  /** Number of the first row that is shown; rows keep their number while they are shown. */
  get firstRow(): number {
    return this.#shown.first;
  }

  /** One more than the number of the last row. */
  get endRow(): number {
    return this.#shown.end;
  }

  /** The call of a row. */
  row(number: number): LabCall | undefined {
    const index = this.#shown.at(number);
    return index === undefined ? undefined : this.#kept.at(index);
  }

  get filter(): CallFilter {
    return this.#filter;
  }

  /** Shows other calls; rows are numbered anew. */
  set filter(filter: CallFilter) {
    this.#filter = filter;
    this.#shown.clear();
    for (let index = this.#kept.first; index < this.#kept.end; index++) {
      const call = this.#kept.at(index);
      if (call !== undefined && passes(call, filter)) this.#shown.push(index);
    }
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** At the end of a pause, what was held is added. */
  set paused(paused: boolean) {
    if (paused === this.#paused) return;
    this.#paused = paused;
    if (paused) return;
    this.#summarised = sum(this.#summarised, this.#heldLost);
    this.#failed += this.#heldLost.failed;
    for (const call of this.#held) this.#append(call);
    this.#held.clear();
    this.#heldLost = NONE;
  }

  /** Adds calls, oldest first; during a pause they are held. */
  add(calls: readonly LabCall[]): void {
    for (const call of calls) {
      if (this.#paused) {
        const lost = this.#held.push(call);
        if (lost !== undefined) this.#heldLost = sum(this.#heldLost, countsOf(lost));
      } else {
        this.#append(call);
      }
    }
  }

  /** Forgets all calls and counts, also those that are held. */
  clear(): void {
    this.#kept.clear();
    this.#shown.clear();
    this.#held.clear();
    this.#heldLost = NONE;
    this.#summarised = NONE;
    this.#failed = 0;
    this.#started = undefined;
    this.threads.clear();
    this.requests.clear();
    this.errnos.clear();
  }

  #append(call: LabCall): void {
    this.#started ??= call.time;
    this.#offer(call);
    if (call.result < 0) this.#failed++;
    const index = this.#kept.end;
    const gone = this.#kept.push(call);
    if (gone !== undefined) {
      this.#summarised = sum(this.#summarised, countsOf(gone));
      if ((this.#shown.at(this.#shown.first) ?? index) < this.#kept.first) this.#shown.shift();
    }
    if (passes(call, this.#filter)) this.#shown.push(index);
  }

  #offer({ thread, request, command, result }: LabCall): void {
    if (this.threads.size < MOST_CHOICES) this.threads.add(thread);
    if (this.requests.size < MOST_CHOICES || this.requests.has(request)) this.requests.set(request, command?.name);
    if (result < 0 && this.errnos.size < MOST_CHOICES) this.errnos.add(result);
  }
}

function passes(call: LabCall, { thread, request, result }: CallFilter): boolean {
  if (thread !== undefined && call.thread !== thread) return false;
  if (request !== undefined && call.request !== request) return false;
  if (result === undefined) return true;
  if (result === "failed") return call.result < 0;
  return result === "succeeded" ? call.result >= 0 : call.result === result;
}

function countsOf(call: LabCall): CallCounts {
  return { calls: 1, failed: call.result < 0 ? 1 : 0 };
}

function sum(a: CallCounts, b: CallCounts): CallCounts {
  return { calls: a.calls + b.calls, failed: a.failed + b.failed };
}

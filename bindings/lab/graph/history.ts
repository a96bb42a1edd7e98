// SPDX-License-Identifier: GPL-2.0-only
//
// What happened to each object, in words, as far as the looks saw it.
//
// Bounded three ways: MOST_ENTRIES of an object, the oldest dropped first and counted; MOST_IDS objects, the one that has
// been quiet for longest dropped first; and counts that go up and down within MERGE_MS are one entry that says how often.

import type { Changes } from "./model.js";
import type { ObjectFacts } from "./facts.js";

const MOST_ENTRIES = 40;
const MOST_IDS = 1500;
const MERGE_MS = 1000;

/** One thing that happened. */
export interface HistoryEntry {
  /** When it was seen, milliseconds of `performance.now()`; of several the last. */
  readonly time: number;
  readonly text: string;
  /** How many times in a row. */
  readonly times: number;
}

/** What is known about one ID. */
export interface ObjectHistory {
  /** Oldest first. */
  readonly entries: readonly HistoryEntry[];
  /** Older entries that were dropped. */
  readonly dropped: number;
}

interface Entry extends HistoryEntry {
  time: number;
  text: string;
  times: number;
  /** For counts: which one, where it started, and when. */
  count?: { readonly what: "users" | "holders"; readonly from: number; readonly since: number };
}

interface Record {
  readonly entries: Entry[];
  dropped: number;
}

const NOTHING: ObjectHistory = { entries: [], dropped: 0 };

/** Histories by ID; one of a destroyed object stays, and goes on if the ID is given again. */
export class Histories {
  readonly #records = new Map<number, Record>();

  /** The history of that ID. */
  of(id: number): ObjectHistory {
    return this.#records.get(id) ?? NOTHING;
  }

  /** Takes down what a look found; what the first one found was there before anybody looked. */
  note({ appeared, changed, gone }: Changes, time: number, isFirst = false): void {
    for (const object of gone) this.#add(object.id, { time, text: `gone: ${object.type.name} destroyed`, times: 1 });
    for (const object of appeared) this.#add(object.id, { time, text: appearance(object, isFirst), times: 1 });
    for (const { before, after } of changed) this.#change(before, after, time);
  }

  /** Forgets everything. */
  clear(): void {
    this.#records.clear();
  }

  #change(before: ObjectFacts, after: ObjectFacts, time: number): void {
    const { id } = after;
    if (before.state !== after.state) this.#add(id, { time, text: transition(before, after), times: 1 });
    if (before.references.join() !== after.references.join()) {
      const text = `holds ${after.references.length === 0 ? "nothing" : after.references.join(", ")}`;
      this.#add(id, { time, text, times: 1 });
    }
    this.#count(id, "users", before.users, after.users, time);
    this.#count(id, "holders", before.holders, after.holders, time);
  }

  #count(id: number, what: "users" | "holders", before: number, after: number, time: number): void {
    if (before === after) return;
    const recent = this.#records.get(id)?.entries.slice(-2) ?? [];
    const merged = recent.find(({ count }) => count?.what === what && time - count.since < MERGE_MS);
    if (merged?.count === undefined) {
      this.#add(id, {
        time,
        text: `${what} ${before} → ${after}`,
        times: 1,
        count: { what, from: before, since: time },
      });
    } else {
      merged.time = time;
      merged.times++;
      merged.text = `${what} ${merged.count.from} → ${after}`;
    }
  }

  #add(id: number, entry: Entry): void {
    const record = this.#records.get(id) ?? { entries: [], dropped: 0 };
    record.entries.push(entry);
    if (record.entries.length > MOST_ENTRIES) {
      record.entries.shift();
      record.dropped++;
    }
    // The map's order is that of the last event.
    this.#records.delete(id);
    this.#records.set(id, record);
    if (this.#records.size > MOST_IDS) {
      const [quietest] = this.#records.keys();
      if (quietest !== undefined) this.#records.delete(quietest);
    }
  }
}

function appearance({ type, state, users }: ObjectFacts, isFirst: boolean): string {
  const how = isFirst ? "was there at the first look" : "appeared";
  return state === "reserved" ? `${type.name} ${how}, reserved` : `${type.name} ${how}, ${state}, users ${users}`;
}

function transition(before: ObjectFacts, after: ObjectFacts): string {
  if (before.state === "reserved" && after.state === "live") return "published";
  if (after.state === "destroying") return "a destroyer waits for its holders";
  if (before.state === "destroying" && after.state === "live") return "live again: the destroyer gave up";
  return `${before.state} → ${after.state}`;
}

// SPDX-License-Identifier: GPL-2.0-only
//
// The lab's log of destroyed objects: one entry per object whose destroy operation ran, oldest first.
//
// The log belongs to nobody's file; LAB_LOG reads and empties it. Threads that share an Iommufd need a log that they
// share too, since the destroy operation runs in whichever thread destroys: they implement DestroyLog on memory of
// their own and pass it to defineLab(). What take() must guarantee there is that an entry is delivered or stays,
// whatever other threads append meanwhile.

/** Where the lab's destroy operations are recorded. */
export interface DestroyLog {
  /** Adds an object: its lab type (1, 2, 3) and its ID. */
  append(type: number, id: number): void;
  /**
   * Hands the oldest entries, at most `capacity` of them, to `deliver` as type, id, type, id, … and then forgets all
   * entries. When `deliver` throws, nothing is forgotten. Returns how many entries there were, delivered or not.
   */
  take(capacity: number, deliver: (pairs: Uint32Array) => void): number;
}

/** A log for one thread. */
export function createDestroyLog(): DestroyLog {
  let words: number[] = [];
  return {
    append(type, id) {
      words.push(type, id);
    },
    take(capacity, deliver) {
      deliver(Uint32Array.from(words.slice(0, 2 * capacity)));
      const count = words.length / 2;
      words = [];
      return count;
    },
  };
}

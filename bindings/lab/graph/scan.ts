// SPDX-License-Identifier: GPL-2.0-only
// How the objects of a file are read, in passes: ../scan.ts says when.

import { type PassSink, Scan } from "../scan.js";
import type { ObjectFacts } from "./facts.js";

/** Reads up to `limit` objects from the ID `from` on. */
export type ReadObjects = (from: number, limit: number) => readonly ObjectFacts[];

/** Passes over the objects, a slice at each call of `step`. */
export class ObjectScan extends Scan<ObjectFacts, number> {
  /** @param clock milliseconds, as `performance.now()` */
  constructor(read: ReadObjects, sink: PassSink<ObjectFacts>, clock: () => number) {
    super({ first: 0, read, after: ({ id }) => id + 1 }, sink, clock);
  }
}

// SPDX-License-Identifier: GPL-2.0-only
/** Snapshots of objects for tools and tests, read without disturbing them (assembly/core/inspect.ts). */
import { check } from "./error.js";
import { Errno } from "./generated/errno.js";
import { Layout } from "./generated/layout.js";
import type { Kernel } from "./kernel.js";
import type { ObjectType } from "./object-type.js";

/** One object at one moment. */
export interface ObjectInfo {
  /** Its ID. */
  id: number;
  /** Its type; one that another thread defined is described all the same. */
  type: ObjectType;
  /** "destroying": a destroyer waits; "leaked": skipped by a release that is still under way. */
  state: "reserved" | "live" | "destroying" | "leaked";
  /** Everyone who needs the object to exist, the ID table included. */
  users: number;
  /** Short-term holders among them. */
  holders: number;
  /** IDs of the objects that it holds a users reference on, one entry per reference. */
  references: number[];
}

/** The published object of that ID. @throws IommufdError EBADF */
export function readPublished(kernel: Kernel, file: number, expected: number, id: number): ObjectInfo | undefined {
  return read(kernel, file, expected, id, true);
}

/** A part of a context's objects. */
export interface ObjectRange {
  /** The lowest ID wanted; default 0. */
  from?: number;
  /** How many objects at most; default all. */
  limit?: number;
}

/** What is not free and in the range, by ascending ID. @throws IommufdError EBADF */
export function readObjects(kernel: Kernel, file: number, expected: number, range: ObjectRange): ObjectInfo[] {
  const { from = 0, limit = Infinity } = range;
  const objects: ObjectInfo[] = [];
  for (let next = from; objects.length < limit;) {
    const info = read(kernel, file, expected, next, false);
    if (info === undefined) break;
    objects.push(info);
    next = info.id + 1;
  }
  return objects;
}

function read(kernel: Kernel, file: number, expected: number, id: number, exact: boolean): ObjectInfo | undefined {
  const result = kernel.core.inspect(file, expected, id, Number(exact), 0);
  kernel.attend();
  if (result === -Errno.ENOENT) return undefined;
  check(result, "inspect");
  const window = kernel.thread + Layout.THREAD_WINDOW;
  const info: ObjectInfo = {
    id: kernel.word(window + Layout.SNAPSHOT_ID),
    type: kernel.typeOf(kernel.word(window + Layout.SNAPSHOT_TYPE)),
    state: stateOf(kernel.word(window + Layout.SNAPSHOT_PHASE), kernel.word(window + Layout.SNAPSHOT_DESTROYERS)),
    users: kernel.word(window + Layout.SNAPSHOT_USERS),
    holders: kernel.word(window + Layout.SNAPSHOT_HOLDERS),
    references: [],
  };
  appendReferences(kernel, info.references);
  // A list that filled the window goes on in further parts, as long as the object is there.
  for (let count = info.references.length; count > 0;) {
    if (kernel.core.inspect(file, expected, info.id, Number(exact), count) !== 0) break;
    if (kernel.word(window + Layout.SNAPSHOT_ID) !== info.id) break;
    appendReferences(kernel, info.references);
    if (info.references.length === count) break;
    count = info.references.length;
  }
  return info;
}

function appendReferences(kernel: Kernel, references: number[]): void {
  const window = kernel.thread + Layout.THREAD_WINDOW;
  const count = kernel.word(window + Layout.SNAPSHOT_COUNT);
  for (let index = 0; index < count; index++) references.push(kernel.word(window + Layout.SNAPSHOT_IDS + index * 4));
}

function stateOf(phase: number, destroyers: number): ObjectInfo["state"] {
  if (phase === Layout.PHASE_RESERVED) return "reserved";
  if (phase === Layout.PHASE_LEAKED) return "leaked";
  return destroyers > 0 ? "destroying" : "live";
}

// SPDX-License-Identifier: GPL-2.0-only
//
// The lab's ioctls that make a file contain given objects, each under its ID, with its holds and its kept references.
//
// IDs are handed out lowest first, so every ID up to the highest is taken by a filler to begin with. Then, what is held
// before what holds it, a filler gives its ID back and the object takes it: it is the only free one below the highest. At
// the end the fillers go that nobody replaced, and the log of destroyed objects is emptied.

import type { Fields, IoctlCommand, ObjectInfo } from "../../index.js";
import { IOMMU_DESTROY } from "../../index.js";

/** One call: its request and its struct. */
export interface PreludeCall {
  readonly request: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const TYPES = ["DEVICE", "HWPT", "IOAS"];
/** A filler's type: nothing is special about it. */
const FILLER = 3;
/** LAB_ALLOC can hold so many objects. */
const MOST_HOLDS = 2;
/** Beyond so many calls a trace would be mostly prelude. */
const MOST_CALLS = 10_000;

/** The calls; undefined when the lab's ioctls cannot make these objects. */
export function preludeOf(
  objects: readonly ObjectInfo[],
  commands: readonly IoctlCommand<Fields>[],
): PreludeCall[] | undefined {
  if (objects.length === 0) return [];
  const alloc = commands.find(({ name }) => name === "LAB_ALLOC");
  const keep = commands.find(({ name }) => name === "LAB_KEEP");
  const log = commands.find(({ name }) => name === "LAB_LOG");
  const highest = Math.max(...objects.map(({ id }) => id));
  const order = heldFirst(objects);
  if (alloc === undefined || keep === undefined || log === undefined) return undefined;
  if (order === undefined || highest + 2 * objects.length > MOST_CALLS) return undefined;

  const calls: PreludeCall[] = [];
  const call = (command: IoctlCommand<Fields>, values: Record<string, number>): void => {
    calls.push({ request: command.request, bytes: command.encode(values) });
  };
  const destroy = (id: number): void => call(IOMMU_DESTROY, { id });
  for (let id = 1; id <= highest; id++) call(alloc, { type: FILLER });
  for (const { id, type, references } of order) {
    destroy(id);
    const [hold_id0 = 0, hold_id1 = 0] = references;
    call(alloc, { type: TYPES.indexOf(type.name) + 1, hold_id0, hold_id1 });
  }
  for (let id = 1; id <= highest; id++) if (!objects.some((object) => object.id === id)) destroy(id);
  for (const { id, users, holders } of objects) {
    const held = objects.reduce((sum, { references }) => sum + references.filter((to) => to === id).length, 0);
    for (let kept = users - holders - 1 - held; kept > 0; kept--) call(keep, { id });
  }
  call(log, {});
  return calls;
}

/** The objects, each behind those that it holds; undefined for what the lab cannot make. */
function heldFirst(objects: readonly ObjectInfo[]): ObjectInfo[] | undefined {
  const made = new Set<number>();
  const order: ObjectInfo[] = [];
  let left = [...objects];
  while (left.length > 0) {
    const ready = left.filter(
      ({ type, state, references }) =>
        TYPES.includes(type.name) &&
        state === "live" &&
        references.length <= MOST_HOLDS &&
        references.every((id) => made.has(id)),
    );
    if (ready.length === 0) return undefined;
    for (const object of ready) {
      made.add(object.id);
      order.push(object);
    }
    left = left.filter(({ id }) => !made.has(id));
  }
  return order;
}

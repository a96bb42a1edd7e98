// SPDX-License-Identifier: GPL-2.0-only
//
// The end of a file: all its objects go, in the profile's order; what is still used leaks.
//
// rfc (the seed's iommufd_fops_release): types in the order of their definition, IDs ascending within a type, once. An object that
// somebody still uses is warned about and left behind with its holds.
// mainline: passes over all IDs ascending, each destroying what only the table uses, until a pass sees nothing, or destroys
// nothing: then what is left leaks, with one warning that names the first.

import type { Machine } from "./machine.ts";
import type { Obj, OpenFile, Thread } from "./objects.ts";

export function release(machine: Machine, thread: Thread, file: OpenFile): void {
  if (machine.abi === "rfc") releaseByType(machine, thread, file);
  else releaseByPasses(machine, thread, file);
  file.objects.clear();
}

function releaseByType(machine: Machine, thread: Thread, file: OpenFile): void {
  for (const type of machine.types) {
    for (const object of ascending(file)) {
      if (object.type !== type) continue;
      if (isUnused(object)) {
        destroyOrQueue(machine, thread, object);
      } else {
        machine.warn(thread, "release:users", file.fd, object.id);
        leak(machine, object);
      }
    }
  }
}

function releaseByPasses(machine: Machine, thread: Thread, file: OpenFile): void {
  for (;;) {
    let destroyed = 0;
    for (const object of ascending(file)) {
      if (!isUnused(object)) continue;
      destroyOrQueue(machine, thread, object);
      destroyed++;
    }
    const [first, ...others] = ascending(file);
    if (first === undefined) return;
    if (destroyed > 0) continue;
    machine.warn(thread, "release:users", file.fd, first.id);
    for (const object of [first, ...others]) leak(machine, object);
    return;
  }
}

function ascending(file: OpenFile): Obj[] {
  return [...file.objects.values()].sort((a, b) => a.id - b.id);
}

function isUnused({ users, saturated }: Obj): boolean {
  return users === 1 && !saturated;
}

/** A callback that this thread does not have waits for a thread that does; the holds go at once. */
function destroyOrQueue(machine: Machine, thread: Thread, object: Obj): void {
  if (machine.canDestroy(thread, object.type)) {
    machine.destroyObject(thread, object);
    return;
  }
  object.state = "gone";
  object.file.objects.delete(object.id);
  machine.dropHolds(thread, object);
  machine.queue.push(object);
}

/** The table's user goes; the memory stays, and whoever holds the object still points to it. */
function leak(machine: Machine, object: Obj): void {
  object.state = "leaked";
  object.file.objects.delete(object.id);
  if (!object.saturated) object.users--;
  machine.leaked++;
}

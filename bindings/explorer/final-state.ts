// SPDX-License-Identifier: GPL-2.0-only
//
// What is left when every thread is done: the checks that most properties end with.
//
// Counts add up if each object's users are the table, its kept users, its holds by other objects and the locks on it. Threads are at
// rest if no lock is taken, no file is in use, and every record is free. Slots add up if those that are free and those that are
// objects are as many as before: none was lost, none was freed twice.

import type { Booted } from "./core-setup.js";
import { expect } from "./failure.js";
import type { Core } from "./model.js";

/** Where SlabClass keeps its list and the rest of its chunk, behind its lock: memory-map.ts. */
const CLASS_SLOT_BYTES = 4;
const CLASS_FREE = 12;
const CLASS_BUMP = 16;
const CLASS_BUMP_END = 20;
/** FROZEN in the upper half of a state word: refcount.ts. A look at such an object would wait. */
const FROZEN_HIGH = 1 << 29;
/** Models make no more objects. */
const HIGHEST_ID = 8;

export interface ObjectState {
  id: number;
  phase: number;
  users: number;
  holders: number;
  destroyers: number;
  kept: number;
  /** IDs of the objects that it holds. */
  references: number[];
}

/** Address of an ID's entry. Context: its leaf exists. */
export function entryOf(core: Core, file: number, id: number): number {
  const root = core.u32(file + core.constant("FILE_STATE") + 4);
  const leaf = core.u32(core.u32(root) + (id >> 8) * 4);
  return leaf + (id & 255) * 16;
}

/** The object with that ID, or with the lowest from there on, reserved ones included; undefined when there is none. */
export function look(core: Core, { file, slots, expected }: Booted, id: number, exact = true): ObjectState | undefined {
  if (core.call(0, "inspect", file, expected, id, exact ? 1 : 0, 0) !== 0) return undefined;
  const window = slots[0]! + core.constant("THREAD_WINDOW");
  const field = (name: string): number => core.u32(window + core.constant(name));
  const found = field("SNAPSHOT_ID");
  const count = field("SNAPSHOT_COUNT");
  return {
    id: found,
    phase: field("SNAPSHOT_PHASE"),
    users: field("SNAPSHOT_USERS"),
    holders: field("SNAPSHOT_HOLDERS"),
    destroyers: field("SNAPSHOT_DESTROYERS"),
    kept: core.u32(entryOf(core, file, found) + core.constant("ENTRY_SLOT") + 4),
    references: Array.from({ length: count }, (_, index) =>
      core.u32(window + core.constant("SNAPSHOT_IDS") + 4 * index),
    ),
  };
}

/** Everything in the table, in ascending order. */
export function lookAll(core: Core, booted: Booted): ObjectState[] {
  const all: ObjectState[] = [];
  for (let object = look(core, booted, 1, false); object; object = look(core, booted, object.id + 1, false))
    all.push(object);
  return all;
}

/** Every object of the open file is published, unlocked, awaited by nobody, and its users add up. Return: their IDs. */
export function expectCounts(core: Core, booted: Booted): number[] {
  for (let id = 1; id <= HIGHEST_ID; id++) {
    const frozen = core.u32(entryOf(core, booted.file, id) + 4) & FROZEN_HIGH;
    expect(frozen === 0, `object ${id} is frozen at the end`);
  }
  const all = lookAll(core, booted);
  const taken = core.u32(booted.file + core.constant("FILE_TAKEN"));
  expect(taken === all.length, `${taken} IDs are taken by ${all.length} objects`);
  for (const { id, phase, users, holders, destroyers, kept } of all) {
    expect(phase > core.constant("PHASE_RESERVED"), `object ${id} is still reserved`);
    expect(
      holders === 0 && destroyers === 0,
      `object ${id} has ${holders} holders, ${destroyers} destroyers at the end`,
    );
    const held = all.reduce((sum, other) => sum + other.references.filter((target) => target === id).length, 0);
    expect(users === 1 + kept + held, `object ${id} has ${users} users: the table, ${kept} kept, ${held} holds`);
  }
  return all.map(({ id }) => id);
}

/** No lock is taken, and no thread has anything in use, in hand or pinned. */
export function expectRest(core: Core, { slots, file }: Booted): void {
  const locks: [string, number][] = [
    ["table", file + core.constant("FILE_LOCK")],
    ...["REGISTRY", "MAPS", "QUEUE", "NODES", "PAGES"].map((name): [string, number] => [
      name.toLowerCase(),
      core.constant(`${name}_LOCK`),
    ]),
  ];
  for (let number = 0; number < core.constant("MAX_CLASSES"); number++)
    locks.push([`class ${number}`, core.constant("CLASSES") + number * core.constant("CLASS_BYTES")]);
  for (const [name, address] of locks) expect(core.u32(address) === 0, `the ${name} lock is taken at the end`);
  for (const [thread, slot] of slots.entries()) {
    const marks = slot + core.constant("THREAD_RECORDS") - 4 * core.constant("MAX_FILES");
    for (let row = 0; row < core.constant("MAX_FILES"); row++)
      expect(core.u32(marks + 4 * row) === 0, `thread ${thread} still uses file ${row}`);
    for (let record = 0; record < core.constant("MAX_RECORDS"); record++) {
      const at = slot + core.constant("THREAD_RECORDS") + record * core.constant("RECORD_BYTES");
      expect(core.u32(at + core.constant("RECORD_FILE_KIND")) === 0, `thread ${thread} has a record left`);
    }
    for (const name of ["HAND", "HAND_LIST", "HAND_MEMORY", "PINNED"])
      expect(core.u32(slot + core.constant(`THREAD_${name}`)) === 0, `thread ${thread} has ${name} left`);
    const attention = core.u32(slot + core.constant("THREAD_ATTENTION"));
    expect((attention & core.constant("ATTENTION_RELEASE")) === 0, `thread ${thread} leaves a release undone`);
  }
}

/** Slots of all classes that are free, and spares of contexts. */
export function freeSlots(core: Core): number {
  let count = 0;
  for (let row = 0; row < core.constant("MAX_FILES"); row++) {
    const at = core.constant("FILES") + row * core.constant("FILE_BYTES") + core.constant("FILE_SPARE");
    for (let slot = core.u32(at); slot !== 0; slot = core.u32(slot + core.constant("SLOT_LINK"))) {
      if (++count > 100_000) break;
    }
  }
  for (let number = 0; number < core.constant("MAX_CLASSES"); number++) {
    const at = core.constant("CLASSES") + number * core.constant("CLASS_BYTES");
    const slotBytes = core.u32(at + CLASS_SLOT_BYTES);
    if (slotBytes === 0) continue;
    for (let slot = core.u32(at + CLASS_FREE); slot !== 0; slot = core.u32(slot + core.constant("SLOT_LINK"))) {
      if (++count > 100_000) break;
    }
    count += (core.u32(at + CLASS_BUMP_END) - core.u32(at + CLASS_BUMP)) / slotBytes;
  }
  return count;
}

/** The next allocation gets the lowest ID that is free. */
function expectLowestFree(core: Core, { file, slots, expected, type }: Booted, ids: readonly number[]): void {
  let lowest = 1;
  while (ids.includes(lowest)) lowest++;
  const handle = core.call(0, "alloc", file, expected, type);
  expect(handle > 0, `an allocation at the end answers ${handle}`);
  core.call(0, "describe", file, handle);
  const id = core.u32(slots[0]! + core.constant("THREAD_RESULT0") + 4);
  expect(id === lowest, `the next ID is ${id}, ${lowest} is free`);
  expect(core.call(0, "abort", file, handle) === 0, "the abort at the end fails");
}

/** All of the above, for a file that is still open. `slots` are the free slots and the objects together, as in `prepare`. Return: the IDs. */
export function expectOrder(core: Core, prepared: Booted & { slotsInAll: number }): number[] {
  const ids = expectCounts(core, prepared);
  expectRest(core, prepared);
  const inAll = freeSlots(core) + ids.length;
  expect(inAll === prepared.slotsInAll, `${inAll} slots are free or objects, ${prepared.slotsInAll} were`);
  expectLowestFree(core, prepared, ids);
  return ids;
}

/** For a file that was closed: it is released, exactly once, and nothing of it is left. */
export function expectReleased(core: Core, prepared: Booted & { slotsInAll: number }): void {
  const state = core.u32(prepared.file + core.constant("FILE_STATE"));
  const phase = state & core.constant("FILE_PHASE_MASK");
  expect(phase === core.constant("FILE_FREE"), `the file is in phase ${phase} at the end`);
  expect(core.u32(prepared.file + core.constant("FILE_TAKEN")) === 0, "IDs are taken in a released file");
  expectRest(core, prepared);
  const free = freeSlots(core);
  expect(free === prepared.slotsInAll, `${free} slots are free, ${prepared.slotsInAll} were in all`);
}

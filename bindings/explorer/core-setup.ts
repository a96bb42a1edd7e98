// SPDX-License-Identifier: GPL-2.0-only
//
// What most models start from: a memory of the real core with attached threads, an open file, a type and an object.

import { Layout } from "../generated/layout.js";
import { entryOf, freeSlots } from "./final-state.js";
import type { Core } from "./model.js";

/** Whose rules the core follows. */
export type ProfileName = "rfc" | "mainline";

const HIGHEST_ID = 0xffff;

export interface Booted {
  /** Addresses of the attached threads' slots. */
  readonly slots: readonly number[];
  /** An open file, and what a context of its number expects. */
  readonly file: number;
  readonly expected: number;
  /** A type without callback. */
  readonly type: number;
}

/** A fresh memory in which `threads` threads are attached that may block. Return: addresses of their slots. */
export function bootThreads(core: Core, profile: ProfileName, threads: number): number[] {
  const result = core.call(0, "init", core.bytes, profile === "rfc" ? 0 : 1, HIGHEST_ID, Layout.MAINLINE_COMMAND_LIMIT);
  if (result !== 0) throw new Error(`init failed: ${result}`);
  core.nullPage(core.constant("NULL_BYTES"));
  core.unallocated(core.u32(core.constant("HEAP")), core.bytes);
  const slots: number[] = [];
  for (let thread = 0; thread < threads; thread++) {
    const slot = core.call(thread, "attachThread", 1);
    if (slot === 0) throw new Error("no thread slot is left");
    slots.push(slot);
  }
  return slots;
}

/** The same with an open file and a type. */
export function boot(core: Core, profile: ProfileName, threads: number): Booted {
  const slots = bootThreads(core, profile, threads);
  const file = core.call(0, "open");
  if (file < 0) throw new Error(`open failed: ${file}`);
  const expected = core.u32(slots[0]! + core.constant("THREAD_RESULT0"));
  return { slots, file, expected, type: defineType(core, slots[0]!, 0, "T", 0, 0) };
}

/** Defines a type, or binds thread `thread` to the one of that name. */
export function defineType(
  core: Core,
  slot: number,
  thread: number,
  name: string,
  payload: number,
  flags: number,
): number {
  const window = slot + core.constant("THREAD_WINDOW");
  const bytes = new TextEncoder().encode(name.padEnd(4, "\0"));
  for (let at = 0; at < bytes.length; at += 4) {
    core.setU32(window + at, bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24));
  }
  const type = core.call(thread, "defineType", name.length, payload, flags);
  if (type <= 0) throw new Error(`defineType failed: ${type}`);
  return type;
}

/** A published object. Return: its ID. */
export function makeObject(core: Core, { file, expected, type }: Booted, thread = 0): number {
  const handle = core.call(thread, "alloc", file, expected, type);
  if (handle <= 0) throw new Error(`alloc failed: ${handle}`);
  return core.call(thread, "finalize", file, handle);
}

export interface Prepared extends Booted {
  /** Free slots and objects together: final-state.ts. */
  readonly slotsInAll: number;
  readonly describe: (address: number) => string | undefined;
}

/**
 * boot, and what the first allocation would make: the nodes of the ID table and a chunk of slots. So models are about objects, not
 * about the growth of tables. Without objects.
 */
export function prepare(core: Core, profile: ProfileName, threads: number): Prepared {
  const booted = boot(core, profile, threads);
  const { file, expected, type } = booted;
  if (core.call(0, "abort", file, core.call(0, "alloc", file, expected, type)) !== 0) throw new Error("abort failed");
  return { ...booted, slotsInAll: freeSlots(core), describe: describeCore(core, booted) };
}

/** Names of the words that traces show most: locks, the file, its ID table, thread slots, and the entries of objects. */
export function describeCore(
  core: Core,
  booted: Booted,
  ids: readonly number[] = [],
): (address: number) => string | undefined {
  const { slots, file } = booted;
  const names = new Map(ids.map((id) => [describedEntry(core, file, id), `object ${id}`]));
  const pages = core.call(0, "pageLock");
  const [fileState, entrySlot, entryKept] = ["FILE_STATE", "ENTRY_SLOT", "ENTRY_KEPT"].map((name) =>
    core.constant(name),
  );
  const fileBytes = core.constant("FILE_BYTES");
  const locks = new Map<number, string>([
    [pages, "page lock"],
    [file + core.constant("FILE_LOCK"), "table lock"],
  ]);
  for (let number = 0; number < core.constant("MAX_CLASSES"); number++)
    locks.set(core.constant("CLASSES") + number * core.constant("CLASS_BYTES"), "slot lock");
  const table = core.u32(file + core.constant("FILE_ROOT"));
  return (address) => {
    const name = names.get(address) ?? locks.get(address);
    if (name !== undefined) return name;
    for (const [index, slot] of slots.entries()) {
      if (address >= slot && address < slot + core.constant("THREAD_BYTES"))
        return threadWord(core, index, address - slot);
    }
    for (let id = 1; id <= 4; id++) {
      const entry = describedEntry(core, file, id);
      if (entry === 0) continue;
      if (address === entry || address === entry + 4) return `object ${id}`;
      if (address === entry + entrySlot!) return `slot of object ${id}`;
      if (address === entry + entryKept!) return `kept users of object ${id}`;
    }
    if (address === file + fileState!) return "file state";
    if (address === file + core.constant("FILE_ROOT") || (table !== 0 && address === table)) return "file root";
    if (address >= file && address < file + fileBytes) return `file + ${address - file}`;
    return undefined;
  };
}

/** A word of a thread's slot: its marks say which files it uses, its records what it has locked or reserved. */
function threadWord(core: Core, index: number, offset: number): string {
  const marks = core.constant("THREAD_MARKS");
  const records = core.constant("THREAD_RECORDS");
  if (offset >= marks && offset < marks + 4 * core.constant("MAX_FILES"))
    return `thread ${index}, mark ${(offset - marks) / 4}`;
  const recordBytes = core.constant("RECORD_BYTES");
  if (offset >= records && offset < records + recordBytes * core.constant("MAX_RECORDS"))
    return `thread ${index}, record ${Math.floor((offset - records) / recordBytes)}`;
  return `thread ${index} + ${offset}`;
}

/** 0 while the table has no leaf yet. */
function describedEntry(core: Core, file: number, id: number): number {
  return core.u32(file + core.constant("FILE_STATE") + 4) === 0 ? 0 : entryOf(core, file, id);
}

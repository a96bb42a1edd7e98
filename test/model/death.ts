// SPDX-License-Identifier: GPL-2.0-only
//
// A world in which threads die, and what must be true of it after they were reaped.
//
//   makeWorld      threads, two types (one with a destroy callback), an open file
//   audit          every object's counts are what records, kept users and notes add up to; no lock is held, the dead threads' slots are
//                  free and clean; ID tables, frames and slabs are whole
//   describeWorld  what there is, as text: equal texts are equal states
//   closeAll       gives everything back; then no byte of an object's memory may be left over
//   serve          a round of all services, ended by closeAll
//
// All of them run when no thread is running. The accounts are those of the tables; the map of live bytes (live-bytes.ts) is a second,
// independent one.

import { boot, defineType } from "../../bindings/explorer/core-setup.js";
import { expect } from "../../bindings/explorer/failure.js";
import type { Core } from "../../bindings/explorer/model.js";
import type { ProfileName } from "./property.ts";
import { objectKey, type CallbackLog } from "./reaper.ts";
import { fileOfSlot, serialOfSlot, typeOfSlot } from "./slot-head.ts";

const PAGE = 4096;
const PROT_ALL = 3;
export const USER_PAGE = 0x10_0000;

export interface World {
  readonly slots: readonly number[];
  readonly file: number;
  readonly expected: number;
  /** Without callback; with one, which all threads can run. */
  readonly plain: number;
  readonly calling: number;
}

export const CALLING = "C";

export function makeWorld(core: Core, profile: ProfileName, threads: number): World {
  const { slots, file, expected, type } = boot(core, profile, threads);
  let calling = 0;
  for (let thread = 0; thread < threads; thread++) {
    calling = defineType(core, slots[thread]!, thread, CALLING, 16, core.constant("TYPE_HAS_DESTROY"));
  }
  return { slots, file, expected, plain: type, calling };
}

/** Direct calls, with their result checked. */
export function must(core: Core, thread: number, name: string, ...args: (number | bigint)[]): number {
  const result = core.call(thread, name, ...args);
  expect(result >= 0, `${name}(${args.join(", ")}) by thread ${thread} answers ${result}`);
  return result;
}

export function makeObject(
  core: Core,
  { file, expected }: World,
  type: number,
  holds: number[] = [],
  thread = 0,
): number {
  const handle = must(core, thread, "alloc", file, expected, type);
  for (const target of holds) {
    const locked = must(core, thread, "getSlowly", file, expected, target, 0);
    must(core, thread, "hold", file, handle, locked);
    must(core, thread, "putSlowly", file, locked);
  }
  return must(core, thread, "finalize", file, handle);
}

/** A kept user of the object. Return: its serial. */
export function keep(core: Core, { file, expected, slots }: World, id: number, thread = 0): number {
  const locked = must(core, thread, "getSlowly", file, expected, id, 0);
  must(core, thread, "putKeepUser", file, locked);
  const at = slots[thread]! + core.constant("THREAD_RESULT0");
  return core.u32(at) + core.u32(at + 4) * 2 ** 32;
}

export const LIVE = 2;

export function filesOf(core: Core): { file: number; phase: number; state: number }[] {
  const files = [];
  for (let index = 0; index < core.constant("MAX_FILES"); index++) {
    const file = core.constant("FILES") + index * core.constant("FILE_BYTES");
    const state = core.u32(file + core.constant("FILE_STATE"));
    files.push({ file, state, phase: state & core.constant("FILE_PHASE_MASK") });
  }
  return files;
}

export function isPoisoned(core: Core, state: number): boolean {
  return (state & core.constant("FILE_POISONED")) !== 0;
}

/** Numbers of the fault queues' files, and their states. */
export function queuesOf(core: Core): { fd: number; state: number }[] {
  const rows = [];
  for (let number = 0; number < core.constant("MAX_KEEPERS"); number++) {
    const state = core.u32(core.constant("KEEPERS") + number * core.constant("KEEPER_BYTES"));
    const type = core.u32(
      core.constant("KEEPERS") + number * core.constant("KEEPER_BYTES") + core.constant("KEEPER_TYPE"),
    );
    if (state !== 0 && type === core.constant("TYPE_FAULT"))
      rows.push({ fd: core.constant("FIRST_QUEUE_FD") + number, state });
  }
  return rows;
}

export interface Entry {
  readonly id: number;
  readonly entry: number;
  readonly slot: number;
  readonly phase: number;
}

/** Models make few objects. */
const IDS = 24;

export function entriesOf(core: Core, file: number): Entry[] {
  const found: Entry[] = [];
  for (let id = 1; id < IDS; id++) {
    const entry = core.call(0, "entryAt", file, id);
    const phase = core.call(0, "entryPhase", entry);
    if (phase !== 0) found.push({ id, entry, phase, slot: core.u32(entry + core.constant("ENTRY_SLOT")) });
  }
  return found;
}

function notesOf(core: Core, entry: number): number[] {
  const notes: number[] = [];
  for (let at = core.call(0, "entryNote", entry, 0); at !== 0; at = core.call(0, "entryNote", entry, notes.length)) {
    notes.push(at);
  }
  return notes;
}

interface RecordOf {
  kind: number;
  target: number;
}

function recordsOf(core: Core, slot: number): RecordOf[] {
  const records: RecordOf[] = [];
  for (let index = 0; index < core.constant("MAX_RECORDS"); index++) {
    const at = slot + core.constant("THREAD_RECORDS") + index * core.constant("RECORD_BYTES");
    const kind = core.u32(at + core.constant("RECORD_FILE_KIND")) & core.constant("RECORD_KIND_MASK");
    if (kind !== 0) records.push({ kind, target: core.u32(at + core.constant("RECORD_TARGET")) });
  }
  return records;
}

const CLEAN = [
  "HAND",
  "HAND_LIST",
  "HAND_MEMORY",
  "PINNED",
  "MAPPING",
  "CLAIMING",
  "REAPER",
  "REAPING",
  "SWEEPS",
  "FILES_SETTLED",
];

/** The slot of a thread that was reaped: free, and without a trace of what it did. */
function auditSlot(core: Core, number: number, slot: number): void {
  expect(
    core.u32(slot + core.constant("THREAD_STATE")) === core.constant("THREAD_FREE"),
    `thread ${number} is not free`,
  );
  for (const name of CLEAN) {
    const value = core.u32(slot + core.constant(`THREAD_${name}`));
    expect(value === 0, `thread ${number} left ${name} = 0x${value.toString(16)}`);
  }
  expect(recordsOf(core, slot).length === 0, `thread ${number} left ${JSON.stringify(recordsOf(core, slot))}`);
  for (let file = 0; file < core.constant("MAX_FILES"); file++) {
    const mark = core.u32(slot + core.constant("THREAD_MARKS") + 4 * file);
    expect(mark === 0, `thread ${number} left the mark ${mark} on file ${file}`);
  }
}

function auditLocks(core: Core): void {
  const locks = ["REGISTRY_LOCK", "MAPS_LOCK", "QUEUE_LOCK", "NODES_LOCK", "PAGES_LOCK"].map((name) =>
    core.constant(name),
  );
  for (const { file } of filesOf(core)) locks.push(file + core.constant("FILE_LOCK"), core.call(0, "spaceLock", file));
  for (let index = 0; index < core.constant("MAX_CLASSES"); index++) {
    locks.push(core.constant("CLASSES") + index * core.constant("CLASS_BYTES"));
  }
  for (const lock of locks)
    expect(core.u32(lock) === 0, `lock 0x${lock.toString(16)} is held by ${core.u32(lock) >> 1}`);
}

/** Users, holders and destroyers of every object are the sum of what there is. */
function auditCounts(core: Core, slots: readonly number[]): void {
  const records = slots.flatMap((slot) => recordsOf(core, slot));
  const noted = new Map<number, number>();
  const note = (entry: number): void => void noted.set(entry, (noted.get(entry) ?? 0) + 1);
  for (const { file, phase } of filesOf(core)) {
    if (phase !== 0) for (const { entry } of entriesOf(core, file)) notesOf(core, entry).forEach(note);
  }
  for (const slot of slots) {
    for (const { kind, target } of recordsOf(core, slot)) {
      if (kind !== DYING) continue;
      for (let n = 0, at = core.call(0, "slotNote", target, 0); at !== 0; at = core.call(0, "slotNote", target, ++n))
        note(at);
    }
  }
  for (const { file, phase, state } of filesOf(core)) {
    if (phase === 0 || isPoisoned(core, state)) continue; // nobody counts in a poisoned file any more
    for (const { id, entry, phase: is, slot } of entriesOf(core, file)) {
      const of = (...kinds: string[]): number =>
        records.filter(
          ({ kind, target }) => target === entry && kinds.some((k) => core.constant(`RECORD_${k}`) === kind),
        ).length;
      expect(core.call(0, "entryFreezer", entry) === 0, `object ${id} stays frozen`);
      expect(core.u32(slot + core.constant("SLOT_ID")) === id, `the slot of object ${id} is another's`);
      expect(fileOfSlot(core, slot) === file, `the slot of object ${id} is another file's`);
      const locked = of("LOCKED");
      const queued = of("QUEUED", "QUEUED_KEPT");
      const kept = core.u32(entry + core.constant("ENTRY_KEPT"));
      const users = 1 + locked + queued + kept + (noted.get(entry) ?? 0);
      expect(of("BUSY") === 0, `a record of object ${id} stays BUSY`);
      const has = (name: string): number => core.call(0, `entry${name}`, entry);
      expect(has("Holders") === locked, `object ${id} has ${has("Holders")} holders, ${locked} records`);
      expect(has("Destroyers") === queued, `object ${id} has ${has("Destroyers")} destroyers, ${queued} records`);
      expect(has("Users") === users, `object ${id} has ${has("Users")} users instead of ${users}`);
      if (is !== LIVE) expect(of("RESERVED") === 1, `object ${id} is in phase ${is}, and nobody's reservation`);
    }
  }
}

const DYING = 5;

function auditTables(core: Core): void {
  for (const { file, phase } of filesOf(core)) {
    const ids = phase === 0 ? [] : entriesOf(core, file).map(({ id }) => id);
    const taken = core.u32(file + core.constant("FILE_TAKEN"));
    expect(taken === ids.length, `the table says ${taken} IDs, its entries ${ids.length}`);
    const hint = core.u32(file + core.constant("FILE_HINT"));
    for (let id = 1; id < hint; id++) expect(ids.includes(id), `the hint is ${hint}, but ${id} is free`);
    if (phase === 0) expect(core.u32(file + core.constant("FILE_ROOT")) === 0, "a free file has a table");
  }
}

function framesOf(core: Core): { user: number[]; used: number; heap: number } {
  const heap = core.u32(core.constant("HEAP"));
  const user: number[] = [];
  let used = 0;
  for (let page = 0; page < core.u32(core.constant("IDENTITY_HEAP_PAGES")); page++) {
    const frame = core.u8(core.constant("FRAMES") + page);
    if (frame !== 0) used++;
    if ((frame & core.constant("FRAME_USER")) !== 0) user.push(heap + page * PAGE);
  }
  return { user, used, heap };
}

export interface MappingRow {
  readonly row: number;
  readonly va: bigint;
  /** The heap pages that go with it: the mapped ones, or those that say their protection. */
  readonly own: number;
  readonly ownPages: number;
  readonly pages: number;
  readonly state: number;
  /** Pins that outlast a call. */
  readonly pins: number;
}

export function mappingsOf(core: Core): MappingRow[] {
  const rows: MappingRow[] = [];
  for (let number = 0; number < core.constant("MAX_MAPPINGS"); number++) {
    const row = core.constant("MAPPINGS") + number * core.constant("MAPPING_BYTES");
    const state = core.u32(row + core.constant("MAPPING_STATE"));
    if (state === core.constant("MAPPING_UNUSED")) continue;
    const isAnonymous = core.u32(row + core.constant("MAPPING_KIND")) === core.constant("MAPPING_ANONYMOUS");
    const pages = core.u32(row + core.constant("MAPPING_PAGES"));
    rows.push({
      row,
      va: core.u64(row + core.constant("MAPPING_VA")),
      own: core.u32(row + core.constant(isAnonymous ? "MAPPING_BACKING" : "MAPPING_PROTECTIONS")),
      ownPages: isAnonymous ? pages : Math.ceil(pages / PAGE),
      pages,
      state,
      pins: core.u32(row + core.constant("MAPPING_PINS")),
    });
  }
  return rows;
}

export interface MemfdRow {
  readonly row: number;
  readonly own: number;
  readonly ownPages: number;
  readonly size: number;
  readonly state: number;
}

export function memfdsOf(core: Core): MemfdRow[] {
  const rows: MemfdRow[] = [];
  for (let number = 0; number < core.constant("MAX_MEMFDS"); number++) {
    const row = core.constant("MEMFDS") + number * core.constant("MEMFD_BYTES");
    const state = core.u32(row + core.constant("MEMFD_STATE"));
    if (state === core.constant("MEMFD_UNUSED")) continue;
    rows.push({
      row,
      own: core.u32(row + core.constant("MEMFD_BACKING")),
      ownPages: core.u32(row + core.constant("MEMFD_PAGES")),
      size: core.u32(row + core.constant("MEMFD_SIZE")),
      state,
    });
  }
  return rows;
}

/** Numbers of the living processes. */
export function processesOf(core: Core): number[] {
  const pids: number[] = [];
  for (let number = 0; number < core.constant("MAX_PROCESSES"); number++) {
    const row = core.constant("PROCESSES") + number * core.constant("PROCESS_BYTES");
    if (core.u32(row + core.constant("PROCESS_STATE")) !== core.constant("PROCESS_ALIVE")) continue;
    pids.push(core.u32(row + core.constant("PROCESS_PID")));
  }
  return pids;
}

function auditPages(core: Core): void {
  const { user, used } = framesOf(core);
  expect(core.u32(core.constant("PAGES_USED")) === used, `PageState.used is not the ${used} frames that are used`);
  const rows = mappingsOf(core);
  for (const { va, state, pins } of rows) {
    const isGood = state === core.constant("MAPPING_MAPPED") || (state === core.constant("MAPPING_ORPHAN") && pins > 0);
    expect(isGood, `the mapping at 0x${va.toString(16)} stays in state ${state} with ${pins} pins`);
  }
  const files = memfdsOf(core);
  for (const { row, state } of files)
    expect(state <= MEMFD_CLOSED, `the memfd at 0x${row.toString(16)} stays in state ${state}`);
  const mapped = [...rows, ...files].flatMap(({ own, ownPages }) =>
    Array.from({ length: ownPages }, (_, page) => own + page * PAGE),
  );
  expect(mapped.sort().join() === user.sort().join(), `${user.length} user pages, ${mapped.length} are mapped`);
  const found = rows.filter(({ state }) => state === core.constant("MAPPING_MAPPED"));
  expect(core.u32(core.constant("MAPPING_COUNT")) === found.length, "the order of mappings has another count");
}

const MEMFD_CLOSED = 2;

/** Slots of a slab class that are on its free list or were never cut. */
function freeSlots(core: Core, number: number): number {
  const slab = core.constant("CLASSES") + number * core.constant("CLASS_BYTES");
  const bytes = core.u32(slab + core.constant("CLASS_SLOT_BYTES"));
  const uncut = core.u32(slab + core.constant("CLASS_BUMP_END")) - core.u32(slab + core.constant("CLASS_BUMP"));
  const seen = new Set<number>();
  for (let slot = core.u32(slab + core.constant("CLASS_FREE")); slot !== 0;) {
    expect(!seen.has(slot), `slot 0x${slot.toString(16)} is twice on the free list of class ${number}`);
    seen.add(slot);
    slot = core.u32(slot + core.constant("SLOT_LINK"));
  }
  return seen.size + Math.floor(uncut / bytes);
}

function freeNodes(core: Core): number {
  let bytes = 0;
  for (let kind = 0; kind < 3; kind++) {
    const size = (kind === 0 ? core.u32(core.constant("ROOT_PAGES")) : 1) * PAGE;
    for (let node = core.u32(core.constant("NODES_FREE") + 4 * kind); node !== 0; node = core.u32(node + size - 4)) {
      bytes += size;
      expect(bytes < core.bytes, "the pool of nodes is a ring");
    }
  }
  return bytes;
}

/** Bytes of kernel memory that the tables account for, by what the explorer saw them do. Context: every file is closed. */
function auditNothingLeft(core: Core, lost = 0): void {
  for (const { file, phase } of filesOf(core))
    expect(phase === 0, `file 0x${file.toString(16)} stays in phase ${phase}`);
  expect(core.u32(core.constant("QUEUE_LENGTH")) === 0, "objects stay queued");
  expect(core.u32(core.constant("QUEUE_HEAD")) === 0, "the queue is not empty");
  expect(core.u32(core.constant("COUNTERS_LEAKED")) === 0, "objects have leaked");
  const { user, heap } = framesOf(core);
  expect(user.length === 0, `${user.length} user pages stay`);
  let freed = 0;
  let live = 0;
  for (let page = 0; page < core.u32(core.constant("IDENTITY_HEAP_PAGES")); page++) {
    if (core.u8(core.constant("FRAMES") + page) === 0) continue;
    const count = core.liveBytes(heap + page * PAGE, heap + (page + 1) * PAGE);
    freed += count.freed;
    live += count.live;
  }
  const nodes = freeNodes(core);
  expect(live === nodes + lost, `${live - nodes - lost} bytes of kernel memory belong to nobody`);
  let free = 0;
  for (let number = 0; number < core.u32(core.constant("CLASS_COUNT")); number++) {
    free +=
      freeSlots(core, number) *
      core.u32(core.constant("CLASSES") + number * core.constant("CLASS_BYTES") + core.constant("CLASS_SLOT_BYTES"));
  }
  expect(freed === free, `${freed - free} bytes of slots are lost`);
}

/** Everything that must be true whenever no thread is in a call. */
export function audit(core: Core, slots: readonly number[], reaped: readonly number[]): void {
  for (const number of reaped) auditSlot(core, number, slots[number]!);
  auditLocks(core);
  auditCounts(core, slots);
  auditTables(core);
  auditPages(core);
}

/** Objects, mappings and definitions. Serials are left out: a serial that nobody has got is no loss. */
export function describeWorld(core: Core): string {
  const parts: string[] = [];
  for (const { file, phase, state } of filesOf(core)) {
    if (phase === 0) continue;
    if (isPoisoned(core, state)) {
      parts.push("a poisoned file"); // what is in it does not matter any more
      continue;
    }
    const objects = entriesOf(core, file).map(({ id, entry, slot, phase: is }) => {
      const notes = notesOf(core, entry).map((at) =>
        core.u32(core.u32(at + core.constant("ENTRY_SLOT")) + core.constant("SLOT_ID")),
      );
      const type = typeOfSlot(core, slot);
      const kept = core.u32(entry + core.constant("ENTRY_KEPT"));
      return `${id}:${type}.${is} users ${core.call(0, "entryUsers", entry)} kept ${kept} holds ${notes.join("+") || "-"}`;
    });
    parts.push(`file in phase ${phase}: ${objects.join(", ") || "empty"}`);
  }
  for (const { va, pages } of mappingsOf(core)) parts.push(`0x${va.toString(16)}+${pages}`);
  for (const { state, pins } of mappingsOf(core)) if (pins > 0) parts.push(`pinned ${pins} in state ${state}`);
  for (const { fd, state } of queuesOf(core)) parts.push(`queue ${fd} ${state & core.constant("KEEPER_MASK")}`);
  for (const { size, state } of memfdsOf(core)) parts.push(`memfd of ${size} in state ${state}`);
  parts.push(`processes ${processesOf(core).join()}`);
  parts.push(`types ${core.u32(core.constant("TYPE_COUNT"))}`);
  return parts.join("; ");
}

/** Runs a program at once. Context: nothing in it blocks. */
export function runDirectly<T>(core: Core, thread: number, program: Generator<unknown, T, number>): T {
  let step = program.next(0);
  while (!step.done) {
    const { name, args } = step.value as { name: string; args: readonly (number | bigint)[] };
    step = program.next(core.call(thread, name, ...args));
  }
  return step.value;
}

/** `lost`: bytes of objects that nobody can recognise. Gives everything back: kept users, files, mappings; then nothing may be left. Context: nobody has a record. */
export function closeAll(core: Core, thread: number, log: CallbackLog, lost = 0): void {
  for (const { fd } of queuesOf(core)) {
    must(core, thread, "queueFileClose", fd);
    runDirectly(core, thread, log.attend(thread));
  }
  for (const { file, phase, state } of filesOf(core)) {
    if (phase !== core.constant("FILE_OPEN")) continue;
    for (const { id, entry, slot } of isPoisoned(core, state) ? [] : entriesOf(core, file)) {
      const serial = serialOfSlot(core, slot);
      for (let kept = core.u32(entry + core.constant("ENTRY_KEPT")); kept > 0; kept--)
        must(core, thread, "dropReference", file, state, id, serial);
    }
    if (!isPoisoned(core, state)) destroyHolders(core, file, state, thread, log);
    must(core, thread, "closeNumber", file, core.constant("FILE_BY_NUMBER"));
    runDirectly(core, thread, log.attend(thread));
  }
  runDirectly(core, thread, log.drainQueue(thread));
  closeUserSpace(core, thread);
  auditNothingLeft(core, lost);
}

/** All processes but the default one, all mappings, all memfds. */
function closeUserSpace(core: Core, thread: number): void {
  for (const pid of processesOf(core)) if (pid !== 1) must(core, thread, "endProcess", pid);
  for (const { va, state } of mappingsOf(core)) {
    if (state === core.constant("MAPPING_MAPPED")) must(core, thread, "unmap", va);
  }
  for (const { row, pins } of mappingsOf(core)) {
    for (let pin = 0; pin < pins; pin++) core.call(thread, "dropPin", row);
  }
  for (const { row, state } of memfdsOf(core)) {
    for (let held = core.u32(row + core.constant("MEMFD_HOLDERS")); held > 0; held--)
      core.call(thread, "memfdPut", row);
    if (state !== core.constant("MEMFD_OPEN")) continue;
    const fd = core.constant("FIRST_MEMFD") + (row - core.constant("MEMFDS")) / core.constant("MEMFD_BYTES");
    must(core, thread, "closeMemfd", fd, core.u32(row + core.constant("MEMFD_GENERATION")));
  }
}

/** What holds others goes first, from above: the rfc profile's release would leak what is held. */
function destroyHolders(core: Core, file: number, state: number, thread: number, log: CallbackLog): void {
  for (;;) {
    const found = entriesOf(core, file).find(
      ({ entry }) => notesOf(core, entry).length > 0 && core.call(thread, "entryUsers", entry) === 1,
    );
    if (!found) return;
    const result = core.call(thread, "destroy", file, state, found.id, 1);
    expect(runDirectly(core, thread, log.settle(thread, file, result)) === 0, `object ${found.id} cannot be destroyed`);
  }
}

/** A round of all services by one thread; ends with closeAll. Return: pages in use afterwards. */
export function serve(core: Core, world: World, thread: number, log: CallbackLog, lost = 0): number {
  const file = must(core, thread, "open");
  const expected = core.u32(world.slots[thread]! + core.constant("THREAD_RESULT0"));
  const fresh: World = { ...world, file, expected };
  useFile(core, fresh, thread, log);
  must(core, thread, "map", BigInt(USER_PAGE) * 16n, 2n * BigInt(PAGE), PROT_ALL);
  core.call(thread, "mapDone");
  must(core, thread, "writeUser", BigInt(USER_PAGE) * 16n + 4000n, 200);
  must(core, thread, "readUser", BigInt(USER_PAGE) * 16n + 4000n, 200);
  closeAll(core, thread, log, lost);
  audit(core, world.slots, []);
  return core.u32(core.constant("PAGES_USED"));
}

/** Works with an open file: IDs come lowest first, a lock, a destroy with a callback, a kept user. What is made stays. */
export function useFile(core: Core, world: World, thread: number, log: CallbackLog): void {
  const { file, expected } = world;
  const taken = new Set(entriesOf(core, file).map(({ id }) => id));
  const lowest = (): number => {
    for (let id = 1; ; id++) if (!taken.has(id)) return id;
  };
  const made: number[] = [];
  for (const type of [world.plain, world.calling, world.plain]) {
    const want = lowest();
    const id = makeObject(core, world, type, made.slice(0, 1), thread);
    expect(id === want, `the next ID is ${id}, not ${want}`);
    taken.add(id);
    made.push(id);
  }
  const handle = must(core, thread, "getSlowly", file, expected, made[0]!, 0);
  must(core, thread, "putSlowly", file, handle);
  const serial = keep(core, world, made[1]!, thread);
  must(core, thread, "dropReference", file, expected, made[1]!, serial);
  const entry = core.call(thread, "entryAt", file, made[1]!);
  const key = objectKey(core, core.u32(entry + core.constant("ENTRY_SLOT")));
  const result = core.call(thread, "destroy", file, expected, made[1]!, 1);
  expect(runDirectly(core, thread, log.settle(thread, file, result)) === 0, "the destroy of a fresh object fails");
  expect(log.begun.get(key) === 1, "the callback of a fresh object has not run once");
}

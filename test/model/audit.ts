// SPDX-License-Identifier: GPL-2.0-only
//
// The accounts that must be right whenever no thread is in a call: every object's counts are what records, kept users and notes add up
// to; no lock is held, reaped threads' slots are free and clean; ID tables, frames and slabs are whole.
//
// They are those of the tables; the map of live bytes (live-bytes.ts) is a second, independent one.

import { expect } from "../../bindings/explorer/failure.js";
import type { Core } from "../../bindings/explorer/model.js";
import { fileOfSlot, typeOfSlot } from "./slot-head.ts";
import {
  entriesOf,
  filesOf,
  framesOf,
  isPoisoned,
  keepersOf,
  LIVE,
  mappingsOf,
  memfdsOf,
  notesOf,
  recordsOf,
} from "./tables.ts";

const PAGE = 4096;

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
export function auditNothingLeft(core: Core, lost = 0): void {
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

/** Payloads of the objects of that core type. */
function payloadsOf(core: Core, file: number, type: string): number[] {
  return entriesOf(core, file)
    .filter(({ phase, slot }) => phase === LIVE && typeOfSlot(core, slot) === core.constant(type))
    .map(({ slot }) => slot + core.constant("SLOT_PAYLOAD"));
}

/** Rows are of living threads, which are in no call; address spaces count the accesses that are there, and nobody else pins. */
function auditOwners(core: Core, reaped: readonly number[]): void {
  for (const { number, phase, thread } of keepersOf(core)) {
    expect(phase !== core.constant("KEEPER_MAKING"), `row ${number} is in the making`);
    expect(!reaped.includes(thread), `row ${number} is still of thread ${thread}`);
  }
  if (core.u32(core.constant("IDENTITY_PROFILE")) === 0) return; // rfc has no such types
  const open = filesOf(core).filter(({ phase }) => phase !== 0);
  if (open.length === 0 || open.some(({ state }) => isPoisoned(core, state))) return; // a poisoned file's pins are what they are
  let pins = 0;
  for (const { file } of open) {
    const accesses = payloadsOf(core, file, "TYPE_ACCESS");
    for (const ioas of payloadsOf(core, file, "TYPE_IOAS")) {
      const attached = accesses.filter((access) => core.u32(access + core.constant("ACCESS_IOAS")) === ioas);
      const counted = core.u32(ioas + core.constant("IOAS_ACCESSES"));
      expect(counted === attached.length, `${attached.length} accesses are attached, ${counted} are counted`);
      expect(core.u32(ioas + core.constant("IOAS_PINNERS")) <= counted, "more accesses pin than there are");
    }
    for (const access of accesses) pins += core.u32(access + core.constant("ACCESS_PIN_COUNT"));
  }
  const pinned = core.u32(core.constant("PROCESSES") + core.constant("PROCESS_PINNED_VM"));
  if (pins === 0) expect(pinned === 0, `${pinned} pages are pinned by nobody`);
}

/** Everything that must be true whenever no thread is in a call. */
export function audit(core: Core, slots: readonly number[], reaped: readonly number[]): void {
  for (const number of reaped) auditSlot(core, number, slots[number]!);
  auditLocks(core);
  auditCounts(core, slots);
  auditOwners(core, reaped);
  auditTables(core);
  auditPages(core);
}

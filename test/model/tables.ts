// SPDX-License-Identifier: GPL-2.0-only
//
// The core's tables as rows: files, objects, records, mappings, memfds, processes; and all of it as text, equal where states are equal.
//
// Read while no thread is running.

import type { Core } from "../../bindings/explorer/model.js";
import { typeOfSlot } from "./slot-head.ts";

const PAGE = 4096;

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

/** Owners of objects: their numbers, what they own, and which thread's row it is, -1 for nobody's. */
export function keepersOf(core: Core): { number: number; row: number; type: number; phase: number; thread: number }[] {
  const rows = [];
  for (let number = 0; number < core.constant("MAX_KEEPERS"); number++) {
    const row = core.constant("KEEPERS") + number * core.constant("KEEPER_BYTES");
    const state = core.u32(row);
    if (state === 0) continue;
    const type = core.u32(row + core.constant("KEEPER_TYPE"));
    const phase = state & core.constant("KEEPER_MASK");
    rows.push({ number, row, type, phase, thread: (state >>> core.constant("KEEPER_NAME_SHIFT")) - 1 });
  }
  return rows;
}

/** Numbers of the fault queues' files, and their states. */
export function queuesOf(core: Core): { fd: number; phase: number }[] {
  const rows = keepersOf(core).filter(({ type }) => type === core.constant("TYPE_FAULT"));
  return rows.map(({ number, phase }) => ({ fd: core.constant("FIRST_QUEUE_FD") + number, phase }));
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

export function notesOf(core: Core, entry: number): number[] {
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

export function recordsOf(core: Core, slot: number): RecordOf[] {
  const records: RecordOf[] = [];
  for (let index = 0; index < core.constant("MAX_RECORDS"); index++) {
    const at = slot + core.constant("THREAD_RECORDS") + index * core.constant("RECORD_BYTES");
    const kind = core.u32(at + core.constant("RECORD_FILE_KIND")) & core.constant("RECORD_KIND_MASK");
    if (kind !== 0) records.push({ kind, target: core.u32(at + core.constant("RECORD_TARGET")) });
  }
  return records;
}

export function framesOf(core: Core): { user: number[]; used: number; heap: number } {
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
  for (const { number, type, phase } of keepersOf(core))
    parts.push(`owner ${number} of type ${type} in phase ${phase}`);
  for (const { size, state } of memfdsOf(core)) parts.push(`memfd of ${size} in state ${state}`);
  parts.push(`processes ${processesOf(core).join()}`);
  parts.push(`types ${core.u32(core.constant("TYPE_COUNT"))}`);
  return parts.join("; ");
}

// SPDX-License-Identifier: GPL-2.0-only
//
// What is done with a world once no thread runs in it any more: a round of all services, and giving everything back; then no byte of an
// object's memory may be left over.

import { expect } from "../../bindings/explorer/failure.js";
import type { Core } from "../../bindings/explorer/model.js";
import { audit, auditNothingLeft } from "./audit.ts";
import { objectKey, type CallbackLog } from "./reaper.ts";
import { serialOfSlot } from "./slot-head.ts";
import { entriesOf, filesOf, isPoisoned, mappingsOf, memfdsOf, notesOf, processesOf, queuesOf } from "./tables.ts";
import { keep, makeObject, must, runDirectly, USER_PAGE, type World } from "./world.ts";

const PAGE = 4096;
const PROT_ALL = 3;

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

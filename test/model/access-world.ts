// SPDX-License-Identifier: GPL-2.0-only
//
// A world with an access in it: an address space that shows memory of the process, a pretend device on it, and what a device does, as
// the bindings do it (bindings/access.ts, bindings/ioctl-call.ts).
//
//   object 1    an address space: page 1 … of it is the process' memory, whose pages begin with WORD + n
//   object 2    another, empty
//   object 3    the access, attached to 1
//
// Addresses and lengths are pages.

import { audit } from "./audit.ts";
import { closeAll } from "./closing.ts";
import { expect } from "../../bindings/explorer/failure.js";
import { call, type Calls, type Core, type Model, type Step } from "../../bindings/explorer/model.js";
import type { Property, Twin } from "./property.ts";
import { CallbackLog, reap } from "./reaper.ts";
import { areasOf, makeSpace, space, spaceNow } from "./space-calls.ts";
import { mappingsOf } from "./tables.ts";
import { makeWorld, must, runDirectly, type World } from "./world.ts";

export const A = 1;
export const B = 2;
export const EBADF = -9;
export const EBUSY = -16;
export const EINVAL = -22;
export const EIO = -5;
export const ENOENT = -2;
export const EDEADLK = -35;
const PAGE = 4096;
const WORD = 0x5a5a_1234;
const READ_WRITE = 3;
const BYTES = 8;
/** Where space-calls.ts maps page 1 from, and where the devices' buffers lie. */
export const VA = BigInt(101 * PAGE);
const BUFFER_VA = 0x20_0000n;
const BUFFER_BYTES = 64;
const UNMAP = 0x3b86;

/** What names an access. */
export interface Driver {
  readonly row: number;
  readonly id: number;
  readonly serial: number;
}

export interface AccessWorld extends World {
  readonly device: Driver;
  /** Addresses of the memory that is mapped, and of the devices' buffers. */
  readonly memory: number;
  readonly buffers: number;
  /** What `prepare` has made. */
  readonly more: Readonly<Record<string, number>>;
}

const bytes = (pages: number): bigint => BigInt(pages) * BigInt(PAGE);

const resultOf = (core: Core, { slots }: World, thread: number, index: number): number =>
  core.u32(slots[thread]! + core.constant("THREAD_RESULT0") + 4 * index);

const nameIn = (core: Core, world: World, thread: number, row: number): Driver => ({
  row,
  id: resultOf(core, world, thread, 0),
  serial: resultOf(core, world, thread, 1) + resultOf(core, world, thread, 2) * 2 ** 32,
});

// ------------------------------------------------------------------------------------------------ what a device does

const nameOf = ({ row, id, serial }: Driver): [number, number, number] => [row, id, serial];

export const pin = (driver: Driver, iova: number, count: number): Step =>
  call("accessPin", ...nameOf(driver), bytes(iova), bytes(count), 0);
export const unpin = (driver: Driver, iova: number, count: number): Step =>
  call("accessUnpin", ...nameOf(driver), bytes(iova), bytes(count));
export const unpinAll = (driver: Driver): Step => call("accessUnpinAll", ...nameOf(driver));
export const attach = (driver: Driver, ioas: number): Step => call("accessAttach", ...nameOf(driver), ioas, 0);
export const leave = (driver: Driver): Step => call("accessLeave", ...nameOf(driver), 0);
export const detach = (driver: Driver): Step => call("accessDetach", ...nameOf(driver));

/** Return: the access, or -errno. */
export function* create(core: Core, world: World, thread: number): Calls<Driver | number> {
  const row = yield call("accessCreate", world.file, world.expected, core.constant("ACCESS_PINS"));
  return row < 0 ? row : nameIn(core, world, thread, row);
}

/** Without asking its driver. Return: 0 or -errno. */
export function* end(world: World, driver: Driver, thread: number, log: CallbackLog): Calls<number> {
  const result = yield call("accessDestroy", ...nameOf(driver), 1);
  return yield* log.settle(thread, world.file, result);
}

/** Reads the first bytes of a page. Return: "copied", and then they were what is mapped there; or -errno. */
export function* read(core: Core, world: AccessWorld, driver: Driver, thread: number, iova = 1): Calls<string> {
  const reach = yield call("accessSegment", ...nameOf(driver), bytes(iova), BYTES, 0);
  if (reach < 0) return String(reach);
  return yield* readOn(core, world, thread, iova);
}

/** The same of a thread that is in the copy since set-up (`beginsRead`). */
export function* readOn(core: Core, world: AccessWorld, thread: number, iova = 1): Calls<string> {
  const buffer = world.buffers + thread * BUFFER_BYTES;
  yield call("copySegment", resultOf(core, world, thread, 1), buffer, BYTES, 0);
  expect(core.u32(buffer) === WORD + iova, `a copy has read 0x${core.u32(buffer).toString(16)}`);
  yield call("segmentEnd");
  return "copied";
}

/** In set-up: the thread is in a copy of page `iova`. */
export function beginsRead(core: Core, driver: Driver, thread: number, iova = 1): void {
  const reach = must(core, thread, "accessSegment", ...nameOf(driver), bytes(iova), BYTES, 0);
  expect(reach === BYTES, `a segment of ${reach} bytes`);
}

/** Whether somebody waits for the copy that the thread is in. */
export const isWaitedFor = (core: Core, { slots }: World, thread: number): Step =>
  call("modelLoad", slots[thread]! + core.constant("THREAD_COPY_WAITED"));

/** Whose memory it was gives it to others: nobody reads it any more. */
const overwrite = (): Step => call("writeUser", VA, BYTES);

interface Unmapping {
  readonly iova?: number;
  readonly count?: number;
  /** What the driver does when it is asked. */
  readonly asked?: () => Calls<void>;
}

/** UNMAP as the bindings do it; then the memory is somebody else's. Return: the answer, and how often the driver was asked. */
export function* unmap(world: AccessWorld, { iova = 1, count = 1, asked }: Unmapping = {}): Calls<string> {
  let result = yield space("unmap", world, A, iova, count);
  let rounds = 0;
  while (result === MUST_NOTIFY && asked) {
    rounds++;
    yield* asked();
    result = yield call("ioctlAgain", world.file, UNMAP);
  }
  if (result === 0) yield overwrite();
  return `${result === MUST_NOTIFY ? "asks" : result}${rounds > 0 ? ` asked ${rounds}` : ""}`;
}

const MUST_NOTIFY = -0x10005;

/** In finish: an UNMAP that has asked asks again and again, and nobody lets go. Return: what it answers in the end. */
export function asksInVain(core: Core, { file }: World, thread: number): number {
  let result = MUST_NOTIFY;
  for (let round = 0; round < 200 && result === MUST_NOTIFY; round++)
    result = core.call(thread, "ioctlAgain", file, UNMAP);
  return result;
}

// ------------------------------------------------------------------------------------------------ the world

/** Pages of the process' memory. */
const MEMORY_PAGES = 5;

function setup(core: Core, threads: number, pages: number): AccessWorld {
  const world = makeWorld(core, "mainline", threads);
  for (const id of [A, B]) expect(makeSpace(core, world) === id, `address space ${id} has another ID`);
  const mapped = (va: bigint, count: number): number => {
    const row = must(core, 0, "map", va, bytes(count), READ_WRITE);
    core.call(0, "mapDone");
    return core.u32(row + core.constant("MAPPING_BACKING"));
  };
  const memory = mapped(VA, MEMORY_PAGES);
  for (let page = 0; page < MEMORY_PAGES; page++) core.setU32(memory + page * PAGE, WORD + 1 + page);
  const buffers = mapped(BUFFER_VA, 1);
  spaceNow(core, 0, "map", world, A, 1, pages);
  return { ...world, device: makeAccess(core, world), memory, buffers, more: {} };
}

/** In set-up: an access, attached to the first address space of the file. */
export function makeAccess(core: Core, world: World): Driver {
  const row = must(core, 0, "accessCreate", world.file, world.expected, core.constant("ACCESS_PINS"));
  const driver = nameIn(core, world, 0, row);
  must(core, 0, "accessAttach", ...nameOf(driver), A, 0);
  return driver;
}

/** What `prepare` has noted of an access, as an access. */
export const driverIn = ({ row = 0, id = 0, serial = 0 }: Readonly<Record<string, number>>): Driver => ({
  row,
  id,
  serial,
});

/** In set-up: the device pins pages. */
export const pinNow = (core: Core, { device }: AccessWorld, iova: number, count: number): number =>
  must(core, 0, "accessPin", ...nameOf(device), bytes(iova), bytes(count), 0);

/** Pages that all processes have pinned. */
export function pinnedPages(core: Core): number {
  let pinned = 0;
  for (let number = 0; number < core.constant("MAX_PROCESSES"); number++)
    pinned += core.u32(
      core.constant("PROCESSES") + number * core.constant("PROCESS_BYTES") + core.constant("PROCESS_PINNED_VM"),
    );
  return pinned;
}

/** Pages for which the default process' user is charged. */
export const chargedPages = (core: Core): number =>
  core.u32(core.u32(core.constant("PROCESSES") + core.constant("PROCESS_USER")) + core.constant("USER_LOCKED"));

/** Accesses that nobody has ended. */
export function accessesOf(core: Core): Driver[] {
  const found: Driver[] = [];
  for (let row = 0; row < core.constant("MAX_KEEPERS"); row++) {
    const id = core.call(0, "accessIdAt", row);
    if (id !== 0) found.push({ row, id, serial: core.call(0, "accessSerialAt", row) });
  }
  return found;
}

function endAccesses(core: Core, log: CallbackLog, thread: number): void {
  for (const driver of accessesOf(core)) {
    const undone = core.call(thread, "accessUnpinAll", ...nameOf(driver));
    expect(undone === 0 || undone === EIO, `unpinAll answers ${undone}`);
    const result = core.call(thread, "accessDestroy", ...nameOf(driver), 1);
    expect(result === undone, `the end of an access answers ${result}`);
    runDirectly(core, thread, log.attend(thread));
  }
  for (const { va, pins } of mappingsOf(core))
    expect(pins === 0, `the mapping at 0x${va.toString(16)} stays pinned ${pins} times`);
  expect(pinnedPages(core) === 0, `${pinnedPages(core)} pages stay pinned`);
  expect(chargedPages(core) === 0, `${chargedPages(core)} pages stay charged`);
}

export type Program = (core: Core, world: AccessWorld, log: CallbackLog) => Calls<string>;

/** Programs that run at once, and all that they can come to. */
export interface AccessRace {
  readonly name: string;
  readonly promise: string;
  readonly quick?: boolean;
  readonly seconds?: number;
  /** Pages that the first address space shows, in one area; 1 unless told. */
  readonly pages?: number;
  readonly prepare?: (core: Core, world: AccessWorld) => Record<string, number> | undefined;
  readonly programs: readonly Program[];
  /** The first thread dies, and another one reaps it. */
  readonly dies?: boolean;
  /** Part of the outcome, besides what the programs say. */
  readonly look: (core: Core, world: AccessWorld, results: readonly string[]) => string;
  /** All outcomes: "first, second: look". One that is not here fails. */
  readonly outcomes: readonly string[];
  readonly twins: readonly Twin[];
}

/** What the first address space shows, and what is pinned. */
export const areasAndPins = (core: Core, world: AccessWorld): string =>
  `${areasOf(core, world, A)}, ${pinnedPages(core)} pinned`;

function model(race: AccessRace): Model<AccessWorld> {
  const { name, programs, prepare, look, outcomes, dies = false } = race;
  const reaper = programs.length;
  return {
    name,
    pages: 4,
    setup(core) {
      const world = setup(core, programs.length + (dies ? 1 : 0), race.pages ?? 1);
      return { ...world, more: prepare?.(core, world) ?? {} };
    },
    run(core, world) {
      const log = new CallbackLog(core, world.slots);
      const threads = programs.map((program, thread) => ({
        name: `thread ${thread}`,
        program: () => program(core, world, log),
      }));
      return {
        threads: dies
          ? [...threads, { name: "reaper", program: () => reap(core, log, reaper, [0]), afterDeathOf: 0 }]
          : threads,
        finish(results, died) {
          const isDead = died[0] === true;
          const said = programs.map((_, thread) => (died[thread] === true ? "dead" : String(results[thread])));
          audit(core, world.slots, isDead ? [0] : []);
          const server = isDead ? reaper : 0;
          const outcome = `${said.join(", ")}: ${look(core, world, said)}`;
          // Here, too: a search that is bounded has no judge.
          expect(outcomes.includes(outcome), `not allowed: ${outcome}`);
          endAccesses(core, log, server);
          closeAll(core, server, log);
          return outcome;
        },
      };
    },
  };
}

export const propertyOf = (race: AccessRace): Property => ({
  name: `access-${race.name}`,
  promise: race.promise,
  profiles: ["mainline"],
  quick: race.quick ?? false,
  seconds: race.seconds ?? 8,
  ...(race.dies === true && { kill: { thread: 0 } }),
  model: () => model(race),
  judge(found) {
    const missing = race.outcomes.filter((outcome) => !found.has(outcome));
    return missing.length > 0 ? `missing: ${missing.join(" | ")}` : undefined;
  },
  twins: race.twins,
});

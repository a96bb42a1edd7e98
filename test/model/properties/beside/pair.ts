// SPDX-License-Identifier: GPL-2.0-only
//
// What a thread that dies does, and what a living one does beside it; and the calls that several pairs make.

import { makeObject, must, type World } from "../../world.ts";
import { call, type Calls, type Core } from "../../../../bindings/explorer/model.js";
import type { ProfileName, Twin } from "../../property.ts";
import type { CallbackLog } from "../../reaper.ts";

export const VICTIM = 0;
export const LIVING = 2;

export type Prepared = Record<string, number>;
export type Part = (core: Core, world: World, prepared: Prepared, log: CallbackLog) => Calls<unknown>;

export interface Pair {
  readonly name: string;
  readonly quick?: boolean;
  readonly profiles?: readonly ProfileName[];
  readonly twins?: readonly Twin[];
  readonly prepare: (core: Core, world: World) => Prepared;
  readonly victim: Part;
  readonly living: Part;
  /** Of the victim's points, each n-th: where a point alone has thousands of schedules. 1 unless told. */
  readonly every?: number;
  /** Answers that the living thread may get. */
  readonly answers: readonly number[];
  /** What must be true besides, once the dead thread was reaped. */
  readonly check?: (core: Core) => void;
}

export const lock = (core: Core, { file, expected }: World, id: number, thread: number): number =>
  must(core, thread, "getSlowly", file, expected, id, 0);

/** get and put as the bindings call them. */
export function* getAndPut(
  core: Core,
  { file, expected }: World,
  id: number,
  log: CallbackLog,
  thread = LIVING,
): Calls<number> {
  let handle = yield call("get", file, expected, id);
  const unconfirmed = core.constant("HANDLE_UNCONFIRMED");
  if (handle > 0 && (handle & unconfirmed) !== 0)
    handle = yield call("getConfirm", file, expected, handle & ~unconfirmed);
  if (handle === 0) handle = yield call("getSlowly", file, expected, id, 0);
  const result = handle < 0 ? handle : yield* putBack(core, file, handle);
  yield* log.attend(thread);
  return result;
}

export function* closeAndRelease(core: Core, file: number, thread: number, log: CallbackLog): Calls<number> {
  const result = yield call("closeNumber", file, core.constant("FILE_BY_NUMBER"));
  yield* log.attend(thread);
  return result;
}

export function* putBack(core: Core, file: number, handle: number): Calls<number> {
  let result = yield call("put", file, handle);
  if (result === core.constant("PUT_SLOWLY")) result = yield call("putSlowly", file, handle);
  if (result === core.constant("PUT_UNQUIET")) result = yield call("putUnquiet", file);
  return result;
}

export function* allocAndFinalize({ file, expected, plain }: World): Calls<number> {
  const handle = yield call("alloc", file, expected, plain);
  if (handle < 0) return handle;
  const id = yield call("finalize", file, handle);
  return id > 0 ? 0 : id;
}

export const NONE: Pair["prepare"] = () => ({});
export const one: Pair["prepare"] = (core, world) => ({ id: makeObject(core, world, world.plain) });

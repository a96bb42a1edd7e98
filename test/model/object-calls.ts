// SPDX-License-Identifier: GPL-2.0-only
//
// Calls on objects as the bindings make them: the fast form, and the slow one where the fast one leaves the decision open.
//
// Each is a generator for `yield*` in a program and answers what the caller of the library would get: a handle, an ID, 0 or -errno.

import type { Booted } from "../../bindings/explorer/core-setup.js";
import { call, type Calls, type Core } from "../../bindings/explorer/model.js";

/** Second results of thread `thread`'s last call. Read at once: the next call of that thread overwrites them. */
export function resultOf(core: Core, { slots }: Booted, thread: number, index = 0): number {
  return core.u32(slots[thread]! + core.constant("THREAD_RESULT0") + 4 * index);
}

export function* get(core: Core, booted: Booted, id: number): Calls<number> {
  const { file, expected } = booted;
  const handle = yield call("get", file, expected, id);
  if (handle === 0) return yield* getSlowly(core, booted, id);
  const unconfirmed = core.constant("HANDLE_UNCONFIRMED");
  if ((handle & unconfirmed) === 0) return handle;
  const confirmed = yield call("getConfirm", file, expected, handle & ~unconfirmed);
  return confirmed !== 0 ? confirmed : yield* getSlowly(core, booted, id);
}

/** A lookup whose fast form has left the decision open. */
export function* getSlowly(_: Core, { file, expected }: Booted, id: number): Calls<number> {
  return yield call("getSlowly", file, expected, id, 0);
}

export function* put(core: Core, { file }: Booted, handle: number): Calls<number> {
  const result = yield call("put", file, handle);
  if (result === core.constant("PUT_SLOWLY")) return yield call("putSlowly", file, handle);
  if (result === core.constant("PUT_UNQUIET")) return yield call("putUnquiet", file);
  return result;
}

/** IOMMU_DESTROY by a thread that may block. */
export function* destroy(core: Core, booted: Booted, thread: number, id: number): Calls<number> {
  const { file, expected } = booted;
  const mustWait = core.constant("MUST_WAIT");
  const mustDestroy = core.constant("MUST_DESTROY");
  let result = yield call("destroy", file, expected, id, 1);
  while (result === mustWait) result = yield call("destroyWait", file, resultOf(core, booted, thread), -1);
  if (result === mustDestroy) result = yield call("destroyFinish", file, resultOf(core, booted, thread));
  return result;
}

/** A published object. Return: its ID, or -errno. */
export function* make({ file, expected, type }: Booted, ofType = type): Calls<number> {
  const handle = yield call("alloc", file, expected, ofType);
  return handle < 0 ? handle : yield call("finalize", file, handle);
}

/** A lock by `get` becomes a kept user. Return: the object's serial, which with its ID names the user; or -errno. */
export function* keep(core: Core, booted: Booted, thread: number, handle: number): Calls<number> {
  const result = yield call("putKeepUser", booted.file, handle);
  return result < 0 ? result : resultOf(core, booted, thread);
}

export function* drop({ file, expected }: Booted, id: number, serial: number): Calls<number> {
  return yield call("dropReference", file, expected, id, serial);
}

/** iommufd_object_destroy_user() by a thread that may block. */
export function* destroyKept(core: Core, booted: Booted, thread: number, id: number, serial: number): Calls<number> {
  const { file, expected } = booted;
  const mustWait = core.constant("MUST_WAIT");
  let result = yield call("destroyReference", file, expected, id, serial, 1);
  while (result === mustWait) result = yield call("destroyWait", file, resultOf(core, booted, thread), -1);
  return result;
}

/** In set-up: a lock. Return: its handle. */
export function lockObject(core: Core, { file, expected }: Booted, thread: number, id: number): number {
  const handle = core.call(thread, "get", file, expected, id);
  if (handle <= 0) throw new Error(`get answers ${handle}`);
  return handle;
}

/** In set-up: a kept user. Return: the object's serial. */
export function keepObject(core: Core, booted: Booted, thread: number, id: number): number {
  const result = core.call(thread, "putKeepUser", booted.file, lockObject(core, booted, thread, id));
  if (result !== 0) throw new Error(`putKeepUser answers ${result}`);
  return resultOf(core, booted, thread);
}

/**
 * Runs the releases that this thread's last call has won, as the bindings do after each call. `destroyed` is the callback of an object
 * whose type has one that this thread can run.
 */
export function* runRelease(
  core: Core,
  { slots }: Booted,
  thread: number,
  destroyed?: (slot: number) => void,
): Calls<number> {
  const attention = slots[thread]! + core.constant("THREAD_ATTENTION");
  let releases = 0;
  while ((core.u32(attention) & core.constant("ATTENTION_RELEASE")) !== 0) {
    const file = core.u32(slots[thread]! + core.constant("THREAD_RELEASING"));
    let stop: number;
    do {
      stop = yield call("releaseNext", file);
      if (stop > core.constant("RELEASE_AGAIN")) {
        yield call("callbackBegins", stop);
        destroyed?.(stop);
      }
    } while (stop !== 0);
    releases++;
  }
  return releases;
}

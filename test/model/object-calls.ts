// SPDX-License-Identifier: GPL-2.0-only
//
// Calls on objects as the bindings make them: the fast form, and the slow one where the fast one leaves the decision open.
//
// Each is a generator for `yield*` in a program and answers what the caller of the library would get: a handle, an ID, 0 or -errno.

import type { Booted } from "./core-setup.ts";
import { call, type Calls, type Core } from "./model.ts";

const PUT_SLOWLY = 1;
const PUT_RELEASE = 2;

/** Second results of thread `thread`'s last call. Read at once: the next call of that thread overwrites them. */
export function resultOf(core: Core, { slots }: Booted, thread: number, index = 0): number {
  return core.u32(slots[thread]! + core.constant("THREAD_RESULT0") + 4 * index);
}

export function* get(core: Core, { file, expected }: Booted, id: number): Calls<number> {
  const handle = yield call("get", file, expected, id);
  if (handle === 0) return yield call("getSlowly", file, expected, id, 0);
  const unconfirmed = core.constant("HANDLE_UNCONFIRMED");
  if ((handle & unconfirmed) === 0) return handle;
  const confirmed = yield call("getConfirm", file, expected, handle & ~unconfirmed);
  return confirmed !== 0 ? confirmed : yield call("getSlowly", file, expected, id, 0);
}

export function* put({ file }: Booted, handle: number): Calls<number> {
  const result = yield call("put", file, handle);
  if (result === PUT_SLOWLY) return yield call("putSlowly", file, handle);
  if (result === PUT_RELEASE) yield call("releaseResume", file);
  return 0;
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

export function* alloc({ file, expected, type }: Booted): Calls<number> {
  return yield call("alloc", file, expected, type);
}

/** Runs the releases that this thread's last call has won, as the bindings do after each call. */
export function* runRelease(core: Core, { slots }: Booted, thread: number): Calls<void> {
  const attention = slots[thread]! + core.constant("THREAD_ATTENTION");
  while ((core.u32(attention) & core.constant("ATTENTION_RELEASE")) !== 0) {
    const file = core.u32(slots[thread]! + core.constant("THREAD_RELEASING"));
    let stop = 0;
    do stop = yield call("releaseNext", file, stop);
    while (stop !== 0);
  }
}

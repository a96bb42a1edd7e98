// SPDX-License-Identifier: GPL-2.0-only
//
// The programs of a reaper, and what the bindings do around a call: releases that were won, callbacks, the queue. As bindings/reap.ts
// and bindings/kernel.ts.
//
// Callbacks are counted by the address of their object's slot and its serial, so that one that runs twice is found.

import { expect } from "../../bindings/explorer/failure.js";
import { call, type Calls, type Core } from "../../bindings/explorer/model.js";
import { fileOfSlot, serialOfSlot } from "./slot-head.ts";

/** Destroy callbacks of an execution that have begun: "serial of the object's file" → how often. */
export class CallbackLog {
  readonly begun = new Map<string, number>();
  /** Which owners of their slots the threads are. */
  readonly incarnations: readonly number[];

  constructor(
    private readonly core: Core,
    private readonly slots: readonly number[],
  ) {
    this.incarnations = slots.map((slot) => core.u32(slot + core.constant("THREAD_INCARNATION")));
  }

  /** Runs the callback of the object in `slot`. What follows the yield belongs to the write that says so in the object. */
  *run(slot: number): Calls<void> {
    const key = objectKey(this.core, slot);
    yield call("callbackBegins", slot);
    const count = (this.begun.get(key) ?? 0) + 1;
    this.begun.set(key, count);
    expect(count === 1, `the callback of object ${key} runs ${count} times`);
  }

  attention(thread: number): number {
    return this.core.u32(this.slots[thread]! + this.core.constant("THREAD_ATTENTION"));
  }

  result(thread: number, index: number): number {
    return this.core.u32(this.slots[thread]! + this.core.constant("THREAD_RESULT0") + 4 * index);
  }

  /** What must be done after every call of the core. */
  *attend(thread: number): Calls<void> {
    const { core } = this;
    const release = core.constant("ATTENTION_RELEASE");
    while ((this.attention(thread) & release) !== 0) {
      const file = core.u32(this.slots[thread]! + core.constant("THREAD_RELEASING"));
      let stop: number;
      do {
        stop = yield call("releaseNext", file);
        if (stop > core.constant("RELEASE_AGAIN")) yield* this.run(stop);
        else if (stop !== 0) expect(false, "the ring of warnings is never full in these models");
      } while (stop !== 0);
    }
  }

  /** Runs the callbacks of queued objects that this thread can run. */
  *drainQueue(thread: number): Calls<void> {
    for (;;) {
      const slot = yield call("queueTake");
      if (slot === 0) return;
      const handle = this.result(thread, 0);
      yield* this.run(slot);
      yield call("queueFree", handle);
    }
  }

  /** The end of a destroy: waits if it must, and runs the callback. Return: 0 or -errno. */
  *settle(thread: number, file: number, result: number): Calls<number> {
    const { core } = this;
    while (result === core.constant("MUST_WAIT")) result = yield call("destroyWait", file, this.result(thread, 0), -1);
    if (result === core.constant("MUST_DESTROY")) {
      const handle = this.result(thread, 0);
      yield* this.run(this.result(thread, 1));
      result = yield call("destroyFinish", file, handle);
    }
    yield* this.attend(thread);
    return result;
  }
}

export function objectKey(core: Core, slot: number): string {
  const serial = serialOfSlot(core, slot);
  const file = fileOfSlot(core, slot);
  const opened = core.u32(file + core.constant("FILE_STATE")) >>> 4;
  return `${serial} of file 0x${file.toString(16)}, opened as ${opened}`;
}

/** Thread `thread` reaps the dead, a step of each in turn; sleeps only when all of them have to wait. */
export function* reap(core: Core, log: CallbackLog, thread: number, dead: readonly number[]): Calls<string> {
  const left = new Set(dead);
  const again = core.constant("REAP_AGAIN");
  const mustWait = core.constant("MUST_WAIT");
  while (left.size > 0) {
    let waits: [number, number] | undefined;
    let moved = false;
    for (const number of left) {
      const result = yield call("reapNext", number, log.incarnations[number]!);
      const word = log.result(thread, 1);
      const seen = log.result(thread, 2);
      yield* log.attend(thread);
      if (result === mustWait) {
        waits ??= [word, seen];
        continue;
      }
      moved = true;
      if (result === again) continue;
      expect(result === 0 || result === -3, `reapNext answers ${result}`);
      left.delete(number);
    }
    if (!moved && waits) yield call("modelPause", waits[0], waits[1]);
  }
  yield* log.drainQueue(thread);
  return "reaped";
}

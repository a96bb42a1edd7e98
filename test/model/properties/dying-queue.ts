// SPDX-License-Identifier: GPL-2.0-only
//
// The dying queue: enqueue × queueTake × define. One thread closes a file with two objects whose callback it does not have, a second has
// it and waits for work, a third gets it by defining the type and looks once.
//
// Each object is taken exactly once, in the order in which it was queued, and whoever sleeps until something is queued is woken.

import { defineType, prepare, type Prepared } from "../../../bindings/explorer/core-setup.js";
import { expect } from "../../../bindings/explorer/failure.js";
import { expectReleased } from "../../../bindings/explorer/final-state.js";
import { call, type Calls, type Core, type Model, type Program } from "../../../bindings/explorer/model.js";
import { resultOf, runRelease } from "../object-calls.ts";
import type { ProfileName, Property } from "../property.ts";

const OBJECTS = 2;

interface State extends Prepared {
  withCallback: number;
}

/** Writes the type's name where defineType looks for it: what the bindings do before the call. */
function nameIn(core: Core, slot: number): void {
  core.setU32(slot + core.constant("THREAD_WINDOW"), "U".charCodeAt(0));
}

function model(profile: ProfileName): Model<State> {
  return {
    name: "dying queue",
    setup(core: Core) {
      const prepared = prepare(core, profile, 3);
      const flags = core.constant("TYPE_HAS_DESTROY");
      const withCallback = defineType(core, prepared.slots[1]!, 1, "U", 0, flags);
      for (let made = 0; made < OBJECTS; made++) {
        const handle = core.call(0, "alloc", prepared.file, prepared.expected, withCallback);
        core.call(0, "finalize", prepared.file, handle);
      }
      nameIn(core, prepared.slots[2]!);
      return { ...prepared, withCallback };
    },
    run(core, state) {
      const { file, expected, withCallback } = state;
      const taken: number[] = [];
      let byWaiter = 0;
      let byDefiner = 0;
      function* closer(): Calls<void> {
        const result = yield call("closeNumber", file, expected);
        expect(result === 0, `close answers ${result}`);
        expect((yield* runRelease(core, state, 0, () => expect(false, "a foreign callback"))) === 1, "no release");
      }
      /** Takes one object, if there is one, and frees it. */
      function* take(thread: number): Calls<boolean> {
        const slot = yield call("queueTake");
        if (slot === 0) return false;
        const handle = resultOf(core, state, thread);
        const id = core.u32(slot + core.constant("SLOT_ID"));
        expect(!taken.includes(id), `object ${id} is taken twice`);
        taken.push(id);
        yield call("callbackBegins", slot);
        yield call("queueFree", handle);
        return true;
      }
      function* waiter(): Program {
        const ever = core.constant("QUEUE_QUEUED_EVER");
        while (taken.length < OBJECTS) {
          const seen = yield call("modelLoad", ever);
          if (yield* take(1)) byWaiter++;
          else if (seen < OBJECTS) yield call("modelWait", ever, seen, -1n);
          else break; // all were queued, and somebody else has the rest
        }
        return "done";
      }
      function* definer(): Calls<void> {
        const type = yield call("defineType", 1, 0, core.constant("TYPE_HAS_DESTROY"));
        expect(type === withCallback, `defineType answers ${type}`);
        if (yield* take(2)) byDefiner++;
      }
      return {
        threads: [
          { name: "closer", program: closer },
          { name: "waiter", program: waiter },
          { name: "definer", program: definer },
        ],
        finish() {
          expect(taken.length === OBJECTS, `${taken.length} objects were taken`);
          expect(core.u32(core.constant("QUEUE_LENGTH")) === 0, "the queue is not empty");
          expectReleased(core, state);
          return `waiter ${byWaiter}, definer ${byDefiner}`;
        },
      };
    },
    describeAddress: (address, { describe }) => describe(address),
  };
}

export const dyingQueue: Property = {
  name: "dying-queue",
  promise:
    "an object that waits for its callback is taken once, by a thread that has it, and who waits for one is woken",
  profiles: ["rfc", "mainline"],
  seconds: 5, // each release walks 256 entries, so schedules are long: all of them are too many
  model,
  twins: [
    {
      name: "enqueue-wakes-nobody",
      edits: [
        {
          file: "core/release.ts",
          find: "  clearHand();\n  unlock(QUEUE_LOCK, RANK_QUEUE);\n  notify(QUEUED_EVER, -1);",
          replace: "  clearHand();\n  unlock(QUEUE_LOCK, RANK_QUEUE);",
        },
      ],
    },
    {
      name: "take-leaves-the-tail",
      edits: [{ file: "core/release.ts", find: "    if (next == 0) queue.tail = <u32>before;\n", replace: "" }],
    },
    {
      name: "take-takes-no-lock",
      edits: [
        { file: "core/release.ts", find: "  lock(QUEUE_LOCK, RANK_QUEUE);\n  let before", replace: "  let before" },
        {
          file: "core/release.ts",
          find: "  unlock(QUEUE_LOCK, RANK_QUEUE);\n  return slot;",
          replace: "  return slot;",
        },
      ],
    },
    {
      name: "take-does-not-ask-for-the-callback",
      edits: [
        {
          file: "core/release.ts",
          find: "while (slot != 0 && !isRunnable(typeOfSlot(slot))) {",
          replace: "while (false) {",
        },
        {
          file: "core/release.ts",
          find: "    if (isRunnable(type)) return slot;\n",
          replace: "    return slot;\n",
        },
      ],
    },
  ],
};

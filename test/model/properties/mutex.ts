// SPDX-License-Identifier: GPL-2.0-only
//
// The mutex of assembly/core/mutex.ts: one holder at a time, no wake-up lost, and a bound on what waiting costs.
//
// Two threads lock twice, or three once (`three` in the name of the second property). Exclusion is seen by a variable of the model
// and by a plain word of the core, which the race checker watches. A lost wake-up is a deadlock.
//
// Fairness: who unlocks may lock again before a thread that it has woken runs, so no waiter has a turn of its own. What is bounded is
// the price: a waiter sleeps at most once for each section of the others, and once more for each spurious wake-up. So with finite
// programs every waiter gets in, whatever the schedule.

import { boot } from "../../../bindings/explorer/core-setup.js";
import { expect } from "../../../bindings/explorer/failure.js";
import { call, type Calls, type Core, type Model } from "../../../bindings/explorer/model.js";
import type { Property } from "../property.ts";

const CONTENDED_NOT_SEEN = {
  name: "sleeper-leaves-no-mark",
  edits: [
    {
      file: "core/mutex.ts",
      find: "if (compareExchange32(mutex, 0, mayBlock ? own | CONTENDED : own) == 0) return;",
      replace: "if (compareExchange32(mutex, 0, own) == 0) return;",
    },
  ],
} as const;
const NO_NOTIFY = {
  name: "unlock-forgets-notify",
  edits: [
    {
      file: "core/mutex.ts",
      find: "if ((exchange32(mutex, 0) & CONTENDED) != 0) notify(mutex, 1);",
      replace: "exchange32(mutex, 0);",
    },
  ],
} as const;
const NOT_ATOMIC = {
  name: "lock-reads-then-writes",
  edits: [
    {
      file: "core/mutex.ts",
      find: "if (compareExchange32(mutex, 0, ownWord()) != 0) lockSlow(mutex);",
      replace: "if (load32(mutex) != 0) lockSlow(mutex); else exchange32(mutex, ownWord());",
    },
  ],
} as const;

const NOTIFY_BY_LOCK = {
  name: "lock-wakes-a-sleeper-for-nothing",
  edits: [
    {
      file: "core/mutex.ts",
      find: "if (compareExchange32(mutex, 0, ownWord()) != 0) lockSlow(mutex);",
      replace: "if (compareExchange32(mutex, 0, ownWord()) != 0) lockSlow(mutex); else notify(mutex, 1);",
    },
  ],
} as const;

interface Words {
  lock: number;
  used: number;
}

function mutexModel(threads: number, rounds: number, spurious: number): Model<Words> {
  return {
    name: `mutex, ${threads} threads`,
    spurious,
    setup(core: Core) {
      boot(core, "rfc", threads);
      return { lock: core.call(0, "pageLock"), used: core.call(0, "countUnderLock") + 1 };
    },
    run(core, { used }) {
      let inside = 0;
      function* program(): Calls<void> {
        for (let round = 0; round < rounds; round++) {
          yield call("lockPage");
          expect(++inside === 1, "two threads hold the lock");
          yield call("countUnderLock");
          inside--;
          yield call("unlockPage");
        }
      }
      return {
        threads: Array.from({ length: threads }, (_, index) => ({ name: `locker ${index}`, program })),
        finish(_, __, sleeps) {
          const most = (threads - 1) * rounds + spurious;
          for (const count of sleeps) expect(count <= most, `a waiter has slept ${count} times, more than ${most}`);
          const sections = core.call(0, "countUnderLock") - used;
          expect(sections === threads * rounds, `${sections} sections ran instead of ${threads * rounds}`);
          return "all sections ran";
        },
      };
    },
    describeAddress: (address, { lock }) => (address === lock ? "the lock" : undefined),
  };
}

export const mutex: Property = {
  name: "mutex",
  promise: "the mutex excludes, wakes whoever sleeps, and no waiter sleeps more often than others lock",
  profiles: ["rfc"],
  quick: true,
  model: () => mutexModel(2, 2, 1),
  twins: [NO_NOTIFY, NOT_ATOMIC, NOTIFY_BY_LOCK],
};

export const mutexOfThree: Property = {
  name: "mutex-three",
  promise: "the same with three threads, where a waker must leave a mark for the next sleeper",
  profiles: ["rfc"],
  model: () => mutexModel(3, 1, 0),
  twins: [NO_NOTIFY, CONTENDED_NOT_SEEN],
};

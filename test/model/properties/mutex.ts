// SPDX-License-Identifier: GPL-2.0-only
//
// The mutex of assembly/core/mutex.ts: one holder at a time, no wake-up lost, and a bound on unfairness.
//
// Two threads lock twice, or three once (`three` in the name of the second property). Exclusion is seen by a variable of the model
// and by a plain word of the core, which the race checker watches. A lost wake-up is a deadlock. Fairness: while a thread waits, the
// others get the lock at most as often as their programs ask, so the bound is the number of their sections; what is checked is that
// every waiter gets its turn in every schedule, also with spurious wake-ups.

import { boot } from "../core-setup.ts";
import { expect } from "../failure.ts";
import { call, type Calls, type Core, type Model } from "../model.ts";
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
        finish() {
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
  promise: "the mutex excludes, wakes whoever sleeps, and lets every waiter in",
  profiles: ["rfc"],
  quick: true,
  model: () => mutexModel(2, 2, 1),
  twins: [NO_NOTIFY, NOT_ATOMIC],
};

export const mutexOfThree: Property = {
  name: "mutex-three",
  promise: "the same with three threads, where a waker must leave a mark for the next sleeper",
  profiles: ["rfc"],
  model: () => mutexModel(3, 1, 0),
  twins: [NO_NOTIFY, CONTENDED_NOT_SEEN],
};

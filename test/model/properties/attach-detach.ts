// SPDX-License-Identifier: GPL-2.0-only
//
// attach × detach: two threads attach and detach while only one thread slot, or two, are free.
//
// A slot has one owner at a time. A handle from before a detach stays stale for every later owner of the slot, the same thread
// included. Where one slot is free, a thread may find none.

import { makeObject, prepare, type Prepared } from "../../../bindings/explorer/core-setup.js";
import { expect } from "../../../bindings/explorer/failure.js";
import { expectOrder } from "../../../bindings/explorer/final-state.js";
import { call, type Core, type Model, type Program } from "../../../bindings/explorer/model.js";
import type { Property } from "../property.ts";

interface State extends Prepared {
  id: number;
}

const SLOTS = 6;

function model(free: number): Model<State> {
  return {
    name: `attach × detach, ${free} free`,
    setup(core: Core) {
      const prepared = prepare(core, "rfc", 1);
      for (let taken = 1; taken < SLOTS - free; taken++) core.call(5, "attachThread", 1);
      return { ...prepared, id: makeObject(core, prepared) };
    },
    run(core, state) {
      const { file, expected, id } = state;
      const owners = new Set<number>();
      const stale: number[] = [];
      function* visitor(): Program {
        let visits = 0;
        for (let round = 0; round < 2; round++) {
          const slot = yield call("attachThread", 1);
          if (slot === 0) {
            expect(free < 2, "no slot is left, though two are free");
            continue;
          }
          expect(!owners.has(slot), "two threads own one slot");
          owners.add(slot);
          visits++;
          for (const handle of [...stale]) {
            const result = yield call("putSlowly", file, handle);
            expect(result === -22, `a stale handle: put answers ${result}`);
          }
          const handle = yield call("getSlowly", file, expected, id, 0);
          expect(handle > 0, `get answers ${handle}`);
          expect(!stale.includes(handle), "a handle of an earlier owner comes back");
          const result = yield call("putSlowly", file, handle);
          expect(result === 0, `put answers ${result}`);
          stale.push(handle);
          owners.delete(slot);
          yield call("detachThread");
        }
        return visits;
      }
      return {
        // Instance 0 is attached already, and only looks at the end.
        threads: [
          {
            name: "resident",
            program: function* () {
              yield call("fileByNumber", 99);
            },
          },
          { name: "visitor A", program: visitor },
          { name: "visitor B", program: visitor },
        ],
        finish([, a, b]) {
          expectOrder(core, state);
          const text = [Number(a), Number(b)].sort().join(" ");
          expect(free < 2 || text === "2 2", `visits ${text}`);
          return `visits ${text}`;
        },
      };
    },
    describeAddress: (address, { describe }) => describe(address),
  };
}

const ATTACH_STORES_BLINDLY = {
  name: "attach-stores-blindly",
  edits: [
    {
      file: "core/thread.ts",
      find: "if (<u32>free != THREAD_FREE || compareExchange64(state, free, free | THREAD_ATTACHED) != free) continue;",
      replace: "if (<u32>free != THREAD_FREE) continue;\n    store64(state, free | THREAD_ATTACHED);",
    },
    {
      file: "core/thread.ts",
      find: "import { add32, compareExchange64, copy,",
      replace: "import { add32, copy,",
    },
  ],
} as const;

export const attachDetach: Property = {
  name: "attach-detach",
  promise: "a thread slot has one owner at a time, and handles of earlier owners stay stale",
  profiles: ["rfc"],
  quick: true,
  seconds: 5,
  model: () => model(1),
  twins: [
    ATTACH_STORES_BLINDLY,
    {
      name: "attach-starts-the-handles-again",
      edits: [
        {
          file: "core/thread.ts",
          find: "record.handle == 0 ? first : record.handle, RECORD_FREE);",
          replace: "first, RECORD_FREE);",
        },
      ],
    },
    {
      name: "detach-is-a-plain-store",
      edits: [
        {
          file: "core/thread.ts",
          find: '  store64(slot + offsetof<Thread>("state"), ((<u64>next) << 32) | THREAD_FREE);',
          replace: '  store<u64>(slot + offsetof<Thread>("state"), ((<u64>next) << 32) | THREAD_FREE);',
        },
      ],
    },
  ],
};

export const attachDetachOfTwo: Property = {
  name: "attach-detach-two",
  promise: "the same with a slot for each, which nobody is refused",
  profiles: ["rfc"],
  seconds: 5,
  model: () => model(2),
  twins: [ATTACH_STORES_BLINDLY],
};

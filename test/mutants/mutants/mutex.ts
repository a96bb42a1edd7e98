// SPDX-License-Identifier: GPL-2.0-only
//
// Faults of assembly/core/mutex.ts.

import { mutantsOf } from "../mutant.ts";

const UNLOCK = "if ((exchange32(mutex, 0) & CONTENDED) != 0) notify(mutex, 1);";

export const MUTEX = mutantsOf("mutex.ts", [
  {
    name: "lock-reads-then-writes",
    kind: "locking",
    find: "if (compareExchange32(mutex, 0, ownWord()) != 0) lockSlow(mutex);",
    replace: "if (load32(mutex) != 0) lockSlow(mutex); else exchange32(mutex, ownWord());",
  },
  { name: "unlock-wakes-nobody", kind: "waking", find: UNLOCK, replace: "exchange32(mutex, 0);" },
  {
    name: "unlock-reads-then-clears",
    kind: "locking",
    find: UNLOCK,
    replace: "const was = load32(mutex); store<u32>(mutex, 0); if ((was & CONTENDED) != 0) notify(mutex, 1);",
  },
  {
    name: "woken-sleeper-leaves-no-mark",
    kind: "waking",
    find: "mayBlock ? own | CONTENDED : own) == 0) return;",
    replace: "own) == 0) return;",
  },
  {
    name: "sleeps-without-a-mark",
    kind: "waking",
    find: `if ((seen & CONTENDED) != 0 || compareExchange32(mutex, seen, seen | CONTENDED) == seen) {
        wait32(mutex, seen | CONTENDED, -1);
      }`,
    replace: "wait32(mutex, seen, -1);",
  },
  {
    name: "reaper-frees-a-lock-and-wakes-nobody",
    kind: "waking",
    dies: true,
    find: `  exchange32(mutex, 0);
  notify(mutex, -1);`,
    replace: "  exchange32(mutex, 0);",
  },
  {
    name: "reaper-takes-a-lock-that-is-taken",
    kind: "locking",
    dies: true,
    find: "if (seen == 0 && compareExchange32(mutex, 0, ownWord()) == 0) return true;",
    replace: "exchange32(mutex, ownWord()); return true;",
  },
]);

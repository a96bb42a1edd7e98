// SPDX-License-Identifier: GPL-2.0-only
//
// Faults of assembly/core/refcount.ts.

import { mutantsOf } from "../mutant.ts";

const PLAIN = "return (word & (PHASE_MASK | FROZEN | DESTROYERS_MASK | TOO_MANY_HOLDERS | SATURATED)) == LIVE;";
const plainBut = (left: string): string => PLAIN.replace(left, "0");

export const REFCOUNT = mutantsOf("refcount.ts", [
  {
    name: "last-holder-wakes-nobody",
    kind: "waking",
    find: "if (wakesDestroyers(next)) notify(entry, -1);",
    replace: "",
  },
  {
    name: "frozen-word-is-not-awaited",
    kind: "locking",
    find: "return (word & FROZEN) == 0 ? word : awaitThaw(entry);",
    replace: "return word;",
  },
  {
    name: "sleeper-on-a-frozen-word-leaves-no-mark",
    kind: "waking",
    find: `else if ((word & WAITED) != 0 || compareExchange64(entry, word, word | WAITED) == word) {
      wait64(entry, word | WAITED, -1);
    }`,
    replace: "else wait64(entry, word, -1);",
  },
  {
    name: "freed-entry-keeps-its-generation",
    kind: "generation",
    dies: true,
    find: "return ((word & GENERATION_MASK) + (ONE << GENERATION_SHIFT)) & GENERATION_MASK;",
    replace: "return word & GENERATION_MASK;",
  },
  {
    name: "reservation-starts-at-generation-0",
    kind: "generation",
    dies: true,
    find: "return (old & GENERATION_MASK) | ((<u64>PHASE_RESERVED)",
    replace: "return ((<u64>PHASE_RESERVED)",
  },
  { name: "lookup-ignores-a-frozen-word", kind: "locking", find: PLAIN, replace: plainBut("FROZEN") },
  { name: "lookup-ignores-the-phase", kind: "locking", find: PLAIN, replace: PLAIN.replace("== LIVE", "!= 1") },
  { name: "lookup-ignores-waiting-destroyers", kind: "locking", find: PLAIN, replace: plainBut("DESTROYERS_MASK") },
  { name: "lookup-ignores-too-many-holders", kind: "bounds", find: PLAIN, replace: plainBut("TOO_MANY_HOLDERS") },
  { name: "lookup-ignores-saturated-users", kind: "bounds", find: PLAIN, replace: plainBut("SATURATED") },
  {
    name: "saturated-users-go-on-counting",
    kind: "bounds",
    find: "return (word & SATURATED) != 0 ? word : word + USER;",
    replace: "return word + USER;",
  },
  {
    name: "saturated-users-count-down",
    kind: "bounds",
    find: "  if ((word & SATURATED) != 0) return word;\n",
    replace: "",
  },
  {
    name: "holders-are-full-one-too-late",
    kind: "bounds",
    find: "return ((word + HOLDER) & TOO_MANY_HOLDERS) != 0;",
    replace: "return (word & TOO_MANY_HOLDERS) != 0;",
  },
  {
    name: "unlock-keeps-the-user",
    kind: "counts",
    find: "const next = minusUser(word) - HOLDER;",
    replace: "const next = word - HOLDER;",
  },
  {
    name: "slow-unlock-is-not-announced",
    kind: "repair",
    find: `    nameRecord(record, RECORD_BUSY);
    if (compareExchange64(entry, word, next) == word) {`,
    replace: "    if (compareExchange64(entry, word, next) == word) {",
  },
]);

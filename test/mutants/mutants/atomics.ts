// SPDX-License-Identifier: GPL-2.0-only
//
// Faults of assembly/core/atomics.ts.

import { mutantsOf } from "../mutant.ts";

export const ATOMICS = mutantsOf("atomics.ts", [
  {
    name: "swap-of-64-bits-in-two-steps",
    kind: "locking",
    find: "return atomic.cmpxchg<u64>(address, expected, replacement);",
    replace: "const seen = load<u64>(address); if (seen == expected) store<u64>(address, replacement); return seen;",
  },
  {
    name: "swap-of-32-bits-in-two-steps",
    kind: "locking",
    find: "return atomic.cmpxchg<u32>(address, expected, replacement);",
    replace: "const seen = load<u32>(address); if (seen == expected) store<u32>(address, replacement); return seen;",
  },
  {
    name: "notify-does-nothing",
    kind: "waking",
    find: "if (!MODEL_BUILD) atomic.notify(address, count);",
    replace: "",
  },
]);

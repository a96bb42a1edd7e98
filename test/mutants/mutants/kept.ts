// SPDX-License-Identifier: GPL-2.0-only
//
// Faults of assembly/core/kept.ts.

import { mutantsOf } from "../mutant.ts";

export const KEPT = mutantsOf("kept.ts", [
  {
    name: "reference-reaches-a-later-object",
    kind: "generation",
    find: "return <f64>serialOfSlot(slotOf(entry)) == serial ? entry : 0;",
    replace: "return entry;",
  },
  {
    name: "reference-reaches-what-is-not-published",
    kind: "locking",
    find: "  if (phaseOf(settled(entry)) != PHASE_LIVE) return 0;\n",
    replace: "",
  },
  { name: "user-is-dropped-that-nobody-kept", kind: "bounds", find: "if (kept == 0) {", replace: "if (false) {" },
  {
    name: "drop-keeps-the-kept-count",
    kind: "counts",
    find: "  changeKept(entry, kept - 1);\n",
    replace: "",
  },
  {
    name: "reference-is-found-without-the-lock",
    kind: "locking",
    find: `  lock(tableLockOf(file), RANK_TABLE);
  const entry = findKept(file, id, serial);`,
    replace: `  const entry = findKept(file, id, serial);
  lock(tableLockOf(file), RANK_TABLE);`,
  },
]);

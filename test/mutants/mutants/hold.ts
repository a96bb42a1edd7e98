// SPDX-License-Identifier: GPL-2.0-only
//
// Faults of assembly/core/hold.ts.

import { mutantsOf } from "../mutant.ts";

export const HOLD = mutantsOf("hold.ts", [
  { name: "hold-does-not-count", kind: "counts", find: "const next = plusUser(word);", replace: "const next = word;" },
  {
    name: "last-hold-of-a-list-is-not-dropped",
    kind: "bounds",
    find: "index < HOLD_LIST_ENTRIES; index++) dropHold(noteAt(list, index), file);",
    replace: "index < HOLD_LIST_ENTRIES - 1; index++) dropHold(noteAt(list, index), file);",
  },
  {
    name: "dropped-hold-keeps-its-note",
    kind: "repair",
    find: "  changeNote(note, 0);\n",
    replace: "",
  },
  {
    name: "hold-takes-a-kept-user-without-counting-it",
    kind: "counts",
    find: "    changeKept(entry, kept - 1);\n",
    replace: "",
  },
  {
    name: "list-that-is-freed-is-not-in-hand",
    kind: "repair",
    find: `dropHold(noteAt(list, index), file);
    store<u32>(handList(), <u32>list);`,
    replace: "dropHold(noteAt(list, index), file);",
  },
  {
    name: "list-is-published-before-its-link",
    kind: "locking",
    find: `  changetype<HoldList>(fresh).link = <u32>list;
  store32(slot + offsetof<Slot>("link"), <u32>fresh);`,
    replace: `  store32(slot + offsetof<Slot>("link"), <u32>fresh);
  changetype<HoldList>(fresh).link = <u32>list;`,
  },
  {
    name: "hold-without-memory-is-another-errno",
    kind: "errno",
    find: "  if (note == 0) return -ENOMEM;\n  holdEntry(",
    replace: "  if (note == 0) return -EINVAL;\n  holdEntry(",
  },
]);

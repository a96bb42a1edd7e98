// SPDX-License-Identifier: GPL-2.0-only
//
// Faults of assembly/core/change.ts.

import { mutantsOf } from "../mutant.ts";

const THAW = "if ((exchange64(entry, next) & WAITED) != 0 || wakesDestroyers(next)) notify(entry, -1);";

export const CHANGE = mutantsOf("change.ts", [
  {
    name: "freezes-whatever-is-there",
    kind: "locking",
    find: "if (compareExchange64(entry, word, frozenWord(word, nameOfThread(current()))) != word) return false;",
    replace: "exchange64(entry, frozenWord(word, nameOfThread(current())));",
  },
  { name: "thaw-wakes-nobody", kind: "waking", find: THAW, replace: "exchange64(entry, next);" },
  {
    name: "thaw-forgets-the-destroyers",
    kind: "waking",
    find: THAW,
    replace: "if ((exchange64(entry, next) & WAITED) != 0) notify(entry, -1);",
  },
  {
    name: "thaw-forgets-those-who-wait-for-it",
    kind: "waking",
    find: THAW,
    replace: "exchange64(entry, next); if (wakesDestroyers(next)) notify(entry, -1);",
  },
  {
    name: "change-starts-before-the-old-values-are-noted",
    kind: "repair",
    find: `  thread.changeKept = changetype<Entry>(entry).kept;
  thread.changeNote = 0;
  thread.changeStarted = 1;`,
    replace: `  thread.changeStarted = 1;
  thread.changeKept = changetype<Entry>(entry).kept;
  thread.changeNote = 0;`,
  },
  {
    name: "recovery-forgets-the-kept-users",
    kind: "repair",
    find: "    changetype<Entry>(entry).kept = thread.changeKept;\n",
    replace: "",
  },
  {
    name: "recovery-forgets-the-note",
    kind: "repair",
    find: "    if (thread.changeNote != 0) storeRelaxed32(thread.changeNote, thread.changeNoteOld);\n",
    replace: "",
  },
]);

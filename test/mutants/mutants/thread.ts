// SPDX-License-Identifier: GPL-2.0-only
//
// Faults of assembly/core/thread.ts.

import { mutantsOf } from "../mutant.ts";

export const THREAD = mutantsOf("thread.ts", [
  {
    name: "handle-is-good-twice",
    kind: "generation",
    find: "  storeNameOf(record, handle + FIRST_GENERATION, RECORD_FREE);",
    replace: "  storeNameOf(record, handle, RECORD_FREE);",
  },
  {
    name: "handle-is-good-for-any-kind-and-file",
    kind: "locking",
    find: 'return load<u64>(record, offsetof<HoldRecord>("fileKind")) == nameOf(handle, (<u32>file) | kind);',
    replace: "return changetype<HoldRecord>(record).handle == handle;",
  },
  {
    name: "last-record-is-taken",
    kind: "bounds",
    find: "return changetype<HoldRecord>(peekRecord()).next != 0 && !mayFail(FAULT_MEMORY);",
    replace: "return !mayFail(FAULT_MEMORY);",
  },
  {
    name: "thread-attaches-in-two-steps",
    kind: "locking",
    find: "if (<u32>free != THREAD_FREE || compareExchange64(state, free, free | THREAD_ATTACHED) != free) continue;",
    replace: "if (<u32>free != THREAD_FREE) continue;\n    store64(state, free | THREAD_ATTACHED);",
  },
  {
    name: "thread-that-leaves-keeps-its-slot",
    kind: "undo",
    find: "  self = NOBODY;\n  endIncarnation(slot);",
    replace: "  self = NOBODY;",
  },
  {
    name: "handles-start-anew-with-each-thread",
    kind: "generation",
    find: "record.handle == 0 ? first : record.handle, RECORD_FREE);",
    replace: "first, RECORD_FREE);",
  },
  {
    name: "record-of-the-last-generation-comes-next",
    kind: "generation",
    find: "  if (!isLastGeneration(was.handle)) {",
    replace: "  if (true) {",
  },
  {
    name: "ring-of-warnings-is-never-full",
    kind: "bounds",
    find: "return changetype<Thread>(self).warningCount == MAX_THREAD_WARNINGS;",
    replace: "return false;",
  },
  {
    name: "warnings-of-the-dead-come-twice",
    kind: "repair",
    find: "  ring.warningCount = 0;\n",
    replace: "",
  },
]);

// SPDX-License-Identifier: GPL-2.0-only
//
// Faults of assembly/core/process.ts and exit.ts.

import { mutantsOf } from "../mutant.ts";

export const PROCESS = mutantsOf("process.ts", [
  {
    name: "processes-share-a-space",
    kind: "bounds",
    find: "  return (<u64>(process - PROCESSES)) << (SPACE_SHIFT - PROCESS_SHIFT);",
    replace: "  return (<u64>(process - process)) << (SPACE_SHIFT - PROCESS_SHIFT);",
  },
  {
    name: "a-number-is-another-process",
    kind: "bounds",
    find: "pid != 0 && changetype<Process>(process).pid == pid && isAlive(process) ? process : 0;",
    replace: "pid != 0 && isAlive(process) ? process : 0;",
  },
  {
    name: "the-ended-can-be-entered",
    kind: "bounds",
    find: ".pid == pid && isAlive(process) ? process : 0;",
    replace: ".pid == pid ? process : 0;",
  },
  {
    name: "row-of-a-process-that-a-thread-is-in-is-reused",
    kind: "bounds",
    find: 'offsetof<Thread>("process")) == <u32>process) return false;',
    replace: 'offsetof<Thread>("process")) == 1) return false;',
  },
  {
    name: "user-is-not-looked-for",
    kind: "bounds",
    find: "    } else if (changetype<User>(user).uid == uid) return user;",
    replace: "    }",
  },
  {
    name: "user-of-a-process-is-unused",
    kind: "bounds",
    find: "    if (process.state != PROCESS_FREE && process.user == <u32>user) return true;",
    replace: "",
  },
  {
    name: "limit-can-be-passed",
    kind: "bounds",
    find: "    if (<u64>before + pages > limit) return false;",
    replace: "",
  },
  {
    name: "charge-is-looked-at-and-then-made",
    kind: "locking",
    find: "    if (compareExchange32(word, before, before + pages) == before) return true;",
    replace: "    add32(word, pages);\n    return true;",
  },
  {
    name: "process-that-nobody-got-stays",
    kind: "repair",
    find: "  store32(stateOf(process), PROCESS_ENDED);",
    replace: "",
  },
  {
    name: "user-of-a-source-is-not-held",
    kind: "counts",
    find: '  add32(user + offsetof<User>("holders"), 1);\n',
    replace: "",
  },
  {
    name: "row-of-a-source-is-reused",
    kind: "generation",
    find: '  if (load32(process + offsetof<Process>("holders")) != 0) return false;\n',
    replace: "",
  },
  {
    name: "user-of-a-source-is-unused",
    kind: "generation",
    find: ' || load32(user + offsetof<User>("holders")) != 0) return true;',
    replace: ") return true;",
  },
]);

export const EXIT = mutantsOf("exit.ts", [
  {
    name: "exit-does-not-wait-for-copies",
    kind: "locking",
    find: "    waitForPins(row);\n",
    replace: "",
  },
  {
    name: "default-process-ends",
    kind: "bounds",
    find: "process == 0 || process == PROCESSES;",
    replace: "process == 0;",
  },
  {
    name: "exit-takes-the-mappings-of-the-next-process-in-the-row",
    kind: "generation",
    find: "changetype<Process>(process).pid == pid ? firstOf(process) : -1",
    replace: "pid != 0 ? firstOf(process) : -1",
  },
  {
    name: "only-the-first-mapping-ends",
    kind: "undo",
    find: "row != 0; row = takeMapping(process, pid)) {",
    replace: "row != 0; row = 0) {",
  },
  {
    name: "ended-process-is-invalid",
    kind: "errno",
    find: "return process == 0 ? -ESRCH : -EINVAL;",
    replace: "return -EINVAL;",
  },
]);

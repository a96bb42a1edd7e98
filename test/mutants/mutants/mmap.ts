// SPDX-License-Identifier: GPL-2.0-only
//
// Faults of assembly/core/mmap.ts.

import { mutantsOf } from "../mutant.ts";

export const MMAP = mutantsOf("mmap.ts", [
  {
    name: "unmap-does-not-wait-for-copies",
    kind: "locking",
    find: "  waitForPins(row);\n",
    replace: "",
  },
  {
    name: "mapping-may-end-outside",
    kind: "bounds",
    find: "length > TASK_SIZE || va > TASK_SIZE - length) return -EINVAL;",
    replace: "length > TASK_SIZE) return -EINVAL;",
  },
  {
    name: "order-of-mappings-is-overwritten",
    kind: "bounds",
    find: "  copy(at + 2, at, (state.count - position) * 2);\n",
    replace: "",
  },
  {
    name: "the-ended-can-map",
    kind: "bounds",
    find: "  if (!isAlive(currentProcess())) result = -ESRCH;\n  else if",
    replace: "  if",
  },
  {
    name: "unmap-reaches-other-processes",
    kind: "bounds",
    find: "  if (va > TASK_SIZE) return -EINVAL;\n",
    replace: "",
  },
  {
    name: "mappings-of-the-ended-stay",
    kind: "repair",
    find: "  mapDone();\n  takeOver();",
    replace: "  mapDone();",
  },
  {
    name: "pin-of-the-dead-stays",
    kind: "repair",
    find: "  store32(pinned, 0);\n  notify(pinned, -1);",
    replace: "",
  },
]);

// SPDX-License-Identifier: GPL-2.0-only
//
// Faults of assembly/core/uaccess.ts.

import { mutantsOf } from "../mutant.ts";

export const UACCESS = mutantsOf("uaccess.ts", [
  {
    name: "user-range-may-leave-user-space",
    kind: "bounds",
    find: "return length <= TASK_SIZE && va <= TASK_SIZE - length;",
    replace: "return true;",
  },
  {
    name: "pages-that-can-be-read-can-be-written",
    kind: "bounds",
    find: "pin(to, copyStep(to, length), PROT_WRITE);",
    replace: "pin(to, copyStep(to, length), PROT_READ);",
  },
  {
    name: "last-bytes-need-not-be-zero",
    kind: "bounds",
    find: "  while (at < end) if (load<u8>(at++) != 0) return false;\n  return true;",
    replace: "  return true;",
  },
  {
    name: "copy-keeps-its-pin",
    kind: "undo",
    find: `    copy(to, backingOf(from), run);
    unpin();`,
    replace: `    copy(to, backingOf(from), run);`,
  },
  {
    name: "write-behind-the-window",
    kind: "bounds",
    find: `  if (length > COMMAND_BYTES) return -EINVAL;
  return copyToUser`,
    replace: "  return copyToUser",
  },
]);

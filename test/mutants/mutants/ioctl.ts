// SPDX-License-Identifier: GPL-2.0-only
//
// Faults of assembly/core/ioctl.ts.

import { mutantsOf } from "../mutant.ts";

export const IOCTL = mutantsOf("ioctl.ts", [
  {
    name: "smallest-struct-is-too-short",
    kind: "bounds",
    find: "if (size >= row.minSize) return 0;",
    replace: "if (size > row.minSize) return 0;",
  },
  {
    name: "short-struct-is-the-other-profiles-errno",
    kind: "errno",
    find: "? -EOPNOTSUPP : -EINVAL;",
    replace: "? -EINVAL : -EOPNOTSUPP;",
  },
  {
    name: "request-is-its-number-alone",
    kind: "bounds",
    find: "  if (row.request != request) return -ENOTTY;\n",
    replace: "",
  },
  {
    name: "unknown-tail-may-be-anything",
    kind: "errno",
    find: "    if (tail == NOT_ZERO) return -E2BIG;\n",
    replace: "",
  },
  {
    name: "unknown-tail-begins-a-byte-late",
    kind: "bounds",
    find: "!isZero(window + known, present - known)",
    replace: "!isZero(window + known + 1, present - known - 1)",
  },
  {
    name: "missing-fields-keep-the-last-command",
    kind: "wipe",
    find: "  if (!copyFromUser(command, address, common)) return -EFAULT;\n  fill(command + common, 0, known - common);",
    replace: "  if (!copyFromUser(command, address, common)) return -EFAULT;",
  },
  {
    name: "executed-ioctl-keeps-its-mark",
    kind: "undo",
    find: "export function ioctlEnd(file: usize): void {\n  fileLeave(file);",
    replace: "export function ioctlEnd(file: usize): void {",
  },
  {
    name: "command-executes-without-a-mark",
    kind: "locking",
    find: "  if (!fileEnter(file, expected)) return refusal(file, expected);\n  changetype",
    replace: "  fileMark(file);\n  changetype",
    imports: 'import { fileMark } from "./file";',
  },
  {
    name: "short-buffer-is-taken-for-a-whole-struct",
    kind: "bounds",
    find: "isDestroy(request) && length >= row.size && load",
    replace: "isDestroy(request) && load",
  },
  {
    name: "ioctl-on-a-closed-file-is-usual",
    kind: "errno",
    find: `if (isUsual && load32(file + offsetof<File>("state")) == expected) {`,
    replace: "if (isUsual) {",
  },
  {
    name: "table-ends-one-too-late",
    kind: "bounds",
    find: "nr >= max(changetype<Identity>(IDENTITY).tableEnd",
    replace: "nr > max(changetype<Identity>(IDENTITY).tableEnd",
  },
]);

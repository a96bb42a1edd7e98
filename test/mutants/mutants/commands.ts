// SPDX-License-Identifier: GPL-2.0-only
//
// Faults of assembly/core: ucmd.ts, devices.ts and inspect_areas.ts.

import { mutantsOf } from "../mutant.ts";

export const DEVICES = mutantsOf("devices.ts", [
  {
    name: "data-of-no-type-is-taken",
    kind: "errno",
    find: "  return (cmd.data_type == IOMMU_HWPT_DATA_NONE) != (cmd.data_len == 0) ? -EINVAL : -ENOENT;",
    replace: "  return cmd.data_type != IOMMU_HWPT_DATA_NONE && cmd.data_len == 0 ? -EINVAL : -ENOENT;",
  },
  {
    name: "older-kernel-knows-a-newer-flag",
    kind: "errno",
    find: "  const known: u32 = isBeforeViommus() ? 0 : IOMMU_HW_INFO_FLAG_INPUT_TYPE;",
    replace: "  const known: u32 = IOMMU_HW_INFO_FLAG_INPUT_TYPE;",
  },
  {
    name: "reserved-word-of-a-bitmap-is-not-asked",
    kind: "errno",
    find: " || cmd.__reserved != 0 ? -EOPNOTSUPP : -ENOENT;",
    replace: " ? -EOPNOTSUPP : -ENOENT;",
  },
  {
    name: "refused-invalidation-was-done",
    kind: "errno",
    find: "  cmd.entry_num = 0;\n",
    replace: "",
  },
  {
    name: "most-entries-are-too-many",
    kind: "bounds",
    find: "cmd.entry_num > IOMMU_HWPT_INVALIDATE_ENTRIES;",
    replace: "cmd.entry_num >= IOMMU_HWPT_INVALIDATE_ENTRIES;",
  },
  {
    name: "object-of-an-invalidation-stays-locked",
    kind: "undo",
    find: "  putSlowly(file, handle);\n  return isBeforeViommus()",
    replace: "  return isBeforeViommus()",
  },
]);

export const UCMD = mutantsOf("ucmd.ts", [
  {
    name: "reply-is-longer-than-was-declared",
    kind: "bounds",
    find: "respondWith(0, min(changetype<Thread>(current()).argumentSize, bytes));",
    replace: "respondWith(0, bytes);",
  },
  {
    name: "part-of-a-reply-goes-to-the-start",
    kind: "bounds",
    find: "return copyToUser(thread.argument + offset, structOf() + offset, bytes);",
    replace: "return copyToUser(thread.argument, structOf() + offset, bytes);",
  },
  {
    name: "argument-is-read-beyond-its-end",
    kind: "bounds",
    find: "  if (offset + bytes > thread.windowBytes) return false;\n",
    replace: "",
  },
  {
    name: "what-was-written-first-is-forgotten",
    kind: "counts",
    find: "  thread.windowWritten = max(thread.windowWritten, offset + fits);",
    replace: "  thread.windowWritten = offset + fits;",
  },
  {
    name: "reply-that-does-not-fit-is-whole",
    kind: "errno",
    find: "  return fits == bytes;",
    replace: "  return true;",
  },
  {
    name: "address-is-taken-for-the-window",
    kind: "bounds",
    find: "  thread.argumentIsWindow = 0;\n",
    replace: "",
  },
]);

export const INSPECT_AREAS = mutantsOf("inspect_areas.ts", [
  {
    name: "more-ranges-than-fit",
    kind: "bounds",
    find: "min(most, RANGES_MOST)",
    replace: "most",
  },
  {
    name: "end-of-the-space-comes-again",
    kind: "bounds",
    find: "    if (thread.rangeLast == u64.MAX_VALUE) break;\n",
    replace: "",
  },
  {
    name: "any-object-has-areas",
    kind: "bounds",
    find: " && typeOf(word) == TYPE_IOAS) {",
    replace: " && typeOf(word) != 0) {",
  },
  {
    name: "area-begins-where-its-pages-do",
    kind: "counts",
    find: "pages.start + area.offset;",
    replace: "pages.start;",
  },
]);

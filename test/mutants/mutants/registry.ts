// SPDX-License-Identifier: GPL-2.0-only
//
// Faults of assembly/core/registry.ts.

import { mutantsOf } from "../mutant.ts";

export const REGISTRY = mutantsOf("registry.ts", [
  {
    name: "type-of-another-shape-is-the-same",
    kind: "errno",
    find: "const fits = type.payloadBytes == payloadBytes && (flags & ~type.flags) == 0;",
    replace: "const fits = true;",
  },
  {
    name: "types-have-no-limit",
    kind: "bounds",
    find: "  if (count == MAX_TYPES) return -ENOSPC;\n",
    replace: "",
  },
  {
    name: "longest-name-is-refused",
    kind: "bounds",
    find: "nameBytes > NAME_BYTES ||",
    replace: "nameBytes >= NAME_BYTES ||",
  },
  {
    name: "command-number-one-too-high",
    kind: "bounds",
    find: "if (nr - COMMAND_BASE >= MAX_COMMANDS ||",
    replace: "if (nr - COMMAND_BASE > MAX_COMMANDS ||",
  },
  {
    name: "types-are-defined-without-the-lock",
    kind: "locking",
    find: `  lock(REGISTRY_LOCK, RANK_REGISTRY);
  const result = findOrAddType(nameBytes, payloadBytes, flags);
  unlock(REGISTRY_LOCK, RANK_REGISTRY);`,
    replace: "  const result = findOrAddType(nameBytes, payloadBytes, flags);",
  },
]);

// SPDX-License-Identifier: GPL-2.0-only
//
// Faults of assembly/core: keeper.ts and eventq.ts: owners of objects outside of the table.

import { mutantsOf } from "../mutant.ts";

export const KEEPER = mutantsOf("keeper.ts", [
  {
    name: "row-of-another-kind-of-owner",
    kind: "generation",
    find: ' && load32(row + offsetof<Keeper>("type")) == type',
    replace: "",
  },
  {
    name: "last-row-is-not-looked-at",
    kind: "bounds",
    find: "    while (limit <= number) {",
    replace: "    while (limit < number) {",
  },
  {
    name: "row-beyond-the-table",
    kind: "bounds",
    find: "  if (number >= MAX_KEEPERS) return 0;\n",
    replace: "",
  },
  {
    name: "owner-does-not-keep-the-file",
    kind: "locking",
    find: "== ((<u32>file) | KEEPER_OPEN)) return true;",
    replace: "== ((<u32>file) | KEEPER_MAKING)) return true;",
  },
  {
    name: "row-of-two-owners",
    kind: "locking",
    find: "    if (compareExchange32(keeperState(keeperAt(number)), 0, making) == 0) return number;",
    replace: "    store32(keeperState(keeperAt(number)), making);\n    return number;",
  },
]);

export const EVENTQ = mutantsOf("eventq.ts", [
  {
    name: "queue-that-nobody-was-told-of-stays",
    kind: "undo",
    find: "    abortOwned(file, handle, row);\n",
    replace: "",
  },
  {
    name: "closed-queue-keeps-its-user",
    kind: "counts",
    find: "    dropReference(file, inFlight(file), was.id, <f64>was.serial);\n",
    replace: "",
  },
  {
    name: "closed-queue-keeps-its-row",
    kind: "undo",
    find: "    freeKeeper(row);\n",
    replace: "",
  },
  {
    name: "part-of-a-record-is-read",
    kind: "errno",
    find: "  return bytes % offsetof<IommuHwptPgfault>() != 0 ? -ESPIPE : 0;",
    replace: "  return 0;",
  },
  {
    name: "answer-to-no-fault-is-taken",
    kind: "errno",
    find: "  return bytes == 0 ? 0 : -EINVAL;",
    replace: "  return 0;",
  },
]);

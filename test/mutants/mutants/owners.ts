// SPDX-License-Identifier: GPL-2.0-only
//
// Faults of assembly/core: keeper.ts, eventq.ts and abandon.ts: owners of objects outside of the table.

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
    find: "    if (keptBy(load32(keeperState(keeperAt(number)))) == file) return true;",
    replace: "    if (load32(keeperState(keeperAt(number))) == keeperMaking(file)) return true;",
  },
  {
    name: "row-of-two-owners",
    kind: "locking",
    find: "    if (compareExchange32(keeperState(keeperAt(number)), 0, making) == 0) return number;",
    replace: "    store32(keeperState(keeperAt(number)), making);\n    return number;",
  },
  {
    name: "row-that-is-being-ended-keeps-no-file",
    kind: "locking",
    find: "    if (keptBy(load32(keeperState(keeperAt(number)))) == file) return true;",
    replace: "    if (load32(keeperState(keeperAt(number))) == ((<u32>file) | KEEPER_OPEN)) return true;",
  },
  {
    name: "rows-of-an-earlier-owner-of-the-slot-are-taken-for-its",
    kind: "generation",
    find: "  return changetype<Keeper>(row).incarnation == changetype<Thread>(current()).incarnation;",
    replace: "  return changetype<Keeper>(row).incarnation <= changetype<Thread>(current()).incarnation;",
  },
  {
    name: "files-of-queues-are-a-threads",
    kind: "bounds",
    find: "isThread ? ownState(file, KEEPER_OPEN) : (<u32>file) | KEEPER_OPEN",
    replace: "isThread || true ? ownState(file, KEEPER_OPEN) : (<u32>file) | KEEPER_OPEN",
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
    find: "    if (!isPoisoned(file)) dropOwned(file, row, xaEntry(file, changetype<Keeper>(row).id), false);\n",
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

export const ABANDON = mutantsOf("abandon.ts", [
  {
    name: "user-of-the-dead-owner-stays",
    kind: "repair",
    find: "    if (!isPoisoned(file)) dropOwned(file, row, entry, isAccess);\n",
    replace: "    if (isPoisoned(file)) dropOwned(file, row, entry, isAccess);\n",
  },
  {
    name: "pins-of-the-dead-stay",
    kind: "repair",
    find: "    unpinEverything(file, changetype<Access>(access));\n",
    replace: "    if (isPoisoned(file)) unpinEverything(file, changetype<Access>(access));\n",
  },
]);

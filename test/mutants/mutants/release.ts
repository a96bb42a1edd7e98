// SPDX-License-Identifier: GPL-2.0-only
//
// Faults of assembly/core/release.ts.

import { mutantsOf } from "../mutant.ts";

const ENQUEUE = `  lock(QUEUE_LOCK, RANK_QUEUE);
  if (queue.tail != 0) changetype<Slot>(queue.tail).link = <u32>slot;
  else queue.head = <u32>slot;
  queue.tail = <u32>slot;
  store32(QUEUE_LENGTH, queue.length + 1);
  store32(QUEUED_EVER, queue.queuedEver + 1);
  clearHand();
  unlock(QUEUE_LOCK, RANK_QUEUE);`;

export const RELEASE = mutantsOf("release.ts", [
  {
    name: "leak-is-not-reported",
    kind: "counts",
    find: "        warn(WARN_RELEASE_USERS, file, id);\n",
    replace: "",
  },
  {
    name: "release-ignores-locked-objects",
    kind: "locking",
    find: "    if (!findHolders(file)) return 0;\n",
    replace: "    changetype<Context>(file + FILE_CONTEXT).walkType |= 1;\n",
  },
  {
    name: "release-takes-out-blindly",
    kind: "locking",
    find: `  if (compareExchange64(entry, word, freedWord(word)) != word) {
    context.walkSlot = 0;`,
    replace: `  store<u64>(entry, freedWord(word));
  if (false) {
    context.walkSlot = 0;`,
  },
  {
    name: "leak-ignores-locks",
    kind: "locking",
    find: "  if (holdersOf(word) != 0) return false;\n",
    replace: "",
  },
  {
    name: "queued-object-wakes-nobody",
    kind: "waking",
    find: `  unlock(QUEUE_LOCK, RANK_QUEUE);
  notify(QUEUED_EVER, -1);`,
    replace: "  unlock(QUEUE_LOCK, RANK_QUEUE);",
  },
  {
    name: "object-is-queued-without-the-lock",
    kind: "locking",
    find: ENQUEUE,
    replace: ENQUEUE.replace("  lock(QUEUE_LOCK, RANK_QUEUE);\n", "").replace("  unlock(QUEUE_LOCK, RANK_QUEUE);", ""),
  },
  {
    name: "queue-keeps-its-old-end",
    kind: "bounds",
    find: "    if (next == 0) queue.tail = <u32>before;\n",
    replace: "",
  },
  { name: "release-keeps-the-table", kind: "undo", find: "  xaDestroy(file);\n  fileFree", replace: "  fileFree" },
  {
    name: "object-that-the-walk-takes-is-lost",
    kind: "undo",
    find: "  context.walkSlot = <u32>slotOf(entry);\n",
    replace: "",
  },
  {
    name: "pass-that-destroyed-something-is-the-last",
    kind: "counts",
    find: "  context.walkDestroyed = 1; // mainline: so that there is one more pass\n",
    replace: "",
  },
  {
    name: "released-object-keeps-its-id",
    kind: "undo",
    find: "    context.walkSlot = 0;\n    return false;\n  }\n  xaErase(file, id);",
    replace: "    context.walkSlot = 0;\n    return false;\n  }",
  },
]);

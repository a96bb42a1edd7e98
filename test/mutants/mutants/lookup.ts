// SPDX-License-Identifier: GPL-2.0-only
//
// Faults of assembly/core/lookup.ts.

import { mutantsOf } from "../mutant.ts";

export const LOOKUP = mutantsOf("lookup.ts", [
  {
    name: "get-stores-blindly",
    kind: "locking",
    find: `  announceRecord(record, name, entry, file);
  if (compareExchange64(entry, word, next) != word) {
    withdrawRecord(record, name);
    return`,
    replace: `  announceRecord(record, name, entry, file);
  store<u64>(entry, next);
  if (false) {
    withdrawRecord(record, name);
    return`,
  },
  {
    name: "get-is-not-announced",
    kind: "repair",
    find: "  const name = freeNameOf(record);\n  announceRecord(record, name, entry, file);\n",
    replace: "  const name = freeNameOf(record);\n",
  },
  {
    name: "get-takes-the-last-record",
    kind: "bounds",
    find: "  if (after == 0) return 0;\n",
    replace: "",
  },
  {
    name: "typed-get-ignores-the-type",
    kind: "locking",
    find: "  if (!isPlainlyLocked(next) || (type != 0 && typeOf(word) != type)) return 0;",
    replace: "  if (!isPlainlyLocked(next)) return 0;",
  },
  {
    name: "get-never-looks-at-the-file",
    kind: "locking",
    find: "if (expected != FILE_BY_NUMBER && mayUse(file, expected)) return handle;",
    replace: "return handle;",
  },
  {
    name: "unwanted-lock-does-not-resume-the-release",
    kind: "waking",
    find: "  fileUnlocked(owner);\n",
    replace: "",
  },
  {
    name: "slow-get-ignores-the-type",
    kind: "locking",
    find: "if (!isOpenToLookups(word) || (type != 0 && typeOf(word) != type)) return -ENOENT;",
    replace: "if (!isOpenToLookups(word)) return -ENOENT;",
  },
  {
    name: "slow-get-does-not-look-at-the-file-again",
    kind: "locking",
    find: `    if (!mayUse(file, expected)) {
      dropTransient(recordOf(handle));
      return refusal(file, expected);
    }`,
    replace: "",
  },
  {
    name: "slow-get-without-records-is-another-errno",
    kind: "errno",
    find: "if (!hasFreeRecord()) return -ENOMEM;",
    replace: "if (!hasFreeRecord()) return -ENOENT;",
  },
  {
    name: "slow-get-ignores-the-phase",
    kind: "locking",
    find: "  if (phaseOf(word) != PHASE_LIVE) return false;\n",
    replace: "",
  },
  {
    name: "slow-get-ignores-waiting-destroyers",
    kind: "locking",
    find: "if (destroyersOf(word) == 0) return true;",
    replace: "return true;",
  },
  {
    name: "lookups-go-on-when-nobody-holds-what-is-destroyed",
    kind: "locking",
    find: "!= PROFILE_RFC && holdersOf(word) != 0;",
    replace: "!= PROFILE_RFC;",
  },
  {
    name: "put-stores-blindly",
    kind: "locking",
    find: "  if (compareExchange64(entry, word, word - USER - HOLDER) != word) {",
    replace: "  store<u64>(entry, word - USER - HOLDER);\n  if (false) {",
  },
  {
    name: "put-is-not-announced",
    kind: "repair",
    find: `  renameRecord(record, handle, file, RECORD_BUSY);
  if (compareExchange64(entry, word, word - USER - HOLDER) != word) {`,
    replace: "  if (compareExchange64(entry, word, word - USER - HOLDER) != word) {",
  },
  {
    name: "put-does-not-resume-the-release",
    kind: "waking",
    find: "return isQuiet(file) ? 0 : PUT_UNQUIET;",
    replace: "return 0;",
  },
  {
    name: "kept-user-is-not-counted",
    kind: "counts",
    find: "  changeKept(entry, changetype<Entry>(entry).kept + 1);\n",
    replace: "",
  },
]);

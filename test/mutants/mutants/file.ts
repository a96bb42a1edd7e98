// SPDX-License-Identifier: GPL-2.0-only
//
// Faults of assembly/core/file.ts.

import { mutantsOf } from "../mutant.ts";

const ENTER = `  store32(mark, load<u32>(mark) + 1);
  return load32(stateOf(file)) == expected || enterLater(file, expected);`;

export const FILE = mutantsOf("file.ts", [
  {
    name: "opened-file-keeps-its-generation",
    kind: "generation",
    find: "const opened = nextGeneration(state) | FILE_OPEN;",
    replace: "const opened = (state == 0 ? FILE_GENERATION : state) | FILE_OPEN;",
  },
  {
    name: "open-stores-blindly",
    kind: "locking",
    find: "    if (compareExchange32(stateOf(file), state, opened) != state) continue;",
    replace: "    store32(stateOf(file), opened);",
  },
  {
    name: "file-numbers-have-no-limit",
    kind: "bounds",
    find: "  if (index >= MAX_FILES) return -EBADF;\n",
    replace: "",
  },
  {
    name: "call-looks-before-it-marks",
    kind: "locking",
    find: ENTER,
    replace: `  const state = load32(stateOf(file));
  store32(mark, load<u32>(mark) + 1);
  return state == expected || enterLater(file, expected);`,
  },
  {
    name: "call-marks-with-a-plain-store",
    kind: "locking",
    find: ENTER,
    replace: ENTER.replace("store32(mark, ", "store<u32>(mark, "),
  },
  {
    name: "refused-call-keeps-its-mark",
    kind: "undo",
    find: "  fileLeave(file);\n  return false;",
    replace: "  return false;",
  },
  {
    name: "context-of-a-call-outlives-the-call",
    kind: "locking",
    find: "if (isUsable(file, expected) && (!inFlight || (load<u32>(markOf(current(), file)) & MARK_USES) > 1)) return true;",
    replace: "if (isUsable(file, expected)) return true;",
  },
  {
    name: "fget-looks-before-it-counts",
    kind: "locking",
    find: `  store32(mark, before + MARK_REFERENCE);
  const state = load32(stateOf(file));`,
    replace: `  const state = load32(stateOf(file));
  store32(mark, before + MARK_REFERENCE);`,
  },
  {
    name: "fget-counts-into-the-uses",
    kind: "bounds",
    find: "  if (before / MARK_REFERENCE == MARK_MOST_REFERENCES) return -EMFILE;\n",
    replace: "",
  },
  {
    name: "last-reference-does-not-drain",
    kind: "waking",
    find: "  store32(mark, load<u32>(mark) - MARK_REFERENCE);\n  drain(file);",
    replace: "  store32(mark, load<u32>(mark) - MARK_REFERENCE);",
  },
  {
    name: "close-ignores-references",
    kind: "locking",
    find: "!= FILE_CLOSED || hasReference(file)) return;",
    replace: "!= FILE_CLOSED) return;",
  },
  {
    name: "close-of-a-later-file",
    kind: "generation",
    find: "(state & ~FILE_POISONED) != (expected & ~FILE_POISONED))",
    replace: "(state & FILE_PHASE_MASK) != FILE_OPEN)",
  },
  {
    name: "release-ignores-calls-in-flight",
    kind: "locking",
    find: "!= FILE_DRAINING || isInUse(file)) return;",
    replace: "!= FILE_DRAINING) return;",
  },
  {
    name: "release-does-not-look-at-the-last-thread",
    kind: "bounds",
    find: `number < MAX_THREADS; number++) {
    if ((load32(markOf(`,
    replace: `number < MAX_THREADS - 1; number++) {
    if ((load32(markOf(`,
  },
  {
    name: "drain-does-not-look-at-the-last-thread",
    kind: "bounds",
    find: `number < MAX_THREADS; number++) {
    if (load32(markOf(`,
    replace: `number < MAX_THREADS - 1; number++) {
    if (load32(markOf(`,
  },
  {
    name: "release-is-claimed-blindly",
    kind: "locking",
    find: "const won = compareExchange32(stateOf(file), draining, draining - FILE_DRAINING + FILE_RELEASING) == draining;",
    replace: "store32(stateOf(file), draining - FILE_DRAINING + FILE_RELEASING);\n  const won = true;",
  },
  {
    name: "release-has-no-name",
    kind: "repair",
    find: "  if (won) store32(releaserOf(file), nameOfThread(current()));\n",
    replace: "",
  },
  {
    name: "release-is-not-announced",
    kind: "repair",
    find: "  store32(claimingOf(), <u32>file);\n  const won",
    replace: "  const won",
  },
  {
    name: "last-call-does-not-release",
    kind: "waking",
    find: `  store32(mark, load<u32>(mark) - 1);
  if (isDraining(file)) tryRelease(file);`,
    replace: "  store32(mark, load<u32>(mark) - 1);",
  },
  {
    name: "another-generation-of-the-file-is-good-too",
    kind: "generation",
    find: " && (state ^ expected) <= FILE_PHASE_MASK;",
    replace: " && ((state ^ expected) & FILE_POISONED) == 0;",
  },
  {
    name: "release-that-pauses-does-not-look-again",
    kind: "waking",
    find: "  if (isHeld(settled(entry))) return true; // whoever lets go after this sees DRAINING\n",
    replace: "  if (!isHeld(settled(entry))) return true;\n",
  },
  {
    name: "section-does-not-keep-the-file",
    kind: "locking",
    find: `  if (owner != 0 && load32(threadNamed(owner) + offsetof<Thread>("collecting")) == 0) return true;\n`,
    replace: "",
  },
  {
    name: "locks-of-a-reaper-keep-the-file",
    kind: "waking",
    find: `if (owner != 0 && load32(threadNamed(owner) + offsetof<Thread>("collecting")) == 0) return true;`,
    replace: "if (owner != 0) return true;",
  },
  {
    name: "records-of-a-poisoned-file-do-not-keep-it",
    kind: "locking",
    find: "return isPoisoned(file) && hasRecord(file);",
    replace: "return false;",
  },
  {
    name: "given-up-record-does-not-resume-the-release",
    kind: "waking",
    find: "if ((compareExchange32(stateOf(file), 0, 0) & FILE_PHASE_MASK) == FILE_DRAINING) tryRelease(file);",
    replace: "",
  },
  {
    name: "context-of-a-call-looks-up-after-the-call",
    kind: "locking",
    find: "return (expected & FILE_PHASE_MASK) != FILE_DRAINING || (load<u32>(markOf(current(), file)) & MARK_USES) != 0;",
    replace: "return true;",
  },
  {
    name: "freed-file-is-not-wiped",
    kind: "wipe",
    find: '  fillRelaxed(file + FILE_CONTEXT, offsetof<Context>("releaser")); // alloc guesses from outside whether there is a spare\n',
    replace: "",
  },
  {
    name: "marks-of-the-dead-stay",
    kind: "repair",
    find: "  if (load<u32>(markOf(current(), file)) != 0) store32(markOf(current(), file), 0);\n",
    replace: "",
  },
]);

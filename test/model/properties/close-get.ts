// SPDX-License-Identifier: GPL-2.0-only
//
// close × get: one thread closes a file, opens it again and makes the same objects anew; a second looks up an object of the first file.
//
// A lookup marks no file, so the release may overtake it: its lock may land on the new file's object, whose state word is the same to
// the bit, because a new table counts generations from 0. The lookup reads the file's state after its swap and gives such a lock back.
// With the lock in time it has the old object, and the release waits for it.
//
// An object with a kept user is leaked by the release, which must not overlook a lookup either (close-get-kept).
//
// Both forms of the lookup have to: the fast one, and the slow one alone (close-get-slowly).
//
// The two objects are told apart by their serial, which the new file begins at 0.

import { makeObject, prepare, type Prepared } from "../../../bindings/explorer/core-setup.js";
import { expect } from "../../../bindings/explorer/failure.js";
import { entryOf, expectOrder } from "../../../bindings/explorer/final-state.js";
import { call, type Calls, type Core, type Model, type Program } from "../../../bindings/explorer/model.js";
import { get, getSlowly, keepObject, make, put, resultOf, runRelease } from "../object-calls.ts";
import type { ProfileName, Property } from "../property.ts";

interface State extends Prepared {
  id: number;
  serial: number;
}

/** An object of its own for each file: the second, because the first ID was used by prepare, and has another generation. */
const OBJECTS = 2;

function model(profile: ProfileName, lookup: typeof get, isKept = false): Model<State> {
  return {
    name: "close × get",
    setup(core: Core) {
      const prepared = prepare(core, profile, 2);
      makeObject(core, prepared);
      const id = makeObject(core, prepared);
      const slot = core.u32(entryOf(core, prepared.file, id) + core.constant("ENTRY_SLOT"));
      if (isKept) keepObject(core, prepared, 1, id);
      return { ...prepared, id, serial: core.u32(slot) };
    },
    run(core, state) {
      const { file, expected, id, serial } = state;
      let reopened: Prepared | undefined;
      function* getter(): Program {
        const handle = yield* lookup(core, state, id);
        if (handle < 0) {
          expect(handle === -9 || handle === -2, `get answers ${handle}`);
          yield* runRelease(core, state, 0);
          return handle;
        }
        expect((yield call("describe", file, handle)) === 0, "a locked object cannot be looked at");
        const slot = resultOf(core, state, 0) - core.constant("SLOT_PAYLOAD");
        expect(core.u32(slot) === serial, "the lookup has locked an object of a later file");
        const result = yield* put(core, state, handle);
        expect(result === 0, `put answers ${result}`);
        yield* runRelease(core, state, 0);
        return "ok";
      }
      function* closer(): Calls<string> {
        const result = yield call("closeNumber", file, expected);
        expect(result === 0, `close answers ${result}`);
        yield* runRelease(core, state, 1);
        const again = yield call("open");
        const now = resultOf(core, state, 1);
        if (again !== file) {
          // The release waits for the getter, so this is another row.
          expect((yield call("closeNumber", again, now)) === 0, "the other file cannot be closed");
          yield* runRelease(core, state, 1);
          return "waited";
        }
        reopened = { ...state, expected: now };
        for (let expectedId = 1; expectedId <= OBJECTS; expectedId++) {
          const made = yield* make(reopened);
          expect(made === expectedId, `the new file's object is ${made}`);
        }
        return "again";
      }
      return {
        threads: [
          { name: "getter", program: getter },
          { name: "closer", program: closer },
        ],
        finish([got, closed]) {
          let now = reopened;
          if (!now) {
            const again = core.call(1, "open");
            expect(again === file, "the file is not released at the end");
            now = { ...state, expected: resultOf(core, state, 1) };
          }
          const leaked = core.u32(core.constant("COUNTERS_LEAKED"));
          expect(leaked === (isKept ? 1 : 0), `${leaked} objects have leaked`);
          const left = expectOrder(core, { ...now, slotsInAll: now.slotsInAll - leaked });
          expect(left.length === (closed === "again" ? OBJECTS : 0), `${left.length} objects are left`);
          return `get ${String(got)}, close ${closed as string}`;
        },
      };
    },
    describeAddress: (address, { describe }) => describe(address),
  };
}

export const closeGet: Property = {
  name: "close-get",
  promise: "a lookup locks nothing of a later file, and a release waits for a lookup that was in time",
  profiles: ["rfc", "mainline"],
  model: (profile) => model(profile, get),
  seconds: 5,
  twins: [
    {
      name: "get-does-not-look-at-the-file-again",
      edits: [
        {
          file: "core/lookup.ts",
          find: `  announceRecord(record, name, entry, file);
  if (compareExchange64(entry, word, next) != word) {
    withdrawRecord(record, name);
    return 0;
  }
  keepRecord(record, name, after, file, RECORD_LOCKED);
  const handle = handleIn(name);
  return load32(file + offsetof<File>("state")) == expected ? handle : handle | HANDLE_UNCONFIRMED;`,
          replace: `  announceRecord(record, name, entry, file);
  const good = load32(file + offsetof<File>("state")) == expected;
  if (compareExchange64(entry, word, next) != word) {
    withdrawRecord(record, name);
    return 0;
  }
  keepRecord(record, name, after, file, RECORD_LOCKED);
  const handle = handleIn(name);
  return good ? handle : handle | HANDLE_UNCONFIRMED;`,
        },
      ],
    },
    {
      name: "undone-lookup-does-not-ask-for-a-release",
      edits: [{ file: "core/lookup.ts", find: "  fileUnlocked(owner);", replace: "" }],
    },
  ],
};

export const closeGetSlowly: Property = {
  name: "close-get-slowly",
  promise: "the same of a lookup whose fast form has left the decision open",
  profiles: ["rfc", "mainline"],
  model: (profile) => model(profile, getSlowly),
  seconds: 5,
  twins: [
    {
      name: "slow-lookup-does-not-look-at-the-file-again",
      edits: [
        {
          file: "core/lookup.ts",
          find: `    if (!mayUse(file, expected)) {
      dropTransient(recordOf(handle));
      return refusal(file, expected);
    }`,
          replace: "",
        },
      ],
    },
  ],
};

export const closeGetKept: Property = {
  name: "close-get-kept",
  promise: "the same of an object that the release leaks, because a user of it is kept",
  profiles: ["rfc", "mainline"],
  model: (profile) => model(profile, get, true),
  seconds: 5,
  twins: [
    {
      name: "leak-ignores-locks",
      profiles: ["mainline"],
      edits: [
        {
          file: "core/release.ts",
          find: "function leak(entry: usize, word: u64): bool {\n  if (holdersOf(word) != 0) return false;",
          replace: "function leak(entry: usize, word: u64): bool {",
        },
      ],
    },
  ],
};

// SPDX-License-Identifier: GPL-2.0-only
//
// Refcount saturation and underflow: lookups and drops at an object whose count of users is one short of saturated.
//
// The model build's count has five bits and saturates at 16. Once saturated it never moves again, whoever puts or drops, and the step
// there is warned about once. And whatever races: a kept user is dropped once.

import { makeObject, prepare, type Prepared } from "../../../bindings/explorer/core-setup.js";
import { expect } from "../../../bindings/explorer/failure.js";
import { expectOrder, expectRest, look } from "../../../bindings/explorer/final-state.js";
import type { Core, Model, Program } from "../../../bindings/explorer/model.js";
import { drop, get, keepObject, lockObject, put } from "../object-calls.ts";
import type { ProfileName, Property } from "../property.ts";

const SATURATED = 16;

interface State extends Prepared {
  id: number;
  serial: number;
}

function warningsOf(core: Core): number {
  return core.u32(core.constant("COUNTERS_WARNINGS") + 4 * core.constant("WARN_SATURATED"));
}

function saturationModel(profile: ProfileName): Model<State> {
  return {
    name: "saturation",
    setup(core: Core) {
      const prepared = prepare(core, profile, 3);
      const id = makeObject(core, prepared);
      let serial = 0;
      // The table, and 13 kept: a lock makes 15, two make 16.
      for (let kept = 0; kept < SATURATED - 3; kept++) serial = keepObject(core, prepared, 0, id);
      return { ...prepared, id, serial };
    },
    run(core, state) {
      const { id, serial } = state;
      function* getter(): Program {
        const handle = yield* get(core, state, id);
        expect(handle > 0, `get answers ${handle}`);
        const result = yield* put(core, state, handle);
        expect(result === 0, `put answers ${result}`);
        return result;
      }
      return {
        threads: [
          { name: "getter A", program: getter },
          { name: "getter B", program: getter },
          { name: "dropper", program: () => drop(state, id, serial) },
        ],
        finish([, , dropped]) {
          expect(dropped === 0, `drop answers ${String(dropped)}`);
          expectRest(core, state);
          const object = look(core, state, id)!;
          expect(object.holders === 0, `${object.holders} holders are left`);
          expect(object.kept === SATURATED - 4, `${object.kept} users are kept`);
          const warnings = warningsOf(core);
          if (object.users >= SATURATED) {
            expect(object.users === SATURATED, `a saturated count moved to ${object.users}`);
            expect(warnings === 1, `${warnings} warnings of one saturation`);
            return "saturated";
          }
          expect(object.users === 1 + object.kept, `${object.users} users with ${object.kept} kept`);
          expect(warnings === 0, "a warning without saturation");
          return "counted";
        },
      };
    },
    describeAddress: (address, { describe }) => describe(address),
  };
}

export const saturation: Property = {
  name: "saturation",
  promise: "a saturated count of users never moves again, and its saturation is warned about once",
  profiles: ["rfc", "mainline"],
  seconds: 3,
  model: saturationModel,
  judge: (outcomes) =>
    outcomes.has("saturated") && outcomes.has("counted") ? undefined : "not both outcomes were seen",
  twins: [
    {
      name: "fast-path-saturates-silently",
      edits: [
        {
          file: "core/refcount.ts",
          find: "(word & (PHASE_MASK | FROZEN | DESTROYERS_MASK | TOO_MANY_HOLDERS | SATURATED)) == LIVE;",
          replace: "(word & (PHASE_MASK | FROZEN | DESTROYERS_MASK | TOO_MANY_HOLDERS)) == LIVE;",
        },
      ],
    },
    {
      name: "saturated-comes-down-again",
      edits: [{ file: "core/refcount.ts", find: "  if ((word & SATURATED) != 0) return word;\n", replace: "" }],
    },
    {
      name: "put-takes-saturated-for-counted",
      edits: [{ file: "core/lookup.ts", find: "  if (!isPlainlyLocked(word)) return PUT_SLOWLY;", replace: "" }],
    },
  ],
};

function underflowModel(profile: ProfileName): Model<State> {
  return {
    name: "underflow",
    setup(core: Core) {
      const prepared = prepare(core, profile, 3);
      const id = makeObject(core, prepared);
      const serial = keepObject(core, prepared, 0, id);
      lockObject(core, prepared, 2, id);
      return { ...prepared, id, serial };
    },
    run(core, state) {
      const { file, id, serial } = state;
      return {
        threads: [
          { name: "dropper A", program: () => drop(state, id, serial) },
          { name: "dropper B", program: () => drop(state, id, serial) },
        ],
        finish(dropped) {
          const record = state.slots[2]! + core.constant("THREAD_RECORDS");
          const handle = core.u32(record + core.constant("RECORD_FILE_KIND") + 4);
          expect(core.call(2, "put", file, handle) === 0, "the lock is not there any more");
          expectOrder(core, state);
          const users = look(core, state, id)!.users;
          expect(users === 1, `${users} users are left`);
          const text = dropped.map(Number).sort().join(" ");
          expect(text === "-22 0", `the droppers got ${text}`);
          return text;
        },
      };
    },
    describeAddress: (address, { describe }) => describe(address),
  };
}

export const underflow: Property = {
  name: "underflow",
  promise: "of two threads that drop one kept user, one is refused, and the count is right",
  profiles: ["rfc", "mainline"],
  quick: true,
  seconds: 3,
  model: underflowModel,
  twins: [
    {
      name: "drop-does-not-ask-whether-one-is-kept",
      edits: [
        {
          file: "core/kept.ts",
          find: "  if (kept == 0) {\n    endChange(entry, word);\n    return -EINVAL;\n  }\n  changeKept",
          replace: "  changeKept",
        },
      ],
    },
    {
      name: "kept-is-read-before-the-change",
      edits: [
        {
          file: "core/kept.ts",
          find: "  const word = beginChange(entry);\n  const kept = changetype<Entry>(entry).kept;\n  if (kept == 0) {",
          replace:
            "  const kept = changetype<Entry>(entry).kept;\n  const word = beginChange(entry);\n  if (kept == 0) {",
        },
        {
          file: "core/kept.ts",
          find: "  lock(tableLockOf(file), RANK_TABLE);\n  const entry = findKept(file, id, serial);\n  const result = entry == 0 ? -EINVAL : dropKept(entry, file, id);\n  unlock(tableLockOf(file), RANK_TABLE);",
          replace:
            "  const entry = findKept(file, id, serial);\n  const result = entry == 0 ? -EINVAL : dropKept(entry, file, id);",
        },
      ],
    },
  ],
};

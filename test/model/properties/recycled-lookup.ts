// SPDX-License-Identifier: GPL-2.0-only
//
// recycled slot × stale lookup: a typed lookup of an ID whose object is destroyed and made anew, as another type.
//
// Both types have slots of the same size, so the new object has the old one's ID, entry and memory. A lookup finds the old object or
// nothing: what it checks and what its swap compares are one word.

import { defineType, makeObject, prepare, type Prepared } from "../../../bindings/explorer/core-setup.js";
import { expect } from "../../../bindings/explorer/failure.js";
import { expectOrder } from "../../../bindings/explorer/final-state.js";
import { call, type Calls, type Core, type Model, type Program } from "../../../bindings/explorer/model.js";
import { destroy, make, put, resultOf } from "../object-calls.ts";
import type { ProfileName, Property } from "../property.ts";

interface State extends Prepared {
  id: number;
  other: number;
}

const OUTCOMES: Record<ProfileName, readonly string[]> = {
  rfc: ["get ok, destroy 0", "get -2, destroy 0"],
  mainline: ["get ok, destroy 0", "get ok, destroy -16", "get -2, destroy 0"],
};

function* getTyped({ file, expected, type }: Prepared, id: number): Calls<number> {
  const handle = yield call("getTyped", file, expected, id, type);
  return handle !== 0 ? handle : yield call("getSlowly", file, expected, id, type);
}

function model(profile: ProfileName): Model<State> {
  return {
    name: "recycled slot × stale lookup",
    setup(core: Core) {
      const prepared = prepare(core, profile, 2);
      const other = defineType(core, prepared.slots[0]!, 0, "U", 0, 0);
      return { ...prepared, id: makeObject(core, prepared), other };
    },
    run(core, state) {
      const { file, id, type, other } = state;
      function* getter(): Program {
        const handle = yield* getTyped(state, id);
        if (handle < 0) return handle;
        const described = yield call("describe", file, handle);
        expect(described === 0, `describe answers ${described}`);
        expect(resultOf(core, state, 0, 2) === type, "the lookup has found an object of another type");
        const result = yield* put(core, state, handle);
        expect(result === 0, `put answers ${result}`);
        return "ok";
      }
      function* recycler(): Program {
        const destroyed = yield* destroy(core, state, 1, id);
        if (destroyed !== 0) return destroyed;
        const made = yield* make(state, other);
        expect(made === id, `the new object is ${made}`);
        return destroyed;
      }
      return {
        threads: [
          { name: "getter", program: getter },
          { name: "recycler", program: recycler },
        ],
        finish([got, destroyed]) {
          const left = expectOrder(core, state);
          expect(left.join() === "1", `objects ${left.join()} are left`);
          const text = `get ${String(got)}, destroy ${String(destroyed)}`;
          expect(OUTCOMES[profile].includes(text), `the kernel never answers: ${text}`);
          return text;
        },
      };
    },
    describeAddress: (address, { describe }) => describe(address),
  };
}

export const recycledLookup: Property = {
  name: "recycled-lookup",
  promise: "a lookup never locks a later object of the ID by mistake",
  profiles: ["rfc", "mainline"],
  quick: true,
  model,
  judge(outcomes, profile) {
    const missing = OUTCOMES[profile].filter((text) => !outcomes.has(text));
    return missing.length > 0 ? `never seen: ${missing.join("; ")}` : undefined;
  },
  twins: [
    {
      name: "fast-lookup-ignores-the-type",
      edits: [
        {
          file: "core/lookup.ts",
          find: "if (!isPlainlyLocked(next) || (type != 0 && typeOf(word) != type)) return 0;",
          replace: "if (!isPlainlyLocked(next)) return 0;",
        },
      ],
    },
    {
      name: "slow-lookup-ignores-the-type",
      edits: [
        {
          file: "core/lookup.ts",
          find: " || (type != 0 && typeOf(word) != type)) return -ENOENT",
          replace: ") return -ENOENT",
        },
      ],
    },
    {
      name: "swap-compares-a-second-look",
      edits: [
        {
          file: "core/lookup.ts",
          find: `  announceRecord(record, name, entry, file);
  if (compareExchange64(entry, word, next) != word) {`,
          replace: `  announceRecord(record, name, entry, file);
  const again = loadRelaxed64(entry);
  if (compareExchange64(entry, again, again + USER + HOLDER) != again) {`,
        },
      ],
    },
  ],
};

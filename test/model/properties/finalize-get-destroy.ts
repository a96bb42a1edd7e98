// SPDX-License-Identifier: GPL-2.0-only
//
// finalize × get × destroy: one thread publishes an object, the others look it up and destroy it by the ID that they guess.
//
// Before finalize nobody finds it; from then on anybody may lock or destroy it, at once.

import { prepare, type Prepared } from "../../../bindings/explorer/core-setup.js";
import { expect } from "../../../bindings/explorer/failure.js";
import { expectOrder } from "../../../bindings/explorer/final-state.js";
import { call, type Calls, type Core, type Model, type Program } from "../../../bindings/explorer/model.js";
import { destroy, get, put } from "../object-calls.ts";
import type { ProfileName, Property } from "../property.ts";
import { ANY_PHASE_IS_LIVE } from "./broken.ts";

interface State extends Prepared {
  id: number;
  reserved: number;
}

const ALLOWED: Record<ProfileName, readonly string[]> = {
  rfc: ["get ok, destroy 0", "get ok, destroy -2", "get -2, destroy 0", "get -2, destroy -2"],
  mainline: [
    "get ok, destroy 0",
    "get ok, destroy -2",
    "get ok, destroy -16",
    "get -2, destroy 0",
    "get -2, destroy -2",
  ],
};

function model(profile: ProfileName): Model<State> {
  return {
    name: "finalize × get × destroy",
    setup(core: Core) {
      const prepared = prepare(core, profile, 3);
      const { file, expected, type } = prepared;
      return { ...prepared, id: 1, reserved: core.call(0, "alloc", file, expected, type) };
    },
    run(core, state) {
      const { file, id, reserved } = state;
      function* maker(): Calls<void> {
        const published = yield call("finalize", file, reserved);
        expect(published === id, `finalize answers ${published}`);
        const again = yield call("finalize", file, reserved);
        expect(again === -22, `a second finalize answers ${again}`);
      }
      function* getter(): Program {
        const handle = yield* get(core, state, id);
        if (handle < 0) return handle;
        const described = yield call("describe", file, handle);
        expect(described === 0, `describe answers ${described}`);
        const result = yield* put(core, state, handle);
        expect(result === 0, `put answers ${result}`);
        return "ok";
      }
      return {
        threads: [
          { name: "maker", program: maker },
          { name: "getter", program: getter },
          { name: "destroyer", program: () => destroy(core, state, 2, id) },
        ],
        finish([, got, destroyed]) {
          const left = expectOrder(core, state);
          expect(left.length === (destroyed === 0 ? 0 : 1), `${left.length} objects are left`);
          const text = `get ${String(got)}, destroy ${String(destroyed)}`;
          expect(ALLOWED[profile].includes(text), `the kernel never answers: ${text}`);
          return text;
        },
      };
    },
    describeAddress: (address, { describe }) => describe(address),
  };
}

export const finalizeGetDestroy: Property = {
  name: "finalize-get-destroy",
  promise: "nobody finds a reserved object, everybody a published one, and no lock taken right after finalize is lost",
  profiles: ["rfc", "mainline"],
  quick: true,
  model,
  judge(outcomes, profile) {
    const missing = ALLOWED[profile].filter((text) => !outcomes.has(text));
    return missing.length > 0 ? `never seen: ${missing.join("; ")}` : undefined;
  },
  twins: [
    { name: "any-phase-is-live", edits: ANY_PHASE_IS_LIVE },
    {
      name: "finalize-is-a-plain-store",
      edits: [
        {
          file: "core/object.ts",
          find: "store64(entry, withPhase(word, PHASE_LIVE));",
          replace: "store<u64>(entry, withPhase(word, PHASE_LIVE));",
        },
      ],
    },
    {
      name: "destroy-takes-a-reservation",
      edits: [
        {
          file: "core/destroy.ts",
          find: "if (phaseOf(word) != PHASE_LIVE || (",
          replace: "if (phaseOf(word) == 0 || (",
        },
        {
          file: "core/destroy.ts",
          find: "} else if (phaseOf(load64(entry)) != PHASE_LIVE && load32",
          replace: "} else if (phaseOf(load64(entry)) == 0 && load32",
        },
      ],
    },
  ],
};

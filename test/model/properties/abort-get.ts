// SPDX-License-Identifier: GPL-2.0-only
//
// abort × get: one thread undoes an allocation while others look the ID up and look at all objects.
//
// A lookup never finds it. The look at all objects may see the reservation, and then reads its slot: abort takes the ID away under the
// table lock before the slot is free.

import { prepare, type Prepared } from "../../../bindings/explorer/core-setup.js";
import { expect } from "../../../bindings/explorer/failure.js";
import { expectOrder } from "../../../bindings/explorer/final-state.js";
import { call, type Calls, type Core, type Model, type Program } from "../../../bindings/explorer/model.js";
import { get } from "../object-calls.ts";
import type { ProfileName, Property } from "../property.ts";
import { ANY_PHASE_IS_LIVE } from "./broken.ts";

interface State extends Prepared {
  id: number;
  reserved: number;
}

const OUTCOMES = ["seen", "not seen"];

function model(profile: ProfileName): Model<State> {
  return {
    name: "abort × get",
    setup(core: Core) {
      const prepared = prepare(core, profile, 3);
      const { file, expected, type } = prepared;
      return { ...prepared, id: 1, reserved: core.call(0, "alloc", file, expected, type) };
    },
    run(core, state) {
      const { file, expected, id, reserved } = state;
      function* maker(): Calls<void> {
        const result = yield call("abort", file, reserved);
        expect(result === 0, `abort answers ${result}`);
        const again = yield call("finalize", file, reserved);
        expect(again === -22, `finalize after abort answers ${again}`);
      }
      function* getter(): Calls<void> {
        const handle = yield* get(core, state, id);
        expect(handle === -2, `get answers ${handle}`);
      }
      function* looker(): Program {
        const result = yield call("inspect", file, expected, id, 0, 0);
        expect(result === 0 || result === -2, `inspect answers ${result}`);
        return result === 0 ? "seen" : "not seen";
      }
      return {
        threads: [
          { name: "maker", program: maker },
          { name: "getter", program: getter },
          { name: "looker", program: looker },
        ],
        finish([, , seen]) {
          const left = expectOrder(core, state);
          expect(left.length === 0, `${left.length} objects are left`);
          return String(seen);
        },
      };
    },
    describeAddress: (address, { describe }) => describe(address),
  };
}

export const abortGet: Property = {
  name: "abort-get",
  promise: "nobody finds what is aborted, and its ID and its memory are free afterwards, in that order",
  profiles: ["rfc", "mainline"],
  quick: true,
  model,
  judge(outcomes) {
    const missing = OUTCOMES.filter((text) => !outcomes.has(text));
    return missing.length > 0 ? `never seen: ${missing.join("; ")}` : undefined;
  },
  twins: [
    { name: "any-phase-is-live", edits: ANY_PHASE_IS_LIVE },
    {
      name: "abort-keeps-the-id",
      edits: [
        {
          file: "core/object.ts",
          find: "  store64(entry, freedWord(word));\n  xaErase(file, id);",
          replace: "  store64(entry, freedWord(word));",
        },
      ],
    },
    {
      name: "slot-is-freed-before-the-id",
      edits: [
        {
          file: "core/object.ts",
          find: "  erase(file, slot);\n  freeRecord(record);",
          replace: "  slabFree(slab, slot, hand());\n  erase(file, slot);\n  freeRecord(record);",
        },
        {
          file: "core/object.ts",
          find: "const isSpare = keepSpare(file, slot, slab);",
          replace: "const isSpare = true;",
        },
      ],
    },
  ],
};

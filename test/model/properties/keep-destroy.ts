// SPDX-License-Identifier: GPL-2.0-only
//
// keep × destroy: one thread turns its lock into a kept user and drops that, while another destroys the object.
//
// While the user is kept, destroy is EBUSY; before, in rfc, it waits for the lock. The count of kept users and the state word are two
// words that change together: whoever meets the frozen word waits for the thaw.

import { makeObject, prepare, type Prepared } from "../../../bindings/explorer/core-setup.js";
import { expect } from "../../../bindings/explorer/failure.js";
import { expectOrder } from "../../../bindings/explorer/final-state.js";
import type { Calls, Core, Model } from "../../../bindings/explorer/model.js";
import { destroy, drop, keep, lockObject } from "../object-calls.ts";
import type { ProfileName, Property } from "../property.ts";
import { CHANGE_FORGETS_DESTROYERS, CHANGE_FORGETS_THE_FROZEN, FROZEN_IS_NOT_ASKED } from "./broken.ts";

interface State extends Prepared {
  id: number;
  handle: number;
}

const ALLOWED = ["destroy 0", "destroy -16"];

function model(profile: ProfileName): Model<State> {
  return {
    name: "keep × destroy",
    setup(core: Core) {
      const prepared = prepare(core, profile, 2);
      const id = makeObject(core, prepared);
      return { ...prepared, id, handle: lockObject(core, prepared, 0, id) };
    },
    run(core, state) {
      function* keeper(): Calls<void> {
        const serial = yield* keep(core, state, 0, state.handle);
        expect(serial >= 0, `putKeepUser answers ${serial}`);
        const dropped = yield* drop(state, state.id, serial);
        expect(dropped === 0, `dropping the kept user answers ${dropped}`);
      }
      return {
        threads: [
          { name: "keeper", program: keeper },
          { name: "destroyer", program: () => destroy(core, state, 1, state.id) },
        ],
        finish([, destroyed]) {
          const left = expectOrder(core, state);
          expect(left.length === (destroyed === 0 ? 0 : 1), `${left.length} objects are left`);
          const text = `destroy ${String(destroyed)}`;
          expect(ALLOWED.includes(text), `the kernel never answers: ${text}`);
          return text;
        },
      };
    },
    describeAddress: (address, { describe }) => describe(address),
  };
}

export const keepDestroy: Property = {
  name: "keep-destroy",
  promise:
    "a kept user keeps the object until it is dropped, and a destroyer that waits learns when the lock becomes one",
  profiles: ["rfc", "mainline"],
  quick: true,
  seconds: 5,
  model,
  judge(outcomes) {
    const missing = ALLOWED.filter((text) => !outcomes.has(text));
    return missing.length > 0 ? `never seen: ${missing.join("; ")}` : undefined;
  },
  twins: [
    { name: "change-forgets-destroyers", profiles: ["rfc"], edits: CHANGE_FORGETS_DESTROYERS },
    { name: "change-forgets-who-waits-for-the-thaw", edits: CHANGE_FORGETS_THE_FROZEN },
    { name: "frozen-is-not-asked", edits: FROZEN_IS_NOT_ASKED },
    {
      name: "keep-loses-its-user",
      edits: [
        {
          file: "core/lookup.ts",
          find: "endChange(entry, word - HOLDER);",
          replace: "endChange(entry, word - HOLDER - USER);",
        },
      ],
    },
  ],
};

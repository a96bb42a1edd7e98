// SPDX-License-Identifier: GPL-2.0-only
//
// put × destroy: one thread unlocks an object while another destroys it, and a third looks at all objects.
//
// rfc: the destroyer may come first and wait; the put wakes it. mainline: it does not wait, and a lock that is still there is EBUSY.
// The third thread's look walks the table under its lock, so what it reads of the slot is never free.

import { makeObject, prepare, type Prepared } from "../../../bindings/explorer/core-setup.js";
import { expect } from "../../../bindings/explorer/failure.js";
import { expectOrder } from "../../../bindings/explorer/final-state.js";
import { call, type Calls, type Core, type Model, type Program } from "../../../bindings/explorer/model.js";
import { destroy, lockObject, put } from "../object-calls.ts";
import type { ProfileName, Property } from "../property.ts";
import {
  DESTROY_ALLOWS_A_USER,
  LAST_HOLDER_WAKES_NOBODY,
  PUT_STORES_BLINDLY,
  REMOVAL_TAKES_NO_LOCK,
} from "./broken.ts";

interface State extends Prepared {
  id: number;
  handle: number;
}

const ALLOWED: Record<ProfileName, readonly string[]> = {
  rfc: ["destroy 0, seen", "destroy 0, not seen"],
  mainline: ["destroy 0, seen", "destroy 0, not seen", "destroy -16, seen"],
};

function model(profile: ProfileName): Model<State> {
  return {
    name: "put × destroy",
    spurious: 1,
    setup(core: Core) {
      const prepared = prepare(core, profile, 3);
      const id = makeObject(core, prepared);
      return { ...prepared, id, handle: lockObject(core, prepared, 0, id) };
    },
    run(core, state) {
      function* putter(): Calls<void> {
        const result = yield* put(core, state, state.handle);
        expect(result === 0, `put answers ${result}`);
        const again = yield* put(core, state, state.handle);
        expect(again === -22, `a second put answers ${again}`);
      }
      function* looker(): Program {
        const result = yield call("inspect", state.file, state.expected, state.id, 0, 0);
        expect(result === 0 || result === -2, `inspect answers ${result}`);
        return result === 0 ? "seen" : "not seen";
      }
      return {
        threads: [
          { name: "putter", program: putter },
          { name: "destroyer", program: () => destroy(core, state, 1, state.id) },
          { name: "looker", program: looker },
        ],
        finish([, destroyed, seen]) {
          const left = expectOrder(core, state);
          expect(left.length === (destroyed === 0 ? 0 : 1), `${left.length} objects are left`);
          const text = `destroy ${String(destroyed)}, ${String(seen)}`;
          expect(ALLOWED[profile].includes(text), `the kernel never answers: ${text}`);
          return text;
        },
      };
    },
    describeAddress: (address, { describe }) => describe(address),
  };
}

export const putDestroy: Property = {
  name: "put-destroy",
  promise:
    "an unlock is never lost: the destroyer that waits for it goes on, users add up, and no slot is read after its end",
  profiles: ["rfc", "mainline"],
  quick: true,
  model,
  judge(outcomes, profile) {
    const missing = ALLOWED[profile].filter((text) => !outcomes.has(text));
    return missing.length > 0 ? `never seen: ${missing.join("; ")}` : undefined;
  },
  twins: [
    { name: "last-holder-wakes-nobody", profiles: ["rfc"], edits: LAST_HOLDER_WAKES_NOBODY },
    { name: "put-stores-blindly", profiles: ["rfc"], edits: PUT_STORES_BLINDLY },
    { name: "destroy-allows-a-user", profiles: ["mainline"], edits: DESTROY_ALLOWS_A_USER },
    { name: "removal-takes-no-lock", edits: REMOVAL_TAKES_NO_LOCK },
  ],
};

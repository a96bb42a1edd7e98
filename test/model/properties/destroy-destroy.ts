// SPDX-License-Identifier: GPL-2.0-only
//
// destroy × destroy: two threads destroy the same object, which a third unlocks meanwhile.
//
// An object goes once. rfc: whoever queues first closes it, so the other finds nothing, and the first succeeds when the lock is gone.
// mainline: each may be refused because of the lock, and at most one succeeds.

import { makeObject, prepare, type Prepared } from "../../../bindings/explorer/core-setup.js";
import { expect } from "../../../bindings/explorer/failure.js";
import { expectOrder } from "../../../bindings/explorer/final-state.js";
import type { Core, Model } from "../../../bindings/explorer/model.js";
import { destroy, lockObject, put } from "../object-calls.ts";
import type { ProfileName, Property } from "../property.ts";
import { LAST_HOLDER_WAKES_NOBODY } from "./broken.ts";

interface State extends Prepared {
  id: number;
  handle: number;
}

const ALLOWED: Record<ProfileName, readonly string[]> = {
  rfc: ["-2 0"],
  mainline: ["-16 -16", "-16 0", "-2 0"],
};

function model(profile: ProfileName): Model<State> {
  return {
    name: "destroy × destroy",
    setup(core: Core) {
      const prepared = prepare(core, profile, 3);
      const id = makeObject(core, prepared);
      return { ...prepared, id, handle: lockObject(core, prepared, 0, id) };
    },
    run(core, state) {
      return {
        threads: [
          { name: "putter", program: () => put(core, state, state.handle) },
          { name: "destroyer A", program: () => destroy(core, state, 1, state.id) },
          { name: "destroyer B", program: () => destroy(core, state, 2, state.id) },
        ],
        finish([unlocked, a, b]) {
          expect(unlocked === 0, `put answers ${String(unlocked)}`);
          const left = expectOrder(core, state);
          const text = [a as number, b as number].sort((x, y) => x - y).join(" ");
          expect(left.length === (text.includes(" 0") ? 0 : 1), `${left.length} objects are left after ${text}`);
          expect(ALLOWED[profile].includes(text), `the kernel never answers: ${text}`);
          return text;
        },
      };
    },
    describeAddress: (address, { describe }) => describe(address),
  };
}

export const destroyDestroy: Property = {
  name: "destroy-destroy",
  promise: "an object is destroyed once, by one of those who ask for it",
  profiles: ["rfc", "mainline"],
  quick: true,
  model,
  judge(outcomes, profile) {
    const missing = ALLOWED[profile].filter((text) => !outcomes.has(text));
    return missing.length > 0 ? `never seen: ${missing.join("; ")}` : undefined;
  },
  twins: [
    { name: "last-holder-wakes-nobody", profiles: ["rfc"], edits: LAST_HOLDER_WAKES_NOBODY },
    {
      name: "second-destroyer-queues-too",
      profiles: ["rfc"],
      edits: [
        {
          file: "core/destroy.ts",
          find: "(destroyersOf(word) != 0 && isRfc())) return -ENOENT",
          replace: "false) return -ENOENT",
        },
      ],
    },
  ],
};

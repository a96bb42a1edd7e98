// SPDX-License-Identifier: GPL-2.0-only
//
// Three threads at one object: get and put, keep and drop, destroy by ID and by a kept user, in every mix of three.
//
// Whatever the order, each call answers what the kernel could answer, and in the end the object is gone or its users add up.

import { makeObject, prepare, type Prepared } from "../../../bindings/explorer/core-setup.js";
import { expect } from "../../../bindings/explorer/failure.js";
import { expectOrder } from "../../../bindings/explorer/final-state.js";
import { call, type Core, type Model, type Program } from "../../../bindings/explorer/model.js";
import { destroy, destroyKept, drop, get, keep, keepObject, put } from "../object-calls.ts";
import type { ProfileName, Property } from "../property.ts";
import { CHANGE_FORGETS_THE_FROZEN, LAST_HOLDER_WAKES_NOBODY, REMOVAL_STORES_BLINDLY } from "./broken.ts";

interface State extends Prepared {
  id: number;
  serial: number;
}

type Role = "getter" | "keeper" | "destroyer" | "kept destroyer";

function model(profile: ProfileName, roles: readonly Role[]): Model<State> {
  return {
    name: roles.join(" × "),
    setup(core: Core) {
      const prepared = prepare(core, profile, roles.length);
      const id = makeObject(core, prepared);
      let serial = 0;
      for (const role of roles) if (role === "kept destroyer") serial = keepObject(core, prepared, 0, id);
      return { ...prepared, id, serial };
    },
    run(core, state) {
      const { file, id, serial } = state;
      let gone = 0;
      const programs: Record<Role, (thread: number) => Program> = {
        *getter() {
          const handle = yield* get(core, state, id);
          if (handle < 0) return handle;
          expect((yield call("describe", file, handle)) === 0, "a locked object cannot be looked at");
          expect((yield* put(core, state, handle)) === 0, "put fails");
          return "ok";
        },
        *keeper(thread) {
          const handle = yield* get(core, state, id);
          if (handle < 0) return handle;
          const kept = yield* keep(core, state, thread, handle);
          expect(kept >= 0, `putKeepUser answers ${kept}`);
          expect((yield* drop(state, id, kept)) === 0, "the kept user is gone");
          return "ok";
        },
        *destroyer(thread) {
          const result = yield* destroy(core, state, thread, id);
          if (result === 0) gone++;
          return result;
        },
        *["kept destroyer"](thread) {
          const result = yield* destroyKept(core, state, thread, id, serial);
          if (result === 0) gone++;
          return result;
        },
      };
      return {
        threads: roles.map((role, thread) => ({ name: `${role} ${thread}`, program: () => programs[role](thread) })),
        finish(results) {
          const left = expectOrder(core, state);
          expect(gone <= 1 && left.length === 1 - gone, `${gone} destroyed it, ${left.length} are left`);
          for (const [thread, role] of roles.entries()) {
            const allowed = role === "getter" || role === "keeper" ? ["ok", -2] : [0, -2, -16];
            expect(allowed.includes(results[thread] as number), `${role} gets ${String(results[thread])}`);
            if (role === "kept destroyer") expect(results[thread] !== -2, "a kept user is not found");
          }
          return roles.map((role, thread) => `${role} ${String(results[thread])}`).join(", ");
        },
      };
    },
    describeAddress: (address, { describe }) => describe(address),
  };
}

/** mainline's destroy by ID never waits, so there it takes two kept users to tell. */
const DECIDES_AT_ONE_USER_TOO_MANY = {
  name: "decides-at-one-user-too-many",
  profiles: ["rfc"],
  edits: [{ file: "core/destroy.ts", find: "    if (usersOf(word) == 2) {", replace: "    if (usersOf(word) <= 3) {" }],
} as const;

export const getKeepDestroy: Property = {
  name: "get-keep-destroy",
  promise: "a lookup, a keep and a destroy at once: users add up, and the object goes once or stays",
  profiles: ["rfc", "mainline"],
  seconds: 5, // a keep freezes the word twice, so all three may sleep for each other
  model: (profile) => model(profile, ["getter", "keeper", "destroyer"]),
  twins: [
    { name: "change-forgets-who-waits-for-the-thaw", edits: CHANGE_FORGETS_THE_FROZEN },
    { name: "last-holder-wakes-nobody", profiles: ["rfc"], edits: LAST_HOLDER_WAKES_NOBODY },
  ],
};

export const getGetDestroy: Property = {
  name: "get-get-destroy",
  promise: "two lookups and a destroy at once: the destroyer waits for both, or is refused, and is woken by the last",
  profiles: ["rfc", "mainline"],
  seconds: 5,
  model: (profile) => model(profile, ["getter", "getter", "destroyer"]),
  twins: [
    { name: "last-holder-wakes-nobody", profiles: ["rfc"], edits: LAST_HOLDER_WAKES_NOBODY },
    { name: "removal-stores-blindly", edits: REMOVAL_STORES_BLINDLY },
  ],
};

export const destroyKeptDestroy: Property = {
  name: "destroy-kept-destroy",
  promise:
    "a destroy by ID and one by a kept user, with a lookup in between: the first to decide is refused, and the object is not opened",
  profiles: ["rfc", "mainline"],
  seconds: 5, // two destroyers and the freeze of one of them: many waits
  model: (profile) => model(profile, ["getter", "destroyer", "kept destroyer"]),
  twins: [
    {
      name: "refused-destroyer-opens-the-object",
      profiles: ["rfc"],
      edits: [
        {
          file: "core/destroy.ts",
          find: "    const next = minusUser(word) - DESTROYER;",
          replace: "    const next = minusUser(word) - <u64>destroyersOf(word) * DESTROYER;",
        },
      ],
    },
    DECIDES_AT_ONE_USER_TOO_MANY,
  ],
};

export const keptDestroyTwice: Property = {
  name: "kept-destroy-twice",
  promise: "of two destroys by kept users the first is refused, the second succeeds, and a lookup delays both",
  profiles: ["rfc", "mainline"],
  seconds: 5, // two destroyers, each of which freezes the word: many waits
  model: (profile) => model(profile, ["getter", "kept destroyer", "kept destroyer"]),
  twins: [{ name: DECIDES_AT_ONE_USER_TOO_MANY.name, edits: DECIDES_AT_ONE_USER_TOO_MANY.edits }],
};

// SPDX-License-Identifier: GPL-2.0-only
//
// keep × drop × hold × get on one entry: four kinds of changes meet, two of them freeze the word.
//
// Whoever meets the frozen word sleeps until it is thawed and is woken. Afterwards the count of kept users, the notes of holds and
// the users in the word agree, whatever order it was.

import { makeObject, prepare, type Prepared } from "../../../bindings/explorer/core-setup.js";
import { expect } from "../../../bindings/explorer/failure.js";
import { expectOrder, look } from "../../../bindings/explorer/final-state.js";
import { call, type Calls, type Core, type Model, type Thread } from "../../../bindings/explorer/model.js";
import { drop, get, keep, keepObject, lockObject, put } from "../object-calls.ts";
import type { ProfileName, Property } from "../property.ts";
import { CHANGE_FORGETS_THE_FROZEN, FROZEN_IS_NOT_ASKED } from "./broken.ts";

interface State extends Prepared {
  id: number;
  serial: number;
  /** Locks of threads 0 and 2. */
  handles: number[];
  child: number;
}

type Role = "keeper" | "dropper" | "holder" | "getter";

function model(profile: ProfileName, roles: readonly Role[]): Model<State> {
  return {
    name: roles.join(" × "),
    setup(core: Core) {
      const prepared = prepare(core, profile, roles.length);
      const id = makeObject(core, prepared);
      const serial = keepObject(core, prepared, 0, id);
      const handles = roles.map((_, thread) => lockObject(core, prepared, thread, id));
      const maker = roles.indexOf("holder");
      const { file, expected, type } = prepared;
      const child = maker < 0 ? 0 : core.call(maker, "alloc", file, expected, type);
      return { ...prepared, id, serial, handles, child };
    },
    run(core, state) {
      const { file, id, serial, handles, child } = state;
      const programs: Record<Role, (thread: number) => Calls<void>> = {
        *keeper(thread) {
          expect((yield* keep(core, state, thread, handles[thread]!)) >= 0, "putKeepUser fails");
        },
        *dropper(thread) {
          expect((yield* drop(state, id, serial)) === 0, "the drop fails");
          expect((yield* put(core, state, handles[thread]!)) === 0, "put fails");
        },
        *holder(thread) {
          expect((yield call("hold", file, child, handles[thread]!)) === 0, "hold fails");
          expect((yield* put(core, state, handles[thread]!)) === 0, "put fails");
          expect((yield call("finalize", file, child)) === 2, "finalize fails");
        },
        *getter(thread) {
          expect((yield* put(core, state, handles[thread]!)) === 0, "put fails");
          const handle = yield* get(core, state, id);
          expect(handle > 0, `get answers ${handle}`);
          expect((yield* put(core, state, handle)) === 0, "put fails");
        },
      };
      const count = (role: Role): number => roles.filter((other) => other === role).length;
      return {
        threads: roles.map((role, thread): Thread => ({ name: role, program: () => programs[role](thread) })),
        finish() {
          expectOrder(core, state);
          const { users, kept } = look(core, state, id)!;
          expect(kept === 1 + count("keeper") - count("dropper"), `${kept} users are kept`);
          expect(users === 1 + kept + count("holder"), `${users} users with ${kept} kept`);
          return "agree";
        },
      };
    },
    describeAddress: (address, { describe }) => describe(address),
  };
}

const KEPT_CHANGES_AFTER_THE_THAW = {
  name: "kept-changes-after-the-thaw",
  edits: [
    {
      file: "core/lookup.ts",
      find: "  changeKept(entry, changetype<Entry>(entry).kept + 1);\n  endChange(entry, word - HOLDER);",
      replace: "  endChange(entry, word - HOLDER);\n  changeKept(entry, changetype<Entry>(entry).kept + 1);",
    },
  ],
} as const;

/** Two threads: all schedules. */
export const keepDrop: Property = {
  name: "keep-drop",
  promise: "a keep and a drop at once: kept users and users agree, and whoever meets the frozen word is woken",
  profiles: ["rfc"], // no destroyer: nothing here depends on the profile
  quick: true,
  seconds: 3,
  model: (profile) => model(profile, ["keeper", "dropper"]),
  twins: [
    { name: "change-forgets-who-waits-for-the-thaw", edits: CHANGE_FORGETS_THE_FROZEN },
    { name: "frozen-is-not-asked", edits: FROZEN_IS_NOT_ASKED },
    KEPT_CHANGES_AFTER_THE_THAW,
  ],
};

export const keepGetThaw: Property = {
  name: "keep-get",
  promise: "a keep and a lookup at once: the lookup is not lost in the frozen word, nor the keep in the lookup",
  profiles: ["rfc"],
  quick: true,
  seconds: 3,
  model: (profile) => model(profile, ["keeper", "getter"]),
  twins: [
    {
      name: "fast-paths-ignore-the-freeze",
      edits: [
        {
          file: "core/refcount.ts",
          find: "(word & (PHASE_MASK | FROZEN | DESTROYERS_MASK | TOO_MANY_HOLDERS | SATURATED)) == LIVE;",
          replace: "(word & (PHASE_MASK | DESTROYERS_MASK | TOO_MANY_HOLDERS | SATURATED)) == LIVE;",
        },
      ],
    },
    {
      name: "sleeper-leaves-no-mark",
      edits: [
        {
          file: "core/refcount.ts",
          find: "    else if ((word & WAITED) != 0 || compareExchange64(entry, word, word | WAITED) == word) {\n      wait64(entry, word | WAITED, -1);\n    }",
          replace: "    else wait64(entry, word, -1);",
        },
      ],
    },
    {
      name: "thaw-is-no-exchange",
      edits: [
        {
          file: "core/change.ts",
          find: "  if ((exchange64(entry, next) & WAITED) != 0 || wakesDestroyers(next)) notify",
          replace:
            "  const waited = (load64(entry) & WAITED) != 0;\n  exchange64(entry, next);\n  if (waited || wakesDestroyers(next)) notify",
        },
      ],
    },
  ],
};

export const changeThaw: Property = {
  name: "change-thaw",
  promise:
    "keep, drop, hold and get on one object: whoever waits for a thaw is woken, kept users, holds and users agree",
  profiles: ["rfc"],
  model: (profile) => model(profile, ["keeper", "dropper", "holder", "getter"]),
  seconds: 3, // four threads, three of which sleep in turn: all schedules are far more than 300,000, those of two preemptions too
  twins: [
    { name: "change-forgets-who-waits-for-the-thaw", edits: CHANGE_FORGETS_THE_FROZEN },
    KEPT_CHANGES_AFTER_THE_THAW,
  ],
};

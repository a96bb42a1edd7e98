// SPDX-License-Identifier: GPL-2.0-only
//
// destroy that waits × last put, with a limit of time: the wait may end by itself at any point, and is then given up.
//
// Destroyed or given up, nothing is in between: a destroy that was given up leaves the object open, with its users as before. Two holders
// unlock, so that a destroyer must also wait on.
//
// With a kept user (destroyReference) the same in both profiles: given up, the user is kept again.

import { makeObject, prepare, type Prepared } from "../../../bindings/explorer/core-setup.js";
import { expect } from "../../../bindings/explorer/failure.js";
import { expectOrder, look } from "../../../bindings/explorer/final-state.js";
import { call, type Core, type Model, type Program } from "../../../bindings/explorer/model.js";
import { keepObject, lockObject, put, resultOf } from "../object-calls.ts";
import type { ProfileName, Property } from "../property.ts";
import { LAST_HOLDER_WAKES_NOBODY } from "./broken.ts";

interface State extends Prepared {
  id: number;
  handles: number[];
  serial: number;
}

const CANCEL_KEEPS_ITS_PLACE = {
  name: "cancel-stays-in-the-queue",
  edits: [
    {
      file: "core/destroy.ts",
      find: "endChange(entry, (kept ? word : minusUser(word)) - DESTROYER);",
      replace: "endChange(entry, kept ? word : minusUser(word));",
    },
  ],
} as const;
const CANCEL_KEEPS_ITS_USER = {
  name: "cancel-keeps-its-user",
  edits: [
    {
      file: "core/destroy.ts",
      find: "endChange(entry, (kept ? word : minusUser(word)) - DESTROYER);",
      replace: "endChange(entry, word - DESTROYER);",
    },
  ],
} as const;

/** `patience`: waits that the destroyer sits through before it gives up; −1 waits without a limit. */
function waitModel(profile: ProfileName, byReference: boolean, patience: number): Model<State> {
  return {
    name: byReference ? "destroyReference that waits × last put" : "destroy that waits × last put",
    setup(core: Core) {
      const prepared = prepare(core, profile, 3);
      const id = makeObject(core, prepared);
      const serial = byReference ? keepObject(core, prepared, 2, id) : 0;
      return { ...prepared, id, handles: [0, 1].map((thread) => lockObject(core, prepared, thread, id)), serial };
    },
    run(core, state) {
      const { file, expected, id, handles, serial } = state;
      const mustWait = core.constant("MUST_WAIT");
      function* destroyer(): Program {
        let result = byReference
          ? yield call("destroyReference", file, expected, id, serial, 1)
          : yield call("destroy", file, expected, id, 1);
        for (let waits = 0; result === mustWait; waits++) {
          const handle = resultOf(core, state, 2);
          if (waits === patience) {
            const cancelled = yield call("destroyCancel", file, handle);
            expect(cancelled === 0, `destroyCancel answers ${cancelled}`);
            return "given up";
          }
          result = yield call("destroyWait", file, handle, patience < 0 ? -1 : 5);
        }
        return result;
      }
      return {
        threads: [
          { name: "putter A", program: () => put(core, state, handles[0]!) },
          { name: "putter B", program: () => put(core, state, handles[1]!) },
          { name: "destroyer", program: destroyer },
        ],
        finish([a, b, destroyed]) {
          expect(a === 0 && b === 0, "a put fails");
          const left = expectOrder(core, state);
          expect(left.length === (destroyed === 0 ? 0 : 1), `${left.length} objects are left`);
          if (destroyed === "given up") {
            const kept = look(core, state, id)!.kept;
            expect(kept === (byReference ? 1 : 0), `${kept} users are kept`);
          } else expect(destroyed === 0, `destroy answers ${String(destroyed)}`);
          return `destroy ${String(destroyed)}`;
        },
      };
    },
    describeAddress: (address, { describe }) => describe(address),
  };
}

const judge = (outcomes: ReadonlyMap<string, number>): string | undefined =>
  outcomes.has("destroy 0") && outcomes.has("destroy given up") ? undefined : "not both outcomes were seen";

export const waitPut: Property = {
  name: "wait-put",
  promise: "a destroyer that waits without a limit is woken by the last holder",
  profiles: ["rfc"],
  quick: true,
  model: (profile) => waitModel(profile, false, -1),
  twins: [
    { name: "last-holder-wakes-nobody", edits: LAST_HOLDER_WAKES_NOBODY },
    {
      name: "sleeps-on-what-it-reads-anew",
      edits: [
        {
          file: "core/destroy.ts",
          find: "    const word = ((<u64>thread.result3) << 32) | thread.result2;",
          replace: "    const word = load64(thread.result1);",
        },
      ],
    },
  ],
};

export const waitPutTimed: Property = {
  name: "wait-put-timed",
  promise: "a destroyer that gives up leaves the object open and its users as they were",
  profiles: ["rfc"],
  seconds: 3,
  model: (profile) => waitModel(profile, false, 1),
  judge,
  twins: [CANCEL_KEEPS_ITS_PLACE, CANCEL_KEEPS_ITS_USER],
};

export const waitPutKept: Property = {
  name: "wait-put-kept",
  promise: "the same for a destroyer with a kept user, which it keeps again when it gives up",
  profiles: ["rfc", "mainline"],
  seconds: 3,
  model: (profile) => waitModel(profile, true, 1),
  judge,
  twins: [
    CANCEL_KEEPS_ITS_PLACE,
    {
      name: "cancel-forgets-the-kept-user",
      edits: [
        {
          file: "core/destroy.ts",
          find: "  if (kept) changeKept(entry, changetype<Entry>(entry).kept + 1);\n",
          replace: "",
        },
      ],
    },
  ],
};

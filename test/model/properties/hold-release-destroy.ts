// SPDX-License-Identifier: GPL-2.0-only
//
// hold → release of a parent × destroy of it: one thread makes an object that holds another, publishes it and destroys it again, while a
// second destroys the held one.
//
// The hold replaces the maker's lock without a gap: from the lock on, until the holder is destroyed, the held object is there. The
// holder's memory is free only when its hold is dropped.

import { defineType, makeObject, prepare, type Prepared } from "../../../bindings/explorer/core-setup.js";
import { expect } from "../../../bindings/explorer/failure.js";
import { expectOrder } from "../../../bindings/explorer/final-state.js";
import { call, type Calls, type Core, type Model } from "../../../bindings/explorer/model.js";
import { destroy, lockObject, put } from "../object-calls.ts";
import type { ProfileName, Property } from "../property.ts";
import { CHANGE_FORGETS_THE_FROZEN } from "./broken.ts";

interface State extends Prepared {
  parent: number;
  lock: number;
  child: number;
}

const ALLOWED = ["destroy 0", "destroy -16"];

function model(profile: ProfileName): Model<State> {
  return {
    name: "hold → release × destroy",
    setup(core: Core) {
      const prepared = prepare(core, profile, 2);
      const parent = makeObject(core, prepared);
      const other = defineType(core, prepared.slots[0]!, 0, "U", 0, 0);
      const child = core.call(0, "alloc", prepared.file, prepared.expected, other);
      return { ...prepared, parent, lock: lockObject(core, prepared, 0, parent), child };
    },
    run(core, state) {
      const { file, parent, lock, child } = state;
      function* maker(): Calls<void> {
        const held = yield call("hold", file, child, lock);
        expect(held === 0, `hold answers ${held}`);
        const unlocked = yield* put(core, state, lock);
        expect(unlocked === 0, `put answers ${unlocked}`);
        const id = yield call("finalize", file, child);
        expect(id === 2, `finalize answers ${id}`);
        const destroyed = yield* destroy(core, state, 0, id);
        expect(destroyed === 0, `destroying the holder answers ${destroyed}`);
      }
      return {
        threads: [
          { name: "maker", program: maker },
          { name: "destroyer", program: () => destroy(core, state, 1, parent) },
        ],
        finish([, destroyed]) {
          const left = expectOrder(core, state);
          expect(left.join() === (destroyed === 0 ? "" : "1"), `objects ${left.join()} are left`);
          const text = `destroy ${String(destroyed)}`;
          expect(ALLOWED.includes(text), `the kernel never answers: ${text}`);
          return text;
        },
      };
    },
    describeAddress: (address, { describe }) => describe(address),
  };
}

export const holdReleaseDestroy: Property = {
  name: "hold-release-destroy",
  promise: "what an object holds is there as long as the object, and can be destroyed afterwards",
  profiles: ["rfc", "mainline"],
  seconds: 5,
  model,
  judge(outcomes) {
    const missing = ALLOWED.filter((text) => !outcomes.has(text));
    return missing.length > 0 ? `never seen: ${missing.join("; ")}` : undefined;
  },
  twins: [
    { name: "change-forgets-who-waits-for-the-thaw", edits: CHANGE_FORGETS_THE_FROZEN },
    {
      name: "hold-takes-no-user",
      edits: [
        {
          file: "core/hold.ts",
          find: "  const next = plusUser(word);\n  changeNote",
          replace: "  const next = word;\n  changeNote",
        },
      ],
    },
    {
      name: "holds-are-dropped-twice",
      edits: [
        { file: "core/hold.ts", find: "  changeNote(note, 0);\n", replace: "" },
        {
          file: "core/object.ts",
          find: "    dropHolds(slot);\n  }\n",
          replace: "    dropHolds(slot);\n    dropHolds(slot);\n  }\n",
        },
      ],
    },
    {
      name: "memory-is-freed-before-the-holds",
      edits: [
        {
          file: "core/object.ts",
          find: "    dropHolds(slot);\n  }\n  setHand(slot | HAND_MEMORY, slab);\n  slabFree(slab, slot, hand());",
          replace:
            "    setHand(slot | HAND_MEMORY, slab);\n    slabFree(slab, slot, hand());\n    dropHolds(slot);\n  }",
        },
      ],
    },
  ],
};

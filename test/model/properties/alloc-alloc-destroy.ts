// SPDX-License-Identifier: GPL-2.0-only
//
// alloc × alloc × destroy: two threads allocate while a third destroys object 1 of two.
//
// Each allocation gets the lowest ID that is free at its moment, and no two get the same: the new objects are 3 and 4, or 1 and 3 when
// the destroy came first or in between.

import { makeObject, prepare, type Prepared } from "../../../bindings/explorer/core-setup.js";
import { expect } from "../../../bindings/explorer/failure.js";
import { expectOrder } from "../../../bindings/explorer/final-state.js";
import type { Core, Model } from "../../../bindings/explorer/model.js";
import { destroy, make } from "../object-calls.ts";
import type { ProfileName, Property } from "../property.ts";

const ALLOWED = ["1 3", "3 4"];

function model(profile: ProfileName): Model<Prepared> {
  return {
    name: "alloc × alloc × destroy",
    setup(core: Core) {
      const prepared = prepare(core, profile, 3);
      makeObject(core, prepared);
      makeObject(core, prepared);
      return prepared;
    },
    run(core, state) {
      return {
        threads: [
          { name: "maker A", program: () => make(state) },
          { name: "maker B", program: () => make(state) },
          { name: "destroyer", program: () => destroy(core, state, 2, 1) },
        ],
        finish([a, b, destroyed]) {
          const made = [a as number, b as number].sort((x, y) => x - y);
          const left = expectOrder(core, state);
          const expected = [2, ...made].sort((x, y) => x - y).join(" ");
          // The new object 1 may have been made and destroyed only by somebody who asked twice, which nobody does.
          expect(destroyed === 0, `destroy answers ${String(destroyed)}`);
          expect(left.join(" ") === expected, `objects ${left.join(" ")} are left, made were ${made.join(" ")}`);
          expect(ALLOWED.includes(made.join(" ")), `allocations got ${made.join(" ")}`);
          return made.join(" ");
        },
      };
    },
    describeAddress: (address, { describe }) => describe(address),
  };
}

export const allocAllocDestroy: Property = {
  name: "alloc-alloc-destroy",
  promise: "an allocation gets the lowest free ID, no two get the same, and a destroyed ID is used again",
  profiles: ["rfc"], // nothing here depends on the profile
  model,
  seconds: 5, // all schedules are millions: three threads take two locks each; a failure here needs one switch, a lost wake-up two
  twins: [
    {
      name: "alloc-takes-no-lock",
      edits: [
        {
          file: "core/object.ts",
          find: "  lockNow(tableLockOf(file), RANK_TABLE);\n  const entry",
          replace: "  const entry",
        },
        {
          file: "core/object.ts",
          find: "  unlockNow(tableLockOf(file), RANK_TABLE);\n  if (entry < 0)",
          replace: "  if (entry < 0)",
        },
      ],
    },
    {
      name: "erase-leaves-the-id-taken",
      edits: [
        {
          file: "core/xarray.ts",
          find: "  store<u64>(word, bits & ~((<u64>1) << (id & 63)));\n",
          replace: "",
        },
      ],
    },
    {
      name: "id-is-taken-after-the-lock",
      edits: [
        {
          file: "core/object.ts",
          find: "  xaTake(file, id);\n  return <i32>entry;",
          replace: "  return <i32>entry;",
        },
        {
          file: "core/object.ts",
          find: "  if (entry < 0) return undo(file, slab, entry);\n",
          replace:
            "  if (entry < 0) return undo(file, slab, entry);\n  xaTake(file, changetype<Slot>(slotOf(entry)).id);\n",
        },
      ],
    },
  ],
};

// SPDX-License-Identifier: GPL-2.0-only
//
// Slabs: alloc × free × alloc. Two threads take and give back slots of one class, whose list is empty at first, or has two slots.
//
// A slot has one owner at a time and is zero when it is handed out, whatever its last owner left in it.

import { prepare, type Prepared } from "../../../bindings/explorer/core-setup.js";
import { expect } from "../../../bindings/explorer/failure.js";
import { expectRest, freeSlots } from "../../../bindings/explorer/final-state.js";
import { call, type Core, type Model, type Program } from "../../../bindings/explorer/model.js";
import type { Property } from "../property.ts";

/** That of hold lists. */
const CLASS = 0;
const SLOT_BYTES = 32;

interface State extends Prepared {
  hands: number[];
  first: number;
}

function model(): Model<State> {
  return {
    name: "slab",
    setup(core: Core) {
      const prepared = prepare(core, "rfc", 2);
      const hands = prepared.slots.map((slot) => slot + core.constant("THREAD_HAND"));
      const first = core.call(0, "slabAlloc", CLASS, hands[0]!);
      return { ...prepared, hands, first, slotsInAll: freeSlots(core) + 1 };
    },
    run(core, state) {
      const { hands, first } = state;
      const owned = new Set<number>();
      const taker = (thread: number, has: number) =>
        function* (): Program {
          if (has !== 0) yield call("slabFree", CLASS, has, hands[thread]!);
          for (let round = 0; round < 2; round++) {
            const slot = yield call("slabAlloc", CLASS, hands[thread]!);
            expect(slot !== 0, "no slot is left");
            expect(!owned.has(slot), "two threads own one slot");
            owned.add(slot);
            for (let at = slot; at < slot + SLOT_BYTES; at += 4) expect(core.u32(at) === 0, "a fresh slot is not zero");
            owned.delete(slot);
            yield call("slabFree", CLASS, slot, hands[thread]!);
          }
          return "done";
        };
      return {
        threads: [
          { name: "taker A", program: taker(0, first) },
          { name: "taker B", program: taker(1, 0) },
        ],
        finish() {
          expectRest(core, state);
          const free = freeSlots(core);
          expect(free === state.slotsInAll, `${free} slots are free, ${state.slotsInAll} were in all`);
          return "given back";
        },
      };
    },
    describeAddress: (address, { describe }) => describe(address),
  };
}

export const slab: Property = {
  name: "slab",
  promise: "a slot has one owner at a time, is zero when it is handed out, and none is lost",
  profiles: ["rfc"],
  seconds: 3,
  model,
  twins: [
    {
      name: "free-takes-no-lock",
      edits: [
        {
          file: "core/slab.ts",
          find: "  lock(mutex, RANK_CLASS);\n  changetype<Slot>(slot).link = slab.free;",
          replace: "  changetype<Slot>(slot).link = slab.free;",
        },
        {
          file: "core/slab.ts",
          find: "  if (MODEL_BUILD) modelFree(slot, slab.slotBytes);\n  unlock(mutex, RANK_CLASS);",
          replace: "  if (MODEL_BUILD) modelFree(slot, slab.slotBytes);",
        },
      ],
    },
    {
      name: "slot-is-not-wiped",
      edits: [
        {
          file: "core/slab.ts",
          find: "    fill(slot, 0, slab.slotBytes);\n    return slot;",
          replace: "    return slot;",
        },
      ],
    },
    {
      name: "slot-stays-on-the-list",
      edits: [{ file: "core/slab.ts", find: "    slab.free = changetype<Slot>(slot).link;\n", replace: "" }],
    },
    {
      name: "list-is-read-before-the-lock",
      edits: [
        {
          file: "core/slab.ts",
          find: "  lock(mutex, RANK_CLASS);\n  let slot: usize = slab.free;",
          replace: "  let slot: usize = slab.free;\n  lock(mutex, RANK_CLASS);",
        },
      ],
    },
  ],
};

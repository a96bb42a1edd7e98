// SPDX-License-Identifier: GPL-2.0-only
/**
 * An object's life through the hot calls: alloc + finalize + destroy, one after the other, so that the same ID and the same memory
 * come again; and the life that ends before anybody sees it: alloc + abort.
 *
 * The floor is two bare atomic Wasm calls, as for get + put, although a life has three steps.
 */
import { Iommufd, type ObjectType } from "iommufd-wasm";
import type { Bar, Bench } from "./harness/bench.ts";
import { type Candidate, alternate, fresh, ratiosOf, summaries, within } from "./harness/rounds.ts";
import { RIVALS } from "./rivals/all.ts";
import { floorPairs, loadFloor } from "./rivals/floor.ts";
import type { ObjectTable } from "./rivals/rival.ts";

const LIFE = "alloc + finalize + destroy";
const ABORTED = "alloc + abort";
const PUBLISHED = "published: ";
const RESERVED = "reserved only: ";
const FLOOR = "floor";

const BARS: readonly Bar[] = [
  {
    ratio: `${PUBLISHED}${LIFE} / ${FLOOR}`,
    limit: 8,
    kind: "most",
    text: "alloc + finalize + destroy, against two bare atomic Wasm calls",
  },
];

// The loops use their arguments only: `fresh` makes a copy for each candidate.

function lives<T>(table: ObjectTable<T>, operations: number, type: T): number {
  let sum = 0;
  for (let index = 0; index < operations; index++) {
    const id = table.finalize(table.tryAlloc(type));
    sum += id + table.tryDestroy(id);
  }
  return sum; // the ID is 1 each time, and each destroy answers 0
}

function reservations<T>(table: ObjectTable<T>, operations: number, type: T): number {
  let sum = 0;
  for (let index = 0; index < operations; index++) {
    const handle = table.tryAlloc(type);
    sum += handle > 0 ? 1 : 0;
    table.abort(handle);
  }
  return sum;
}

export default {
  title: "alloc + finalize + destroy, alloc + abort",
  async run(host) {
    const iommufd = Iommufd.createSync();
    const context = iommufd.open();
    const type = iommufd.defineObjectType({ name: "BENCH", payloadBytes: 16 });
    const floor = await loadFloor(host, 64);
    const rivals = Object.entries(RIVALS).map(([name, make]) => [name, make(16)] as const);
    const options = { operations: host.smoke ? 2000 : 100_000, rounds: host.smoke ? 3 : 41 };

    const measure = (ours: string, loopOf: () => typeof lives): Record<string, number[]> => {
      const looping = <T>(table: ObjectTable<T>, type: T): Candidate => {
        const loop = fresh(loopOf());
        return { run: (operations) => loop(table, operations, type) };
      };
      return alternate(
        {
          [ours]: looping<ObjectType>(context, type),
          ...Object.fromEntries(rivals.map(([name, table]) => [name, looping(table, 1)])),
          [FLOOR]: { run: (operations) => floorPairs(floor, operations, 0) },
        },
        options,
      );
    };
    const published = measure(LIFE, () => lives);
    const reserved = measure(ABORTED, () => reservations);
    if (context.objects().length > 0) throw new Error("an object is left");
    iommufd.detach();
    return {
      unit: "ns per object",
      candidates: { ...within(PUBLISHED, summaries(published)), ...within(RESERVED, summaries(reserved)) },
      ratios: { ...ratiosOf(published, [LIFE], PUBLISHED), ...ratiosOf(reserved, [ABORTED], RESERVED) },
      bars: BARS,
    };
  },
} satisfies Bench;

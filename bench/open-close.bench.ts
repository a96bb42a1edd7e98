// SPDX-License-Identifier: GPL-2.0-only
/**
 * open + close of a context that nobody has put anything into, and of one with a single object, whose table and memory have to be
 * given back.
 */
import { Iommufd } from "iommufd-wasm";
import type { Bench } from "./harness/bench.ts";
import { type Candidate, alternate, ratiosOf, summaries } from "./harness/rounds.ts";
import { floorPairs, loadFloor } from "./rivals/floor.ts";

const EMPTY = "open + close";
const ONE = "open + one object + close";
const FLOOR = "floor";

export default {
  title: "open + close",
  async run(host) {
    const iommufd = Iommufd.createSync();
    const type = iommufd.defineObjectType({ name: "BENCH", payloadBytes: 16 });
    const floor = await loadFloor(host, 64);
    const first = iommufd.open().fd;
    const candidates: Record<string, Candidate> = {
      [EMPTY]: {
        run(operations) {
          let sum = 0;
          for (let index = 0; index < operations; index++) {
            const context = iommufd.open();
            sum += context.fd - first;
            context.close();
          }
          return sum; // the lowest free number each time
        },
      },
      [ONE]: {
        run(operations) {
          let sum = 0;
          for (let index = 0; index < operations; index++) {
            const context = iommufd.open();
            sum += context.finalize(context.tryAlloc(type));
            context.close();
          }
          return sum; // the first ID each time
        },
      },
      [FLOOR]: { run: (operations) => floorPairs(floor, operations, 0) },
    };
    const samples = alternate(candidates, { operations: host.smoke ? 200 : 5000, rounds: host.smoke ? 3 : 31 });
    const { files, objects } = iommufd.stats();
    if (files.open !== 1 || objects.live !== 0)
      throw new Error(`${files.open} files and ${objects.live} objects are left`);
    iommufd.detach();
    return {
      unit: "ns per context",
      candidates: summaries(samples),
      ratios: ratiosOf(samples, [EMPTY, ONE]),
      bars: [],
    };
  },
} satisfies Bench;

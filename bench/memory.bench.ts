// SPDX-License-Identifier: GPL-2.0-only
/**
 * What an object costs beyond its payload, in bytes of the shared memory: its share of the ID table, of the bitmaps, of its slab.
 *
 * Counted, not timed: what the heap has given out for a million objects of 16 bytes, over their number, less the 16.
 */
import { Iommufd } from "iommufd-wasm";
import type { Bench, Result, Spread } from "./harness/bench.ts";

const PAYLOAD = 16;
const OURS = "bytes beyond the payload";

const BARS: Result["bars"] = [
  { ratio: OURS, limit: 48, kind: "most", text: "memory of an object beyond its payload, bytes" },
];

const exactly = (value: number): Spread => ({ median: value, low: value, high: value });

export default {
  title: "memory of an object",
  run(host) {
    const objects = host.smoke ? 50_000 : 1_000_000;
    const iommufd = Iommufd.createSync({ memoryBytes: host.smoke ? 2 ** 24 : 2 ** 28 });
    const type = iommufd.defineObjectType({ name: "BENCH", payloadBytes: PAYLOAD });
    const context = iommufd.open();
    const before = iommufd.stats().bytes.used;
    for (let made = 0; made < objects; made++) context.finalize(context.tryAlloc(type));
    const { bytes, objects: counted } = iommufd.stats();
    if (counted.live !== objects) throw new Error(`${counted.live} objects instead of ${objects}`);
    const each = (bytes.used - before) / objects;
    iommufd.detach();
    return Promise.resolve({
      unit: "bytes per object",
      candidates: { [OURS]: exactly(each - PAYLOAD) },
      ratios: {},
      bars: BARS,
    });
  },
} satisfies Bench;

// SPDX-License-Identifier: GPL-2.0-only
/**
 * The bytes that a page loads for the default entry: bundled, minified, compressed, as `npm run check:size` counts them. Counted in Node,
 * where the bundler is.
 */
import type { Bench, Result } from "./harness/bench.ts";
import { summary } from "./harness/rounds.ts";

const SIZE = "default entry, minified + gzip";

const BARS: Result["bars"] = [
  { ratio: SIZE, limit: 45, kind: "most", text: "default entry, minified + gzip, kB", only: "node" },
];

export default {
  title: "size",
  only: "node",
  async run({ program }) {
    if (program === undefined) return undefined;
    const { kilobytes = NaN } = await program("size");
    return { unit: "kB", candidates: { [SIZE]: summary([kilobytes]) }, ratios: {}, bars: BARS };
  },
} satisfies Bench;

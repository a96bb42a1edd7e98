// SPDX-License-Identifier: GPL-2.0-only
/**
 * What a program pays before the library does anything for it: from the import to the first answered ioctl, in fresh Node processes.
 *
 * The time is measured inside the process (bench/programs/start-up.mjs), so Node's own start is not in it; the floor is the import of
 * a module without content. Chromium has no fresh process to offer.
 */
import type { Bench, Result } from "./harness/bench.ts";
import { ratio, summary } from "./harness/rounds.ts";

const OURS = "import → first ioctl answered";
const FLOOR = "floor (import of an empty module)";

const BARS: Result["bars"] = [
  { ratio: OURS, limit: 15, kind: "most", text: "cold import to the first ioctl, ms", only: "node" },
];

export default {
  title: "start-up",
  only: "node",
  async run({ program, smoke }) {
    if (program === undefined) return undefined;
    const ours: number[] = [];
    const floor: number[] = [];
    for (let sample = 0; sample < (smoke ? 2 : 20); sample++) {
      const { milliseconds = NaN, empty = NaN, result } = await program("start-up");
      if (result !== -2) throw new Error(`the first ioctl answered ${result}`);
      ours.push(milliseconds);
      floor.push(empty);
    }
    return {
      unit: "ms",
      candidates: { [OURS]: summary(ours), [FLOOR]: summary(floor) },
      ratios: { [`${OURS} / ${FLOOR}`]: ratio(ours, floor) },
      bars: BARS,
    };
  },
} satisfies Bench;

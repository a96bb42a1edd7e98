// SPDX-License-Identifier: GPL-2.0-only
//
// The benches work: a few rounds of each run to the end, with their results asserted by the benches themselves. Nothing
// here looks at a time.

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

interface Figure {
  median: number;
  low: number;
  high: number;
}
interface Result {
  figures: Record<string, Figure>;
  bars: Record<string, number>;
}

test("every bench runs and reports a median within its spread", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ["bench/index.mjs", "--smoke", "--json"], {
    cwd: ROOT,
  });
  const { results } = JSON.parse(stdout) as { results: Record<string, Result> };
  expect(Object.keys(results)).toEqual(["get + put", "attach"]);
  for (const { figures, bars } of Object.values(results)) {
    expect(Object.keys(bars).length).toBeGreaterThan(0);
    for (const { median, low, high } of Object.values(figures)) {
      expect(low).toBeGreaterThan(0);
      expect(median).toBeGreaterThanOrEqual(low);
      expect(high).toBeGreaterThanOrEqual(median);
    }
  }
});

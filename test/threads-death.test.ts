// SPDX-License-Identifier: GPL-2.0-only
//
// Threads that die without a goodbye: the rest goes on, and nothing of theirs is lost. One thread's death in detail: threads-reap.test.ts.

import { expect, test } from "vitest";
import { ABIS } from "./support/boot.ts";
import { runKills } from "./support/kills.ts";

test("50 workers that are killed at work leave nothing behind, and four in five die inside a call", async () => {
  const counts = { kills: 0, inside: 0 };
  for (const abi of ABIS) {
    const { kills, inside } = await runKills({ abi, kills: 25, threads: 10, seed: 20220318 });
    counts.kills += kills;
    counts.inside += inside;
  }
  expect(counts.kills).toBeGreaterThanOrEqual(50);
  expect(counts.inside / counts.kills).toBeGreaterThanOrEqual(0.8);
});

// SPDX-License-Identifier: GPL-2.0-only
//
// Threads that die without a goodbye: the rest goes on, and nothing of theirs is lost. One thread's death in detail: node/reap.test.ts.

import { describe, expect, test } from "vitest";
import { ABIS } from "./support/boot.ts";
import { runKills } from "./support/kills.ts";

describe.each(ABIS)("%s", (abi) => {
  test("25 workers that are killed at work leave nothing behind", async () => {
    const result = await runKills({ abi, kills: 25, threads: 10, seed: 20220318 });
    expect(result.kills).toBeGreaterThanOrEqual(25);
    // Of a thousand four in five have to (test:stress); of 25 chance takes its share.
    expect(result.inside / result.kills).toBeGreaterThanOrEqual(0.6);
  });
});

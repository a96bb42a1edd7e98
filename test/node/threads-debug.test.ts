// SPDX-License-Identifier: GPL-2.0-only
//
// The storm against the core with assertions: a broken invariant or a lock out of order stops the thread, and so the test.

import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { ABIS } from "../support/boot.ts";
import { runStorm } from "../support/storm.ts";

const SEED = 20231123;

test.each(ABIS)("%s: no storm breaks an invariant that the core asserts", async (abi) => {
  const module = await WebAssembly.compile(await readFile(new URL("../../build/core.debug.wasm", import.meta.url)));
  const [threads, operations, rounds] = [4, 4000, 4];
  const tally = await runStorm({ module, abi, threads, operations, rounds, seed: SEED });
  expect(tally.steps).toBe(threads * operations * rounds);
});

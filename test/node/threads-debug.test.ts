// SPDX-License-Identifier: GPL-2.0-only
//
// The core with assertions, under the storm and in a reaper's hands: a broken invariant or a lock out of order stops the thread,
// and so the test.

import { readFile } from "node:fs/promises";
import type { ReapReport } from "iommufd-wasm";
import { expect, test } from "vitest";
import { ABIS, boot } from "../support/boot.ts";
import { Board } from "../support/lab-board.js";
import { runStorm } from "../support/storm.ts";
import { startThread } from "../support/thread.ts";

const SEED = 20231123;
const module = await WebAssembly.compile(await readFile(new URL("../../build/core.debug.wasm", import.meta.url)));

test.each(ABIS)("%s: a dead thread's reservations are given back without letting go of its locks", async (abi) => {
  const { iommufd } = await boot({ abi, module });
  const type = iommufd.defineObjectType({ name: "T", payloadBytes: 8 });
  const context = iommufd.open();
  const thread = await startThread("member.js");
  const call = (task: string, args: object): Promise<unknown> => {
    thread.post({ task, args });
    return thread.next();
  };
  await call("attach", { share: iommufd.share, number: 1, buffer: new Board().buffer });
  await call("type", { name: "T" });
  for (let count = 1; count <= 3; count++) expect(await call("reserve", { fd: context.fd, type: "T" })).toBe(count);
  const reaped = new Promise<ReapReport>((onReaped) => iommufd.watch(thread.worker, { onReaped }));
  await thread.terminate();
  expect(await reaped).toMatchObject({ reserved: 3 });
  expect(context.alloc(type).id).toBe(1);
});

test.each(ABIS)("%s: no storm breaks an invariant that the core asserts", async (abi) => {
  const [threads, operations, rounds] = [4, 4000, 4];
  const tally = await runStorm({ module, abi, threads, operations, rounds, seed: SEED });
  expect(tally.steps).toBe(threads * operations * rounds);
});

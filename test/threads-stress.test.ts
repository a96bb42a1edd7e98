// SPDX-License-Identifier: GPL-2.0-only
//
// Everything at once: seeded random calls of several threads, round after round, with books that must be even after each.

import { expect, test } from "vitest";
import { ABIS } from "./support/boot.ts";
import { runStorm } from "./support/storm.ts";

const SEED = 20220318;

test.each(ABIS)("%s: after a storm nothing is left, lost or done twice, and it took no memory", async (abi) => {
  const [threads, operations, rounds] = [4, 5000, 6];
  const tally = await runStorm({ abi, threads, operations, rounds, seed: SEED });
  expect(tally.steps).toBe(threads * operations * rounds);
  // With these many calls each kind of answer comes up.
  for (const key of [
    ...["finalize done", "abort done", "get done", "get ENOENT", "get held done", "hold done", "put done"],
    ...["drop done", "destroyUser done", "destroy done", "destroy ENOENT", "destroy EBUSY", "destroy ENOSYS"],
    ...["open done", "fget done", "fget EBADF", "close done", "map done", "unmap done", "ioctl done", "define done"],
  ]) {
    expect(tally[key], key).toBeGreaterThan(0);
  }
});

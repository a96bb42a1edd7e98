// SPDX-License-Identifier: GPL-2.0-only
//
// Everything at once: seeded random calls of several threads, round after round, with books that must be even after each.

import { expect, test } from "vitest";
import { ABIS } from "./support/boot.ts";
import { runSpaceStorm } from "./support/space-storm.ts";
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

test("mainline: after a storm on address spaces each page that was mapped is there or was unmapped, once", async () => {
  const [threads, operations, rounds] = [4, 3000, 3];
  const tally = await runSpaceStorm({ threads, operations, rounds, seed: SEED });
  expect(tally.steps).toBe(threads * operations * rounds);
  for (const key of [
    ...[
      "map done",
      "map EEXIST",
      "map ENOENT",
      "copy done",
      "copy EEXIST",
      "copy ENOENT",
      "unmap done",
      "unmap ENOENT",
    ],
    ...["alloc done", "destroy done", "destroy ENOENT", "allow done", "allow ENOENT"],
  ]) {
    expect(tally[key], key).toBeGreaterThan(0);
  }
});

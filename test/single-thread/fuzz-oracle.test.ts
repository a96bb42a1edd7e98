// SPDX-License-Identifier: GPL-2.0-only
//
// A short run of test/fuzz with fixed seeds: the library against the reference implementation, and against hostile numbers.
// `npm run test:fuzz` is the long run with other seeds.

import { describe, expect, test } from "vitest";
import { callHostilely } from "../fuzz/hostile.ts";
import { fuzzIoctls } from "../fuzz/ioctl-inputs.ts";
import { type Mismatch, runBatch } from "../fuzz/oracle.ts";
import { ABIS } from "../support/boot.ts";

const SEED = 20220318;
const SEQUENCES = 12;
const LENGTH = 2000;
const INPUTS = 600;
const CALLS = 10_000;

describe.each(ABIS)("%s", (abi) => {
  test("random sequences of calls are answered as the reference answers them", async () => {
    let calls = 0;
    const kinds = new Set<string>();
    const differing: [seed: number, mismatch: Mismatch][] = [];
    for (let seed = SEED; seed < SEED + SEQUENCES; seed++) {
      const batch = await runBatch(seed, abi, LENGTH);
      calls += batch.calls;
      for (const kind of batch.tally.keys()) kinds.add(kind);
      if (batch.mismatch !== undefined) differing.push([seed, batch.mismatch]);
    }
    // npm run test:fuzz -- --abi … --batch SEED shrinks it
    expect(differing).toEqual([]);
    expect(calls).toBeGreaterThan(SEQUENCES * LENGTH);
    // Not chance: with these many calls each of these comes up.
    expect([...kinds]).toEqual(
      expect.arrayContaining([
        ...["finalize done", "abort done", "get done", "get ENOENT", "put done", "put EINVAL", "hold done"],
        ...["tryDestroy done", "tryDestroy EBUSY", "tryDestroy ENOENT", "tryDestroy ENOSYS", "destroyUser done"],
        ...["drop done", "drop EBADF", "dropUser EINVAL", "detach done", "open done", "fget EBADF", "close done"],
        ...["ioctl done", "ioctl EFAULT", "ioctl ENOTTY", "map done", "protect ENOMEM", "unmap done", "memory done"],
      ]),
    );
  });

  test("ioctls with nearly good structs at nearly good places are answered as the reference answers them", () => {
    const { failure, inputs } = fuzzIoctls(abi, { seed: SEED, runs: INPUTS });
    expect(failure).toBeUndefined();
    expect(inputs).toBe(INPUTS);
  });

  test("arbitrary numbers past the bindings neither trap nor change anything", async () => {
    const { failure, calls } = await callHostilely(abi, SEED, CALLS);
    expect(failure).toBeUndefined();
    expect(calls).toBe(CALLS);
  });
});

// SPDX-License-Identifier: GPL-2.0-only
//
// Every allocation and every user copy fails once: the error is right, nothing is half done, nothing is left. The whole
// sweep is `npm run test:failures`; here are all operations, and of each recorded scenario some calls and some attempts.

import { describe, expect, test } from "vitest";
import { ALL_OPERATIONS } from "../failure-sweep/all-operations.ts";
import { sweepOperation } from "../failure-sweep/operation-sweep.ts";
import { loadRecording, oneCallOf, sweepRecords, sweepScenario } from "../failure-sweep/recording-sweep.ts";
import { ABIS } from "../support/boot.ts";
import { compileCoreBuild } from "../support/core-build.ts";
import { Random } from "../support/random.ts";
import { loadVector } from "../support/vectors.ts";

const faulty = await compileCoreBuild("faults");

describe.each(ABIS)("%s, with each attempt failing in turn", (abi) => {
  const operations = ALL_OPERATIONS.filter(({ abis }) => abis?.includes(abi) ?? true);
  test.each(operations.map((operation) => [operation.name, operation] as const))("%s", async (_, operation) => {
    const { attempts, errors, findings } = await sweepOperation(operation, abi, faulty);
    expect(findings).toEqual([]);
    expect(errors).toEqual(operation.errors);
    expect(attempts > 0).toBe(operation.errors.length > 0);
  });
});

describe.each([
  { name: "rfc-pure", calls: 3, every: 1 },
  { name: "rfc-core", calls: 12, every: 4 },
] as const)("$name", ({ name, calls, every }) => {
  const loaded = loadVector(name).then(loadRecording);

  test(`one call in ${calls} fails at its attempts in turn, and all answers stay the kernel's`, async () => {
    const { faults, findings } = await sweepRecords(await loaded, faulty, oneCallOf(calls));
    expect(findings).toEqual([]);
    expect(faults).toBeGreaterThan(3000);
  });

  test("some short scenarios from a fresh machine, with attempts that a seed picks", async () => {
    const recording = await loaded;
    const random = new Random(1);
    const all = [...recording.scenarios].filter(([, records]) => records.length <= 30).map(([scenario]) => scenario);
    const short = all.filter((_, index) => index % every === 0);
    let failures = 0;
    for (const scenario of short) {
      const pick = (attempts: number): number[] => (attempts === 0 ? [] : [1 + random.below(attempts), attempts]);
      const { faults, findings } = await sweepScenario(recording, scenario, faulty, pick);
      expect(findings, `seed ${random.seed}`).toEqual([]);
      failures += faults;
    }
    expect(failures).toBeGreaterThan(short.length);
  });
});

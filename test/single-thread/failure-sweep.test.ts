// SPDX-License-Identifier: GPL-2.0-only
//
// Every allocation and every user copy fails once: the error is right, nothing is half done, nothing is left. The whole
// sweep is `npm run test:failures`; here are all operations, and the recordings with each attempt of each record.

import { describe, expect, test } from "vitest";
import { sweepOperation } from "../failure-sweep/operation-sweep.ts";
import { MEMORY_OPERATIONS } from "../failure-sweep/operations-memory.ts";
import { FILE_OPERATIONS, OBJECT_OPERATIONS } from "../failure-sweep/operations.ts";
import { ABIS } from "../support/boot.ts";
import { compileCoreBuild } from "../support/core-build.ts";

const OPERATIONS = [...OBJECT_OPERATIONS, ...FILE_OPERATIONS, ...MEMORY_OPERATIONS];
const faulty = await compileCoreBuild("faults");

describe.each(ABIS)("%s, with each attempt failing in turn", (abi) => {
  test.each(OPERATIONS.map((operation) => [operation.name, operation] as const))("%s", async (_, operation) => {
    const { attempts, errors, findings } = await sweepOperation(operation, abi, faulty);
    expect(findings).toEqual([]);
    expect(errors).toEqual(operation.errors);
    expect(attempts > 0).toBe(operation.errors.length > 0);
  });
});

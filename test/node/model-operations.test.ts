// SPDX-License-Identifier: GPL-2.0-only
//
// The core and the explorer number the operations alike: a number that means something else there would be explored as that,
// and what it orders would be lost without a word.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import * as operation from "../../bindings/explorer/operation.js";

const here = import.meta.url;
const source = readFileSync(new URL("../../assembly/core/atomics.ts", here), "utf8");

test("every kind that atomics.ts reports has the same number in operation.ts", () => {
  const reported = [...source.matchAll(/^const ([A-Z0-9_]+): u32 = (\d+);$/gm)].map(([, name = "", n]) => [
    name,
    Number(n),
  ]);
  expect(reported.length).toBeGreaterThan(15);
  const known = operation as unknown as Record<string, unknown>;
  expect(reported.map(([name = ""]) => [name, known[name]])).toEqual(reported);
});

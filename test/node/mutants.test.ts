// SPDX-License-Identifier: GPL-2.0-only
//
// The lists of test/mutants do not rot: each fault still has its one place in the core, and its own name.

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { MUTANTS } from "../mutants/mutants/index.ts";

const CORE = fileURLToPath(new URL("../../assembly/core/", import.meta.url));

test("each mutant changes exactly one place of the core", async () => {
  const misfits: string[] = [];
  for (const { name, file, find, replace } of MUTANTS) {
    const text = await readFile(CORE + file, "utf8");
    const places = text.split(find).length - 1;
    if (places !== 1 || find === replace) misfits.push(`${name}: ${places} places in ${file}`);
  }
  expect(misfits).toEqual([]);
});

test("there are at least 60 mutants, each with a name of its own", () => {
  expect(MUTANTS.length).toBeGreaterThanOrEqual(60);
  expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
});

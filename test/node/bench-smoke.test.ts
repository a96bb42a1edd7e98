// SPDX-License-Identifier: GPL-2.0-only
//
// The benches work, in both hosts: a few rounds of each run to the end, with their results asserted by the benches themselves. Here is
// asked whether every operation and every rival is in the report. Nothing looks at a time.

import { execFile } from "node:child_process";
import { readFile, readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import type { Spread } from "../../bench/harness/bench.ts";
import { groupsOf } from "../../bench/harness/groups.ts";
import { READMES, generateReadme } from "../../bench/harness/readme.ts";
import type { Results } from "../../bench/harness/results.ts";
import { RIVALS } from "../../bench/rivals/all.ts";
import { findChromium } from "../support/browser.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const BENCH_FILE = /^(.*)\.bench\.ts$/;
const names = (await readdir(`${ROOT}bench`)).flatMap((file) => BENCH_FILE.exec(file)?.[1] ?? []);
/** Benches in which every rival of bench/rivals/all.ts stands in for ours, and the floor beside them. */
const AGAINST_ALL = ["get-put", "alloc-destroy", "ioctl"];

async function smoke(...args: string[]): Promise<Results> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["test/support/run.mjs", "bench/index.ts", "--smoke", "--json", ...args],
    { cwd: ROOT, maxBuffer: 2 ** 26 },
  );
  return JSON.parse(stdout) as Results;
}

function expectSpread({ median, low, high }: Spread): void {
  expect(low).toBeGreaterThanOrEqual(0);
  expect(median).toBeGreaterThanOrEqual(low);
  expect(high).toBeGreaterThanOrEqual(median);
  expect(Number.isFinite(high)).toBe(true);
}

describe.each(["node", "chromium"] as const)("npm run bench -- --smoke in %s", (host) => {
  test.skipIf(host === "chromium" && findChromium() === undefined)("runs every bench against every rival", async () => {
    const results = await smoke(...(host === "chromium" ? ["--chromium"] : []));
    expect(results).toMatchObject({ host, smoke: true });
    expect(results.machine).toMatch(host === "node" ? /cores, .* Node / : /cores, .* Chromium /);
    // A bench that needs modules of Node gives no result in a page, and the native rivals none without their compilers.
    const mayMiss = (name: string): boolean => host === "chromium" || name === "native" || name === "map-unmap-native";
    const expected = names.filter((name) => name in results.benches || !mayMiss(name));
    expect(Object.keys(results.benches).sort()).toEqual(expected.sort());
    for (const [name, bench] of Object.entries(results.benches)) {
      expect(bench.title, name).not.toBe("");
      expect(Object.keys(bench.candidates).length, name).toBeGreaterThan(0);
      for (const spread of [...Object.values(bench.candidates), ...Object.values(bench.ratios)]) expectSpread(spread);
      for (const { ratio, only } of bench.bars) {
        if (only === undefined || only === host)
          expect([...Object.keys(bench.ratios), ...Object.keys(bench.candidates)]).toContain(ratio);
      }
    }
    for (const name of AGAINST_ALL) {
      const bench = results.benches[name];
      expect(bench, name).toBeDefined();
      for (const { situation, members } of bench ? groupsOf(bench) : []) {
        const present = members.map((member) => member.name);
        expect(present, situation).toEqual(expect.arrayContaining(Object.keys(RIVALS)));
        expect(present.some((each) => each.startsWith("floor"))).toBe(true);
      }
    }
  });
});

test("the README's figures are those of bench/results", async () => {
  for (const path of READMES) expect(await readFile(`${ROOT}${path}`, "utf8")).toBe(await generateReadme(path));
});

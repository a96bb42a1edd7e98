// SPDX-License-Identifier: GPL-2.0-only
//
// `npm test`: builds the package, checks it, runs the suite in every host, then the packed package and the newest
// compiler's core.
//
// A failed step does not hide the others; only without a build there is nothing to go on with. The last line is always
// `N passed, N failed`, the sum over all test runs of the suite; a step that fails without a failed test in it (a check, a
// missing browser, a file that cannot be imported) counts as one failure.
//
// `check:layout` runs before the build, because the build writes the generated files that it compares.

import { spawnSync } from "node:child_process";
import { mkdir, readFile, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { requireChromium } from "../support/browser.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const RESULTS = "build/test-results";
const LONGEST_STEP_MS = 20 * 60 * 1000;

const script = (name) => ({ name, command: ["npm", "run", "--silent", name] });
const suite = (project) => {
  const json = `${RESULTS}/${project}.json`;
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${json}`];
  return {
    name: `suite in ${project}`,
    command: [process.execPath, "node_modules/vitest/vitest.mjs", "run", "--project", project, ...reporters],
    json,
  };
};

const STEPS = [
  script("check:layout"),
  { ...script("build"), isFatal: true },
  script("check"),
  suite("node"),
  suite("chromium"),
  suite("chromium-plain"),
  { name: "quick part of test:model", command: ["npm", "run", "--silent", "test:model", "--", "--quick"] },
  script("test:package"),
  script("check:asc-next"),
];

let passed = 0;
let failed = 0;
const summary = [];
await rm(`${ROOT}${RESULTS}`, { recursive: true, force: true });
await mkdir(`${ROOT}${RESULTS}`, { recursive: true });
for (const step of STEPS) {
  console.log(`\n=== ${step.name}`);
  const begin = performance.now();
  const { status, signal, error } = spawnSync(step.command[0], step.command.slice(1), {
    cwd: ROOT,
    stdio: "inherit",
    timeout: LONGEST_STEP_MS,
  });
  const good = status === 0;
  const tests = step.json ? await readResults(step.json) : { passed: 0, failed: 0, skipped: 0 };
  passed += tests.passed;
  failed += good ? tests.failed : Math.max(tests.failed, 1);
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  const reason = good ? "" : ` (${error?.message ?? signal ?? `exit status ${status}`})`;
  const counts = step.json ? `: ${tests.passed} passed, ${tests.failed} failed, ${tests.skipped} skipped` : "";
  summary.push(`${good ? "ok  " : "FAIL"} ${step.name}${counts}, ${seconds} s${reason}`);
  if (!good && step.isFatal) break;
}
try {
  requireChromium();
} catch (error) {
  summary.push(error.message);
}
console.log(`\n${summary.join("\n")}\n`);
process.exitCode = failed > 0 ? 1 : 0;
console.log(`${passed} passed, ${failed} failed`);

async function readResults(json) {
  const text = await readFile(`${ROOT}${json}`, "utf8").catch(() => undefined);
  if (text === undefined) return { passed: 0, failed: 0, skipped: 0 };
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = JSON.parse(text);
  return { passed: numPassedTests, failed: numFailedTests, skipped: numPendingTests + numTodoTests };
}

// SPDX-License-Identifier: GPL-2.0-only
//
// `npm test`: builds the package, checks it, runs the suite in every host, then the packed package and the newest
// compiler's core.
//
// After the build there are two lanes of steps, side by side, because hardly a step keeps two cores busy; a step's output is
// printed as a whole when it ends. Steps that look at the tree and steps that copy it or put files into it for a moment are in
// one lane, so they never meet.
//
// A failed step does not hide the others; only without a build there is nothing to go on with. The last line is always
// `N passed, N failed`, the sum over all test runs of the suite; a step that fails without a failed test in it (a check, a
// missing browser, a file that cannot be imported) counts as one failure.
//
// `check:layout` runs before the build, because the build writes the generated files that it compares.

import { spawn } from "node:child_process";
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

const FIRST = [script("check:layout"), script("build")];
const LANES = [
  [script("check"), script("test:package"), suite("node"), suite("chromium-plain"), script("check:asc-next")],
  [
    suite("pages"),
    suite("chromium"),
    { name: "quick part of test:model", command: ["npm", "run", "--silent", "test:model", "--", "--quick"] },
  ],
];

let passed = 0;
let failed = 0;
const summary = [];
await rm(`${ROOT}${RESULTS}`, { recursive: true, force: true });
await mkdir(`${ROOT}${RESULTS}`, { recursive: true });
let isBuilt = false;
for (const step of FIRST) isBuilt = await take(step);
if (isBuilt) await Promise.all(LANES.map(takeAll));
try {
  requireChromium();
} catch (error) {
  summary.push(error.message);
}
console.log(`\n${summary.join("\n")}\n`);
process.exitCode = failed > 0 ? 1 : 0;
console.log(`${passed} passed, ${failed} failed`);

async function takeAll(lane) {
  for (const step of lane) await take(step);
}

/** Runs a step, prints what it says, and counts. Return: whether it went well. */
async function take(step) {
  const begin = performance.now();
  const { output, reason } = await finished(step.command);
  process.stdout.write(`\n=== ${step.name}\n${output}`);
  const isGood = reason === "";
  const tests = step.json ? await readResults(step.json) : { passed: 0, failed: 0, skipped: 0 };
  passed += tests.passed;
  failed += isGood ? tests.failed : Math.max(tests.failed, 1);
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  const counts = step.json ? `: ${tests.passed} passed, ${tests.failed} failed, ${tests.skipped} skipped` : "";
  summary.push(`${isGood ? "ok  " : "FAIL"} ${step.name}${counts}, ${seconds} s${isGood ? "" : ` (${reason})`}`);
  return isGood;
}

/** Return: all that the command printed, and why it counts as failed; "" when it does not. */
function finished([file, ...args]) {
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "pipe"],
      timeout: LONGEST_STEP_MS,
    });
    const chunks = [];
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => chunks.push(chunk));
    const end = (reason) => resolve({ output: Buffer.concat(chunks).toString(), reason });
    child.on("error", (error) => end(error.message));
    child.on("close", (status, signal) => end(status === 0 ? "" : (signal ?? `exit status ${status}`)));
  });
}

async function readResults(json) {
  const text = await readFile(`${ROOT}${json}`, "utf8").catch(() => undefined);
  if (text === undefined) return { passed: 0, failed: 0, skipped: 0 };
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = JSON.parse(text);
  return { passed: numPassedTests, failed: numFailedTests, skipped: numPendingTests + numTodoTests };
}

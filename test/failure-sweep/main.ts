// SPDX-License-Identifier: GPL-2.0-only
//
// `npm run test:failures`: the whole failure sweep, with its counts, and build/proof/failures.json.
//
//   main.ts [--all] [--seed N] [--scenario NAME]
//
// Every operation with each of its attempts; every call of every recorded scenario with each of its attempts; and every
// scenario from a fresh machine with its n-th attempt, for the first 40 n and 40 more that the seed picks, or for all with
// --all. A finding is printed with the scenario and the attempt that show it again; exit status 1.

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { gunzipSync } from "node:zlib";
import { Random } from "../support/random.ts";
import { sweepOperation } from "./operation-sweep.ts";
import { MEMORY_OPERATIONS } from "./operations-memory.ts";
import { FILE_OPERATIONS, OBJECT_OPERATIONS } from "./operations.ts";
import { loadRecording, sweepRecords, sweepScenario } from "./recording-sweep.ts";

const ROOT = new URL("../../", import.meta.url);
const FIRST = 40;
const SAMPLED = 40;

const { values } = parseArgs({
  options: { all: { type: "boolean" }, seed: { type: "string" }, scenario: { type: "string" } },
});
const random = new Random(Number(values.seed ?? 1));
const faulty = await WebAssembly.compile(await readFile(new URL("build/core.faults.wasm", ROOT)));
const began = performance.now();
const findings: string[] = [];
let scenarios = 0;
let faults = 0;
console.log(`seed ${random.seed}`);

if (values.scenario === undefined) {
  for (const abi of ["rfc", "mainline"] as const) {
    for (const operation of [...OBJECT_OPERATIONS, ...FILE_OPERATIONS, ...MEMORY_OPERATIONS]) {
      const result = await sweepOperation(operation, abi, faulty);
      take(`${abi}, ${operation.name}`, result.attempts, result.findings);
    }
  }
  report("operations");
}
for (const name of ["rfc-pure", "rfc-core"]) {
  const recording = await loadRecording(gunzipSync(await readFile(new URL(`test/vectors/${name}.jsonl.gz`, ROOT))));
  if (values.scenario === undefined) {
    const calls = await sweepRecords(recording, faulty);
    take(`${name}, each call`, calls.faults, calls.findings);
    report(`${name}, each attempt of each call`);
  }
  for (const scenario of recording.scenarios.keys()) {
    if (values.scenario !== undefined && values.scenario !== scenario) continue;
    const result = await sweepScenario(recording, scenario, faulty, values.all ? all : sampled);
    take(name, result.faults, result.findings);
    scenarios++;
  }
  report(`${name}, scenarios from a fresh machine`);
}

const seconds = Math.round((performance.now() - began) / 100) / 10;
await mkdir(new URL("build/proof/", ROOT), { recursive: true });
const proof = { scenarios, faults, seconds, seed: random.seed, findings: findings.length };
await writeFile(new URL("build/proof/failures.json", ROOT), `${JSON.stringify(proof, undefined, 2)}\n`);
for (const finding of findings.slice(0, 20)) console.error(finding);
console.log(`${faults} failures in ${scenarios} scenarios, ${findings.length} findings, ${seconds} s`);
process.exitCode = findings.length > 0 ? 1 : 0;

function take(where: string, count: number, found: readonly string[]): void {
  faults += count;
  findings.push(...found.map((finding) => `${where}: ${finding}`));
}

function report(what: string): void {
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(`${what}: ${faults} failures so far, ${findings.length} findings, ${seconds} s`);
}

function all(attempts: number): number[] {
  return Array.from({ length: attempts }, (_, index) => index + 1);
}

/** The first ones, and some of the others. */
function sampled(attempts: number): Set<number> {
  const chosen = new Set(all(Math.min(FIRST, attempts)));
  for (let n = 0; n < SAMPLED && attempts > FIRST; n++) chosen.add(1 + random.below(attempts));
  return chosen;
}

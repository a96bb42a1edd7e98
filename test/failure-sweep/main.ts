// SPDX-License-Identifier: GPL-2.0-only
//
// `npm run test:failures`: the whole failure sweep, with its counts, and build/proof/failures.json.
//
//   main.ts [--all] [--seed N] [--scenario NAME]
//
// Every operation with each of its attempts; every call of every recorded scenario with each of its attempts; and every
// scenario from a fresh machine with its n-th attempt, for the first 40 n and 40 more that the seed picks (fewer in long
// scenarios), or for all with --all. A finding is printed with the scenario and the attempt that show it again; exit status 1.

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { gunzipSync } from "node:zlib";
import { Random } from "../support/random.ts";
import { ALL_OPERATIONS } from "./all-operations.ts";
import { sweepOperation } from "./operation-sweep.ts";
import { loadRecording, sweepRecords, sweepScenario } from "./recording-sweep.ts";

const ROOT = new URL("../../", import.meta.url);
/** How many n of a scenario are tried, twice: between these, and so that about so many calls are made. */
const MOST = 40;
const LEAST = 6;
const CALLS = 20_000;

// Each scenario leaves some hundred shared memories behind, whose size the collector does not see.
setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

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
    for (const operation of ALL_OPERATIONS) {
      if (operation.abis?.includes(abi) === false) continue;
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
  for (const [scenario, calls] of recording.scenarios) {
    if (values.scenario !== undefined && values.scenario !== scenario) continue;
    const choose = (attempts: number) => (values.all ? all(attempts) : sampled(attempts, calls.length));
    const result = await sweepScenario(recording, scenario, faulty, choose);
    take(name, result.faults, result.findings);
    scenarios++;
    collectGarbage();
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

/** The first ones, and as many that the seed picks; fewer for a long scenario, which is replayed for each of them. */
function sampled(attempts: number, calls: number): Set<number> {
  const half = Math.max(LEAST, Math.min(MOST, Math.floor(CALLS / calls)));
  const chosen = new Set(all(Math.min(half, attempts)));
  for (let n = 0; n < half && attempts > half; n++) chosen.add(1 + random.below(attempts));
  return chosen;
}

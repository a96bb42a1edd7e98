// SPDX-License-Identifier: GPL-2.0-only
//
// `npm run test:fuzz`: the oracle, the ioctl inputs and the hostile numbers, each in both profiles.
//
//   --seed N            default: another one each time, printed
//   --operations N      calls of the oracle in total, at least; default 1,200,000
//   --inputs N          ioctl inputs in total
//   --calls N           hostile calls in total
//   --spaces N          sequences of address spaces' commands of each style
//   --seconds N         no part goes on after its share of the time; default 0, no limit
//   --abi rfc|mainline  only that profile
//   --replay FILE       a sequence that a failed oracle wrote: played again, with all answers
//   --batch N           only the oracle's sequence of that seed, shrunk if it fails
//   --path P            only the ioctl input of that path, with --seed and --abi
//
// The exit status is 1 if anything differed. build/proof/fuzz.json gets the counts.

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { freshSeed, readOptions } from "../support/command-line.ts";
import { writeProof } from "../support/proof-file.ts";
import { type Style, STYLES, fuzzAddressSpaces } from "./address-spaces.ts";
import { callHostilely } from "./hostile.ts";
import { fuzzIoctls } from "./ioctl-inputs.ts";
import { type Batch, type Setting, replay, runBatch, shrink } from "./oracle.ts";
import type { Operation } from "./operations.ts";

const LENGTH = 2500;
const SHRINK_MS = 60_000;
const RUN = "npm run test:fuzz --";

const options = readOptions(process.argv.slice(2), {
  ...{ seed: freshSeed(), operations: 1_200_000, inputs: 30_000, calls: 200_000, spaces: 40, seconds: 0 },
  ...{ abi: "", replay: "", batch: -1, path: "" },
});
const ABIS = (["rfc", "mainline"] as const).filter((abi) => options.abi === "" || options.abi === abi);
const failures: string[] = [];
const begin = performance.now();
// Refused calls make errors all the time; their stacks would be most of the work. Replaying has them.
const stackTraceLimit = Error.stackTraceLimit;

if (options.replay !== "") await replayFile(options.replay);
else if (options.batch >= 0) for (const abi of ABIS) await oracleBatch(abi, options.batch);
else if (options.path !== "") for (const abi of ABIS) ioctlInputs(abi);
else await everything();
process.exitCode = failures.length > 0 ? 1 : 0;

async function everything(): Promise<void> {
  console.log(`fuzz: seed ${options.seed}`);
  const counts = { operations: 0, sequences: 0, inputs: 0, hostileCalls: 0 };
  const tally = new Map<string, number>();
  const end = timeLimit(0.7);
  for (let n = 0; counts.operations < options.operations && performance.now() < end; n++) {
    for (const abi of ABIS) {
      const batch = await oracleBatch(abi, (options.seed + n) % 2 ** 31);
      counts.operations += batch.calls;
      counts.sequences++;
      for (const [key, count] of batch.tally) tally.set(key, (tally.get(key) ?? 0) + count);
    }
    if (failures.length >= 3) break;
  }
  const kinds = new Set([...tally.keys()].map((key) => key.split(" ")[0]));
  console.log(
    `oracle: ${counts.operations} operations in ${counts.sequences} sequences, ${kinds.size} kinds of calls, ` +
      `${tally.size} kinds of answers, ${since(begin)} s`,
  );
  for (const abi of ABIS) counts.inputs += ioctlInputs(abi);
  for (const abi of ABIS) {
    const result = await callHostilely(abi, options.seed, options.calls / ABIS.length);
    counts.hostileCalls += result.calls;
    console.log(`hostile calls, ${abi}: ${result.calls}`);
    if (result.failure !== undefined) fail(result.failure);
  }
  const addressSpaceCalls = ABIS.some((abi) => abi === "mainline") ? await addressSpaces() : 0;
  const seconds = Number(since(begin));
  console.log(`fuzz: ${failures.length} failures, ${seconds} s, seed ${options.seed}`);
  const answers = Object.fromEntries([...tally].sort());
  await writeProof("fuzz", {
    ...counts,
    addressSpaceCalls,
    seeds: [options.seed],
    seconds,
    failures: failures.length,
    answers,
  });
}

async function oracleBatch(abi: "rfc" | "mainline", seed: number): Promise<Batch> {
  Error.stackTraceLimit = 0;
  const batch = await runBatch(seed, abi, LENGTH);
  Error.stackTraceLimit = stackTraceLimit;
  if (batch.mismatch !== undefined) await explain(abi, batch);
  return batch;
}

/** Return: calls made. */
async function addressSpaces(): Promise<number> {
  let calls = 0;
  const end = timeLimit(0.2);
  for (let n = 0; n < options.spaces && performance.now() < end && failures.length < 3; n++) {
    for (const style of Object.keys(STYLES) as Style[]) {
      if (style === "many" && n % 8 !== 0) continue;
      const sequence = await fuzzAddressSpaces((options.seed + n) % 2 ** 31, style);
      calls += sequence.calls;
      if (sequence.failure !== undefined) fail(sequence.failure);
    }
  }
  console.log(`address spaces: ${calls} calls`);
  return calls;
}

/** Shrinks what differed, prints it, and leaves it to be replayed. */
async function explain(abi: string, { seed, setting, operations, mismatch }: Batch): Promise<void> {
  fail(`${abi}, sequence ${seed}: operation ${mismatch?.at}: ${RUN} --abi ${abi} --batch ${seed}`);
  const short = await shrink(setting, operations, SHRINK_MS);
  const file = `build/proof/fuzz-${abi}-${seed}.json`;
  await mkdir("build/proof", { recursive: true });
  await writeFile(file, JSON.stringify({ setting, operations: short.operations }));
  for (const operation of short.operations) console.log(`  ${JSON.stringify(operation)}`);
  printAnswers(short.mismatch ?? mismatch);
  console.log(`  ${RUN} --replay ${file}`);
}

async function replayFile(file: string): Promise<void> {
  const { setting, operations } = JSON.parse(await readFile(file, "utf8")) as Recorded;
  const mismatch = await replay(setting, operations);
  for (const operation of operations) console.log(`  ${JSON.stringify(operation)}`);
  if (mismatch === undefined) {
    console.log("all answers are the same");
    return;
  }
  fail(`operation ${mismatch.at} differs`);
  printAnswers(mismatch);
}

interface Recorded {
  setting: Setting;
  operations: Operation[];
}

function printAnswers(mismatch: Batch["mismatch"]): void {
  console.log(`  library    ${JSON.stringify(mismatch?.library)}`);
  console.log(`  reference  ${JSON.stringify(mismatch?.reference)}`);
}

function ioctlInputs(abi: "rfc" | "mainline"): number {
  const result = fuzzIoctls(abi, {
    ...{ seed: options.seed, runs: Math.ceil(options.inputs / ABIS.length) },
    ...(options.path !== "" && { path: options.path }),
    ...(options.seconds > 0 && { milliseconds: options.seconds * 120 }),
  });
  console.log(`ioctl inputs, ${abi}: ${result.inputs}`);
  if (result.failure !== undefined) fail(`ioctl: ${result.failure}`);
  return result.inputs;
}

function fail(what: string): void {
  failures.push(what);
  console.log(`FAILED ${what}`);
}

/** When a part that may take this share of the time ends. */
function timeLimit(share: number): number {
  return options.seconds > 0 ? performance.now() + options.seconds * 1000 * share : Infinity;
}

function since(start: number): string {
  return ((performance.now() - start) / 1000).toFixed(1);
}

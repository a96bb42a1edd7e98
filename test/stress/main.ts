// SPDX-License-Identifier: GPL-2.0-only
//
// `npm run test:stress`: every stress of ./all.ts, first in Node, then in Chromium.
//
//   --seed N      default: another one each time, printed
//   --seconds N   for each stress in each host; default 20
//   --threads N   that many threads only; default 1, 2 and 4 for each core
//   --only NAME   that stress only
//   --host NAME   node or chromium only
//
// The exit status is 1 if anything failed. build/proof/stress.json gets the counts. What each thread does follows from the seed; how
// the threads meet is chance, so a seed repeats a failure more often than not, but not always.

import { cpus } from "node:os";
import { freshSeed, readOptions } from "../support/command-line.ts";
import { writeProof } from "../support/proof-file.ts";
import { STRESSES } from "./all.ts";
import { openChromium } from "./chromium.ts";
import type { Stress, StressCounts, StressOptions } from "./stress.ts";

const options = readOptions(process.argv.slice(2), {
  ...{ seed: freshSeed(), seconds: 20, threads: 0 },
  ...{ only: "", host: "" },
});
/** For one unit of work of a stress, which does not look at the clock, on a slow machine. */
const SLACK_SECONDS = 180;

const cores = cpus().length;
const threads = options.threads > 0 ? [options.threads] : [cores, 2 * cores, 4 * cores].map((n) => Math.min(n, 32));
const stresses = STRESSES.filter(({ name }) => options.only === "" || options.only === name);
const results: { stress: string; host: string; seed: number; seconds: number; counts: StressCounts }[] = [];
let failures = 0;

const begin = performance.now();
console.log(`stress: seed ${options.seed}, ${cores} cores, threads ${threads.join(", ")}`);
if (options.host !== "chromium") {
  for (const stress of stresses) await attempt("node", stress, stress.run);
}
if (options.host !== "node") {
  const chromium = await openChromium();
  for (const stress of stresses) await attempt("chromium", stress, (given) => chromium.run(stress.name, given));
  if (failures === 0) await chromium.close();
}
const seconds = since(begin);
const operations = results.reduce((sum, { counts }) => sum + counts.operations, 0);
console.log(`stress: ${operations} operations, ${failures} failures, ${seconds} s, seed ${options.seed}`);
await writeProof("stress", { operations, seeds: [options.seed], threads, seconds, failures, results });
process.exit(failures > 0 ? 1 : 0); // threads that hang would keep the process

async function attempt(
  host: string,
  { name: stress, minutes = 0 }: Stress,
  run: (options: StressOptions) => Promise<StressCounts>,
): Promise<void> {
  const { seed } = options;
  const start = performance.now();
  try {
    const counts = await inTime(run({ seed, seconds: options.seconds, threads }), minutes);
    results.push({ stress, host, seed, seconds: since(start), counts });
    const words = Object.entries(counts).map(([what, count]) => `${count} ${what}`);
    console.log(`${host}, ${stress}: ${words.join(", ")}, ${since(start)} s`);
  } catch (error) {
    failures++;
    console.log(`FAILED ${host}, ${stress}, seed ${seed}:`, error);
    console.log(`npm run test:stress -- --only ${stress} --host ${host} --seed ${seed} --seconds ${options.seconds}`);
  }
}

/** A stress that hangs is a failure, and must not be the end of the report. */
function inTime<T>(result: Promise<T>, minutes: number): Promise<T> {
  const most = Math.max(options.seconds * 10 + SLACK_SECONDS, minutes * 60);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no end after ${most} s`)), most * 1000);
    void result.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function since(start: number): number {
  return Number(((performance.now() - start) / 1000).toFixed(1));
}

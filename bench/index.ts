// SPDX-License-Identifier: GPL-2.0-only
//
// `npm run bench`, and with --chromium `npm run bench:browser`: runs the benches, prints medians with their spread and how they stand
// to their bars.
//
//   --smoke       a few rounds, for function and not for time; writes nothing
//   --only NAME   that bench only; more than once for several
//   --json        the results as JSON, nothing else, to the standard output
//   --save        writes bench/results/HOST.json
//   --readme      draws the pictures and writes the README's section from bench/results/; runs the benches before only with --save
//
// A bar that is missed fails nothing, because a busy machine is no defect. A wrong result, or an error, fails the run.

import { cpus } from "node:os";
import { benchNames, buildBenches } from "./harness/build.ts";
import { drawCharts } from "./harness/charts.ts";
import { openChromium } from "./harness/in-chromium.ts";
import { openNode } from "./harness/in-node.ts";
import { writeReadmes } from "./harness/readme.ts";
import { report } from "./harness/report.ts";
import { type MeasuredBench, type Results, machineLine, saveResults } from "./harness/results.ts";

const FLAGS = ["--smoke", "--json", "--save", "--readme", "--chromium"];

const args = process.argv.slice(2);
const only = args.filter((_, index) => args[index - 1] === "--only");
const has = (flag: string): boolean => args.includes(flag);
const wrong = args.filter((arg, index) => !FLAGS.includes(arg) && arg !== "--only" && args[index - 1] !== "--only");
const all = await benchNames();
const unknown = only.filter((name) => !all.includes(name));
if (wrong.length > 0 || unknown.length > 0) {
  console.error(`unknown: ${[...wrong, ...unknown].join(" ")}; options: ${FLAGS.join(" ")} --only ${all.join(" | ")}`);
  process.exit(2);
}

let failures = 0;
if (!has("--readme") || has("--save")) failures = await measure();
if (has("--readme")) {
  await drawCharts();
  await writeReadmes();
}
process.exit(failures > 0 ? 1 : 0);

/** Return: how many benches failed. */
async function measure(): Promise<number> {
  const names = only.length > 0 ? only : all;
  const host = has("--chromium") ? "chromium" : "node";
  const smoke = has("--smoke");
  const say = has("--json") ? () => undefined : console.log;
  await buildBenches(names);
  const runner = await (host === "node" ? openNode() : openChromium());
  const machine = machineLine(runner.line);
  say(machine);

  const measured: Record<string, MeasuredBench> = {};
  const waiting = [...names];
  let failures = 0;
  // What is not timed may run side by side.
  await Promise.all(Array.from({ length: smoke ? cpus().length : 1 }, runWaiting));
  await runner.close();

  const benches = Object.fromEntries(names.flatMap((name) => (measured[name] ? [[name, measured[name]]] : [])));
  const results: Results = { host, machine, smoke, benches };
  if (has("--json")) console.log(JSON.stringify(results, undefined, 2));
  if (has("--save") && !smoke && failures === 0) {
    await saveResults(results);
  }
  return failures;

  async function runWaiting(): Promise<void> {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      try {
        const bench = await runner.run(name, { smoke });
        if (bench === undefined) continue;
        measured[name] = bench;
        say(report(bench, host));
      } catch (error) {
        failures++;
        console.error(`FAILED ${name}:`, error);
      }
    }
  }
}

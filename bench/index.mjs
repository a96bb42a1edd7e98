// SPDX-License-Identifier: GPL-2.0-only
//
// npm run bench [-- --smoke | --json | --readme]: runs every bench and prints medians with their spread.
//
// --readme also writes the figures between the <!-- bench --> marks of the README.
//
// --smoke runs a few rounds, for function and not for time. A bar that is missed is printed as such; it fails nothing,
// because a busy machine is not a defect.

import { readFile, writeFile } from "node:fs/promises";
import * as attach from "./attach.bench.mjs";
import * as getPut from "./get-put.bench.mjs";
import { machine, show } from "./rounds.mjs";

const smoke = process.argv.includes("--smoke");
const json = process.argv.includes("--json");

const results = {};
if (!json) console.log(machine());
for (const bench of [getPut, attach]) {
  const result = await bench.run({ smoke });
  results[bench.name] = result;
  if (json) continue;
  console.log(`\n${bench.name}`);
  for (const line of result.lines) console.log(`  ${line}`);
  for (const [key, bar] of Object.entries(result.bars)) {
    const { median } = result.ratios[key] ?? result.figures[key];
    console.log(`  bar for ${key}: at most ${bar}, ${median <= bar ? "met" : "MISSED"} with ${median.toFixed(2)}`);
  }
}
if (json) console.log(JSON.stringify({ machine: machine(), smoke, results }, null, 2));
if (process.argv.includes("--readme")) await writeReadme();
process.exit(0);

async function writeReadme() {
  const file = new URL("../README.md", import.meta.url);
  const rows = Object.entries(results).flatMap(([bench, { unit, figures, ratios }]) => [
    ...Object.entries(ratios).map(([key, ratio]) => `| ${bench}: ${key}, against the floor | ${show(ratio, " ×")} |`),
    ...Object.entries(figures).map(([key, figure]) => `| ${bench}: ${key} | ${show(figure, ` ${unit}`)} |`),
  ]);
  const text = await readFile(file, "utf8");
  const section = [
    "Medians, and the range from the 10th to the 90th percentile. The floor of get + put is two bare Wasm calls that each do one",
    "atomic read-modify-write, measured in turn with it; only the ratio is worth comparing between machines.",
    "",
    "| measured | median |",
    "|---|---|",
    ...rows,
    "",
    `Measured on ${machine()}; \`npm run bench\` prints the figures of yours.`,
  ].join("\n");
  await writeFile(file, text.replace(/(<!-- bench -->\n)[^]*(\n<!-- \/bench -->)/, `$1\n${section}\n$2`));
}

// SPDX-License-Identifier: GPL-2.0-only
//
// npm run bench [-- --smoke] [-- --json]: runs every bench and prints medians with their spread.
//
// --smoke runs a few rounds, for function and not for time. A bar that is missed is printed as such; it fails nothing,
// because a busy machine is not a defect.

import * as attach from "./attach.bench.mjs";
import * as getPut from "./get-put.bench.mjs";
import { machine } from "./rounds.mjs";

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
process.exit(0);

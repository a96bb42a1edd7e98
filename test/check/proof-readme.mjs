// SPDX-License-Identifier: GPL-2.0-only
//
// npm run proof:readme: writes what the last long runs measured (build/proof/*.json) between the <!-- proof --> marks of the README.

import { readFile, writeFile } from "node:fs/promises";

const ROOT = new URL("../../", import.meta.url);
const number = (value) => value.toLocaleString("en-US");

const [model, kills, failures, fuzz, mutants] = await Promise.all(
  ["model", "stress", "failures", "fuzz", "mutants"].map(async (name) =>
    JSON.parse(await readFile(new URL(`build/proof/${name}.json`, ROOT), "utf8")),
  ),
);
const ofStress = (stress, host) =>
  kills.results.find((result) => result.stress === stress && result.host === host)?.counts;
const killed = ["node", "chromium"].map((host) => ({ host, ...ofStress("kills", host) }));

const rows = [
  [
    "`test:model`",
    `${number(model.executions)} executions, ${model.failed} failures`,
    `${model.properties} properties hold, ${model.twins} broken twins are caught; ${model.bounded.length} explorations are bounded`,
  ],
  ["`test:failures`", `${number(failures.faults)} faults`, `in ${number(failures.scenarios)} scenarios`],
  [
    "`test:fuzz`",
    `${number(fuzz.operations)} operations, ${number(fuzz.inputs)} ioctl inputs`,
    `${fuzz.failures} differences`,
  ],
  ["`test:stress`", `${number(kills.operations)} operations and kills`, `${kills.failures} failures`],
  ...killed.map(({ host, operations, inside, interrupted, records }) => [
    `kills, ${host}`,
    `${number(operations)} workers`,
    `${Math.round((100 * inside) / operations)} % inside a call, ${interrupted} in the middle of a change; ${number(records)} records given back, nothing left`,
  ]),
  [
    "`test:mutants`",
    `${mutants.mutants} faults in the core`,
    `${mutants.caught} caught, ${mutants.survivors.length} survive`,
  ],
];
const doings = {};
for (const counts of killed) {
  for (const [key, count] of Object.entries(counts)) {
    if (key.startsWith("in ")) doings[key.slice(3)] = (doings[key.slice(3)] ?? 0) + count;
  }
}
const distribution = Object.entries(doings).sort(([, a], [, b]) => b - a);
const section = [
  "| run | what | result |",
  "|---|---|---|",
  ...rows.map((row) => `| ${row.join(" | ")} |`),
  "",
  `The killed workers were at: ${distribution.map(([doing, count]) => `${doing} ${count}`).join(", ")}.`,
  "",
  `Last runs on ${model.machine.cpu}, ${model.machine.cores} cores, Node ${model.machine.node}; \`npm run proof:readme\` writes this table from the runs of yours.`,
].join("\n");
const file = new URL("README.md", ROOT);
const text = await readFile(file, "utf8");
await writeFile(file, text.replace(/(<!-- proof -->\n)[^]*(<!-- \/proof -->)/, `$1\n${section}\n\n$2`));

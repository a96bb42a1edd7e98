// SPDX-License-Identifier: GPL-2.0-only
//
// npm run proof:readme: writes what the last long runs measured (build/proof/*.json) between the <!-- proof --> marks of the README.

import { readFile, writeFile } from "node:fs/promises";

const ROOT = new URL("../../", import.meta.url);
const number = (value) => value.toLocaleString("en-US");

const [model, stress, failures, fuzz, mutants] = await Promise.all(
  ["model", "stress", "failures", "fuzz", "mutants"].map(async (name) => {
    const text = await readFile(new URL(`build/proof/${name}.json`, ROOT), "utf8").catch(() => undefined);
    return text === undefined ? undefined : JSON.parse(text); // that run was not made
  }),
);
const countsOf = (name, host) =>
  stress?.results.find((result) => result.stress === name && result.host === host)?.counts;
const killed = ["node", "chromium"].map((host) => ({ host, ...countsOf("kills", host) }));

const rows = [
  model && [
    "`test:model`",
    `${number(model.executions)} executions, ${model.failed} failures`,
    `${number(model.properties)} explorations of properties hold, ${model.twins} broken twins are caught; ${model.bounded.length} explorations are bounded`,
  ],
  failures && [
    "`test:failures`",
    `${number(failures.faults)} faults in ${number(failures.scenarios)} scenarios`,
    `${failures.findings} findings`,
  ],
  fuzz && [
    "`test:fuzz`",
    `${number(fuzz.operations)} operations, ${number(fuzz.inputs)} ioctl inputs`,
    `${fuzz.failures} differences`,
  ],
  ...killed.map(
    ({ host, operations, inside, interrupted, records }) =>
      operations && [
        `\`test:stress\`, kills in ${host}`,
        `${number(operations)} workers`,
        `${Math.round((100 * inside) / operations)} % inside a call, ${interrupted} in the middle of a change; ${number(records)} records given back, nothing left`,
      ],
  ),
  mutants && [
    "`test:mutants`",
    `${mutants.mutants} faults in the core`,
    `${mutants.caught} caught, ${mutants.survivors.length} survive`,
  ],
].filter(Boolean);
const { machine } = [stress, failures, fuzz, model, mutants].find((proof) => proof?.machine) ?? { machine: {} };
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
  `Last runs on ${machine.cpu}, ${machine.cores} cores, Node ${machine.node}; \`npm run proof:readme\` writes this table from the runs of yours.`,
].join("\n");
const file = new URL("README.md", ROOT);
const text = await readFile(file, "utf8");
await writeFile(file, text.replace(/(<!-- proof -->\n)[^]*(<!-- \/proof -->)/, `$1\n${section}\n\n$2`));

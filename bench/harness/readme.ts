// SPDX-License-Identifier: GPL-2.0-only
//
// Writes what the READMEs say of measurements, from bench/results/: the section on performance of the project's README, and the table
// of costs in bench/README.md, each between its <!-- bench --> marks. No figure in them is written by hand.

import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { format, resolveConfig } from "prettier";
import type { Bar } from "./bench.ts";
import { ROOT } from "./build.ts";
import { PAPER, type PaperCost } from "./paper.ts";
import { number, range } from "./report.ts";
import { FOLDER, HOSTS, type HostName, type Results, isMet, measuredBar, readResults } from "./results.ts";

const TITLES: Readonly<Record<HostName, string>> = { node: "Node", chromium: "Chromium" };
const MARKS = /(<!-- bench -->\n)[^]*(\n<!-- \/bench -->)/;
const NOT_MEASURED = "–";

/** What is written into which file. */
const SECTIONS: Readonly<Record<string, (results: readonly Results[]) => string | Promise<string>>> = {
  "README.md": sectionOf,
  "bench/README.md": costsOf,
};
export const READMES = Object.keys(SECTIONS);

export async function writeReadmes(): Promise<void> {
  for (const path of READMES) await writeFile(new URL(path, ROOT), await generateReadme(path));
}

/** A README with its section as the results say. */
export async function generateReadme(path: string): Promise<string> {
  const file = new URL(path, ROOT);
  const results = (await Promise.all(HOSTS.map((host) => readResults(host)))).filter((each) => each !== undefined);
  if (results.length === 0) throw new Error(`there is nothing in ${FOLDER}: npm run bench -- --save`);
  const text = await readFile(file, "utf8");
  if (!MARKS.test(text)) throw new Error(`${path} has no <!-- bench --> marks`);
  const section = (await SECTIONS[path]?.(results)) ?? "";
  const whole = text.replace(MARKS, (_, begin: string, end: string) => `${begin}\n${section}\n${end}`);
  const filepath = fileURLToPath(file);
  return format(whole, { ...(await resolveConfig(filepath)), filepath });
}

/** Each operation on paper, and as it was measured. */
function costsOf(results: readonly Results[]): string {
  const hosts = results.map(({ host }) => TITLES[host]);
  return [
    `| operation | Wasm calls | locked operations | loads, each needing the one before | ${hosts.join(" | ")} |`,
    `|---|--:|--:|---|${hosts.map(() => "---|").join("")}`,
    ...PAPER.map((paper) => {
      const cells = results.map((each) => measuredCost(each, paper));
      return `| ${paper.operation} | ${paper.wasmCalls} | ${paper.locked} | ${paper.loads} | ${cells.join(" | ")} |`;
    }),
  ].join("\n");
}

/** "16.2 ns, 2.05 × the floor" */
function measuredCost({ benches }: Results, { bench, candidate, against }: PaperCost): string {
  const time = benches[bench]?.candidates[candidate];
  const ratio = benches[bench]?.ratios[`${candidate} / ${against.replace(/^.*: /, "")}`];
  if (time === undefined || ratio === undefined) return NOT_MEASURED;
  return `${number(time.median)} ns, ${number(ratio.median)} ×`;
}

async function sectionOf(results: readonly Results[]): Promise<string> {
  const hosts = results.map(({ host }) => TITLES[host]);
  const machines = results.map(({ host, machine }) => `${TITLES[host]}: ${machine}.`);
  return [
    "Each operation beside what else one could use, in alternating rounds of one process: medians, and in parentheses the 10th and 90th",
    "percentile. Only the ratios are worth comparing between machines; [bench](bench/README.md) says what is compared with what.",
    "",
    `| measured | bar | ${hosts.join(" | ")} |`,
    `|---|---|${hosts.map(() => "---|").join("")}`,
    ...rowsOf(results),
    "",
    ...(await pictures()),
    "",
    `${machines.join("\n")}\n\`npm run bench\` and \`npm run bench:browser\` print the figures of yours.`,
  ].join("\n");
}

/** One row for each bar that was measured in any host. */
function rowsOf(results: readonly Results[]): string[] {
  const bars = new Map<string, { bench: string; bar: Bar }>();
  for (const { benches } of results) {
    for (const [bench, { bars: own }] of Object.entries(benches)) {
      for (const bar of own) bars.set(`${bench} ${bar.ratio}`, { bench, bar });
    }
  }
  return [...bars.values()].map(({ bench, bar }) => {
    const cells = results.map((each) => cellOf(each, bench, bar));
    const unit = results.map(({ benches }) => unitOf(benches[bench], bar)).find((each) => each !== undefined) ?? "";
    const aim = bar.aim === undefined ? "" : `, aim ${number(bar.aim)}`;
    return `| ${bar.text} | ${bar.kind === "most" ? "≤" : "≥"} ${number(bar.limit)}${unit}${aim} | ${cells.join(" | ")} |`;
  });
}

function cellOf({ host, benches }: Results, name: string, bar: Bar): string {
  const bench = benches[name];
  const measured = bench && measuredBar(bench, bar);
  if (bench === undefined || measured === undefined || (bar.only ?? host) !== host) return NOT_MEASURED;
  return `${range(measured, unitOf(bench, bar))}${isMet(bar, measured) ? "" : ", missed"}`;
}

function unitOf(bench: Results["benches"][string] | undefined, { ratio }: Bar): string | undefined {
  if (bench === undefined) return undefined;
  return ratio in bench.ratios ? " ×" : ` ${bench.unit.replace(/ per .*/, "")}`;
}

async function pictures(): Promise<string[]> {
  const all = [
    ...[["node.svg", "what each operation costs in Node"] as const],
    ...[["chromium.svg", "what each operation costs in Chromium"] as const],
    ...[["threads.svg", "operations per second of several threads"] as const],
  ];
  const lines = await Promise.all(
    all.map(async ([name, what]) => {
      const path = `${FOLDER}${name}`;
      const exists = await readFile(new URL(path, ROOT)).then(
        () => true,
        () => false,
      );
      return exists ? [`![Chart: ${what}](${path})`, ""] : [];
    }),
  );
  return lines.flat();
}

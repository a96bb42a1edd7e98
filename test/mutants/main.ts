// SPDX-License-Identifier: GPL-2.0-only
//
// npm run test:mutants -- [options]
//
//   (none)        every mutant that an earlier run has not answered for
//   --only NAMES  these, parted by commas, whatever is known
//   --file FILES  those of these files of assembly/core
//   --list        names and kinds
//   --jobs N      how many at a time; default 2
//   --fresh       forget earlier runs
//   --patience N  N times the usual time for the explorer
//   --steps A,B   only these steps of killers.ts; who survives them is not noted
//   --unchanged   the core as it is, through all steps: nothing may catch it
//
// Exit status 1 if fewer than 95 % are caught, or if a survivor is of a kind that must have none. build/proof/mutants.json gets the
// numbers, build/mutants/results.json the answers.

import { parseArgs } from "node:util";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeProof } from "../support/proof-file.ts";
import { Cache } from "./cache.ts";
import { type Answer, Job } from "./killers.ts";
import { KINDS_WITHOUT_SURVIVORS, type Mutant } from "./mutant.ts";
import { MUTANTS } from "./mutants/index.ts";
import { ROOT } from "./stage.ts";

const LEAST_CAUGHT = 0.95;

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    file: { type: "string" },
    list: { type: "boolean" },
    jobs: { type: "string", default: "2" },
    fresh: { type: "boolean" },
    unchanged: { type: "boolean" },
    steps: { type: "string" },
    patience: { type: "string", default: "1" },
  },
});

interface Result {
  mutant: Mutant;
  answer: Answer;
  seconds: number;
  known: boolean;
}

const names = values.only?.split(",");
const files = values.file?.split(",").map((file) => file.replace(/(\.ts)?$/, ".ts"));
const chosen = MUTANTS.filter(({ name, file }) => names?.includes(name) !== false && files?.includes(file) !== false);
if (chosen.length === 0) throw new Error("there is no such mutant; --list shows them");

if (values.list)
  for (const { file, kind, name } of chosen) console.log(`${file.padEnd(14)} ${kind.padEnd(10)} ${name}`);
else if (values.unchanged) await tryUnchanged();
else await tryAll();

async function tryUnchanged(): Promise<void> {
  const job = await Job.make(0, Number(values.patience));
  for (const { file } of new Map(chosen.map((mutant) => [mutant.file, mutant])).values()) {
    const same = "// SPDX-License-Identifier: GPL-2.0-only\n";
    const original: Mutant = { name: "unchanged", file, kind: "locking", find: same, replace: same };
    const answer = await job.tryMutant(original, undefined, values.steps?.split(","));
    console.log(`${file}: ${describe(answer)}`);
    if (!("caught" in answer) || answer.caught) process.exitCode = 1;
  }
  job.end();
}

async function tryAll(): Promise<void> {
  const begin = performance.now();
  const cache = await Cache.read();
  const results: Result[] = [];
  const waiting: Mutant[] = [];
  for (const mutant of chosen) {
    const known = values.fresh || values.only !== undefined ? undefined : cache.find(mutant);
    if (known) results.push({ mutant, ...known, known: true });
    else waiting.push(mutant);
  }
  const jobs = Math.min(Number(values.jobs), waiting.length);
  await Promise.all(Array.from({ length: jobs }, (_, number) => work(number, waiting, cache, results)));
  await report(results, (performance.now() - begin) / 1000);
}

async function work(number: number, waiting: Mutant[], cache: Cache, results: Result[]): Promise<void> {
  const job = await Job.make(number, Number(values.patience));
  for (let mutant = waiting.shift(); mutant; mutant = waiting.shift()) {
    const begin = performance.now();
    const answer = await job.tryMutant(mutant, cache.firstStep(mutant), values.steps?.split(","));
    const seconds = (performance.now() - begin) / 1000;
    const isFinal = values.steps === undefined || ("caught" in answer && answer.caught !== undefined);
    if (isFinal) await cache.keep(mutant, answer, seconds);
    results.push({ mutant, answer, seconds, known: false });
    console.log(row({ mutant, answer, seconds, known: false }));
  }
  job.end();
}

function row({ mutant: { name, file }, answer, seconds }: Result): string {
  return `${name.padEnd(56)} ${file.padEnd(14)} ${seconds.toFixed(0).padStart(4)} s  ${describe(answer)}`;
}

function describe(answer: Answer): string {
  if ("broken" in answer) return `DOES NOT COMPILE: ${answer.broken}`;
  if (!answer.caught) return "SURVIVES";
  const { by, what, timedOut } = answer.caught;
  return `${by}${timedOut ? ", time-out" : ""}: ${what.replaceAll("\n", " ").slice(0, 150)}`;
}

async function report(results: readonly Result[], seconds: number): Promise<void> {
  const order = new Map(MUTANTS.map(({ name }, index) => [name, index]));
  const sorted = [...results].sort((a, b) => (order.get(a.mutant.name) ?? 0) - (order.get(b.mutant.name) ?? 0));
  console.log("\nmutant                                                   file           time    caught by");
  for (const result of sorted) console.log(row(result));
  const broken = sorted.filter(({ answer }) => "broken" in answer);
  const caught = sorted.filter(({ answer }) => "caught" in answer && answer.caught);
  const survivors = sorted.filter(({ answer }) => "caught" in answer && !answer.caught);
  for (const { mutant } of survivors)
    console.log(`\nSURVIVES ${mutant.name} (${mutant.kind}) ${await placeOf(mutant)}`);
  const counted = caught.length + survivors.length;
  const serious = survivors.filter(({ mutant }) => KINDS_WITHOUT_SURVIVORS.includes(mutant.kind));
  const timedOut = caught.filter(({ answer }) => "caught" in answer && answer.caught?.timedOut).length;
  const all = sorted.reduce((sum, each) => sum + each.seconds, 0);
  console.log(
    `\n${counted} mutants: ${caught.length} caught (${timedOut} by a time-out), ${survivors.length} survive, ` +
      `${serious.length} of them of a kind that must not; ${broken.length} do not compile; ` +
      `${sorted.filter(({ known }) => known).length} known from before; ${seconds.toFixed(0)} s, ${all.toFixed(0)} s of work`,
  );
  if (broken.length > 0 || serious.length > 0 || caught.length < counted * LEAST_CAUGHT) process.exitCode = 1;
  if (values.only !== undefined || values.file !== undefined) return;
  const by: Record<string, number> = {};
  for (const { answer } of caught)
    if ("caught" in answer && answer.caught) by[answer.caught.by] = (by[answer.caught.by] ?? 0) + 1;
  await writeProof("mutants", {
    mutants: counted,
    caught: caught.length,
    timedOut,
    by,
    survivors: await Promise.all(
      survivors.map(async ({ mutant: { name, kind, file }, mutant }) => ({
        name,
        kind,
        file,
        at: await placeOf(mutant),
      })),
    ),
    seconds: Math.round(all),
  });
}

/** File and line of the fault. */
async function placeOf({ file, find }: Mutant): Promise<string> {
  const text = await readFile(join(ROOT, "assembly/core", file), "utf8");
  return `assembly/core/${file}:${text.slice(0, text.indexOf(find)).split("\n").length}`;
}

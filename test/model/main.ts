// SPDX-License-Identifier: GPL-2.0-only
//
// npm run test:model -- [options]
//
//   (none)              every property in every profile, and every twin
//   --quick             the properties that `npm test` runs, with the first twin of each
//   --property NAME     one of them, with its twins; may be given several times; NAME* all whose name begins so
//   --twins-shown       also prints the trace of each caught twin
//   --jobs N            processes; 2 unless told
//   --replay TOKEN      one execution, as a trace
//   --list              names and promises
//
// Exit status 1 if a property fails or a twin survives. The work is cut into one task for each property or twin and profile; each
// process asks for the next task when it is done with one.

import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { checkProperty, moduleOf, type Verdict } from "./check.ts";
import { PROPERTIES } from "./properties/index.ts";
import { raceTable } from "./properties/recorded-races.ts";
import type { ProfileName, Property, Twin } from "./property.ts";
import { writeProof } from "../support/proof-file.ts";
import { fromToken } from "../../bindings/explorer/schedule.js";
import { traceOf } from "./trace.ts";

const { values } = parseArgs({
  options: {
    quick: { type: "boolean" },
    property: { type: "string", multiple: true },
    "twins-shown": { type: "boolean" },
    jobs: { type: "string" },
    replay: { type: "string" },
    list: { type: "boolean" },
  },
});

interface Task {
  property: Property;
  twin: Twin | undefined;
  profile: ProfileName;
}

/** What a process says when it is ready for a task: how its last one went. */
interface Done {
  property: string;
  profile: ProfileName;
  twin: string | undefined;
  good: boolean;
  executions: number;
  /** At most so many; -1 for all schedules. */
  preemptions: number;
}

const JOBS = 2;

if (values.list) list();
else if (values.replay !== undefined) await replay(values.replay);
else if (process.send) await workFor(tasks());
else await checkAll(tasks(), Number(values.jobs ?? JOBS));

function list(): void {
  for (const { name, promise, profiles, twins } of PROPERTIES) {
    console.log(`${name} (${profiles.join(", ")}): ${promise}`);
    for (const twin of twins) console.log(`  twin ${twin.name}`);
  }
}

function tasks(): Task[] {
  const chosen =
    values.property?.flatMap(propertiesOf) ?? PROPERTIES.filter(({ quick }) => !values.quick || quick === true);
  return chosen.flatMap((property) =>
    [undefined, ...property.twins.slice(0, values.quick ? 1 : undefined)].flatMap((twin) =>
      (twin?.profiles ?? property.profiles).map((profile) => ({ property, twin, profile })),
    ),
  );
}

function propertyOf(name: string): Property {
  const found = PROPERTIES.find((property) => property.name === name);
  if (!found) throw new Error(`there is no property ${name}; --list shows them`);
  return found;
}

function propertiesOf(name: string): readonly Property[] {
  if (!name.endsWith("*")) return [propertyOf(name)];
  return PROPERTIES.filter((property) => property.name.startsWith(name.slice(0, -1)));
}

async function replay(token: string): Promise<void> {
  const wanted = fromToken(token);
  const property = propertyOf(wanted.property);
  const twin = property.twins.find(({ name }) => name === wanted.twin);
  if (wanted.twin !== "" && !twin) throw new Error(`${property.name} has no twin ${wanted.twin}`);
  const profile = property.profiles.find((name) => name === wanted.profile);
  if (!profile) throw new Error(`${property.name} is not checked in the profile ${wanted.profile}`);
  const { module, map } = await moduleOf(property, twin);
  const { outcome, text } = traceOf(module, map, property.model(profile), wanted.schedule, wanted.kills);
  console.log(text);
  process.exitCode = outcome.failure ? 1 : 0;
}

function print({ summary, details, twin }: Verdict): void {
  const shown = details !== "" && (twin === "" || values["twins-shown"] === true);
  console.log(shown ? `${summary}\n${details}` : summary);
}

/** In a process of its own: does tasks until there is none. */
async function workFor(all: readonly Task[]): Promise<void> {
  let done: Done | undefined;
  const explored = new Set<string>();
  for (;;) {
    const index = await new Promise<number>((resolve) => {
      process.once("message", (message) => resolve(message as number));
      process.send!(done ?? null);
    });
    if (index < 0) break;
    const { property, twin, profile } = all[index]!;
    done = { property: property.name, profile, twin: twin?.name, good: false, executions: 0, preemptions: -1 };
    try {
      const verdict = await checkProperty(property, profile, twin);
      print(verdict);
      if (twin === undefined) explored.add(property.name);
      const { executions, bound } = verdict.exploration;
      done = { ...done, good: verdict.good, executions, preemptions: bound?.preemptions ?? -1 };
    } catch (error) {
      // The twin does not compile, or the model itself is at fault.
      console.log(`FAIL ${[property.name, twin?.name].filter(Boolean).join(" / ")} (${profile}): ${String(error)}`);
    }
  }
  const table = raceTable(explored);
  if (table !== "") console.log(`\n${table}\n`);
  process.disconnect();
}

async function checkAll(all: readonly Task[], jobs: number): Promise<void> {
  const begin = performance.now();
  const done: Done[] = [];
  let next = 0;
  const run = fileURLToPath(new URL("../support/run.mjs", import.meta.url));
  const workers = Array.from({ length: Math.min(jobs, all.length) }, async () => {
    const args = [run, fileURLToPath(import.meta.url), ...process.argv.slice(2)];
    const worker = spawn(process.execPath, args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    worker.on("message", (message: Done | null) => {
      if (message) done.push(message);
      worker.send(next < all.length ? next++ : -1);
    });
    return new Promise<number | null>((resolve) => worker.on("exit", resolve));
  });
  const codes = await Promise.all(workers);
  const count = (isTwin: boolean): number =>
    done.filter(({ twin, good }) => (twin !== undefined) === isTwin && good).length;
  const executions = done.reduce((sum, task) => sum + task.executions, 0);
  const failed = all.length - done.filter(({ good }) => good).length;
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  console.log(
    `${count(false)} properties hold, ${count(true)} twins caught, ${failed} failed; ${executions} executions, ${seconds} s`,
  );
  if (values.property === undefined && !values.quick) {
    const bounded = done.filter(({ twin, preemptions }) => twin === undefined && preemptions >= 0);
    await writeProof("model", {
      ...{ properties: count(false), twins: count(true), failed, executions, seconds: Number(seconds) },
      bounded: bounded.map(({ property, profile, preemptions }) => ({ property, profile, preemptions })),
    });
  }
  process.exitCode = failed > 0 || codes.some((code) => code !== 0) ? 1 : 0;
}

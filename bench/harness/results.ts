// SPDX-License-Identifier: GPL-2.0-only
//
// What was measured in one host, as it lies in bench/results/.

import { readFile, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import type { Bar, Result, Spread } from "./bench.ts";
import { ROOT, benchNames } from "./build.ts";

export type HostName = "node" | "chromium";
export const HOSTS: readonly HostName[] = ["node", "chromium"];

/** A bench with its result. */
export interface MeasuredBench extends Result {
  readonly title: string;
}

export interface Results {
  readonly host: HostName;
  /** One line that says where the figures come from. */
  readonly machine: string;
  readonly smoke: boolean;
  /** By the bench's name. */
  readonly benches: Readonly<Record<string, MeasuredBench>>;
}

/** Where results and pictures lie, from the root of the project. */
export const FOLDER = "bench/results/";

export async function readResults(host: HostName): Promise<Results | undefined> {
  const text = await readFile(new URL(`${FOLDER}${host}.json`, ROOT), "utf8").catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as Results);
}

/** Keeps earlier results of benches that were not run now, if they come from the same machine. */
export async function saveResults(results: Results): Promise<void> {
  const earlier = await readResults(results.host);
  const kept = earlier?.machine === results.machine ? earlier.benches : {};
  const all = { ...kept, ...results.benches };
  const names = (await benchNames()).filter((name) => name in all);
  const benches = Object.fromEntries(names.map((name) => [name, all[name]]));
  const text = JSON.stringify({ ...results, benches }, rounded, 2);
  await writeFile(new URL(`${FOLDER}${results.host}.json`, ROOT), `${text}\n`);
}

/** More digits than a measurement has would only make noise in the history. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === "number" ? Number(value.toPrecision(4)) : value;
}

/** `host`: name and version of what ran the benches. */
export function machineLine(host: string): string {
  return `${cpus()[0]?.model ?? "unknown processor"}, ${cpus().length} cores, ${process.platform} ${process.arch}, ${host}`;
}

export const NODE_LINE = `Node ${process.versions.node}, V8 ${process.versions.v8}`;

/** What a bar is about; undefined when the bench did not measure it in this host. */
export function measuredBar({ ratios, candidates }: Result, { ratio }: Bar): Spread | undefined {
  return ratios[ratio] ?? candidates[ratio];
}

export function isMet({ kind, limit }: Bar, { median }: Spread): boolean {
  return kind === "most" ? median <= limit : median >= limit;
}

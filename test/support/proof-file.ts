// SPDX-License-Identifier: GPL-2.0-only
//
// What a long run measured, for the README: one JSON file for each program in build/proof. Node only.

import { mkdir, writeFile } from "node:fs/promises";
import { cpus } from "node:os";

// In two steps: bundlers would rewrite `new URL("…", import.meta.url)`.
const here = import.meta.url;
const FOLDER = new URL("../../build/proof/", here);

/** Writes build/proof/`name`.json, with the date and the machine. */
export async function writeProof(name: string, values: Record<string, unknown>): Promise<void> {
  const [cpu] = cpus();
  const machine = { cores: cpus().length, cpu: cpu?.model ?? "", node: process.versions.node };
  await mkdir(FOLDER, { recursive: true });
  const proof = { date: new Date().toISOString(), machine, ...values };
  await writeFile(new URL(`${name}.json`, FOLDER), `${JSON.stringify(proof, undefined, 2)}\n`);
}

// SPDX-License-Identifier: GPL-2.0-only
//
// Runs benches in Node, each in a process of its own.

import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { ROOT } from "./build.ts";
import { type MeasuredBench, NODE_LINE } from "./results.ts";

/** A host that runs one bench after the other. */
export interface Runner {
  /** Name and version. */
  readonly line: string;
  /** Undefined for a bench that is not for this host or this machine. */
  run(name: string, options: { smoke: boolean }): Promise<MeasuredBench | undefined>;
  close(): Promise<void>;
}

/** Milliseconds; for what hangs. */
export const LONGEST = 15 * 60_000;

export function openNode(): Promise<Runner> {
  return Promise.resolve({ line: NODE_LINE, run, close: () => Promise.resolve() });
}

function run(name: string, { smoke }: { smoke: boolean }): Promise<MeasuredBench | undefined> {
  return new Promise((resolve, reject) => {
    const program = fileURLToPath(new URL("build/bench/harness/node-process.js", ROOT));
    const child = fork(program, smoke ? [name, "--smoke"] : [name], {
      timeout: LONGEST,
      execArgv: ["--enable-source-maps"],
    });
    let answer: MeasuredBench | null | undefined;
    child.once("message", (message) => (answer = message as MeasuredBench | null));
    child.once("error", reject);
    child.once("exit", (status, signal) => {
      if (answer !== undefined && status === 0) resolve(answer ?? undefined);
      else reject(new Error(`the process of ${name} has ended with ${status ?? signal}`));
    });
  });
}

// SPDX-License-Identifier: GPL-2.0-only
//
// What a bench gets in Node.

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import type { Host, Peer } from "./bench.ts";
import { Mailbox, UP } from "./mailbox.ts";

const run = promisify(execFile);

/** `root`: URL of the project. `built`: URL of the folder of the built benches. */
export function nodeHost({ root, built, smoke }: { root: URL; built: URL; smoke: boolean }): Host {
  return {
    name: "node",
    cores: availableParallelism(),
    smoke,
    bytes: async (path) => new Uint8Array(await readFile(new URL(path, root))),
    spawn: (entry) => start(new Worker(new URL(`workers/${entry}.js`, built)), entry),
    native(program, args) {
      const path = fileURLToPath(new URL(`native/${program}`, built));
      return existsSync(path) ? numbersOf<number[]>(path, args) : undefined;
    },
    program: (name) =>
      numbersOf<number>(process.execPath, [fileURLToPath(new URL(`bench/programs/${name}.mjs`, root))]),
  };
}

/** What a program prints as JSON. */
async function numbersOf<N>(program: string, args: readonly string[]): Promise<Record<string, N>> {
  const { stdout } = await run(program, args);
  return JSON.parse(stdout) as Record<string, N>;
}

async function start(worker: Worker, entry: string): Promise<Peer> {
  const mailbox = new Mailbox();
  let ended = false;
  const receive = (message: unknown): void => mailbox.receive(message);
  worker.on("message", receive);
  worker.once("error", (error) => mailbox.fail(error));
  worker.once("exit", (status) => mailbox.fail(new Error(`worker ${entry} has ended with ${status}`)));
  if ((await mailbox.next()) !== UP) throw new Error(`worker ${entry} did not say that it is up`);
  return {
    post: (message, transfer = []) => worker.postMessage(message, transfer as never),
    next: () => mailbox.next(),
    async end() {
      if (!ended) await worker.terminate();
      ended = true;
    },
    get raw() {
      worker.off("message", receive);
      return worker;
    },
  };
}

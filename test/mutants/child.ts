// SPDX-License-Identifier: GPL-2.0-only
//
// Processes with a time limit: what hangs is killed, with everything that it has started.

import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Reply, Request } from "./workshop.ts";

// In two steps: bundlers would rewrite `new URL("…", import.meta.url)`.
const here = import.meta.url;
const RUN = fileURLToPath(new URL("../support/run.mjs", here));
const WORKSHOP = fileURLToPath(new URL("workshop.ts", here));

export interface Ended {
  /** Undefined: it was killed because its time was over. */
  status: number | undefined;
  output: string;
}

/** Runs a program of Node to its end, at most so long. */
export async function runNode(args: readonly string[], cwd: string, milliseconds: number): Promise<Ended> {
  const child = spawn(process.execPath, args, { cwd, stdio: ["ignore", "pipe", "pipe"], detached: true });
  let output = "";
  const keep = (text: Buffer): void => {
    output = (output + text.toString()).slice(-20_000);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    killGroup(child);
  }, milliseconds);
  const [code] = (await once(child, "close")) as [number | null];
  clearTimeout(timer);
  killGroup(child); // threads and processes that it left behind
  return { status: late ? undefined : (code ?? 1), output };
}

function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // nothing of it is left
  }
}

/** A workshop (workshop.ts) that is started again after a request that hung. */
export class Workshop {
  #child: ChildProcess | undefined;

  /** Return: the reply; undefined when it took too long, and the workshop was ended. */
  async ask(request: Request, milliseconds: number): Promise<Reply | undefined> {
    const child = (this.#child ??= fork(RUN, [WORKSHOP], { stdio: ["ignore", "inherit", "inherit", "ipc"] }));
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), milliseconds);
    const { signal } = abort;
    try {
      child.send(request);
      const gone = once(child, "exit", { signal }).then(() => {
        this.#child = undefined;
        return [{ problem: "the workshop died" }];
      });
      const [reply] = (await Promise.race([once(child, "message", { signal }), gone])) as [Reply];
      return reply;
    } catch {
      this.end();
      return undefined;
    } finally {
      clearTimeout(timer);
      abort.abort();
    }
  }

  end(): void {
    this.#child?.kill("SIGKILL");
    this.#child = undefined;
  }
}

// SPDX-License-Identifier: GPL-2.0-only
//
// A process with a time limit: when it hangs it is killed, with all its threads.

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Reply, Request } from "./workshop.ts";

// In two steps: bundlers would rewrite `new URL("…", import.meta.url)`.
const here = import.meta.url;
const RUN = fileURLToPath(new URL("../support/run.mjs", here));
const WORKSHOP = fileURLToPath(new URL("workshop.ts", here));

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

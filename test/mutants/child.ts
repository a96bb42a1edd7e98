// SPDX-License-Identifier: GPL-2.0-only
//
// A process with a time limit: when it hangs it is killed, with all its threads.

import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Reply, Request } from "./workshop.ts";

// In two steps: bundlers would rewrite `new URL("…", import.meta.url)`.
const here = import.meta.url;
const RUN = fileURLToPath(new URL("../support/run.mjs", here));
const WORKSHOP = fileURLToPath(new URL("workshop.ts", here));

/** A workshop (workshop.ts) that is started again after a request that hung. */
export class Workshop {
  #child: ChildProcess | undefined;

  /** Return: the reply; undefined when nothing was heard for so long, and the workshop was ended. */
  ask(request: Request, milliseconds: number): Promise<Reply | undefined> {
    const child = (this.#child ??= fork(RUN, [WORKSHOP], { stdio: ["ignore", "inherit", "inherit", "ipc"] }));
    return new Promise((resolve) => {
      const end = (reply: Reply | undefined): void => {
        clearTimeout(timer);
        child.removeAllListeners();
        resolve(reply);
      };
      const timer = setTimeout(() => {
        this.end();
        end(undefined);
      }, milliseconds);
      child.on("message", (reply: Reply) => {
        if (reply.goesOn === true) timer.refresh();
        else end(reply);
      });
      child.on("exit", () => {
        this.#child = undefined;
        end({ problem: "the workshop died" });
      });
      child.send(request);
    });
  }

  end(): void {
    this.#child?.kill("SIGKILL");
    this.#child = undefined;
  }
}

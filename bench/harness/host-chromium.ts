// SPDX-License-Identifier: GPL-2.0-only
//
// What a bench gets in Chromium, where it runs in a worker of a page that is served with the isolation headers: a page itself
// may not block, and a thread that benches must.

import type { Host, Peer } from "./bench.ts";
import { Mailbox, UP } from "./mailbox.ts";

/** `root`: URL of the project. `built`: URL of the folder of the built benches. */
export function chromiumHost({ root, built, smoke }: { root: URL; built: URL; smoke: boolean }): Host {
  return {
    name: "chromium",
    cores: navigator.hardwareConcurrency,
    smoke,
    async bytes(path) {
      const response = await fetch(new URL(path, root));
      if (!response.ok) throw new Error(`${path}: ${response.status}`);
      return new Uint8Array(await response.arrayBuffer());
    },
    spawn: (entry) => start(new Worker(new URL(`workers/${entry}.js`, built), { type: "module" }), entry),
  };
}

async function start(worker: Worker, entry: string): Promise<Peer> {
  const mailbox = new Mailbox();
  const receive = ({ data }: MessageEvent): void => mailbox.receive(data);
  worker.addEventListener("message", receive);
  worker.addEventListener("error", ({ message }) => mailbox.fail(new Error(`worker ${entry}: ${message}`)));
  worker.addEventListener("messageerror", () => mailbox.fail(new Error(`worker ${entry}: a message is lost`)));
  if ((await mailbox.next()) !== UP) throw new Error(`worker ${entry} did not say that it is up`);
  return {
    post: (message, transfer = []) => worker.postMessage(message, transfer),
    next: () => mailbox.next(),
    end() {
      worker.terminate();
      mailbox.fail(new Error(`worker ${entry} was ended`));
      return Promise.resolve();
    },
    get raw() {
      worker.removeEventListener("message", receive);
      return worker;
    },
  };
}

// SPDX-License-Identifier: GPL-2.0-only
/**
 * The worker's side of a `Peer`, in both hosts. Importing it says to the other side that the worker is up; messages wait until
 * they are asked for.
 *
 * `raw` is the port (a MessagePort of worker_threads, or the worker's global scope) for libraries that want one; whoever reads it
 * gets the messages from then on.
 */
import type { Peer } from "./bench.ts";
import { Mailbox, UP } from "./mailbox.ts";

interface Port {
  postMessage(message: unknown, transfer?: Transferable[]): void;
}

const mailbox = new Mailbox();
let deaf = false;

const receive = (message: unknown): void => {
  if (!deaf) mailbox.receive(message);
};

const isNode = typeof process !== "undefined" && process.versions?.node !== undefined;
const port: Port = isNode ? await portOfNode() : portOfPage();

async function portOfNode(): Promise<Port> {
  const { parentPort } = await import("node:worker_threads");
  if (parentPort === null) throw new Error("this is no worker");
  parentPort.on("message", receive);
  return parentPort as unknown as Port;
}

function portOfPage(): Port {
  globalThis.addEventListener("message", ({ data }: MessageEvent) => receive(data));
  return globalThis as unknown as Port;
}

export const peer: Pick<Peer, "post" | "next" | "raw"> = {
  post: (message, transfer = []) => port.postMessage(message, transfer),
  next: () => mailbox.next(),
  get raw() {
    deaf = true;
    return port;
  },
};

port.postMessage(UP);

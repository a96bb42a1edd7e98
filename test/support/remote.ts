// SPDX-License-Identifier: GPL-2.0-only
//
// A served file for one test: the machine, the context, both ends, or the raw end of a client that keeps no rules.

import type { IommufdContext } from "iommufd-wasm";
import { connect, serve, type RemoteContext, type RemoteServer, type ServeOptions } from "iommufd-wasm/remote";
import { onTestFinished } from "vitest";
import { isBrowser } from "./environment.ts";
import { boot, type Booted } from "./boot.ts";

/** Whether the host tells when the other end of a port is closed or dead. */
export const hasCloseEvent: boolean = !isBrowser || "onclose" in MessagePort.prototype;

export interface Served extends Booted {
  context: IommufdContext;
  server: RemoteServer;
}

interface ServedPort extends Served {
  /** The client's end of the channel. */
  port: MessagePort;
}

/** A file with the server on one end of a channel; what it throws is collected by `onError` of the options. */
export async function serveOne(options: ServeOptions = {}, booted?: Booted): Promise<ServedPort> {
  const { iommufd, warnings } = booted ?? (await boot());
  const context = iommufd.open();
  const { port1, port2 } = new MessageChannel();
  const server = serve(port1, context, options);
  onTestFinished(async () => {
    await server.close();
    port2.close();
  });
  return { iommufd, warnings, context, server, port: port2 };
}

/** The same with an honest client. */
export async function serveAndConnect(
  options: ServeOptions = {},
  booted?: Booted,
): Promise<Served & { remote: RemoteContext }> {
  const { port, ...served } = await serveOne(options, booted);
  return { ...served, remote: connect(port) };
}

/** A client without rules: posts what it likes, and has every message of the server in order. */
export class RawClient {
  readonly #port: MessagePort;
  readonly #heard: unknown[] = [];
  readonly #takers: ((message: Said) => void)[] = [];

  constructor(port: MessagePort) {
    this.#port = port;
    port.addEventListener("message", ({ data }) => {
      const taker = this.#takers.shift();
      if (taker === undefined) this.#heard.push(data);
      else taker(data as Said);
    });
    port.start();
  }

  /** Posts anything that can be cloned. */
  post(message: unknown, transfer: Transferable[] = []): void {
    this.#port.postMessage(message, transfer);
  }

  /** The server's next message. */
  next(): Promise<Said> {
    if (this.#heard.length > 0) return Promise.resolve(this.#heard.shift() as Said);
    return new Promise((resolve) => this.#takers.push(resolve));
  }

  /** Says hello and takes the welcome. */
  async enter(): Promise<Said> {
    this.post({ kind: "hello", version: 1 });
    return this.next();
  }

  /** Messages that came and were not taken. */
  get unread(): number {
    return this.#heard.length;
  }
}

/** A message of the server, as it came. */
export type Said = Record<string, unknown> & { kind: string };

/** A well-formed call; `more` replaces fields. */
export function callMessage(id: number, request: number, bytes: Uint8Array, more: object = {}): object {
  return { kind: "call", id, request, bytes, timeoutMs: Infinity, ...more };
}

// SPDX-License-Identifier: GPL-2.0-only
//
// A port as comlink wants it: in Node through the adapter that comlink brings, elsewhere as it is.

import type { Endpoint } from "comlink";

export async function endpointOf(port: MessagePort): Promise<Endpoint> {
  if (typeof process === "undefined") return port;
  const { default: nodeEndpoint } = await import("comlink/dist/esm/node-adapter.mjs");
  return nodeEndpoint(port);
}

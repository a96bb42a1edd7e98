// SPDX-License-Identifier: GPL-2.0-only
/**
 * The owner thread of rival (d): it has the objects, in a plain `Map`, and answers whoever has a port to it. What JavaScript
 * can do without shared memory.
 */
import * as Comlink from "comlink";
import { Owner } from "../rivals/comlink.ts";
import { endpointOf } from "../rivals/comlink-endpoint.ts";
import { peer } from "../harness/peer.ts";

const { ports, objects } = (await peer.next()) as { ports: MessagePort[]; objects: number };
const owner = new Owner(objects);
for (const port of ports) Comlink.expose(owner, await endpointOf(port));
peer.post("ready");

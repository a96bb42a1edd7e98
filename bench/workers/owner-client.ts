// SPDX-License-Identifier: GPL-2.0-only
/**
 * A client of the owner thread: it has a port to it, and does one kind of operation for as long as it is told. Each call is awaited,
 * as its user needs the answer.
 */
import * as Comlink from "comlink";
import { type Window, type Work, meet } from "../harness/crew.ts";
import { peer } from "../harness/peer.ts";
import type { Owner } from "../rivals/comlink.ts";
import { endpointOf } from "../rivals/comlink-endpoint.ts";
import type { Operation, Task } from "./operations.ts";

/** `whole`: one message for the whole operation, instead of one for each call. */
export interface OwnerTask extends Task {
  readonly whole: boolean;
}

type Client = Comlink.Remote<Owner>;

const WHOLE: Readonly<Record<Operation, (owner: Client, id: number) => Promise<boolean>>> = {
  "get + put": (owner, id) => owner.getPut(id),
  "alloc + finalize + destroy": (owner) => owner.life(),
  "alloc + abort": (owner) => owner.reservation(),
  "destroy of a missing ID": async (owner) => (await owner.tryDestroy(MISSING)) === ENOENT,
};

const CALLS: typeof WHOLE = {
  async "get + put"(owner, id) {
    const handle = await owner.tryGet(id);
    await owner.put(handle);
    return handle > 0;
  },
  async "alloc + finalize + destroy"(owner) {
    const id = await owner.finalize(await owner.tryAlloc());
    return (await owner.tryDestroy(id)) === 0;
  },
  async "alloc + abort"(owner) {
    const handle = await owner.tryAlloc();
    await owner.abort(handle);
    return handle > 0;
  },
  "destroy of a missing ID": WHOLE["destroy of a missing ID"],
};

const MISSING = 0x7fff_0000;
const ENOENT = -2;

async function askFor(client: Client, task: OwnerTask & Window): Promise<Work> {
  const operate = (task.whole ? WHOLE : CALLS)[task.operation];
  meet(task);
  const start = performance.now();
  let operations = 0;
  let milliseconds: number;
  do {
    const id = task.first + (operations & 255) * task.stride;
    if (!(await operate(client, id))) throw new Error(`${task.operation} failed at the owner`);
    operations++;
    milliseconds = performance.now() - start;
  } while (milliseconds < task.milliseconds);
  return { operations, milliseconds };
}

const { port } = (await peer.next()) as { port: MessagePort };
const client = Comlink.wrap<Owner>(await endpointOf(port));
peer.post("ready");
for (;;) peer.post(await askFor(client, (await peer.next()) as OwnerTask & Window));

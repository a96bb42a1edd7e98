// SPDX-License-Identifier: GPL-2.0-only
/**
 * Shared memory against messages: as many threads as there are cores do the operations that do not wait, on one context of ours, and on
 * a `Map` that belongs to one more thread, which they ask with comlink.
 *
 * The owner is asked in two ways: by a message for each call, which is how one uses it, and by one message for a whole operation, which is
 * the best that can be done for it. The bar is about the first, the second is told beside it.
 */
import { Iommufd } from "iommufd-wasm";
import type { Bench, Host, Result, Spread } from "./harness/bench.ts";
import { Crew } from "./harness/crew.ts";
import { ratio, summary } from "./harness/rounds.ts";
import type { Operation, Task } from "./workers/operations.ts";
import type { OwnerTask } from "./workers/owner-client.ts";

const CALLS_OF: Readonly<Record<Operation, number>> = {
  "get + put": 2,
  "alloc + finalize + destroy": 3,
  "alloc + abort": 2,
  "destroy of a missing ID": 1,
};
const OPERATIONS = Object.keys(CALLS_OF) as Operation[];
const APART = 1024;
const OURS = "iommufd-wasm";
const CALLS = "comlink, a message for each call";
const WHOLE = "comlink, one message";

const BARS: Result["bars"] = OPERATIONS.map((operation) => ({
  ratio: `${operation}: ${OURS} / ${CALLS}`,
  limit: 200,
  kind: "least",
  text: `${operation} by all cores, against comlink to an owner thread`,
}));

export default {
  title: "shared memory, or messages to an owner",
  async run(host) {
    const iommufd = Iommufd.createSync();
    const type = iommufd.defineObjectType({ name: "BENCH", payloadBytes: 16 });
    const context = iommufd.open();
    const threads = Array.from({ length: host.cores }, (_, thread) => thread);
    const objects = threads.length * APART;
    for (let made = 0; made < objects; made++) context.finalize(context.tryAlloc(type));

    const { share } = iommufd;
    const ours = await Crew.start(
      host,
      "operations",
      threads.map(() => ({ message: { kind: "ours", share, fd: context.fd } })),
    );
    const { clients, owner } = await startOwner(host, threads.length, objects);
    const samples: Record<string, number[]> = {};
    const measure = async (name: string, crew: Crew, tasks: readonly object[]): Promise<void> => {
      const rate = await crew.perSecond(tasks, host.smoke ? 5 : 150);
      (samples[name] ??= []).push(rate);
    };
    const tasksOf = (operation: Operation): Task[] =>
      threads.map((thread) => ({ operation, first: 1 + thread * APART, stride: 1 }));
    const askOf = (operation: Operation, whole: boolean): OwnerTask[] =>
      tasksOf(operation).map((task) => ({ ...task, whole }));

    for (let round = host.smoke ? 0 : -1; round < (host.smoke ? 2 : 9); round++) {
      for (const operation of OPERATIONS) {
        await measure(`${operation}: ${OURS}`, ours, tasksOf(operation));
        await measure(`${operation}: ${CALLS}`, clients, askOf(operation, false));
        if (CALLS_OF[operation] > 1) await measure(`${operation}: ${WHOLE}`, clients, askOf(operation, true));
      }
      if (round === -1) for (const name of Object.keys(samples)) samples[name] = [];
    }
    if (context.objects().some(({ users, holders }) => users !== 1 || holders !== 0)) throw new Error("a lock is left");
    if (context.objects().length !== objects) throw new Error("an object is left");
    await Promise.all([ours.end(), clients.end(), owner.end()]);
    return resultOf(samples);
  },
} satisfies Bench;

async function startOwner(host: Host, threads: number, objects: number): Promise<{ clients: Crew; owner: Crew }> {
  const channels = Array.from({ length: threads }, () => new MessageChannel());
  const ports = channels.map(({ port1 }) => port1);
  const owner = await Crew.start(host, "owner", [{ message: { ports, objects }, transfer: ports }]);
  const clients = await Crew.start(
    host,
    "owner-client",
    channels.map(({ port2 }) => ({ message: { port: port2 }, transfer: [port2] })),
  );
  return { clients, owner };
}

function resultOf(samples: Readonly<Record<string, readonly number[]>>): Result {
  const ratios: Record<string, Spread> = {};
  for (const operation of OPERATIONS) {
    const name = `${operation}: ${OURS}`;
    for (const rival of [CALLS, WHOLE]) {
      const values = samples[`${operation}: ${rival}`];
      if (values) ratios[`${name} / ${rival}`] = ratio(samples[name] ?? [], values);
    }
  }
  const candidates = Object.fromEntries(Object.entries(samples).map(([name, values]) => [name, summary(values)]));
  return { unit: "operations per second", candidates, ratios, bars: BARS };
}

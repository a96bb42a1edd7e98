// SPDX-License-Identifier: GPL-2.0-only
//
// Kills: workers that do everything at once are killed one after the other at a random moment, each is reaped, and in the end
// nothing is left of any of them.
//
//   after each kill   the thread's slot is free; what it held is given back, so every object can be looked up and let go of
//   after all         files closed, kept users dropped: no object, no mapping that a living thread does not have, no process, no
//                     memfd, no lock, no record, no warning; and another round of the same size takes no more memory
//
// What belongs to the process and not to a thread outlives it, as on Linux: open files, finished mappings, kept users, processes, memfds.
// The killer closes, unmaps, drops and ends those.

import { Iommufd, type IommufdOptions, type ReapReport } from "iommufd-wasm";
import { startThread } from "./thread.ts";
import { DOINGS } from "./doings.js";
import { random } from "./seeded.js";

export interface KillOptions extends IommufdOptions {
  /** At least so many. */
  kills: number;
  /** Victims that run at a time. */
  threads: number;
  seed: number;
}

export interface KillResult {
  kills: number;
  /** How many died inside a call, by what they said. */
  inside: number;
  /** How many died in the middle of a change, by what they left in the shared memory. */
  interrupted: number;
  /** What they were doing. */
  doings: Record<string, number>;
  /** Records that were given back. */
  records: number;
}

const FILES = 2;
const TYPE_NAMES = ["holder", "held", "plain"];

interface Victim {
  kill(): Promise<ReapReport>;
  readonly doing: Int32Array;
}

export async function runKills({ kills, threads, seed, ...options }: KillOptions): Promise<KillResult> {
  const failures: string[] = [];
  const iommufd = await Iommufd.create({ memoryBytes: 32 * 2 ** 20, ...options });
  for (const name of TYPE_NAMES) {
    iommufd.defineObjectType({ name, payloadBytes: 8, ...(name !== "plain" && { destroy: () => undefined }) });
  }
  const fds = Array.from({ length: FILES }, () => iommufd.open().fd);
  const next = random(seed);
  const start = (): Promise<Victim> => startVictim(iommufd, fds, next());
  const result: KillResult = { kills: 0, inside: 0, interrupted: 0, doings: {}, records: 0 };
  const victims = await Promise.all(Array.from({ length: threads }, start));
  while (result.kills + threads < kills) {
    // Half of them go at the same time, while the others work on.
    const dying = victims.splice(0, Math.ceil(threads / 2));
    await killAll(dying, next() % 8, result);
    victims.push(...(await Promise.all(dying.map(start))));
  }
  await killAll(victims, next() % 8, result);
  takeDown(iommufd);
  const { objects, files, mappings, processes, memfds, waiting, threads: attached, warnings } = iommufd.stats();
  const left = {
    ...objects,
    files: files.open,
    mappings,
    processes: processes.alive - 1,
    memfds: memfds.used,
    waiting: waiting.length,
    threads: attached.attached - 1,
  };
  for (const [what, count] of Object.entries(left)) if (count !== 0) failures.push(`${count} ${what} left`);
  for (const [kind, count] of Object.entries(warnings)) if (count !== 0) failures.push(`${count} warnings ${kind}`);
  iommufd.detach();
  if (failures.length > 0) throw new Error(`after ${result.kills} kills (seed ${seed}): ${failures.join(", ")}`);
  return result;
}

/** After some milliseconds, so that those who have just started are at work. */
async function killAll(victims: readonly Victim[], afterMs: number, result: KillResult): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  const reports = await Promise.all(victims.map((victim) => victim.kill()));
  victims.forEach(({ doing }, index) => count(result, doing, reports[index]));
}

function count(result: KillResult, word: Int32Array, report: ReapReport | undefined): void {
  if (report === undefined) throw new Error("no report");
  const doing = DOINGS[Atomics.load(word, 0)] ?? "?";
  result.kills++;
  result.doings[doing] = (result.doings[doing] ?? 0) + 1;
  if (doing !== "outside") result.inside++;
  if (report.interrupted) result.interrupted++;
  result.records += report.locked + report.reserved + report.waiting;
}

async function startVictim(iommufd: Iommufd, fds: number[], seed: number): Promise<Victim> {
  const thread = await startThread("victim.js");
  const doing = new Int32Array(new SharedArrayBuffer(4));
  let number = -1;
  const reaped = new Promise<ReapReport>((resolve) => {
    const stop = iommufd.watch(thread.worker, {
      onReaped(report) {
        if (report.number !== number) return; // in a page one call watches all
        stop();
        resolve(report);
      },
    });
  });
  thread.post({ share: iommufd.share, fds, word: doing, seed });
  number = (await thread.next<{ thread: number }>()).thread;
  return {
    doing,
    async kill() {
      await thread.terminate();
      return reaped;
    },
  };
}

/** All that belongs to the process: objects first, users that dead threads kept included; then files and mappings. */
function takeDown(iommufd: Iommufd): void {
  for (let fd = 3; fd < 3 + iommufd.stats().files.max; fd++) {
    let context;
    try {
      context = iommufd.file(fd);
    } catch {
      continue;
    }
    for (const { id, state } of context.objects()) {
      if (state !== "live") throw new Error(`object ${id} of file ${fd} is ${state}`);
      const handle = context.tryGet(id);
      if (handle < 0) throw new Error(`object ${id} of file ${fd} answers ${handle}`);
      while (context.dropUser(handle) === 0);
      context.put(handle);
    }
    for (const { id, users, holders } of context.objects()) {
      const held = context
        .objects()
        .flatMap(({ references }) => references)
        .filter((other) => other === id).length;
      if (users !== 1 + held || holders !== 0)
        throw new Error(`object ${id}: ${users} users, ${holders} holders, ${held} holds`);
    }
    context.close();
  }
  for (const mapping of iommufd.userSpace.mappings()) iommufd.userSpace.unmap(mapping);
  for (const space of iommufd.userSpaces()) if (space !== iommufd.userSpace) space.exit();
  for (const memfd of iommufd.memfds()) memfd.close();
}

// SPDX-License-Identifier: GPL-2.0-only
//
// Threads that die without a goodbye: the rest goes on, and nothing of theirs is lost.

import type { Iommufd, ReapReport, WatchableWorker } from "iommufd-wasm";
import { describe, expect, onTestFinished, test } from "vitest";
import { ABIS, boot } from "./support/boot.ts";
import { Board } from "./support/lab-board.js";
import { startThread } from "./support/thread.ts";

interface Mortal {
  readonly number: number;
  readonly worker: WatchableWorker;
  call<T>(task: string, args?: object): Promise<T>;
  /** Asks for a call that does not answer. */
  begin(task: string, args?: object): void;
  /** Resolves when it is dead and reaped. */
  kill(): Promise<ReapReport>;
}

/** A thread that does what it is told, and is watched. */
async function startMortal(iommufd: Iommufd): Promise<Mortal> {
  const before = new Set(iommufd.stats().threads.list.map(({ number }) => number));
  const thread = await startThread("member.js");
  onTestFinished(() => thread.terminate());
  const call = <T>(task: string, args: object = {}): Promise<T> => {
    thread.post({ task, args });
    return thread.next<T>();
  };
  await call("attach", { share: iommufd.share, number: 1, buffer: new Board().buffer });
  const number = iommufd.stats().threads.list.find((each) => !before.has(each.number))?.number ?? -1;
  return {
    number,
    worker: thread.worker,
    call,
    begin: (task, args = {}) => thread.post({ task, args }),
    async kill() {
      const reaped = new Promise<ReapReport>((onReaped) => iommufd.watch(thread.worker, { onReaped }));
      await thread.terminate();
      return reaped;
    },
  };
}

describe.each(ABIS)("%s", (abi) => {
  test("what a dead thread had locked and reserved is given back, and who waited goes on", async () => {
    const { iommufd, warnings } = await boot({ abi });
    const type = iommufd.defineObjectType({ name: "T", payloadBytes: 8 });
    const context = iommufd.open();
    const id = context.alloc(type).finalize();
    const mortal = await startMortal(iommufd);
    await mortal.call("type", { name: "T" });
    expect(await mortal.call("reserve", { fd: context.fd, type: "T" })).toBe(2);
    expect(await mortal.call<number>("lock", { fd: context.fd, id })).toBeGreaterThan(0);
    const reference = context.get(id).putKeepUser();
    const destroyed = reference.destroyUserAsync();
    expect(context.inspect(id)).toMatchObject({ state: "destroying" });
    expect(await mortal.kill()).toMatchObject({ number: mortal.number, locked: 1, reserved: 1, waiting: 0 });
    expect(await destroyed).toBe(true);
    expect(context.objects()).toEqual([]);
    expect(context.alloc(type).id).toBe(1);
    expect(iommufd.stats().threads.attached).toBe(1);
    expect(warnings).toEqual([]);
  });

  test("a destroy that a dead thread waited in is given up, and its references by fget are given back", async () => {
    const { iommufd } = await boot({ abi });
    const type = iommufd.defineObjectType({ name: "T", payloadBytes: 8 });
    const context = iommufd.open();
    const id = context.alloc(type).finalize();
    const mortal = await startMortal(iommufd);
    await mortal.call("fget", { fd: context.fd });
    await mortal.call("keep", { fd: context.fd, id });
    const held = context.get(id);
    mortal.begin("destroyUser", { id });
    while (context.inspect(id)?.state !== "destroying") await new Promise((resolve) => setTimeout(resolve));
    expect((await mortal.kill()).waiting).toBe(1);
    expect(context.inspect(id)).toMatchObject({ state: "live", users: 3, holders: 1 });
    held.dropUser(); // the kept user is the context's again
    held.put();
    context.destroy(id);
    context.close();
    expect(iommufd.stats().files.open).toBe(0);
  });
});

test("a thread that lives, or is not known to be dead, is EBUSY; numbers that are no thread's are errors", async () => {
  const { iommufd } = await boot();
  const mortal = await startMortal(iommufd);
  await expect(iommufd.reap(mortal.number)).rejects.toMatchObject({ code: "EBUSY", errno: -16 });
  await expect(iommufd.reap(iommufd.thread)).rejects.toMatchObject({ code: "EBUSY" });
  await mortal.kill();
  await expect(iommufd.reap(mortal.number)).rejects.toMatchObject({ code: "ESRCH" });
  for (const thread of [-1, 64, 1.5, NaN, "1" as never]) {
    await expect(iommufd.reap(thread)).rejects.toMatchObject({ code: "EINVAL" });
  }
  for (const worker of [undefined, null, 7, "worker"]) {
    expect(() => iommufd.watch(worker as never)).toThrowError(expect.objectContaining({ code: "EINVAL" }));
  }
});

test("who has stopped watching hears nothing", async () => {
  const { iommufd } = await boot();
  const mortal = await startMortal(iommufd);
  const reports: ReapReport[] = [];
  iommufd.watch(mortal.worker, { onReaped: (report) => reports.push(report) })();
  await mortal.kill();
  expect(reports).toEqual([]);
});

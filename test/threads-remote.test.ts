// SPDX-License-Identifier: GPL-2.0-only
//
// serve() and connect() in different threads of the host: an untrusted worker that has a port and no shared memory, and its death.

import { IOMMU_DESTROY, type IommufdContext } from "iommufd-wasm";
import { connect, serve, type RemoteServer, type ServeOptions } from "iommufd-wasm/remote";
import { describe, expect, onTestFinished, test } from "vitest";
import { answer } from "./support/answer.ts";
import { type Booted, boot } from "./support/boot.ts";
import { until } from "./support/crew.ts";
import { ECHO_REPLY, ECHO_SIZE, defineEcho, echoBytes } from "./support/echo.ts";
import { counts, loggedType, make, plainType } from "./support/objects.ts";
import { type Thread, startThread } from "./support/thread.ts";

interface WithWorker extends Booted {
  context: IommufdContext;
  server: RemoteServer;
  thread: Thread;
}

/** A worker that has the other end of a served file's port. */
async function serveToWorker(options: ServeOptions = {}): Promise<WithWorker> {
  const booted = await boot();
  const context = booted.iommufd.open();
  const thread = await startThread("remote-client.js");
  const { port1, port2 } = new MessageChannel();
  const server = serve(port1, context, options);
  onTestFinished(async () => {
    await server.close();
    await thread.terminate();
  });
  handOver(thread, { task: "connect", port: port2 }, port2);
  expect(await thread.next()).toBe("connected");
  return { ...booted, context, server, thread };
}

function handOver(thread: Thread, message: object, port: MessagePort): void {
  (thread.worker as Worker).postMessage(message, [port]);
}

function destroyBytes(id: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(8, id).buffer);
}

/** What the worker's next call answered. */
async function nextResult(thread: Thread): Promise<number | string> {
  return answer((await thread.next<{ result: number }>()).result);
}

describe("a worker with a port and nothing else", () => {
  test("makes ioctls, gets errnos and replies, and closes the file", async () => {
    const { iommufd, context, server, thread } = await serveToWorker();
    const { request } = defineEcho(iommufd);
    const log: number[] = [];
    const below = make(context, loggedType(iommufd, log));
    make(context, plainType(iommufd), below);
    thread.post({ task: "ioctl", request, bytes: echoBytes(ECHO_SIZE, ECHO_SIZE, ECHO_REPLY) });
    const { result, bytes } = await thread.next<{ result: number; bytes: Uint8Array }>();
    expect([result, bytes[8], bytes.length]).toEqual([0, 0xfe, ECHO_SIZE]);
    for (const [id, expected] of [
      [below, "EBUSY"],
      [2, 0],
      [below, 0],
      [below, "ENOENT"],
    ] as const) {
      thread.post({ task: "ioctl", request: IOMMU_DESTROY.request, bytes: destroyBytes(id) });
      expect(await nextResult(thread)).toBe(expected);
    }
    expect(log).toEqual([below]);
    thread.post({ task: "close" });
    expect(await thread.next()).toMatchObject({ code: "closed" });
    expect((await server.closed).code).toBe("closed");
    expect(iommufd.stats()).toMatchObject({ files: { open: 0 }, objects: { live: 0 } });
  });

  test("may wait for this thread without blocking it", async () => {
    const { iommufd, context, server, thread } = await serveToWorker();
    const id = make(context, plainType(iommufd));
    const lock = context.get(id);
    thread.post({ task: "ioctl", request: IOMMU_DESTROY.request, bytes: destroyBytes(id) });
    await until(() => server.stats().inFlight === 1);
    expect(counts(context, id)).toBe("3/1 destroying");
    lock.put();
    expect(await nextResult(thread)).toBe(0);
    expect(counts(context, id)).toBe("absent");
  });
});

describe("a worker that is terminated", () => {
  test.each(["idle", "busy"])("while it is %s ends the connection, and its file is released", async (how) => {
    const { iommufd, context, server, thread } = await serveToWorker();
    const log: number[] = [];
    const id = make(context, loggedType(iommufd, log));
    if (how === "busy") {
      thread.post({ task: "spin" });
      expect(await thread.next()).toBe("spinning");
    }
    await thread.terminate();
    expect((await server.closed).code).toBe("gone");
    expect(log).toEqual([id]);
    expect(iommufd.stats()).toMatchObject({ files: { open: 0 }, objects: { live: 0 } });
  });

  test("while it waits leaves what it waited for as it was", async () => {
    const { iommufd, context, server, thread } = await serveToWorker({ closeContext: false });
    const id = make(context, plainType(iommufd));
    const lock = context.get(id);
    thread.post({ task: "ioctl", request: IOMMU_DESTROY.request, bytes: destroyBytes(id) });
    await until(() => server.stats().inFlight === 1);
    await thread.terminate();
    expect((await server.closed).code).toBe("gone");
    expect(counts(context, id)).toBe("2/1 live");
    expect(iommufd.stats().waiting).toEqual([]);
    lock.put();
    context.destroy(id);
    context.close();
  });
});

describe("a worker that serves", () => {
  test("makes the calls of this thread, which has no part in the kernel for it", async () => {
    const { iommufd } = await boot();
    const context = iommufd.open();
    const id = make(context, plainType(iommufd));
    const thread = await startThread("remote-client.js");
    onTestFinished(() => thread.terminate());
    const { port1, port2 } = new MessageChannel();
    handOver(thread, { task: "serve", share: iommufd.share, fd: context.fd, port: port1 }, port1);
    expect(await thread.next()).toBe("serving");
    const remote = connect(port2);
    const lock = context.get(id);
    const destroyed = remote.tryIoctl(IOMMU_DESTROY.request, destroyBytes(id));
    await until(() => context.inspect(id)?.state === "destroying");
    lock.put();
    expect(await destroyed).toBe(0);
    remote.close();
    expect((await remote.closed).code).toBe("closed");
    expect(await thread.next()).toBe("closed");
    expect(iommufd.stats().threads.attached).toBe(1);
  });
});

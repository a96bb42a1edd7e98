// SPDX-License-Identifier: GPL-2.0-only
//
// How a connection between serve() and connect() ends, by whom, and what becomes of the calls and of the file.

import { IOMMU_DESTROY } from "iommufd-wasm";
import { connect, serve } from "iommufd-wasm/remote";
import { describe, expect, test } from "vitest";
import { answer, errnoOfAsync } from "../support/answer.ts";
import { boot } from "../support/boot.ts";
import { counts, loggedType, make, plainType } from "../support/objects.ts";
import { hasCloseEvent, serveAndConnect, serveOne } from "../support/remote.ts";

describe("the end", () => {
  test("by the client: the file is closed, its objects are released, both sides know why", async () => {
    const { remote, server, context, iommufd } = await serveAndConnect();
    const log: number[] = [];
    make(context, loggedType(iommufd, log));
    expect(await errnoOfAsync(remote.ioctl(IOMMU_DESTROY.request, Uint32Array.of(8, 9)))).toBe("ENOENT");
    remote.close();
    expect(await remote.closed).toEqual({ code: "closed", message: "the client closed the connection" });
    expect((await server.closed).code).toBe("closed");
    expect(log).toEqual([1]);
    expect(iommufd.stats()).toMatchObject({ files: { open: 0 }, objects: { live: 0 } });
    expect(answer(await remote.tryIoctl(0, null))).toBe("EBADF");
    expect(server.stats().state).toBe("closed");
  });

  test("by the client, before the server has said anything, and after all is over", async () => {
    const { remote, server } = await serveAndConnect();
    const called = remote.tryIoctl(0, null);
    remote.close();
    expect(answer(await called)).toBe("EBADF");
    expect((await server.closed).code).toBe("closed");
    expect((await remote.closed).code).toBe("closed");
    await expect(remote.ready).rejects.toMatchObject({ code: "ECONNRESET" });
    remote.close();
  });

  test("by the client, whose server is silent: the second close does not wait for it", async () => {
    const { port1, port2 } = new MessageChannel();
    const remote = connect(port2);
    port1.postMessage({ kind: "welcome", version: 1, maxInFlight: 1, maxBytes: 8, lock: "" });
    await remote.ready;
    const called = remote.tryIoctl(0, null);
    remote.close();
    remote.close();
    expect((await remote.closed).code).toBe("closed");
    expect(answer(await called)).toBe("ECONNRESET");
    port1.close();
  });

  test("leaves the file to its owner where it is told so, or where a reference was served", async () => {
    const { remote, server, context, iommufd } = await serveAndConnect({ closeContext: false });
    const id = make(context, plainType(iommufd));
    remote.close();
    await server.closed;
    expect(counts(context, id)).toBe("1/0 live");
    const { port1, port2 } = new MessageChannel();
    const second = serve(port1, iommufd.fget(context.fd));
    await connect(port2).ready;
    await second.close();
    expect(counts(context, id)).toBe("1/0 live");
    context.destroy(id);
    context.close();
    expect(iommufd.stats().files.open).toBe(0);
  });

  test("by the server gives up what waits: undone, ECANCELED; what is queued is EBADF", async () => {
    const { remote, server, context, iommufd } = await serveAndConnect({ maxInFlight: 1, closeContext: false });
    const id = make(context, plainType(iommufd));
    const lock = context.get(id);
    const waiting = remote.tryIoctl(IOMMU_DESTROY.request, Uint32Array.of(8, id));
    const queued = remote.tryIoctl(0, null);
    await remote.ready;
    while (server.stats().inFlight === 0) await new Promise((resolve) => setTimeout(resolve));
    expect(await server.close()).toMatchObject({ code: "closed" });
    expect(counts(context, id)).toBe("2/1 live");
    expect([answer(await waiting), answer(await queued)]).toEqual(["ECANCELED", "EBADF"]);
    expect(await remote.closed).toEqual({ code: "closed", message: "the server closed the connection" });
    lock.put();
    context.close();
  });

  test("by the server with drain waits for what is in flight, refuses what comes, then closes", async () => {
    const { remote, server, context, iommufd } = await serveAndConnect({ maxInFlight: 2 });
    const id = make(context, plainType(iommufd));
    const lock = context.get(id);
    const waiting = remote.tryIoctl(IOMMU_DESTROY.request, Uint32Array.of(8, id));
    await remote.tryIoctl(0, null);
    const closed = server.close({ drain: true });
    expect(server.stats().state).toBe("closing");
    expect(answer(await remote.tryIoctl(0, null))).toBe("ESHUTDOWN");
    lock.put();
    expect(await waiting).toBe(0);
    expect((await closed).code).toBe("closed");
    expect((await remote.closed).code).toBe("closed");
    expect(iommufd.stats().files.open).toBe(0);
  });

  test("comes at last to a drain that waits for ever, by a close without it", async () => {
    const { remote, server, context, iommufd } = await serveAndConnect({ closeContext: false });
    const id = make(context, plainType(iommufd));
    const lock = context.get(id);
    const waiting = remote.tryIoctl(IOMMU_DESTROY.request, Uint32Array.of(8, id));
    await remote.tryIoctl(0, null);
    const drained = server.close({ drain: true });
    await server.close();
    expect((await drained).code).toBe("closed");
    expect(answer(await waiting)).toBe("ECANCELED");
    lock.put();
    context.close();
  });

  test.runIf(hasCloseEvent)("comes when the client's port is closed without a word", async () => {
    const { port, server, iommufd, context } = await serveOne();
    make(context, plainType(iommufd));
    const remote = connect(port);
    await remote.ready;
    port.close();
    expect((await server.closed).code).toBe("gone");
    expect(iommufd.stats()).toMatchObject({ files: { open: 0 }, objects: { live: 0 } });
  });

  test.runIf(hasCloseEvent)(
    "makes calls in flight ECONNRESET when the server's port is closed without a word",
    async () => {
      const { port1, port2 } = new MessageChannel();
      const remote = connect(port2);
      const called = remote.tryIoctl(0, null);
      port1.addEventListener("message", ({ data }: MessageEvent<{ kind: string }>) => {
        if (data.kind === "hello")
          port1.postMessage({ kind: "welcome", version: 1, maxInFlight: 1, maxBytes: 8, lock: "" });
        else port1.close();
      });
      port1.start();
      expect(answer(await called)).toBe("ECONNRESET");
      expect((await remote.closed).code).toBe("gone");
      await remote.ready;
    },
  );

  test("comes by the server's signal, also by one that has fired already", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const first = await serveAndConnect({ signal });
    await first.remote.ready;
    controller.abort();
    const second = await serveAndConnect({ signal });
    expect(await first.remote.closed).toEqual({ code: "closed", message: "the server closed the connection" });
    expect((await second.server.closed).code).toBe("closed");
    await expect(second.remote.ready).rejects.toMatchObject({ code: "ECONNRESET" });
  });

  test("of the Iommufd: calls answer an errno, and the connection can still be closed", async () => {
    const { remote, server, iommufd } = await serveAndConnect();
    await remote.ready;
    iommufd.detach();
    expect(await remote.tryIoctl(IOMMU_DESTROY.request, Uint32Array.of(8, 1))).toBeLessThan(0);
    expect((await server.close()).code).toBe("closed");
  });

  test("of the file by its owner: calls are EBADF", async () => {
    const { remote, context } = await serveAndConnect();
    context.close();
    expect(answer(await remote.tryIoctl(IOMMU_DESTROY.request, Uint32Array.of(8, 1)))).toBe("EBADF");
  });

  test("reports what a destroy callback throws during the release", async () => {
    const errors: unknown[] = [];
    const { server, context, iommufd } = await serveAndConnect({ onError: (error) => errors.push(error) });
    const oops = new Error("oops");
    const type = iommufd.defineObjectType({
      name: "throws",
      payloadBytes: 0,
      destroy() {
        throw oops;
      },
    });
    make(context, type);
    await server.close();
    expect(errors).toEqual([oops]);
    expect(iommufd.stats()).toMatchObject({ files: { open: 0 }, objects: { live: 0 } });
  });

  test("may come from inside a command: its own call is still answered", async () => {
    const booted = await boot();
    let close = (): unknown => undefined;
    const QUIT = booted.iommufd.defineIoctl({
      name: "QUIT",
      nr: 0xb4,
      fields: { answer: "u32" },
      execute(cmd) {
        void close();
        cmd.fields.answer = 42;
        cmd.respond();
      },
    });
    const { remote, server } = await serveAndConnect({}, booted);
    close = () => server.close();
    expect((await remote.call(QUIT, {})).answer).toBe(42);
    expect((await server.closed).code).toBe("closed");
    expect(booted.iommufd.stats().files.open).toBe(0);
  });
});

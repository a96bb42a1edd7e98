// SPDX-License-Identifier: GPL-2.0-only
//
// serve() and connect() on two ends of a channel: the answers are those of a local context, within the server's limits. What a hostile
// client tries is in remote-hostile.test.ts, how it ends in remote-end.test.ts.

import { IOMMU_DESTROY, Iommufd, IommufdError } from "iommufd-wasm";
import { serve, type ServeOptions } from "iommufd-wasm/remote";
import { describe, expect, test } from "vitest";
import { answer, errnoOf, errnoOfAsync } from "../support/answer.ts";
import { ABIS, boot } from "../support/boot.ts";
import { ECHO_MIN, ECHO_REPLY, ECHO_SIZE, defineEcho, echoBytes } from "../support/echo.ts";
import { counts, make, plainType } from "../support/objects.ts";
import { serveAndConnect } from "../support/remote.ts";

describe.each(ABIS)("%s: a remote call answers as a local one", (abi) => {
  test("for structs of every length and size, on known and unknown requests, and leaves the same bytes", async () => {
    const booted = await boot({ abi });
    const echo = defineEcho(booted.iommufd);
    const { remote, context } = await serveAndConnect({}, booted);
    const requests = [echo.request, IOMMU_DESTROY.request, 0x3bff, 0x3b7f, 0, -1, 2 ** 32 + echo.request, NaN];
    const lengths = [0, 1, 3, 4, ECHO_MIN - 1, ECHO_MIN, 11, ECHO_SIZE - 1, ECHO_SIZE, ECHO_SIZE + 1, 200, 4096];
    for (const request of requests) {
      for (const length of lengths) {
        for (const size of [length, 0, 4, ECHO_SIZE, length + 1, 4096]) {
          const local = echoBytes(length, size, ECHO_REPLY);
          const far = local.slice();
          const here = context.tryIoctl(request, local);
          const there = await remote.tryIoctl(request, far);
          expect([request, length, size, answer(there), far]).toEqual([request, length, size, answer(here), local]);
        }
      }
    }
  });

  test("for no struct and for every address: they are the null pointer", async () => {
    const booted = await boot({ abi });
    const echo = defineEcho(booted.iommufd);
    const { va, bytes } = booted.iommufd.userSpace.map(4096);
    bytes.set(echoBytes(ECHO_SIZE));
    const { remote, context } = await serveAndConnect({}, booted);
    expect(context.tryIoctl(echo.request, va)).toBe(0);
    expect(echo.seen.length).toBe(1);
    for (const request of [echo.request, IOMMU_DESTROY.request, 0x3bff, 0]) {
      const here = answer(context.tryIoctl(request, null));
      for (const arg of [null, 0n, va, -1n, 2n ** 64n]) expect(answer(await remote.tryIoctl(request, arg))).toBe(here);
    }
    expect(echo.seen.length).toBe(1);
  });

  test("for a destroy: of what is there, of what is not, of what is used", async () => {
    const booted = await boot({ abi });
    const { remote, context } = await serveAndConnect({}, booted);
    const below = make(context, plainType(booted.iommufd));
    const above = make(context, plainType(booted.iommufd), below);
    expect(await errnoOfAsync(remote.call(IOMMU_DESTROY, { id: 99 }))).toBe("ENOENT");
    expect(await errnoOfAsync(remote.call(IOMMU_DESTROY, { id: below }))).toBe("EBUSY");
    expect(await remote.call(IOMMU_DESTROY, { id: above })).toEqual({ size: 8, id: above });
    expect(await remote.ioctl(IOMMU_DESTROY.request, new Uint32Array([8, below]))).toBe(0);
    expect(context.objects()).toEqual([]);
  });
});

describe("addresses in a struct", () => {
  test("are EFAULT in every command, whatever is mapped here", async () => {
    const booted = await boot();
    const { iommufd } = booted;
    const { va, bytes } = iommufd.userSpace.map(4096);
    bytes.fill(0x5e);
    const POKE = iommufd.defineIoctl({
      name: "POKE",
      nr: 0xb1,
      fields: { write: "u32", va: "u64" },
      execute(cmd) {
        if (cmd.fields.write === 1) cmd.copyToUser(cmd.fields.va, new Uint8Array(8));
        else cmd.fields.va = BigInt(cmd.copyFromUser(cmd.fields.va, 1)[0] ?? 0);
        cmd.respond();
      },
    });
    const { remote, context } = await serveAndConnect({}, booted);
    expect(context.call(POKE, { write: 0, va }).va).toBe(0x5en);
    for (const write of [0, 1]) expect(await errnoOfAsync(remote.call(POKE, { write, va }))).toBe("EFAULT");
    expect(bytes.every((byte) => byte === 0x5e)).toBe(true);
  });
});

describe("replies", () => {
  test("go into the caller's view and nowhere else, also where its memory is shared or larger", async () => {
    const booted = await boot();
    const { command, request } = defineEcho(booted.iommufd);
    const { remote } = await serveAndConnect({}, booted);
    const whole = new Uint8Array(200).fill(0xee);
    const view = new DataView(whole.buffer, 16, ECHO_SIZE);
    new Uint8Array(whole.buffer, 16, ECHO_SIZE).set(echoBytes(ECHO_SIZE, ECHO_SIZE, ECHO_REPLY));
    expect(await remote.ioctl(request, view)).toBe(0);
    expect(view.getUint8(ECHO_MIN)).toBe(0xfe);
    expect(whole.subarray(0, 16).every((byte) => byte === 0xee)).toBe(true);
    expect(whole.subarray(16 + ECHO_SIZE).every((byte) => byte === 0xee)).toBe(true);
    const data = Uint8Array.of(1, 2, 255);
    expect((await remote.call(command, { flags: ECHO_REPLY, data })).data.subarray(0, 4)).toEqual(
      Uint8Array.of(254, 253, 0, 255),
    );
    if (!Iommufd.isSupported().threads) return;
    const shared = new Uint8Array(new SharedArrayBuffer(ECHO_SIZE));
    shared.set(echoBytes(ECHO_SIZE, ECHO_SIZE, ECHO_REPLY));
    expect(await remote.ioctl(request, shared)).toBe(0);
    expect(shared[ECHO_MIN]).toBe(0xfe);
  });

  test("are EFAULT where the buffer is gone when they come", async () => {
    const booted = await boot();
    const { request, seen } = defineEcho(booted.iommufd);
    const { remote } = await serveAndConnect({}, booted);
    const bytes = echoBytes(ECHO_SIZE, ECHO_SIZE, ECHO_REPLY);
    const called = remote.tryIoctl(request, bytes);
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
    expect(answer(await called)).toBe("EFAULT");
    expect(seen.length).toBe(1);
  });

  test("answer what was in the buffer when the call was made", async () => {
    const booted = await boot();
    const { request, seen } = defineEcho(booted.iommufd);
    const { remote } = await serveAndConnect({}, booted);
    const bytes = echoBytes(ECHO_SIZE);
    const called = remote.tryIoctl(request, bytes);
    bytes.fill(0);
    expect(await called).toBe(0);
    expect(seen[0]?.data[0]).toBe(1);
  });
});

describe("arguments of the wrong kind", () => {
  test("reject as a local call throws, and nothing is sent", async () => {
    const { remote, server } = await serveAndConnect();
    await remote.ready;
    for (const arg of ["bytes", 8, undefined, {}, new ArrayBuffer(8)]) {
      await expect(remote.ioctl(IOMMU_DESTROY.request, arg as never)).rejects.toBeInstanceOf(TypeError);
    }
    for (const timeoutMs of [-1, NaN, "1" as never]) {
      expect(await errnoOfAsync(remote.ioctl(IOMMU_DESTROY.request, null, { timeoutMs }))).toBe("EINVAL");
    }
    expect(server.stats().calls).toBe(0);
  });

  test("serve refuses options that make no sense, and what is no context", async () => {
    const { iommufd } = await boot();
    const context = iommufd.open();
    const { port1 } = new MessageChannel();
    const bad: Record<keyof ServeOptions, unknown[]> = {
      maxInFlight: [0, -1, 1.5, NaN, 1025, "8", null],
      maxBytes: [0, 7, 65_537, NaN, "8"],
      maxWaitMs: [-1, NaN, "1"],
      maxCallsPerSecond: [0, NaN, Infinity, "1"],
      commands: [[{}], ["IOMMU_DESTROY"], [-1], [null]],
      closeContext: [],
      signal: [null, "signal", {}],
      frame: [null, "frame", {}],
      onError: [null, "log"],
    };
    for (const [name, values] of Object.entries(bad)) {
      for (const value of values) expect(errnoOf(() => serve(port1, context, { [name]: value }))).toBe("EINVAL");
    }
    expect(errnoOf(() => serve(port1, {} as never))).toBe("EINVAL");
    expect(errnoOf(() => serve(port1, null as never))).toBe("EINVAL");
    port1.close();
  });
});

describe("a destroy that waits", () => {
  test("blocks nobody: later calls are answered before it, and it is decided by the put", async () => {
    const { remote, server, context, iommufd } = await serveAndConnect();
    const id = make(context, plainType(iommufd));
    const other = make(context, plainType(iommufd));
    const lock = context.get(id);
    const order: string[] = [];
    const waiting = remote.call(IOMMU_DESTROY, { id }).then(() => order.push("waited"));
    await remote.call(IOMMU_DESTROY, { id: other }).then(() => order.push("later"));
    expect(counts(context, id)).toBe("3/1 destroying");
    expect(server.stats().inFlight).toBe(1);
    lock.put();
    await waiting;
    expect(order).toEqual(["later", "waited"]);
    expect(context.objects()).toEqual([]);
  });

  test("ends by its time limit, or by the server's", async () => {
    const { remote, context, iommufd } = await serveAndConnect({ maxWaitMs: 5 });
    const id = make(context, plainType(iommufd));
    const lock = context.get(id);
    expect(await errnoOfAsync(remote.call(IOMMU_DESTROY, { id }, { timeoutMs: 0 }))).toBe("ETIMEDOUT");
    expect(await errnoOfAsync(remote.call(IOMMU_DESTROY, { id }))).toBe("ETIMEDOUT");
    expect(counts(context, id)).toBe("2/1 live");
    lock.put();
  });

  test("is undone by its signal, which the promise rejects with", async () => {
    const { remote, server, context, iommufd } = await serveAndConnect();
    const id = make(context, plainType(iommufd));
    const lock = context.get(id);
    const controller = new AbortController();
    const destroyed = remote.call(IOMMU_DESTROY, { id }, { signal: controller.signal });
    await remote.tryIoctl(0, null); // the destroy has begun
    controller.abort("enough");
    await expect(destroyed).rejects.toBe("enough");
    expect(counts(context, id)).toBe("2/1 live");
    expect(server.stats()).toMatchObject({ cancelled: 1, inFlight: 0 });
    lock.put();
  });
});

describe("a signal", () => {
  test("that fired already, or fires while the call is queued, rejects at once; nothing is sent", async () => {
    const { remote, server, context, iommufd } = await serveAndConnect({ maxInFlight: 1 });
    const id = make(context, plainType(iommufd));
    const lock = context.get(id);
    const first = remote.call(IOMMU_DESTROY, { id });
    const controller = new AbortController();
    const queued = remote.ioctl(0, null, { signal: controller.signal });
    controller.abort("no");
    await expect(queued).rejects.toBe("no");
    await expect(remote.ioctl(0, null, { signal: controller.signal })).rejects.toBe("no");
    lock.put();
    await first;
    expect(server.stats().calls).toBe(1);
  });

  test("that fires when the call is decided already changes nothing", async () => {
    const { remote, context, iommufd } = await serveAndConnect();
    const id = make(context, plainType(iommufd));
    await remote.ready;
    const controller = new AbortController();
    const destroyed = remote.call(IOMMU_DESTROY, { id }, { signal: controller.signal });
    controller.abort("too late"); // behind the call, which does not wait
    expect(await destroyed).toEqual({ size: 8, id });
    expect(context.objects()).toEqual([]);
  });
});

describe("flow control", () => {
  test("queues what there is no room for, and calls begin in the order in which they were made", async () => {
    const booted = await boot();
    const { request, seen } = defineEcho(booted.iommufd);
    const { remote, server } = await serveAndConnect({ maxInFlight: 2 }, booted);
    const calls = Array.from({ length: 100 }, (_, n) => remote.tryIoctl(request, Uint32Array.of(8, n)));
    expect(await Promise.all(calls)).toEqual(calls.map(() => 0));
    expect(seen.map(({ flags }) => flags)).toEqual(calls.map((_, n) => n));
    expect(server.stats()).toMatchObject({ state: "open", calls: 100, inFlight: 0, refused: 0 });
  });
});

describe("limits", () => {
  test("commands that are not listed are EPERM, and are not executed", async () => {
    const booted = await boot();
    const { command, request, seen } = defineEcho(booted.iommufd);
    const other = defineEcho(booted.iommufd, 0xa8);
    const { remote, server } = await serveAndConnect({ commands: [command, 0x3bff] }, booted);
    expect(answer(await remote.tryIoctl(IOMMU_DESTROY.request, Uint32Array.of(8, 1)))).toBe("EPERM");
    expect(answer(await remote.tryIoctl(other.request, echoBytes(8)))).toBe("EPERM");
    expect(answer(await remote.tryIoctl(request, echoBytes(8)))).toBe(0);
    expect(answer(await remote.tryIoctl(0x3bff, echoBytes(8)))).not.toBe("EPERM");
    expect([seen.length, other.seen.length]).toEqual([1, 0]);
    expect(server.stats().refused).toBe(2);
  });

  test("a struct of more bytes than allowed is E2BIG, before and after the welcome", async () => {
    const booted = await boot();
    const { request } = defineEcho(booted.iommufd);
    const { remote } = await serveAndConnect({ maxBytes: 64 }, booted);
    const call = async (length: number, size = length) =>
      answer(await remote.tryIoctl(request, echoBytes(length, size)));
    expect(await Promise.all([call(64), call(65), call(70_000)])).toEqual([0, "E2BIG", "E2BIG"]);
    await remote.ready;
    expect(await Promise.all([call(64), call(65), call(70_000)])).toEqual([0, "E2BIG", "E2BIG"]);
    expect(await call(70_000, 56)).toBe(0); // bytes behind the declared size are nobody's
  });

  test("calls beyond those of a second are EAGAIN, and those that go on end the connection", async () => {
    const { remote, server } = await serveAndConnect({ maxCallsPerSecond: 5 });
    const results = [];
    for (let n = 0; n < 50; n++)
      results.push(answer(await remote.tryIoctl(IOMMU_DESTROY.request, Uint32Array.of(8, 1))));
    expect(results.slice(0, 5)).toEqual(Array(5).fill("ENOENT"));
    expect(results).toContain("EAGAIN");
    expect(results.at(-1)).toBe("EBADF");
    expect((await server.closed).code).toBe("rate");
    expect((await remote.closed).code).toBe("rate");
  });

  test("idLimit of the Iommufd bounds what a client keeps alive", async () => {
    const booted = await boot({ idLimit: 3 });
    const { iommufd } = booted;
    const type = plainType(iommufd);
    const ALLOC = iommufd.defineIoctl({
      name: "ALLOC",
      nr: 0xb2,
      fields: { id: "u32" },
      execute(cmd) {
        cmd.fields.id = cmd.context.alloc(type).finalize();
        cmd.respond();
      },
    });
    const { remote, context } = await serveAndConnect({}, booted);
    for (const id of [1, 2, 3]) expect((await remote.call(ALLOC, {})).id).toBe(id);
    expect(await errnoOfAsync(remote.call(ALLOC, {}))).toBe("EBUSY");
    await remote.call(IOMMU_DESTROY, { id: 2 });
    expect((await remote.call(ALLOC, {})).id).toBe(2);
    expect(context.objects().length).toBe(3);
  });
});

describe("a command that throws", () => {
  test("is EIO for the client, and the embedder gets the error", async () => {
    const booted = await boot();
    const { iommufd } = booted;
    const secret = new Error("a secret of the embedder");
    const THROW = iommufd.defineIoctl({
      name: "THROW",
      nr: 0xb3,
      fields: { how: "u32" },
      execute(cmd) {
        if (cmd.fields.how === 1) throw secret;
        if (cmd.fields.how === 2) return "no number" as never;
        throw new IommufdError("EXDEV");
      },
    });
    const errors: unknown[] = [];
    const { remote, server } = await serveAndConnect({ onError: (error) => errors.push(error) }, booted);
    expect(await errnoOfAsync(remote.call(THROW, { how: 1 }))).toBe("EIO");
    expect(await errnoOfAsync(remote.call(THROW, { how: 2 }))).toBe("EIO");
    expect(await errnoOfAsync(remote.call(THROW, { how: 3 }))).toBe("EXDEV");
    expect(errors[0]).toBe(secret);
    expect(errors[1]).toBeInstanceOf(TypeError);
    expect(server.stats()).toMatchObject({ failures: 2, state: "open" });
  });
});

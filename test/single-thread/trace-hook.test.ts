// SPDX-License-Identifier: GPL-2.0-only
//
// onTrace: each ioctl of this thread, before and after, and nothing more.

import { IOMMU_DESTROY, type TraceEvent } from "iommufd-wasm";
import { decode } from "iommufd-wasm/trace";
import { describe, expect, test } from "vitest";
import { answer, errnoOf } from "../support/answer.ts";
import { boot, otherThread } from "../support/boot.ts";
import { words } from "../support/bytes.ts";
import { ECHO_REPLY, ECHO_SIZE, defineEcho, echoBytes } from "../support/echo.ts";
import { make, plainType } from "../support/objects.ts";

const PAGE = 4096;
const { request: DESTROY } = IOMMU_DESTROY;

async function scene() {
  const { iommufd } = await boot();
  const events: TraceEvent[] = [];
  const stop = iommufd.onTrace((event) => events.push(event));
  const context = iommufd.open();
  return { iommufd, context, events, stop, id: make(context, plainType(iommufd)), echo: defineEcho(iommufd) };
}

test("reports a call on a buffer: file, request, bytes before and after, answer, command", async () => {
  const { context, events, echo } = await scene();
  const bytes = echoBytes(ECHO_SIZE, ECHO_SIZE, ECHO_REPLY);
  const before = bytes.slice();
  context.ioctl(echo.request, bytes);
  expect(events).toEqual([
    { fd: context.fd, request: echo.request, address: undefined, before, bytes, result: 0, command: echo.command },
  ]);
  expect(events[0]?.before).not.toEqual(events[0]?.bytes);
  bytes.fill(0);
  expect(events[0]?.bytes[0]).toBe(ECHO_SIZE); // its own copy
});

test("reports a call on user memory with its address and what its size declares", async () => {
  const { iommufd, context, events, id } = await scene();
  const { va } = iommufd.userSpace.map(PAGE);
  iommufd.userSpace.write(va + 100n, words(16, id, 0, 0, 0xffff));
  expect(answer(context.tryIoctl(DESTROY, va + 100n))).toBe(0);
  const bytes = words(16, id, 0, 0);
  expect(events).toEqual([
    { fd: context.fd, request: DESTROY, address: va + 100n, before: bytes, bytes, result: 0, command: IOMMU_DESTROY },
  ]);
});

test.each<[what: string, request: number, arg: Uint8Array | bigint | null, result: string, address: unknown]>([
  ["a failing call", DESTROY, words(8, 99), "ENOENT", undefined],
  ["a null pointer", DESTROY, null, "EFAULT", null],
  ["a bad address", DESTROY, 0x5000n, "EFAULT", 0x5000n],
  ["an address beyond 64 bits", DESTROY, 2n ** 70n, "EFAULT", 2n ** 70n],
  ["an empty buffer", DESTROY, new Uint8Array(0), "EFAULT", undefined],
  ["an unknown request", 0x1234_5678, words(8, 1), "ENOTTY", undefined],
])("reports %s with what could be read", async (_what, request, arg, result, address) => {
  const { context, events } = await scene();
  expect(answer(context.tryIoctl(request, arg))).toBe(result);
  const bytes = arg instanceof Uint8Array ? arg : new Uint8Array(0);
  expect(events).toEqual([expect.objectContaining({ request, address, before: bytes, bytes, fd: context.fd })]);
  expect(answer(events[0]?.result ?? 0)).toBe(result);
});

test("names the command only for its very request", async () => {
  const { context, events, echo } = await scene();
  for (const request of [DESTROY, echo.request, 0x3bf0, 0x0001_3b80, 0x80]) context.tryIoctl(request, words(8, 99));
  expect(events.map(({ command }) => command?.name)).toEqual([
    "IOMMU_DESTROY",
    "TEST_ECHO",
    undefined,
    undefined,
    undefined,
  ]);
});

test("shows at most 4096 bytes", async () => {
  const { iommufd, context, events, echo } = await scene();
  const bytes = echoBytes(3 * PAGE, 3 * PAGE);
  context.ioctl(echo.request, bytes);
  const { va } = iommufd.userSpace.map(3 * PAGE);
  iommufd.userSpace.write(va, bytes);
  context.ioctl(echo.request, va);
  expect(events.map((event) => [event.before.length, event.bytes.length])).toEqual([
    [PAGE, PAGE],
    [PAGE, PAGE],
  ]);
});

test("reports calls made through call and ioctlAsync too, those inside a command before it", async () => {
  const { iommufd, context, events, echo, id } = await scene();
  context.call(echo.command, { flags: 5 });
  const lock = context.get(id);
  const promise = context.ioctlAsync(DESTROY, words(8, id));
  expect(events).toHaveLength(1);
  lock.put();
  await promise;
  const outer = iommufd.defineIoctl({
    name: "OUTER",
    nr: 0xb5,
    fields: { value: "u32" },
    execute: (cmd) => cmd.context.tryIoctl(echo.request, echoBytes(8)) + 4,
  });
  context.call(outer, {});
  expect(events.map(({ command, result }) => [command?.name, result])).toEqual([
    ["TEST_ECHO", 0],
    ["IOMMU_DESTROY", 0],
    ["TEST_ECHO", 0],
    ["OUTER", 4],
  ]);
});

test("is silent about everything that is no ioctl, and about other threads", async () => {
  const { iommufd, context, events, id } = await scene();
  context.get(id).put();
  context.objects();
  iommufd.userSpace.map(PAGE);
  const other = otherThread(iommufd);
  other.file(context.fd).tryIoctl(DESTROY, words(8, id));
  expect(events).toEqual([]);
});

test("the returned function ends it; one listener at a time; an old function does not end a newer listener", async () => {
  const { iommufd, context, events, stop } = await scene();
  const others: TraceEvent[] = [];
  const stopOther = iommufd.onTrace((event) => others.push(event));
  context.tryIoctl(DESTROY, null);
  stop();
  context.tryIoctl(DESTROY, null);
  expect([events.length, others.length]).toEqual([0, 2]);
  stopOther();
  stopOther();
  context.tryIoctl(DESTROY, null);
  expect(others).toHaveLength(2);
});

test.each([null, undefined, 5, "listener", {}])("%o is no listener: EINVAL", async (listener) => {
  const { iommufd } = await scene();
  expect(errnoOf(() => iommufd.onTrace(listener as never))).toBe("EINVAL");
});

test("answers and replies are the same with and without a listener", async () => {
  const outcomes: unknown[] = [];
  for (const traced of [false, true]) {
    const { iommufd } = await boot();
    if (traced) iommufd.onTrace(() => undefined);
    const context = iommufd.open();
    const echo = defineEcho(iommufd);
    const rows: unknown[] = [];
    for (const size of [0, 7, 8, 56, 57, 5000]) {
      const bytes = echoBytes(Math.max(size, 4), size, ECHO_REPLY);
      rows.push(answer(context.tryIoctl(echo.request, bytes)), [...bytes]);
    }
    outcomes.push(rows);
  }
  expect(outcomes[0]).toEqual(outcomes[1]);
});

describe("a listener that misbehaves", () => {
  test("may throw: the error comes out, the call has happened", async () => {
    const { iommufd, context, id } = await scene();
    iommufd.onTrace(() => {
      throw new Error("thrown by the listener");
    });
    expect(() => context.tryIoctl(DESTROY, words(8, id))).toThrow("thrown by the listener");
    await expect(context.ioctlAsync(DESTROY, words(8, id))).rejects.toThrow("thrown by the listener");
    expect(context.inspect(id)).toBeUndefined();
    context.close();
    expect(iommufd.stats().files.open).toBe(0);
  });

  test("may call the library, and so itself", async () => {
    const { iommufd, context, id } = await scene();
    let calls = 0;
    iommufd.onTrace(() => {
      if (calls++ < 3) context.tryIoctl(DESTROY, null);
    });
    expect(answer(context.tryIoctl(DESTROY, words(8, id)))).toBe(0);
    expect(calls).toBe(4);
  });
});

test("an event is what decode takes", async () => {
  const { context, events, echo, id } = await scene();
  context.tryIoctl(DESTROY, words(8, 99));
  context.ioctl(DESTROY, words(8, id));
  context.tryIoctl(DESTROY, 0x5000n);
  context.tryIoctl(echo.request, words(8, 3));
  const lines = events.map(({ request, bytes, result, fd, address, command }) =>
    decode(request, bytes, result, { fd, address, commands: command === undefined ? [] : [command] }),
  );
  expect(lines[0]).toBe("ioctl(3, IOMMU_DESTROY, {size=8, id=99}) = -1 ENOENT (No such file or directory)");
  expect(lines[1]).toBe(`ioctl(3, IOMMU_DESTROY, {size=8, id=${id}}) = 0`);
  expect(lines[2]).toBe("ioctl(3, IOMMU_DESTROY, 0x5000) = -1 EFAULT (Bad address)");
  expect(lines[3]).toMatch(/^ioctl\(3, TEST_ECHO, \{size=8, flags=3.*\}\) = 0$/);
});

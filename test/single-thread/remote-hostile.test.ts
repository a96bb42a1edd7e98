// SPDX-License-Identifier: GPL-2.0-only
//
// What a client without rules may try: each message changes nothing, and is answered with a precise error, or ends the connection
// with a reason. Never does anything trap, wait for ever, or stay behind.

import fc from "fast-check";
import { IOMMU_DESTROY, type Iommufd } from "iommufd-wasm";
import type { EndCode, ServeOptions } from "iommufd-wasm/remote";
import { describe, expect, test } from "vitest";
import { answer } from "../support/answer.ts";
import { boot } from "../support/boot.ts";
import { defineEcho, echoBytes } from "../support/echo.ts";
import { hasThreads } from "../support/host.ts";
import { counts, make, plainType } from "../support/objects.ts";
import { callMessage, hasCloseEvent, RawClient, serveOne, type Said } from "../support/remote.ts";

async function bootWithEcho() {
  const booted = await boot();
  return { ...booted, echo: defineEcho(booted.iommufd) };
}

/** A served file with an object in it, an echo command, and a client that has said hello, unless it is told not to. */
async function scene(options: ServeOptions = {}, { enters = true, machine = bootWithEcho() } = {}) {
  const { echo, ...booted } = await machine;
  const served = await serveOne({ closeContext: false, ...options }, booted);
  const id = make(served.context, plainType(served.iommufd));
  const client = new RawClient(served.port);
  if (enters) expect((await client.enter()).kind).toBe("welcome");
  return { ...served, echo, id, client };
}
type Scene = Awaited<ReturnType<typeof scene>>;

/** The connection has ended for that reason, said so last, and left nothing but the object and the file. */
async function expectEnded({ server, client, context, iommufd, id, echo }: Scene, code: EndCode): Promise<Said> {
  expect((await server.closed).code).toBe(code);
  let said = await client.next();
  while (said.kind !== "bye") said = await client.next();
  expect(said).toMatchObject({ kind: "bye", code });
  expect(server.stats()).toMatchObject({ state: "closed", inFlight: 0, failures: 0 });
  expect(echo.seen).toEqual([]);
  expect(counts(context, id)).toBe("1/0 live");
  expectAtRest(iommufd);
  expect(client.unread).toBe(0);
  return said;
}

function expectAtRest(iommufd: Iommufd): void {
  const { waiting, threads, objects, files } = iommufd.stats();
  expect(waiting).toEqual([]);
  expect(threads.list).toEqual([{ number: 0, locked: 0, reserved: 0, waiting: 0 }]);
  expect(objects).toMatchObject({ live: 1, reserved: 0, leaked: 0, queued: 0 });
  expect(files.open).toBe(1);
}

const BYTES = echoBytes(8);
const ECHO = 0x3ba7; // what defineEcho of the scene takes
const call = (more: object) => callMessage(1, ECHO, BYTES, more);
const nested = (depth: number): unknown => (depth === 0 ? call({}) : { kind: nested(depth - 1) });
const cyclic: Record<string, unknown> = { kind: "call" };
cyclic.id = cyclic;

/** A value for the name of a test. */
function inWords(value: unknown): string {
  return typeof value === "object" ? JSON.stringify(value) : `${value as string}`;
}

/** Anything that is no message; what cannot be cloned cannot be sent. */
const NO_MESSAGES: [name: string, message: unknown][] = [
  ...[undefined, null, true, 0, NaN, 1n, "", "call", [], ["call", 1], {}].map((value): [string, unknown] => [
    `the ${typeof value} ${inWords(value)}`,
    value,
  ]),
  ["a Date", new Date(0)],
  ["a RegExp", /call/],
  ["an Error", new Error("call")],
  ["a Map with the right fields", new Map(Object.entries(call({})))],
  ["a Set", new Set(["call"])],
  ["a String object", Object("call")],
  ["bytes", BYTES],
  ["a buffer", BYTES.slice().buffer],
  ["an array with the right fields", Object.assign([], call({}))],
  ["an array of 2³² - 1 holes", Object.assign([], { length: 2 ** 32 - 1 })],
  ["an object that holds itself", cyclic],
  ["a message in a message, 1,000 deep", nested(1000)],
  ["an unknown kind", { kind: "open" }],
  ["a kind of the other side", { kind: "answer", id: 1, result: 0, bytes: BYTES }],
  ["a kind of Object.prototype", { kind: "constructor" }],
  ["the kind __proto__", { kind: "__proto__" }],
  ["a kind that is no string", { kind: ["call"], id: 1, request: ECHO, bytes: BYTES, timeoutMs: 0 }],
  ["a kind that is a String object", call({ kind: Object("call") as unknown })],
  ["no kind but an own __proto__ with one", { ["__proto__"]: { kind: "bye" } }],
  ["a call without fields", { kind: "call" }],
  ["a field too many", call({ address: 4096n })],
  ["an own __proto__ too many", { ...call({}), ["__proto__"]: 1 }],
  ["100,000 fields", Object.fromEntries(Array.from({ length: 100_000 }, (_, n) => [`f${n}`, n]))],
  ["alive with a lock of its own", { kind: "alive", lock: "x" }],
  ["a second hello", { kind: "hello", version: 1 }],
  ["hello, with a version that is none", { kind: "hello", version: "1" }],
  ["a bye with a word", { kind: "bye", code: "closed" }],
];

const BAD_NUMBERS = [
  0,
  -1,
  1.5,
  NaN,
  Infinity,
  -Infinity,
  2 ** 53,
  "1",
  1n,
  null,
  undefined,
  [1],
  { valueOf: 1 },
  true,
];

const BAD_FIELDS: [name: string, message: unknown][] = [
  ...BAD_NUMBERS.map((id): [string, unknown] => [`the id ${typeof id} ${inWords(id)}`, call({ id })]),
  ...BAD_NUMBERS.map((id): [string, unknown] => [`a cancel of ${typeof id} ${inWords(id)}`, { kind: "cancel", id }]),
  ["a cancel of a call that never came", { kind: "cancel", id: 1 }],
  ["a call that skips a number", call({ id: 2 })],
  ...[-1, 0.5, NaN, 2 ** 32, "15271", 15271n, null, [ECHO], IOMMU_DESTROY.name].map((request): [string, unknown] => [
    `the request ${typeof request} ${inWords(request)}`,
    call({ request }),
  ]),
  ...[-1, NaN, -Infinity, "1", 1n, null, undefined, [1]].map((timeoutMs): [string, unknown] => [
    `the timeout ${typeof timeoutMs} ${inWords(timeoutMs)}`,
    call({ timeoutMs }),
  ]),
  ...([null, undefined, 0, 4096n, "8", [8, 0, 0, 0], { length: 8 }, { 0: 8, length: 8, buffer: {} }] as unknown[]).map(
    (bytes): [string, unknown] => [`bytes that are ${typeof bytes} ${inWords(bytes)}`, call({ bytes })],
  ),
  ["bytes that are a buffer", call({ bytes: BYTES.slice().buffer })],
  ["bytes that are a DataView", call({ bytes: new DataView(BYTES.slice().buffer) })],
  ["bytes that are words", call({ bytes: Uint32Array.of(8, 1) })],
  ["bytes that are clamped", call({ bytes: Uint8ClampedArray.from(BYTES) })],
  ["bytes that are signed", call({ bytes: Int8Array.from(BYTES) })],
  ["bytes that are a part of a large buffer", call({ bytes: new Uint8Array(new ArrayBuffer(2 ** 20), 64, 8) })],
  ["bytes that are too many for any server", call({ bytes: new Uint8Array(65_537) })],
  ["64 MiB of bytes", call({ bytes: new Uint8Array(2 ** 26) })],
  ["a Blob", call({ bytes: new Blob([BYTES]) })],
];

describe("a message that is none ends the connection and changes nothing:", () => {
  test.each([...NO_MESSAGES, ...BAD_FIELDS])("%s", async (_name, message) => {
    const all = await scene();
    all.client.post(message);
    all.client.post(call({})); // would change something: it echoes
    await expectEnded(all, "protocol");
    expect(all.server.stats().calls).toBe(0);
  });

  test("bytes in a buffer that can grow", async () => {
    const all = await scene();
    const Growing = ArrayBuffer as unknown as new (length: number, options: { maxByteLength: number }) => ArrayBuffer;
    const buffer = new Growing(8, { maxByteLength: 2 ** 30 });
    if (!(buffer as { resizable?: boolean }).resizable) return; // a host that has none
    all.client.post(call({ bytes: new Uint8Array(buffer) }));
    await expectEnded(all, "protocol");
  });

  test.runIf(hasThreads)("bytes in shared memory, also when the whole message is memory", async () => {
    for (const make of [
      () => call({ bytes: new Uint8Array(new SharedArrayBuffer(8)) }),
      () => new SharedArrayBuffer(8),
      () => call({ bytes: new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }) }),
    ]) {
      const all = await scene();
      all.client.post(make());
      await expectEnded(all, "protocol");
    }
  });

  test("anything that is transferred along with a good call, but its own bytes", async () => {
    const all = await scene();
    const { port1, port2 } = new MessageChannel();
    all.client.post(call({}), [port2]);
    await expectEnded(all, "protocol");
    port1.close();
    const second = await scene();
    const bytes = BYTES.slice();
    second.client.post(call({ bytes }), [bytes.buffer]);
    expect(await second.client.next()).toMatchObject({ kind: "answer", id: 1, result: 0 });
  });

  test.each(["call", "cancel", "alive"])("a %s before the hello", async (kind) => {
    const all = await scene({}, { enters: false });
    all.client.post(kind === "call" ? call({}) : kind === "cancel" ? { kind, id: 1 } : { kind });
    await expectEnded(all, "protocol");
  });
});

describe("another version", () => {
  test.each([0, 2, 4_294_967_295])("%i is told which one the server speaks", async (version) => {
    const all = await scene({}, { enters: false });
    all.client.post({ kind: "hello", version });
    all.client.post(call({}));
    expect((await expectEnded(all, "version")).message).toContain(`protocol ${version}, the server 1`);
  });
});

describe("alive", () => {
  test("of a client that holds no lock ends its connection, whether one was asked for or not", async () => {
    const all = await scene();
    all.client.post({ kind: "alive" });
    await expectEnded(all, hasCloseEvent ? "protocol" : "gone");
  });

  test("a second time ends the connection", async () => {
    const all = await scene();
    all.client.post({ kind: "alive" });
    all.client.post({ kind: "alive" });
    await expectEnded(all, "protocol");
  });
});

describe("replays", () => {
  test("of a call in flight end the connection; what waited is undone", async () => {
    const all = await scene();
    const lock = all.context.get(all.id);
    const destroy = callMessage(1, IOMMU_DESTROY.request, Uint8Array.of(8, 0, 0, 0, all.id, 0, 0, 0));
    all.client.post(destroy);
    all.client.post(destroy);
    expect((await all.server.closed).code).toBe("protocol");
    lock.put();
    expect(await all.client.next()).toEqual({ kind: "cancelled", id: 1 });
    await expectEnded(all, "protocol");
  });

  test("of a call that is over end the connection, and are not made", async () => {
    const all = await scene();
    all.client.post(call({}));
    expect(await all.client.next()).toMatchObject({ kind: "answer", id: 1 });
    expect(all.echo.seen.splice(0).length).toBe(1);
    all.client.post(call({}));
    await expectEnded(all, "protocol");
  });

  test("of a cancel end the connection: no honest client gives a call up twice", async () => {
    const all = await scene();
    const lock = all.context.get(all.id);
    all.client.post(callMessage(1, IOMMU_DESTROY.request, Uint8Array.of(8, 0, 0, 0, all.id, 0, 0, 0)));
    all.client.post({ kind: "cancel", id: 1 });
    all.client.post({ kind: "cancel", id: 1 });
    expect((await all.server.closed).code).toBe("protocol");
    lock.put();
    expect(await all.client.next()).toEqual({ kind: "cancelled", id: 1 });
    await expectEnded(all, "protocol");
  });
});

describe("a cancel", () => {
  test("that crossed its call's answer changes nothing", async () => {
    const all = await scene({ maxInFlight: 1 });
    for (let id = 1; id <= 100; id++) {
      all.client.post(callMessage(id, ECHO, BYTES));
      all.client.post({ kind: "cancel", id });
      expect(await all.client.next()).toMatchObject({ kind: "answer", id, result: 0 });
    }
    expect(all.server.stats()).toMatchObject({ state: "open", cancelled: 0, calls: 100 });
  });
});

describe("floods", () => {
  test("of calls that wait end at the first that is too many; all are undone", async () => {
    const all = await scene({ maxInFlight: 3 });
    const ids = Array.from({ length: 10 }, () => make(all.context, plainType(all.iommufd)));
    const locks = ids.map((id) => all.context.get(id));
    for (const [n, id] of ids.entries()) {
      all.client.post(callMessage(n + 1, IOMMU_DESTROY.request, Uint8Array.of(8, 0, 0, 0, id, 0, 0, 0)));
    }
    expect((await all.server.closed).code).toBe("flood");
    for (const id of ids) expect(counts(all.context, id)).toBe("2/1 live");
    for (const lock of locks) lock.put();
    for (const id of ids) all.context.destroy(id);
    await expectEnded(all, "flood");
    expect(all.server.stats()).toMatchObject({ calls: 4, cancelled: 3 });
  });

  test("of 10,000 bad messages: the first ends the connection, the others are never looked at", async () => {
    const all = await scene();
    for (let n = 0; n < 10_000; n++) all.client.post({ kind: "open", n });
    await expectEnded(all, "protocol");
  });

  test("of cancels end with the first that is too many, however many calls came before", async () => {
    const all = await scene({ maxInFlight: 2 });
    for (let id = 1; id <= 10; id++) {
      all.client.post(callMessage(id, 0, BYTES));
      expect(await all.client.next()).toMatchObject({ kind: "answer", id });
    }
    for (const id of [9, 10]) all.client.post({ kind: "cancel", id });
    all.client.post(callMessage(11, 0, BYTES));
    expect(await all.client.next()).toMatchObject({ kind: "answer", id: 11 });
    for (const id of [11, 1, 2]) all.client.post({ kind: "cancel", id });
    await expectEnded(all, "protocol");
  });

  test("of 10,000 calls without a pause end it, too, or are all answered: never more than the credit is in flight", async () => {
    const all = await scene({ maxInFlight: 2 });
    const bytes = Uint8Array.of(8, 0, 0, 0, 99, 0, 0, 0);
    for (let n = 1; n <= 10_000; n++) all.client.post(callMessage(n, IOMMU_DESTROY.request, bytes));
    let answers = 0;
    for (let said = await all.client.next(); answers < 10_000 && said.kind !== "bye"; answers++) {
      expect(said).toMatchObject({ kind: "answer", id: answers + 1 });
      if (answers < 9999) said = await all.client.next();
    }
    if (all.server.stats().state === "open") await all.server.close();
    expect(["flood", "closed"]).toContain((await all.server.closed).code);
    expect(counts(all.context, all.id)).toBe("1/0 live");
    expectAtRest(all.iommufd);
  });

  test("beyond the calls of a second: refused, then over", async () => {
    const all = await scene({ maxCallsPerSecond: 3, maxInFlight: 1024 });
    for (let n = 1; n <= 1000; n++) all.client.post(callMessage(n, 0, BYTES));
    expect((await all.server.closed).code).toBe("rate");
    const results: string[] = [];
    for (let said = await all.client.next(); said.kind !== "bye"; said = await all.client.next()) {
      results.push(String(answer(Number(said.result))));
    }
    expect(results.filter((result) => result === "EAGAIN").length).toBeGreaterThanOrEqual(3);
    expect(results.length).toBeLessThan(100);
    expect(all.server.stats().calls).toBe(results.length + 1);
  });
});

describe("well-formed calls that ask for too much", () => {
  test("are answered: too many bytes E2BIG, forbidden EPERM, and the connection goes on", async () => {
    const all = await scene({ maxBytes: 16, commands: [ECHO] });
    all.client.post(callMessage(1, ECHO, new Uint8Array(17)));
    all.client.post(callMessage(2, IOMMU_DESTROY.request, new Uint8Array(8)));
    all.client.post(callMessage(3, ECHO, BYTES, { timeoutMs: 2 ** 53 }));
    all.client.post(callMessage(4, ECHO, new Uint8Array(0)));
    const results = [];
    for (let n = 0; n < 4; n++) results.push(answer(Number((await all.client.next()).result)));
    expect(results).toEqual(["E2BIG", "EPERM", 0, "EFAULT"]);
  });
});

// ------------------------------------------------------------------------------------------------------ at random

/** Near-messages: good ones with fields replaced, left out or added; then anything at all that can be cloned. */
function anyMessage(): fc.Arbitrary<unknown> {
  const odd = fc.oneof(
    fc.constantFrom<unknown>(
      undefined,
      null,
      NaN,
      -0,
      -1,
      0,
      1,
      2,
      3,
      2 ** 31,
      2 ** 32,
      2 ** 53,
      Infinity,
      1n,
      "",
      true,
    ),
    fc.integer(),
    fc.double(),
    fc.string({ maxLength: 8 }),
    fc.uint8Array({ maxLength: 80 }),
    fc.uint32Array({ maxLength: 8 }),
    fc.anything({ withTypedArray: true, withMap: true, withSet: true, withDate: true, withBigInt: true, maxDepth: 3 }),
  );
  const bytes = fc.uint8Array({ maxLength: 80 }).map((array) => {
    if (array.length >= 4) array.set([array.length, 0, 0, 0]);
    return array;
  });
  const good = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constant("call"),
        id: fc.constant("next"),
        request: fc.constantFrom(ECHO, IOMMU_DESTROY.request, 0, 0x3bff),
        bytes,
        timeoutMs: fc.constantFrom(0, 1, Infinity),
      }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("cancel"), id: fc.integer({ min: 1, max: 4 }) }) },
    { weight: 1, arbitrary: fc.constantFrom({ kind: "bye" }, { kind: "alive" }, { kind: "hello", version: 1 }) },
  );
  const spoilt = fc
    .tuple(good, fc.constantFrom("kind", "id", "request", "bytes", "timeoutMs", "more"), odd)
    .map(([message, field, value]): unknown => ({ ...message, [field]: value }));
  return fc.oneof({ weight: 6, arbitrary: good }, { weight: 3, arbitrary: spoilt }, odd);
}

describe("any sequence of messages", () => {
  test("is answered call by call, in errnos that Linux knows, until it ends for a reason; nothing stays behind", async () => {
    const machine = bootWithEcho(); // one for all: memories are not freed at once
    await fc.assert(
      fc.asyncProperty(fc.array(anyMessage(), { minLength: 1, maxLength: 12 }), async (messages) => {
        const all = await scene({}, { machine });
        let sent = 0;
        for (const message of messages) {
          const isNext = (message as { id?: unknown } | null | undefined)?.id === "next";
          const ready = isNext ? { ...(message as object), id: ++sent } : message;
          try {
            all.client.post(ready);
          } catch {
            // Cannot be cloned, so it cannot come: the sender's trouble.
          }
        }
        all.client.post({ kind: "bye" });
        const { code } = await all.server.closed;
        expect(["closed", "protocol", "flood", ...(hasCloseEvent ? [] : ["gone"])]).toContain(code);
        const { calls } = all.server.stats();
        const answered = new Set<unknown>();
        let said = await all.client.next();
        for (; said.kind !== "bye"; said = await all.client.next()) {
          expect(["answer", "cancelled"]).toContain(said.kind);
          expect(answered.has(said.id)).toBe(false);
          answered.add(said.id);
          const result = said.kind === "answer" ? answer(Number(said.result)) : 0;
          expect(typeof result === "string" || result >= 0).toBe(true);
        }
        expect(said).toMatchObject({ code });
        expect(calls - answered.size).toBeLessThanOrEqual(code === "closed" ? 0 : 1);
        expect(all.server.stats()).toMatchObject({ inFlight: 0, failures: 0 });
        expect(all.iommufd.stats()).toMatchObject({ waiting: [], objects: { reserved: 0, leaked: 0, queued: 0 } });
        expect(all.iommufd.stats().threads.list).toEqual([{ number: 0, locked: 0, reserved: 0, waiting: 0 }]);
        all.context.close();
        expect(all.iommufd.stats()).toMatchObject({ files: { open: 0 }, objects: { live: 0 } });
      }),
      { numRuns: 300 },
    );
  });
});

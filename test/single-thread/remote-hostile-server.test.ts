// SPDX-License-Identifier: GPL-2.0-only
//
// connect() with a server that keeps no rules: whatever is no message of the protocol, or makes no sense now, ends the connection, writes
// nowhere, and leaves no call without an answer.

import { connect, type RemoteContext } from "iommufd-wasm/remote";
import { expect, onTestFinished, test } from "vitest";
import { answer } from "../support/answer.ts";

const WELCOME = { kind: "welcome", version: 1, maxInFlight: 2, maxBytes: 64, lock: "" };
/** What an honest server can name. */
const LOCK = "iommufd-wasm remote 01234567-89ab-4cde-8f01-23456789abcd";
const NOTHING = new Uint8Array(0);
const LENGTH = 8;

/** A client that is welcome, with a call in flight, and how its server speaks. */
async function withCallInFlight(): Promise<{
  remote: RemoteContext;
  port: MessagePort;
  bytes: Uint8Array;
  result: Promise<number>;
}> {
  const { port1, port2 } = new MessageChannel();
  onTestFinished(() => port1.close());
  const remote = connect(port2);
  port1.postMessage(WELCOME);
  await remote.ready;
  const bytes = new Uint8Array(2 * LENGTH).fill(0xee);
  bytes.set([LENGTH, 0, 0, 0]);
  return { remote, port: port1, bytes, result: remote.tryIoctl(1, bytes) };
}

test.each<[name: string, message: unknown]>([
  ["no object", 1],
  ["an unknown kind", { kind: "reset" }],
  ["a kind of the client's", { kind: "call", id: 1, request: 0, bytes: NOTHING, timeoutMs: 0 }],
  ["a second welcome", WELCOME],
  ["an answer to no call", { kind: "answer", id: 2, result: 0, bytes: NOTHING }],
  ["an answer that is no number", { kind: "answer", id: 1, result: "0", bytes: NOTHING }],
  ["an answer beyond every errno", { kind: "answer", id: 1, result: -4096, bytes: NOTHING }],
  ["an answer of more bytes than were sent", { kind: "answer", id: 1, result: 0, bytes: new Uint8Array(LENGTH + 1) }],
  ["an answer without bytes", { kind: "answer", id: 1, result: 0 }],
  ["the end of a call that never was", { kind: "cancelled", id: 7 }],
  ["a bye without a reason", { kind: "bye", calls: 0 }],
  ["a bye with an unknown reason", { kind: "bye", calls: 0, code: "tired", message: "" }],
  ["a bye after more calls than were made", { kind: "bye", calls: 2, code: "closed", message: "" }],
])("%s ends the connection", async (_name, message) => {
  const { remote, port, bytes, result } = await withCallInFlight();
  const before = bytes.slice();
  port.postMessage(message);
  expect(answer(await result)).toBe("ECONNRESET");
  expect((await remote.closed).code).toBe("protocol");
  expect(bytes).toEqual(before);
});

test.each<[name: string, welcome: object]>([
  ["another version", { version: 2 }],
  ["no room", { maxInFlight: 0 }],
  ["room without end", { maxInFlight: 1e9 }],
  ["bytes without end", { maxBytes: 2 ** 32 }],
  ["a lock that is no name", { lock: 1 }],
  ["a lock of somebody else's", { lock: "the shop's basket" }],
  ["a lock of our kind without its number", { lock: "iommufd-wasm remote " }],
  ["a lock of our kind with more behind its number", { lock: `${LOCK} ` }],
])("a welcome with %s is none", async (_name, more) => {
  const { port1, port2 } = new MessageChannel();
  const remote = connect(port2);
  const called = remote.tryIoctl(0, null);
  port1.postMessage({ ...WELCOME, ...more });
  expect((await remote.closed).code).toBe("protocol");
  expect(answer(await called)).toBe("EBADF");
  await expect(remote.ready).rejects.toMatchObject({ code: "ECONNRESET", syscall: "connect" });
  port1.close();
});

test("a lock of our own kind is taken", async () => {
  const { port1, port2 } = new MessageChannel();
  const remote = connect(port2);
  port1.postMessage({ ...WELCOME, lock: LOCK });
  await remote.ready;
  remote.close();
  port1.postMessage({ kind: "bye", calls: 0, code: "closed", message: "" });
  expect((await remote.closed).code).toBe("closed");
  port1.close();
});

test("a good answer that transfers a port along ends the connection", async () => {
  const { remote, port, bytes, result } = await withCallInFlight();
  const before = bytes.slice();
  const { port1, port2 } = new MessageChannel();
  port.postMessage({ kind: "answer", id: 1, result: 0, bytes: new Uint8Array(LENGTH) }, [port2]);
  expect(answer(await result)).toBe("ECONNRESET");
  expect((await remote.closed).code).toBe("protocol");
  expect(bytes).toEqual(before);
  port1.close();
});

test("an answer is written where the call's struct was, and once", async () => {
  const { remote, port, bytes, result } = await withCallInFlight();
  const reply = { kind: "answer", id: 1, result: 3, bytes: new Uint8Array(LENGTH).fill(1) };
  port.postMessage(reply);
  expect(await result).toBe(3);
  expect([...bytes]).toEqual([...Array<number>(LENGTH).fill(1), ...Array<number>(LENGTH).fill(0xee)]);
  bytes.fill(0);
  port.postMessage(reply);
  expect((await remote.closed).code).toBe("protocol");
  expect(bytes.every((byte) => byte === 0)).toBe(true);
});

test("a bye tells which calls were never looked at", async () => {
  const { remote, port, result } = await withCallInFlight();
  const second = remote.tryIoctl(2, null);
  const third = remote.tryIoctl(3, null);
  port.postMessage({ kind: "bye", calls: 1, code: "closed", message: "enough" });
  expect([await result, await second, await third].map(answer)).toEqual(["ECONNRESET", "EBADF", "EBADF"]);
  expect(await remote.closed).toEqual({ code: "closed", message: "enough" });
});

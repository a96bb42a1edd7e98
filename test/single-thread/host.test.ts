// SPDX-License-Identifier: GPL-2.0-only
//
// The host is what vitest.config.ts says it is. Without this a forgotten header would quietly turn the tests without
// isolation into tests with it, or the other way round.

import { expect, test } from "vitest";
import { hasThreads, host, isBrowser } from "../support/host.ts";
import { loadVector } from "../support/vectors.ts";

test("a browser project runs in a page, the Node project does not", () => {
  expect(typeof document === "object").toBe(isBrowser);
  expect(typeof process === "object" && process.versions?.node !== undefined).toBe(host === "node");
});

test("only the page with the two headers is cross-origin isolated", () => {
  expect(globalThis.crossOriginIsolated ?? false).toBe(host === "chromium");
});

test("SharedArrayBuffer is a global exactly where threads can share memory", () => {
  expect("SharedArrayBuffer" in globalThis).toBe(hasThreads);
});

test("a shared WebAssembly memory exists in every host, also where it cannot be posted to a thread", () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  expect(Object.prototype.toString.call(memory.buffer)).toBe("[object SharedArrayBuffer]");
});

test("the recordings load and are unpacked", async () => {
  const text = new TextDecoder().decode(await loadVector("races-rfc"));
  const lines = text.trimEnd().split("\n");
  expect(lines.length).toBeGreaterThan(10);
  expect(JSON.parse(lines[0] ?? "")).toBeTypeOf("object");
});

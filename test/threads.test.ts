// SPDX-License-Identifier: GPL-2.0-only
//
// The ground that every test with several threads stands on: shared memory really is shared, and a thread that dies tells.

import { expect, test } from "vitest";
import { startThread } from "./support/thread.ts";

function sharedMemory(): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
}

test("a thread writes into the shared memory that it was sent", async () => {
  const memory = sharedMemory();
  const word = new Int32Array(memory.buffer);
  word[0] = 41;
  const thread = await startThread("adder.js");
  thread.post({ memory });
  expect(await thread.next()).toEqual({ before: 41 });
  expect(Atomics.load(word, 0)).toBe(42);
  await thread.terminate();
});

test("several threads add to one word and no addition is lost", async () => {
  const memory = sharedMemory();
  const threads = await Promise.all([1, 2, 3].map(() => startThread("adder.js")));
  for (let round = 0; round < 100; round++) for (const thread of threads) thread.post({ memory });
  const seen = new Set<number>();
  for (const thread of threads) {
    for (let round = 0; round < 100; round++) seen.add((await thread.next<{ before: number }>()).before);
  }
  expect(seen.size).toBe(300);
  expect(new Int32Array(memory.buffer)[0]).toBe(300);
  await Promise.all(threads.map((thread) => thread.terminate()));
});

test("an error inside a thread reaches the test that waits for its answer", async () => {
  const thread = await startThread("thrower.js");
  thread.post({});
  await expect(thread.next()).rejects.toThrow("thrown in the thread");
  await thread.terminate();
});

test("a file that does not exist fails instead of keeping the test waiting", async () => {
  const thread = await startThread("absent.js");
  await expect(thread.next()).rejects.toThrow(/absent\.js/);
  await thread.terminate();
});

// SPDX-License-Identifier: GPL-2.0-only
//
// The page of in-chromium.ts: hands one bench to a worker and waits.

import type { MeasuredBench } from "./results.ts";

type Answer = { result: MeasuredBench | undefined } | { error: string };

function runBench(name: string, smoke: boolean): Promise<Answer> {
  const here = import.meta.url;
  const worker = new Worker(new URL("chromium-thread.js", here), { type: "module" });
  return new Promise((resolve) => {
    worker.onmessage = ({ data }: MessageEvent<Answer>) => resolve(data);
    worker.onerror = ({ message }) => resolve({ error: `the bench's thread failed: ${message}` });
    worker.postMessage({ name, smoke });
  });
}

Object.assign(globalThis, { runBench });

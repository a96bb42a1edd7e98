// SPDX-License-Identifier: GPL-2.0-only
//
// The worker in which benches run in Chromium: gets a bench's name, answers with its result or its error.

import type { Bench } from "./bench.ts";
import { chromiumHost } from "./host-chromium.ts";

// In two steps: bundlers would rewrite `new URL("…", import.meta.url)`.
const here = import.meta.url;
const built = new URL("../", here);
const root = new URL("../../", built);

globalThis.onmessage = async ({ data }: MessageEvent<{ name: string; smoke: boolean }>) => {
  try {
    const { default: bench } = (await import(new URL(`${data.name}.bench.js`, built).href)) as { default: Bench };
    if (bench.only === "node") return postMessage({ result: undefined });
    const result = await bench.run(chromiumHost({ root, built, smoke: data.smoke }));
    postMessage({ result: result && { title: bench.title, ...result } });
  } catch (error) {
    postMessage({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
};

// SPDX-License-Identifier: GPL-2.0-only
//
// The core whose counts are a few bits wide and whose assertions are on (asconfig target "small"): saturation and overflow
// happen after a dozen calls instead of after millions. `npm run build:small` makes it.

import { isBrowser } from "./environment.ts";

// In two steps: Vite would rewrite `new URL("…", import.meta.url)` for a bundle.
const here = import.meta.url;
const FILE = new URL("../../build/core.small.wasm", here);

/** The compiled module, for `IommufdOptions.module`. */
export async function compileSmallCore(): Promise<WebAssembly.Module> {
  if (!isBrowser) {
    const { readFile } = await import("node:fs/promises");
    return WebAssembly.compile(await readFile(FILE));
  }
  const response = await fetch(FILE);
  if (!response.ok) throw new Error(`${FILE.href}: ${response.status} ${response.statusText}`);
  return WebAssembly.compile(await response.arrayBuffer());
}

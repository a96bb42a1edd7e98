// SPDX-License-Identifier: GPL-2.0-only
//
// Other builds of the core, for `IommufdOptions.module`: what `npm run build:variants` leaves in build/.

import { isBrowser } from "./host.ts";

// In two steps: Vite would rewrite `new URL("…", import.meta.url)` for a bundle.
const here = import.meta.url;
const FOLDER = new URL("../../build/", here);

/** The compiled build/core.NAME.wasm. */
export async function compileCoreBuild(name: string): Promise<WebAssembly.Module> {
  const file = new URL(`core.${name}.wasm`, FOLDER);
  if (!isBrowser) {
    const { readFile } = await import("node:fs/promises");
    return WebAssembly.compile(await readFile(file));
  }
  const response = await fetch(file);
  if (!response.ok) throw new Error(`${file.href}: ${response.status} ${response.statusText}`);
  return WebAssembly.compile(await response.arrayBuffer());
}

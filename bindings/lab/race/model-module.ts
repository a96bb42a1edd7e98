// SPDX-License-Identifier: GPL-2.0-only
//
// The model build of the core: a third of a megabyte that only stepping needs, so it is a file of its own, fetched once for all elements of
// a page.

let compiled: Promise<WebAssembly.Module> | undefined;

/** Fetches and compiles it, the first time. Rejects when it cannot be had; the next call tries again. */
export function loadModel(): Promise<WebAssembly.Module> {
  compiled ??= compileFrom(new URL("./core.model.wasm", import.meta.url)).catch((error: unknown) => {
    compiled = undefined;
    throw error;
  });
  return compiled;
}

/** Not while it streams in: that would need a server that knows the type of Wasm files. */
async function compileFrom(url: URL): Promise<WebAssembly.Module> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url.href}: ${response.status} ${response.statusText}`);
  return WebAssembly.compile(await response.arrayBuffer());
}

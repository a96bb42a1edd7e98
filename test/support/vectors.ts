// SPDX-License-Identifier: GPL-2.0-only
//
// Loads one of the recordings of test/vectors in Node and in a page, uncompressed.

import { isBrowser } from "./environment.ts";

export type VectorName = "rfc-core" | "rfc-pure" | "races-rfc" | "mainline-core";

// In two steps: Vite would rewrite `new URL("…", import.meta.url)` for a bundle.
const here = import.meta.url;
const FOLDER = new URL("../vectors/", here);

/** The JSON lines of test/vectors/NAME.jsonl.gz as bytes. */
export async function loadVector(name: VectorName): Promise<Uint8Array<ArrayBuffer>> {
  const file = await readAsset(new URL(`${name}.jsonl.gz`, FOLDER));
  // A web server may have sent the file with `Content-Encoding: gzip`; then the browser unpacked it already.
  if (file[0] !== 0x1f || file[1] !== 0x8b) return file;
  const unpacked = new Blob([file]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(unpacked).arrayBuffer());
}

async function readAsset(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  if (!isBrowser) {
    const { readFile } = await import("node:fs/promises");
    return new Uint8Array(await readFile(url));
  }
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url.href}: ${response.status} ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
}

// SPDX-License-Identifier: GPL-2.0-only
//
// An entry of the package as a page would load it, and how large that is.

import { build } from "esbuild";
import { gzipSync } from "node:zlib";

const ROOT = new URL("../../", import.meta.url);

/** The text of dist/`entry`.js with all it imports, minified. */
export async function bundled(entry) {
  const { outputFiles } = await build({
    entryPoints: [new URL(`dist/${entry}.js`, ROOT).pathname],
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    target: "es2022",
    external: ["node:*"],
  });
  return outputFiles[0].text;
}

/** Kilobytes of 1,000 bytes after gzip. */
export function kilobytes(text) {
  return gzipSync(text).length / 1000;
}

// SPDX-License-Identifier: GPL-2.0-only
//
// An entry of the package as a page would load it, and how large that is.

import { build } from "esbuild";
import { gzipSync } from "node:zlib";

const ROOT = new URL("../../", import.meta.url);

/** The text of dist/`entry`.js with all it imports, minified. */
export function bundled(entry) {
  return minified({ entryPoints: [new URL(`dist/${entry}.js`, ROOT).pathname] });
}

/** The same of a page that uses only the export `name`. */
export function bundledExport(entry, name) {
  const contents = `export { ${name} } from "./dist/${entry}.js";`;
  return minified({ stdin: { contents, resolveDir: ROOT.pathname } });
}

async function minified(input) {
  const { outputFiles } = await build({
    ...input,
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

// SPDX-License-Identifier: GPL-2.0-only
//
// Runs a TypeScript program: node test/support/run.mjs ENTRY.ts [arguments…]
//
// Node 20 does not run TypeScript. The entry is bundled by esbuild into build/run/, packages stay imports, and the bundle is
// imported with the program's own arguments.

import { build } from "esbuild";
import { basename, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const [entry, ...rest] = process.argv.slice(2);
if (!entry) throw new Error("usage: run.mjs ENTRY.ts [arguments…]");
const outfile = join(root, "build/run", `${basename(entry, ".ts")}.${process.pid}.mjs`);
await build({
  entryPoints: [entry],
  outfile,
  bundle: true,
  platform: "node",
  format: "esm",
  packages: "external",
  sourcemap: "inline",
  logLevel: "warning",
});
process.argv = [process.argv[0], entry, ...rest];
await import(pathToFileURL(outfile).href);

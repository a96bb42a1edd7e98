// SPDX-License-Identifier: GPL-2.0-only
//
// Runs a program that is written in TypeScript: `node test/support/run.mjs ENTRY.ts [args …]`.
//
// The oldest Node of package.json reads no TypeScript, so esbuild bundles the program's own files first. Packages stay outside,
// the library's own name among them: what runs is the built package, as in the tests. The program sees `process.argv` as if
// it had been started itself, and stack traces name its sources.
//
// Files that the program starts by URL (test/support/threads, pages) are found from `import.meta.url`, so each bundled module keeps
// the URL of its source.

import { rmSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { basename, join, relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const OUT = join(ROOT, "build", "run");

const [entry, ...args] = process.argv.slice(2);
if (entry === undefined) {
  console.error("usage: node test/support/run.mjs ENTRY.ts [args …]");
  process.exit(2);
}

/** Gives every bundled module the URL of its source as `import.meta.url`. */
const sourceUrls = {
  name: "source-urls",
  setup({ onLoad }) {
    onLoad({ filter: /\.(ts|js|mjs)$/ }, async ({ path }) => {
      const text = await readFile(path, "utf8");
      const url = JSON.stringify(pathToFileURL(path).href);
      return { contents: text.replaceAll("import.meta.url", url), loader: path.endsWith(".ts") ? "ts" : "js" };
    });
  },
};

const source = resolve(entry);
// One file for each process, so that two runs at a time do not write over each other's.
const name = `${relative(ROOT, source).replaceAll(/[/\\]/g, "-").replace(/\.ts$/, "")}-${process.pid}.mjs`;
const outfile = join(OUT, basename(name));
await mkdir(OUT, { recursive: true });
await build({
  entryPoints: [source],
  outfile,
  bundle: true,
  packages: "external",
  platform: "node",
  format: "esm",
  target: "node20",
  sourcemap: "inline",
  logLevel: "warning",
  plugins: [sourceUrls],
});
process.on("exit", () => rmSync(outfile, { force: true }));
process.setSourceMapsEnabled(true);
process.argv = [process.argv[0], source, ...args];
await import(pathToFileURL(outfile).href);

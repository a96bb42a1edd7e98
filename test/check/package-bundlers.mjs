// SPDX-License-Identifier: GPL-2.0-only
//
// One way to call four bundlers with their default behaviour: an entry file in, OUTPUT/bundle.mjs (and, for pages,
// OUTPUT/index.html) out. A warning is an error: it would appear in the build of everybody who uses the package.

import { nodeResolve } from "@rollup/plugin-node-resolve";
import { build as esbuild } from "esbuild";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { rollup } from "rollup";
import { build as vite } from "vite";
import webpack from "webpack";

const PAGE = (script) => `<!doctype html><title>running</title><script type="module" src="${script}"></script>\n`;
const BUNDLERS = { esbuild: withEsbuild, rollup: withRollup, vite: withVite, webpack: withWebpack };

/** `folder` holds `entry` and, at or above it, node_modules; `forNode` keeps `node:` modules and needs no page. */
export async function bundleWith(bundler, { folder, entry, output, forNode }) {
  await BUNDLERS[bundler]({ folder, entry: join(folder, entry), output, forNode });
  if (forNode || bundler === "vite") return; // vite writes the page itself
  await mkdir(output, { recursive: true });
  await writeFile(join(output, "index.html"), PAGE("./bundle.mjs"));
}

async function withEsbuild({ folder, entry, output, forNode }) {
  const { warnings } = await esbuild({
    absWorkingDir: folder,
    entryPoints: [entry],
    outfile: join(output, "bundle.mjs"),
    bundle: true,
    format: "esm",
    platform: forNode ? "node" : "browser",
    target: "es2022",
    logLevel: "silent",
  });
  failOn(warnings.map(({ text }) => text));
}

async function withRollup({ entry, output, forNode }) {
  const bundle = await rollup({
    input: entry,
    external: forNode ? /^node:/ : [],
    plugins: [nodeResolve({ browser: !forNode })],
    onwarn: (warning) => failOn([warning.message]),
  });
  await bundle.write({ file: join(output, "bundle.mjs"), format: "es", inlineDynamicImports: true });
  await bundle.close();
}

async function withVite({ folder, entry, output }) {
  await writeFile(join(folder, "index.html"), PAGE(`/${entry.slice(folder.length + 1)}`));
  const warnings = [];
  const logger = {
    info: () => undefined,
    warn: (message) => warnings.push(message),
    warnOnce: (message) => warnings.push(message),
    error: (message) => warnings.push(message),
    clearScreen: () => undefined,
    hasErrorLogged: () => false,
    hasWarned: false,
  };
  await vite({
    root: folder,
    base: "./",
    configFile: false,
    customLogger: logger,
    logLevel: "warn", // no progress lines
    build: { outDir: output, target: "es2022", emptyOutDir: true },
  });
  failOn(warnings);
}

async function withWebpack({ folder, entry, output }) {
  const compiler = webpack({
    context: folder,
    entry,
    mode: "production",
    target: ["web", "es2022"],
    output: { path: output, filename: "bundle.mjs", module: true },
    experiments: { outputModule: true },
    performance: { hints: false }, // the core is inlined on purpose
  });
  const stats = await new Promise((resolve, reject) => {
    compiler.run((error, result) => (error ? reject(error) : resolve(result)));
  });
  await new Promise((resolve) => compiler.close(resolve));
  const { errors, warnings } = stats.toJson({ all: false, errors: true, warnings: true });
  failOn([...errors, ...warnings].map(({ message }) => message));
}

function failOn(messages) {
  if (messages.length > 0) throw new Error(messages.join("\n"));
}

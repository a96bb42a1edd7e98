// SPDX-License-Identifier: GPL-2.0-only
//
// Bundles the benches, their workers and both hosts' entries into build/bench, once for Node and Chromium: the library is inside, from
// dist/ as its users get it, and modules of Node stay outside.

import { access, readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { buildNative } from "../native/build.mjs";

const here = import.meta.url;
export const ROOT = new URL("../../", here);

/** Told in this order; a bench that is not in the list comes last. */
const ORDER = [
  ...["get-put", "alloc-destroy", "alloc-million", "ioctl", "struct-copy", "call", "open-close"],
  ...["map-unmap", "map-unmap-native", "first-fit", "threads-map-unmap"],
  ...["native", "threads-get-put", "owner-thread", "hand-over", "attach", "memory", "start-up", "size"],
];

/** Names of all benches: bench/NAME.bench.ts. */
export async function benchNames(): Promise<string[]> {
  const files = await readdir(new URL("bench/", ROOT));
  const names = files.filter((file) => file.endsWith(".bench.ts")).map((file) => file.slice(0, -".bench.ts".length));
  const place = (name: string): number => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);
  return names.sort((a, b) => place(a) - place(b) || (a < b ? -1 : 1));
}

export async function buildBenches(names: readonly string[]): Promise<void> {
  for (const needed of ["dist/index.js", "build/floor.wasm"]) {
    await access(new URL(needed, ROOT)).catch(() => {
      throw new Error(`${needed} is missing: npm run build`);
    });
  }
  await buildNative();
  const workers = (await readdir(new URL("bench/workers/", ROOT)).catch(() => [])).filter((file) =>
    file.endsWith(".ts"),
  );
  await build({
    absWorkingDir: fileURLToPath(ROOT),
    entryPoints: [
      ...names.map((name) => `bench/${name}.bench.ts`),
      ...workers.map((file) => `bench/workers/${file}`),
      ...["node-process", "chromium-page", "chromium-thread"].map((name) => `bench/harness/${name}.ts`),
    ],
    outdir: "build/bench",
    outbase: "bench",
    chunkNames: "chunks/[name]-[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    external: ["node:*"],
    target: "es2022",
    sourcemap: true,
    logLevel: "warning",
  });
}

// SPDX-License-Identifier: GPL-2.0-only
//
// The lab page: `npm run lab` serves it from the sources, with the two isolation headers; `npm run lab:build` makes a folder of
// plain files that works from any place of any host; `npm run lab:preview` serves that folder.
//
// `iommufd-wasm` is the built package, by the `exports` of package.json, as for everybody who has installed it.

import { access } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const PACKAGE = new URL("../../", import.meta.url);
const NAME = "iommufd-wasm";

const headers = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

await access(new URL("dist/lab.js", PACKAGE)).catch(() => {
  throw new Error("dist/ has no lab.js: run `npm run build` first");
});

export default defineConfig({
  root: fileURLToPath(new URL("./", import.meta.url)),
  // Relative, so that the folder may lie anywhere below a host's root.
  base: "./",
  cacheDir: fileURLToPath(new URL("build/lab-cache/", PACKAGE)),
  server: { headers, fs: { allow: [fileURLToPath(PACKAGE)] } },
  preview: { headers },
  // lit's development build talks to the console.
  resolve: { conditions: ["module", "browser", "production"] },
  optimizeDeps: { include: ["lit"] },
  build: {
    outDir: fileURLToPath(new URL("build/lab/", PACKAGE)),
    emptyOutDir: true,
    target: "es2022",
    // Kernel, explorer and elements come in one file on purpose: all of it is on the page at once.
    chunkSizeWarningLimit: 640,
    modulePreload: { polyfill: false },
    // What is inlined cannot carry headers, and workers need them.
    assetsInlineLimit: 0,
  },
  worker: { format: "es", plugins: () => [packageByItsName()] },
  plugins: [packageByItsName()],
});

function packageByItsName() {
  return {
    name: "package-by-its-name",
    enforce: "pre",
    resolveId(id) {
      return id === NAME || id.startsWith(`${NAME}/`) ? fileURLToPath(import.meta.resolve(id)) : null;
    },
  };
}

// SPDX-License-Identifier: GPL-2.0-only
//
// Fills bindings/lab/graph/layout-worker-text.ts in while rollup bundles: the worker with dagre as one text.
//
// As a file of its own the worker would need every bundler's help to be found, and no page could start it from another
// host. As a text it starts from a blob URL.

import { nodeResolve } from "@rollup/plugin-node-resolve";
import { transform } from "esbuild";
import { rollup } from "rollup";

const TEXT_MODULE = "/build/ts/lab/graph/layout-worker-text.js";

/** A rollup plugin. */
export function layoutWorker() {
  return {
    name: "layout-worker",
    async load(id) {
      if (!id.endsWith(TEXT_MODULE)) return null;
      const text = await bundledText(id.replace("-text.js", ".js"));
      return { code: `export const LAYOUT_WORKER = ${JSON.stringify(text)};\n`, map: { mappings: "" } };
    },
  };
}

async function bundledText(input) {
  const bundle = await rollup({ input, plugins: [nodeResolve()] });
  const { output } = await bundle.generate({ format: "iife" });
  await bundle.close();
  const { code } = await transform(output[0].code, { minify: true, legalComments: "none", target: "es2022" });
  return code;
}

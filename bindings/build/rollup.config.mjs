// SPDX-License-Identifier: GPL-2.0-only
//
// Bundles the modules that tsc wrote into build/ts to the entries of package.json in dist/.
//
// Code that several entries need lands once in dist/chunk-*.js, so a page that imports `.` and `./replay` has one library,
// and `instanceof` means the same in both. Chunks lie beside the entries: `new URL("./core.wasm", import.meta.url)` then
// means dist/core.wasm wherever rollup puts the line. as-bind and its loader are bundled into the trace entry; the package
// has no dependencies.

import { nodeResolve } from "@rollup/plugin-node-resolve";
import { chmod, readFile } from "node:fs/promises";
import { layoutWorker } from "./layout-worker.mjs";

const ROOT = new URL("../../", import.meta.url);

export default {
  input: {
    index: "build/ts/index.js",
    external: "build/ts/external.js",
    trace: "build/ts/trace.js",
    replay: "build/ts/replay/index.js",
    remote: "build/ts/remote/index.js",
    lab: "build/ts/lab/index.js",
    "lab-worker": "build/ts/lab/trace/forward.js",
    "race-worker": "build/ts/lab/race/race-worker.js",
    cli: "build/ts/cli/index.js",
  },
  external: /^node:/,
  plugins: [
    nodeResolve(),
    layoutWorker(),
    sourceMapsOfTsc(),
    generatedNumbers(),
    module("core.wasm"),
    module("core.model.wasm"),
    licencesOfBundledCode(),
    executable("cli.js"),
  ],
  output: {
    dir: "dist",
    format: "es",
    sourcemap: true,
    entryFileNames: "[name].js",
    chunkFileNames: "chunk-[name].js",
    // An import only for loading early looks like an import for its effect, which esbuild warns about.
    hoistTransitiveImports: false,
    manualChunks: chunkOf,
  },
  onwarn(warning) {
    throw new Error(warning.message, { cause: warning });
  },
};

/**
 * What entries without the library need of it, in one file: each further one is half a millisecond of `.`'s start in Node. What an
 * entry does not use of the file, bundlers leave out.
 *
 * The core's text is a file of its own, which `.` imports first. In a bundle it then stands before the library and not between it
 * and the list of its exports, whose names a compressor finds again up to 32 kB further up only.
 */
function chunkOf(id) {
  if (id.endsWith("/build/ts/generated/core-bytes.js")) return "core-text";
  return /\/build\/ts\/(?:wasm-text|dispose|error|struct|command|wait|generated\/(?:errno|uapi))\.js$/.test(id)
    ? "basis"
    : undefined;
}

/** Rollup reads no source maps by itself; with these, a stack trace in dist/ leads to bindings/. */
function sourceMapsOfTsc() {
  return {
    name: "source-maps-of-tsc",
    async load(id) {
      if (!id.includes("/build/ts/")) return null;
      const [code, map] = await Promise.all([readFile(id, "utf8"), readFile(`${id}.map`, "utf8")]);
      return { code, map };
    },
  };
}

/**
 * `Layout.NAME` and `Errno.NAME` become the number, so that an entry has what it uses of them, and no table. Filled up with
 * blanks to the length of what was there, the number leaves the source maps right.
 */
function generatedNumbers() {
  let tables;
  return {
    name: "generated-numbers",
    async buildStart() {
      const [{ Layout }, { Errno }] = await Promise.all([
        import(new URL("build/ts/generated/layout.js", ROOT)),
        import(new URL("build/ts/generated/errno.js", ROOT)),
      ]);
      tables = { Layout, Errno };
    },
    transform(code, id) {
      if (!id.includes("/build/ts/")) return null;
      const numbers = code.replace(/\b(Layout|Errno)\.([A-Z][A-Z0-9_]*[A-Z0-9])\b/g, (access, table, name) => {
        const number = tables[table][name];
        if (typeof number !== "number") this.error(`${id}: there is no ${access}`);
        return (number < 0 ? `(${number})` : `${number}`).padEnd(access.length);
      });
      return { code: numbers, map: null };
    },
  };
}

/**
 * A compiled module beside the entries: core.wasm for `./external` and for those who serve it themselves, core.model.wasm for the race
 * element, which fetches it when it is shown.
 */
function module(fileName) {
  return {
    name: `module-${fileName}`,
    async buildStart() {
      const source = await readFile(new URL(`build/${fileName}`, ROOT));
      this.emitFile({ type: "asset", fileName, source });
    },
  };
}

/** What dist/trace.js and dist/lab.js contain of others asks for its licence to travel along. */
function licencesOfBundledCode() {
  const sources = [
    "as-bind/LICENSE",
    "assemblyscript/LICENSE",
    "assemblyscript/NOTICE",
    "lit/LICENSE",
    "@dagrejs/dagre/LICENSE",
    "@dagrejs/graphlib/LICENSE",
  ];
  return {
    name: "licences-of-bundled-code",
    async buildStart() {
      const texts = sources.map(async (name) => {
        return `===== ${name} =====\n\n${await readFile(new URL(`node_modules/${name}`, ROOT), "utf8")}`;
      });
      this.emitFile({ type: "asset", fileName: "THIRD-PARTY.txt", source: (await Promise.all(texts)).join("\n\n") });
    },
  };
}

function executable(name) {
  return {
    name: "executable",
    async writeBundle() {
      await chmod(new URL(`dist/${name}`, ROOT), 0o755);
    },
  };
}

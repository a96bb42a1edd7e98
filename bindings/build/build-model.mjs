// SPDX-License-Identifier: GPL-2.0-only
//
// Builds a module for the explorer: the same AssemblyScript sources with the model switch on, and then
//
//   instrument-memory   every load and store calls env.load_ptr or env.store_ptr with its address and size
//   asyncify            a thread can be suspended in env.point, and only there
//
// A twin is the same build from edited sources: a list of { file, find, replace }, `file` relative to assembly/, `find`
// present exactly once. Results are kept under build/model by a hash of everything they depend on.
//
// In atomics.ts the decorator @inline is dropped, so that each operation has a stack frame of its own and the frame below it
// names the line that asked for it. What a load or a store transfers is not reported (identity functions take the place of
// those imports): the explorer reads the memory itself.
//
// `buildCore` makes any other target of asconfig.json from edited sources, for test/mutants.
//
//   node bindings/build/build-model.mjs     writes build/core.model.wasm and its map

import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { argv } from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";

const ROOT = findRoot();
const OUT = join(ROOT, "build/model");
/** The core's one mutable global: kept and restored with the memory. */
const SELF = "assembly/core/thread/self";
const ENTRY = "assembly/model/index.ts";
const CORE_ENTRY = "assembly/core/index.ts";

/** The folder with our package.json, from the sources and from a bundle of them in build/run alike. */
function findRoot() {
  let at = fileURLToPath(new URL(".", import.meta.url));
  while (!existsSync(join(at, "asconfig.json"))) at = join(at, "..");
  return at.endsWith("/") ? at.slice(0, -1) : at;
}

/**
 * Builds, or finds the result of an earlier build.
 *
 * @param {readonly { file: string, find: string, replace: string }[]} [edits] the twin's edits
 * @param {string} [entry] path of the entry below the root
 * @returns {Promise<{ wasm: Uint8Array, map: string, hash: string }>}
 */
export async function buildModel(edits = [], entry = ENTRY) {
  const edited = withFrames(applyEdits(await readSources(entry), edits));
  const hash = hashOf(edited, entry, await readFile(fileURLToPath(import.meta.url), "utf8"));
  const path = join(OUT, `${hash}.wasm`);
  const kept = await Promise.all([readFile(path), readFile(`${path}.map`, "utf8")]).catch(() => undefined);
  if (kept) return { wasm: kept[0], map: kept[1], hash };
  const { wasm, map } = await compile(edited, entry, "model", instrument);
  await mkdir(OUT, { recursive: true });
  await replaceFile(`${path}.map`, map);
  await replaceFile(path, wasm);
  return { wasm, map, hash };
}

/**
 * Compiles the core from edited sources, without optimizing, which takes most of the time.
 *
 * @param {readonly { file: string, find: string, replace: string }[]} edits
 * @param {string} target of asconfig.json
 * @returns {Promise<Uint8Array>}
 */
export async function buildCore(edits, target) {
  const edited = applyEdits(await readSources(CORE_ENTRY), edits);
  const { wasm } = await compile(edited, CORE_ENTRY, target, undefined, ["--optimizeLevel", "0"]);
  return wasm;
}

/** Written aside and moved, because several processes may build the same. */
async function replaceFile(path, content) {
  const aside = `${path}.${process.pid}`;
  await writeFile(aside, content);
  await rename(aside, path);
}

async function readSources(entry) {
  const sources = new Map();
  for (const file of await readdir(join(ROOT, "assembly"), { recursive: true })) {
    if (!file.endsWith(".ts")) continue;
    const name = `assembly/${file.replaceAll("\\", "/")}`;
    if (/^assembly\/(trace|bench)\//.test(name)) continue;
    sources.set(name, await readFile(join(ROOT, name), "utf8"));
  }
  if (!sources.has(entry)) sources.set(entry, await readFile(join(ROOT, entry), "utf8"));
  return sources;
}

function applyEdits(sources, edits) {
  const edited = new Map(sources);
  for (const { file, find, replace } of edits) {
    const name = `assembly/${file}`;
    const text = edited.get(name);
    if (text === undefined) throw new Error(`twin edit: there is no ${name}`);
    const count = text.split(find).length - 1;
    if (count !== 1) throw new Error(`twin edit: ${name} has ${count} places like\n${find}`);
    edited.set(
      name,
      text.replace(find, () => replace),
    );
  }
  return edited;
}

/** Each atomic operation gets a stack frame of its own. */
function withFrames(sources) {
  const edited = new Map(sources);
  const atomics = "assembly/core/atomics.ts";
  edited.set(
    atomics,
    edited.get(atomics).replaceAll("@inline export", "export").replaceAll("@inline\nexport", "export"),
  );
  return edited;
}

function hashOf(sources, ...more) {
  const hash = createHash("sha256");
  for (const text of more) hash.update(text);
  for (const [name, text] of sources) hash.update(name).update("\0").update(text).update("\0");
  return hash.digest("hex").slice(0, 24);
}

async function compile(sources, entry, target, afterCompile, more = []) {
  const { default: asc } = await import("assemblyscript/cli/asc");
  const { default: binaryen } = await import("binaryen");
  await asc.ready;
  const outputs = new Map();
  const messages = [];
  const stream = { write: (text) => messages.push(text) };
  const args = [entry, "--target", target, "--baseDir", ROOT, "--outFile", "core.wasm", "--textFile", "", ...more];
  const transform = afterCompile && { afterCompile: (module) => afterCompile(binaryen, module) };
  const host = {
    stdout: asc.createMemoryStream(),
    stderr: stream,
    readFile: (name, baseDir) => {
      const inTree = relative(ROOT, join(baseDir, name)).replaceAll("\\", "/");
      if (sources.has(inTree)) return sources.get(inTree);
      const path = join(baseDir, name);
      return existsSync(path) ? readFileSync(path, "utf8") : null;
    },
    writeFile: (name, contents) => outputs.set(name, contents),
    listFiles: () => [],
    transforms: transform ? [transform] : [],
  };
  const error = await new Promise((resolve) => asc.main(args, host, resolve));
  if (error) throw new Error(`${error.message}\n${messages.join("")}`);
  return { wasm: outputs.get("core.wasm"), map: String(outputs.get("core.wasm.map")) };
}

function instrument(binaryen, module) {
  binaryen.setDebugInfo(true);
  binaryen.setOptimizeLevel(1);
  binaryen.setShrinkLevel(0);
  module.setFeatures(module.getFeatures() | binaryen.Features.MutableGlobals);
  module.optimize();
  module.runPasses(["instrument-memory"]);
  for (const what of ["load_val", "store_val"]) {
    for (const type of ["i32", "i64", "f32", "f64"]) {
      const name = `${what}_${type}`;
      const valueType = binaryen[type];
      const params = binaryen.createType([binaryen.i32, valueType]);
      module.removeFunction(name);
      module.addFunction(name, params, valueType, [], module.local.get(1, valueType));
    }
  }
  binaryen.setPassArgument("asyncify-imports", "env.point");
  module.runPasses(["asyncify"]);
  binaryen.clearPassArguments();
  if (module.getGlobal(SELF) !== 0) module.addGlobalExport(SELF, "self");
}

if (argv[1] && import.meta.url === pathToFileURL(argv[1]).href) {
  const begin = performance.now();
  const { wasm, map } = await buildModel();
  await mkdir(join(ROOT, "build"), { recursive: true });
  await writeFile(join(ROOT, "build/core.model.wasm"), wasm);
  await writeFile(join(ROOT, "build/core.model.wasm.map"), map);
  console.log(`build/core.model.wasm: ${wasm.length} bytes, ${((performance.now() - begin) / 1000).toFixed(1)} s`);
}

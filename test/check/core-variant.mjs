// SPDX-License-Identifier: GPL-2.0-only
//
// Runs the suite in Node against the same package with a differently compiled core.
//
//   core-variant.mjs asc-next   the release core, from the newest AssemblyScript. As long as this passes, leaving the
//                               compiler that as-bind pins is a change of one line.
//   core-variant.mjs debug      the core with its assertions on.
//
// A copy of the tree goes to build/NAME; there the inlined core is replaced in dist/. Node and the test runner resolve
// `iommufd-wasm` to the nearest package.json, so the tests and their threads use that copy without knowing, and every
// other package still comes from node_modules of the real tree above it.

import { spawnSync } from "node:child_process";
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { textOfBytes } from "../../bindings/build/wasm-text.mjs";
import { violations } from "./core-shape.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const NOT_COPIED = new Set(["node_modules", "build", ".git"]);
const VARIANTS = {
  "asc-next": { compiler: "node_modules/assemblyscript-next/bin/asc.js", target: "release", isProduct: true },
  debug: { compiler: "node_modules/assemblyscript/bin/asc", target: "debug", isProduct: false },
};

/** Tests that compile cores of their own, or run none; and those of what lies on top of it. */
const OTHER_CORES = ["model-*", "seed-*", "lab-*", "failure-sweep-*", "mutants", "readme*", "bench-*", "cli"];
const excluded = OTHER_CORES.flatMap((name) => ["--exclude", `test/node/${name}.test.ts`]);

const name = process.argv[2];
const variant = VARIANTS[name];
if (!variant) throw new Error(`usage: core-variant.mjs ${Object.keys(VARIANTS).join(" | ")}`);
const stage = join(ROOT, "build", name);

await copyTree();
compile();
await replaceCore();
console.log(`Running the Node tests with the ${name} core`);
run("node_modules/vitest/vitest.mjs", ["run", "--project", "node", "--root", stage, ...excluded], stage);

async function copyTree() {
  await rm(stage, { recursive: true, force: true });
  await mkdir(stage, { recursive: true });
  for (const entry of await readdir(ROOT)) {
    if (!NOT_COPIED.has(entry)) await cp(join(ROOT, entry), join(stage, entry), { recursive: true });
  }
  // Modules that tests load by path: other builds of the core, the floor of the benches, the board of the races.
  for (const entry of await readdir(join(ROOT, "build"))) {
    if (entry.endsWith(".wasm") || entry === "ts") {
      await cp(join(ROOT, "build", entry), join(stage, "build", entry), { recursive: true });
    }
  }
}

function compile() {
  const outputs = ["--outFile", `build/${name}/core.wasm`, "--textFile", `build/${name}/core.wat`];
  run(variant.compiler, ["assembly/core/index.ts", "--target", variant.target, ...outputs], ROOT);
}

async function replaceCore() {
  const before = textOfBytes(await readFile(join(ROOT, "dist/core.wasm")));
  const core = await readFile(join(stage, "core.wasm"));
  console.log(`${name} core: ${core.length} bytes`);
  if (variant.isProduct) {
    const broken = violations(core);
    if (broken.length > 0) throw new Error(`The ${name} core has the wrong shape: ${broken.join("; ")}`);
  }
  let replaced = 0;
  for (const file of await readdir(join(stage, "dist"))) {
    if (!file.endsWith(".js")) continue;
    const path = join(stage, "dist", file);
    const text = await readFile(path, "utf8");
    replaced += text.split(before).length - 1;
    await writeFile(path, text.split(before).join(textOfBytes(core)));
  }
  if (replaced !== 1) throw new Error(`dist/ holds the core ${replaced} times instead of once; run \`npm run build\``);
  await writeFile(join(stage, "dist/core.wasm"), core);
}

function run(script, args, cwd) {
  const { status, error } = spawnSync(process.execPath, [join(ROOT, script), ...args], { cwd, stdio: "inherit" });
  if (error) throw error;
  if (status !== 0) {
    console.error(`${script} failed`);
    process.exit(status ?? 1);
  }
}

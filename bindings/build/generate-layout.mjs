// SPDX-License-Identifier: GPL-2.0-only
//
// Writes bindings/generated/layout.ts and errno.ts from the compiled build/layout.wasm.
//
// Invariant: a number of the memory map or of the uAPI is written once, in assembly/. The compiler folds `offsetof` and
// arithmetic into exported constants, this program reads them back, and the result is committed, so that a reviewer sees
// what a change of a struct does to the TypeScript side.
//
//   generate-layout.mjs           writes both files
//   generate-layout.mjs --check   writes nothing, and fails if a file differs from what it would write
//
// Every exported immutable global of layout.wasm is a constant. Names like EPERM or E2BIG, an E and then capitals or
// digits without an underscore, are errno numbers; all others are layout.

import { readFile } from "node:fs/promises";
import { produce, reportDrift } from "./generated-file.mjs";

const WASM = new URL("../../build/layout.wasm", import.meta.url);
const ERRNO_NAME = /^E[A-Z0-9]+$/;

const constants = await readConstants();
const errno = constants.filter(([name]) => ERRNO_NAME.test(name)).sort(([, a], [, b]) => Number(a) - Number(b));
const layout = constants.filter(([name]) => !ERRNO_NAME.test(name));
await produce("bindings/generated/layout.ts", "assembly/core/layout.ts", import.meta.url, objectOf("Layout", layout));
await produce(
  "bindings/generated/errno.ts",
  "assembly/errno.ts",
  import.meta.url,
  `/** Linux errno numbers, positive, by name. */
   export const Errno = /* @__PURE__ */ (() => Object.fromEntries(
     ${JSON.stringify(errnoNames())}.split(" ").flatMap((name, index) => (name === "" ? [] : [["E" + name, index + 1]]))
   ))() as {
     ${errno.map(([name, value]) => `readonly ${name}: ${value};`).join("\n")}
   };

   /** The name of a Linux errno, as in \`IommufdError.code\`. */
   export type ErrnoName = keyof typeof Errno;`,
);
reportDrift();

async function readConstants() {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 32768, shared: true });
  const { instance } = await WebAssembly.instantiate(await readFile(WASM), { env: { memory } });
  const globals = Object.entries(instance.exports).filter(([, value]) => value instanceof WebAssembly.Global);
  const mutable = globals.filter(([, global]) => isMutable(global)).map(([name]) => name);
  if (mutable.length > 0) throw new Error(`layout.wasm exports globals that are not constant: ${mutable.join(", ")}`);
  if (globals.length === 0) throw new Error("layout.wasm exports no constant");
  return globals.map(([name, global]) => [name, global.value]);
}

function isMutable(global) {
  try {
    global.value = global.valueOf();
    return true;
  } catch {
    return false; // "Can't set the value of an immutable global"
  }
}

function objectOf(name, entries) {
  const lines = entries.map(([key, value]) => `${key}: ${value}${typeof value === "bigint" ? "n" : ""},`);
  return `export const ${name} = {\n${lines.join("\n")}\n} as const;\n`;
}

/** All names without their E, the first for 1, and nothing for a number that has no name: half the size of an object. */
function errnoNames() {
  const names = [];
  for (const [name, value] of errno) names[value - 1] = name.slice(1);
  return Array.from(names, (name) => name ?? "").join(" ");
}

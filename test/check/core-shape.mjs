// SPDX-License-Identifier: GPL-2.0-only
//
// Checks that a built core may be instantiated many times on one shared memory.
//
// A data segment or a start function would run again in every thread that attaches and overwrite what the others work on.
// A mutable global exists once per instance, so anything kept in one is seen by one thread only; the single allowed one
// points to the thread's own slot. An import besides the memory would be a call out of the core that every host has to
// provide; only a hook that ends the thread is allowed.
//
//   core-shape.mjs FILE     prints the size and every violation, exit status 1 if there is one

import { readFile } from "node:fs/promises";
import { argv } from "node:process";
import { pathToFileURL } from "node:url";
import { countUnstoredWaits, readExports, readGlobals, readImports, readSections, SECTION } from "./wasm-sections.mjs";

export const MOST_BYTES = 80 * 1000;
const HOOKS = new Set(["env.abort", "env.trap"]);

/** Returns one sentence per broken rule; none for a good core. */
export function violations(bytes) {
  const found = [];
  const sections = readSections(bytes);
  if (sections.has(SECTION.data)) found.push("it has data segments: each new thread would write them again");
  if (sections.has(SECTION.start)) found.push("it has a start function: each new thread would run it again");
  if (sections.has(SECTION.memory)) found.push("it has a memory of its own");
  const mutable = readGlobals(sections).filter((global) => global.mutable).length;
  if (mutable > 1) found.push(`it has ${mutable} mutable globals: at most one, the pointer to the thread's slot`);

  const imports = readImports(sections);
  const memory = imports.find(({ module, name, kind }) => `${module}.${name}` === "env.memory" && kind === "memory");
  if (!memory) found.push("it does not import env.memory");
  else if (!memory.memory.shared) found.push("the imported memory is not shared");
  for (const entry of imports) {
    const isHook = entry.kind === "function" && HOOKS.has(`${entry.module}.${entry.name}`);
    if (entry !== memory && !isHook) found.push(`it imports ${entry.module}.${entry.name}`);
  }
  for (const { name, kind } of readExports(sections)) {
    if (kind === "memory")
      found.push(`it exports the memory as ${name}: whoever instantiates it has that memory already`);
  }
  const waits = countUnstoredWaits(sections);
  if (waits > 0) found.push(`it has ${waits} waits whose answer is not stored: V8 11.3 spoils a local there`);
  if (bytes.length > MOST_BYTES) found.push(`it has ${bytes.length} bytes, more than ${MOST_BYTES}`);
  return found;
}

if (argv[1] && import.meta.url === pathToFileURL(argv[1]).href) {
  const file = argv[2];
  if (!file) throw new Error("usage: core-shape.mjs FILE");
  const bytes = await readFile(file);
  const found = violations(bytes);
  for (const sentence of found) console.error(`${file}: ${sentence}`);
  console.log(`${file}: ${bytes.length} of ${MOST_BYTES} bytes, ${found.length} violations`);
  process.exitCode = found.length > 0 ? 1 : 0;
}

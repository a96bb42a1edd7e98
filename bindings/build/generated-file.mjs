// SPDX-License-Identifier: GPL-2.0-only
//
// Writes committed files that are generated, or only compares them with what would be written, when run with --check.

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { format, resolveConfig } from "prettier";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const drifted = [];

/**
 * Writes one file, formatted. @param file its path from the root @param source what it is made from @param generator the program's URL
 */
export async function produce(file, source, generator, body) {
  const path = ROOT + file;
  const head = `// SPDX-License-Identifier: GPL-2.0-only
    //
    // Generated from ${source} by ${relative(ROOT, fileURLToPath(generator))}; do not edit.
    // \`npm run build:layout\` writes this file, \`npm run check:layout\` compares it.\n\n`;
  const text = await format(head + body, { ...(await resolveConfig(path)), filepath: path });
  const old = await readFile(path, "utf8").catch(() => undefined);
  if (old === text) return;
  if (process.argv.includes("--check")) {
    drifted.push(file);
    return;
  }
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

/** Fails the program if a file differed. To be called last. */
export function reportDrift() {
  if (drifted.length === 0) return;
  console.error(`Not what assembly/ says: ${drifted.join(", ")}. Run \`npm run build:layout\` and commit the result.`);
  process.exitCode = 1;
}

// SPDX-License-Identifier: GPL-2.0-only
//
// Rules for source files that no other tool knows, for both languages: the licence line, names that say something, files
// with one job.

import { readdir, readFile } from "node:fs/promises";
import { basename, extname } from "node:path";

const ROOT = new URL("../../", import.meta.url);
const FOLDERS = ["assembly", "bindings", "test", "bench", "examples"];
const EXTENSIONS = new Set([".ts", ".js", ".mjs", ".html", ".css", ".c", ".h", ".S", ".ld"]);
const LICENCE = "SPDX-License-Identifier: GPL-2.0-only";
const EMPTY_NAMES = /^(utils?|helpers?|common|misc)$/;
const LEFT_FOR_LATER = /\b(TODO|FIXME|XXX|HACK)\b/; // sources: the pattern itself
const MOST_LINES = 500;
/**
 * Longer all the same. A file that has become short leaves the list.
 *
 * uapi.ts is one declaration, the uAPI header: struct after struct, whose order and comments the build reads. context.ts is one class,
 * half of it doc comments: what can be done with an open file.
 */
const LONG = new Set(["assembly/core/uapi.ts", "bindings/context.ts"]);

const complaints = [];
let checked = 0;
for (const folder of FOLDERS) {
  for (const path of await filesIn(folder)) check(path, await readFile(new URL(path, ROOT), "utf8"));
}
for (const complaint of complaints) console.error(complaint);
console.log(`sources: ${checked} files, ${complaints.length} complaints`);
process.exitCode = complaints.length > 0 ? 1 : 0;

async function filesIn(folder) {
  const entries = await readdir(new URL(folder, ROOT), { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile() && EXTENSIONS.has(extname(entry.name)))
    .map((entry) => `${(entry.parentPath ?? entry.path).slice(ROOT.pathname.length)}/${entry.name}`)
    .filter((path) => !path.includes("/node_modules/")) // of an example that was installed on its own
    .sort();
}

function check(path, text) {
  checked++;
  const lines = text.split("\n");
  const first = lines[0].startsWith("#!") ? lines[1] : lines[0];
  if (!first?.includes(LICENCE)) complaints.push(`${path}: the first line is not the SPDX line`);
  if (path.split("/").some((part) => EMPTY_NAMES.test(basename(part, extname(part))))) {
    complaints.push(`${path}: a name that could hold anything`);
  }
  const isLong = lines.length > MOST_LINES && !path.startsWith("bindings/generated/");
  if (isLong && !LONG.has(path)) complaints.push(`${path}: ${lines.length} lines, more than one job?`);
  if (!isLong && LONG.has(path)) complaints.push(`${path}: short by now, off the list`);
  lines.forEach((line, index) => {
    if (LEFT_FOR_LATER.test(line) && !line.includes("sources: the pattern itself")) {
      complaints.push(`${path}:${index + 1}: left for later: ${line.trim()}`);
    }
  });
}

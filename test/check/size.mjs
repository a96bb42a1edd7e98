// SPDX-License-Identifier: GPL-2.0-only
//
// What an import of each entry costs a page: bundled, minified and compressed, against a budget.
//
// It also checks what keeps the entries apart: `.` holds the core exactly once, `./external` does not hold it at all, and
// neither drags in the as-bind module of `./trace`. `./remote` holds no core, and `connect` of it little else than itself.

import { readFile } from "node:fs/promises";
import { textOfBytes } from "../../bindings/build/wasm-text.mjs";
import { bundled, bundledExport, kilobytes } from "./bundled.mjs";

const ROOT = new URL("../../", import.meta.url);

// Kilobytes of 1,000 bytes, after gzip. Raise one only together with a line in the changelog that says what it buys.
const BUDGET = {
  index: 45,
  external: 22,
  trace: 20.5,
  replay: 53,
  remote: 7.1,
  "remote: connect": 3.5,
  lab: 175,
  "lab-worker": 1.5,
};

const core = textOfBytes(await readFile(new URL("dist/core.wasm", ROOT)));
const trace = textOfBytes(await readFile(new URL("build/trace.wasm", ROOT)));
const HOLDS = {
  index: { core: 1, trace: 0 },
  external: { core: 0, trace: 0 },
  trace: { core: 0, trace: 1 },
  remote: { core: 0, trace: 0 },
  "remote: connect": { core: 0, trace: 0 },
  lab: { core: 1, trace: 1 },
  "lab-worker": { core: 0, trace: 0 },
};

let failed = false;
for (const [entry, most] of Object.entries(BUDGET)) {
  const [file, name] = entry.split(": ");
  const text = await (name === undefined ? bundled(file) : bundledExport(file, name));
  const size = kilobytes(text);
  const copies = { core: text.split(core).length - 1, trace: text.split(trace).length - 1 };
  const wanted = HOLDS[entry] ?? copies;
  const good = size <= most && copies.core === wanted.core && copies.trace === wanted.trace;
  failed ||= !good;
  console.log(
    `${good ? "ok  " : "FAIL"} ${entry.padEnd(15)} ${size.toFixed(1)} of ${most} kB, ` +
      `core.wasm ${copies.core} times, trace.wasm ${copies.trace} times`,
  );
}
process.exitCode = failed ? 1 : 0;

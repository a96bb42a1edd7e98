// SPDX-License-Identifier: GPL-2.0-only
//
// Writes compiled modules as text into bindings/generated/NAME-bytes.ts, for the entries that must work without a
// second file: `.` holds core.wasm, `./trace` holds trace.wasm.
//
//   inline-wasm.mjs core trace      reads build/core.wasm and build/trace.wasm
//
// The files are not committed. They declare `string`, not the literal, so that no declaration file repeats the bytes.

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { textOfBytes } from "./wasm-text.mjs";

const ROOT = new URL("../../", import.meta.url);
const names = process.argv.slice(2);
if (names.length === 0) throw new Error("usage: inline-wasm.mjs NAME…");

await mkdir(new URL("bindings/generated/", ROOT), { recursive: true });
for (const name of names) {
  const bytes = await readFile(new URL(`build/${name}.wasm`, ROOT));
  if (!WebAssembly.validate(bytes)) throw new Error(`build/${name}.wasm is not a valid module`);
  const text = `// SPDX-License-Identifier: GPL-2.0-only
//
// Generated from build/${name}.wasm by bindings/build/inline-wasm.mjs; do not edit, not committed.

export const ${name.toUpperCase()}_TEXT: string = "${textOfBytes(bytes)}";
`;
  await writeFile(new URL(`bindings/generated/${name}-bytes.ts`, ROOT), text);
}

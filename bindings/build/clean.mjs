// SPDX-License-Identifier: GPL-2.0-only
//
// Removes what tsc and rollup wrote, so that a deleted source file leaves nothing behind in the package.
// build/*.wasm stays: asc overwrites it.

import { rm } from "node:fs/promises";

for (const folder of ["build/ts", "dist"]) {
  await rm(new URL(`../../${folder}`, import.meta.url), { recursive: true, force: true });
}

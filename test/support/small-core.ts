// SPDX-License-Identifier: GPL-2.0-only
//
// The core whose counts are a few bits wide and whose assertions are on (asconfig target "small"): saturation and overflow
// happen after a dozen calls instead of after millions. `npm run build:small` makes it.

import { compileCoreBuild } from "./core-build.ts";

/** The compiled module, for `IommufdOptions.module`. */
export async function compileSmallCore(): Promise<WebAssembly.Module> {
  return compileCoreBuild("small");
}

// SPDX-License-Identifier: GPL-2.0-only
//
// Prints what a page loads for the default entry, as `npm run check:size` counts it.

import { bundled, kilobytes } from "../../test/check/bundled.mjs";

console.log(JSON.stringify({ kilobytes: kilobytes(await bundled("index")) }));

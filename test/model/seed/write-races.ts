// SPDX-License-Identifier: GPL-2.0-only
//
// npm run build:races: writes bindings/generated/races.ts. To be run from the package's root.

import { writeFile } from "node:fs/promises";
import { RACES_FILE, racesText } from "./allowed-races.ts";

await writeFile(RACES_FILE, await racesText());
console.log(`${RACES_FILE} is written`);

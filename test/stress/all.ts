// SPDX-License-Identifier: GPL-2.0-only
//
// The list of `npm run test:stress`.

import { kills } from "./kills.ts";
import { races } from "./races.ts";
import { spaceStorms } from "./space-storms.ts";
import { storms } from "./storms.ts";
import type { Stress } from "./stress.ts";

export const STRESSES: readonly Stress[] = [storms, spaceStorms, races, kills];

// SPDX-License-Identifier: GPL-2.0-only
// All lessons, in the order in which they build on each other.

import { busy } from "./busy.js";
import { extend } from "./extend.js";
import { firstObject } from "./first-object.js";
import type { Lesson } from "./lesson.js";
import { mapMemory } from "./map-memory.js";
import { publish } from "./publish.js";
import { race } from "./race.js";
import { releaseOrder } from "./release-order.js";

export const LESSONS: readonly Lesson[] = [firstObject, publish, busy, releaseOrder, race, extend, mapMemory];

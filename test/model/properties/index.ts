// SPDX-License-Identifier: GPL-2.0-only
//
// All properties, in the order in which they run.

import type { Property } from "../property.ts";
import { DEATHS } from "./death-operations.ts";
import { DEATHS_BESIDE } from "./death-beside.ts";
import { POISONS } from "./death-poison.ts";
import { DEATHS_OF_TWO } from "./death-of-two.ts";
import { DEATHS_OF_REAPERS } from "./death-of-reaper.ts";
import { getDestroy } from "./get-destroy.ts";
import { mutex, mutexOfThree } from "./mutex.ts";

export const PROPERTIES: readonly Property[] = [
  mutex,
  mutexOfThree,
  getDestroy,
  ...DEATHS,
  ...DEATHS_BESIDE,
  ...DEATHS_OF_REAPERS,
  ...DEATHS_OF_TWO,
  ...POISONS,
];

// SPDX-License-Identifier: GPL-2.0-only
//
// All properties, in the order in which they run.

import type { Property } from "../property.ts";
import { releaseLastPut } from "./release-last-put.ts";
import { closeIoctlFget } from "./close-ioctl-fget.ts";
import { holdReleaseDestroy } from "./hold-release-destroy.ts";
import { recycledLookup } from "./recycled-lookup.ts";
import { allocAllocDestroy } from "./alloc-alloc-destroy.ts";
import { abortGet } from "./abort-get.ts";
import { destroyDestroy } from "./destroy-destroy.ts";
import { finalizeGetDestroy } from "./finalize-get-destroy.ts";
import { getDestroy } from "./get-destroy.ts";
import { keepDestroy } from "./keep-destroy.ts";
import { mutex, mutexOfThree } from "./mutex.ts";
import { RECORDED_RACES } from "./recorded-races.ts";
import { putDestroy } from "./put-destroy.ts";

export const PROPERTIES: readonly Property[] = [
  mutex,
  mutexOfThree,
  getDestroy,
  putDestroy,
  destroyDestroy,
  keepDestroy,
  finalizeGetDestroy,
  abortGet,
  allocAllocDestroy,
  recycledLookup,
  holdReleaseDestroy,
  closeIoctlFget,
  releaseLastPut,
  ...RECORDED_RACES,
];

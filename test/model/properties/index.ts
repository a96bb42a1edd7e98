// SPDX-License-Identifier: GPL-2.0-only
//
// All properties, in the order in which they run.

import type { Property } from "../property.ts";
import { DEATHS } from "./death-operations.ts";
import { DEATHS_BESIDE } from "./death-beside.ts";
import { POISONS } from "./death-poison.ts";
import { DEATHS_OF_TWO } from "./death-of-two.ts";
import { DEATHS_OF_REAPERS } from "./death-of-reaper.ts";
import { ACCESS_COPIES } from "./access-copies.ts";
import { ACCESS_LIVES } from "./access-lives.ts";
import { ACCESS_MEMORY } from "./access-memory.ts";
import { ACCESS_PINS } from "./access-pins.ts";
import { abortGet } from "./abort-get.ts";
import { ADDRESS_SPACES } from "./address-spaces.ts";
import { allocAllocDestroy } from "./alloc-alloc-destroy.ts";
import { attachDetach, attachDetachOfTwo } from "./attach-detach.ts";
import { keepDrop, keepGetThaw, changeThaw } from "./change-thaw.ts";
import { closeAlloc, closeDestroy } from "./close-alloc.ts";
import { closeGet, closeGetKept, closeGetSlowly } from "./close-get.ts";
import { closeIoctlFget } from "./close-ioctl-fget.ts";
import { destroyDestroy } from "./destroy-destroy.ts";
import { dyingQueue } from "./dying-queue.ts";
import { finalizeGetDestroy } from "./finalize-get-destroy.ts";
import { getDestroy } from "./get-destroy.ts";
import { holdReleaseDestroy } from "./hold-release-destroy.ts";
import { keepDestroy } from "./keep-destroy.ts";
import { keepPinUnmap } from "./keep-pin-unmap.ts";
import { MEMFDS } from "./memfds.ts";
import { getGetDestroy, getKeepDestroy, destroyKeptDestroy, keptDestroyTwice } from "./mixes.ts";
import { mutex, mutexOfThree } from "./mutex.ts";
import { PAIRS } from "./pairs.ts";
import { PROCESSES } from "./processes.ts";
import { putDestroy } from "./put-destroy.ts";
import { RECORDED_RACES } from "./recorded-races.ts";
import { recycledLookup } from "./recycled-lookup.ts";
import { releaseLastPut } from "./release-last-put.ts";
import { saturation, underflow } from "./saturation.ts";
import { slab } from "./slab.ts";
import { copyCopyUnmap, copyProtect, copyUnmap, mapMapUnmap } from "./user-memory.ts";
import { waitPut, waitPutTimed, waitPutKept } from "./wait-put.ts";
import { trees } from "./trees.ts";
import { STALE_REFERENCES } from "./stale-reference.ts";
import { TWO_FILES } from "./two-files.ts";

export const PROPERTIES: readonly Property[] = [
  mutex,
  mutexOfThree,
  getDestroy,
  ...DEATHS,
  ...DEATHS_BESIDE,
  ...DEATHS_OF_REAPERS,
  ...DEATHS_OF_TWO,
  ...POISONS,
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
  closeGet,
  closeGetSlowly,
  closeGetKept,
  closeAlloc,
  closeDestroy,
  waitPut,
  waitPutTimed,
  waitPutKept,
  saturation,
  underflow,
  attachDetach,
  attachDetachOfTwo,
  keepDrop,
  keepGetThaw,
  changeThaw,
  copyUnmap,
  copyProtect,
  copyCopyUnmap,
  mapMapUnmap,
  ...PROCESSES,
  ...MEMFDS,
  keepPinUnmap,
  dyingQueue,
  slab,
  getGetDestroy,
  getKeepDestroy,
  destroyKeptDestroy,
  keptDestroyTwice,
  trees,
  ...ADDRESS_SPACES,
  ...ACCESS_COPIES,
  ...ACCESS_PINS,
  ...ACCESS_MEMORY,
  ...ACCESS_LIVES,
  ...STALE_REFERENCES,
  ...PAIRS,
  ...TWO_FILES,
  ...RECORDED_RACES,
];

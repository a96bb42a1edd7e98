// SPDX-License-Identifier: GPL-2.0-only
//
// What the thread files say about objects: their first word tells them apart, whatever ID they have.

import { Errno } from "iommufd-wasm";

const NAMES = new Map(Object.entries(Errno).map(([name, number]) => [number, name]));

/** A result as it is, or the name behind -errno. @param {number} result */
export function answer(result) {
  return result >= 0 ? result : (NAMES.get(-result) ?? result);
}

/** @param {DataView} payload @param {number} value */
export function fill(payload, value) {
  payload.setUint32(0, value, true);
}

/** @param {DataView} payload @returns {number} */
export function firstWord(payload) {
  return payload.getUint32(0, true);
}

// SPDX-License-Identifier: GPL-2.0-only
//
// What the head of an object's slot says: assembly/core/slot.ts, read from outside.

import type { Core } from "../../bindings/explorer/model.js";

function ownerOf(core: Core, slot: number): number {
  return core.u32(slot + core.constant("SLOT_OWNER"));
}

export function typeOfSlot(core: Core, slot: number): number {
  return ownerOf(core, slot) & core.constant("SLOT_TYPE_MASK");
}

/** Address of the file. */
export function fileOfSlot(core: Core, slot: number): number {
  return core.constant("FILES") + (ownerOf(core, slot) & core.constant("SLOT_FILE_MASK"));
}

export function serialOfSlot(core: Core, slot: number): number {
  const high = ownerOf(core, slot) >>> core.constant("SLOT_SERIAL_SHIFT");
  return high * 2 ** 32 + core.u32(slot + core.constant("SLOT_SERIAL"));
}

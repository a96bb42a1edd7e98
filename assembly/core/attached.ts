// SPDX-License-Identifier: GPL-2.0-only
/**
 * What an address space counts of the accesses that are attached to it: all of them, so that UNMAP knows whether somebody may copy, and
 * those that pin, because they make it one of whole pages.
 *
 * Kernel counterpart: iopt_remove_access().
 */
import { lockSpace, unlockSpace } from "./arena";
import { ACCESS_PINS, Access, Ioas } from "./memory-map";

/** The address space that the access is attached to, if so, counts it no more. The user of that stays. Context: the space's lock is held. */
export function forgetAccess(access: Access): void {
  if (access.ioas == 0) return;
  const ioas = changetype<Ioas>(access.ioas);
  ioas.accesses--;
  if ((access.flags & ACCESS_PINS) != 0) ioas.pinners--;
  access.ioas = 0;
}

/** The same for one that goes. Context: its object can be found by nobody, and has no pins; takes the space's lock. */
export function accessGone(file: usize, access: usize): void {
  lockSpace(file);
  forgetAccess(changetype<Access>(access));
  unlockSpace(file);
}

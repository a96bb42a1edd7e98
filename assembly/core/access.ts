// SPDX-License-Identifier: GPL-2.0-only
/**
 * Accesses: how a driver in the kernel reaches memory by IOVA, without page tables. Here a driver is a pretend device in JavaScript.
 * It pins pages (access_pin.ts) and copies (access_copy.ts); this file is about the access itself.
 *
 * An access is an object with an owner (owned.ts), named by its row and, against a row's next owner, by ID and serial. Attached, it has
 * a user of its address space as its first hold, so DESTROY of that is EBUSY.
 *
 * The driver of an access that leaves its address space is first asked to let everything go:
 *
 *     accessLeave      from here on there are no new pins and copies; the callback runs
 *     accessAttach, accessDetach, accessDestroy      go on; when pins are left (EBUSY), everything is as before
 *
 * Whether an access is still its caller's is asked under the space's lock, under which it ends. In a poisoned file nothing is to be done
 * with it (EIO) but to end it; its pins go with the file.
 *
 * Context of the exported functions: no lock is held. The errors are semantics.md 5.1's.
 *
 * Kernel counterpart: drivers/iommu/iommufd/device.c, iommufd_access_*().
 */
import { lockSpace, unlockSpace } from "./arena";
import { load32, load64 } from "./atomics";
import { forgetAccess } from "./attached";
import { destroyOwned } from "./destroy";
import { EADDRINUSE, EBADF, EBUSY, EINVAL, EIO, ENOENT, ENOTTY } from "../errno";
import { fileEnter, fileLeave, inFlight, isPoisoned, refusal } from "./file";
import { dropHold, holdEntry } from "./hold";
import { areAllAligned, copyingOf } from "./io_pagetable";
import { getIoas, ioasOf } from "./ioas";
import { keeperOf, keeperState, keptBy } from "./keeper";
import { putSlowly } from "./lookup";
import {
  ACCESS_PINS,
  AREA_READ,
  AREA_WRITE,
  Access,
  HoldRecord,
  IDENTITY,
  Identity,
  Ioas,
  KEEPERS,
  Keeper,
  MAX_THREADS,
  PROFILE_RFC,
  SLOT_PAYLOAD,
  Slot,
  THREADS,
  THREAD_BYTES,
  TYPE_ACCESS,
  Thread,
} from "./memory-map";
import { allocOwned, endOwned, markOwned, publishOwned } from "./owned";
import { current, recordOf } from "./thread";

/** Longest piece of pinned bytes, and of a copy. */
export const LONGEST_PIECE: u64 = 1 << 30;

/**
 * iommufd_access_create(): an access that is attached to nothing. `flags`: ACCESS_PINS.
 *
 * Return: its row's number, its ID in result0, its serial in result1 and result2; the errors of allocOwned, -EBADF, -EIO; -ENOTTY in the rfc profile.
 */
export function accessCreate(file: usize, expected: u32, flags: u32): i32 {
  if (changetype<Identity>(IDENTITY).profile == PROFILE_RFC) return -ENOTTY;
  if (!fileEnter(file, expected)) return refusal(file, expected);
  const handle = allocOwned(file, inFlight(file), TYPE_ACCESS);
  const thread = changetype<Thread>(current());
  let result = handle;
  if (handle >= 0) {
    const row: usize = thread.result0;
    const owned = changetype<Keeper>(row);
    changetype<Access>(owned.payload).flags = flags & ACCESS_PINS;
    thread.result0 = owned.id;
    thread.result1 = <u32>owned.serial;
    thread.result2 = <u32>(owned.serial >> 32);
    result = publishOwned(file, handle, row);
    if (result == 0) result = <i32>((row - KEEPERS) / offsetof<Keeper>());
  }
  fileLeave(file);
  return result;
}

/** Finds the access, marks its file and takes the space's lock, for `leave`. Return: its row; 0: it has ended (-EBADF), and nothing is taken. */
function enter(number: u32, id: u32, serial: f64): usize {
  const row = keeperOf(number, TYPE_ACCESS);
  if (row == 0) return 0;
  const state = markOwned(row);
  if (state == 0) return 0;
  const file = keptBy(state);
  // The row keeps the file as long as it is this one, which is asked after the mark.
  if (load32(keeperState(row)) == state) {
    lockSpace(file);
    const isOpen = load32(keeperState(row)) == state && load32(row + offsetof<Keeper>("type")) == TYPE_ACCESS;
    const isNamed = load32(row + offsetof<Keeper>("id")) == id;
    if (isOpen && isNamed && <f64>load64(row + offsetof<Keeper>("serial")) == serial) return row;
    unlockSpace(file);
  }
  fileLeave(file);
  return 0;
}

/** The same for what needs trees that can be trusted. Return: the row; -EBADF; -EIO. */
export function enterWhole(number: u32, id: u32, serial: f64): i32 {
  const row = enter(number, id, serial);
  if (row == 0) return -EBADF;
  return isPoisoned(fileOf(row)) ? leave(fileOf(row), -EIO) : <i32>row;
}

/** Return: `result`. */
export function leave(file: usize, result: i32): i32 {
  unlockSpace(file);
  fileLeave(file);
  return result;
}

export function fileOf(row: usize): usize {
  return keptBy(load32(keeperState(row)));
}
export function accessOf(row: usize): Access {
  return changetype<Access>(changetype<Keeper>(row).payload);
}
/** Where the access keeps its user of the address space. */
export function noteOf(access: usize): usize {
  return access - SLOT_PAYLOAD + offsetof<Slot>("hold0");
}

/** Whether the access is in the middle of a copy. */
function isCopied(access: Access): bool {
  for (let number: u32 = 0; number < MAX_THREADS; number++) {
    const thread = THREADS + number * THREAD_BYTES;
    if (load32(copyingOf(thread)) == 0) continue;
    // A copier of another file is not under our lock. Whom it copied for before is not asked, because `copying` was looked at first.
    if (load32(thread + offsetof<Thread>("copyingFor")) == <u32>changetype<usize>(access)) return true;
  }
  return false;
}

/**
 * Before the driver is asked to let go of everything, because the access goes to address space `ioasId`, or with 0 to none.
 *
 * Return: 1; 0 when there is nothing to be done: it is there already. -EBADF; -EIO; -EINVAL, or with an ID -ENOENT (attached to
 * none); -ENOENT (no such IOAS); -EADDRINUSE (mapped in less than pages); -EBUSY (it copies, or is leaving already).
 */
export function accessLeave(number: u32, id: u32, serial: f64, ioasId: u32): i32 {
  const row = enterWhole(number, id, serial);
  if (row < 0) return row;
  const file = fileOf(row);
  const access = accessOf(row);
  let result: i32 = 1;
  if (access.ioas == 0) result = ioasId == 0 ? -EINVAL : -ENOENT;
  else if (access.leaving != 0 || isCopied(access)) result = -EBUSY;
  else if (ioasId != 0) result = mayGoTo(file, access, ioasId);
  if (result == 1) access.leaving = 1;
  return leave(file, result);
}

/** Return: 1; 0: it is there; -ENOENT; -EADDRINUSE. */
function mayGoTo(file: usize, access: Access, ioasId: u32): i32 {
  const handle = getIoas(file, inFlight(file), ioasId);
  if (handle < 0) return handle;
  const ioas = ioasOf(handle);
  let result: i32 = access.ioas == <u32>ioas ? 0 : 1;
  if (result == 1 && (access.flags & ACCESS_PINS) != 0 && !areAllAligned(ioas)) result = -EADDRINUSE;
  putSlowly(file, handle);
  return result;
}

/**
 * iommufd_access_attach(), or with `replaces` the end of iommufd_access_replace(), after accessLeave.
 *
 * Return: 0; -EBADF; -EIO; -ENOENT (no such IOAS; nothing to replace); -EINVAL (attached already); -EADDRINUSE (mapped in less than
 * pages); -EBUSY (pins are left, or it is leaving). In whatever way a replace ends, the access is not leaving any more.
 */
export function accessAttach(number: u32, id: u32, serial: f64, ioasId: u32, replaces: bool): i32 {
  const row = enterWhole(number, id, serial);
  if (row < 0) return row;
  const file = fileOf(row);
  const access = accessOf(row);
  if (replaces) access.leaving = 0;
  const handle = getIoas(file, inFlight(file), ioasId);
  let result: i32 = handle;
  if (handle >= 0) {
    result = access.leaving != 0 ? -EBUSY : attach(file, access, handle, replaces);
    putSlowly(file, handle);
  }
  return leave(file, result);
}

/** Context: the space's lock is held. */
function attach(file: usize, access: Access, handle: i32, replaces: bool): i32 {
  if (access.ioas == 0 && replaces) return -ENOENT;
  if (access.ioas != 0 && !replaces) return -EINVAL;
  const ioas = ioasOf(handle);
  const pins = (access.flags & ACCESS_PINS) != 0;
  if (access.pins != 0 || isCopied(access)) return -EBUSY;
  if (pins && !areAllAligned(ioas)) return -EADDRINUSE;
  if (access.ioas != 0) detach(file, changetype<usize>(access));
  holdEntry(file, noteOf(changetype<usize>(access)), changetype<HoldRecord>(recordOf(handle)).target);
  access.ioas = <u32>ioas;
  changetype<Ioas>(ioas).accesses++;
  if (pins) changetype<Ioas>(ioas).pinners++;
  return 0;
}

/** The end of iommufd_access_detach(), after accessLeave. Return: 0; -EBADF; -EIO; -EINVAL (not attached); -EBUSY (pins are left). */
export function accessDetach(number: u32, id: u32, serial: f64): i32 {
  const row = enterWhole(number, id, serial);
  if (row < 0) return row;
  const file = fileOf(row);
  const access = accessOf(row);
  access.leaving = 0;
  let result: i32 = 0;
  if (access.ioas == 0) result = -EINVAL;
  else if (access.pins != 0 || isCopied(access)) result = -EBUSY;
  else detach(file, changetype<usize>(access));
  return leave(file, result);
}

/** Context: without pins; the space's lock is held. */
export function detach(file: usize, access: usize): void {
  forgetAccess(changetype<Access>(access));
  dropHold(noteOf(access), file);
}

/**
 * The end of iommufd_access_destroy(), after accessLeave. The object leaves its address space when it goes (object.ts), so that nothing has
 * happened as long as it has not.
 *
 * While it waits the access is in no hands: every call with its numbers is -EBADF. A wait that is given up makes it its driver's again.
 *
 * Return: 0: it has ended, and if nobody else uses the object, that has gone; -EIO: it has ended, and goes with the file. -EBADF; -EBUSY
 * (pins are left, or it copies), -EDEADLK, -EAGAIN, -ENOMEM as destroyReference: it is as it was. MUST_WAIT as destroyReference, and in the
 * end -EBUSY means that others use the object.
 */
export function accessDestroy(number: u32, id: u32, serial: f64, blocking: bool): i32 {
  const row = enter(number, id, serial);
  if (row == 0) return -EBADF;
  const file = fileOf(row);
  const access = accessOf(row);
  const isWhole = !isPoisoned(file);
  access.leaving = 0;
  if (isCopied(access) || (isWhole && access.pins != 0)) return leave(file, -EBUSY);
  endOwned(row, load32(keeperState(row)));
  unlockSpace(file);
  const result = destroyOwned(file, inFlight(file), row, blocking);
  fileLeave(file);
  return result == -EBUSY ? 0 : result;
}

/** The rights of an area that reading or writing needs. */
export function rightFor(writes: bool): u32 {
  return writes ? AREA_WRITE : AREA_READ;
}

// SPDX-License-Identifier: GPL-2.0-only
/**
 * Accesses: how a driver in the kernel reaches memory by IOVA, without page tables. Here a driver is a pretend device in JavaScript.
 *
 *   pin, unpin   pages stay mapped and where they are; UNMAP asks the driver to let go (MUST_NOTIFY)
 *   segment      one piece of a copy: JavaScript, or copyIn and copyOut, move its bytes, and then segmentEnd
 *
 * An access is an object with an owner (owned.ts), named by its row and, against a row's next owner, by ID and serial. Attached, it has
 * a user of its address space as its first hold, so DESTROY of that is EBUSY.
 *
 * A copy names its area in Thread.copying, under the lock; UNMAP looks at these words, under the lock, before it takes an area away, and
 * waits for those that name it. It sleeps on the number of copies that the thread has ended, because the next area may lie where this
 * one did:
 *
 *     a copy ends                       UNMAP, under the lock
 *     1. copying := 0                   1. read copies
 *     2. copies + 1                     2. read copying; the area: preventAccess := 1, copyWaited := 1
 *     3. read copyWaited; set:          3. unlock; sleep while copies is what it was; look again
 *        clear it, wake
 *
 * So whoever is in a copy waits for no other one (EDEADLK). While an access copies it stays attached (EBUSY), and so an address space
 * that goes has no copier.
 *
 * The driver of an access that leaves its address space is first asked to let everything go:
 *
 *     accessLeave      from here on there are no new pins and copies; the callback runs
 *     accessAttach, accessDetach, accessDestroy      go on; when pins are left (EBUSY), everything is as before
 *
 * Whether an access is still its caller's is asked under the space's lock, under which it ends. In a poisoned file nothing is to be done
 * with it (EIO) but to end it; its pins go with the file.
 *
 * If a thread dies: a copy that it was in ends (reap.ts). Pins are the access', and stay.
 *
 * Context of the exported functions: no lock is held. The errors are semantics.md 5.1's.
 *
 * Kernel counterpart: drivers/iommu/iommufd/device.c, iommufd_access_*().
 */
import { arenaGive, arenaReserve, arenaTake, lockSpace, unlockSpace } from "./arena";
import { copy, load32, notify, store32 } from "./atomics";
import { destroyReference } from "./destroy";
import {
  EADDRINUSE,
  EAGAIN,
  EBADF,
  EBUSY,
  EDEADLK,
  EFAULT,
  EINVAL,
  EIO,
  ENOENT,
  ENOMEM,
  ENOTTY,
  EOVERFLOW,
  EPERM,
} from "../errno";
import { fileEnter, fileLeave, inFlight, isPoisoned, refusal } from "./file";
import { dropHold, holdEntry } from "./hold";
import { treeNodesNeeded, treeSeek } from "./interval_tree";
import { areAllAligned, areasOf, copiesOf, copyingOf } from "./io_pagetable";
import { getIoas, ioasOf } from "./ioas";
import { freeKeeper, keeperOf, keeperState } from "./keeper";
import { putSlowly } from "./lookup";
import {
  ACCESS_PINS,
  AREA_READ,
  AREA_WRITE,
  ARENA_PIN,
  Access,
  Area,
  HoldRecord,
  IDENTITY,
  Identity,
  Ioas,
  KEEPERS,
  KEEPER_MASK,
  KEEPER_OPEN,
  Keeper,
  MAPPING_EXTERNAL,
  MAX_THREADS,
  PAGE_SHIFT,
  PAGE_SIZE,
  PROFILE_RFC,
  PROT_READ,
  PROT_WRITE,
  PagesObject,
  Pin,
  SLOT_PAYLOAD,
  Slot,
  THREADS,
  THREAD_BYTES,
  TYPE_ACCESS,
  Thread,
} from "./memory-map";
import { memfdAt, memfdBytes } from "./memfd";
import { backingOf, pinIn, pinKept, pinnedKind, pinnedOffset, pinnedSource, unpin } from "./gup";
import { allocOwned, endOwned, markOwned, publishOwned } from "./owned";
import { pinPages, pinnedAt, unpinPages } from "./pin";
import { current, recordOf } from "./thread";

/** Longest piece of a copy. */
const LONGEST: u64 = 1 << 30;

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
  const file: usize = state & ~KEEPER_MASK;
  // The row keeps the file as long as it is this one, which is asked after the mark.
  if (load32(keeperState(row)) == state) {
    lockSpace(file);
    const owned = changetype<Keeper>(row);
    const isSame = load32(keeperState(row)) == state && owned.type == TYPE_ACCESS;
    if (isSame && owned.id == id && <f64>owned.serial == serial) return row;
    unlockSpace(file);
  }
  fileLeave(file);
  return 0;
}

/** The same for what needs trees that can be trusted. Return: the row; -EBADF; -EIO. */
function enterWhole(number: u32, id: u32, serial: f64): i32 {
  const row = enter(number, id, serial);
  if (row == 0) return -EBADF;
  return isPoisoned(fileOf(row)) ? leave(fileOf(row), -EIO) : <i32>row;
}

/** Return: `result`. */
function leave(file: usize, result: i32): i32 {
  unlockSpace(file);
  fileLeave(file);
  return result;
}

function fileOf(row: usize): usize {
  return load32(keeperState(row)) & ~KEEPER_MASK;
}
function accessOf(row: usize): Access {
  return changetype<Access>(changetype<Keeper>(row).payload);
}
/** Where the access keeps its user of the address space. */
function noteOf(row: usize): usize {
  return changetype<Keeper>(row).payload - SLOT_PAYLOAD + offsetof<Slot>("hold0");
}

/** Whether the access is in the middle of a copy. */
function isCopied(access: Access): bool {
  for (let number: u32 = 0; number < MAX_THREADS; number++) {
    const thread = THREADS + number * THREAD_BYTES;
    const copier = changetype<Thread>(thread);
    if (load32(copyingOf(thread)) != 0 && copier.copyingFor == <u32>changetype<usize>(access)) return true;
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
    result = access.leaving != 0 ? -EBUSY : attach(file, row, handle, replaces);
    putSlowly(file, handle);
  }
  return leave(file, result);
}

/** Context: the space's lock is held. */
function attach(file: usize, row: usize, handle: i32, replaces: bool): i32 {
  const access = accessOf(row);
  if (access.ioas == 0 && replaces) return -ENOENT;
  if (access.ioas != 0 && !replaces) return -EINVAL;
  const ioas = ioasOf(handle);
  const pins = (access.flags & ACCESS_PINS) != 0;
  if (access.pins != 0 || isCopied(access)) return -EBUSY;
  if (pins && !areAllAligned(ioas)) return -EADDRINUSE;
  if (access.ioas != 0) detach(file, row);
  holdEntry(file, noteOf(row), changetype<HoldRecord>(recordOf(handle)).target);
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
  else detach(file, row);
  return leave(file, result);
}

/** Context: attached, without pins; the space's lock is held. */
function detach(file: usize, row: usize): void {
  const access = accessOf(row);
  const ioas = changetype<Ioas>(access.ioas);
  ioas.accesses--;
  if ((access.flags & ACCESS_PINS) != 0) ioas.pinners--;
  access.ioas = 0;
  dropHold(noteOf(row), file);
}

/**
 * The end of iommufd_access_destroy(), after accessLeave.
 *
 * Return: 0; -EBADF; -EBUSY (pins are left, or it copies); -EDEADLK, -EAGAIN, -ENOMEM as destroyReference, and the access is still the
 * driver's, attached to nothing; -EIO: it is not any more, and goes with the file; MUST_WAIT as destroyReference, whatever comes of it.
 */
export function accessDestroy(number: u32, id: u32, serial: f64, blocking: bool): i32 {
  const row = enter(number, id, serial);
  if (row == 0) return -EBADF;
  const state = load32(keeperState(row));
  const file: usize = state & ~KEEPER_MASK;
  const access = accessOf(row);
  const isWhole = !isPoisoned(file);
  access.leaving = 0;
  if (isCopied(access) || (isWhole && access.pins != 0)) return leave(file, -EBUSY);
  endOwned(row, state);
  if (isWhole && access.ioas != 0) detach(file, row);
  unlockSpace(file);
  const result = destroyReference(file, inFlight(file), id, serial, blocking);
  if (result == -EDEADLK || result == -EAGAIN || result == -ENOMEM) store32(keeperState(row), state);
  else freeKeeper(row);
  fileLeave(file);
  return result;
}

/**
 * Undoes all pins of the access, as a driver that goes without being asked. Return: 0; -EBADF; -EIO.
 */
export function accessUnpinAll(number: u32, id: u32, serial: f64): i32 {
  const row = enterWhole(number, id, serial);
  if (row < 0) return row;
  const file = fileOf(row);
  const access = accessOf(row);
  const thread = changetype<Thread>(current());
  let at: u64 = 0;
  while (access.pins != 0) {
    const area = treeSeek(areasOf(access.ioas), at);
    const last = thread.rangeLast;
    let link = area + offsetof<Area>("pins");
    while (load<u32>(link) != 0) {
      const pin = changetype<Pin>(<usize>load<u32>(link));
      if (pin.access != <u32>changetype<usize>(access)) link = load<u32>(link) + offsetof<Pin>("link");
      else unpinOnce(file, access, link);
    }
    at = last + 1;
  }
  return leave(file, 0);
}

// ---------------------------------------------------------------------------------------------------- pins

/** The rights of an area that reading or writing needs. */
function rightFor(writes: bool): u32 {
  return writes ? AREA_WRITE : AREA_READ;
}

/**
 * iommufd_access_pin_pages(): all pages of the range, or none.
 *
 * Return: 0; -EBADF; -EIO; -EINVAL (length 0, the access does not pin, not whole pages of the source, being unmapped, behind the end of a
 * file); -EOVERFLOW; -ENOENT (not attached, not mapped throughout); -EPERM; -EFAULT; -ENOMEM.
 */
export function accessPin(number: u32, id: u32, serial: f64, iova: u64, length: u64, writes: bool): i32 {
  const last = iova + (length - 1);
  if (length == 0) return -EINVAL;
  if (last < iova) return -EOVERFLOW;
  const row = enterWhole(number, id, serial);
  if (row < 0) return row;
  return leave(fileOf(row), pin(fileOf(row), accessOf(row), iova, last, writes));
}

function pin(file: usize, access: Access, iova: u64, last: u64, writes: bool): i32 {
  if (access.ioas == 0 || access.leaving != 0) return -ENOENT;
  if ((access.flags & ACCESS_PINS) == 0) return -EINVAL;
  const thread = changetype<Thread>(current());
  const areas = areasOf(access.ioas);
  let result: i32 = 0;
  let at = iova;
  while (true) {
    const found = treeSeek(areas, at);
    if (found == 0 || thread.rangeFirst > at) {
      result = -ENOENT;
      break;
    }
    const area = changetype<Area>(found);
    const end = min(thread.rangeLast, last);
    const first = area.offset + (at - thread.rangeFirst);
    const behind = first + (end - at) + 1;
    result = mayPin(area, first, behind, end == last, writes);
    if (result == 0) result = pinPages(file, area.pages, first >> PAGE_SHIFT, (behind - 1) >> PAGE_SHIFT);
    if (result != 0) break;
    area.accesses++;
    if (end == last) break;
    at = end + 1;
  }
  if (result == 0 && !remember(file, access, iova, last - iova + 1)) {
    result = -ENOMEM;
    unpinAll(file, areas, iova, last);
  } else if (result != 0 && at != iova) {
    unpinAll(file, areas, iova, at - 1);
  }
  return result;
}

/** Whether bytes `first` to before `behind` of the area's pages may be pinned. Return: 0, -EINVAL, -EPERM. */
function mayPin(area: Area, first: u64, behind: u64, isLast: bool, writes: bool): i32 {
  if (area.pages == 0 || area.preventAccess != 0) return -EINVAL;
  if ((first & (PAGE_SIZE - 1)) != 0 || (!isLast && (behind & (PAGE_SIZE - 1)) != 0)) return -EINVAL;
  return (area.flags & rightFor(writes)) == 0 ? -EPERM : 0;
}

/** Undoes the pins of [iova, last], which is mapped throughout. */
function unpinAll(file: usize, areas: usize, iova: u64, last: u64): void {
  const thread = changetype<Thread>(current());
  for (let at = iova; ;) {
    const area = changetype<Area>(treeSeek(areas, at));
    const end = min(thread.rangeLast, last);
    const first = area.offset + (at - thread.rangeFirst);
    area.accesses--;
    unpinPages(file, area.pages, first >> PAGE_SHIFT, (first + (end - at)) >> PAGE_SHIFT);
    if (end == last) return;
    at = end + 1;
  }
}

/** Return: address of the word that leads to the pin of that range, or to nothing. Context: an area has `iova`. */
function pinOf(access: Access, iova: u64, length: u64): usize {
  let link = treeSeek(areasOf(access.ioas), iova) + offsetof<Area>("pins");
  while (load<u32>(link) != 0) {
    const is = changetype<Pin>(<usize>load<u32>(link));
    if (is.access == <u32>changetype<usize>(access) && is.iova == iova && is.length == length) break;
    link = load<u32>(link) + offsetof<Pin>("link");
  }
  return link;
}

/** Notes that the access has pinned the range once more. Return: false is ENOMEM. */
function remember(file: usize, access: Access, iova: u64, length: u64): bool {
  const link = pinOf(access, iova, length);
  let is: usize = load<u32>(link);
  if (is == 0) {
    if (!arenaReserve(file, 0)) return false;
    is = arenaTake(file, ARENA_PIN);
    const fresh = changetype<Pin>(is);
    fresh.access = <u32>changetype<usize>(access);
    fresh.iova = iova;
    fresh.length = length;
    store<u32>(link, <u32>is);
  }
  changetype<Pin>(is).count++;
  access.pins++;
  return true;
}

/** iommufd_access_unpin_pages() of exactly the range of a pin. Return: 0; -EBADF; -EIO; -EINVAL when there is no such pin. */
export function accessUnpin(number: u32, id: u32, serial: f64, iova: u64, length: u64): i32 {
  const row = enterWhole(number, id, serial);
  if (row < 0) return row;
  return leave(fileOf(row), unpinRange(fileOf(row), accessOf(row), iova, length));
}

function unpinRange(file: usize, access: Access, iova: u64, length: u64): i32 {
  const thread = changetype<Thread>(current());
  if (access.ioas == 0 || treeSeek(areasOf(access.ioas), iova) == 0 || thread.rangeFirst > iova) return -EINVAL;
  const link = pinOf(access, iova, length);
  if (load<u32>(link) == 0) return -EINVAL;
  unpinOnce(file, access, link);
  return 0;
}

/** Undoes the pin that the word leads to, once. */
function unpinOnce(file: usize, access: Access, link: usize): void {
  const found: usize = load<u32>(link);
  const pin = changetype<Pin>(found);
  const iova = pin.iova;
  const last = iova + (pin.length - 1);
  access.pins--;
  if (--pin.count == 0) {
    store<u32>(link, pin.link);
    arenaGive(file, ARENA_PIN, found);
  }
  unpinAll(file, areasOf(access.ioas), iova, last);
}

/**
 * Where pinned bytes lie: of a range that the caller has pinned, so it stays.
 *
 * Return: how many bytes from `iova` on lie in one piece, at most `length`; their address in result1, or in result2 the number of the
 * memory outside and in result1 the offset in it. -EBADF; -EINVAL when it is not pinned.
 */
export function accessPinned(number: u32, id: u32, serial: f64, iova: u64, length: u64): i32 {
  const row = enterWhole(number, id, serial);
  if (row < 0) return row;
  const thread = changetype<Thread>(current());
  const access = accessOf(row);
  let reach: u64 = 0;
  const found: usize = access.ioas == 0 ? <usize>0 : treeSeek(areasOf(access.ioas), iova);
  if (found != 0 && thread.rangeFirst <= iova && changetype<Area>(found).accesses != 0) {
    const area = changetype<Area>(found);
    const inArea = thread.rangeLast - iova + 1;
    reach = min(pinnedAt(area.pages, area.offset + (iova - thread.rangeFirst)), min(inArea, length));
  }
  return leave(fileOf(row), reach == 0 ? -EINVAL : <i32>min(reach, LONGEST));
}

// ---------------------------------------------------------------------------------------------------- copies

/**
 * iommufd_access_rw(), one piece: the bytes from `iova` on that lie together are the caller's until segmentEnd.
 *
 * Return: how many bytes, at most `length`; address, or offset and number of the memory outside, in result1 and result2. -EBADF; -EIO;
 * -EINVAL (length 0, being unmapped, behind the end of a file); -EOVERFLOW; -ENOENT; -EPERM; -EFAULT; -EDEADLK (this thread is in a
 * piece already). Then there is no piece.
 */
export function accessSegment(number: u32, id: u32, serial: f64, iova: u64, length: u32, writes: bool): i32 {
  if (length == 0) return -EINVAL;
  if (iova + (length - 1) < iova) return -EOVERFLOW;
  const row = enterWhole(number, id, serial);
  if (row < 0) return row;
  return leave(fileOf(row), segment(accessOf(row), iova, length, writes));
}

function segment(access: Access, iova: u64, length: u64, writes: bool): i32 {
  const thread = changetype<Thread>(current());
  if (load32(copyingOf(current())) != 0) return -EDEADLK;
  if (access.ioas == 0 || access.leaving != 0) return -ENOENT;
  const found = treeSeek(areasOf(access.ioas), iova);
  if (found == 0 || thread.rangeFirst > iova) return -ENOENT;
  const area = changetype<Area>(found);
  if (area.pages == 0 || area.preventAccess != 0) return -EINVAL;
  if ((area.flags & rightFor(writes)) == 0) return -EPERM;
  const wanted = min(min(length, thread.rangeLast - iova + 1), LONGEST);
  const result = locate(area.pages, area.offset + (iova - thread.rangeFirst), wanted, writes);
  if (result <= 0) return result;
  thread.copyingFor = <u32>changetype<usize>(access);
  store32(copyingOf(current()), <u32>found);
  return result;
}

/**
 * The bytes from `offset` on of a pages object: in their file, in the memory of their process as it is now, else where they are pinned.
 */
function locate(pages: usize, offset: u64, length: u64, writes: bool): i32 {
  const thread = changetype<Thread>(current());
  const object = changetype<PagesObject>(pages);
  const start = object.start + offset;
  thread.result2 = 0;
  if (object.memfd != 0) {
    const size = (<u64>memfdBytes(object.memfd) + PAGE_SIZE - 1) & ~(<u64>PAGE_SIZE - 1);
    if (start >= size) return locatePinned(pages, offset, length, -EINVAL);
    thread.result1 = <u32>(memfdAt(object.memfd) + <usize>start);
    return <i32>min(length, size - start);
  }
  const reach = pinIn(object.process, start, length, writes ? PROT_WRITE : PROT_READ);
  if (reach == 0) return locatePinned(pages, offset, length, -EFAULT);
  if (pinnedKind() == MAPPING_EXTERNAL) {
    thread.result1 = pinnedOffset(start);
    thread.result2 = pinnedSource();
    unpin(); // the callbacks that reach it may do anything, unmap it included
  } else {
    thread.result1 = <u32>backingOf(start);
  }
  return <i32>reach;
}

/** Return: as locate; `otherwise` when the page is not pinned. */
function locatePinned(pages: usize, offset: u64, length: u64, otherwise: i32): i32 {
  const thread = changetype<Thread>(current());
  const reach = pinnedAt(pages, offset);
  if (reach == 0) return otherwise;
  // The pin may go before the copy is over.
  if (thread.result3 != 0 && thread.result2 == 0) pinKept(thread.result3);
  return <i32>min(length, reach);
}

/** Copies between the piece, or a part of it, and a buffer in this memory. Context: both lie in the memory; they may overlap. */
export function copySegment(address: u32, buffer: u32, length: u32, writes: bool): void {
  if (writes) copy(address, buffer, length);
  else copy(buffer, address, length);
}

/** The piece is copied. Context: accessSegment gave one. */
export function segmentEnd(): void {
  const thread = current();
  if (load<u32>(thread + offsetof<Thread>("pinned")) != 0) unpin();
  store32(copyingOf(thread), 0);
  store32(copiesOf(thread), load<u32>(copiesOf(thread)) + 1);
  if (load32(thread + offsetof<Thread>("copyWaited")) == 0) return;
  store32(thread + offsetof<Thread>("copyWaited"), 0);
  notify(copiesOf(thread), -1);
}

/** Context: acting as a dead thread. */
export function recoverCopy(): void {
  const thread = current();
  store32(copyingOf(thread), 0);
  store32(copiesOf(thread), load<u32>(copiesOf(thread)) + 1);
  store32(thread + offsetof<Thread>("copyWaited"), 0);
  notify(copiesOf(thread), -1);
}

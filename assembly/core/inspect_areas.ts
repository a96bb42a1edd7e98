// SPDX-License-Identifier: GPL-2.0-only
/**
 * Looking into an IO address space without touching it: its areas, and the ranges that are reserved or allowed, for tools and tests.
 *
 * As many entries as the window holds are one moment's; the caller goes on behind the last of them, so that a map of a million areas
 * is read in short sections between which others get in. What changes meanwhile is seen or not.
 *
 * No record is taken, so a destroy of the address space is never EBUSY because somebody looks: under the space's lock its trees stay,
 * because who destroys it needs the lock to empty them, and under the table's lock its slot does.
 *
 * Kernel counterpart: none; what a debugger would see of struct io_pagetable.
 */
import { lockSpace, unlockSpace } from "./arena";
import { ENOENT, ENOTTY } from "../errno";
import { fileEnter, fileLeave, refusal } from "./file";
import { treeSeek } from "./interval_tree";
import { alignmentOf, allowedOf, areasOf, reservedOf } from "./io_pagetable";
import {
  Area,
  COMMAND_BYTES,
  FIRST_MEMFD,
  IDENTITY,
  Identity,
  Ioas,
  MEMFDS,
  Memfd,
  PROFILE_RFC,
  PagesObject,
  Process,
  SLOT_PAYLOAD,
  THREAD_WINDOW,
  TYPE_IOAS,
  Thread,
} from "./memory-map";
import { RANK_TABLE, lock, unlock } from "./mutex";
import { PHASE_LIVE, phaseOf, settled, typeOf } from "./refcount";
import { current } from "./thread";
import { slotOf, tableLockOf, xaEntry } from "./xarray";

/** Which of an address space's sets. */
export const RANGES_AREAS: u32 = 0;
export const RANGES_RESERVED: u32 = 1;
export const RANGES_ALLOWED: u32 = 2;

/** An entry in the window: a range, and where it is an area, what it shows. */
@unmanaged
export class RangeSnapshot {
  first: u64;
  last: u64;
  /** Where the area's first byte lies in its source: an address of the process, or an offset in the file. */
  source: u64;
  /** Which pages object: a number that it alone has while it exists; 0: the area is in transition, and the rest is 0. */
  pages: u32;
  /** Areas that show the pages object. */
  shared: u32;
  /** AREA_*. */
  flags: u32;
  /** Number of the process whose memory it is, or who pays. */
  pid: u32;
  /** Number of the memfd, which may be closed; 0: memory of the process. */
  fd: u32;
  /** Pins of accesses. */
  pins: u32;
}
export const RANGES_MOST: u32 = COMMAND_BYTES / offsetof<RangeSnapshot>();

/**
 * Describes the ranges that end at `from` or behind it, in ascending order, in the window: as many as fit, and at most `most`.
 *
 * Context: takes the space's and the table's lock. Return: how many; then result0 is the number of areas, result1 the alignment.
 * -EBADF, -EIO; -ENOENT: not the ID of a published IOAS; -ENOTTY: rfc.
 */
export function inspectRanges(file: usize, expected: u32, id: u32, set: u32, from: u64, most: u32): i32 {
  if (!fileEnter(file, expected)) return refusal(file, expected);
  let result: i32 = -ENOTTY;
  if (changetype<Identity>(IDENTITY).profile != PROFILE_RFC) {
    lockSpace(file);
    lock(tableLockOf(file), RANK_TABLE);
    const entry = xaEntry(file, id);
    const word = settled(entry);
    result = -ENOENT;
    if (phaseOf(word) == PHASE_LIVE && typeOf(word) == TYPE_IOAS) {
      result = describeRanges(slotOf(entry) + SLOT_PAYLOAD, set, from, min(most, RANGES_MOST));
    }
    unlock(tableLockOf(file), RANK_TABLE);
    unlockSpace(file);
  }
  fileLeave(file);
  return result;
}

/** Context: both locks are held. Return: as inspectRanges. */
function describeRanges(ioas: usize, set: u32, from: u64, most: u32): i32 {
  const thread = changetype<Thread>(current());
  const tree = set == RANGES_AREAS ? areasOf(ioas) : set == RANGES_RESERVED ? reservedOf(ioas) : allowedOf(ioas);
  let count: u32 = 0;
  while (count < most) {
    const value = treeSeek(tree, from);
    if (value == 0) break;
    const to = current() + THREAD_WINDOW + count * offsetof<RangeSnapshot>();
    const snapshot = changetype<RangeSnapshot>(to);
    snapshot.first = thread.rangeFirst;
    snapshot.last = thread.rangeLast;
    if (set == RANGES_AREAS) describeArea(snapshot, changetype<Area>(value));
    count++;
    if (thread.rangeLast == u64.MAX_VALUE) break;
    from = thread.rangeLast + 1;
  }
  thread.result0 = changetype<Ioas>(ioas).areaCount;
  thread.result1 = <u32>alignmentOf(ioas);
  return count;
}

function describeArea(snapshot: RangeSnapshot, area: Area): void {
  snapshot.flags = area.flags;
  snapshot.pins = area.accesses;
  snapshot.pages = area.pages;
  snapshot.source = 0;
  snapshot.shared = 0;
  snapshot.pid = 0;
  snapshot.fd = 0;
  if (area.pages == 0) return;
  const pages = changetype<PagesObject>(area.pages);
  snapshot.source = pages.start + area.offset;
  snapshot.shared = pages.users;
  snapshot.pid = changetype<Process>(pages.process).pid;
  if (pages.memfd != 0) snapshot.fd = FIRST_MEMFD + (pages.memfd - <u32>MEMFDS) / offsetof<Memfd>();
}

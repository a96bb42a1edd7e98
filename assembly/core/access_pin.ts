// SPDX-License-Identifier: GPL-2.0-only
/**
 * Pins of accesses: pages stay mapped and where they are; UNMAP asks the driver to let go (MUST_NOTIFY).
 *
 * The access counts its pins, an area the pins that lie in it, whole or in part, and a record at the first area tells which range was
 * pinned how often: what is not exactly such a range cannot be unpinned.
 *
 * If a thread dies: pins go with the access (abandon.ts).
 *
 * Context of the exported functions: no lock is held. The errors are semantics.md 5.1's.
 *
 * Kernel counterpart: drivers/iommu/iommufd/device.c, iommufd_access_pin_pages(), iommufd_access_unpin_pages().
 */
import { LONGEST_PIECE, accessOf, enterWhole, fileOf, leave, rightFor } from "./access";
import { arenaGive, arenaReserve, arenaTake } from "./arena";
import { EINVAL, ENOENT, ENOMEM, EOVERFLOW, EPERM } from "../errno";
import { treeSeek } from "./interval_tree";
import { areasOf } from "./io_pagetable";
import { ACCESS_PINS, ARENA_PIN, Access, Area, PAGE_SHIFT, PAGE_SIZE, Pin, Thread } from "./memory-map";
import { pinPages, pinnedAt, unpinPages } from "./pin";
import { current } from "./thread";

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
  return leave(fileOf(row), reach == 0 ? -EINVAL : <i32>min(reach, LONGEST_PIECE));
}

/**
 * Undoes all pins of the access, as a driver that goes without being asked. Return: 0; -EBADF; -EIO.
 */
export function accessUnpinAll(number: u32, id: u32, serial: f64): i32 {
  const row = enterWhole(number, id, serial);
  if (row < 0) return row;
  unpinEverything(fileOf(row), accessOf(row));
  return leave(fileOf(row), 0);
}

/** Context: the space's lock is held. */
export function unpinEverything(file: usize, access: Access): void {
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
}

// SPDX-License-Identifier: GPL-2.0-only
/**
 * Copies of accesses, in segments: one piece, whose bytes JavaScript, or copyIn and copyOut, move, and then segmentEnd.
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
 * If a thread dies: the copy that it was in ends (reap.ts).
 *
 * Context of the exported functions: no lock is held. The errors are semantics.md 5.1's.
 *
 * Kernel counterpart: drivers/iommu/iommufd/device.c, iommufd_access_rw().
 */
import { LONGEST_PIECE, accessOf, enterWhole, fileOf, leave, rightFor } from "./access";
import { copy, load32, notify, store32, store64 } from "./atomics";
import { EDEADLK, EFAULT, EINVAL, ENOENT, EOVERFLOW, EPERM } from "../errno";
import { mayFail } from "./faults";
import { backingOf, pinIn, pinKept, pinnedKind, pinnedOffset, pinnedSource, unpin } from "./gup";
import { treeSeek } from "./interval_tree";
import { areasOf, copiesOf, copyingOf } from "./io_pagetable";
import { memfdAt, memfdBytes } from "./memfd";
import {
  Access,
  Area,
  FAULT_COPY,
  MAPPING_EXTERNAL,
  PAGE_SIZE,
  PROT_READ,
  PROT_WRITE,
  PagesObject,
  Thread,
} from "./memory-map";
import { pinnedAt } from "./pin";
import { current } from "./thread";

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
  const wanted = min(min(length, thread.rangeLast - iova + 1), LONGEST_PIECE);
  const result = locate(area.pages, area.offset + (iova - thread.rangeFirst), wanted, writes);
  if (result <= 0) return result;
  store64(copyingOf(current()), ((<u64>changetype<usize>(access)) << 32) | (<u32>found));
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
  if (mayFail(FAULT_COPY)) return -EFAULT;
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

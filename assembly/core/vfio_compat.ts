// SPDX-License-Identifier: GPL-2.0-only
/**
 * VFIO's type 1 requests on the same file, for programs that know no other, and IOMMU_VFIO_IOAS, which says on which address space
 * they work.
 *
 * That address space is named by ID and serial, not held: once its object has left the table, there is none, without anybody
 * having to clear the name.
 *
 * Their structs have no table entry: the caller's argsz says how much there is, and each request reads what it needs.
 *
 * Context and Return as in ioas.ts; arguments by value are the argument's address.
 *
 * Kernel counterpart: drivers/iommu/iommufd/vfio_compat.c.
 */
import { lockSpace, lookAtSpace, spaceOf, unlockSpace } from "./arena";
import { fill } from "./atomics";
import { EFAULT, EINVAL, ENODEV, ENOENT, ENOTTY, EOPNOTSUPP, EOVERFLOW } from "../errno";
import {
  alignmentOf,
  countHoles,
  cutArea,
  disableLargePages,
  findHole,
  mapPages,
  unmapAgain,
  unmapRange,
} from "./io_pagetable";
import { checkUserRange, getIoas, ioasOf } from "./ioas";
import { putSlowly } from "./lookup";
import {
  AREA_READ,
  AREA_WRITE,
  Ioas,
  PAGE_SIZE,
  SLOT_PAYLOAD,
  Slot,
  Space,
  THREAD_COMMAND,
  Thread,
} from "./memory-map";
import { MUST_NOTIFY } from "./results";
import { serialOfSlot } from "./slot";
import { current } from "./thread";
import {
  IOMMU_VFIO_IOAS_CLEAR,
  IOMMU_VFIO_IOAS_GET,
  IOMMU_VFIO_IOAS_SET,
  IommuIovaRange,
  IommuVfioIoas,
  VFIO_CHECK_EXTENSION,
  VFIO_DMA_CC_IOMMU,
  VFIO_DMA_MAP_FLAG_READ,
  VFIO_DMA_MAP_FLAG_WRITE,
  VFIO_DMA_UNMAP_FLAG_ALL,
  VFIO_GET_API_VERSION,
  VFIO_IOMMU_GET_INFO,
  VFIO_IOMMU_INFO_CAPS,
  VFIO_IOMMU_INFO_PGSIZES,
  VFIO_IOMMU_MAP_DMA,
  VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE,
  VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL,
  VFIO_IOMMU_UNMAP_DMA,
  VFIO_SET_IOMMU,
  VFIO_TYPE1v2_IOMMU,
  VFIO_TYPE1_IOMMU,
  VFIO_UNMAP_ALL,
  VfioIommuType1DmaMap,
  VfioIommuType1DmaUnmap,
  VfioIommuType1Info,
  VfioIommuType1InfoCapIovaRange,
  VfioIommuType1InfoDmaAvail,
} from "./uapi";
import { readArgument, respond, structOf, writeArgument } from "./ucmd";

const ULONG_MAX: u64 = u64.MAX_VALUE;

/** Locks the compat address space. Return: a handle, for putSlowly; -ENODEV; -ENOMEM. (get_compat_ioas) */
function getCompat(file: usize, expected: u32): i32 {
  const space = changetype<Space>(spaceOf(file));
  lookAtSpace(file);
  const id = space.compatId;
  const serial = ((<u64>space.compatSerialHigh) << 32) | space.compatSerialLow;
  unlockSpace(file);
  const handle = id == 0 ? -ENOENT : getIoas(file, expected, id);
  if (handle < 0) return handle == -ENOENT ? -ENODEV : handle;
  if (serialOfSlot(ioasOf(handle) - SLOT_PAYLOAD) == serial) return handle;
  putSlowly(file, handle);
  return -ENODEV;
}

/** IOMMU_VFIO_IOAS */
export function vfioIoas(file: usize, expected: u32): i32 {
  const cmd = changetype<IommuVfioIoas>(structOf());
  if (cmd.__reserved != 0) return -EOPNOTSUPP;
  if (cmd.op == IOMMU_VFIO_IOAS_GET) {
    const handle = getCompat(file, expected);
    if (handle < 0) return handle;
    cmd.ioas_id = changetype<Slot>(ioasOf(handle) - SLOT_PAYLOAD).id;
    putSlowly(file, handle);
    return respond(offsetof<IommuVfioIoas>()) ? 0 : -EFAULT;
  }
  if (cmd.op == IOMMU_VFIO_IOAS_CLEAR) {
    setCompat(file, 0, 0);
    return 0;
  }
  if (cmd.op != IOMMU_VFIO_IOAS_SET) return -EOPNOTSUPP;
  const handle = getIoas(file, expected, cmd.ioas_id);
  if (handle < 0) return handle;
  setCompat(file, cmd.ioas_id, serialOfSlot(ioasOf(handle) - SLOT_PAYLOAD));
  putSlowly(file, handle);
  return 0;
}

function setCompat(file: usize, id: u32, serial: u64): void {
  const space = changetype<Space>(spaceOf(file));
  lookAtSpace(file);
  space.compatId = id;
  space.compatSerialLow = <u32>serial;
  space.compatSerialHigh = <u32>(serial >> 32);
  unlockSpace(file);
}

/** A request that is not in iommufd's table. `value`: the argument as a number. Return: also values above 0. (iommufd_vfio_ioctl) */
export function vfioIoctl(file: usize, expected: u32, request: u32, value: u64): i32 {
  if (request == VFIO_GET_API_VERSION) return 0;
  if (request == VFIO_CHECK_EXTENSION) return checkExtension(file, expected, value);
  if (request == VFIO_SET_IOMMU) return setIommu(file, expected, value);
  if (request == VFIO_IOMMU_GET_INFO) return getInfo(file, expected);
  if (request == VFIO_IOMMU_MAP_DMA) return mapDma(file, expected);
  if (request == VFIO_IOMMU_UNMAP_DMA) return unmapDma(file, expected);
  return -ENOTTY;
}

/** Whether vfioIoctl knows the request; others touch no memory. */
// @ts-ignore: a decorator on a function
@inline export function isVfioRequest(request: u32): bool {
  return (
    (request >= VFIO_GET_API_VERSION && request <= VFIO_SET_IOMMU) ||
    (request >= VFIO_IOMMU_GET_INFO && request <= VFIO_IOMMU_UNMAP_DMA)
  );
}

function checkExtension(file: usize, expected: u32, extension: u64): i32 {
  if (extension == VFIO_TYPE1_IOMMU || extension == VFIO_TYPE1v2_IOMMU || extension == VFIO_UNMAP_ALL) return 1;
  if (extension != VFIO_DMA_CC_IOMMU) return 0;
  const handle = getCompat(file, expected);
  if (handle < 0) return handle;
  putSlowly(file, handle);
  return 1; // no page table that would not enforce coherency
}

function setIommu(file: usize, expected: u32, type: u64): i32 {
  if (type != VFIO_TYPE1_IOMMU && type != VFIO_TYPE1v2_IOMMU) return -EINVAL;
  const handle = getCompat(file, expected);
  if (handle < 0) return handle;
  let result: i32 = 0;
  if (type == VFIO_TYPE1_IOMMU) {
    lookAtSpace(file);
    result = disableLargePages(ioasOf(handle));
    unlockSpace(file);
  }
  putSlowly(file, handle);
  return result;
}

/** The struct's head goes to the command buffer. Return: 0; -EFAULT; -EINVAL when argsz is below `least`. */
function readHead(least: u32): i32 {
  if (!readArgument(0, least)) return -EFAULT;
  return load<u32>(current() + THREAD_COMMAND) < least ? -EINVAL : 0;
}

function mapDma(file: usize, expected: u32): i32 {
  const head = readHead(offsetof<VfioIommuType1DmaMap>());
  if (head != 0) return head;
  const map = changetype<VfioIommuType1DmaMap>(current() + THREAD_COMMAND);
  if ((map.flags & ~(VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE)) != 0) return -EINVAL;
  const handle = getCompat(file, expected);
  if (handle < 0) return handle;
  let rights: u32 = 0;
  if ((map.flags & VFIO_DMA_MAP_FLAG_READ) != 0) rights |= AREA_READ;
  if ((map.flags & VFIO_DMA_MAP_FLAG_WRITE) != 0) rights |= AREA_WRITE;
  let result = checkUserRange(map.vaddr, map.size);
  if (result == 0) result = mapPages(file, ioasOf(handle), 0, map.vaddr, map.size, rights, true, map.iova);
  putSlowly(file, handle);
  return result;
}

function unmapDma(file: usize, expected: u32): i32 {
  const head = readHead(offsetof<VfioIommuType1DmaUnmap>());
  if (head != 0) return head;
  const unmap = changetype<VfioIommuType1DmaUnmap>(current() + THREAD_COMMAND);
  if ((unmap.flags & ~VFIO_DMA_UNMAP_FLAG_ALL) != 0) return -EINVAL;
  const handle = getCompat(file, expected);
  if (handle < 0) return handle;
  changetype<Thread>(current()).unmapHandle = handle;
  return unmapEnd(file, unmapBegin(file, ioasOf(handle)));
}

/** VFIO_IOMMU_UNMAP_DMA after MUST_NOTIFY. */
export function unmapDmaAgain(file: usize): i32 {
  return unmapEnd(file, unmapAgain(file, ioasOf(changetype<Thread>(current()).unmapHandle)));
}

/** An error at which the size does not go back. */
const NO_REPLY: i32 = 0x10000;

/** Context: the struct is in the command buffer. Return: as unmapRange; -EINVAL, -EOVERFLOW; NO_REPLY - errno. */
function unmapBegin(file: usize, ioas: usize): i32 {
  const unmap = changetype<VfioIommuType1DmaUnmap>(current() + THREAD_COMMAND);
  const first = unmap.iova;
  const last = unmap.iova + (unmap.size - 1);
  changetype<Thread>(current()).unmapBytes = 0;
  if ((unmap.flags & VFIO_DMA_UNMAP_FLAG_ALL) != 0) {
    if (unmap.iova != 0 || unmap.size != 0) return NO_REPLY - EINVAL;
    return unmapRange(file, ioas, 0, ULONG_MAX);
  }
  if (changetype<Ioas>(ioas).smallPages != 0) {
    const result = cutEnds(file, ioas, first, first + unmap.size);
    if (result != 0) return NO_REPLY + result;
  }
  if (unmap.size == 0) return -EINVAL;
  return last < first ? -EOVERFLOW : unmapRange(file, ioas, first, last);
}

/** `result` is unmapBegin's. The size goes back whatever the unmap answers, but not when it did not come to it. */
function unmapEnd(file: usize, result: i32): i32 {
  if (result == MUST_NOTIFY) return result;
  const thread = changetype<Thread>(current());
  putSlowly(file, thread.unmapHandle);
  if (result > 0) return result - NO_REPLY;
  const unmap = changetype<VfioIommuType1DmaUnmap>(current() + THREAD_COMMAND);
  unmap.size = thread.unmapBytes;
  if (!writeArgument(0, current() + THREAD_COMMAND, offsetof<VfioIommuType1DmaUnmap>())) return -EFAULT;
  return result;
}

/** VFIO's type 1 unmaps parts of mappings: they are cut at both ends first. Return: as cutArea. (iopt_cut_iova) */
function cutEnds(file: usize, ioas: usize, iova: u64, end: u64): i32 {
  lockSpace(file);
  let result: i32 = end == 0 ? 0 : cutArea(file, ioas, end);
  if (result == 0 && iova != 0) result = cutArea(file, ioas, iova);
  unlockSpace(file);
  return result;
}

/** The struct and then its capabilities, each of which is written only if the caller has room for all of it. */
function getInfo(file: usize, expected: u32): i32 {
  const head = readHead(offsetof<VfioIommuType1Info>("cap_offset"));
  if (head != 0) return head;
  const argsz = load<u32>(current() + THREAD_COMMAND);
  const handle = getCompat(file, expected);
  if (handle < 0) return handle;
  lookAtSpace(file);
  const result = writeInfo(ioasOf(handle), argsz);
  unlockSpace(file);
  putSlowly(file, handle);
  return result;
}

/** Context: the space's lock is held. Return: 0, -EFAULT. */
function writeInfo(ioas: usize, argsz: u32): i32 {
  const infoBytes: u32 = offsetof<VfioIommuType1Info>();
  const availBytes: u32 = offsetof<VfioIommuType1InfoDmaAvail>();
  const rangesAt: u32 = infoBytes + ((availBytes + 7) & ~7);
  const total: u32 =
    rangesAt + offsetof<VfioIommuType1InfoCapIovaRange>() + countHoles(ioas) * offsetof<IommuIovaRange>();
  const command = current() + THREAD_COMMAND;
  if (argsz >= infoBytes + availBytes) {
    const avail = changetype<VfioIommuType1InfoDmaAvail>(command);
    avail.id = <u16>VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL;
    avail.version = 1;
    avail.next = argsz >= rangesAt ? rangesAt : 0;
    avail.avail = u32.MAX_VALUE;
    if (!writeArgument(infoBytes, command, availBytes)) return -EFAULT;
  }
  if (argsz >= total && !writeRanges(ioas, rangesAt)) return -EFAULT;
  const info = changetype<VfioIommuType1Info>(command);
  info.argsz = total;
  info.flags = VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS;
  info.iova_pgsizes = ~(max(alignmentOf(ioas), <u64>PAGE_SIZE) - 1);
  info.cap_offset = argsz >= total ? infoBytes : 0;
  info.pad = 0;
  return writeArgument(0, command, min(argsz, infoBytes)) ? 0 : -EFAULT;
}

/** Return: false is EFAULT. */
function writeRanges(ioas: usize, at: u32): bool {
  const command = current() + THREAD_COMMAND;
  const head = changetype<VfioIommuType1InfoCapIovaRange>(command);
  fill(command, 0, offsetof<VfioIommuType1InfoCapIovaRange>());
  head.id = <u16>VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE;
  head.version = 1;
  head.nr_iovas = countHoles(ioas);
  if (!writeArgument(at, command, offsetof<VfioIommuType1InfoCapIovaRange>())) return false;
  at += offsetof<VfioIommuType1InfoCapIovaRange>();
  for (let start: u64 = 0; findHole(ioas, start); at += offsetof<IommuIovaRange>()) {
    const range = current() + offsetof<Thread>("rangeFirst");
    const last = changetype<Thread>(current()).rangeLast;
    if (!writeArgument(at, range, offsetof<IommuIovaRange>())) return false;
    if (last == ULONG_MAX) return true;
    start = last + 1;
  }
  return true;
}

// SPDX-License-Identifier: GPL-2.0-only
/**
 * The ioctls of IO address spaces: arguments checked in the kernel's order, then io_pagetable.ts.
 *
 * Each function is one command. Context: the file is marked, `expected` is what a call in flight may use; the struct is structOf().
 * Return: 0 or -errno, as abi.md section 3 lists them, in that order.
 *
 * Kernel counterpart: drivers/iommu/iommufd/ioas.c, iommufd_option() of main.c.
 */
import { arenaReserve, lockSpace, lookAtSpace, spaceOf, unlockSpace } from "./arena";
import { EADDRINUSE, EBUSY, EFAULT, EINVAL, EMSGSIZE, ENOENT, ENOMEM, EOPNOTSUPP, EOVERFLOW, EPERM } from "../errno";
import { treeInsert, treeMeets, treeNodesNeeded, treeSeek } from "./interval_tree";
import {
  alignmentOf,
  allowedOf,
  clearRanges,
  disableLargePages,
  findHole,
  isMapped,
  mapCopy,
  mapPages,
  reservedOf,
  unmapAgain,
  unmapRange,
} from "./io_pagetable";
import { getSlowly, putSlowly } from "./lookup";
import {
  ACCOUNT_MM,
  ACCOUNT_USER,
  AREA_READ,
  AREA_WRITE,
  CAP_SYS_RESOURCE,
  Context,
  FILE_CONTEXT,
  HoldRecord,
  Ioas,
  PAGE_SIZE,
  SLOT_PAYLOAD,
  Slot,
  Space,
  TYPE_IOAS,
  Thread,
} from "./memory-map";
import { memfdGet, memfdPut } from "./memfd";
import { RANK_TABLE, lock, unlock } from "./mutex";
import { abort, alloc, finalize } from "./object";
import { changeProcess } from "./pages";
import { capable } from "./process";
import { MUST_NOTIFY } from "./results";
import { current, recordOf } from "./thread";
import { copyFromUser, copyToUser } from "./uaccess";
import {
  IOMMU_IOAS_MAP_FIXED_IOVA,
  IOMMU_IOAS_MAP_READABLE,
  IOMMU_IOAS_MAP_WRITEABLE,
  IOMMU_OPTION_HUGE_PAGES,
  IOMMU_OPTION_OP_GET,
  IOMMU_OPTION_OP_SET,
  IOMMU_OPTION_RLIMIT_MODE,
  IommuIoasAlloc,
  IommuIoasAllowIovas,
  IommuIoasChangeProcess,
  IommuIoasCopy,
  IommuIoasIovaRanges,
  IommuIoasMap,
  IommuIoasMapFile,
  IommuIoasUnmap,
  IommuIovaRange,
  IommuOption,
} from "./uapi";
import { respond, respondWith, structOf } from "./ucmd";
import { slotOf, tableLockOf } from "./xarray";

const ULONG_MAX: u64 = u64.MAX_VALUE;

/** Address of the object that a record of this thread is about. */
function slotNamed(handle: i32): usize {
  return slotOf(changetype<HoldRecord>(recordOf(handle)).target);
}

/** Address of the Ioas of a locked object. */
export function ioasOf(handle: i32): usize {
  return slotNamed(handle) + SLOT_PAYLOAD;
}

/** iommufd_get_ioas(). Return: a handle, for putSlowly; -ENOENT, -ENOMEM. */
export function getIoas(file: usize, expected: u32, id: u32): i32 {
  return getSlowly(file, expected, id, TYPE_IOAS);
}

export function ioasAlloc(file: usize, expected: u32): i32 {
  const cmd = changetype<IommuIoasAlloc>(structOf());
  if (cmd.flags != 0) return -EOPNOTSUPP;
  const handle = alloc(file, expected, TYPE_IOAS);
  if (handle < 0) return handle;
  cmd.out_ioas_id = changetype<Slot>(slotNamed(handle)).id;
  if (!respond(offsetof<IommuIoasAlloc>())) {
    abort(file, handle);
    return -EFAULT;
  }
  return min(finalize(file, handle), 0);
}

export function ioasIovaRanges(file: usize, expected: u32): i32 {
  const cmd = changetype<IommuIoasIovaRanges>(structOf());
  if (cmd.__reserved != 0) return -EOPNOTSUPP;
  const handle = getIoas(file, expected, cmd.ioas_id);
  if (handle < 0) return handle;
  const capacity = cmd.num_iovas;
  const result = copyRanges(file, ioasOf(handle), capacity);
  putSlowly(file, handle);
  if (result != 0) return result;
  if (!respond(offsetof<IommuIoasIovaRanges>())) return -EFAULT;
  return cmd.num_iovas > capacity ? -EMSGSIZE : 0;
}

/** The holes of the reserved set go to the caller's array, as many as it holds. Return: 0, -EFAULT. */
function copyRanges(file: usize, ioas: usize, capacity: u32): i32 {
  const cmd = changetype<IommuIoasIovaRanges>(structOf());
  const range = current() + offsetof<Thread>("rangeFirst");
  let result: i32 = 0;
  let count: u32 = 0;
  lookAtSpace(file);
  cmd.out_iova_alignment = alignmentOf(ioas);
  for (let start: u64 = 0; result == 0 && findHole(ioas, start); count++) {
    const last = changetype<Thread>(current()).rangeLast;
    const to = cmd.allowed_iovas + <u64>count * offsetof<IommuIovaRange>();
    if (count < capacity && !copyToUser(to, range, offsetof<IommuIovaRange>())) result = -EFAULT;
    start = last + 1;
    if (last == ULONG_MAX) {
      count++;
      break;
    }
  }
  unlockSpace(file);
  cmd.num_iovas = count;
  return result;
}

/**
 * The new list is built beside the old one and takes its place when it is whole. Until then it is the thread's: should it die, the
 * nodes stay in the file's arena.
 */
export function ioasAllowIovas(file: usize, expected: u32): i32 {
  const cmd = changetype<IommuIoasAllowIovas>(structOf());
  if (cmd.__reserved != 0) return -EOPNOTSUPP;
  const handle = getIoas(file, expected, cmd.ioas_id);
  if (handle < 0) return handle;
  const ioas = ioasOf(handle);
  const built = current() + offsetof<Thread>("building");
  let result: i32 = 0;
  for (let index: u32 = 0; index < cmd.num_iovas && result == 0; index++) {
    result = addAllowed(file, built, cmd.allowed_iovas + <u64>index * offsetof<IommuIovaRange>());
  }
  if (result == 0) result = exchangeAllowed(file, ioas, built);
  clearRanges(file, built);
  putSlowly(file, handle);
  return result;
}

/** Adds the caller's range to the list that is built. Return: 0, -EFAULT, -EINVAL, -ENOMEM. */
function addAllowed(file: usize, tree: usize, from: u64): i32 {
  const thread = changetype<Thread>(current());
  if (!copyFromUser(current() + offsetof<Thread>("rangeFirst"), from, offsetof<IommuIovaRange>())) return -EFAULT;
  const start = thread.rangeFirst;
  const last = thread.rangeLast;
  if (start >= last) return -EINVAL;
  let result: i32 = 0;
  lockSpace(file);
  if (treeMeets(tree, start, last)) result = -EINVAL;
  else if (!arenaReserve(file, treeNodesNeeded(tree))) result = -ENOMEM;
  else treeInsert(file, tree, start, last, tree);
  unlockSpace(file);
  return result;
}

/** The two lists change places, unless the new one meets what is reserved. Return: 0, -EADDRINUSE. */
function exchangeAllowed(file: usize, ioas: usize, tree: usize): i32 {
  const thread = changetype<Thread>(current());
  const allowed = allowedOf(ioas);
  let result: i32 = 0;
  lockSpace(file);
  let at: u64 = 0;
  while (treeSeek(reservedOf(ioas), at) != 0) {
    const last = thread.rangeLast;
    if (treeMeets(tree, thread.rangeFirst, last)) result = -EADDRINUSE;
    if (result != 0 || last == ULONG_MAX) break;
    at = last + 1;
  }
  if (result == 0) {
    const old = load<u64>(allowed);
    store<u64>(allowed, load<u64>(tree));
    store<u64>(tree, old);
  }
  unlockSpace(file);
  return result;
}

/** The flags of MAP, COPY and MAP_FILE. Return: 0, -EOPNOTSUPP. */
// @ts-ignore: a decorator on a function
@inline function checkMapFlags(flags: u32): i32 {
  const known = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_WRITEABLE | IOMMU_IOAS_MAP_READABLE;
  return (flags & ~known) != 0 ? -EOPNOTSUPP : 0;
}

export function ioasMap(file: usize, expected: u32): i32 {
  const cmd = changetype<IommuIoasMap>(structOf());
  const flags = cmd.flags;
  if (checkMapFlags(flags) != 0 || cmd.__reserved != 0) return -EOPNOTSUPP;
  if (cmd.iova == ULONG_MAX || cmd.length == ULONG_MAX) return -EOVERFLOW;
  if ((flags & (AREA_READ | AREA_WRITE)) == 0) return -EINVAL;
  const handle = getIoas(file, expected, cmd.ioas_id);
  if (handle < 0) return handle;
  const isFixed = (flags & IOMMU_IOAS_MAP_FIXED_IOVA) != 0;
  const rights = flags & (AREA_READ | AREA_WRITE);
  let result = checkUserRange(cmd.user_va, cmd.length);
  if (result == 0) result = mapPages(file, ioasOf(handle), 0, cmd.user_va, cmd.length, rights, isFixed, cmd.iova);
  putSlowly(file, handle);
  if (result != 0) return result;
  cmd.iova = changetype<Thread>(current()).cursor;
  return respond(offsetof<IommuIoasMap>()) ? 0 : -EFAULT;
}

/** iopt_alloc_user_pages(): what is asked before anything else. Return: 0, -EOVERFLOW, -EINVAL. */
export function checkUserRange(address: u64, length: u64): i32 {
  if (address + length < address) return -EOVERFLOW;
  return length == 0 || length > ULONG_MAX - PAGE_SIZE ? -EINVAL : 0;
}

export function ioasCopy(file: usize, expected: u32): i32 {
  const cmd = changetype<IommuIoasCopy>(structOf());
  const flags = cmd.flags;
  if (checkMapFlags(flags) != 0) return -EOPNOTSUPP;
  if (cmd.length == ULONG_MAX || cmd.src_iova == ULONG_MAX || cmd.dst_iova == ULONG_MAX) return -EOVERFLOW;
  if ((flags & (AREA_READ | AREA_WRITE)) == 0) return -EINVAL;
  const handle = getIoas(file, expected, cmd.src_ioas_id);
  if (handle < 0) return handle;
  const result = copyFrom(file, expected, ioasOf(handle));
  putSlowly(file, handle);
  if (result != 0) return result;
  cmd.dst_iova = changetype<Thread>(current()).cursor;
  return respond(offsetof<IommuIoasCopy>()) ? 0 : -EFAULT;
}

/** Return: as ioasCopy; the IOVA in cursor. */
function copyFrom(file: usize, expected: u32, from: usize): i32 {
  const cmd = changetype<IommuIoasCopy>(structOf());
  if (cmd.length == 0) return -EINVAL;
  const last = cmd.src_iova + (cmd.length - 1);
  if (last < cmd.src_iova) return -EOVERFLOW;
  lockSpace(file);
  let result = isMapped(from, cmd.src_iova, last);
  if (result == 0) {
    const source = changetype<Thread>(current()).cursor;
    const handle = getIoas(file, expected, cmd.dst_ioas_id);
    result = handle < 0 ? handle : 0;
    if (result == 0) {
      const rights = cmd.flags & (AREA_READ | AREA_WRITE);
      const isFixed = (cmd.flags & IOMMU_IOAS_MAP_FIXED_IOVA) != 0;
      result = mapCopy(file, from, cmd.src_iova, last, source, ioasOf(handle), rights, isFixed, cmd.dst_iova);
      putSlowly(file, handle);
    }
  }
  unlockSpace(file);
  return result;
}

export function ioasUnmap(file: usize, expected: u32): i32 {
  const cmd = changetype<IommuIoasUnmap>(structOf());
  const handle = getIoas(file, expected, cmd.ioas_id);
  if (handle < 0) return handle;
  changetype<Thread>(current()).unmapHandle = handle;
  return unmapEnd(file, unmapBegin(file, ioasOf(handle)));
}

/** IOMMU_IOAS_UNMAP after MUST_NOTIFY. */
export function ioasUnmapAgain(file: usize): i32 {
  return unmapEnd(file, unmapAgain(file, ioasOf(changetype<Thread>(current()).unmapHandle)));
}

/** Return: as unmapRange; -EOVERFLOW, -EINVAL. */
function unmapBegin(file: usize, ioas: usize): i32 {
  const cmd = changetype<IommuIoasUnmap>(structOf());
  if (isAll(cmd)) return unmapRange(file, ioas, 0, ULONG_MAX);
  if (cmd.iova == ULONG_MAX || cmd.length == ULONG_MAX) return -EOVERFLOW;
  if (cmd.length == 0) return -EINVAL;
  const last = cmd.iova + (cmd.length - 1);
  return last < cmd.iova ? -EOVERFLOW : unmapRange(file, ioas, cmd.iova, last);
}

// @ts-ignore: a decorator on a function
@inline function isAll(cmd: IommuIoasUnmap): bool {
  return cmd.iova == 0 && cmd.length == ULONG_MAX;
}

/** `result` is unmapRange's. Nothing there is an error, unless all was meant. */
function unmapEnd(file: usize, result: i32): i32 {
  if (result == MUST_NOTIFY) return result;
  const thread = changetype<Thread>(current());
  const cmd = changetype<IommuIoasUnmap>(structOf());
  putSlowly(file, thread.unmapHandle);
  if (result != 0) return result;
  if (thread.unmapBytes == 0 && !isAll(cmd)) return -ENOENT;
  cmd.length = thread.unmapBytes;
  return respond(offsetof<IommuIoasUnmap>()) ? 0 : -EFAULT;
}

export function option(file: usize, expected: u32): i32 {
  const cmd = changetype<IommuOption>(structOf());
  if (cmd.__reserved != 0) return -EOPNOTSUPP;
  let result: i32 = -EOPNOTSUPP;
  if (cmd.option_id == IOMMU_OPTION_RLIMIT_MODE) result = optionRlimitMode(file);
  else if (cmd.option_id == IOMMU_OPTION_HUGE_PAGES) result = optionHugePages(file, expected);
  if (result != 0) return result;
  return respondWith(offsetof<IommuOption>("val64"), sizeof<u64>()) ? 0 : -EFAULT;
}

function optionRlimitMode(file: usize): i32 {
  const cmd = changetype<IommuOption>(structOf());
  const space = changetype<Space>(spaceOf(file));
  if (cmd.object_id != 0) return -EOPNOTSUPP;
  if (cmd.op == IOMMU_OPTION_OP_SET && !capable(CAP_SYS_RESOURCE)) return -EPERM;
  let result: i32 = 0;
  lookAtSpace(file);
  if (cmd.op == IOMMU_OPTION_OP_GET) cmd.val64 = u64(space.accountMode == ACCOUNT_MM);
  else if (cmd.op != IOMMU_OPTION_OP_SET) result = -EOPNOTSUPP;
  else {
    lock(tableLockOf(file), RANK_TABLE);
    if (changetype<Context>(file + FILE_CONTEXT).taken != 0) result = -EBUSY;
    else if (cmd.val64 > 1) result = -EINVAL;
    else space.accountMode = <u16>(cmd.val64 == 1 ? ACCOUNT_MM : ACCOUNT_USER);
    unlock(tableLockOf(file), RANK_TABLE);
  }
  unlockSpace(file);
  return result;
}

function optionHugePages(file: usize, expected: u32): i32 {
  const cmd = changetype<IommuOption>(structOf());
  const handle = getIoas(file, expected, cmd.object_id);
  if (handle < 0) return handle;
  const ioas = ioasOf(handle);
  let result: i32 = 0;
  lookAtSpace(file);
  if (cmd.op == IOMMU_OPTION_OP_GET) cmd.val64 = u64(changetype<Ioas>(ioas).smallPages == 0);
  else if (cmd.op != IOMMU_OPTION_OP_SET) result = -EOPNOTSUPP;
  else if (cmd.val64 == 0) result = disableLargePages(ioas);
  else if (cmd.val64 == 1) changetype<Ioas>(ioas).smallPages = 0;
  else result = -EINVAL;
  unlockSpace(file);
  putSlowly(file, handle);
  return result;
}

export function ioasMapFile(file: usize, expected: u32): i32 {
  const cmd = changetype<IommuIoasMapFile>(structOf());
  const flags = cmd.flags;
  if (checkMapFlags(flags) != 0) return -EOPNOTSUPP;
  if (cmd.iova == ULONG_MAX || cmd.length == ULONG_MAX) return -EOVERFLOW;
  if ((flags & (AREA_READ | AREA_WRITE)) == 0) return -EINVAL;
  const handle = getIoas(file, expected, cmd.ioas_id);
  if (handle < 0) return handle;
  const result = mapFileAt(file, ioasOf(handle));
  putSlowly(file, handle);
  if (result != 0) return result;
  cmd.iova = changetype<Thread>(current()).cursor;
  return respond(offsetof<IommuIoasMapFile>()) ? 0 : -EFAULT;
}

/** The part of ioasMapFile that needs the address space. */
function mapFileAt(file: usize, ioas: usize): i32 {
  const cmd = changetype<IommuIoasMapFile>(structOf());
  if (cmd.length == 0) return -EINVAL;
  if (cmd.start + cmd.length < cmd.start) return -EOVERFLOW;
  const memfd = memfdGet(cmd.fd);
  if (memfd < 0) return memfd;
  const isFixed = (cmd.flags & IOMMU_IOAS_MAP_FIXED_IOVA) != 0;
  const rights = cmd.flags & (AREA_READ | AREA_WRITE);
  let result: i32 = -EINVAL;
  if (cmd.length <= ULONG_MAX - PAGE_SIZE) {
    result = mapPages(file, ioas, memfd, cmd.start, cmd.length, rights, isFixed, cmd.iova);
  }
  if (result != 0) memfdPut(memfd);
  return result;
}

export function ioasChangeProcess(file: usize): i32 {
  return changetype<IommuIoasChangeProcess>(structOf()).__reserved != 0 ? -EOPNOTSUPP : changeProcess(file);
}

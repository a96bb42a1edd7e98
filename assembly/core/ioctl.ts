// SPDX-License-Identifier: GPL-2.0-only
/**
 * The ioctl dispatch: one table, one place where arguments are validated.
 *
 * Order of checks, rfc (the seed's iommufd_fops_ioctl):
 *   read the u32 size → EFAULT; number in the table and the whole request equal → ENOTTY; size below the minimum →
 *   EOPNOTSUPP; copy_struct_from_user → EFAULT, E2BIG; execute
 * mainline: a number outside the table is ENOTTY before any memory is touched; a short struct is EINVAL.
 *
 * The size is read twice, as in the kernel: the first reading rules, the struct's own copy is what the handler sees. The
 * struct is copied once into the thread's command buffer, and only the copy is looked at.
 *
 * An argument is a user address, or a JavaScript buffer whose first bytes the bindings put into the thread's window;
 * then exactly the buffer's bytes are accessible. A buffer longer than the window is needed only for its unknown tail,
 * which must be zero: it is scanned in pieces (MUST_REFILL), in the kernel's order of errors.
 *
 * Commands of IO address spaces are executed here as well, with the file marked for as long as they run. In mainline a request whose
 * number is not in the table is VFIO's (vfio_compat.ts).
 *
 * Adding a built-in ioctl is one struct in uapi.ts, one row in registry.ts and one case in `run`.
 *
 * Kernel counterpart: iommufd_fops_ioctl(), copy_struct_from_user(), IOCTL_OP().
 */
import { copy, fill, load32 } from "./atomics";
import { destroy } from "./destroy";
import {
  getHwInfo,
  hwptAlloc,
  hwptGetDirtyBitmap,
  hwptInvalidate,
  hwptSetDirtyTracking,
  vdeviceAlloc,
  viommuAlloc,
} from "./devices";
import { E2BIG, EFAULT, EINVAL, ENOTTY, EOPNOTSUPP } from "../errno";
import { faultQueueAlloc } from "./eventq";
import { fileEnter, fileLeave, inFlight, mayUse, refusal } from "./file";
import {
  ioasAlloc,
  ioasAllowIovas,
  ioasChangeProcess,
  ioasCopy,
  ioasIovaRanges,
  ioasMap,
  ioasMapFile,
  ioasUnmap,
  ioasUnmapAgain,
  option,
} from "./ioas";
import {
  COMMAND_BASE,
  COMMAND_BYTES,
  Command,
  File,
  HANDLER_CORE,
  HANDLER_DESTROY,
  IDENTITY,
  Identity,
  MAX_COMMANDS,
  PROFILE_RFC,
  THREAD_COMMAND,
  THREAD_WINDOW,
  Thread,
} from "./memory-map";
import { commandAt, commandLimit, isCallable } from "./registry";
import { MUST_EXECUTE, MUST_NOTIFY, MUST_REFILL } from "./results";
import { current } from "./thread";
import { FAULT, NOT_ZERO, checkZeroedUser, copyFromUser, isZero } from "./uaccess";
import {
  IommuDestroy,
  NR_IOAS_ALLOC,
  NR_IOAS_ALLOW_IOVAS,
  NR_IOAS_COPY,
  NR_IOAS_IOVA_RANGES,
  NR_IOAS_MAP,
  NR_IOAS_UNMAP,
  NR_OPTION,
  NR_VFIO_IOAS,
  NR_HWPT_ALLOC,
  NR_GET_HW_INFO,
  NR_HWPT_SET_DIRTY_TRACKING,
  NR_HWPT_GET_DIRTY_BITMAP,
  NR_HWPT_INVALIDATE,
  NR_FAULT_QUEUE_ALLOC,
  NR_IOAS_MAP_FILE,
  NR_VIOMMU_ALLOC,
  NR_VDEVICE_ALLOC,
  NR_IOAS_CHANGE_PROCESS,
  VFIO_IOMMU_UNMAP_DMA,
} from "./uapi";
import { beginUserCommand, beginWindowCommand } from "./ucmd";
import { isVfioRequest, unmapDmaAgain, vfioIoas, vfioIoctl } from "./vfio_compat";

/**
 * ioctl(2) with a JavaScript buffer of `length` bytes, whose first bytes (at most the window's size) lie in the window.
 *
 * Return: what the command answers; -EBADF, -EIO; the errors above; MUST_*.
 */
export function ioctlWindow(file: usize, expected: u32, request: u32, length: u32, blocking: bool): i32 {
  const window = current() + THREAD_WINDOW;
  // The usual case: each question below has the answer "go on".
  const row = changetype<Command>(rowOf(request));
  const isUsual = row.request == request && isDestroy(request) && length >= row.size && load<u32>(window) == row.size;
  if (isUsual && load32(file + offsetof<File>("state")) == expected) {
    return destroy(file, expected, load<u32>(window, offsetof<IommuDestroy>("id")), blocking);
  }
  if (!mayUse(file, expected)) return refusal(file, expected);
  if (isOutsideTable(request)) {
    if (!isVfioRequest(request)) return -ENOTTY;
    beginWindowCommand(length, min(length, COMMAND_BYTES));
    return runVfio(file, expected, request, NO_NUMBER);
  }
  if (length < 4) return -EFAULT;
  const size = load<u32>(window);
  const result = checkRequest(request, size);
  if (result != 0) return result;
  const known = row.size;
  if (size > known) {
    const present = min(min(size, length), COMMAND_BYTES);
    if (present > known && !isZero(window + known, present - known)) return -E2BIG;
    if (size > present) {
      if (present == length) return -EFAULT;
      const thread = changetype<Thread>(current());
      thread.result0 = present;
      thread.result1 = size;
      return MUST_REFILL;
    }
  }
  return ioctlHead(file, expected, request, size, length, blocking);
}

/**
 * Goes on after MUST_REFILL: the window now begins at `offset` of the buffer of `length` bytes.
 *
 * Return: MUST_REFILL with the next offset; 0 when the tail is zero, and the bindings put the buffer's first bytes back and
 * call ioctlHead; -E2BIG or -EFAULT, which end the call.
 */
export function ioctlTail(offset: u32, size: u32, length: u32): i32 {
  const present = min(min(size, length) - offset, COMMAND_BYTES);
  if (!isZero(current() + THREAD_WINDOW, present)) return -E2BIG;
  if (offset + present == size) return 0;
  if (offset + present == length) return -EFAULT;
  changetype<Thread>(current()).result0 = offset + present;
  return MUST_REFILL;
}

/** The common part of a windowed argument, whose tail is checked: copy, then execute. */
export function ioctlHead(file: usize, expected: u32, request: u32, size: u32, length: u32, blocking: bool): i32 {
  const known = changetype<Command>(rowOf(request)).size;
  const common = min(size, known);
  if (length < common) return -EFAULT;
  const window = current() + THREAD_WINDOW;
  const command = current() + THREAD_COMMAND;
  if (isCore(request)) {
    if (common < known) fill(window + common, 0, known - common);
    beginWindowCommand(size, min(length, COMMAND_BYTES));
    return run(file, expected, request);
  }
  copy(command, window, common);
  fill(command + common, 0, known - common);
  return execute(file, expected, request, size, blocking);
}

/** ioctl(2) with a user address. Return: as ioctlWindow, never MUST_REFILL. */
export function ioctlUser(file: usize, expected: u32, request: u32, address: u64, blocking: bool): i32 {
  if (!mayUse(file, expected)) return refusal(file, expected);
  if (isOutsideTable(request)) {
    if (!isVfioRequest(request)) return -ENOTTY;
    beginUserCommand(address, 0);
    return runVfio(file, expected, request, address);
  }
  const command = current() + THREAD_COMMAND;
  if (!copyFromUser(command, address, 4)) return -EFAULT;
  const size = load<u32>(command);
  const result = checkRequest(request, size);
  if (result != 0) return result;
  const known = changetype<Command>(rowOf(request)).size;
  const common = min(size, known);
  if (size > known) {
    const tail = checkZeroedUser(address + known, size - known);
    if (tail == FAULT) return -EFAULT;
    if (tail == NOT_ZERO) return -E2BIG;
  }
  if (!copyFromUser(command, address, common)) return -EFAULT;
  fill(command + common, 0, known - common);
  if (isCore(request)) {
    beginUserCommand(address, size);
    return run(file, expected, request);
  }
  return execute(file, expected, request, size, blocking);
}

/** The row that a request has if it has one: of its number in the table's range. */
// @ts-ignore: a decorator on a function
@inline function rowOf(request: u32): usize {
  return commandAt(COMMAND_BASE | (request & (MAX_COMMANDS - 1)));
}

/** mainline: such a number belongs to the VFIO-compat handler. */
function isOutsideTable(request: u32): bool {
  if (changetype<Identity>(IDENTITY).profile == PROFILE_RFC) return false;
  const nr = request & 0xff;
  return nr < COMMAND_BASE || nr >= max(changetype<Identity>(IDENTITY).tableEnd, commandLimit());
}

/** Number and size against the table. Return: 0 or the error. */
function checkRequest(request: u32, size: u32): i32 {
  const nr = request & 0xff;
  if (nr < COMMAND_BASE || nr - COMMAND_BASE >= MAX_COMMANDS || !isCallable(nr)) return -ENOTTY;
  const row = changetype<Command>(commandAt(nr));
  if (row.request != request) return -ENOTTY;
  if (size >= row.minSize) return 0;
  return changetype<Identity>(IDENTITY).profile == PROFILE_RFC ? -EOPNOTSUPP : -EINVAL;
}

// @ts-ignore: a decorator on a function
@inline function isDestroy(request: u32): bool {
  return load32(rowOf(request) + offsetof<Command>("handler")) == HANDLER_DESTROY;
}
// @ts-ignore: a decorator on a function
@inline function isCore(request: u32): bool {
  return load32(rowOf(request) + offsetof<Command>("handler")) == HANDLER_CORE;
}

/** Context: the struct is in the command buffer. A command that the bindings execute keeps the file by a mark until ioctlEnd. */
function execute(file: usize, expected: u32, request: u32, size: u32, blocking: bool): i32 {
  if (isDestroy(request)) {
    return destroy(file, expected, load<u32>(current() + THREAD_COMMAND, offsetof<IommuDestroy>("id")), blocking);
  }
  if (!fileEnter(file, expected)) return refusal(file, expected);
  changetype<Thread>(current()).result0 = size;
  return MUST_EXECUTE;
}

/** What stands for a buffer where a request takes a number. */
const NO_NUMBER: u64 = u64.MAX_VALUE;

/** A request of VFIO's, whose argument begins where beginUserCommand or beginWindowCommand said, or is the number `value`. */
function runVfio(file: usize, expected: u32, request: u32, value: u64): i32 {
  if (!fileEnter(file, expected)) return refusal(file, expected);
  const result = vfioIoctl(file, inFlight(file), request, value);
  if (result != MUST_NOTIFY) fileLeave(file);
  return result;
}

/** A command of the core. Context: its struct is structOf(). */
function run(file: usize, expected: u32, request: u32): i32 {
  if (!fileEnter(file, expected)) return refusal(file, expected);
  const result = runMarked(file, inFlight(file), request & 0xff);
  if (result != MUST_NOTIFY) fileLeave(file);
  return result;
}

/** Goes on after MUST_NOTIFY, once the accesses' callbacks have run. Return: as the command; MUST_NOTIFY. */
export function ioctlAgain(file: usize, request: u32): i32 {
  const result = request == VFIO_IOMMU_UNMAP_DMA ? unmapDmaAgain(file) : ioasUnmapAgain(file);
  if (result != MUST_NOTIFY) fileLeave(file);
  return result;
}

/** Return: what the command answers. */
function runMarked(file: usize, expected: u32, nr: u32): i32 {
  switch (nr) {
    case NR_IOAS_ALLOC:
      return ioasAlloc(file, expected);
    case NR_IOAS_ALLOW_IOVAS:
      return ioasAllowIovas(file, expected);
    case NR_IOAS_COPY:
      return ioasCopy(file, expected);
    case NR_IOAS_IOVA_RANGES:
      return ioasIovaRanges(file, expected);
    case NR_IOAS_MAP:
      return ioasMap(file, expected);
    case NR_IOAS_UNMAP:
      return ioasUnmap(file, expected);
    case NR_OPTION:
      return option(file, expected);
    case NR_VFIO_IOAS:
      return vfioIoas(file, expected);
    case NR_HWPT_ALLOC:
      return hwptAlloc();
    case NR_GET_HW_INFO:
      return getHwInfo();
    case NR_HWPT_SET_DIRTY_TRACKING:
      return hwptSetDirtyTracking();
    case NR_HWPT_GET_DIRTY_BITMAP:
      return hwptGetDirtyBitmap();
    case NR_HWPT_INVALIDATE:
      return hwptInvalidate(file, expected);
    case NR_FAULT_QUEUE_ALLOC:
      return faultQueueAlloc(file, expected);
    case NR_IOAS_MAP_FILE:
      return ioasMapFile(file, expected);
    case NR_VIOMMU_ALLOC:
      return viommuAlloc();
    case NR_VDEVICE_ALLOC:
      return vdeviceAlloc();
    case NR_IOAS_CHANGE_PROCESS:
      return ioasChangeProcess(file);
    default:
      return -ENOTTY;
  }
}

/** The end of a command that the bindings executed. */
export function ioctlEnd(file: usize): void {
  fileLeave(file);
}

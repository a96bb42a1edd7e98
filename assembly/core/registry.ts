// SPDX-License-Identifier: GPL-2.0-only
/**
 * Object types and ioctl rows, registered by name for all threads.
 *
 * The first definition fixes the shape and, for a type, the number, which is its place in the release order. The same name
 * with the same shape binds the calling thread's own callbacks to it; another shape is EEXIST. Nothing is ever removed.
 *
 * Rows are filled under the registry lock and published by the last store (the count; the handler); readers take no lock.
 *
 * Kernel counterpart: enum iommufd_object_type with iommufd_object_ops[], and iommufd_ioctl_ops[].
 */
import { copy, load32, store32 } from "./atomics";
import { EEXIST, EINVAL, ENOSPC } from "../errno";
import { mayFail } from "./faults";
import {
  ARENA_CHUNK_BYTES,
  Access,
  COMMANDS,
  COMMAND_BASE,
  COMMAND_BYTES,
  Command,
  FAULT_TYPE,
  HANDLER_BINDINGS,
  HANDLER_CORE,
  HANDLER_DESTROY,
  HANDLER_NONE,
  HoldList,
  IOMMUFD_TYPE,
  Ioas,
  MAX_CLASSES,
  MAX_COMMANDS,
  MAX_PAYLOAD,
  MAX_TYPES,
  NAME_BYTES,
  ObjectType,
  REGISTRY,
  Registry,
  SLOT_PAYLOAD,
  THREAD_WINDOW,
  TYPES,
  TYPE_ACCESS,
  TYPE_BYTES,
  TYPE_FAULT,
  TYPE_HAS_DESTROY,
  TYPE_IOAS,
  TYPE_IS_ACCESS,
  TYPE_IS_IOAS,
  TYPE_NAME,
  Thread,
} from "./memory-map";
import { RANK_REGISTRY, lock, unlock } from "./mutex";
import { slabClassFor } from "./slab";
import { current } from "./thread";
import {
  IommuDestroy,
  IommuIoasAlloc,
  IommuIoasAllowIovas,
  IommuIoasCopy,
  IommuIoasIovaRanges,
  IommuIoasMap,
  IommuIoasUnmap,
  IommuOption,
  IommuVfioIoas,
  IommuHwptAlloc,
  IommuHwInfo,
  IommuHwptSetDirtyTracking,
  IommuHwptGetDirtyBitmap,
  IommuHwptInvalidate,
  IommuFaultAlloc,
  IommuIoasMapFile,
  IommuViommuAlloc,
  IommuVdeviceAlloc,
  IommuIoasChangeProcess,
  NR_DESTROY,
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
} from "./uapi";

const REGISTRY_LOCK: usize = REGISTRY + offsetof<Registry>("lock");
const TYPE_COUNT: usize = REGISTRY + offsetof<Registry>("typeCount");
const COMMAND_LIMIT: usize = REGISTRY + offsetof<Registry>("commandLimit");

/** Slab class of the lists that an object's holds overflow into; made first. */
export const HOLD_LIST_CLASS: u32 = 0;
/** Slab class of the chunks of arenas (arena.ts); made second. */
export const ARENA_CLASS: u32 = 1;

// @ts-ignore: a decorator on a function
@inline function typeAt(number: u32): usize {
  return TYPES + number * TYPE_BYTES;
}
// @ts-ignore: a decorator on a function
@inline export function commandAt(nr: u32): usize {
  return COMMANDS + (nr - COMMAND_BASE) * offsetof<Command>();
}
// @ts-ignore: a decorator on a function
@inline export function classOfType(type: u32): u32 {
  return changetype<ObjectType>(typeAt(type)).slabClass;
}
/** Whether destroying an object of the type is more than freeing its memory. */
// @ts-ignore: a decorator on a function
@inline export function isPlainType(type: u32): bool {
  return changetype<ObjectType>(typeAt(type)).flags == 0;
}
/** Whether the type is the core's access, which the mainline profile has. */
// @ts-ignore: a decorator on a function
@inline export function isAccess(type: u32): bool {
  return (changetype<ObjectType>(typeAt(type)).flags & TYPE_IS_ACCESS) != 0;
}
/** Whether the type is the core's IOAS, which the mainline profile has. */
// @ts-ignore: a decorator on a function
@inline export function isIoas(type: u32): bool {
  return (changetype<ObjectType>(typeAt(type)).flags & TYPE_IS_IOAS) != 0;
}
/** Whether destroying an object of the type runs a callback of the bindings. */
// @ts-ignore: a decorator on a function
@inline export function hasCallback(type: u32): bool {
  return (changetype<ObjectType>(typeAt(type)).flags & TYPE_HAS_DESTROY) != 0;
}
/** Whether this thread can destroy objects of the type. */
// @ts-ignore: a decorator on a function
@inline export function isRunnable(type: u32): bool {
  return !hasCallback(type) || (changetype<Thread>(current()).boundTypes & ((<u64>1) << type)) != 0;
}

/** What every memory starts with. Context: called once, before other threads attach. */
export function registryInit(): void {
  slabClassFor(offsetof<HoldList>());
  slabClassFor(ARENA_CHUNK_BYTES);
  addRow(NR_DESTROY, HANDLER_DESTROY, offsetof<IommuDestroy>(), offsetof<IommuDestroy>());
}

/**
 * mainline: the types and commands of today's kernel, as far as this core has them, below `tableEnd`.
 *
 * A minimal size smaller than the struct ends where the next field begins: those structs have grown. Context: as registryInit.
 */
export function registryInitMainline(tableEnd: u32): void {
  addCoreRow(tableEnd, NR_IOAS_ALLOC, offsetof<IommuIoasAlloc>(), offsetof<IommuIoasAlloc>());
  addCoreRow(tableEnd, NR_IOAS_ALLOW_IOVAS, offsetof<IommuIoasAllowIovas>(), offsetof<IommuIoasAllowIovas>());
  addCoreRow(tableEnd, NR_IOAS_COPY, offsetof<IommuIoasCopy>(), offsetof<IommuIoasCopy>());
  addCoreRow(tableEnd, NR_IOAS_IOVA_RANGES, offsetof<IommuIoasIovaRanges>(), offsetof<IommuIoasIovaRanges>());
  addCoreRow(tableEnd, NR_IOAS_MAP, offsetof<IommuIoasMap>(), offsetof<IommuIoasMap>());
  addCoreRow(tableEnd, NR_IOAS_UNMAP, offsetof<IommuIoasUnmap>(), offsetof<IommuIoasUnmap>());
  addCoreRow(tableEnd, NR_OPTION, offsetof<IommuOption>(), offsetof<IommuOption>());
  addCoreRow(tableEnd, NR_VFIO_IOAS, offsetof<IommuVfioIoas>(), offsetof<IommuVfioIoas>());
  addCoreRow(tableEnd, NR_HWPT_ALLOC, offsetof<IommuHwptAlloc>(), offsetof<IommuHwptAlloc>("data_type"));
  addCoreRow(tableEnd, NR_GET_HW_INFO, offsetof<IommuHwInfo>(), offsetof<IommuHwInfo>("out_capabilities"));
  addRow(
    NR_HWPT_SET_DIRTY_TRACKING,
    HANDLER_CORE,
    offsetof<IommuHwptSetDirtyTracking>(),
    offsetof<IommuHwptSetDirtyTracking>(),
  );
  addRow(
    NR_HWPT_GET_DIRTY_BITMAP,
    HANDLER_CORE,
    offsetof<IommuHwptGetDirtyBitmap>(),
    offsetof<IommuHwptGetDirtyBitmap>(),
  );
  addCoreRow(tableEnd, NR_HWPT_INVALIDATE, offsetof<IommuHwptInvalidate>(), offsetof<IommuHwptInvalidate>());
  addCoreRow(tableEnd, NR_FAULT_QUEUE_ALLOC, offsetof<IommuFaultAlloc>(), offsetof<IommuFaultAlloc>());
  addCoreRow(tableEnd, NR_IOAS_MAP_FILE, offsetof<IommuIoasMapFile>(), offsetof<IommuIoasMapFile>());
  addCoreRow(tableEnd, NR_VIOMMU_ALLOC, offsetof<IommuViommuAlloc>(), offsetof<IommuViommuAlloc>("data_len"));
  addCoreRow(tableEnd, NR_VDEVICE_ALLOC, offsetof<IommuVdeviceAlloc>(), offsetof<IommuVdeviceAlloc>());
  addCoreRow(tableEnd, NR_IOAS_CHANGE_PROCESS, offsetof<IommuIoasChangeProcess>(), offsetof<IommuIoasChangeProcess>());
  addType(TYPE_IOAS, TYPE_IS_IOAS, offsetof<Ioas>(), OBJ_IOAS, 0, 0);
  addType(TYPE_FAULT, 0, 0, OBJ_FAUL, 0x54, 0);
  addType(TYPE_ACCESS, TYPE_IS_ACCESS, offsetof<Access>(), OBJ_ACCE, 0x53, 0x53);
}

/** Letters of names as numbers, in memory order: the module has no data. */
const IOMMUFD_: u64 = 0x5f4446554d4d4f49;
const OBJ_IOAS: u64 = 0x53414f495f4a424f;
const OBJ_ACCE: u64 = 0x454343415f4a424f;
const OBJ_FAUL: u64 = 0x4c5541465f4a424f;

/** A type of the core, whose name begins with IOMMUFD_ and goes on with `name` and the letters `ninth` and `tenth`, if those are not 0. */
function addType(number: u32, flags: u32, payloadBytes: u32, name: u64, ninth: u8, tenth: u8): void {
  const type = changetype<ObjectType>(typeAt(number));
  type.payloadBytes = payloadBytes;
  type.flags = flags;
  type.slabClass = slabClassFor((SLOT_PAYLOAD + payloadBytes + 7) & ~7);
  type.nameBytes = 16 + u32(ninth != 0) + u32(tenth != 0);
  store<u64>(typeAt(number) + TYPE_NAME, IOMMUFD_);
  store<u64>(typeAt(number) + TYPE_NAME + 8, name);
  store<u8>(typeAt(number) + TYPE_NAME + 16, ninth);
  store<u8>(typeAt(number) + TYPE_NAME + 17, tenth);
  store32(TYPE_COUNT, number);
}

/** A command that a kernel has whose table goes that far. */
function addCoreRow(tableEnd: u32, nr: u32, size: u32, minSize: u32): void {
  if (nr < tableEnd) addRow(nr, HANDLER_CORE, size, minSize);
}

function addRow(nr: u32, handler: u32, size: u32, minSize: u32): void {
  const row = changetype<Command>(commandAt(nr));
  row.request = IOMMUFD_TYPE | nr;
  row.size = size;
  row.minSize = minSize;
  row.handler = handler;
  store32(COMMAND_LIMIT, max(load32(COMMAND_LIMIT), nr + 1));
}

/**
 * Defines a type, or binds to the one of that name (`nameBytes` bytes in the window).
 *
 * `flags` with TYPE_HAS_DESTROY: this thread brings the callback. A definition without one binds to a type that has one, and
 * cannot destroy its objects. Return: the type's number; -EINVAL, -EEXIST, -ENOSPC without a change.
 */
export function defineType(nameBytes: u32, payloadBytes: u32, flags: u32): i32 {
  if (nameBytes == 0 || nameBytes > NAME_BYTES || payloadBytes > MAX_PAYLOAD) return -EINVAL;
  lock(REGISTRY_LOCK, RANK_REGISTRY);
  const result = findOrAddType(nameBytes, payloadBytes, flags);
  unlock(REGISTRY_LOCK, RANK_REGISTRY);
  if (result > 0 && (flags & TYPE_HAS_DESTROY) != 0) changetype<Thread>(current()).boundTypes |= (<u64>1) << result;
  return result;
}

function findOrAddType(nameBytes: u32, payloadBytes: u32, flags: u32): i32 {
  const name = current() + THREAD_WINDOW;
  const count = load32(TYPE_COUNT);
  for (let number: u32 = 1; number <= count; number++) {
    const type = changetype<ObjectType>(typeAt(number));
    if (type.nameBytes != nameBytes || memory.compare(typeAt(number) + TYPE_NAME, name, nameBytes) != 0) continue;
    const fits = type.payloadBytes == payloadBytes && (flags & ~type.flags) == 0;
    return fits ? <i32>number : -EEXIST;
  }
  if (count == MAX_TYPES) return -ENOSPC;
  if (mayFail(FAULT_TYPE)) return -ENOSPC;
  const slab = slabClassFor((SLOT_PAYLOAD + payloadBytes + 7) & ~7);
  if (slab == MAX_CLASSES) return -ENOSPC;
  const number = count + 1;
  const type = changetype<ObjectType>(typeAt(number));
  type.payloadBytes = payloadBytes;
  type.flags = flags;
  type.slabClass = slab;
  type.nameBytes = nameBytes;
  copy(typeAt(number) + TYPE_NAME, name, nameBytes);
  store32(TYPE_COUNT, number);
  return number;
}

/**
 * Adds a row to the ioctl table, or binds to the one of that number and shape.
 *
 * Return: 0; -EINVAL (number or sizes out of range), -EEXIST (taken by another shape), without a change.
 */
export function defineCommand(nr: u32, size: u32, minSize: u32, shapeLow: u32, shapeHigh: u32): i32 {
  if (nr - COMMAND_BASE >= MAX_COMMANDS || size > COMMAND_BYTES || minSize < 4 || minSize > size) return -EINVAL;
  const row = changetype<Command>(commandAt(nr));
  lock(REGISTRY_LOCK, RANK_REGISTRY);
  let result: i32 = 0;
  if (row.handler == HANDLER_NONE) {
    row.request = IOMMUFD_TYPE | nr;
    row.size = size;
    row.minSize = minSize;
    row.shapeLow = shapeLow;
    row.shapeHigh = shapeHigh;
    store32(commandAt(nr) + offsetof<Command>("handler"), HANDLER_BINDINGS);
    if (nr >= load32(COMMAND_LIMIT)) store32(COMMAND_LIMIT, nr + 1);
  } else if (row.handler != HANDLER_BINDINGS || row.shapeLow != shapeLow || row.shapeHigh != shapeHigh) {
    result = -EEXIST;
  }
  unlock(REGISTRY_LOCK, RANK_REGISTRY);
  if (result == 0) bindCommand(nr - COMMAND_BASE);
  return result;
}

function bindCommand(index: u32): void {
  const thread = changetype<Thread>(current());
  if (index < 64) thread.boundCommandsLow |= (<u64>1) << index;
  else thread.boundCommandsHigh |= (<u64>1) << (index - 64);
}

/** Whether this thread can execute the row: built in, or defined here. Elsewhere it is no command (ENOTTY). */
// @ts-ignore: a decorator on a function
@inline export function isCallable(nr: u32): bool {
  const handler = load32(commandAt(nr) + offsetof<Command>("handler"));
  if (handler != HANDLER_BINDINGS) return handler != HANDLER_NONE;
  const index = nr - COMMAND_BASE;
  const thread = changetype<Thread>(current());
  const bound = index < 64 ? thread.boundCommandsLow : thread.boundCommandsHigh;
  return (bound & ((<u64>1) << (index & 63))) != 0;
}

/** One past the highest number of the table. */
// @ts-ignore: a decorator on a function
@inline export function commandLimit(): u32 {
  return load32(COMMAND_LIMIT);
}

/** Context: the registry's lock is held by the thread that the caller acts as, which died with it. Rows are whole or unpublished. */
export function repairRegistry(): void {
  for (let nr = COMMAND_BASE; nr < COMMAND_BASE + MAX_COMMANDS; nr++) {
    const handler = load32(commandAt(nr) + offsetof<Command>("handler"));
    if (handler != HANDLER_NONE && nr >= load32(COMMAND_LIMIT)) store32(COMMAND_LIMIT, nr + 1);
  }
}

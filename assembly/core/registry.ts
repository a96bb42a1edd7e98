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
  COMMANDS,
  COMMAND_BASE,
  COMMAND_BYTES,
  Command,
  FAULT_TYPE,
  HANDLER_BINDINGS,
  HANDLER_DESTROY,
  HANDLER_NONE,
  HoldList,
  IOMMUFD_TYPE,
  MAX_CLASSES,
  MAX_COMMANDS,
  MAX_PAYLOAD,
  MAX_TYPES,
  NAME_BYTES,
  NR_DESTROY,
  ObjectType,
  REGISTRY,
  Registry,
  SLOT_PAYLOAD,
  THREAD_WINDOW,
  TYPES,
  TYPE_BYTES,
  TYPE_HAS_DESTROY,
  TYPE_NAME,
  Thread,
} from "./memory-map";
import { RANK_REGISTRY, lock, unlock } from "./mutex";
import { slabClassFor } from "./slab";
import { current } from "./thread";

const REGISTRY_LOCK: usize = REGISTRY + offsetof<Registry>("lock");
const TYPE_COUNT: usize = REGISTRY + offsetof<Registry>("typeCount");
const COMMAND_LIMIT: usize = REGISTRY + offsetof<Registry>("commandLimit");

/** Slab class of the lists that an object's holds overflow into; made first. */
export const HOLD_LIST_CLASS: u32 = 0;

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
  const row = changetype<Command>(commandAt(NR_DESTROY));
  row.request = IOMMUFD_TYPE | NR_DESTROY;
  row.size = 8;
  row.minSize = 8;
  row.handler = HANDLER_DESTROY;
  changetype<Registry>(REGISTRY).commandLimit = NR_DESTROY + 1;
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

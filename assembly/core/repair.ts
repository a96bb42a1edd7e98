// SPDX-License-Identifier: GPL-2.0-only
/**
 * Locks and what they protect, after a thread died inside.
 *
 * Every section leaves its data, at each of its stores, in one of few states, so that what is missing follows from what is
 * there: the functions named here are beside the sections that they repair. A repair may itself be interrupted, and is then
 * simply made again.
 *
 * The exception are IO address spaces: a thread that dies while it changes one leaves trees that are in between, so the file is
 * poisoned; its memory is whole, and goes when the file is closed (arena.ts).
 *
 * Kernel counterpart: robust futexes, EOWNERDEAD.
 */
import { repairArena, spaceOf } from "./arena";
import { load32, load64, store32 } from "./atomics";
import { DEBUG_BUILD, MODEL_BUILD, assertInvariant } from "./config";
import { poison } from "./file";
import {
  CLASSES,
  CLASS_BYTES,
  Context,
  FILES,
  FILE_BYTES,
  FILE_CONTEXT,
  HAND_FLAGS,
  HAND_MEMORY,
  MAPS,
  MAX_CLASSES,
  MAX_FILES,
  MEMORY_CHUNK,
  MEMORY_FLAGS,
  MapState,
  NODES,
  PAGES,
  QUEUE,
  Queue,
  REGISTRY,
  Registry,
  SPACES,
  SPACE_BYTES,
  SlabClass,
  Slot,
  Space,
  Thread,
} from "./memory-map";
import { repairMappings } from "./mmap";
import { ownerOf, release, tryLock } from "./mutex";
import { repairPages } from "./page-alloc";
import { PHASE_FREE, PHASE_RESERVED, phaseOf } from "./refcount";
import { HOLD_LIST_CLASS, repairRegistry } from "./registry";
import { repairQueue } from "./release";
import { addChunk, isNextFree, notTaken } from "./slab";
import { fileOfSlot } from "./slot";
import { repairSpares } from "./spares";
import { blockedBy, clearHand, clearHandMemory, current, nameOfThread } from "./thread";
import { isNextNode, repairTable, slotOf, tableLockOf, xaEntry } from "./xarray";

// All locks, in their order: registry, spaces, map, tables, queue, classes, nodes, pages.
const FIRST_SPACE: u32 = 1;
const MAP_INDEX: u32 = FIRST_SPACE + MAX_FILES;
const FIRST_TABLE: u32 = MAP_INDEX + 1;
const QUEUE_INDEX: u32 = FIRST_TABLE + MAX_FILES;
const FIRST_CLASS: u32 = QUEUE_INDEX + 1;
const NODES_INDEX: u32 = FIRST_CLASS + MAX_CLASSES;
const LOCKS: u32 = NODES_INDEX + 2;

/** Looks at a lock that a living thread holds, before the reaper lets others run. */
const LOOKS: u32 = MODEL_BUILD ? 1 : 10_000;

function lockAt(index: u32): usize {
  if (index == 0) return REGISTRY + offsetof<Registry>("lock");
  if (index < MAP_INDEX) return SPACES + (index - FIRST_SPACE) * SPACE_BYTES + offsetof<Space>("lock");
  if (index == MAP_INDEX) return MAPS + offsetof<MapState>("lock");
  if (index < QUEUE_INDEX) return FILES + (index - FIRST_TABLE) * FILE_BYTES + FILE_CONTEXT + offsetof<Context>("lock");
  if (index == QUEUE_INDEX) return QUEUE + offsetof<Queue>("lock");
  if (index < NODES_INDEX) return CLASSES + (index - FIRST_CLASS) * CLASS_BYTES + offsetof<SlabClass>("lock");
  return index == NODES_INDEX ? NODES : PAGES;
}

/** Repairs what the thread's locks protect, inner ones first, and frees them. Context: acting as that thread, which is dead. */
export function repairOwnLocks(): void {
  const own = nameOfThread(current());
  for (let index = LOCKS; index > 0; index--) {
    if (ownerOf(lockAt(index - 1)) == own) repair(index - 1);
  }
  settleHand();
  for (let index = LOCKS; index > 0; index--) {
    if (ownerOf(lockAt(index - 1)) == own) release(lockAt(index - 1));
  }
}

function repair(index: u32): void {
  if (index == 0) repairRegistry();
  else if (index < MAP_INDEX) repairSpace(FILES + (index - FIRST_SPACE) * FILE_BYTES);
  else if (index == MAP_INDEX) {
    repairMappings();
    changetype<Thread>(current()).sweeps = 1;
  } else if (index < QUEUE_INDEX) repairContext(FILES + (index - FIRST_TABLE) * FILE_BYTES);
  else if (index == QUEUE_INDEX) repairQueue();
  else if (index < NODES_INDEX) repairClass(index - FIRST_CLASS);
  else if (index == NODES_INDEX) repairNodes();
  else repairPages();
}

function repairSpace(file: usize): void {
  repairArena(file);
  const space = changetype<Space>(spaceOf(file));
  if (space.changing == 0) return;
  poison(file);
  space.changing = 0; // afterwards: who dies between poisons once more
}

function repairContext(file: usize): void {
  repairTable(file);
  repairSpares(file);
  changetype<Thread>(current()).suspect = <u32>file;
}

/**
 * A destroy that had not begun is given up before its table's lock is free: afterwards the object may go, and the slot in hand be
 * another's.
 */
function settleHand(): void {
  const hand = changetype<Thread>(current()).hand;
  const slot: usize = hand & ~HAND_FLAGS;
  if (slot == 0 || (hand & HAND_MEMORY) != 0) return;
  const file = fileOfSlot(slot);
  if (ownerOf(tableLockOf(file)) != nameOfThread(current())) return;
  const entry = xaEntry(file, changetype<Slot>(slot).id);
  const phase = phaseOf(load64(entry));
  if (slotOf(entry) == slot && phase != PHASE_FREE && phase != PHASE_RESERVED) clearHand();
}

/** A slot in hand may not have left the class yet, or be back; a chunk in hand is the class'. */
function repairClass(number: u32): void {
  const thread = changetype<Thread>(current());
  if (thread.handClass == number && (thread.handMemory & MEMORY_FLAGS) == MEMORY_CHUNK) {
    const chunk = thread.handMemory & ~MEMORY_FLAGS;
    if (isChunkOf(number, chunk)) clearHandMemory();
    else addChunk(number, chunk);
  }
  if (thread.handClass == number && thread.hand != 0 && isNextFree(number, thread.hand & ~HAND_FLAGS)) {
    const slot = thread.hand & ~HAND_FLAGS;
    clearHand();
    notTaken(number, slot);
  }
  if (number == HOLD_LIST_CLASS && thread.handList != 0 && isNextFree(number, thread.handList & ~HAND_FLAGS)) {
    const list = thread.handList & ~HAND_FLAGS;
    thread.handList = 0;
    notTaken(number, list);
  }
}

function isChunkOf(number: u32, chunk: u32): bool {
  const slab = changetype<SlabClass>(CLASSES + number * CLASS_BYTES);
  return slab.bumpEnd == chunk + slab.chunkBytes;
}

/** A node in hand may not have left the pool yet, or be back. */
function repairNodes(): void {
  const memory = changetype<Thread>(current()).handMemory;
  const kind = memory & MEMORY_FLAGS;
  if (kind == 0 || kind == MEMORY_CHUNK) return;
  if (isNextNode(kind - 1, memory & ~MEMORY_FLAGS)) clearHandMemory();
}

/** Takes every lock. Context: none is held. Return: 0, or the address of one that a living thread does not let go of; none is taken then. */
export function lockAll(): usize {
  store32(current() + offsetof<Thread>("collecting"), 1);
  for (let index: u32 = 0; index < LOCKS; index++) {
    if (tryLock(lockAt(index), LOOKS)) continue;
    const seen = load32(lockAt(index));
    const blocked = blockedBy(lockAt(index), seen != 0 ? seen : u32.MAX_VALUE); // free by now: to be looked at again
    while (index > 0) release(lockAt(--index));
    store32(current() + offsetof<Thread>("collecting"), 0);
    return blocked;
  }
  changetype<Thread>(current()).reaping = 1;
  return 0;
}

/** Frees all of them, and wakes everybody: a thread may have been woken by an unlock and died before it took the lock. */
export function unlockAll(): void {
  changetype<Thread>(current()).reaping = 0;
  for (let index = LOCKS; index > 0; index--) {
    if (DEBUG_BUILD) assertInvariant(ownerOf(lockAt(index - 1)) == nameOfThread(current()));
    release(lockAt(index - 1));
  }
  store32(current() + offsetof<Thread>("collecting"), 0);
}

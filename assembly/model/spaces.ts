// SPDX-License-Identifier: GPL-2.0-only
/**
 * What models and tests of IO address spaces call: a command with its struct made on the way, the trees of an address space by
 * themselves, and a look at a tree that asks whether all that its nodes say is true.
 *
 * A set is a tree of ranges of an IOAS, by number: 0 its areas, 1 what is reserved, 2 what is allowed. Ranges that are added here stand
 * for nothing, so areas are for the commands.
 */
import { arenaReserve, lockSpace, spaceOf, unlockSpace } from "../core/arena";
import { treeErase, treeFit, treeInsert, treeMeets, treeNodesNeeded, treeSeek } from "../core/interval_tree";
import { ioctlWindow } from "../core/ioctl";
import { keeperOf } from "../core/keeper";
import * as at from "../core/memory-map";
import { clearRanges } from "../core/io_pagetable";
import { PHASE_LIVE, phaseOf } from "../core/refcount";
import { current } from "../core/thread";
import { slotOf, xaLoad } from "../core/xarray";

export const THREAD_RANGE_FIRST: u32 = offsetof<at.Thread>("rangeFirst");
export const THREAD_RANGE_LAST: u32 = offsetof<at.Thread>("rangeLast");
export const THREAD_CURSOR: u32 = offsetof<at.Thread>("cursor");
export const KEEPERS: u32 = <u32>at.KEEPERS;
export const KEEPER_BYTES: u32 = offsetof<at.Keeper>();
export const MAX_KEEPERS: u32 = at.MAX_KEEPERS;
export const FIRST_QUEUE_FD: u32 = at.FIRST_QUEUE_FD;
export const KEEPER_TYPE: u32 = offsetof<at.Keeper>("type");
export const TYPE_FAULT: u32 = at.TYPE_FAULT;
export const TYPE_IOAS: u32 = at.TYPE_IOAS;
export const TYPE_ACCESS: u32 = at.TYPE_ACCESS;
export const KEEPER_MASK: u32 = at.KEEPER_MASK;
export const KEEPER_MAKING: u32 = at.KEEPER_MAKING;
export const KEEPER_NAME_SHIFT: u32 = at.KEEPER_NAME_SHIFT;
export const ACCESS_IOAS: u32 = offsetof<at.Access>("ioas");
export const ACCESS_PIN_COUNT: u32 = offsetof<at.Access>("pins");
export const IOAS_ACCESSES: u32 = offsetof<at.Ioas>("accesses");
export const IOAS_PINNERS: u32 = offsetof<at.Ioas>("pinners");
export const MAX_TREE_ENTRIES: u32 = at.TREE_ENTRIES;
export const THREAD_COPY_WAITED: u32 = offsetof<at.Thread>("copyWaited");

/** Address of the lock of the file's address spaces. */
export function spaceLock(file: usize): usize {
  return spaceOf(file);
}

/** Chunks of memory that the file's address spaces have taken. */
export function chunksOf(file: usize): u32 {
  let count: u32 = 0;
  for (let chunk: usize = changetype<at.Space>(spaceOf(file)).chunks; chunk != 0; count++) {
    chunk = changetype<at.ArenaChunk>(chunk).link;
  }
  return count;
}

/** The command of that number, whose struct of `size` bytes is three words, then three long words. Return: what it answers. */
export function spaceIoctl(
  file: usize,
  expected: u32,
  nr: u32,
  size: u32,
  a: u32,
  b: u32,
  c: u32,
  d: u64,
  e: u64,
  f: u64,
): i32 {
  const window = current() + at.THREAD_WINDOW;
  store<u32>(window, size);
  store<u32>(window, a, 4);
  store<u32>(window, b, 8);
  store<u32>(window, c, 12);
  store<u64>(window, d, 16);
  store<u64>(window, e, 24);
  store<u64>(window, f, 32);
  return ioctlWindow(file, expected, at.IOMMUFD_TYPE | nr, size, 0);
}

/** Address of the Ioas of a published object; 0 when the ID has none. */
export function ioasAt(file: usize, id: u32): usize {
  const entry = xaLoad(file, id);
  return phaseOf(load<u64>(entry)) == PHASE_LIVE ? slotOf(entry) + at.SLOT_PAYLOAD : 0;
}

/** ID of the access that the row keeps, 0 when it keeps none. */
export function accessIdAt(number: u32): u32 {
  const row = keeperOf(number, at.TYPE_ACCESS);
  return row == 0 ? 0 : changetype<at.Keeper>(row).id;
}

/** Its serial. */
export function accessSerialAt(number: u32): f64 {
  return <f64>changetype<at.Keeper>(keeperOf(number, at.TYPE_ACCESS)).serial;
}

/** Address of a set's tree. */
export function treeOf(ioas: usize, set: u32): usize {
  return ioas + set * sizeof<u64>();
}

/** Return: 0; 1 when it meets a range of the set, 2 when there is no memory. */
export function addRange(file: usize, tree: usize, first: u64, last: u64): u32 {
  lockSpace(file);
  let result: u32 = 0;
  if (treeMeets(tree, first, last)) result = 1;
  else if (!arenaReserve(file, treeNodesNeeded(tree))) result = 2;
  else treeInsert(file, tree, first, last, tree);
  unlockSpace(file);
  return result;
}

/** Removes the range that contains `key`. Return: whether there is one. */
export function removeRange(file: usize, tree: usize, key: u64): bool {
  lockSpace(file);
  const found = treeMeets(tree, key, key);
  if (found) treeErase(file, tree, key);
  unlockSpace(file);
  return found;
}

/** The first range that ends at `key` or above, to THREAD_RANGE_*. Return: whether there is one. */
export function seekRange(file: usize, tree: usize, key: u64): bool {
  lockSpace(file);
  const found = treeSeek(tree, key) != 0;
  unlockSpace(file);
  return found;
}

/** treeFit of two sets; the place to THREAD_CURSOR. */
export function fitRange(
  file: usize,
  areas: usize,
  reserved: usize,
  start: u64,
  last: u64,
  length: u64,
  quantum: u64,
  offset: u64,
): bool {
  lockSpace(file);
  const found = treeFit(areas, reserved, start, last, length, quantum, offset);
  unlockSpace(file);
  return found;
}

export function clearSet(file: usize, tree: usize): void {
  clearRanges(file, tree);
}

/** Return: number of the tree's ranges; -1 when a node says what is not true of those below it. Context: nobody changes the tree. */
export function lookAtTree(tree: usize): i32 {
  const set = changetype<at.Tree>(tree);
  if (set.root == 0) return set.levels == 0 ? 0 : -1;
  return set.levels == 0 ? -1 : lookAtNode(set.root, set.levels);
}

function lookAtNode(node: usize, level: u32): i32 {
  const count = changetype<at.TreeNode>(node).count;
  if (count == 0 || count > at.TREE_ENTRIES) return -1;
  let ranges: i32 = 0;
  for (let index: u32 = 0; index < count; index++) {
    const first = load<u64>(node + index * 8, at.NODE_FIRST);
    const last = load<u64>(node + index * 8, at.NODE_LAST);
    const gap = load<u64>(node + index * 8, at.NODE_GAP);
    const value: usize = load<u32>(node + index * 4, at.NODE_VALUE);
    if (first > last || value == 0) return -1;
    if (index > 0 && load<u64>(node + (index - 1) * 8, at.NODE_LAST) >= first) return -1;
    if (level == 1) {
      if (gap != 0) return -1;
      ranges++;
      continue;
    }
    const below = lookAtNode(value, level - 1);
    if (below < 0) return -1;
    const childCount = changetype<at.TreeNode>(value).count;
    if (load<u64>(value, at.NODE_FIRST) != first) return -1;
    if (load<u64>(value + (childCount - 1) * 8, at.NODE_LAST) != last) return -1;
    if (largestGap(value) != gap) return -1;
    ranges += below;
  }
  return ranges;
}

/** Of a node whose entries are right. */
function largestGap(node: usize): u64 {
  let largest: u64 = 0;
  for (let index: u32 = 0; index < changetype<at.TreeNode>(node).count; index++) {
    largest = max(largest, load<u64>(node + index * 8, at.NODE_GAP));
    if (index == 0) continue;
    const before = load<u64>(node + (index - 1) * 8, at.NODE_LAST);
    largest = max(largest, load<u64>(node + index * 8, at.NODE_FIRST) - before - 1);
  }
  return largest;
}

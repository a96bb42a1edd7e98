// SPDX-License-Identifier: GPL-2.0-only
/**
 * Sets of 64-bit ranges that do not overlap: B+trees that know their gaps.
 *
 *     node:  ranges   [first … last] [first … last] …      in ascending order, at most TREE_ENTRIES
 *            gap      the largest gap between two neighbours inside the range: of a leaf's entry 0
 *            value    leaf: what the range stands for; else: the node that has what lies in it
 *
 * `last` is inclusive, so that a set can reach the end of the space. An inner node's entry says of the node below it where its
 * first range begins, where its last one ends, and its largest inner gap; so lookup, insertion, removal, the first range behind a
 * value and the first gap that is large enough all go down one path: O(log n), with a small logarithm, and few cache lines.
 *
 * A node that was filled is split in two; one that has become small is united with a neighbour if both fit with room to spare, so
 * that a map and an unmap at a border do not split and unite for ever. Splits take nodes that the caller has reserved.
 *
 * Functions take the address of a Tree. Context of all: the lock that protects the tree is held. Recursion goes as deep as the tree
 * has levels, at most 8 for all that fits into a memory.
 *
 * Kernel counterpart: lib/interval_tree.c, drivers/iommu/iommufd/double_span.h.
 */
import { arenaGive, arenaTake } from "./arena";
import { DEBUG_BUILD, assertInvariant } from "./config";
import {
  ARENA_NODE,
  NODE_FIRST,
  NODE_GAP,
  NODE_LAST,
  NODE_VALUE,
  TREE_ENTRIES,
  Thread,
  Tree,
  TreeNode,
} from "./memory-map";
import { current } from "./thread";

/** A node with fewer entries looks for a neighbour to unite with … */
const FEW: u32 = TREE_ENTRIES / 4;
/** … and together they must have no more. */
const UNITED: u32 = (TREE_ENTRIES / 4) * 3;

// @ts-ignore: a decorator on a function
@inline function countOf(node: usize): u32 {
  return changetype<TreeNode>(node).count;
}
// @ts-ignore: a decorator on a function
@inline function firstAt(node: usize, at: u32): u64 {
  return load<u64>(node + at * 8, NODE_FIRST);
}
// @ts-ignore: a decorator on a function
@inline function lastAt(node: usize, at: u32): u64 {
  return load<u64>(node + at * 8, NODE_LAST);
}
// @ts-ignore: a decorator on a function
@inline function gapAt(node: usize, at: u32): u64 {
  return load<u64>(node + at * 8, NODE_GAP);
}
// @ts-ignore: a decorator on a function
@inline function valueAt(node: usize, at: u32): usize {
  return load<u32>(node + at * 4, NODE_VALUE);
}

/** Nodes that one insertion may take. */
// @ts-ignore: a decorator on a function
@inline export function treeNodesNeeded(tree: usize): u32 {
  return changetype<Tree>(tree).levels + 1;
}

// @ts-ignore: a decorator on a function
@inline export function treeIsEmpty(tree: usize): bool {
  return changetype<Tree>(tree).root == 0;
}

/**
 * Return: index of the node's first entry that ends at `key` or above; the count when there is none.
 *
 * Counts those before it: nothing for the processor to predict, and no load that waits for another one, as halving has.
 */
function lowerBound(node: usize, key: u64): u32 {
  const count = countOf(node);
  let low: u32 = 0;
  for (let at: u32 = 0; at < count; at++) low += u32(lastAt(node, at) < key);
  return low;
}

/** Return: the value of the first range that ends at `key` or above, its bounds in rangeFirst and rangeLast; 0 when there is none. */
export function treeSeek(tree: usize, key: u64): usize {
  let node: usize = changetype<Tree>(tree).root;
  if (node == 0) return 0;
  let level = changetype<Tree>(tree).levels;
  while (true) {
    const at = lowerBound(node, key);
    if (at == countOf(node)) return 0;
    if (level == 1) {
      const thread = changetype<Thread>(current());
      thread.rangeFirst = firstAt(node, at);
      thread.rangeLast = lastAt(node, at);
      return valueAt(node, at);
    }
    node = valueAt(node, at);
    level--;
  }
}

/** Whether a range of the tree meets [first, last]. Leaves its bounds in rangeFirst and rangeLast. */
export function treeMeets(tree: usize, first: u64, last: u64): bool {
  return treeSeek(tree, first) != 0 && changetype<Thread>(current()).rangeFirst <= last;
}

// ---------------------------------------------------------------------------------------------------- insertion

/** Adds a range that meets none of the tree's. `value` is not 0. Context: treeNodesNeeded nodes are reserved. */
export function treeInsert(file: usize, tree: usize, first: u64, last: u64, value: usize): void {
  const set = changetype<Tree>(tree);
  if (set.root == 0) {
    set.root = <u32>arenaTake(file, ARENA_NODE);
    set.levels = 1;
  }
  const root: usize = set.root;
  const noted = insertBelow(file, root, set.levels, first, last, value);
  if (noted == 0 || noted == root) return;
  const top = arenaTake(file, ARENA_NODE);
  changetype<TreeNode>(top).count = 2;
  setEntry(top, 0, firstAt(root, 0), lastOf(root), gapOf(root), root);
  setEntry(top, 1, firstAt(noted, 0), lastOf(noted), gapOf(noted), noted);
  set.root = <u32>top;
  set.levels++;
}

/**
 * Return: what the node's parent must take note of: the node, when it may have to be described in other words; its new right neighbour,
 * when it was split as well; else 0.
 */
function insertBelow(file: usize, node: usize, level: u32, first: u64, last: u64, value: usize): usize {
  const at = lowerBound(node, first);
  if (level == 1) return insertAt(file, node, at, first, last, 0, value);
  const below = min(at, countOf(node) - 1);
  const child = valueAt(node, below);
  const noted = insertBelow(file, child, level - 1, first, last, value);
  if (noted == 0) return 0;
  const isOther = describe(node, below, child);
  if (noted == child) return isOther ? node : 0;
  return insertAt(file, node, below + 1, firstAt(noted, 0), lastOf(noted), gapOf(noted), noted);
}

/** Return: the node, or its new right neighbour. */
function insertAt(file: usize, node: usize, at: u32, first: u64, last: u64, gap: u64, value: usize): usize {
  const count = countOf(node);
  if (DEBUG_BUILD) {
    assertInvariant(at == 0 || lastAt(node, at - 1) < first);
    assertInvariant(at == count || last < firstAt(node, at));
  }
  if (count < TREE_ENTRIES) {
    moveEntries(node, at + 1, node, at, count - at);
    setEntry(node, at, first, last, gap, value);
    changetype<TreeNode>(node).count = count + 1;
    return node;
  }
  const sibling = arenaTake(file, ARENA_NODE);
  // Ranges that are added in ascending order leave full nodes behind.
  const kept = at == count ? count : count >> 1;
  moveEntries(sibling, 0, node, kept, count - kept);
  changetype<TreeNode>(sibling).count = count - kept;
  changetype<TreeNode>(node).count = kept;
  if (at > kept || at == count) insertAt(file, sibling, at - kept, first, last, gap, value);
  else insertAt(file, node, at, first, last, gap, value);
  return sibling;
}

function setEntry(node: usize, at: u32, first: u64, last: u64, gap: u64, value: usize): void {
  store<u64>(node + at * 8, first, NODE_FIRST);
  store<u64>(node + at * 8, last, NODE_LAST);
  store<u64>(node + at * 8, gap, NODE_GAP);
  store<u32>(node + at * 4, <u32>value, NODE_VALUE);
}

/** Entries of another node, or of the same one: in an order that reads each before it is overwritten. A few: less than a call costs. */
function moveEntries(to: usize, toAt: u32, from: usize, fromAt: u32, count: u32): void {
  if (toAt < fromAt) for (let at: u32 = 0; at < count; at++) moveEntry(to, toAt + at, from, fromAt + at);
  else while (count-- != 0) moveEntry(to, toAt + count, from, fromAt + count);
}

// @ts-ignore: a decorator on a function
@inline function moveEntry(to: usize, toAt: u32, from: usize, fromAt: u32): void {
  setEntry(to, toAt, firstAt(from, fromAt), lastAt(from, fromAt), gapAt(from, fromAt), valueAt(from, fromAt));
}

// @ts-ignore: a decorator on a function
@inline function lastOf(node: usize): u64 {
  return lastAt(node, countOf(node) - 1);
}

/** Return: the largest gap between two ranges below the node. */
function gapOf(node: usize): u64 {
  const count = countOf(node);
  let largest = gapAt(node, 0);
  for (let at: u32 = 1; at < count; at++) {
    largest = max(largest, max(gapAt(node, at), firstAt(node, at) - lastAt(node, at - 1) - 1));
  }
  return largest;
}

/** Writes into the parent's entry what its node is now. Context: the node is not empty. Return: whether it was something else. */
function describe(parent: usize, at: u32, node: usize): bool {
  const first = firstAt(node, 0);
  const last = lastOf(node);
  const gap = gapOf(node);
  if (firstAt(parent, at) == first && lastAt(parent, at) == last && gapAt(parent, at) == gap) return false;
  setEntry(parent, at, first, last, gap, node);
  return true;
}

// ---------------------------------------------------------------------------------------------------- removal

/** Removes the range that contains `key`. Context: there is one. */
export function treeErase(file: usize, tree: usize, key: u64): void {
  const set = changetype<Tree>(tree);
  eraseBelow(file, set.root, set.levels, key);
  while (set.levels > 1 && countOf(set.root) == 1) {
    const root: usize = set.root;
    set.root = <u32>valueAt(root, 0);
    set.levels--;
    arenaGive(file, ARENA_NODE, root);
  }
  if (countOf(set.root) != 0) return;
  arenaGive(file, ARENA_NODE, set.root);
  set.root = 0;
  set.levels = 0;
}

/** Return: whether the node's parent must take note: of its entries, their number, or both. */
function eraseBelow(file: usize, node: usize, level: u32, key: u64): bool {
  const at = lowerBound(node, key);
  if (level == 1) {
    if (DEBUG_BUILD) assertInvariant(at < countOf(node) && firstAt(node, at) <= key);
    removeAt(node, at);
    return true;
  }
  const child = valueAt(node, at);
  if (!eraseBelow(file, child, level - 1, key)) return false;
  if (countOf(child) == 0) {
    arenaGive(file, ARENA_NODE, child);
    removeAt(node, at);
    return true;
  }
  const isOther = describe(node, at, child);
  if (countOf(child) > FEW) return isOther;
  return (at + 1 < countOf(node) && unite(file, node, at)) || (at > 0 && unite(file, node, at - 1)) || isOther;
}

function removeAt(node: usize, at: u32): void {
  const count = countOf(node) - 1;
  moveEntries(node, at, node, at + 1, count - at);
  changetype<TreeNode>(node).count = count;
}

/** Unites the nodes of the parent's entry `at` and of the next one. Return: false when they have too much. */
function unite(file: usize, parent: usize, at: u32): bool {
  const left = valueAt(parent, at);
  const right = valueAt(parent, at + 1);
  const count = countOf(left);
  if (count + countOf(right) > UNITED) return false;
  moveEntries(left, count, right, 0, countOf(right));
  changetype<TreeNode>(left).count = count + countOf(right);
  arenaGive(file, ARENA_NODE, right);
  removeAt(parent, at + 1);
  describe(parent, at, left);
  return true;
}

/** Gives all nodes back, and what their values stand for is forgotten. Context: the tree is small, or nobody waits for the lock. */
export function treeClear(file: usize, tree: usize): void {
  const set = changetype<Tree>(tree);
  if (set.root != 0) clearBelow(file, set.root, set.levels);
  set.root = 0;
  set.levels = 0;
}

function clearBelow(file: usize, node: usize, level: u32): void {
  if (level > 1) for (let at: u32 = 0; at < countOf(node); at++) clearBelow(file, valueAt(node, at), level - 1);
  arenaGive(file, ARENA_NODE, node);
}

// ---------------------------------------------------------------------------------------------------- first fit

/**
 * How an automatic IOVA is fitted into a hole: rounded up to `quantum`, with the offset in its page or-ed in.
 *
 * Return: whether `length` bytes fit into [start, last]; then the address is in cursor. A hole of one byte never fits. (semantics.md 2.3)
 */
export function fit(start: u64, last: u64, length: u64, quantum: u64, offset: u64): bool {
  const aligned = (start + quantum - 1) & ~(quantum - 1);
  if (aligned < start) return false;
  const address = aligned | offset;
  if (address >= last || last - address < length - 1) return false;
  changetype<Thread>(current()).cursor = address;
  return true;
}

/** What a step of treeFit came to. */
const FOUND: u32 = 0;
const PASSED: u32 = 1;
const BEHIND: u32 = 2;

/**
 * The first place for `length` bytes in [start, last] that meets neither a range of `areas` nor one of `reserved`.
 *
 * Goes down only where a gap is large enough. Return: whether there is one; its address in cursor.
 */
export function treeFit(
  areas: usize,
  reserved: usize,
  start: u64,
  last: u64,
  length: u64,
  quantum: u64,
  offset: u64,
): bool {
  const set = changetype<Tree>(areas);
  const thread = changetype<Thread>(current());
  thread.cursor = start;
  if (set.root != 0) {
    const step = fitBelow(reserved, set.root, set.levels, last, length, quantum, offset);
    if (step != PASSED) return step == FOUND;
  }
  return fitBetween(reserved, thread.cursor, last, length, quantum, offset);
}

/** Looks at the holes from cursor on, as far as the node's last range; cursor is behind it then. */
function fitBelow(reserved: usize, node: usize, level: u32, last: u64, length: u64, quantum: u64, offset: u64): u32 {
  const thread = changetype<Thread>(current());
  const count = countOf(node);
  for (let at = lowerBound(node, thread.cursor); at < count; at++) {
    const from = thread.cursor;
    const first = firstAt(node, at);
    if (first > from) {
      const end = min(first - 1, last);
      if (end - from >= length - 1 && fitBetween(reserved, from, end, length, quantum, offset)) return FOUND;
      thread.cursor = first;
    }
    if (first > last) return BEHIND;
    if (level > 1 && gapAt(node, at) >= length) {
      const step = fitBelow(reserved, valueAt(node, at), level - 1, last, length, quantum, offset);
      if (step != PASSED) return step;
    }
    if (lastAt(node, at) >= last) return BEHIND;
    thread.cursor = lastAt(node, at) + 1;
  }
  return PASSED;
}

/** The first fit in [start, last], where no area is, outside of what is reserved. */
function fitBetween(reserved: usize, start: u64, last: u64, length: u64, quantum: u64, offset: u64): bool {
  const thread = changetype<Thread>(current());
  while (treeMeets(reserved, start, last)) {
    const reservedLast = thread.rangeLast;
    if (thread.rangeFirst > start && fit(start, thread.rangeFirst - 1, length, quantum, offset)) return true;
    if (reservedLast >= last) return false;
    start = reservedLast + 1;
  }
  return fit(start, last, length, quantum, offset);
}

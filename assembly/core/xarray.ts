// SPDX-License-Identifier: GPL-2.0-only
/**
 * The ID table of one context: a radix tree of three levels over the IDs 1, 2, 3 …
 *
 *   root ──► inner[id >> 14] ──► leaf[(id >> 8) & 63] ──► entry[id & 255]
 *                                  ▲
 *   file ──────────────────────────┘ the first leaves
 *
 * - Lookup takes three dependent loads whatever the number of objects, one for the IDs of the first leaves, and no lock. The loads
 *   are relaxed: an address is written once, 0 → node, after the node was emptied, so either value is a good answer, and what is
 *   read through it depends on it. While the file is open, nodes are
 *   added but never moved or freed. A lookup that races with the release may follow addresses into nodes that were freed
 *   or belong to another file by now; that reads no other memory, because a page that was a node of one kind stays one
 *   (the pool below) and a free node is empty. What it found is then given up (object.ts).
 * - Allocation takes the lowest free ID. Bitmaps say which IDs are taken, which leaves and which inner nodes are full;
 *   the hint says where to start. All of this is under the context's lock.
 * - A node is one page (a root as many as Identity.rootPages) and exists once an ID below it was used: a table costs per
 *   entry, 16 bytes and a share of bitmap, not per range of IDs.
 *
 * Vocabulary as in the kernel: reserve stores a zero entry (the ID is taken, lookups see nothing), erase frees the ID.
 *
 * Kernel counterpart: lib/xarray.c with XA_FLAGS_ALLOC1.
 */
import { fillRelaxed, load32, load64, loadRelaxed32, store32 } from "./atomics";
import { DEBUG_BUILD, assertInvariant } from "./config";
import { EBUSY, ENOMEM } from "../errno";
import { mayFail } from "./faults";
import {
  CACHE_LINE,
  Context,
  Entry,
  FAULT_ID,
  FAULT_MEMORY,
  FILE_CONTEXT,
  FIRST_LEAVES,
  File,
  IDENTITY,
  INNER_FULL,
  INNER_IDS_SHIFT,
  INNER_LEAVES,
  INNER_TAKEN,
  Identity,
  LEAF_ENTRIES,
  LEAF_SHIFT,
  LEAF_TAKEN_BYTES,
  NODES,
  NODE_INNER,
  NODE_LEAF,
  NODE_ROOT,
  NULL_BYTES,
  NodePool,
  PAGE_SHIFT,
} from "./memory-map";
import { RANK_NODES, lock, unlock } from "./mutex";
import { allocKernel } from "./page-alloc";
import { clearHandMemory, setHandMemory } from "./thread";
import { PHASE_FREE, phaseOf } from "./refcount";

const ALL: u64 = u64.MAX_VALUE;

// @ts-ignore: a decorator on a function
@inline export function tableLockOf(file: usize): usize {
  return file + FILE_CONTEXT + offsetof<Context>("lock");
}
// @ts-ignore: a decorator on a function
@inline export function slotOf(entry: usize): usize {
  return changetype<Entry>(entry).slot;
}

/**
 * Return: address of the ID's entry; where there is no such node one that reads as free: an entry of the null page, to which null
 * pointers lead. Good as long as the file cannot be released.
 */
// @ts-ignore: a decorator on a function
@inline
export function xaLoad(file: usize, id: u32): usize {
  const number = id >> LEAF_SHIFT;
  const leaf: usize = number < FIRST_LEAVES ? <usize>loadRelaxed32(firstLeaf(file, number)) : leafOf(file, id);
  return leaf + (id & (LEAF_ENTRIES - 1)) * offsetof<Entry>();
}

/** Address of the word of the file that names the leaf. */
// @ts-ignore: a decorator on a function
@inline function firstLeaf(file: usize, number: u32): usize {
  return file + offsetof<File>("leaf") + number * 4;
}

// @ts-ignore: a decorator on a function
@inline function leafOf(file: usize, id: u32): usize {
  const slot = id >> INNER_IDS_SHIFT;
  if (slot >= changetype<Identity>(IDENTITY).rootSlots) return 0;
  const root: usize = loadRelaxed32(file + offsetof<File>("root"));
  const inner: usize = loadRelaxed32(root + slot * 4);
  return loadRelaxed32(inner + ((id >> LEAF_SHIFT) & (INNER_LEAVES - 1)) * 4);
}

/** xaLoad for calls that are not hot. */
export function xaEntry(file: usize, id: u32): usize {
  return xaLoad(file, id);
}

/**
 * Finds the lowest free ID, whose entry may have to be made yet (xaMakeEntry). Takes nothing.
 *
 * Context: context lock held. Return: the ID, or -EBUSY (no ID within the limit), -ENOMEM.
 */
// @ts-ignore: a decorator on a function
@inline
export function xaFindFree(file: usize): i64 {
  const identity = changetype<Identity>(IDENTITY);
  const root: usize = loadRelaxed32(file + offsetof<File>("root"));
  const hint = changetype<Context>(file + FILE_CONTEXT).freeHint;
  let id: u64 = root == 0 ? 1 : nextInWord(root, hint);
  if (id == 0) id = findFreeFrom(root, hint);
  if (id > identity.idLimit) return -EBUSY;
  if (mayFail(FAULT_ID)) return -EBUSY;
  return id >= (<u64>identity.rootSlots) << INNER_IDS_SHIFT ? -ENOMEM : id;
}

/**
 * The entry of a free ID, with all nodes that lead to it, and named by the file if it can name the leaf.
 *
 * Context: context lock held; takes the page lock. Return: its address, or 0: memory is short.
 */
// @ts-ignore: a decorator on a function
@inline export function xaMakeEntry(file: usize, id: u32): usize {
  const entry = xaLoad(file, id);
  if (entry >= NULL_BYTES) return entry;
  return makeNodes(file, id) ? xaEntry(file, id) : 0;
}

/** The root's bitmap of full inner nodes follows its addresses, 8-aligned. */
// @ts-ignore: a decorator on a function
@inline function rootFull(root: usize): usize {
  return root + ((changetype<Identity>(IDENTITY).rootSlots * 4 + 7) & ~7);
}

/** The usual case of findFreeFrom: there is a free ID in the bitmap's word of `from`. Return: 0 when there is none. */
// @ts-ignore: a decorator on a function
@inline function nextInWord(root: usize, from: u32): u64 {
  const slot = from >> INNER_IDS_SHIFT;
  if (slot >= changetype<Identity>(IDENTITY).rootSlots) return 0;
  const inner: usize = loadRelaxed32(root + slot * 4);
  if (inner == 0) return 0;
  const free = ~load<u64>(takenWord(inner, from)) >> (from & 63);
  return free == 0 ? 0 : from + ctz(free);
}

/** Address of the word of an inner node's bitmaps that has the ID's bit. */
// @ts-ignore: a decorator on a function
@inline function takenWord(inner: usize, id: u32): usize {
  return inner + INNER_TAKEN + ((id >> 6) & (INNER_LEAVES * (LEAF_ENTRIES / 64) - 1)) * 8;
}

/** Return: the lowest free ID at or above `from`; all below are taken. May lie beyond the root's range. */
function findFreeFrom(root: usize, from: u32): u64 {
  const slots = changetype<Identity>(IDENTITY).rootSlots;
  let slot = from >> INNER_IDS_SHIFT;
  // Inner nodes that are full, 64 at a time.
  let word = load<u64>(rootFull(root) + (slot >> 6) * 8) | (((<u64>1) << (slot & 63)) - 1);
  slot &= ~63;
  while (word == ALL) {
    slot += 64;
    if (slot >= slots) return (<u64>slots) << INNER_IDS_SHIFT;
    word = load<u64>(rootFull(root) + (slot >> 6) * 8);
  }
  slot += <u32>ctz(~word);
  const first = (<u64>slot) << INNER_IDS_SHIFT;
  if (slot >= slots) return first;
  const inner: usize = load32(root + slot * 4);
  if (inner == 0) return max(first, 1);
  const leaf = <u32>ctz(~load<u64>(inner + INNER_FULL));
  let taken = inner + INNER_TAKEN + leaf * LEAF_TAKEN_BYTES;
  let bit: u32 = 0;
  while (load<u64>(taken) == ALL) {
    taken += 8;
    bit += 64;
  }
  return first + (leaf << LEAF_SHIFT) + bit + <u32>ctz(~load<u64>(taken));
}

/** Adds the nodes that lead to `id`, from above; an empty one that was added before memory ran out serves the next. Context: context lock held. Return: false when memory is short. */
function makeNodes(file: usize, id: u32): bool {
  const root = childAt(file + offsetof<File>("root"), NODE_ROOT, file);
  if (root == 0) return false;
  const inner = childAt(root + (id >> INNER_IDS_SHIFT) * 4, NODE_INNER, file);
  if (inner == 0) return false;
  if (id < LEAF_ENTRIES) store<u64>(inner + INNER_TAKEN, load<u64>(inner + INNER_TAKEN) | 1); // ID 0 is never handed out
  const leaf = childAt(inner + ((id >> LEAF_SHIFT) & (INNER_LEAVES - 1)) * 4, NODE_LEAF, file);
  nameFirstLeaf(file, id >> LEAF_SHIFT, leaf);
  return leaf != 0;
}

/** If it is one of the first leaves and the file does not name it yet. */
function nameFirstLeaf(file: usize, number: u32, leaf: usize): void {
  if (number < FIRST_LEAVES && load32(firstLeaf(file, number)) != <u32>leaf) {
    store32(firstLeaf(file, number), <u32>leaf);
  }
}

/** The node that the word `at` names, made if there is none; 0 when memory is short. Context: context lock held. */
function childAt(at: usize, kind: u32, file: usize): usize {
  let node: usize = load32(at);
  if (node != 0) return node;
  node = allocNode(kind, file);
  if (node == 0) return 0;
  store32(at, <u32>node);
  clearHandMemory();
  return node;
}

/** Context.freeHint and taken, in one store. */
// @ts-ignore: a decorator on a function
@inline function setCounts(file: usize, freeHint: u32, taken: u32): void {
  store<u64>(file + FILE_CONTEXT + offsetof<Context>("freeHint"), ((<u64>taken) << 32) | freeHint);
}

/** Marks `id` as taken. Context: context lock held; the ID came from xaFindFree in the same section. */
// @ts-ignore: a decorator on a function
@inline export function xaTake(file: usize, id: u32): void {
  const root: usize = loadRelaxed32(file + offsetof<File>("root"));
  const inner: usize = loadRelaxed32(root + (id >> INNER_IDS_SHIFT) * 4);
  const word = takenWord(inner, id);
  const bits = load<u64>(word);
  assertInvariant((bits & ((<u64>1) << (id & 63))) == 0);
  const now = bits | ((<u64>1) << (id & 63));
  store<u64>(word, now);
  setCounts(file, id + 1, changetype<Context>(file + FILE_CONTEXT).taken + 1);
  if (now == ALL) markFull(root, inner, id);
}

/** A word of bitmap is full: its leaf may be, and then its inner node. Context: as xaTake. */
function markFull(root: usize, inner: usize, id: u32): void {
  const slot = id >> INNER_IDS_SHIFT;
  const leaf = (id >> LEAF_SHIFT) & (INNER_LEAVES - 1);
  const taken = inner + INNER_TAKEN + leaf * LEAF_TAKEN_BYTES;
  if ((load<u64>(taken) & load<u64>(taken, 8) & load<u64>(taken, 16) & load<u64>(taken, 24)) != ALL) return;
  const full = load<u64>(inner + INNER_FULL) | ((<u64>1) << leaf);
  store<u64>(inner + INNER_FULL, full);
  if (full != ALL) return;
  const rootWord = rootFull(root) + (slot >> 6) * 8;
  store<u64>(rootWord, load<u64>(rootWord) | ((<u64>1) << (slot & 63)));
}

/** Gives the ID back. Context: context lock held; the caller has just set the entry's word to FREE. */
export function xaErase(file: usize, id: u32): void {
  xaEraseNow(file, id);
}

/** The same without a call, for the hottest section. */
// @ts-ignore: a decorator on a function
@inline export function xaEraseNow(file: usize, id: u32): void {
  if (DEBUG_BUILD) assertInvariant(phaseOf(load64(xaLoad(file, id))) == PHASE_FREE);
  const root: usize = loadRelaxed32(file + offsetof<File>("root"));
  const slot = id >> INNER_IDS_SHIFT;
  const inner: usize = loadRelaxed32(root + slot * 4);
  const leaf = (id >> LEAF_SHIFT) & (INNER_LEAVES - 1);
  const word = takenWord(inner, id);
  const bits = load<u64>(word);
  assertInvariant((bits & ((<u64>1) << (id & 63))) != 0);
  store<u64>(word, bits & ~((<u64>1) << (id & 63)));
  const full = load<u64>(inner + INNER_FULL);
  if ((full & ((<u64>1) << leaf)) != 0) {
    store<u64>(inner + INNER_FULL, full & ~((<u64>1) << leaf));
    const rootWord = rootFull(root) + (slot >> 6) * 8;
    store<u64>(rootWord, load<u64>(rootWord) & ~((<u64>1) << (slot & 63)));
  }
  const context = changetype<Context>(file + FILE_CONTEXT);
  setCounts(file, min(id, context.freeHint), context.taken - 1);
}

/**
 * xa_for_each over everything that is not free, reservations included.
 *
 * Context: context lock held, or the caller releases the file. Return: the lowest such ID at or above `from`, 0 at the end.
 */
export function xaNext(file: usize, from: u32): u32 {
  const root: usize = load32(file + offsetof<File>("root"));
  if (root == 0) return 0;
  const slots = changetype<Identity>(IDENTITY).rootSlots;
  let slot = from >> INNER_IDS_SHIFT;
  let leaf = (from >> LEAF_SHIFT) & (INNER_LEAVES - 1);
  let index = from & (LEAF_ENTRIES - 1);
  for (; slot < slots; slot++) {
    const inner: usize = load32(root + slot * 4);
    for (; inner != 0 && leaf < INNER_LEAVES; leaf++) {
      const entries: usize = load32(inner + leaf * 4);
      for (; entries != 0 && index < LEAF_ENTRIES; index++) {
        if (phaseOf(load64(entries + index * offsetof<Entry>())) != PHASE_FREE) {
          return (slot << INNER_IDS_SHIFT) | (leaf << LEAF_SHIFT) | index;
        }
      }
      index = 0;
    }
    leaf = 0;
    index = 0;
  }
  return 0;
}

/**
 * Frees all nodes, from below, each in hand while it is on its way: if the thread dies, whoever takes the release up calls this again.
 *
 * Context: the caller releases the file; nothing in the table is LIVE.
 */
export function xaDestroy(file: usize): void {
  const rootAt = file + offsetof<File>("root");
  const root: usize = load32(rootAt);
  if (root == 0) return;
  for (let number: u32 = 0; number < FIRST_LEAVES; number++) store32(firstLeaf(file, number), 0);
  for (let slot: u32 = 0; slot < changetype<Identity>(IDENTITY).rootSlots; slot++) {
    const innerAt = root + slot * 4;
    const inner: usize = load32(innerAt);
    if (inner == 0) continue;
    for (let leaf: u32 = 0; leaf < INNER_LEAVES; leaf++) freeChild(inner + leaf * 4, NODE_LEAF, file);
    freeChild(innerAt, NODE_INNER, file);
  }
  freeChild(rootAt, NODE_ROOT, file);
}

function freeChild(at: usize, kind: u32, file: usize): void {
  const node: usize = load32(at);
  if (node == 0) return;
  setHandMemory(node | (kind + 1), file);
  store32(at, 0);
  freeNode(kind, node);
}

/** Whether the table of `file` has the node. */
export function xaContains(file: usize, node: usize): bool {
  const root: usize = load32(file + offsetof<File>("root"));
  if (root == node) return true;
  for (let slot: u32 = 0; root != 0 && slot < changetype<Identity>(IDENTITY).rootSlots; slot++) {
    const inner: usize = load32(root + slot * 4);
    if (inner == node) return true;
    for (let leaf: u32 = 0; inner != 0 && leaf < INNER_LEAVES; leaf++) {
      if (load32(inner + leaf * 4) == <u32>node) return true;
    }
  }
  return false;
}

/**
 * Makes bitmaps and counts what the entries say: an ID is taken while its phase is not FREE.
 *
 * Context: the context lock is held by the thread that the caller acts as, which died with it.
 */
export function repairTable(file: usize): void {
  const root: usize = load32(file + offsetof<File>("root"));
  const context = changetype<Context>(file + FILE_CONTEXT);
  context.freeHint = 1;
  context.taken = 0;
  for (let slot: u32 = 0; root != 0 && slot < changetype<Identity>(IDENTITY).rootSlots; slot++) {
    const inner: usize = load32(root + slot * 4);
    if (inner == 0) continue;
    let full: u64 = 0;
    for (let leaf: u32 = 0; leaf < INNER_LEAVES; leaf++) {
      if (repairLeaf(context, inner, leaf, slot == 0 && leaf == 0)) full |= (<u64>1) << leaf;
    }
    store<u64>(inner + INNER_FULL, full);
    const word = rootFull(root) + (slot >> 6) * 8;
    const bit = (<u64>1) << (slot & 63);
    store<u64>(word, full == ALL ? load<u64>(word) | bit : load<u64>(word) & ~bit);
  }
}

/** Return: whether all IDs of the leaf are taken. */
function repairLeaf(context: Context, inner: usize, leaf: u32, hasIdZero: bool): bool {
  const entries: usize = load32(inner + leaf * 4);
  let full = true;
  for (let part: u32 = 0; part < LEAF_ENTRIES; part += 64) {
    let bits: u64 = hasIdZero && part == 0 ? 1 : 0;
    for (let bit: u32 = 0; entries != 0 && bit < 64; bit++) {
      if (phaseOf(load64(entries + (part + bit) * offsetof<Entry>())) == PHASE_FREE) continue;
      bits |= (<u64>1) << bit;
      context.taken++;
    }
    store<u64>(inner + INNER_TAKEN + leaf * LEAF_TAKEN_BYTES + part / 8, bits);
    if (bits != ALL) full = false;
  }
  return full;
}

// ---------------------------------------------------------------------------------------------------- node pool

// @ts-ignore: a decorator on a function
@inline function pagesOf(kind: u32): u32 {
  return kind == NODE_ROOT ? changetype<Identity>(IDENTITY).rootPages : 1;
}
/** The last word of a node: in no kind of node is it an address or a state word. */
// @ts-ignore: a decorator on a function
@inline function linkOf(kind: u32, node: usize): usize {
  return node + (pagesOf(kind) << PAGE_SHIFT) - 4;
}

// @ts-ignore: a decorator on a function
@inline function headOf(kind: u32): usize {
  return NODES + offsetof<NodePool>("free") + kind * 4;
}

/** Context: takes the pool's and the page lock. Return: an empty node, which is in hand for `file`; or 0 (ENOMEM). */
function allocNode(kind: u32, file: usize): usize {
  if (mayFail(FAULT_MEMORY)) return 0;
  lock(NODES, RANK_NODES);
  const node: usize = load<u32>(headOf(kind));
  if (node != 0) {
    setHandMemory(node | (kind + 1), file);
    store<u32>(headOf(kind), load<u32>(linkOf(kind, node)));
    store<u32>(linkOf(kind, node), 0);
  }
  unlock(NODES, RANK_NODES);
  return node != 0 ? node : allocKernel(pagesOf(kind) << PAGE_SHIFT, CACHE_LINE, kind + 1, file);
}

/** Empties a node and keeps it for the next table. Context: the node is in hand, and no table has it. */
export function freeNode(kind: u32, node: usize): void {
  fillRelaxed(node, pagesOf(kind) << PAGE_SHIFT);
  lock(NODES, RANK_NODES);
  store<u32>(linkOf(kind, node), load<u32>(headOf(kind)));
  store<u32>(headOf(kind), <u32>node);
  clearHandMemory();
  unlock(NODES, RANK_NODES);
}

/** Whether the node is the pool's next. Context: the pool's lock is held by the thread that had the node in hand. */
export function isNextNode(kind: u32, node: usize): bool {
  return load<u32>(headOf(kind)) == <u32>node;
}

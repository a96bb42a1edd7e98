// SPDX-License-Identifier: GPL-2.0-only
/**
 * The memory of a file's IO address spaces: nodes of trees, areas and pages objects.
 *
 * A file takes chunks of memory as it needs them, cuts them, keeps what is freed in lists of its own, and gives all chunks back
 * when it is released. So no map or unmap takes a lock besides the space's, and the end of a file costs per chunk, whatever
 * state its trees are in: a file whose address spaces cannot be trusted any more (poison) leaks nothing.
 *
 * What a call may need is asked for before it changes anything (`arenaReserve`); taking it then cannot fail.
 *
 * Context of everything here but arenaFree: the space's lock is held.
 *
 * Kernel counterpart: kzalloc() of struct iopt_area, iopt_pages and interval_tree_node.
 */
import { fill, modelAlloc, modelFree } from "./atomics";
import { DEBUG_BUILD, MODEL_BUILD, assertInvariant } from "./config";
import { mayFail } from "./faults";
import {
  ARENA_AREA,
  ARENA_NODE,
  ARENA_PAGES,
  ARENA_CHUNK_BYTES,
  Area,
  ArenaChunk,
  FAULT_MEMORY,
  FILES,
  FILE_BYTES,
  HAND_FLAGS,
  HAND_MEMORY,
  IDENTITY,
  Identity,
  NODE_BYTES,
  PagesObject,
  Pin,
  SPACES,
  SPACE_BYTES,
  Space,
  Thread,
  TreeNode,
} from "./memory-map";
import { RANK_SPACE, lock, unlock } from "./mutex";
import { ARENA_CLASS } from "./registry";
import { slabAlloc, slabFree } from "./slab";
import { clearHand, current, hand, setHand } from "./thread";

export function spaceOf(file: usize): usize {
  return SPACES + ((file - FILES) / FILE_BYTES) * SPACE_BYTES;
}

/** For a section that changes trees, areas or the arena: who dies inside leaves them in between. */
export function lockSpace(file: usize): void {
  lookAtSpace(file);
  changetype<Space>(spaceOf(file)).changing = 1;
}

/** For a section that only reads them, or changes single words. */
export function lookAtSpace(file: usize): void {
  lock(spaceOf(file) + offsetof<Space>("lock"), RANK_SPACE);
}

/** The end of either. */
export function unlockSpace(file: usize): void {
  changetype<Space>(spaceOf(file)).changing = 0;
  unlock(spaceOf(file) + offsetof<Space>("lock"), RANK_SPACE);
}

function bytesOf(kind: u32): u32 {
  if (kind == ARENA_NODE) return NODE_BYTES;
  if (kind == ARENA_AREA) return offsetof<Area>();
  return kind == ARENA_PAGES ? offsetof<PagesObject>() : offsetof<Pin>();
}
/** Where a free piece of the kind keeps its link. */
function linkIn(kind: u32): u32 {
  return kind == ARENA_NODE || kind == ARENA_PAGES ? 4 : 0;
}
function freeList(space: usize, kind: u32): usize {
  return space + offsetof<Space>("freeNodes") + kind * 4;
}

/**
 * Makes sure that `nodes` nodes, an area, a pin, and a pages object or a range of pinned pages can be taken. All but the last come from
 * the rest of the newest chunk if the lists have none.
 *
 * Return: false is ENOMEM, and nothing has changed that anybody sees.
 */
export function arenaReserve(file: usize, nodes: u32): bool {
  const space = changetype<Space>(spaceOf(file));
  const bytes = nodes * NODE_BYTES + offsetof<Area>() + offsetof<Pin>();
  if (mayFail(FAULT_MEMORY)) return false;
  if (space.bumpEnd - space.bump < bytes) {
    const chunk = addChunk(space, 0);
    if (chunk == 0) return false;
    keepRest(space);
    space.bump = <u32>chunk + offsetof<ArenaChunk>();
    space.bumpEnd = <u32>chunk + ARENA_CHUNK_BYTES;
    if (DEBUG_BUILD) assertInvariant(space.bumpEnd - space.bump >= bytes);
  }
  if (space.freePages != 0 || space.pagesEnd - space.pagesBump >= offsetof<PagesObject>()) return true;
  const chunk = addChunk(space, 1);
  if (chunk == 0) return false;
  space.pagesBump = <u32>chunk + offsetof<ArenaChunk>();
  space.pagesEnd = <u32>chunk + ARENA_CHUNK_BYTES;
  return true;
}

/** Return: a fresh chunk, in the file's list; or 0. */
function addChunk(space: Space, hasPages: u32): usize {
  const chunk = slabAlloc(ARENA_CLASS, hand());
  if (chunk == 0) return 0;
  changetype<ArenaChunk>(chunk).link = space.chunks;
  changetype<ArenaChunk>(chunk).hasPages = hasPages;
  space.chunks = <u32>chunk;
  clearHand();
  if (MODEL_BUILD && hasPages == 0)
    modelFree(chunk + offsetof<ArenaChunk>(), ARENA_CHUNK_BYTES - offsetof<ArenaChunk>());
  return chunk;
}

/** What is left of the newest chunk goes to the lists, as areas. */
function keepRest(space: Space): void {
  while (space.bumpEnd - space.bump >= offsetof<Area>()) {
    if (MODEL_BUILD) modelAlloc(space.bump, offsetof<Area>());
    store<u32>(space.bump, space.freeAreas);
    space.freeAreas = space.bump;
    if (MODEL_BUILD) modelFree(space.bump, offsetof<Area>());
    space.bump += offsetof<Area>();
  }
}

/** Context: reserved. Return: a piece, zeroed. */
export function arenaTake(file: usize, kind: u32): usize {
  const space = spaceOf(file);
  const list = freeList(space, kind);
  const bytes = bytesOf(kind);
  let piece: usize = load<u32>(list);
  if (piece != 0) {
    if (MODEL_BUILD && kind != ARENA_PAGES) modelAlloc(piece, bytes);
    store<u32>(list, load<u32>(piece + linkIn(kind)));
    // A node's arrays are read no further than its count. By words: memory.fill costs more than so few of them.
    const cleared: u32 = kind == ARENA_NODE ? <u32>offsetof<TreeNode>() : bytes;
    for (let at: u32 = 0; at < cleared; at += 8) store<u64>(piece + at, 0);
    return piece;
  }
  const bump = space + (kind == ARENA_PAGES ? offsetof<Space>("pagesBump") : offsetof<Space>("bump"));
  piece = load<u32>(bump);
  store<u32>(bump, <u32>piece + bytes);
  if (MODEL_BUILD && kind != ARENA_PAGES) modelAlloc(piece, bytes);
  return piece; // fresh from the heap, hence zero
}

/** Context: a pages object, or a range, has no user. */
export function arenaGive(file: usize, kind: u32, piece: usize): void {
  const list = freeList(spaceOf(file), kind);
  store<u32>(piece + linkIn(kind), load<u32>(list));
  store<u32>(list, <u32>piece);
  if (MODEL_BUILD && kind != ARENA_PAGES) modelFree(piece, bytesOf(kind)); // all pages objects are looked at together
}

/**
 * All of it goes back. A chunk is in the list or in the thread's hand; a list that makes no sense ends there.
 *
 * Context: the caller releases the file, and none of its objects is left.
 */
export function arenaFree(file: usize): void {
  const space = changetype<Space>(spaceOf(file));
  const identity = changetype<Identity>(IDENTITY);
  lookAtSpace(file); // whoever goes on frees the rest
  while (space.chunks >= identity.heap && space.chunks < identity.bytes && (space.chunks & 7) == 0) {
    const chunk: usize = space.chunks;
    setHand(chunk | HAND_MEMORY, ARENA_CLASS);
    space.chunks = changetype<ArenaChunk>(chunk).link;
    if (MODEL_BUILD) modelAlloc(chunk, ARENA_CHUNK_BYTES);
    slabFree(ARENA_CLASS, chunk, hand());
  }
  fill(spaceOf(file) + offsetof<Space>("chunks"), 0, SPACE_BYTES - offsetof<Space>("chunks"));
  unlockSpace(file);
}

/**
 * A chunk in hand may be in the file's list, too: it has just arrived, or was about to leave.
 *
 * Context: the space's lock is held by the thread that the caller acts as, which died with it.
 */
export function repairArena(file: usize): void {
  const slot = changetype<Thread>(current()).hand & ~HAND_FLAGS;
  if (slot != 0 && slot == changetype<Space>(spaceOf(file)).chunks) clearHand();
}

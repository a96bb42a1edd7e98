// SPDX-License-Identifier: GPL-2.0-only
/**
 * The memory map of IO address spaces: part of memory-map.ts, which re-exports it.
 *
 *     Space ─────► chunks of memory, which are cut into nodes, areas and pages objects
 *     IOAS object ─► Ioas: three trees
 *                     areas ───► TreeNode … ──► Area ──► PagesObject ──► a process' memory, or a memfd
 *                     reserved ► TreeNode …
 *                     allowed ─► TreeNode …
 */
import { MODEL_BUILD } from "./config";
import { CACHE_LINE, MAX_FILES } from "./units";

/**
 * What the IO address spaces of a file share: one lock, and the memory of their trees, areas and pages objects (arena.ts). Wiped when
 * the file's release is over.
 */
@unmanaged
export class Space {
  /** The kernel's iova_rwsem of all of the file's IOASes, and the mutex of their pages objects. Everything below is under it. */
  lock: u32;
  /** The newest chunk, linked through ArenaChunk.link. */
  chunks: u32;
  /** Never used part of the newest chunk of nodes and areas, and of the newest one of pages objects. */
  bump: u32;
  bumpEnd: u32;
  pagesBump: u32;
  pagesEnd: u32;
  /** Heads of the free lists, by ARENA_*. */
  freeNodes: u32;
  freeAreas: u32;
  freePages: u32;
  freePins: u32;
  /** Memlock accounting of the context: ACCOUNT_*. */
  accountMode: u16;
  /** 1: whoever has the lock changes what is under it, and leaves it in between if it dies. */
  changing: u16;
  /** The address space that the VFIO requests use: its ID, 0 for none, and its serial, so that no later object of the ID is meant. */
  compatId: u32;
  compatSerialLow: u32;
  compatSerialHigh: u32;
  /** The process whose memory was mapped first, and its user then: held for all pages objects that have the same. */
  sourceProcess: u32;
  sourceUser: u32;
}
/** All of Space, which fills it. */
export const SPACE_BYTES: u32 = CACHE_LINE;

export const ACCOUNT_USER: u32 = 0;
export const ACCOUNT_MM: u32 = 1;
export const ACCOUNT_NONE: u32 = 2;

// What an arena is cut into.
export const ARENA_NODE: u32 = 0;
export const ARENA_AREA: u32 = 1;
export const ARENA_PAGES: u32 = 2;
/** A Pin. */
export const ARENA_PIN: u32 = 3;

/** Bytes of a chunk: more than the nodes that one call may need. */
export const ARENA_CHUNK_BYTES: u32 = MODEL_BUILD ? 2048 : 16384;

/** Head of a chunk of an arena; pieces follow. */
@unmanaged
export class ArenaChunk {
  link: u32;
  /** 1: pages objects, one behind the other; 0: nodes and areas. */
  hasPages: u32;
}

/** A set of ranges that do not overlap: a B+tree (interval_tree.ts). All zero is the empty one. */
@unmanaged
export class Tree {
  root: u32;
  /** Levels of nodes; 1: the root is a leaf. */
  levels: u32;
}

/** Entries of a tree's node at most. */
export const TREE_ENTRIES: u32 = MODEL_BUILD ? 4 : 16;

/** A tree's node: a count, then four arrays. Free: `link` is the next free one. */
@unmanaged
export class TreeNode {
  count: u32;
  link: u32;
}
/** u64 each: first value of the range, or of the ranges below; */
export const NODE_FIRST: u32 = offsetof<TreeNode>();
/** last value, inclusive; */
export const NODE_LAST: u32 = NODE_FIRST + TREE_ENTRIES * 8;
/** the largest gap between two ranges below, 0 in a leaf; */
export const NODE_GAP: u32 = NODE_LAST + TREE_ENTRIES * 8;
/** u32: what the range stands for, or the node below. */
export const NODE_VALUE: u32 = NODE_GAP + TREE_ENTRIES * 8;
export const NODE_BYTES: u32 = (NODE_VALUE + TREE_ENTRIES * 4 + 7) & ~7;

/** struct iopt_area: a range of IOVAs that shows a slice of a pages object. Its bounds stand in the tree. */
@unmanaged
export class Area {
  /** The pages object; 0: the area is in transition. Free: the next free one. */
  pages: u32;
  /** AREA_*. */
  flags: u32;
  /** Bytes from the start of the pages object's first page. */
  offset: u64;
  /** Pins of accesses that meet the area. */
  accesses: u32;
  /** An UNMAP waits for pins or copies to go: no new ones then. */
  preventAccess: u32;
  /** Pins that begin in the area, linked. */
  pins: u32;
  reserved: u32;
}
/** The values are IOMMU_IOAS_MAP_*'s. */
export const AREA_WRITE: u32 = 2;
export const AREA_READ: u32 = 4;

/** struct iopt_pages: memory that areas show, whoever's it is. */
@unmanaged
export class PagesObject {
  /** Areas that show it; 0 when it is free. */
  users: u32;
  /** PAGES_*. Free: the next free one. */
  flags: u32;
  /** Where it begins in its source, rounded down to a page: an address of the process, or an offset in the file. */
  start: u64;
  /** Number of pages. */
  pages: u64;
  /** The process whose memory it is, and who pays for pins; and the user that it had then. */
  process: u32;
  user: u32;
  /** The memfd whose pages they are, 0 for memory of the process. */
  memfd: u32;
  /** Pages that are pinned, by whatever number of accesses. */
  pinned: u32;
  /** Tree of PinnedRanges, by page number. */
  ranges: u32;
  rangesLevels: u32;
}

/**
 * Pages of a pages object that are pinned as one. It is a piece of the same kind, so that the end of a file finds what it keeps, too.
 */
@unmanaged
export class PinnedRange {
  /** 1; 0 when it is free. */
  users: u32;
  /** PAGES_IS_RANGE. Free: the next free one. */
  flags: u32;
  /** Pins that it is in. */
  count: u32;
  /** The mapping whose pages they are, kept by keepPin; 0 for a memfd's. */
  mapping: u32;
  /** Where the first byte lies: an address, or for memory outside of the shared one an offset in it. */
  address: u32;
  /** That memory's number, 0 for none. */
  external: u32;
}

/** One range that an access has pinned, as often as `count` says. */
@unmanaged
export class Pin {
  /** The next one that begins in the same area. Free: the next free one. */
  link: u32;
  /** The access: its payload. */
  access: u32;
  iova: u64;
  length: u64;
  count: u32;
  pad: u32;
}

/** Payload of an IOMMUFD_OBJ_ACCESS. Under the space's lock. */
@unmanaged
export class Access {
  /** The Ioas that it is attached to, 0 for none. Its object has a user for that: the access' first hold. */
  ioas: u32;
  /** ACCESS_*. */
  flags: u32;
  /** Pins of its own. */
  pins: u32;
  /** 1: its driver is asked to let go of everything, because it leaves its address space. No new pins or copies then. */
  leaving: u32;
}
/** It pins pages, so its address space is mapped in whole pages. */
export const ACCESS_PINS: u32 = 1;
/** The first map asked for WRITEABLE. */
export const PAGES_WRITABLE: u32 = 1;
/** It holds its process and user itself: they are not the space's. */
export const PAGES_HOLDS_SOURCE: u32 = 2;
/** It is no pages object but a PinnedRange. */
export const PAGES_IS_RANGE: u32 = 16;
/** Whom pins are charged to: ACCOUNT_* from this bit on. */
export const PAGES_ACCOUNT_SHIFT: u32 = 2;

/** Payload of an IOMMUFD_OBJ_IOAS. A fresh one is all zero. All of it is under the space's lock. */
@unmanaged
export class Ioas {
  /** Tree of areas. */
  areas: u32;
  areasLevels: u32;
  /** Tree of the IOVAs that some reservation covers; and the reservations themselves. */
  reserved: u32;
  reservedLevels: u32;
  /** Tree of the ranges from which IOVAs are picked; empty: from all. */
  allowed: u32;
  allowedLevels: u32;
  /** Reservations, linked; each is of an owner. */
  reservations: u32;
  /** 1: large pages are off. */
  smallPages: u32;
  /** Areas. */
  areaCount: u32;
  /** Accesses that are attached, and those of them that pin. */
  accesses: u32;
  pinners: u32;
}

/** Owners outside of the ID table: open files of fault queues, and drivers with an access (keeper.ts). */
export const MAX_KEEPERS: u32 = MODEL_BUILD ? 4 : 1024;


@unmanaged
export class KeeperState {
  /** No row at or above this one was ever used. */
  limit: u32;
}

/** Somebody who has a user of an object and keeps the context's file from being released. */
@unmanaged
export class Keeper {
  /** 0: free; else the context's file | a thread's name << KEEPER_NAME_SHIFT | KEEPER_*. */
  state: u32;
  /** TYPE_* of the object. */
  type: u32;
  /** Its serial, and its ID; that is 0 as long as the rest is not right. */
  serial: u64;
  id: u32;
  /**
   * Its payload, from before the user is kept until it is dropped, or given to a destroy that waits; else 0. In the end it changes with the
   * object's state word, in one change (change.ts).
   */
  payload: u32;
  /** Which owner of its slot the thread is that made the row. */
  incarnation: u32;
  /** KEEPER_MAKING: handle of the destroy that has the user, and waits. */
  wait: u32;
}
/** The thread makes the row, or ends it. */
export const KEEPER_MAKING: u32 = 1;
/** The owner is there. An access' is the thread; a file's is nobody in particular, and the name 0. */
export const KEEPER_OPEN: u32 = 2;
export const KEEPER_MASK: u32 = 3;
/** The file's address lies between the two others. */
export const KEEPER_NAME_SHIFT: u32 = 24;
export const KEEPER_FILE: u32 = (1 << KEEPER_NAME_SHIFT) - 1 - KEEPER_MASK;

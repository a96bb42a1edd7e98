// SPDX-License-Identifier: GPL-2.0-only
/**
 * The memory map: where everything lives, declared once.
 *
 *      0 ┌──────────────────────────┐
 *        │ the null page            │ NULL_BYTES that are always zero
 *        ├──────────────────────────┤ IDENTITY
 *        │ Identity … Counters      │ one page: sizes, global locks, counters; a line each
 *        ├──────────────────────────┤ THREADS
 *        │ Thread × MAX_THREADS + 1 │ one slot per attached thread: marks, hold records, buffers
 *        ├──────────────────────────┤ FILES
 *        │ File × MAX_FILES         │ struct file + struct iommufd_ctx
 *        ├──────────────────────────┤ SPACES
 *        │ Space × MAX_FILES        │ what a file's IO address spaces share
 *        ├──────────────────────────┤ TYPES, CLASSES, COMMANDS
 *        │ registries               │ object types, slab classes, ioctl table
 *        ├──────────────────────────┤ PROCESSES, USERS, MEMFDS, MAPPINGS, MAPPING_ORDER, KEEPERS
 *        │ user space               │ processes and their users, memfds, mappings, files of fault queues
 *        ├──────────────────────────┤ FRAMES
 *        │ one byte per heap page   │ what the page is used for; user pages: their protection
 *        ├──────────────────────────┤ Identity.heap (page aligned)
 *        │ heap pages of 4 KiB      │ user pages from below; table and slab pages from above
 *        └──────────────────────────┘ header.heapEnd
 *
 * Rules:
 * - nothing but this file holds a byte offset; the classes below are never instantiated, they only name fields for
 *   `offsetof`, and all addresses up to FRAMES are compile-time constants;
 * - words that different threads write at a high rate do not share a 64-byte line: each thread slot, each file's
 *   `state`/`root` (read by every call, written at open and close) and each lock has lines of its own;
 * - the TypeScript side gets its constants from layout.ts, which re-exports the ones below.
 *
 * A free heap page is all zero: whoever frees one has wiped it.
 */

import { MODEL_BUILD } from "./config";
import { MAX_KEEPERS, Keeper, SPACE_BYTES } from "./space-map";
import { MAX_THREADS, THREAD_BYTES } from "./thread-map";
import { CACHE_LINE, MAX_FILES, PAGE_SIZE } from "./units";
import { MAX_MAPPINGS, MAX_MEMFDS, MAX_PROCESSES, MAX_USERS, Mapping, Memfd, PROCESS_BYTES, User } from "./user-map";

export * from "./space-map";
export * from "./thread-map";
export * from "./units";
export * from "./user-map";

/** "iofd" in memory order. */
export const MAGIC: u32 = 0x64666f69;
/** Raised with every change of this map or of the meaning of a word in it. */
export const ABI_VERSION: u32 = 4;

/**
 * The null page: nothing is ever written below this address. A null pointer between nodes of an ID table (xarray.ts) leads here and
 * reads as an empty node, so a lookup need not look for one; hence as large as the largest root, of a memory of 2 GiB.
 */
export const NULL_BYTES: u32 = 4 * PAGE_SIZE;

export const PROFILE_RFC: u32 = 0;
export const PROFILE_MAINLINE: u32 = 1;

// ---------------------------------------------------------------------------------------------------- Header

/** Who this memory is. Written once, `magic` last; immutable afterwards. */
@unmanaged
export class Identity {
  magic: u32;
  abiVersion: u32;
  /** PROFILE_*: which kernel's rules apply. */
  profile: u32;
  /** Size of the whole memory. */
  bytes: u32;
  /** Highest ID that alloc may hand out (xa_limit). */
  idLimit: u32;
  /** mainline: one past the last ioctl number of the kernel release that is played; above it requests are VFIO's. */
  tableEnd: u32;
  /** Address of the first heap page, and their number. */
  heap: u32;
  heapPages: u32;
  /** Inner nodes that an ID table's root can name; sized so that the heap fills up first. */
  rootSlots: u32;
  /** Pages of a root node. */
  rootPages: u32;
}
export const IDENTITY: usize = NULL_BYTES;

/** The page allocator. `lock` protects the frame bytes and the rest; it is the innermost lock. */
@unmanaged
export class PageState {
  lock: u32;
  /** No page below this index is free … */
  low: u32;
  /** … and none at or above this one. */
  high: u32;
  used: u32;
  /** What is left of the extent that kernel memory is cut from, from its upper end. A new extent is one 64-bit store. */
  extentLow: u32;
  extentTop: u32;
  /** A run of pages that is being claimed, until whoever asked for it has noted it; a count of 0 is none. */
  claimFirst: u32;
  claimCount: u32;
}
export const PAGES: usize = IDENTITY + 1 * CACHE_LINE;

/** Free nodes of ID tables, by kind; linked through their last word. */
@unmanaged
export class NodePool {
  lock: u32;
  /** The first of NODE_KINDS list heads. */
  free: u32;
}
export const NODES: usize = IDENTITY + 6 * CACHE_LINE;
export const NODE_ROOT: u32 = 0;
export const NODE_INNER: u32 = 1;
export const NODE_LEAF: u32 = 2;

/**
 * Where the answers of waits go, which nobody reads.
 *
 * V8 11.3 (Node 20), in its baseline compiler, spills the address of a wait into a stack slot that is too small, and so wipes
 * what lies next to it: the function's last local, unless an operand of a surrounding instruction lies there. A store of
 * the answer is such an instruction; the check of the core's shape demands one behind every wait.
 */
export const SINK: usize = IDENTITY + 7 * CACHE_LINE;

/** What threads tell each other of their lives. */
@unmanaged
export class Life {
  /** Raised and notified when a thread has said how its death will be known. */
  announced: u32;
  /** Random: tells this memory from all others of the host. Written before anybody attaches. */
  nonceLow: u32;
  nonceHigh: u32;
}
export const LIFE: usize = IDENTITY + 8 * CACHE_LINE;

export const KEEPER_STATE: usize = IDENTITY + 9 * CACHE_LINE;

/** Definitions. `lock` protects types, slab classes and ioctl rows while they are made; readers need none. */
@unmanaged
export class Registry {
  lock: u32;
  typeCount: u32;
  classCount: u32;
  /** One past the highest number in the ioctl table. */
  commandLimit: u32;
}
export const REGISTRY: usize = IDENTITY + 2 * CACHE_LINE;

export const MAPS: usize = IDENTITY + 3 * CACHE_LINE;

/** Destroyed objects whose callback no thread could run yet, oldest first, linked through Slot.link. */
@unmanaged
export class Queue {
  lock: u32;
  head: u32;
  tail: u32;
  length: u32;
  /** How many were ever queued; changes are notified, so that a thread can wait for work. */
  queuedEver: u32;
}
export const QUEUE: usize = IDENTITY + 4 * CACHE_LINE;

/** Kinds of kernel warnings that are counted, in the order of WARNING_KINDS in bindings/warnings.ts. */
export const WARN_RELEASE_USERS: u32 = 0;
export const WARN_DEC_LEAK: u32 = 1;
export const WARN_SATURATED: u32 = 2;
export const WARN_HOLDERS_FULL: u32 = 3;
export const WARN_DETACH_HELD: u32 = 4;
export const WARN_UNMAP_PINNED: u32 = 5;


@unmanaged
export class Counters {
  /** Objects whose memory is never reused, because they still had users when their file was released. */
  leaked: u32;
  /** How often each WARN_* happened: the first of as many words. */
  warnings: u32;
}
export const COUNTERS: usize = IDENTITY + 5 * CACHE_LINE;

/** Fault injection (faults.ts): used by the build that has it, zero in all others. The page's last line. */
@unmanaged
export class Faults {
  /** 0: nothing fails. n: the n-th attempt from now on fails. */
  countdown: u32;
  /** Attempts so far that may fail. */
  attempts: u32;
  /** FAULT_* of the last one that was made to fail. */
  site: u32;
}
export const FAULTS_STATE: usize = IDENTITY + PAGE_SIZE - CACHE_LINE;

// What fails, and so with which error.
/** A slot, a node, a page, a hold record, a mapping's row: ENOMEM. */
export const FAULT_MEMORY: u32 = 1;
/** A copy from or to user memory, or a look at it: EFAULT. */
export const FAULT_COPY: u32 = 2;
/** A row of the file table: EMFILE. */
export const FAULT_FILE: u32 = 3;
/** A number for a type, or for its slab class: ENOSPC. */
export const FAULT_TYPE: u32 = 4;
/** An ID: EBUSY. */
export const FAULT_ID: u32 = 5;
/** A row for a process or for its user: EAGAIN. */
export const FAULT_PROCESS: u32 = 6;

// ---------------------------------------------------------------------------------------------------- File

/** Phases of File.state, its low bits; the rest is the generation, raised at every open. */
export const FILE_FREE: u32 = 0;
/** The number is valid. */
export const FILE_OPEN: u32 = 1;
/** The number was closed; references from fget remain. */
export const FILE_CLOSED: u32 = 2;
/** No reference is left; calls in flight may be. */
export const FILE_DRAINING: u32 = 3;
/** One thread tears the graph down. */
export const FILE_RELEASING: u32 = 4;
/** What a context expects that means the number, whatever file is open behind it. Never a state. */
export const FILE_BY_NUMBER: u32 = 6;
/** What a context expects that is closed. Never a state. */
export const FILE_NEVER: u32 = 7;
export const FILE_PHASE_MASK: u32 = 7;
/** Beside the phase: a thread died in the middle of a call, and what it left cannot be put in order. Every call is EIO. */
export const FILE_POISONED: u32 = 8;
export const FILE_GENERATION: u32 = 16;

/** An open file's first line: read by every call, written at open, at close and when the ID table gets its first nodes. */
@unmanaged
export class File {
  /** FILE_* | generation. */
  state: u32;
  /** Root node of the ID table, 0 before the first allocation. */
  root: u32;
  /** The table's first leaf, 0 before it exists; the other FIRST_LEAVES follow, so that lookup of a low ID skips two nodes. */
  leaf: u32;
}

/** Its second line: struct iommufd_ctx, written by allocations. At FILE_CONTEXT behind the first. */
@unmanaged
export class Context {
  /** No ID below this one is free. Changes with the next word, in one 64-bit store. */
  freeHint: u32;
  /** IDs that are not free. */
  taken: u32;
  // The release walk; owned by the thread that set FILE_RELEASING.
  /** 0 while it looks for holders; rfc: then the type that is being destroyed; mainline: then 1. */
  walkType: u32;
  walkId: u32;
  /** mainline: objects seen and destroyed in this pass. */
  walkSeen: u32;
  walkDestroyed: u32;
  /** The slot that the walk has taken out, or is about to take out, until it is freed. */
  walkSlot: u32;
  // Freed slots that are kept for the next allocation (spares.ts); protected by the lock.
  /** Their slab class. */
  spareClass: u32;
  /** The one freed last, 0 for none; the others follow by Slot.link. And how many they are; both change in one 64-bit store. */
  spare: u32;
  spareCount: u32;
  // What follows outlives the file: it is not wiped at the end of a release.
  /** Number + 1 of the thread that releases the file. */
  releaser: u32;
  /**
   * The xarray's lock: protects the ID table's bitmaps and counts, and every entry's removal. A reaper may hold it while another
   * thread releases the file (repair.ts).
   */
  lock: u32;
  /** Allocations so far, of all files of the row: the serial of the next object, which no earlier one had. */
  serial: u64;
}
export const FILE_CONTEXT: u32 = CACHE_LINE;
export const FILE_SHIFT: u32 = 7;
export const FILE_BYTES: u32 = 1 << FILE_SHIFT;

// ---------------------------------------------------------------------------------------------------- ID table

// Leaf: a page of entries. Inner: the leaves' addresses and bitmaps. Root: the inners' addresses and a bitmap.
export const LEAF_SHIFT: u32 = 8;
export const LEAF_ENTRIES: u32 = 1 << LEAF_SHIFT;
export const INNER_SHIFT: u32 = 6;
export const INNER_LEAVES: u32 = 1 << INNER_SHIFT;
/** IDs under one inner node. */
export const INNER_IDS_SHIFT: u32 = LEAF_SHIFT + INNER_SHIFT;

/** An ID's place in the table. The word is the whole truth about the object; see refcount.ts. */
@unmanaged
export class Entry {
  word: u64;
  /** The object's slot; valid while the phase is not FREE. */
  slot: u32;
  /** How many of the users were kept by putKeepUser and can be dropped by any thread. Changes while the word is frozen. */
  kept: u32;
}

// An inner node: the leaves' addresses, then
/** u64: bit l is set when leaf l has no free ID, and */
export const INNER_FULL: u32 = INNER_LEAVES * 4;
/** for each leaf LEAF_ENTRIES bits: set when the ID is taken. */
export const INNER_TAKEN: u32 = INNER_FULL + 8;
export const LEAF_TAKEN_BYTES: u32 = LEAF_ENTRIES / 8;
/** Leaves that the file names itself: as many as fit into its first line. */
export const FIRST_LEAVES: u32 = (CACHE_LINE - offsetof<File>("leaf")) / 4;

// ---------------------------------------------------------------------------------------------------- Slab

/** Classes: one for overflowing hold lists, and at most one per type. */
export const MAX_CLASSES: u32 = MODEL_BUILD ? 8 : 64;


@unmanaged
export class SlabClass {
  lock: u32;
  slotBytes: u32;
  /** Bytes that are taken from the heap at a time. */
  chunkBytes: u32;
  /** First free slot, linked through Slot.link. */
  free: u32;
  /** Never used part of the newest chunk. A new chunk is one 64-bit store. */
  bump: u32;
  bumpEnd: u32;
}
export const CLASS_BYTES: u32 = CACHE_LINE;

/** Head of an object's memory; the payload follows. */
@unmanaged
export class Slot {
  /** Counts the allocations of the file's row: the low half; the rest is in the next word. */
  serial: u32;
  /** Type | SLOT_CALLBACK_RAN | the file's distance from FILES | the serial's high bits (slot.ts). */
  owner: u32;
  /** Entries of the objects that this one holds a users reference on; more in the list. 0 is none. */
  hold0: u32;
  hold1: u32;
  /** Live: first HoldList. Free or queued: next slot. */
  link: u32;
  id: u32;
}
export const SLOT_PAYLOAD: u32 = offsetof<Slot>();
/** In Slot.owner. */
export const SLOT_TYPE_MASK: u32 = 0x3f;
export const SLOT_CALLBACK_RAN: u32 = 0x40;
export const SLOT_FILE_MASK: u32 = (MAX_FILES - 1) << FILE_SHIFT;
export const SLOT_SERIAL_SHIFT: u32 = 17;

/** Overflow of an object's holds; 0 is none. */
@unmanaged
export class HoldList {
  hold0: u32;
  hold1: u32;
  hold2: u32;
  hold3: u32;
  link: u32;
  hold4: u32;
  hold5: u32;
  hold6: u32;
}
/** Entries that one HoldList carries; `link` sits where Slot.link does, so lists are slab slots too. */
export const HOLD_LIST_ENTRIES: u32 = 7;

export const MAX_PAYLOAD: u32 = 1 << 20;

// ---------------------------------------------------------------------------------------------------- Registries

/** Types are numbered 1 … MAX_TYPES in the order of their definition; 0 is NONE = ANY. */
export const MAX_TYPES: u32 = 62;
export const NAME_BYTES: u32 = 48;
/** The type has a destroy callback, which only threads that defined it can run. */
export const TYPE_HAS_DESTROY: u32 = 1;
/** The core's IOAS: it has memory besides its slot. */
export const TYPE_IS_IOAS: u32 = 2;
/** The core's access: an address space may count it. */
export const TYPE_IS_ACCESS: u32 = 4;

/** mainline: the types that the core defines, by number; `enum iommufd_object_type` has other numbers, which no caller sees. */
export const TYPE_IOAS: u32 = 1;
export const TYPE_FAULT: u32 = 2;
export const TYPE_ACCESS: u32 = 3;


@unmanaged
export class ObjectType {
  payloadBytes: u32;
  flags: u32;
  slabClass: u32;
  nameBytes: u32;
}
export const TYPE_NAME: u32 = offsetof<ObjectType>();
export const TYPE_BYTES: u32 = TYPE_NAME + NAME_BYTES;

/** _IO(';', nr): the part of a request above its number. */
export const IOMMUFD_TYPE: u32 = 0x3b00;
export const COMMAND_BASE: u32 = 0x80;
export const MAX_COMMANDS: u32 = 0x80;
/** mainline: length of the newest table, 0x80 … 0x95; numbers outside go to the VFIO-compat handler. */
export const MAINLINE_COMMAND_LIMIT: u32 = 0x96;

export const HANDLER_NONE: u32 = 0;
export const HANDLER_DESTROY: u32 = 1;
/** Executed by the bindings of a thread that defined it. */
export const HANDLER_BINDINGS: u32 = 2;
/** Executed by the core: ioctl.ts knows by which function. */
export const HANDLER_CORE: u32 = 3;

/** One row of the ioctl table: struct iommufd_ioctl_op. Published by the atomic store of `handler`. */
@unmanaged
export class Command {
  handler: u32;
  request: u32;
  size: u32;
  minSize: u32;
  /** Digest of name and fields: the same number may be defined again with the same shape only. */
  shapeLow: u32;
  shapeHigh: u32;
}

// ---------------------------------------------------------------------------------------------------- Heap pages

/** Frame bytes. */
export const FRAME_FREE: u8 = 0;
/** Tables and slabs. */
export const FRAME_KERNEL: u8 = 1;
/** User page: the low bits are its PROT_*. */
export const FRAME_USER: u8 = 0x80;

// ---------------------------------------------------------------------------------------------------- Addresses

export const THREADS: usize = NULL_BYTES + PAGE_SIZE;
/** The slot of an instance that has detached: all zero, so that it has no record to take and none to find. */
export const NOBODY: usize = THREADS + MAX_THREADS * THREAD_BYTES;
export const FILES: usize = NOBODY + THREAD_BYTES;
export const SPACES: usize = FILES + MAX_FILES * FILE_BYTES;
export const TYPES: usize = SPACES + MAX_FILES * SPACE_BYTES;
export const CLASSES: usize = TYPES + (MAX_TYPES + 2) * TYPE_BYTES;
export const COMMANDS: usize = CLASSES + MAX_CLASSES * CLASS_BYTES;
export const PROCESSES: usize = (COMMANDS + MAX_COMMANDS * offsetof<Command>() + CACHE_LINE - 1) & ~(CACHE_LINE - 1);
/** The process of threads whose own ended while they were elsewhere: it has ended, too. */
export const NO_PROCESS: usize = PROCESSES + MAX_PROCESSES * PROCESS_BYTES;
export const USERS: usize = NO_PROCESS + PROCESS_BYTES;
export const MEMFDS: usize = (USERS + MAX_USERS * offsetof<User>() + 7) & ~7;
export const MAPPINGS: usize = MEMFDS + MAX_MEMFDS * offsetof<Memfd>();
/** u16 per mapping: row numbers in ascending order of their addresses. */
export const MAPPING_ORDER: usize = MAPPINGS + MAX_MAPPINGS * offsetof<Mapping>();
export const KEEPERS: usize = (MAPPING_ORDER + MAX_MAPPINGS * 2 + 7) & ~7;
export const FRAMES: usize = KEEPERS + MAX_KEEPERS * offsetof<Keeper>();

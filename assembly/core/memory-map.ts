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
 *        ├──────────────────────────┤ TYPES, CLASSES, COMMANDS, MAPPINGS, MAPPING_ORDER
 *        │ registries               │ object types, slab classes, ioctl table, user mappings
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

/** "iofd" in memory order. */
export const MAGIC: u32 = 0x64666f69;
/** Raised with every change of this map or of the meaning of a word in it. */
export const ABI_VERSION: u32 = 2;

export const PAGE_SHIFT: u32 = 12;
export const PAGE_SIZE: u32 = 1 << PAGE_SHIFT;
export const WASM_PAGE_SIZE: u32 = 65536;
export const CACHE_LINE: u32 = 64;

/**
 * The null page: nothing is ever written below this address. A null pointer between nodes of an ID table (xarray.ts) leads here and
 * reads as an empty node, so a lookup need not look for one; hence as large as the largest root, of a memory of 2 GiB.
 */
export const NULL_BYTES: u32 = 3 * PAGE_SIZE;

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

/** User mappings. `lock` (the kernel's mmap_lock) protects rows, their order and the protection of their pages. */
@unmanaged
export class MapState {
  lock: u32;
  count: u32;
}
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


@unmanaged
export class Counters {
  /** Objects whose memory is never reused, because they still had users when their file was released. */
  leaked: u32;
  /** How often each WARN_* happened: the first of as many words. */
  warnings: u32;
}
export const COUNTERS: usize = IDENTITY + 5 * CACHE_LINE;

// ---------------------------------------------------------------------------------------------------- Thread

export const MAX_THREADS: u32 = MODEL_BUILD ? 6 : 64;
/** Hold records of one thread: one more than the locks, reservations and waits that it can have at a time. */
export const MAX_RECORDS: u32 = MODEL_BUILD ? 8 : 1024;
export const MAX_FILES: u32 = MODEL_BUILD ? 4 : 1024;
export const MAX_THREAD_WARNINGS: u32 = MODEL_BUILD ? 8 : 256;
/** Largest ioctl struct, and size of the buffers that carry arguments. */
export const COMMAND_BYTES: u32 = MODEL_BUILD ? 256 : 4096;

export const THREAD_FREE: u32 = 0;
export const THREAD_ATTACHED: u32 = 1;
/** Known to be dead, and not reaped yet (reap.ts). */
export const THREAD_DEAD: u32 = 2;

/** Bits of Thread.attention: what the bindings must do before they return to their caller. */
export const ATTENTION_RELEASE: u32 = 1;
export const ATTENTION_WARNINGS: u32 = 2;


@unmanaged
export class Thread {
  /** THREAD_*; claimed by compare-and-swap. */
  state: u32;
  /** 1 when the host lets this thread block. */
  mayBlock: u32;
  /** ATTENTION_* of the call that just returned. */
  attention: u32;
  /** With ATTENTION_RELEASE: the file whose release this thread has won. */
  releasing: u32;
  /** Second result of the call that just returned: a handle, a slot, a size. */
  result0: u32;
  result1: u32;
  result2: u32;
  result3: u32;
  /** Bit t: this thread can run the destroy callback of type t. */
  boundTypes: u64;
  /** Bit n of the two words: this thread can execute ioctl number 0x80 + n. */
  boundCommandsLow: u64;
  boundCommandsHigh: u64;
  /** First and last record of the free list, which is never empty. */
  freeRecord: u32;
  lastFreeRecord: u32;
  /** Entries in the ring below, and those that found it full. */
  warningCount: u32;
  warningsLost: u32;
  /** Debug build: rank of the innermost lock that is held. */
  lockRank: u32;

  // What follows is evidence: what the thread is in the middle of, for the one who reaps it (reap.ts).
  /** A slot that has left a slab or a table and has not arrived anywhere, | HAND_*; and a hold list likewise. */
  hand: u32;
  handList: u32;
  /** Slab class of the slot in hand. */
  handClass: u32;
  /** Kernel memory that was cut, or a node that left its pool or table, | MEMORY_*; and the file it is for. */
  handMemory: u32;
  handFile: u32;
  /** The mapping that a copy works on; unmap waits for it. */
  pinned: u32;
  /** The row that map is filling, until its caller has the address. */
  mapping: u32;
  /** The file whose release this thread is about to win. */
  claiming: u32;
  /** The entry that this thread is about to publish, and its word before that. */
  publishing: u32;
  publishWord: u64;
  /** The entry that this thread has frozen, or is about to freeze (change.ts); then what to restore. */
  changing: u32;
  /** 1 once the entry is frozen and all of the words below are right. */
  changeStarted: u32;
  changeWord: u64;
  changeKept: u32;
  /** A hold's note that the change writes, 0 for none, and what it was. */
  changeNote: u32;
  changeNoteOld: u32;
  /** Number + 1 of the thread that reaps this one. */
  reaper: u32;
  /** 1 while a reaper acts as this thread and holds every lock. */
  reaping: u32;
  /** 1 when the thread died with the map lock: there may be user pages that no row has. */
  sweeps: u32;
  /** What the host calls the thread, 0 when unknown: Node's threadId. */
  hostThread: u32;
  /** 1 once the host will tell of the thread's death. */
  watched: u32;
  /** Counts the owners of this slot. */
  incarnation: u32;
}

/** In Thread.hand: the object's callback must not run (any more). */
export const HAND_NO_CALLBACK: u32 = 1;
/** In Thread.hand: memory only, whatever it contains. */
export const HAND_MEMORY: u32 = 2;
/** In Thread.hand: about to leave the queue, or just taken out: its link is the queue's. */
export const HAND_QUEUED: u32 = 4;
export const HAND_FLAGS: u32 = 7;

/** Thread.handMemory: what for. The first three are NODE_* + 1. */
export const MEMORY_CHUNK: u32 = 4;
export const MEMORY_FLAGS: u32 = 7;

/**
 * Marks: one word per file, how this thread uses it. Low half: its calls and its records that use the file; above: its
 * references from fget.
 */
export const MARK_REFERENCE: u32 = 0x1_0000;
export const MARK_USES: u32 = MARK_REFERENCE - 1;
export const MARK_MOST_REFERENCES: u32 = 0x7fff;
export const THREAD_MARKS: u32 = 4 * CACHE_LINE;
export const THREAD_RECORDS: u32 = THREAD_MARKS + MAX_FILES * 4;
export const THREAD_WARNINGS: u32 = THREAD_RECORDS + MAX_RECORDS * offsetof<HoldRecord>();
/** The kernel's copy of the ioctl struct. */
export const THREAD_COMMAND: u32 = THREAD_WARNINGS + MAX_THREAD_WARNINGS * offsetof<WarningRecord>();
/** The caller's bytes when the argument is a JavaScript buffer. */
export const THREAD_WINDOW: u32 = THREAD_COMMAND + COMMAND_BYTES;
export const THREAD_BYTES: u32 = (THREAD_WINDOW + COMMAND_BYTES + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);

/** Kinds of a hold record, kept in the low bits of its file address. */
export const RECORD_FREE: u32 = 0;
/** get() succeeded: one holder and one user of the entry are ours. */
export const RECORD_LOCKED: u32 = 1;
/** alloc() succeeded: the reserved entry is ours. */
export const RECORD_RESERVED: u32 = 2;
/** A DESTROY waits for holders: one queued destroyer and one user of the entry are ours. */
export const RECORD_QUEUED: u32 = 3;
/** The same, but the user is one that was kept: when the wait is given up, it is kept again. */
export const RECORD_QUEUED_KEPT: u32 = 4;
/** A destroy succeeded and its callback is to be run: the slot is ours. */
export const RECORD_DYING: u32 = 5;
/** The state word of the target is about to change, or has just changed, by what the record stands for. */
export const RECORD_BUSY: u32 = 6;
/** An object was taken from the queue, to run its callback: the slot is ours. No file. */
export const RECORD_TAKEN: u32 = 7;
export const RECORD_KIND_MASK: u32 = 7;

/** A hold record: one thing that this thread must give back. It keeps its file from being released. */
@unmanaged
export class HoldRecord {
  /** RECORD_DYING, RECORD_TAKEN: the slot; else the table entry. */
  target: u32;
  /** Free list link. */
  next: u32;
  /** File address | RECORD_*; 0 when free. Compared together with the next word. */
  fileKind: u32;
  /** The handle that names this use of the record, or the one that will name the next. */
  handle: u32;
}

/** One kernel warning, to be handed to onWarning. */
@unmanaged
export class WarningRecord {
  kind: u32;
  fd: u32;
  id: u32;
}

// A handle is generation | thread number | record number; 30 bits, so that it is a small integer in every engine.
export const HANDLE_RECORD_BITS: u32 = 10;
export const HANDLE_THREAD_BITS: u32 = 6;
export const HANDLE_GENERATION_BITS: u32 = 14;
export const HANDLE_GENERATION_SHIFT: u32 = HANDLE_RECORD_BITS + HANDLE_THREAD_BITS;
/** Handles are below. */
export const HANDLE_END: u32 = 1 << (HANDLE_GENERATION_SHIFT + HANDLE_GENERATION_BITS);
/** In get's answer beside the handle: to be confirmed. */
export const HANDLE_UNCONFIRMED: u32 = HANDLE_END;

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

/** Numbers 0 to 2 are a process' standard streams, as on Linux. */
export const FIRST_FD: u32 = 3;

/** An open file's first line: read by every call, written at open, at close and by the first allocation. */
@unmanaged
export class File {
  /** FILE_* | generation. */
  state: u32;
  /** Root node of the ID table, 0 before the first allocation. */
  root: u32;
}

/** Its second line: struct iommufd_ctx, written by allocations. At FILE_CONTEXT behind the first. */
@unmanaged
export class Context {
  /** The xarray's lock: protects the ID table's bitmaps and counts, and every entry's removal. */
  lock: u32;
  /** No ID below this one is free. */
  freeHint: u32;
  /** Allocations so far: the serial of the next object. */
  serial: u64;
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
  /** Number + 1 of the thread that releases the file. Last: it outlives the wiping of the rest. */
  releaser: u32;
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
  /** Counts the allocations of the context: never the same for two objects. */
  serial: u64;
  id: u32;
  /** The type's number; | SLOT_CALLBACK_RAN. */
  type: u32;
  /** Entries of the objects that this one holds a users reference on; more in the list. 0 is none. */
  hold0: u32;
  hold1: u32;
  /** Live: first HoldList. Free or queued: next slot. */
  link: u32;
  /** File address. */
  file: u32;
}
export const SLOT_PAYLOAD: u32 = offsetof<Slot>();
/** In Slot.type: the destroy callback has begun, and must not begin again. */
export const SLOT_CALLBACK_RAN: u32 = 0x8000_0000;
export const SLOT_TYPE_MASK: u32 = 0xff;

/** Overflow of an object's holds; 0 is none. */
@unmanaged
export class HoldList {
  hold0: u32;
  hold1: u32;
  hold2: u32;
  hold3: u32;
  hold4: u32;
  hold5: u32;
  link: u32;
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
export const NR_DESTROY: u32 = 0x80;
/** mainline: length of the shipped table, 0x80 … 0x95; numbers outside go to the VFIO-compat handler. */
export const MAINLINE_COMMAND_LIMIT: u32 = 0x96;

export const HANDLER_NONE: u32 = 0;
export const HANDLER_DESTROY: u32 = 1;
/** Executed by the bindings of a thread that defined it. */
export const HANDLER_BINDINGS: u32 = 2;

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

// ---------------------------------------------------------------------------------------------------- User space

export const PROT_NONE: u32 = 0;
export const PROT_READ: u32 = 1;
export const PROT_WRITE: u32 = 2;

export const MAX_MAPPINGS: u32 = MODEL_BUILD ? 8 : 1024;
/** User addresses end here (x86-64: 47 bits less a page); the first page is never mapped. */
export const TASK_SIZE: u64 = 0x7fff_ffff_f000;


@unmanaged
export class Mapping {
  va: u64;
  pages: u32;
  /** Address of the first page in this memory. */
  backing: u32;
  /** MAPPING_*. Written last, so that a row is either whole or unused. */
  state: u32;
  /** MAPPING_LEAVING: number + 1 of the thread that unmaps it. */
  unmapper: u32;
}
export const MAPPING_UNUSED: u32 = 0;
export const MAPPING_MAPPED: u32 = 1;
/** No new copy finds it; its pages go when the last copy is done. */
export const MAPPING_LEAVING: u32 = 2;

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
export const TYPES: usize = FILES + MAX_FILES * FILE_BYTES;
export const CLASSES: usize = TYPES + (MAX_TYPES + 2) * TYPE_BYTES;
export const COMMANDS: usize = CLASSES + MAX_CLASSES * CLASS_BYTES;
export const MAPPINGS: usize = COMMANDS + MAX_COMMANDS * offsetof<Command>();
/** u16 per mapping: row numbers in ascending order of their addresses. */
export const MAPPING_ORDER: usize = MAPPINGS + MAX_MAPPINGS * offsetof<Mapping>();
export const FRAMES: usize = MAPPING_ORDER + MAX_MAPPINGS * 2;

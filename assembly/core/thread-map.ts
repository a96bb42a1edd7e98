// SPDX-License-Identifier: GPL-2.0-only
/**
 * The memory map of a thread's slot: part of memory-map.ts, which re-exports it.
 *
 *      0 ┌──────────────────────────┐
 *        │ Thread                   │ state, results, and evidence: what the thread is in the middle of
 *        ├──────────────────────────┤ THREAD_MARKS
 *        │ a word per file          │ how the thread uses it
 *        ├──────────────────────────┤ THREAD_RECORDS
 *        │ HoldRecord × MAX_RECORDS │ what the thread must give back
 *        ├──────────────────────────┤ THREAD_WARNINGS
 *        │ kernel warnings          │ to be handed out
 *        ├──────────────────────────┤ THREAD_COMMAND, THREAD_WINDOW
 *        │ two argument buffers     │ the kernel's copy of an ioctl struct; the caller's bytes
 *        └──────────────────────────┘ THREAD_BYTES
 *
 * All of it is written by the thread alone; thread.ts says what others read meanwhile.
 */
import { MODEL_BUILD } from "./config";
import { CACHE_LINE, COMMAND_BYTES, MAX_FILES, PAGE_SIZE } from "./units";

export const MAX_THREADS: u32 = MODEL_BUILD ? 6 : 64;
/** Hold records of one thread: one more than the locks, reservations and waits that it can have at a time. */
export const MAX_RECORDS: u32 = MODEL_BUILD ? 8 : 1024;
export const MAX_THREAD_WARNINGS: u32 = MODEL_BUILD ? 8 : 256;

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
  /** Counts the owners of this slot. Changes with the state, in one store. */
  incarnation: u32;
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
  /** A hold list that has left a slab or an object and has not arrived anywhere. */
  handList: u32;
  /** A slot likewise, | HAND_*, and its slab class. Both change in one 64-bit store. */
  hand: u32;
  handClass: u32;
  /** Kernel memory that was cut, or a node that left its pool or table, | MEMORY_*; and the file it is for. */
  handMemory: u32;
  handFile: u32;
  /** The mapping that a copy works on; unmap waits for it. */
  pinned: u32;
  /** The row that map, makeProcess or createMemfd is filling, until its caller has the address. */
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
  /** 1 from before the reaper takes every lock in this thread's name until after it has freed them. */
  collecting: u32;
  /** 1 when the thread died with the map lock: there may be user pages that no row has. */
  sweeps: u32;
  /** The file with whose table lock the thread died, 0 for none. */
  suspect: u32;
  /** How many files were asked, after the thread's death, whether they waited for it. */
  filesSettled: u32;
  /** What the host calls the thread: Node's threadId + 1. Of the owner that announced it. */
  hostThread: u32;
  /** The incarnation + 1 whose owner has announced itself: the host will tell of its death. */
  watched: u32;
  /** 1 when the host lets this thread block. */
  mayBlock: u32;
  /** Row of the process that it acts for; 0 in a slot that nobody has. While a word names a row, it is not reused. */
  process: u32;

  // What follows is of one call; the bindings keep it while callbacks run in between (THREAD_CALL).

  // What a function gives its caller beside its answer (interval_tree.ts).
  /** Bounds of the range that was found. */
  rangeFirst: u64;
  rangeLast: u64;
  /** How far a search has come. */
  cursor: u64;

  // The argument of the ioctl that is executed (ucmd.ts).
  /** Its address; 0 with the next word: the struct is the window's. */
  argument: u64;
  argumentIsWindow: u32;
  /** The declared size; in the window: how many bytes there are. */
  argumentSize: u32;
  windowBytes: u32;
  /** Bytes of the window that were written, and go back to the caller. */
  windowWritten: u32;
  // An UNMAP that goes on after callbacks (io_pagetable.ts).
  /** What is still to be unmapped, and how much was. */
  unmapFirst: u64;
  unmapLast: u64;
  unmapBytes: u64;
  /** The area whose pins were in the way last, and how often. */
  unmapAt: u64;
  unmapTries: u32;
  /** Handle of the address space. */
  unmapHandle: u32;

  /** A tree that is not anybody's yet. */
  building: u32;
  buildingLevels: u32;
  /** The area from which, or to which, the thread copies for an access; UNMAP waits for it. */
  copying: u32;
  /** That access' payload; written together with `copying`. */
  copyingFor: u32;
  /** Copies that have ended; and 1: somebody sleeps until this changes. */
  copies: u32;
  copyWaited: u32;
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
 * Marks: one word per file, how this thread uses it. Low half: its calls and its records that use the file,
 * but for locks and reservations, which the state words show (file.ts); above: its references from fget.
 */
export const MARK_REFERENCE: u32 = 0x1_0000;
export const MARK_USES: u32 = MARK_REFERENCE - 1;
export const MARK_MOST_REFERENCES: u32 = 0x7fff;
/** The words of one call: from rangeFirst to the end of unmapHandle. */
export const THREAD_CALL: u32 = offsetof<Thread>("rangeFirst");
export const THREAD_CALL_BYTES: u32 = offsetof<Thread>("building") - THREAD_CALL;
export const THREAD_MARKS: u32 = 6 * CACHE_LINE;
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

// SPDX-License-Identifier: GPL-2.0-only
/**
 * Counts and explanations: what is there, what was warned about, and who waits for whom.
 *
 * Read from the shared memory without a lock: each number is right at some moment during the call, not all at the same.
 */
import { Layout } from "./generated/layout.js";
import type { Kernel } from "./kernel.js";
import { usedMemfds } from "./memfd.js";
import { livingPids } from "./process.js";
import { rowsOf } from "./rows.js";
import { WARNING_KINDS } from "./warnings.js";

/** A destroy that waits for short-term holders. */
export interface WaitingDestroy {
  /** Number of the thread that waits. */
  thread: number;
  /** File number and ID of the object. */
  context: number;
  id: number;
  /** Numbers of the threads that hold the object, one entry per lock. */
  heldBy: number[];
}

/** What one thread has. */
export interface ThreadStats {
  /** 0 … 63; the same as in WaitingDestroy. */
  number: number;
  /** Objects that it holds locked, IDs that it has reserved, destroys that it waits for. */
  locked: number;
  reserved: number;
  waiting: number;
}

/** Plain JSON. */
export interface IommufdStats {
  /** The profile. */
  abi: "rfc" | "mainline";
  /** Objects of all open files. */
  objects: {
    /** Published. */
    live: number;
    /** IDs taken, not yet published. */
    reserved: number;
    /** Still used when their file was released: memory that is never reused. */
    leaked: number;
    /** Removed, waiting for a thread that has their type's destroy callback. */
    queued: number;
  };
  /**
   * Bytes of the shared memory: all of it, the heap, and what the heap is used for: mappings, objects, tables. Memory of objects
   * and tables is kept for the next ones when they are gone.
   */
  bytes: { total: number; heap: number; used: number };
  /** Files whose graph is not released yet, and how many there can be. */
  files: { open: number; max: number };
  /** Attached threads, dead ones that nobody has reaped included, and how many there can be. */
  threads: { attached: number; max: number; list: ThreadStats[] };
  /** Mappings of all processes. */
  mappings: number;
  /** Processes that have not ended, the default one included, and how many there can be. */
  processes: { alive: number; max: number };
  /** Memfds that are open, mapped or held, and how many there can be. */
  memfds: { used: number; max: number };
  /** How often each kernel warning happened, by kind. */
  warnings: Record<string, number>;
  /** Destroys that wait now, and for whom: the explanation of a call that does not return. */
  waiting: WaitingDestroy[];
}

/** Whole pages, less what kernel memory has not been cut from yet. */
function usedBytes(kernel: Kernel): number {
  const uncut = kernel.word(Layout.PAGES_EXTENT_TOP) - kernel.word(Layout.PAGES_EXTENT_LOW);
  return kernel.word(Layout.PAGES_USED) * Layout.PAGE_SIZE - uncut;
}

interface HeldRecord {
  thread: number;
  kind: number;
  target: number;
  file: number;
}

/** Reads the statistics of the whole memory. */
export function readStats(kernel: Kernel, abi: "rfc" | "mainline"): IommufdStats {
  const threads = attachedThreads(kernel);
  const records = threads.flatMap((number) => recordsOf(kernel, number));
  const files = openFiles(kernel);
  const reserved = records.filter((record) => record.kind === Layout.RECORD_RESERVED).length;
  const taken = files.reduce((sum, file) => sum + kernel.word(file + Layout.FILE_TAKEN), 0);
  return {
    abi,
    objects: {
      live: Math.max(0, taken - reserved),
      reserved,
      leaked: kernel.word(Layout.COUNTERS_LEAKED),
      queued: kernel.word(Layout.QUEUE_LENGTH),
    },
    bytes: {
      total: kernel.word(Layout.IDENTITY_BYTES),
      heap: kernel.word(Layout.IDENTITY_HEAP_PAGES) * Layout.PAGE_SIZE,
      used: usedBytes(kernel),
    },
    files: { open: files.length, max: Layout.MAX_FILES },
    threads: {
      attached: threads.length,
      max: Layout.MAX_THREADS,
      list: threads.map((number) => threadStats(number, records)),
    },
    mappings: kernel.word(Layout.MAPPING_COUNT),
    processes: { alive: livingPids(kernel).length, max: Layout.MAX_PROCESSES },
    memfds: { used: usedMemfds(kernel).length, max: Layout.MAX_MEMFDS },
    warnings: Object.fromEntries(
      WARNING_KINDS.map((kind, index) => [kind, kernel.word(Layout.COUNTERS_WARNINGS + index * 4)]),
    ),
    waiting: records.filter(isWaiting).map((record) => waitingDestroy(kernel, record, records)),
  };
}

function attachedThreads(kernel: Kernel): number[] {
  const numbers = rowsOf(0, 1, Layout.MAX_THREADS);
  return numbers.filter((number) => kernel.wordOf(number, Layout.THREAD_STATE) !== Layout.THREAD_FREE);
}

function allFiles(): number[] {
  return rowsOf(Layout.FILES, Layout.FILE_BYTES, Layout.MAX_FILES);
}

/** Files whose graph is not released yet. */
function openFiles(kernel: Kernel): number[] {
  return allFiles().filter(
    (file) => (kernel.word(file + Layout.FILE_STATE) & Layout.FILE_PHASE_MASK) !== Layout.FILE_FREE,
  );
}

function recordsOf(kernel: Kernel, thread: number): HeldRecord[] {
  const records: HeldRecord[] = [];
  for (const at of rowsOf(Layout.THREAD_RECORDS, Layout.RECORD_BYTES, Layout.MAX_RECORDS)) {
    const fileKind = kernel.wordOf(thread, at + Layout.RECORD_FILE_KIND);
    const kind = fileKind & Layout.RECORD_KIND_MASK;
    if (kind === 0) continue;
    records.push({ thread, kind, target: kernel.wordOf(thread, at + Layout.RECORD_TARGET), file: fileKind - kind });
  }
  return records;
}

function threadStats(number: number, records: HeldRecord[]): ThreadStats {
  const own = records.filter((record) => record.thread === number);
  return {
    number,
    locked: own.filter((record) => record.kind === Layout.RECORD_LOCKED).length,
    reserved: own.filter((record) => record.kind === Layout.RECORD_RESERVED).length,
    waiting: own.filter(isWaiting).length,
  };
}

/** What one thread has, and whether it is in the middle of something; for a thread that does not run. */
export function readThread(kernel: Kernel, number: number): ThreadStats & { interrupted: boolean } {
  const records = recordsOf(kernel, number);
  const evidence = [Layout.THREAD_HAND, Layout.THREAD_HAND_LIST, Layout.THREAD_HAND_MEMORY, Layout.THREAD_PINNED];
  const interrupted =
    records.some(({ kind }) => kind === Layout.RECORD_BUSY) ||
    evidence.some((offset) => kernel.wordOf(number, offset) !== 0) ||
    holdsLock(kernel, number);
  return { ...threadStats(number, records), interrupted };
}

/** Whether a lock of the core names the thread. */
function holdsLock(kernel: Kernel, number: number): boolean {
  const locks = [
    ...[Layout.REGISTRY_LOCK, Layout.MAPS_LOCK, Layout.QUEUE_LOCK, Layout.NODES_LOCK, Layout.PAGES_LOCK],
    ...allFiles().map((file) => file + Layout.FILE_LOCK),
    ...rowsOf(Layout.CLASSES, Layout.CLASS_BYTES, Layout.MAX_CLASSES),
  ];
  return locks.some((lock) => kernel.word(lock) >>> 1 === number + 1);
}

function waitingDestroy(kernel: Kernel, record: HeldRecord, records: HeldRecord[]): WaitingDestroy {
  const locks = records.filter((other) => other.kind === Layout.RECORD_LOCKED && other.target === record.target);
  return {
    thread: record.thread,
    context: (record.file - Layout.FILES) / Layout.FILE_BYTES + Layout.FIRST_FD,
    id: kernel.word(kernel.word(record.target + Layout.ENTRY_SLOT) + Layout.SLOT_ID),
    heldBy: locks.map((lock) => lock.thread),
  };
}

function isWaiting(record: HeldRecord): boolean {
  return record.kind === Layout.RECORD_QUEUED || record.kind === Layout.RECORD_QUEUED_KEPT;
}

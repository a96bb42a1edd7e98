// SPDX-License-Identifier: GPL-2.0-only
/**
 * The memory map of user space: part of memory-map.ts, which re-exports it.
 *
 *     Thread ──► Process ──► User
 *     MAPPING_ORDER ──► Mapping ──► heap pages of its own, a Memfd's, or memory outside
 *
 * All of it changes under MapState.lock, but for the words that say that they are atomic.
 */
import { MODEL_BUILD } from "./config";
import { CACHE_LINE, FIRST_FD, MAX_FILES } from "./units";

/**
 * User space. `lock` (the kernel's mmap_lock, and more) protects mappings, their order and the protection of their pages, and the
 * rows of processes, users and memfds.
 */
@unmanaged
export class MapState {
  lock: u32;
  /** Mappings of all processes. */
  count: u32;
  /** How many memories outside of this one were ever mapped: the last one's number. */
  externals: u32;
}

export const PROT_NONE: u32 = 0;
export const PROT_READ: u32 = 1;
export const PROT_WRITE: u32 = 2;

export const MAX_MAPPINGS: u32 = MODEL_BUILD ? 8 : 1024;
/** User addresses end here (x86-64: 47 bits less a page); the first page is never mapped. */
export const TASK_SIZE: u64 = 0x7fff_ffff_f000;


@unmanaged
export class Mapping {
  /** The process' number << SPACE_SHIFT | the user address. */
  va: u64;
  pages: u32;
  /** Address of the first page in this memory; MAPPING_EXTERNAL: 0. */
  backing: u32;
  /** MAPPING_*. Written last, so that a row is either whole or unused. */
  state: u32;
  /** MAPPING_LEAVING: number + 1 of the thread that unmaps it. */
  unmapper: u32;
  /** MAPPING_ANONYMOUS, MAPPING_MEMFD, MAPPING_EXTERNAL. */
  kind: u32;
  /** MAPPING_MEMFD: its row. MAPPING_EXTERNAL: the number of the memory. */
  source: u32;
  /** A byte for each page, its PROT_* in the low bits: the frame bytes of anonymous pages, else pages of their own. */
  protections: u32;
  /** Pins that outlast a call. Raised while a thread's `pinned` names the row. */
  pins: u32;
}
export const MAPPING_UNUSED: u32 = 0;
export const MAPPING_MAPPED: u32 = 1;
/** No new copy finds it; its pages go when the last copy is done. */
export const MAPPING_LEAVING: u32 = 2;
/** Unmapped, but pinned: its pages go with the last pin. */
export const MAPPING_ORPHAN: u32 = 3;

export const MAPPING_ANONYMOUS: u32 = 0;
/** The pages are a file's. */
export const MAPPING_MEMFD: u32 = 1;
/** The bytes lie outside of this memory: only JavaScript reaches them. */
export const MAPPING_EXTERNAL: u32 = 2;

/** User addresses have fewer bits; a process' number stands above. */
export const SPACE_SHIFT: u64 = 48;

/** The default process is the first row. */
export const MAX_PROCESSES: u32 = MODEL_BUILD ? 3 : 64;

/** A process, as far as iommufd looks at it: task, mm and signal in one. */
@unmanaged
export class Process {
  /** PROCESS_*. */
  state: u32;
  /** Never given twice: generation × MAX_PROCESSES + the row's number + 1. */
  pid: u32;
  /** Row of the user that it belongs to, and CAP_* bits. Both change in one 64-bit store. */
  user: u32;
  capabilities: u32;
  /** RLIMIT_MEMLOCK in bytes. */
  memlock: u64;
  /** mm->locked_vm and mm->pinned_vm, in pages. Atomic. */
  lockedVm: u32;
  pinnedVm: u32;
  /** Who else remembers the process: the row is not reused before they let go. Atomic. */
  holders: u32;
}
export const PROCESS_BYTES: u32 = CACHE_LINE;
export const PROCESS_SHIFT: u32 = 6;
export const PROCESS_FREE: u32 = 0;
export const PROCESS_ALIVE: u32 = 1;
/** Its mappings are gone or going; the row is free once nobody names it any more. */
export const PROCESS_ENDED: u32 = 2;

// Capability numbers are the kernel's (linux/capability.h).
export const CAP_IPC_LOCK: u32 = 1 << 14;
export const CAP_SYS_RAWIO: u32 = 1 << 17;
export const CAP_SYS_RESOURCE: u32 = 1 << 24;
export const CAP_ALL: u32 = CAP_IPC_LOCK | CAP_SYS_RAWIO | CAP_SYS_RESOURCE;
export const RLIM_INFINITY: u64 = u64.MAX_VALUE;

/** Enough for every process, and as many users that have no process any more but still pages. */
export const MAX_USERS: u32 = 2 * MAX_PROCESSES;

/** struct user_struct: in use while a living process belongs to it, or a word of it is not 0. */
@unmanaged
export class User {
  uid: u32;
  /** locked_vm, in pages. Atomic. */
  locked: u32;
  /** Who else remembers the user. Atomic. */
  holders: u32;
}

export const MAX_MEMFDS: u32 = MODEL_BUILD ? 2 : 128;
/** File number of the first memfd. */
export const FIRST_MEMFD: u32 = FIRST_FD + MAX_FILES;
/** Numbers of the files of fault queues begin behind. */
export const FIRST_QUEUE_FD: u32 = FIRST_MEMFD + MAX_MEMFDS;

/** A file without a name, in a run of heap pages. */
@unmanaged
export class Memfd {
  /** Length in bytes, and below which page end bytes may ever have been written. Both change in one 64-bit store. */
  size: u32;
  written: u32;
  /** The run. */
  backing: u32;
  pages: u32;
  /** MEMFD_*. Written last, so that a row is either whole or unused. */
  state: u32;
  /** MEMFD_LEAVING: number + 1 of the thread that frees it. */
  leaver: u32;
  /** References besides the number and the mappings. */
  holders: u32;
  /** Counts the files of this number. */
  generation: u32;
}
export const MEMFD_UNUSED: u32 = 0;
/** The number is valid. */
export const MEMFD_OPEN: u32 = 1;
/** The number was closed; mappings or holders remain. */
export const MEMFD_CLOSED: u32 = 2;
/** Nobody has it any more; its pages are being wiped. */
export const MEMFD_LEAVING: u32 = 3;

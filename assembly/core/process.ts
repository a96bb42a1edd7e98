// SPDX-License-Identifier: GPL-2.0-only
/**
 * Processes: for whom a thread's calls act, with which rights, and what is charged to whom.
 *
 * A process is a row with credentials, a limit and an address space (mmap.ts has that, exit.ts its end). Row 0 is the default process:
 * every thread begins in it, it may do everything and never ends. A process' number is never given twice, so it can be passed around as a
 * plain value; the row is reused once the process has ended and nobody names it: no thread acts for it, nothing holds it, none of its
 * mappings is left.
 *
 * Rows and their users change under the map lock. Counters are atomic words that need none: a charge is one compare-and-swap, so it is
 * taken in full or not at all. The limit is that of the process at the time of the charge, as in the kernel.
 *
 * If a thread dies in here: a row that makeProcess was filling is in Thread.mapping; every other change is one store.
 *
 * Not here on purpose: nobody is asked for permission to change a process' credentials or limit, because who calls is the test bench,
 * not the process. Processes have no children.
 *
 * Kernel counterpart: current, capable(), struct user_struct, task_rlimit(), mmgrab(); incr_user_locked_vm() and account_locked_vm().
 */
import { add32, compareExchange32, load32, load64, store32, store64 } from "./atomics";
import { EAGAIN, EINVAL, ESRCH } from "../errno";
import { mayFail } from "./faults";
import {
  CAP_ALL,
  FAULT_MEMORY,
  FAULT_PROCESS,
  MAPPINGS,
  MAPPING_UNUSED,
  MAPS,
  MAX_MAPPINGS,
  MAX_PROCESSES,
  MAX_THREADS,
  MAX_USERS,
  MapState,
  Mapping,
  NO_PROCESS,
  PAGE_SHIFT,
  PROCESSES,
  PROCESS_ALIVE,
  PROCESS_BYTES,
  PROCESS_ENDED,
  PROCESS_FREE,
  PROCESS_SHIFT,
  Process,
  RLIM_INFINITY,
  SPACE_SHIFT,
  THREADS,
  THREAD_BYTES,
  Thread,
  USERS,
  User,
} from "./memory-map";
import { RANK_MAP, lock, unlock } from "./mutex";
import { current } from "./thread";

const MAP_LOCK: usize = MAPS + offsetof<MapState>("lock");
/** (uid_t)-1 is no user. */
const NO_UID: u32 = u32.MAX_VALUE;

// @ts-ignore: a decorator on a function
@inline function stateOf(process: usize): usize {
  return process + offsetof<Process>("state");
}

/** The default process, and the one that threads are in whose own has ended. Context: a new memory. */
export function processInit(): void {
  const first = changetype<Process>(PROCESSES);
  first.pid = 1;
  first.user = <u32>USERS; // uid 0
  first.capabilities = CAP_ALL;
  first.memlock = RLIM_INFINITY;
  first.state = PROCESS_ALIVE;
  changetype<Process>(NO_PROCESS).user = <u32>USERS;
  changetype<Process>(NO_PROCESS).state = PROCESS_ENDED;
}

// ---------------------------------------------------------------------------------------------------- who acts

/** The process for which the calling thread's calls act; it may have ended. */
// @ts-ignore: a decorator on a function
@inline export function currentProcess(): usize {
  return changetype<Thread>(current()).process;
}

/** What stands above the user addresses of a process in the rows of its mappings. */
// @ts-ignore: a decorator on a function
@inline export function spaceOf(process: usize): u64 {
  return (<u64>(process - PROCESSES)) << (SPACE_SHIFT - PROCESS_SHIFT);
}

/** The process of which that is. */
// @ts-ignore: a decorator on a function
@inline export function processOfSpace(va: u64): usize {
  return PROCESSES + <usize>(va >> SPACE_SHIFT) * PROCESS_BYTES;
}

/** Whether the process has an address space still. */
export function isAlive(process: usize): bool {
  return load32(stateOf(process)) == PROCESS_ALIVE;
}

/** capable(): of the process for which the caller acts. */
export function capable(cap: u32): bool {
  return hasCapability(currentProcess(), cap);
}

export function hasCapability(process: usize, cap: u32): bool {
  return (load32(process + offsetof<Process>("capabilities")) & cap) == cap;
}

/** Return: the living process of that number, 0 when there is none. Context: map lock held. */
export function processNumbered(pid: u32): usize {
  const process = PROCESSES + ((pid - 1) % MAX_PROCESSES) * PROCESS_BYTES;
  return pid != 0 && changetype<Process>(process).pid == pid && isAlive(process) ? process : 0;
}

/**
 * From here on the calling thread's calls act for that process; 0: for none, which always succeeds.
 *
 * Return: the number of the process before; -ESRCH when that one has ended, and nothing has changed.
 */
export function useProcess(pid: u32): i32 {
  lock(MAP_LOCK, RANK_MAP);
  const process = pid == 0 ? NO_PROCESS : processNumbered(pid);
  const before = changetype<Process>(currentProcess()).pid;
  if (process != 0) store32(current() + offsetof<Thread>("process"), <u32>process);
  unlock(MAP_LOCK, RANK_MAP);
  return process != 0 ? <i32>before : -ESRCH;
}

// ---------------------------------------------------------------------------------------------------- making and changing

/** Return: the number of a new process, for mapDone when it was read; -EINVAL (uid, capabilities); -EAGAIN (no row, for it or its user). */
export function makeProcess(uid: u32, capabilities: u32, memlock: u64): i32 {
  if (uid == NO_UID || (capabilities & ~CAP_ALL) != 0) return -EINVAL;
  lock(MAP_LOCK, RANK_MAP);
  const process = unusedProcess();
  const user = process == 0 ? <usize>0 : userNumbered(uid);
  const row = changetype<Process>(process);
  if (user != 0) {
    row.pid = nextPid(process);
    store64(process + offsetof<Process>("user"), ((<u64>capabilities) << 32) | user);
    row.memlock = memlock;
    row.lockedVm = 0;
    row.pinnedVm = 0;
    changetype<Thread>(current()).mapping = <u32>process;
    store32(stateOf(process), PROCESS_ALIVE);
  }
  unlock(MAP_LOCK, RANK_MAP);
  return user != 0 ? <i32>row.pid : -EAGAIN;
}

/** The number that the row's next process gets; negative as an i32 when they are used up. */
function nextPid(process: usize): u32 {
  const pid = changetype<Process>(process).pid;
  return pid == 0 ? <u32>(process - PROCESSES) / PROCESS_BYTES + 1 : pid + MAX_PROCESSES;
}

/** Context: map lock held. Return: 0 when there is none. */
function unusedProcess(): usize {
  for (let number: u32 = 1; number < MAX_PROCESSES; number++) {
    const process = PROCESSES + number * PROCESS_BYTES;
    if (<i32>nextPid(process) > 0 && isUnused(process)) return process;
  }
  return 0;
}

function isUnused(process: usize): bool {
  const state = load32(stateOf(process));
  if (state != PROCESS_ENDED) return state == PROCESS_FREE;
  if (load32(process + offsetof<Process>("holders")) != 0) return false;
  for (let number: u32 = 0; number < MAX_THREADS; number++) {
    if (load32(THREADS + number * THREAD_BYTES + offsetof<Thread>("process")) == <u32>process) return false;
  }
  for (let number: u32 = 0; number < MAX_MAPPINGS; number++) {
    const mapping = changetype<Mapping>(MAPPINGS + number * offsetof<Mapping>());
    if (mapping.state != MAPPING_UNUSED && processOfSpace(mapping.va) == process) return false;
  }
  return true;
}

/** The row of that user, or one that becomes it. Context: map lock held. Return: 0 when all are in use. */
function userNumbered(uid: u32): usize {
  if (mayFail(FAULT_PROCESS)) return 0;
  let unused: usize = 0;
  for (let number: u32 = 0; number < MAX_USERS; number++) {
    const user = USERS + number * offsetof<User>();
    if (!isUsed(user)) {
      if (unused == 0) unused = user;
    } else if (changetype<User>(user).uid == uid) return user;
  }
  if (unused != 0) changetype<User>(unused).uid = uid;
  return unused;
}

function isUsed(user: usize): bool {
  if (load32(user + offsetof<User>("locked")) != 0 || load32(user + offsetof<User>("holders")) != 0) return true;
  for (let number: u32 = 0; number < MAX_PROCESSES; number++) {
    const process = changetype<Process>(PROCESSES + number * PROCESS_BYTES);
    if (process.state != PROCESS_FREE && process.user == <u32>user) return true;
  }
  return false;
}

/** commit_creds(): what is pinned already stays charged to the user before. Return: 0; -EINVAL; -ESRCH; -EAGAIN (no row for the user). */
export function setCredentials(pid: u32, uid: u32, capabilities: u32): i32 {
  if (uid == NO_UID || (capabilities & ~CAP_ALL) != 0) return -EINVAL;
  lock(MAP_LOCK, RANK_MAP);
  const process = processNumbered(pid);
  const user = process == 0 ? <usize>0 : userNumbered(uid);
  if (user != 0) store64(process + offsetof<Process>("user"), ((<u64>capabilities) << 32) | user);
  unlock(MAP_LOCK, RANK_MAP);
  return user != 0 ? 0 : process == 0 ? -ESRCH : -EAGAIN;
}

/** setrlimit(RLIMIT_MEMLOCK), in bytes: for charges from now on. Return: 0; -ESRCH. */
export function setMemlock(pid: u32, bytes: u64): i32 {
  lock(MAP_LOCK, RANK_MAP);
  const process = processNumbered(pid);
  if (process != 0) store64(process + offsetof<Process>("memlock"), bytes);
  unlock(MAP_LOCK, RANK_MAP);
  return process != 0 ? 0 : -ESRCH;
}

/** For the reaper: nobody got the number of a process that a dead thread was making. */
export function forgetProcess(process: usize): void {
  store32(stateOf(process), PROCESS_ENDED);
}

// ---------------------------------------------------------------------------------------------------- sources of pages

/** Who pins pages remembers the process, which keeps its row when it ends, and its user of now. Return: the user. */
export function holdSource(process: usize): usize {
  lock(MAP_LOCK, RANK_MAP);
  const user: usize = changetype<Process>(process).user;
  add32(process + offsetof<Process>("holders"), 1);
  add32(user + offsetof<User>("holders"), 1);
  unlock(MAP_LOCK, RANK_MAP);
  return user;
}

export function dropSource(process: usize, user: usize): void {
  add32(user + offsetof<User>("holders"), u32.MAX_VALUE);
  add32(process + offsetof<Process>("holders"), u32.MAX_VALUE);
}

// ---------------------------------------------------------------------------------------------------- accounting

/** Return: false when that would be more than `process` may lock, and nothing has changed. */
function charge(word: usize, process: usize, pages: u32): bool {
  if (mayFail(FAULT_MEMORY)) return false;
  const limit = min(load64(process + offsetof<Process>("memlock")) >> PAGE_SHIFT, u32.MAX_VALUE);
  while (true) {
    const before = load32(word);
    if (<u64>before + pages > limit) return false;
    if (compareExchange32(word, before, before + pages) == before) return true;
  }
}

/** The pages that a user has locked, in whatever process, against the limit of this one. Return: false is ENOMEM. */
export function chargeUser(user: usize, process: usize, pages: u32): bool {
  return charge(user + offsetof<User>("locked"), process, pages);
}

export function unchargeUser(user: usize, pages: u32): void {
  add32(user + offsetof<User>("locked"), 0 - pages);
}

/** The pages that are locked in the process' own memory. Return: false is ENOMEM. */
export function chargeMm(process: usize, pages: u32): bool {
  return charge(process + offsetof<Process>("lockedVm"), process, pages);
}

export function unchargeMm(process: usize, pages: u32): void {
  add32(process + offsetof<Process>("lockedVm"), 0 - pages);
}

/** mm->pinned_vm: counted in every mode, against no limit. */
export function addPinned(process: usize, pages: u32): void {
  add32(process + offsetof<Process>("pinnedVm"), pages);
}

export function subPinned(process: usize, pages: u32): void {
  add32(process + offsetof<Process>("pinnedVm"), 0 - pages);
}

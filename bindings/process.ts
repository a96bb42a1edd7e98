// SPDX-License-Identifier: GPL-2.0-only
/**
 * A process in the core's table: found by its number, made, asked, and entered by the calling thread.
 *
 * The number is never given twice, so it is a plain value that any thread can use; a number whose process has ended finds nothing.
 *
 * Kernel counterpart: struct task_struct with its cred, mm and signal.
 */
import { check, failure, invalid, isWithin } from "./error.js";
import { Layout } from "./generated/layout.js";
import type { Kernel } from "./kernel.js";
import { rowsOf } from "./rows.js";

/** What a process may do that others may not. */
export type Capability = "CAP_IPC_LOCK" | "CAP_SYS_RAWIO" | "CAP_SYS_RESOURCE";

/** Who a process is. */
export interface Credentials {
  /** 0 … 2^32-2. */
  readonly uid: number;
  /** What it may do. */
  readonly capabilities: readonly Capability[];
}

/** Options of `createUserSpace`. */
export interface UserSpaceOptions {
  /** Default 1000. */
  uid?: number;
  /** Default: none; all of them for uid 0. */
  capabilities?: readonly Capability[];
  /** RLIMIT_MEMLOCK in bytes, counted in whole pages; Infinity for no limit. Default 8 MiB, as Linux' own. */
  memlockBytes?: number | bigint;
}

/** What is charged, in pages of 4096 bytes. */
export interface MemlockUsage {
  /** To the process itself: mm->locked_vm. */
  readonly lockedPages: number;
  /** To its user, by all its processes: user->locked_vm. */
  readonly userLockedPages: number;
  /** What is pinned, whoever it is charged to: mm->pinned_vm. */
  readonly pinnedPages: number;
}

const BITS: Readonly<Record<Capability, number>> = {
  CAP_IPC_LOCK: Layout.CAP_IPC_LOCK,
  CAP_SYS_RAWIO: Layout.CAP_SYS_RAWIO,
  CAP_SYS_RESOURCE: Layout.CAP_SYS_RESOURCE,
};
const NAMES = Object.keys(BITS) as Capability[];
const MAX_UID = 2 ** 32 - 2;
const RLIM_INFINITY = 2n ** 64n - 1n;
const DEFAULT_UID = 1000;
const DEFAULT_MEMLOCK = 8 * 1024 * 1024;

/** The number of the default process. */
export const DEFAULT_PID = 1;

/** fork() of sorts. Return: the new process' number; the caller says mapDone. @throws IommufdError EINVAL, EAGAIN */
export function makeProcess(kernel: Kernel, options: UserSpaceOptions): number {
  const { uid = DEFAULT_UID, memlockBytes = DEFAULT_MEMLOCK } = options;
  const bits = bitsOf(options.capabilities ?? (uid === 0 ? NAMES : []), "fork");
  const limit = limitOf(memlockBytes, "fork");
  return check(kernel.core.makeProcess(uidOf(uid, "fork"), bits, limit), "fork", "no row is left");
}

/** The row of a living process. @throws IommufdError ESRCH */
export function rowOf(kernel: Kernel, pid: number, syscall: string): number {
  const row = isWithin(pid, 1, 2 ** 31 - 1)
    ? Layout.PROCESSES + ((pid - 1) % Layout.MAX_PROCESSES) * Layout.PROCESS_BYTES
    : 0;
  const isAlive = row !== 0 && kernel.word(row + Layout.PROCESS_STATE) === Layout.PROCESS_ALIVE;
  if (isAlive && kernel.word(row + Layout.PROCESS_PID) === pid) return row;
  throw failure("ESRCH", syscall, `no process ${String(pid)}`);
}

/** Numbers of the processes that have not ended, by row. */
export function livingPids(kernel: Kernel): number[] {
  const rows = rowsOf(Layout.PROCESSES, Layout.PROCESS_BYTES, Layout.MAX_PROCESSES);
  const living = rows.filter((row) => kernel.word(row + Layout.PROCESS_STATE) === Layout.PROCESS_ALIVE);
  return living.map((row) => kernel.word(row + Layout.PROCESS_PID));
}

/** @throws IommufdError ESRCH */
export function credentialsOf(kernel: Kernel, pid: number): Credentials {
  const row = rowOf(kernel, pid, "getuid");
  const bits = kernel.word(row + Layout.PROCESS_CAPABILITIES);
  const uid = kernel.word(kernel.word(row + Layout.PROCESS_USER) + Layout.USER_UID);
  return { uid, capabilities: NAMES.filter((name) => (bits & BITS[name]) !== 0) };
}

/** @throws IommufdError ESRCH, EINVAL, EAGAIN */
export function setCredentials(kernel: Kernel, pid: number, change: Partial<Credentials>): void {
  const was = credentialsOf(kernel, pid);
  const uid = uidOf(change.uid ?? was.uid, "setuid");
  const bits = bitsOf(change.capabilities ?? was.capabilities, "capset");
  check(kernel.core.setCredentials(pid, uid, bits), "setuid", `process ${pid}`);
}

/** Bytes; Infinity for no limit. @throws IommufdError ESRCH */
export function memlockOf(kernel: Kernel, pid: number): number {
  const row = rowOf(kernel, pid, "getrlimit");
  const bytes = BigInt.asUintN(64, kernel.longs[(row + Layout.PROCESS_MEMLOCK) / 8] ?? 0n);
  return bytes === RLIM_INFINITY ? Infinity : Number(bytes);
}

/** @throws IommufdError ESRCH, EINVAL */
export function setMemlock(kernel: Kernel, pid: number, bytes: number | bigint): void {
  check(kernel.core.setMemlock(pid, limitOf(bytes, "setrlimit")), "setrlimit", `process ${pid}`);
}

/** @throws IommufdError ESRCH */
export function usageOf(kernel: Kernel, pid: number): MemlockUsage {
  const row = rowOf(kernel, pid, "getrusage");
  return {
    lockedPages: kernel.word(row + Layout.PROCESS_LOCKED_VM),
    userLockedPages: kernel.word(kernel.word(row + Layout.PROCESS_USER) + Layout.USER_LOCKED),
    pinnedPages: kernel.word(row + Layout.PROCESS_PINNED_VM),
  };
}

function uidOf(uid: number, syscall: string): number {
  if (isWithin(uid, 0, MAX_UID)) return uid;
  throw invalid(syscall, `uid must be 0 … ${MAX_UID}, not ${String(uid)}`);
}

function bitsOf(capabilities: readonly Capability[], syscall: string): number {
  if (!Array.isArray(capabilities)) throw invalid(syscall, "capabilities must be an array");
  let bits = 0;
  for (const name of capabilities as readonly Capability[]) {
    if (!Object.hasOwn(BITS, name)) throw invalid(syscall, `no capability: ${String(name)}`);
    bits |= BITS[name];
  }
  return bits;
}

/** A rlim_t. */
function limitOf(bytes: number | bigint, syscall: string): bigint {
  if (bytes === Infinity) return RLIM_INFINITY;
  if (typeof bytes === "bigint" ? bytes >= 0n && bytes <= RLIM_INFINITY : isWithin(bytes, 0, Infinity)) {
    return BigInt(bytes);
  }
  throw invalid(syscall, `bytes must be ≥ 0 or Infinity, not ${String(bytes)}`);
}

// SPDX-License-Identifier: GPL-2.0-only
//
// What the seed's code stands on: Linux' refcount_t, rw_semaphore, xarray and struct file, step by step.
//
// Only what the seed uses of them, and as Linux 6.12 on x86-64 does it. Names are the kernel's. Memory is strongly ordered
// here; the kernel's code asks for the acquire and release that it needs.
//
// Touching something after kfree() throws: the model is also a proof that the seed's own locking never does.

import { type Steps, step } from "./steps.ts";

/** Memory that kfree() can take away. */
export interface Allocated {
  freed: boolean;
}

function live<M extends Allocated>(memory: M, what: string): M {
  if (memory.freed) throw new Error(`use after free: ${what}`);
  return memory;
}

// -------------------------------------------------------------------------------------------------- warnings

/** What the kernel printed, in order, in the recordings' words. */
export type Warnings = string[];

/** WARN_ON() */
export function WARN(warnings: Warnings, kind: string): void {
  warnings.push(kind);
}

/** WARN_ONCE(); the recorder arms it anew for each try. */
function WARN_ONCE(warnings: Warnings, kind: string): void {
  if (!warnings.includes(kind)) warnings.push(kind);
}

// -------------------------------------------------------------------------------------------------- refcount_t

export interface refcount_t extends Allocated {
  refs: number;
}

/** INT_MIN / 2: as far as possible from both ends. */
export const REFCOUNT_SATURATED = -0x40000000;

function* refcount_warn_saturate(r: refcount_t, warnings: Warnings, kind: string): Steps<void> {
  yield* step("refcount_set SATURATED", () => {
    live(r, "refcount").refs = REFCOUNT_SATURATED;
  });
  yield* step("WARN_ONCE", () => WARN_ONCE(warnings, `refcount:${kind}`));
}

/** One atomic_fetch_add on a 32-bit int. */
function* fetch_add(label: string, r: refcount_t, by: number): Steps<number> {
  return yield* step(label, () => {
    const old = live(r, label).refs;
    r.refs = (old + by) | 0;
    return old;
  });
}

export function* refcount_inc_not_zero(r: refcount_t, warnings: Warnings): Steps<boolean> {
  const old = yield* step("refcount_inc_not_zero", () => {
    const refs = live(r, "refcount_inc_not_zero").refs;
    if (refs !== 0) r.refs = (refs + 1) | 0;
    return refs;
  });
  if (old < 0 || ((old + 1) | 0) < 0) yield* refcount_warn_saturate(r, warnings, "saturated_leaking_memory");
  return old !== 0;
}

export function* refcount_dec(r: refcount_t, warnings: Warnings): Steps<void> {
  const old = yield* fetch_add("refcount_dec", r, -1);
  if (old <= 1) yield* refcount_warn_saturate(r, warnings, "decrement_hit_0_leaking_memory");
}

export function* refcount_dec_and_test(r: refcount_t, warnings: Warnings): Steps<boolean> {
  const old = yield* fetch_add("refcount_dec_and_test", r, -1);
  if (old === 1) return true;
  if (old <= 0) yield* refcount_warn_saturate(r, warnings, "underflow_use_after_free");
  return false;
}

export function* refcount_dec_if_one(r: refcount_t): Steps<boolean> {
  return yield* step("refcount_dec_if_one", () => {
    if (live(r, "refcount_dec_if_one").refs !== 1) return false;
    r.refs = 0;
    return true;
  });
}

export function* refcount_read(r: refcount_t): Steps<number> {
  return yield* step("refcount_read", () => live(r, "refcount_read").refs);
}

// -------------------------------------------------------------------------------------------------- rw_semaphore

export interface rw_semaphore extends Allocated {
  readers: number;
  writer: boolean;
  /** Tasks in the wait list; only writers ever wait here. */
  waiting: number;
  /** For a broken twin: down_read_trylock() does not look at the wait list. */
  readonly ignores_waiting: boolean;
}

/** Fails when a writer holds the semaphore and when one waits for it. */
export function* down_read_trylock(sem: rw_semaphore): Steps<boolean> {
  return yield* step("down_read_trylock", () => {
    live(sem, "down_read_trylock");
    if (sem.writer || (sem.waiting > 0 && !sem.ignores_waiting)) return false;
    sem.readers++;
    return true;
  });
}

export function* up_read(sem: rw_semaphore): Steps<void> {
  yield* step("up_read", () => {
    live(sem, "up_read").readers--;
  });
}

/**
 * Takes the semaphore if it is free, whoever waits (the fast path, and the optimistic spinning behind it, which may steal
 * the lock from the wait list). Else it joins the list, and from then on no reader gets in. Since a late spinner may steal,
 * the order in which several writers get the lock is open.
 */
export function* down_write(sem: rw_semaphore): Steps<void> {
  const free = () => sem.readers === 0 && !sem.writer;
  const taken = yield* step("down_write: try", () => {
    live(sem, "down_write");
    if (!free()) return false;
    sem.writer = true;
    return true;
  });
  if (taken) return;
  yield* step("down_write: queue", () => {
    live(sem, "down_write").waiting++;
  });
  yield* step(
    "down_write: lock",
    () => {
      live(sem, "down_write").waiting--;
      sem.writer = true;
    },
    free,
  );
}

export function* up_write(sem: rw_semaphore): Steps<void> {
  yield* step("up_write", () => {
    live(sem, "up_write").writer = false;
  });
}

// -------------------------------------------------------------------------------------------------- xarray

/** An ID that is taken, but where a look-up finds nothing. */
export const XA_ZERO_ENTRY = "XA_ZERO_ENTRY";

/** XA_FLAGS_ALLOC1: the lowest free ID, from 1 on. */
export interface xarray<T> {
  locked: boolean;
  readonly entries: Map<number, T | typeof XA_ZERO_ENTRY>;
}

export function* xa_lock(xa: xarray<unknown>): Steps<void> {
  yield* step(
    "xa_lock",
    () => {
      xa.locked = true;
    },
    () => !xa.locked,
  );
}

export function* xa_unlock(xa: xarray<unknown>): Steps<void> {
  yield* step("xa_unlock", () => {
    xa.locked = false;
  });
}

function entryOf<T>(xa: xarray<T>, id: number): T | undefined {
  const entry = xa.entries.get(id);
  return entry === XA_ZERO_ENTRY ? undefined : entry;
}

export function* xa_load<T>(xa: xarray<T>, id: number): Steps<T | undefined> {
  return yield* step("xa_load", () => entryOf(xa, id));
}

/** Reserves the lowest free ID. (There are always enough.) */
export function* xa_alloc(xa: xarray<unknown>): Steps<number> {
  yield* xa_lock(xa);
  const id = yield* step("xa_alloc", () => {
    let free = 1;
    while (xa.entries.has(free)) free++;
    xa.entries.set(free, XA_ZERO_ENTRY);
    return free;
  });
  yield* xa_unlock(xa);
  return id;
}

/** Returns what was there, a reservation being nothing. */
export function* xa_store<T>(xa: xarray<T>, id: number, value: T): Steps<T | undefined> {
  yield* xa_lock(xa);
  const old = yield* step("xa_store", () => {
    const before = entryOf(xa, id);
    xa.entries.set(id, value);
    return before;
  });
  yield* xa_unlock(xa);
  return old;
}

/** xa_erase() for a caller that holds the lock. */
export function* __xa_erase<T>(xa: xarray<T>, id: number): Steps<T | undefined> {
  return yield* step("__xa_erase", () => {
    const before = entryOf(xa, id);
    xa.entries.delete(id);
    return before;
  });
}

export function* xa_erase<T>(xa: xarray<T>, id: number): Steps<T | undefined> {
  yield* xa_lock(xa);
  const old = yield* __xa_erase(xa, id);
  yield* xa_unlock(xa);
  return old;
}

/** The lowest ID ≥ `from` at which a look-up finds something; 0: none. xa_for_each() goes from one to the next. */
export function* xa_find(xa: xarray<unknown>, from: number): Steps<number> {
  return yield* step("xa_find", () => {
    const ids = [...xa.entries.keys()].filter((id) => id >= from && entryOf(xa, id) !== undefined);
    return ids.length === 0 ? 0 : Math.min(...ids);
  });
}

/** Reservations count. */
export function* xa_empty(xa: xarray<unknown>): Steps<boolean> {
  return yield* step("xa_empty", () => xa.entries.size === 0);
}

// -------------------------------------------------------------------------------------------------- files

export interface file<Private> extends Allocated {
  readonly address: string;
  f_count: number;
  readonly private_data: Private;
  readonly release: (private_data: Private) => Steps<void>;
}

/** The open files of the process: fd → file. */
export type files_struct<Private> = Map<number, file<Private>>;

/** A reference on the file behind a number, or undefined: EBADF. (__fget_files_rcu) */
export function* fget<P>(files: files_struct<P>, fd: number): Steps<file<P> | undefined> {
  for (;;) {
    const filp = yield* step("fget: look up", () => files.get(fd));
    if (filp === undefined) return undefined;
    const referenced = yield* step("fget: get_file_rcu", () => {
      if (filp.f_count === 0) return false; // freed by RCU only: still readable
      filp.f_count++;
      return true;
    });
    if (!referenced) continue;
    const same = yield* step("fget: look again", () => files.get(fd) === filp);
    if (same) return filp;
    yield* fput(filp);
  }
}

/** The last one runs the release, in its own task and before the system call returns (task work). */
export function* fput<P>(filp: file<P>): Steps<void> {
  const last = yield* step("fput", () => --live(filp, "fput").f_count === 0);
  if (!last) return;
  yield* filp.release(filp.private_data);
  yield* step("free file", () => {
    filp.freed = true;
  });
}

/** close(2). Returns false for EBADF. */
export function* close<P>(files: files_struct<P>, fd: number): Steps<boolean> {
  const filp = yield* step("close: take the number away", () => {
    const open = files.get(fd);
    files.delete(fd);
    return open;
  });
  if (filp === undefined) return false;
  yield* fput(filp);
  return true;
}

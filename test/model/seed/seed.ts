// SPDX-License-Identifier: GPL-2.0-only
//
// The seed, line by line: iommufd_private.h and main.c of "iommufd: File descriptor, context, kconfig and makefiles"
// (RFC v1, 03/12), in their order and with their names, to be read beside the C.
//
// Each `yield*` of linux.ts is one or a few atomic steps; everything else is the task's own. What is left out: allocations
// that fail (kzalloc, xa_alloc) and the copies from and to user space, which touch nothing that tasks share.
//
// A "twin" is this code with one fault, for tests that have to notice it.

import {
  type Allocated,
  type Warnings,
  type file,
  type files_struct,
  type refcount_t,
  type rw_semaphore,
  type xarray,
  WARN,
  __xa_erase,
  down_read_trylock,
  down_write,
  fget,
  refcount_dec,
  refcount_dec_and_test,
  refcount_dec_if_one,
  refcount_inc_not_zero,
  up_read,
  up_write,
  xa_alloc,
  xa_empty,
  xa_erase,
  xa_find,
  xa_load,
  xa_lock,
  xa_store,
  xa_unlock,
} from "./linux.ts";
import { type Steps, step } from "./steps.ts";

export type Errno = "ENOENT" | "EBUSY" | "EBADF" | "EINVAL" | "EOPNOTSUPP";

/** Faults that a twin may have. */
export interface Twin {
  /** down_read_trylock() succeeds although a writer waits. */
  readonly trylock_ignores_waiting?: boolean;
  /** iommufd_object_destroy_user() does not take the semaphore. */
  readonly destroy_without_rwsem?: boolean;
}

/** What lies in one kernel's memory and outside of files. */
export interface kernel {
  readonly files: files_struct<iommufd_ctx>;
  /** Everything that was opened, in order. */
  readonly opened: file<iommufd_ctx>[];
  readonly warnings: Warnings;
  readonly ops: Map<number, iommufd_object_ops>;
  readonly twin: Twin;
  /** Everything that was allocated, freed things too, in order. */
  readonly heap: iommufd_object[];
  /** The lab's: type:id of each destroyed object. */
  log: string[];
}

// -------------------------------------------------------------------------------------------------- iommufd_private.h

export interface iommufd_ctx {
  readonly address: string;
  readonly kernel: kernel;
  readonly objects: xarray<iommufd_object>;
}

export const IOMMUFD_OBJ_NONE = 0;
export const IOMMUFD_OBJ_ANY = IOMMUFD_OBJ_NONE;
/** One more than the lab's last type. */
export const IOMMUFD_OBJ_MAX = 4;

export interface iommufd_object extends Allocated {
  readonly address: string;
  readonly destroy_rwsem: rw_semaphore;
  readonly users: refcount_t;
  readonly type: number;
  id: number;
  /** The lab's part: kept references, and the objects that this one holds. */
  kept: number;
  holds: iommufd_object[];
}

export function* iommufd_lock_obj(k: kernel, obj: iommufd_object): Steps<boolean> {
  if (!(yield* down_read_trylock(obj.destroy_rwsem))) return false;
  if (!(yield* refcount_inc_not_zero(obj.users, k.warnings))) {
    yield* up_read(obj.destroy_rwsem);
    return false;
  }
  return true;
}

export function* iommufd_put_object(k: kernel, obj: iommufd_object): Steps<void> {
  yield* refcount_dec(obj.users, k.warnings);
  yield* up_read(obj.destroy_rwsem);
}

export function* iommufd_put_object_keep_user(obj: iommufd_object): Steps<void> {
  yield* up_read(obj.destroy_rwsem);
}

// -------------------------------------------------------------------------------------------------- main.c

export interface iommufd_object_ops {
  readonly destroy: (obj: iommufd_object) => Steps<void>;
}

export function* _iommufd_object_alloc(ictx: iommufd_ctx, type: number): Steps<iommufd_object> {
  const obj = yield* step("kzalloc", () => kzalloc(ictx.kernel, type));
  const id = yield* xa_alloc(ictx.objects);
  yield* step("obj->id =", () => {
    obj.id = id;
  });
  return obj;
}

/** The object with its semaphore and one user: all of it private to the task that allocates. */
function kzalloc({ heap, twin }: kernel, type: number): iommufd_object {
  const ignores_waiting = twin.trylock_ignores_waiting ?? false;
  const obj: iommufd_object = {
    address: `object ${heap.length}`,
    freed: false,
    destroy_rwsem: { freed: false, readers: 0, writer: false, waiting: 0, ignores_waiting },
    users: { freed: false, refs: 1 },
    type,
    id: 0,
    kept: 0,
    holds: [],
  };
  heap.push(obj);
  return obj;
}

function* kfree(obj: iommufd_object): Steps<void> {
  yield* step("kfree", () => {
    if (obj.freed) throw new Error("double free");
    obj.freed = obj.users.freed = obj.destroy_rwsem.freed = true;
  });
}

export function* iommufd_object_finalize(ictx: iommufd_ctx, obj: iommufd_object): Steps<void> {
  const old = yield* xa_store(ictx.objects, obj.id, obj);
  if (old !== undefined) yield* warn(ictx.kernel, "finalize:old");
}

export function* iommufd_object_abort(ictx: iommufd_ctx, obj: iommufd_object): Steps<void> {
  const old = yield* xa_erase(ictx.objects, obj.id);
  if (old !== undefined) yield* warn(ictx.kernel, "abort:old");
  yield* kfree(obj);
}

export function* iommufd_get_object(ictx: iommufd_ctx, id: number, type: number): Steps<iommufd_object | "ENOENT"> {
  yield* xa_lock(ictx.objects);
  let obj: iommufd_object | "ENOENT" | undefined = yield* xa_load(ictx.objects, id);
  if (
    obj === undefined ||
    (type !== IOMMUFD_OBJ_ANY && obj.type !== type) ||
    !(yield* iommufd_lock_obj(ictx.kernel, obj))
  )
    obj = "ENOENT";
  yield* xa_unlock(ictx.objects);
  return obj;
}

export function* iommufd_object_destroy_user(ictx: iommufd_ctx, obj: iommufd_object): Steps<boolean> {
  const { ops, twin, warnings } = ictx.kernel;
  if (!twin.destroy_without_rwsem) yield* down_write(obj.destroy_rwsem);
  yield* xa_lock(ictx.objects);
  yield* refcount_dec(obj.users, warnings);
  if (!(yield* refcount_dec_if_one(obj.users))) {
    yield* xa_unlock(ictx.objects);
    if (!twin.destroy_without_rwsem) yield* up_write(obj.destroy_rwsem);
    return false;
  }
  yield* __xa_erase(ictx.objects, obj.id);
  yield* xa_unlock(ictx.objects);

  yield* operationsOf(ops, obj).destroy(obj);
  if (!twin.destroy_without_rwsem) yield* up_write(obj.destroy_rwsem);
  yield* kfree(obj);
  return true;
}

export function* iommufd_destroy(ictx: iommufd_ctx, id: number): Steps<0 | Errno> {
  const obj = yield* iommufd_get_object(ictx, id, IOMMUFD_OBJ_ANY);
  if (obj === "ENOENT") return obj;
  yield* iommufd_put_object_keep_user(obj);
  if (!(yield* iommufd_object_destroy_user(ictx, obj))) return "EBUSY";
  return 0;
}

/** open("/dev/iommu"), iommufd_fops_open() included; no task sees the file before it is complete. */
export function open(k: kernel, fd: number): void {
  const ictx: iommufd_ctx = { address: `context ${fd}`, kernel: k, objects: { locked: false, entries: new Map() } };
  const filp: file<iommufd_ctx> = {
    address: `file ${fd}`,
    freed: false,
    f_count: 1,
    private_data: ictx,
    release: iommufd_fops_release,
  };
  k.opened.push(filp);
  k.files.set(fd, filp);
}

export function* iommufd_fops_release(ictx: iommufd_ctx): Steps<void> {
  const { ops, warnings } = ictx.kernel;
  let cur = 0;
  while (cur < IOMMUFD_OBJ_MAX) {
    let index = yield* xa_find(ictx.objects, 1);
    for (; index !== 0; index = yield* xa_find(ictx.objects, index + 1)) {
      const obj = yield* xa_load(ictx.objects, index);
      if (obj?.type !== cur) continue;
      yield* xa_erase(ictx.objects, index);
      if (!(yield* refcount_dec_and_test(obj.users, warnings))) {
        yield* warn(ictx.kernel, "release:users");
        continue;
      }
      yield* operationsOf(ops, obj).destroy(obj);
      yield* kfree(obj);
    }
    cur++;
  }
  if (!(yield* xa_empty(ictx.objects))) yield* warn(ictx.kernel, "release:not_empty");
}

/** The file stays open until the caller gives the reference back with fput(). */
export function* iommufd_fget(k: kernel, fd: number): Steps<file<iommufd_ctx> | undefined> {
  return yield* fget(k.files, fd);
}

function* warn(k: kernel, kind: string): Steps<void> {
  yield* step("WARN_ON", () => WARN(k.warnings, kind));
}

function operationsOf(ops: kernel["ops"], { type }: iommufd_object): iommufd_object_ops {
  const found = ops.get(type);
  if (found === undefined) throw new Error(`no operations for objects of type ${type}`);
  return found;
}

// SPDX-License-Identifier: GPL-2.0-only
//
// The lab's ioctls as the recorded kernel had them beside the seed (test/vectors/README.md, "The lab ioctls"), on the
// seed's own functions, and system calls as the recorded races name them.
//
// LAB_ECHO is left out: it touches nothing that is shared. One call is not of the recording: FGET, which is a driver's
// iommufd_fget() followed by fput().

import { close, fget, fput, refcount_dec, refcount_read, xa_load, xa_lock, xa_unlock } from "./linux.ts";
import {
  type Errno,
  type Twin,
  type iommufd_ctx,
  type iommufd_object,
  type kernel,
  IOMMUFD_OBJ_ANY,
  IOMMUFD_OBJ_MAX,
  _iommufd_object_alloc,
  iommufd_destroy,
  iommufd_fget,
  iommufd_get_object,
  iommufd_object_abort,
  iommufd_object_finalize,
  iommufd_put_object,
  iommufd_put_object_keep_user,
  open,
} from "./seed.ts";
import { type Steps, msleep, step } from "./steps.ts";

/** A system call; `args` in the order of the ioctl's table. */
export interface Call {
  readonly call: string;
  readonly fd: number;
  readonly args?: readonly number[];
}

const ALLOC_ABORT = 1;
const ALLOC_PROBE = 2;
const LONGEST_HOLD_MSECS = 10_000;

/** A kernel with the lab, and a process with two open files: 0 for the calls, 1 for LOG. */
export function boot(twin: Twin = {}): kernel {
  const k: kernel = { files: new Map(), opened: [], warnings: [], ops: new Map(), twin, heap: [], log: [] };
  for (let type = 1; type < IOMMUFD_OBJ_MAX; type++) k.ops.set(type, { destroy: (obj) => lab_destroy(k, obj) });
  open(k, 0);
  open(k, 1);
  return k;
}

/** Makes a call. Returns what it answered, as the recording writes it: "0", a value, or the errno's name. */
export function* system_call(k: kernel, { call, fd, args = [] }: Call): Steps<string> {
  if (call === "CLOSE") return (yield* close(k.files, fd)) ? "0" : "EBADF";
  if (call === "FGET") return yield* fget_fput(k, fd);
  const filp = yield* fget(k.files, fd);
  if (filp === undefined) return "EBADF";
  const answer = yield* ioctl(filp.private_data, call, args);
  yield* fput(filp);
  return `${answer}`;
}

function* ioctl(ictx: iommufd_ctx, call: string, args: readonly number[]): Steps<string | number> {
  const [a = 0, b = 0, c = 0, d = 0] = args;
  switch (call) {
    case "DESTROY":
      return yield* iommufd_destroy(ictx, a);
    case "ALLOC":
      return yield* lab_alloc(ictx, a, [b, c], d);
    case "GET":
      return yield* lab_get(ictx, a, b);
    case "KEEP":
      return yield* lab_keep(ictx, a, b);
    case "DROP":
      return yield* lab_drop(ictx, a);
    case "HOLD":
      return yield* lab_hold(ictx, a, b, c);
    case "LOG":
      return yield* lab_log(ictx);
    case "STATE":
      return yield* lab_state(ictx, a);
    default:
      throw new Error(`no such call: ${call}`);
  }
}

/** Drops the references that an object, or a call that makes one, has on others. */
function* drop_holds(k: kernel, holds: readonly iommufd_object[]): Steps<void> {
  for (const held of holds) yield* refcount_dec(held.users, k.warnings);
}

function* lab_destroy(k: kernel, obj: iommufd_object): Steps<void> {
  yield* step("log", () => {
    k.log.push(`${obj.type}:${obj.id}`);
  });
  yield* drop_holds(k, obj.holds);
}

function* lab_alloc(ictx: iommufd_ctx, type: number, hold_ids: number[], flags: number): Steps<string> {
  const k = ictx.kernel;
  if (type < 1 || type >= IOMMUFD_OBJ_MAX) return "EOPNOTSUPP";
  if ((flags & ~(ALLOC_ABORT | ALLOC_PROBE)) !== 0) return "EOPNOTSUPP";

  const holds: iommufd_object[] = [];
  for (const id of hold_ids) {
    if (id === 0) continue;
    const held = yield* iommufd_get_object(ictx, id, IOMMUFD_OBJ_ANY);
    if (held === "ENOENT") {
      yield* drop_holds(k, holds);
      return held;
    }
    yield* iommufd_put_object_keep_user(held);
    holds.push(held);
  }

  const obj = yield* _iommufd_object_alloc(ictx, type);
  yield* step("obj->holds =", () => {
    obj.holds = holds;
  });
  const { id } = obj;
  let answer = `id=${id}`;
  if ((flags & ALLOC_PROBE) !== 0) {
    const found = yield* iommufd_get_object(ictx, id, IOMMUFD_OBJ_ANY);
    if (found !== "ENOENT") yield* iommufd_put_object(k, found);
    answer += found === "ENOENT" ? ",invisible" : ",visible";
  }

  if ((flags & ALLOC_ABORT) !== 0) {
    yield* iommufd_object_abort(ictx, obj);
    yield* drop_holds(k, holds);
  } else {
    yield* iommufd_object_finalize(ictx, obj);
  }
  return answer;
}

function* lab_get(ictx: iommufd_ctx, id: number, type: number): Steps<0 | Errno> {
  const obj = yield* iommufd_get_object(ictx, id, type);
  if (obj === "ENOENT") return obj;
  yield* iommufd_put_object(ictx.kernel, obj);
  return 0;
}

function* lab_keep(ictx: iommufd_ctx, id: number, type: number): Steps<0 | Errno> {
  const obj = yield* iommufd_get_object(ictx, id, type);
  if (obj === "ENOENT") return obj;
  yield* step("kept++", () => {
    obj.kept++;
  });
  yield* iommufd_put_object_keep_user(obj);
  return 0;
}

function* lab_drop(ictx: iommufd_ctx, id: number): Steps<0 | Errno> {
  const k = ictx.kernel;
  const obj = yield* iommufd_get_object(ictx, id, IOMMUFD_OBJ_ANY);
  if (obj === "ENOENT") return obj;
  const taken = yield* step("atomic_dec_if_positive(kept)", () => {
    if (obj.kept === 0) return false;
    obj.kept--;
    return true;
  });
  if (taken) yield* refcount_dec(obj.users, k.warnings);
  yield* iommufd_put_object(k, obj);
  return taken ? 0 : "EINVAL";
}

function* lab_hold(ictx: iommufd_ctx, id: number, type: number, msecs: number): Steps<0 | Errno> {
  if (msecs > LONGEST_HOLD_MSECS) return "EINVAL";
  const obj = yield* iommufd_get_object(ictx, id, type);
  if (obj === "ENOENT") return obj;
  yield* msleep(msecs);
  yield* iommufd_put_object(ictx.kernel, obj);
  return 0;
}

function* lab_log({ kernel: k }: iommufd_ctx): Steps<string> {
  return yield* step("take the log", () => {
    const all = `[${k.log.join(",")}]`;
    k.log = [];
    return all;
  });
}

function* lab_state(ictx: iommufd_ctx, id: number): Steps<string> {
  yield* xa_lock(ictx.objects);
  const obj = yield* xa_load(ictx.objects, id);
  const users = obj === undefined ? 0 : yield* refcount_read(obj.users);
  yield* xa_unlock(ictx.objects);
  return obj === undefined ? "ENOENT" : `users=${users},type=${obj.type}`;
}

function* fget_fput(k: kernel, fd: number): Steps<string> {
  const filp = yield* iommufd_fget(k, fd);
  if (filp === undefined) return "EBADF";
  yield* fput(filp);
  return "0";
}

/** All of the kernel that tasks share, as text: two kernels with the same text go on in the same way. */
export function snapshot(k: kernel): string {
  const files = k.opened.map(
    ({ freed, f_count, private_data }, fd) =>
      `${freed ? "freed" : ""}${f_count}${k.files.has(fd)}${tableOf(private_data)}`,
  );
  const objects = k.heap.map(
    ({ freed, users, destroy_rwsem: sem, type, id, kept, holds }) =>
      `${freed ? "freed" : ""}${users.refs},${sem.readers}${sem.writer ? "w" : ""}${sem.waiting},${type}:${id},${kept},` +
      holds.map(({ address }) => address).join("+"),
  );
  return [files, objects, k.log, k.warnings].map((part) => part.join(";")).join("|");
}

function tableOf({ objects: { locked, entries } }: iommufd_ctx): string {
  const rows = [...entries].map(([id, entry]) => `${id}=${typeof entry === "string" ? "zero" : entry.address}`);
  return `${locked ? "locked " : ""}${rows.sort().join()}`;
}

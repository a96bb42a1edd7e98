// SPDX-License-Identifier: GPL-2.0-only
//
// The reference: what the library's calls mean when they come one after the other.
//
// Written from the seed, the specification of both profiles and the public documentation, and as plainly as possible: lists,
// maps and counts, no locks, no states but those that a caller can see. Everything is looked up again at each call. Where
// the library is clever (state words, marks, generations), this is not, so that both being wrong in the same way is unlikely.
//
// Invariant: a call either throws a Refusal and has changed nothing, or does all of its work. `destroyed` and `warnings` collect
// what callbacks and listeners would have heard.
//
// One JavaScript thread plays all threads: a destroy that would have to wait for another thread's lock is asked with a time
// limit of 0, so it ends at once, with ETIMEDOUT or, where the host may not block, with EAGAIN.

import { Refusal, require } from "./errors.ts";
import type {
  Abi,
  CommandRow,
  Context,
  DestroyEvent,
  Handle,
  Kept,
  Obj,
  OpenFile,
  Thread,
  TypeRow,
  WarningEvent,
} from "./objects.ts";
import { release } from "./release.ts";
import { UserSpace } from "./user-space.ts";

export interface MachineOptions {
  abi: Abi;
  /** Highest ID that is handed out. */
  idLimit: number;
  /** Whether the host's thread may block: decides between ETIMEDOUT and EAGAIN. */
  mayBlock: boolean;
  /** Bytes that the user space may have at most; above, ENOMEM. The generator stays far away from what memory really takes. */
  memoryBytes: number;
}

const FIRST_FD = 3;
const MAX_FILES = 1024;
/** Types that mainline has of its own; none of their objects is made here. */
const MAINLINE_TYPES = 3;
const MAX_TYPES = 62;

export class Machine {
  readonly abi: Abi;
  readonly options: MachineOptions;
  readonly files: (OpenFile | undefined)[] = [];
  readonly types: TypeRow[] = [];
  readonly commands = new Map<number, CommandRow>();
  readonly threads: Thread[] = [];
  readonly userSpace: UserSpace;
  /** Destroyed objects whose callback waits for a thread that has it, oldest first. */
  readonly queue: Obj[] = [];
  leaked = 0;
  readonly destroyed: DestroyEvent[] = [];
  readonly warnings: WarningEvent[] = [];
  readonly warningCounts = new Map<string, number>();

  constructor(options: MachineOptions) {
    this.abi = options.abi;
    this.options = options;
    this.userSpace = new UserSpace(options.memoryBytes);
  }

  // -------------------------------------------------------------------------------------------------- threads

  attach(): Thread {
    let number = 0;
    while (this.threads.some((thread) => thread.attached && thread.number === number)) number++;
    const thread: Thread = {
      number,
      attached: true,
      types: new Map(),
      callbacks: new Set(),
      commands: new Set(),
      handles: new Set(),
      fgets: new Set(),
    };
    this.threads.push(thread);
    return thread;
  }

  /** Gives back all that the thread holds. The order is not promised; what it comes to does not depend on it. */
  detach(thread: Thread): void {
    for (const handle of [...thread.handles]) {
      this.warn(thread, "detach:held", handle.object.file.fd);
      if (handle.kind === "locked") this.#unlock(handle, false);
      else this.#abort(handle);
    }
    for (const context of [...thread.fgets]) this.close(context);
    thread.attached = false;
  }

  warn(thread: Thread, kind: string, context: number, id?: number): void {
    this.warningCounts.set(kind, (this.warningCounts.get(kind) ?? 0) + 1);
    this.warnings.push({ thread: thread.number, kind, context, ...(id !== undefined && { id }) });
  }

  // -------------------------------------------------------------------------------------------------- types

  defineType(thread: Thread, name: string, payloadBytes: number, callback: boolean): number {
    let row = this.types.find((type) => type.name === name);
    if (row === undefined) {
      const number = this.types.length + 1 + (this.abi === "mainline" ? MAINLINE_TYPES : 0);
      require(number <= MAX_TYPES, "ENOSPC");
      row = { number, name, payloadBytes, hasDestroy: callback };
      this.types.push(row);
    }
    require(row.payloadBytes === payloadBytes && (row.hasDestroy || !callback), "EEXIST");
    thread.types.set(name, row);
    if (callback) thread.callbacks.add(row);
    this.drainQueue(thread);
    return row.number;
  }

  canDestroy(thread: Thread, type: TypeRow): boolean {
    return !type.hasDestroy || thread.callbacks.has(type);
  }

  /** Runs the callbacks of queued objects that the thread has. */
  drainQueue(thread: Thread): void {
    for (const object of [...this.queue]) {
      if (!thread.callbacks.has(object.type)) continue;
      this.queue.splice(this.queue.indexOf(object), 1);
      this.runCallback(thread, object);
    }
  }

  runCallback(thread: Thread, object: Obj): void {
    if (!object.type.hasDestroy) return;
    const { id, value, type, file } = object;
    this.destroyed.push({ thread: thread.number, type: type.name, id, value, fd: file.fd });
  }

  // -------------------------------------------------------------------------------------------------- files

  open(thread: Thread): Context {
    let row = 0;
    while (this.files[row] !== undefined) row++;
    require(row < MAX_FILES, "EMFILE");
    const file: OpenFile = { fd: row + FIRST_FD, isNumberOpen: true, references: 0, calls: 0, objects: new Map() };
    this.files[row] = file;
    return { thread, access: "open", fd: file.fd, file, ended: false };
  }

  fget(thread: Thread, fd: number): Context {
    const file = this.#openFile(fd);
    require(file !== undefined, "EBADF");
    file.references++;
    const context: Context = { thread, access: "fget", fd, file, ended: false };
    thread.fgets.add(context);
    return context;
  }

  byNumber(thread: Thread, fd: number): Context {
    require(this.#openFile(fd) !== undefined, "EBADF");
    return { thread, access: "file", fd, file: undefined, ended: false };
  }

  #openFile(fd: number): OpenFile | undefined {
    const file = this.files[fd - FIRST_FD];
    return file?.isNumberOpen ? file : undefined;
  }

  /** The file that a context may use now. */
  use(context: Context): OpenFile {
    const file = context.file ?? this.#openFile(context.fd);
    const { access, ended } = context;
    require(!ended && file !== undefined, "EBADF");
    if (access === "open" || access === "file") require(file.isNumberOpen, "EBADF");
    if (access === "call") require(file.calls > 0, "EBADF");
    return file;
  }

  /** Never refuses: closing twice, or what somebody else has closed, is nothing. */
  close(context: Context): void {
    if (context.ended || !context.thread.attached) return;
    const file = context.file ?? this.#openFile(context.fd);
    context.ended = true;
    context.thread.fgets.delete(context);
    if (file === undefined) return;
    if (context.access === "fget") file.references--;
    else if (!file.isNumberOpen) return;
    else file.isNumberOpen = false;
    this.settle(context.thread, file);
  }

  /** Releases the file if nothing keeps it: no number, no reference, no call in progress, no handle of any thread. */
  settle(thread: Thread, file: OpenFile): void {
    if (file.isNumberOpen || file.references > 0 || file.calls > 0) return;
    if (this.files[file.fd - FIRST_FD] !== file) return;
    for (const { state, holders } of file.objects.values()) if (state === "reserved" || holders > 0) return;
    release(this, thread, file);
    this.files[file.fd - FIRST_FD] = undefined;
  }

  // -------------------------------------------------------------------------------------------------- objects

  alloc(context: Context, type: TypeRow, value: number): Handle {
    const file = this.use(context);
    let id = 1;
    while (file.objects.has(id)) id++;
    require(id <= this.options.idLimit, "EBUSY");
    const object: Obj = {
      ...{ file, id, type, value, state: "reserved", users: 1, saturated: false, holders: 0, kept: 0 },
      holds: [],
    };
    file.objects.set(id, object);
    return this.#newHandle(context.thread, object, "reserved");
  }

  finalize(context: Context, handle: Handle): number {
    this.#check(context, handle, "reserved");
    handle.object.state = "live";
    this.#endHandle(handle);
    this.settle(context.thread, handle.object.file);
    return handle.object.id;
  }

  abort(context: Context, handle: Handle): void {
    this.#check(context, handle, "reserved");
    this.#abort(handle);
  }

  #abort(handle: Handle): void {
    const { object, thread } = handle;
    object.state = "gone";
    object.file.objects.delete(object.id);
    this.dropHolds(thread, object);
    this.#endHandle(handle);
    this.settle(thread, object.file);
  }

  get(context: Context, id: number, type?: TypeRow): Handle {
    const file = this.use(context);
    const object = this.#live(file, id);
    require(object !== undefined && (type === undefined || object.type === type), "ENOENT");
    this.addUser(context.thread, object);
    object.holders++;
    return this.#newHandle(context.thread, object, "locked");
  }

  put(context: Context, handle: Handle): void {
    this.#check(context, handle, "locked");
    this.#unlock(handle, false);
  }

  /** iommufd_put_object_keep_user() */
  putKeepUser(context: Context, handle: Handle): Kept {
    this.#check(context, handle, "locked");
    const { thread, object } = handle;
    object.kept++;
    this.#unlock(handle, true);
    return { thread, object, usedUp: false };
  }

  #unlock(handle: Handle, keepUser: boolean): void {
    const { object, thread } = handle;
    object.holders--;
    if (!keepUser) this.dropUser(thread, object);
    this.#endHandle(handle);
    this.settle(thread, object.file);
  }

  /** Drops a kept user of a locked object, whoever kept it. */
  dropKeptUser(context: Context, handle: Handle): void {
    this.#check(context, handle, "locked");
    const { object } = handle;
    require(object.kept > 0, "EINVAL");
    object.kept--;
    this.dropUser(context.thread, object);
  }

  hold(context: Context, handle: Handle, target: Handle): void {
    this.#check(context, handle, "reserved");
    this.#check(context, target, "locked");
    handle.object.holds.push(target.object);
    this.addUser(context.thread, target.object);
  }

  /** The reserved object takes a kept user over. */
  holdKept(context: Context, handle: Handle, reference: Kept): void {
    this.#check(context, handle, "reserved");
    require(reference.object.file === handle.object.file && reference.thread === context.thread, "EINVAL");
    this.#takeKept(reference);
    handle.object.holds.push(reference.object);
  }

  /** ObjectReference.drop */
  dropKept(reference: Kept): void {
    require(!reference.usedUp, "EINVAL");
    this.#requireReachable(reference);
    this.#takeKept(reference);
    this.dropUser(reference.thread, reference.object);
  }

  /** A reference does not keep its file, and reaches it until nobody else can. */
  #requireReachable({ object: { file } }: Kept): void {
    require(this.files[file.fd - FIRST_FD] === file && (file.isNumberOpen || file.references > 0), "EBADF");
  }

  #takeKept(reference: Kept): void {
    const { object } = reference;
    require(!reference.usedUp && object.state === "live" && object.kept > 0, "EINVAL");
    object.kept--;
    reference.usedUp = true;
  }

  // -------------------------------------------------------------------------------------------------- destroying

  /** IOMMU_DESTROY with a time limit of 0. */
  destroy(context: Context, id: number): void {
    const object = this.#live(this.use(context), id);
    const { thread } = context;
    require(object !== undefined, "ENOENT");
    require(this.canDestroy(thread, object.type), "ENOSYS");
    if (this.abi === "rfc" && object.holders > 0) this.#refuseToWait(thread, object);
    require(object.users === 1 && !object.saturated, "EBUSY");
    this.destroyObject(thread, object);
  }

  /** ObjectReference.destroyUser with a time limit of 0. Returns whether the object was destroyed. */
  destroyKept(reference: Kept): boolean {
    const { thread, object } = reference;
    require(!reference.usedUp, "EINVAL");
    this.#requireReachable(reference);
    require(object.state === "live", "EINVAL");
    require(this.canDestroy(thread, object.type), "ENOSYS");
    if (this.#isHeldBy(thread, object)) throw new Refusal("EDEADLK");
    require(object.kept > 0, "EINVAL");
    if (object.holders > 0) this.#refuseToWait(thread, object);
    this.#takeKept(reference);
    const isLast = object.users === 2 && !object.saturated;
    this.dropUser(thread, object);
    if (isLast) this.destroyObject(thread, object);
    return isLast;
  }

  #refuseToWait(thread: Thread, object: Obj): never {
    if (this.#isHeldBy(thread, object)) throw new Refusal("EDEADLK");
    throw new Refusal(this.options.mayBlock ? "ETIMEDOUT" : "EAGAIN");
  }

  #isHeldBy(thread: Thread, object: Obj): boolean {
    return [...thread.handles].some((handle) => handle.kind === "locked" && handle.object === object);
  }

  /** Out of the table, callback, holds: in this order. */
  destroyObject(thread: Thread, object: Obj): void {
    object.state = "gone";
    object.file.objects.delete(object.id);
    this.runCallback(thread, object);
    this.dropHolds(thread, object);
  }

  // -------------------------------------------------------------------------------------------------- counts

  addUser(_thread: Thread, object: Obj): void {
    if (!object.saturated) object.users++;
  }

  /** refcount_dec(): the last user may go by a decision only. */
  dropUser(thread: Thread, object: Obj): void {
    if (object.saturated) return;
    if (object.users <= 1) {
      object.saturated = true;
      this.warn(thread, "refcount:decrement_hit_0_leaking_memory", object.file.fd, object.id);
    } else {
      object.users--;
    }
  }

  dropHolds(thread: Thread, object: Obj): void {
    for (const target of object.holds.splice(0)) this.dropUser(thread, target);
  }

  // -------------------------------------------------------------------------------------------------- handles

  /** An object's ID, or its value: for handles of either kind. */
  describe(context: Context, handle: Handle): Obj {
    this.#check(context, handle, handle.kind ?? "locked");
    return handle.object;
  }

  #live(file: OpenFile, id: number): Obj | undefined {
    const object = file.objects.get(id);
    return object?.state === "live" ? object : undefined;
  }

  #newHandle(thread: Thread, object: Obj, kind: "reserved" | "locked"): Handle {
    const handle: Handle = { thread, object, kind };
    thread.handles.add(handle);
    return handle;
  }

  #endHandle(handle: Handle): void {
    handle.kind = undefined;
    handle.thread.handles.delete(handle);
  }

  /** A handle is good for its kind, in its thread, on its file, whatever the context is otherwise good for. */
  #check(context: Context, handle: Handle, kind: "reserved" | "locked"): void {
    const fits = handle.kind === kind && handle.thread === context.thread && handle.object.file.fd === context.fd;
    require(fits, "EINVAL");
  }
}

// SPDX-License-Identifier: GPL-2.0-only
/**
 * One open file of /dev/iommu, and all that can be done with it.
 *
 * There are three ways to a context: `open` (ends by `close`, or when anybody closes the number), `fget` (a reference: the
 * file lives on when the number is closed) and `file` (by number, looked up at each call). A command that executes gets a
 * fourth, which is good for that call.
 *
 * Hot calls (`tryIoctl`, `tryGet`, `put`, `tryAlloc`, `finalize`, `tryDestroy`, `putKeepUser`, `hold`) allocate nothing: numbers in,
 * numbers out, one call of the core.
 *
 * Kernel counterpart: struct iommufd_ctx, iommufd_fops.
 */
import { Access as DriverAccess, type AccessOptions } from "./access.js";
import type { IoctlCommand, Output } from "./command.js";
import type { CoreExports } from "./core.js";
import { dispose } from "./dispose.js";
import { IommufdError, check, invalid } from "./error.js";
import { FaultFile } from "./fault-file.js";
import { Errno } from "./generated/errno.js";
import { Layout } from "./generated/layout.js";
import {
  IOMMU_FAULT_QUEUE_ALLOC,
  IOMMU_IOAS_ALLOC,
  IOMMU_IOAS_CHANGE_PROCESS,
  IOMMU_OPTION,
  IOMMU_OPTION_OP_GET,
  IOMMU_OPTION_OP_SET,
  IOMMU_OPTION_RLIMIT_MODE,
  IOMMU_VFIO_IOAS,
  IOMMU_VFIO_IOAS_CLEAR,
  IOMMU_VFIO_IOAS_GET,
  IOMMU_VFIO_IOAS_SET,
} from "./generated/uapi.js";
import { LockedObject, ReservedObject, byReferenceState, type Owner } from "./handles.js";
import { Ioas } from "./ioas.js";
import { type Argument, IoctlCall } from "./ioctl-call.js";
import type { Kernel } from "./kernel.js";
import { type ObjectInfo, type ObjectRange, readObjects, readPublished } from "./object-info.js";
import type { ObjectType } from "./object-type.js";
import type { Fields, Input, Values } from "./struct.js";
import { type WaitOptions, tryDeadlineOf } from "./wait.js";

declare const brand: unique symbol;
/** The ID of a fault queue. */
export type FaultQueueId = number & { readonly [brand]: "FAULT" };

/** What `faultQueueAlloc` made. */
export interface FaultQueue {
  /** The object's ID. */
  readonly id: FaultQueueId;
  /** Its file; while it is open the queue cannot be destroyed. */
  readonly file: FaultFile;
}

/** How a context knows its file; see the head of this file. */
export type Access = "open" | "fget" | "file" | "call";

export class IommufdContext {
  /** The file number, from 3 on as in a process. */
  readonly fd: number;
  /** @internal */
  readonly kernel: Kernel;
  /** @internal Address of the file. */
  readonly fileAddress: number;

  readonly #core: CoreExports;
  // The hottest functions, one load nearer. After a detach the core itself declines them (NOBODY in the memory map).
  readonly #get: CoreExports["get"];
  readonly #getTyped: CoreExports["getTyped"];
  readonly #put: CoreExports["put"];
  readonly #finalize: CoreExports["finalize"];
  /** One word: not 0 after a call means that `attend` must run. */
  readonly #attention: Int32Array;
  readonly #access: Access;
  readonly #calls: IoctlCall;
  /** What the core checks the file's state against; FILE_NEVER once this context is closed. */
  #expected: number;

  /** Made by `Iommufd.open`, `fget` and `file`. */
  constructor(kernel: Kernel, file: number, expected: number, access: Access = "open") {
    this.kernel = kernel;
    this.#core = kernel.core;
    this.#get = kernel.core.get;
    this.#getTyped = kernel.core.getTyped;
    this.#put = kernel.core.put;
    this.#finalize = kernel.core.finalize;
    this.#attention = kernel.attentionWord;
    this.fileAddress = file;
    this.#expected = expected;
    this.#access = access;
    this.fd = (file - Layout.FILES) / Layout.FILE_BYTES + Layout.FIRST_FD;
    this.#calls = new IoctlCall(kernel, this);
  }

  /** @internal What a call of the core is to expect of the file's state. */
  get expected(): number {
    return this.#expected;
  }

  // -------------------------------------------------------------------------------------------------- ioctl

  /**
   * ioctl(2). (iommufd_fops_ioctl)
   *
   * @param request - The 32-bit request, e.g. `IOMMU_DESTROY.request`.
   * @param arg - The struct: a buffer of which exactly its bytes are accessible and into which replies are written, or a user
   *   address; null is the null pointer.
   * @returns What the command answers, ≥ 0.
   * @param options - `timeoutMs`: how long a command may wait, milliseconds; default for ever.
   * @throws IommufdError EBADF, EFAULT, ENOTTY, E2BIG, EOPNOTSUPP (rfc: short struct), EINVAL (mainline: short struct), and what
   *   the command itself answers; EAGAIN where it would have to block a thread that may not, ETIMEDOUT. What `execute` or a
   *   destroy callback throws and is no IommufdError leaves by this call.
   */
  ioctl(request: number, arg: Argument, options: { timeoutMs?: number } = {}): number {
    const result = this.#calls.run(request, arg, this.kernel.deadline(options));
    if (result >= 0) return result;
    throw this.#calls.errorOf(request, result);
  }

  /**
   * As `ioctl`, but returns -errno. Hot: allocates nothing for built-in commands on a Uint8Array of at most 48 bytes.
   *
   * @param timeoutMs - How long a command may wait, milliseconds; default for ever.
   */
  tryIoctl(request: number, arg: Argument, timeoutMs?: number): number {
    const deadline = tryDeadlineOf(timeoutMs);
    return Number.isNaN(deadline) ? -Errno.EINVAL : this.#calls.run(request, arg, deadline);
  }

  /**
   * As `ioctl`, but never blocks the thread: what would wait is awaited.
   *
   * @throws IommufdError as `ioctl`; ENOSYS where the host has no Atomics.waitAsync, ESRCH when the thread detaches meanwhile; the
   *   signal's reason when it fires. Whatever ends the wait undoes it.
   */
  async ioctlAsync(request: number, arg: Argument, options: WaitOptions = {}): Promise<number> {
    const result = await this.#calls.runAsync(request, arg, this.kernel.deadline(options), options.signal);
    if (result < 0) throw this.#calls.errorOf(request, result);
    return result;
  }

  /**
   * Calls a command with typed fields: fills in `size`, returns all fields as the reply left them.
   *
   * @param options - As for `ioctl`.
   * @throws IommufdError EINVAL for a field that does not fit, and all of `ioctl`.
   */
  call<F extends Fields>(command: IoctlCommand<F>, fields: Input<F>, options: { timeoutMs?: number } = {}): Output<F> {
    const bytes = command.encode(fields);
    this.ioctl(command.request, bytes, options);
    return command.decode(bytes);
  }

  /**
   * @internal As `call`, of a built-in command that never waits and that the machine may lack; never of one that JavaScript defined by
   * its number. `replyOf` has the fields, until the next call.
   */
  callBuiltIn<F extends Fields>(command: IoctlCommand<F>, fields: Input<F>): void {
    const result = this.tryBuiltIn(command, fields);
    if (result < 0) throw this.errorOf(command, result);
  }

  /**
   * @internal As `callBuiltIn`, but returns -errno. The struct is written where the core reads it: no buffer of its own.
   *
   * @throws IommufdError EINVAL for a field that does not fit; ENOTTY, which says who has the command.
   */
  tryBuiltIn<F extends Fields>(command: IoctlCommand<F>, fields: Input<F>): number {
    const { window, windowWords } = this.kernel;
    for (let at = 0; at < command.size >> 2; at++) windowWords[at] = 0; // fill() is slow on shared memory
    command.fill(window, fields);
    this.checkBuiltIn(command);
    return this.callWindow(command.request, command.size);
  }

  /** @internal A field of what `callBuiltIn` or `tryBuiltIn` was answered. */
  replyOf<F extends Fields, K extends string & keyof F>(command: IoctlCommand<F>, field: K): Values<F>[K] {
    return command.read(this.kernel.window, field);
  }

  /** @internal @throws IommufdError ENOTTY, which says who has the command. */
  checkBuiltIn<F extends Fields>(command: IoctlCommand<F>): void {
    if (!this.#calls.isBuiltIn(command)) throw this.#calls.missing(command);
  }

  /** @internal What `callBuiltIn` throws for -errno. */
  errorOf<F extends Fields>(command: IoctlCommand<F>, result: number): IommufdError {
    return this.#calls.errorOf(command.request, result);
  }

  /** @internal Hot: see IoctlCall.runWindow. */
  callWindow(request: number, size: number): number {
    return this.#calls.runWindow(request, size);
  }

  /** @internal Ioctls of a caller that has no memory here: addresses in its structs are EFAULT in every command. */
  withoutMemory(): IoctlCall {
    return new IoctlCall(this.kernel, this, false);
  }

  // -------------------------------------------------------------------------------------------------- destroy

  /**
   * IOMMU_DESTROY. (iommufd_destroy)
   *
   * @param options - `timeoutMs`: how long to wait for short-term holders, milliseconds; default for ever. A thread that may not
   *   block gives up long before, with EAGAIN.
   * @throws IommufdError ENOENT; EBUSY (long-term references); EAGAIN; ETIMEDOUT; EDEADLK (this thread holds the object itself);
   *   ENOSYS (the type's destroy callback is in another thread); ENOMEM (no handle left to wait with); EBADF; EINVAL (timeoutMs).
   *   What the destroy callback throws is rethrown once the object is gone.
   */
  destroy(id: number, options: { timeoutMs?: number } = {}): void {
    const result = this.#destroy(id, this.kernel.deadline(options));
    if (result < 0) throw destroyError(id, result);
  }

  /**
   * Hot twin of `destroy`: 0, or -errno; throws only what a destroy callback threw.
   *
   * @param timeoutMs - As for `destroy`.
   */
  tryDestroy(id: number, timeoutMs?: number): number {
    const deadline = tryDeadlineOf(timeoutMs);
    return Number.isNaN(deadline) ? -Errno.EINVAL : this.#destroy(id, deadline);
  }

  /**
   * As `destroy`, without blocking the thread; its own holders may let go meanwhile, so EDEADLK and EAGAIN do not occur.
   *
   * @throws IommufdError as `destroy`; ENOSYS where the host has no Atomics.waitAsync, ESRCH when the thread detaches meanwhile; the
   *   signal's reason when it fires. Whatever ends the wait undoes it.
   */
  async destroyAsync(id: number, options: WaitOptions = {}): Promise<void> {
    const deadline = this.kernel.deadline(options);
    if (!isId(id)) throw destroyError(id, -Errno.ENOENT);
    const begun = this.#core.destroy(this.fileAddress, this.#expected, id, 0);
    const result = await this.kernel.settleAsync(begun, this.fileAddress, this, deadline, options.signal);
    if (result < 0) throw destroyError(id, result);
  }

  #destroy(id: number, deadline: number): number {
    if (!isId(id)) return -Errno.ENOENT;
    const result = this.#core.destroy(this.fileAddress, this.#expected, id, 1);
    if (result > Layout.MUST_WAIT && this.#attention[0] === 0) return result;
    return this.kernel.settle(result, this.fileAddress, this, deadline);
  }

  // -------------------------------------------------------------------------------------------------- objects

  /** Reserves an ID and zeroed memory. (_iommufd_object_alloc) @throws IommufdError ENOMEM, EBUSY (no ID left), EBADF, EINVAL (foreign type). */
  alloc(type: ObjectType): ReservedObject {
    const handle = check(this.tryAlloc(type), "alloc");
    return new ReservedObject(this.#owner(), handle);
  }

  /** Hot twin of `alloc`: a handle, or -errno. @throws IommufdError EINVAL for what is no type of this Iommufd. */
  tryAlloc(type: ObjectType): number {
    const result = this.#core.alloc(this.fileAddress, this.#expected, this.#typeNumber(type));
    return result >= 0 ? result : this.#attended(result); // a reservation leaves nothing to attend to
  }

  /** Hot twin of `ReservedObject.finalize`. @throws IommufdError EINVAL for a handle that is no reservation of this thread here. */
  finalize(handle: number): number {
    const result = this.#finalize(this.fileAddress, this.#handle(handle));
    if (result >= 0 && this.#attention[0] === 0) return result; // an ID is below 2^27: its entry has 16 bytes
    return this.#finalizeSlowly(result, handle);
  }

  /** What the core's finalize did not publish, or left to attend to. */
  #finalizeSlowly(result: number, handle: number): number {
    // That refusal changed nothing; asked again, a core whose thread has detached says so.
    if (result === -Errno.EINVAL) result = this.#core.finalize(this.fileAddress, this.#handle(handle));
    return check(this.#attended(result), "finalize", "stale or foreign handle");
  }

  /** Hot twin of `ReservedObject.abort`. @throws IommufdError EINVAL as `finalize`. */
  abort(handle: number): void {
    const result = this.#core.abort(this.fileAddress, this.#handle(handle));
    check(this.#attended(result), "abort", "stale or foreign handle");
  }

  /**
   * Locks an object against destruction. (iommufd_get_object)
   *
   * @param type - Only an object of that type; default any.
   * @throws IommufdError ENOENT: missing, reserved, of another type, or about to be destroyed; ENOMEM: too many handles; EBADF.
   */
  get(id: number, type?: ObjectType): LockedObject {
    const handle = check(this.tryGet(id, type), "get", `object ${id}`);
    return new LockedObject(this.#owner(), handle);
  }

  /**
   * Hot twin of `get`: a handle in 1 … 2^30-1 that carries a generation, or -errno.
   *
   * @throws IommufdError EINVAL for what is no type of this Iommufd.
   */
  tryGet(id: number, type?: ObjectType): number {
    if (!isId(id)) return -Errno.ENOENT;
    const result =
      type === undefined
        ? this.#get(this.fileAddress, this.#expected, id)
        : this.#getTyped(this.fileAddress, this.#expected, id, this.#typeNumber(type));
    return result > 0 && result < Layout.HANDLE_UNCONFIRMED ? result : this.#getSlowly(result, id, type);
  }

  /** What the core's get left undecided. */
  #getSlowly(result: number, id: number, type: ObjectType | undefined): number {
    if (result !== 0) {
      const handle = result & ~Layout.HANDLE_UNCONFIRMED;
      result = this.#attended(this.#core.getConfirm(this.fileAddress, this.#expected, handle));
      if (result !== 0) return result;
    }
    const number = type === undefined ? 0 : this.#typeNumber(type);
    return this.#attended(this.#core.getSlowly(this.fileAddress, this.#expected, id, number));
  }

  /** Hot twin of `LockedObject.put`. @throws IommufdError EINVAL: stale, of another thread or context, or put twice. */
  put(handle: number): void {
    const valid = (handle | 0) === handle ? handle : 0; // other numbers would be folded into one that may be a handle
    const result = this.#put(this.fileAddress, valid);
    if (result !== 0) this.#putSlowly(result, valid);
  }

  /** What the core's put left to do. */
  #putSlowly(result: number, handle: number): void {
    if (result === Layout.PUT_SLOWLY) result = this.#core.putSlowly(this.fileAddress, handle);
    else result = this.#core.putUnquiet(this.fileAddress);
    check(this.#attended(result), "put", result === -Errno.EINVAL ? "stale or foreign handle" : undefined);
  }

  /** The ID behind a handle of `tryGet` or `tryAlloc`. @throws IommufdError EINVAL */
  idOf(handle: number): number {
    check(this.#core.describe(this.fileAddress, this.#handle(handle)), "idOf", "stale or foreign handle");
    return this.kernel.result(1) >>> 0;
  }

  /** Byte address of the object's payload in `iommufd.share.memory.buffer`. @throws IommufdError EINVAL */
  payloadOf(handle: number): number {
    check(this.#core.describe(this.fileAddress, this.#handle(handle)), "payloadOf", "stale or foreign handle");
    return this.kernel.result(0);
  }

  /** Hot twin of `ReservedObject.hold` for a locked target: 0, -ENOMEM, or -EINVAL for a bad handle. */
  hold(handle: number, target: number): number {
    const result = this.#core.hold(this.fileAddress, this.#handle(handle), this.#handle(target));
    return this.#attended(result);
  }

  /** Hot twin of `LockedObject.putKeepUser`: 0, or -EINVAL for a bad handle. `dropUser` gives the reference back. */
  putKeepUser(handle: number): number {
    const result = this.#core.putKeepUser(this.fileAddress, this.#handle(handle));
    return this.#attended(result);
  }

  /** Hot twin of `LockedObject.dropUser`: 0, or -EINVAL for a bad handle or when no reference is kept. */
  dropUser(handle: number): number {
    const result = this.#core.dropUser(this.fileAddress, this.#handle(handle));
    return this.#attended(result);
  }

  // -------------------------------------------------------------------------------------------------- address spaces

  /**
   * IOMMU_IOAS_ALLOC: a new, empty IO address space. (iommufd_ioas_alloc_ioctl)
   *
   * @throws IommufdError ENOTTY: rfc; ENOMEM; EBUSY: no ID left; EBADF.
   */
  ioasAlloc(): Ioas {
    this.callBuiltIn(IOMMU_IOAS_ALLOC, {});
    return new Ioas(this, this.replyOf(IOMMU_IOAS_ALLOC, "out_ioas_id"));
  }

  /** An address space that exists, by its ID. @throws IommufdError ENOTTY: rfc; ENOENT: no object, or of another type; EBADF. */
  ioas(id: number): Ioas {
    const ioas = new Ioas(this, id);
    if (this.inspect(id)?.type.number === Layout.TYPE_IOAS) return ioas;
    throw new IommufdError("ENOENT", { syscall: "ioas", message: `object ${id}` });
  }

  /**
   * IOMMU_OPTION_RLIMIT_MODE: whom pinned pages are charged to from the next mapping on: the user, or the process, as VFIO does it.
   * "user" at first. (iommufd_option_rlimit_mode)
   *
   * @throws IommufdError When it is set EPERM: without CAP_SYS_RESOURCE; EBUSY: the context has objects; EINVAL. ENOTTY: rfc; EBADF.
   */
  get rlimitMode(): "user" | "mm" {
    return this.#rlimitMode(IOMMU_OPTION_OP_GET, 0) === 0n ? "user" : "mm";
  }

  set rlimitMode(mode: "user" | "mm") {
    if (mode !== "user" && mode !== "mm") throw invalid("ioctl", 'must be "user" or "mm"', IOMMU_OPTION.name);
    this.#rlimitMode(IOMMU_OPTION_OP_SET, Number(mode === "mm"));
  }

  #rlimitMode(op: number, value: number): bigint {
    this.callBuiltIn(IOMMU_OPTION, { option_id: IOMMU_OPTION_RLIMIT_MODE, op, val64: value });
    return this.replyOf(IOMMU_OPTION, "val64");
  }

  /**
   * IOMMU_VFIO_IOAS: the address space that VFIO's requests on this file use; undefined: none, which destroying it brings about,
   * too. (iommufd_vfio_ioas)
   *
   * @throws IommufdError ENOENT: it is gone; EINVAL: another file's; ENOTTY: rfc; EBADF.
   */
  get vfioIoas(): Ioas | undefined {
    const result = this.tryBuiltIn(IOMMU_VFIO_IOAS, { op: IOMMU_VFIO_IOAS_GET });
    if (result === -Errno.ENODEV) return undefined;
    if (result < 0) throw this.errorOf(IOMMU_VFIO_IOAS, result);
    return new Ioas(this, this.replyOf(IOMMU_VFIO_IOAS, "ioas_id"));
  }

  set vfioIoas(ioas: Ioas | undefined) {
    const op = ioas === undefined ? IOMMU_VFIO_IOAS_CLEAR : IOMMU_VFIO_IOAS_SET;
    this.callBuiltIn(IOMMU_VFIO_IOAS, { op, ioas_id: ioas?.idIn(this) ?? 0 });
  }

  /**
   * IOMMU_IOAS_CHANGE_PROCESS: the process that the calling thread acts for becomes the owner of all mappings of this context, and pays
   * for what is pinned. (iommufd_ioas_change_process)
   *
   * @throws IommufdError EINVAL: a mapping is not of a file; EBUSY: one is in transition; ENOMEM: the new owner's limit. Nothing has
   *   changed. ENOTTY: rfc, or a kernel that does not have it; EBADF.
   */
  changeProcess(): void {
    this.callBuiltIn(IOMMU_IOAS_CHANGE_PROCESS, {});
  }

  /**
   * IOMMU_FAULT_QUEUE_ALLOC: a queue for page faults, and its file. (iommufd_fault_alloc)
   *
   * @throws IommufdError ENOTTY: rfc; ENOMEM; EBUSY: no ID left; EMFILE; EBADF.
   */
  faultQueueAlloc(): FaultQueue {
    this.callBuiltIn(IOMMU_FAULT_QUEUE_ALLOC, {});
    const id = this.replyOf(IOMMU_FAULT_QUEUE_ALLOC, "out_fault_id") as FaultQueueId;
    const fd = this.replyOf(IOMMU_FAULT_QUEUE_ALLOC, "out_fault_fd");
    return { id, file: new FaultFile(this.kernel, fd) };
  }

  // -------------------------------------------------------------------------------------------------- looking

  /** One published object, undisturbed; undefined when there is none with that ID. @throws IommufdError EBADF */
  inspect(id: number): ObjectInfo | undefined {
    return isId(id) ? readPublished(this.kernel, this.fileAddress, this.#expected, id) : undefined;
  }

  /**
   * All objects, reservations included, by ascending ID: each is consistent in itself.
   *
   * @param range - A part of them, so that many can be read a few at a time: `from` the last ID read, plus one. What is no ID or no
   *   count selects nothing.
   * @throws IommufdError EBADF
   */
  objects(range: ObjectRange = {}): ObjectInfo[] {
    const { from = 0 } = range;
    return isId(from) ? readObjects(this.kernel, this.fileAddress, this.#expected, range) : [];
  }

  /**
   * A pretend device's access to the IO address spaces of this context, attached to none yet (`Ioas.access` attaches it, too). It keeps
   * the file open until it is destroyed, or this thread leaves. (iommufd_access_create)
   *
   * @throws IommufdError ENOTTY (not in the rfc profile); ENOMEM; EBUSY (no ID); EMFILE (1024 owners); EBADF; EIO
   */
  access(options: AccessOptions = {}): DriverAccess {
    return new DriverAccess(this.kernel, this, options);
  }

  // -------------------------------------------------------------------------------------------------- close

  /**
   * Ends this context: closes the number (`open`, `file`) or gives the reference back (`fget`). Idempotent, never waits. The graph
   * is released when the last reference, the last lock and the last call in flight are gone, by the thread where that happens.
   * What a destroy callback throws is rethrown once the release is complete. (iommufd_fops_release)
   */
  close(): void {
    if (this.#expected === Layout.FILE_NEVER || this.kernel.detached) return;
    const expected = this.#access === "call" ? openState(this.#expected) : this.#expected;
    this.#expected = Layout.FILE_NEVER;
    if (this.#access === "fget") {
      this.kernel.references.delete(this);
      this.#core.fput(this.fileAddress);
    } else {
      this.#core.closeNumber(this.fileAddress, expected); // EBADF: somebody else has closed it
    }
    this.#attended(0);
  }

  /** `close`, for `using`. */
  [dispose](): void {
    this.close();
  }

  // -------------------------------------------------------------------------------------------------- internals

  /** Does what the call left to do, if anything. */
  #attended(result: number): number {
    if (this.#attention[0] !== 0) this.kernel.attend();
    return result;
  }

  #handle(handle: number): number {
    // A number that is no 32-bit integer would be folded into one that may be a handle.
    return (handle | 0) === handle ? handle : 0;
  }

  #typeNumber(type: ObjectType): number {
    if ((type as ObjectType | null | undefined)?.owner !== this.kernel)
      throw invalid("iommufd", "the type is another Iommufd's");
    return type.number;
  }

  #owner(): Owner {
    return {
      kernel: this.kernel,
      context: this,
      file: this.fileAddress,
      // The object that a handle is made for keeps the file, so this is the state of its own open.
      byReference: byReferenceState(this.kernel.word(this.fileAddress + Layout.FILE_STATE)),
    };
  }
}

function destroyError(id: number, result: number): IommufdError {
  return IommufdError.fromErrno(result, { command: "IOMMU_DESTROY", message: `object ${id}` });
}

/** Whether a number can be an ID at all: the core takes 32 bits and would fold others. */
function isId(id: number): boolean {
  return (id | 0) === id ? id >= 0 : id >>> 0 === id; // the first question is the cheaper one, and nearly always enough
}

/** The state of a number that is open, from any state of the same open. */
function openState(state: number): number {
  return (state & ~Layout.FILE_PHASE_MASK) | Layout.FILE_OPEN;
}

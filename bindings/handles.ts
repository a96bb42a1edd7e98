// SPDX-License-Identifier: GPL-2.0-only
/**
 * The states of an object's life as classes, so that misuse does not type-check.
 *
 *   alloc() ──► ReservedObject ── finalize() ──► published ── get() ──► LockedObject ── put()
 *                     └── abort()                                           └── putKeepUser() ──► ObjectReference
 *
 * A handle is used up by the method that ends its state; using it again throws EINVAL and says so. Handles belong to the
 * thread that made them.
 *
 * Kernel counterpart: the rules between iommufd_get_object(), iommufd_put_object(), iommufd_put_object_keep_user() and
 * iommufd_object_destroy_user().
 */
import type { IommufdContext } from "./context.js";
import { check, invalid } from "./error.js";
import { Errno } from "./generated/errno.js";
import { Layout } from "./generated/layout.js";
import type { Kernel } from "./kernel.js";
import type { ObjectType } from "./object-type.js";
import type { WaitOptions } from "./wait.js";

/** What a handle works on. */
export interface Owner {
  readonly kernel: Kernel;
  readonly context: IommufdContext;
  /** File address, and the state that a reference to the file expects. */
  readonly file: number;
  readonly byReference: number;
}

/** A handle of the core, until it is used up. */
abstract class Handle {
  /** The object's ID. */
  readonly id: number;
  protected readonly owner: Owner;
  readonly #handle: number;
  readonly #payload: number;
  readonly #type: ObjectType;
  #ended: string | undefined;

  /** Made by `IommufdContext.alloc` and `get`. */
  constructor(owner: Owner, handle: number) {
    const { kernel } = owner;
    check(kernel.core.describe(owner.file, handle), "iommufd");
    this.owner = owner;
    this.#handle = handle;
    this.#payload = kernel.result(0);
    this.id = kernel.result(1) >>> 0;
    this.#type = kernel.typeOf(kernel.result(2));
  }

  /** The object's type. */
  get type(): ObjectType {
    return this.#type;
  }

  /** The object's memory, shared by all threads. @throws IommufdError EINVAL once the handle is used up. */
  get payload(): DataView {
    this.use("payload");
    return new DataView(this.owner.kernel.memory.buffer, this.#payload, this.#type.payloadBytes);
  }

  /** @internal The core's handle. @throws IommufdError EINVAL once it is used up. */
  use(operation: string): number {
    if (this.#ended === undefined) return this.#handle;
    throw invalid(operation, `${this.constructor.name} ${this.id} was used up by ${this.#ended}()`);
  }

  /** Ends the handle; the core's handle is returned for one last call. */
  protected end(operation: string): number {
    const handle = this.use(operation);
    this.#ended = operation;
    return handle;
  }

  /** @internal */
  isOf(owner: Owner): boolean {
    return isSameOpen(this.owner, owner);
  }
}

/** An object whose ID is taken but which no lookup sees. Ends by `finalize` or `abort`. */
export class ReservedObject extends Handle {
  /**
   * This object keeps a users reference on `target`, dropped when it is destroyed. A LockedObject stays locked and gains one
   * user; an ObjectReference is consumed.
   *
   * @throws IommufdError ENOMEM, and nothing has changed; EINVAL for a used-up handle or another context's object.
   */
  hold(target: LockedObject | ObjectReference): void {
    const { kernel, file } = this.owner;
    const handle = this.use("hold");
    if (!(target instanceof Handle || target instanceof ObjectReference) || !target.isOf(this.owner)) {
      throw invalid("hold", "the target must be a LockedObject or an ObjectReference of the same context");
    }
    if (target instanceof Handle) {
      check(kernel.core.hold(file, handle, target.use("hold")), "hold");
    } else {
      target.consume("hold", (id, serial) => kernel.core.holdReference(file, handle, id, serial));
    }
    kernel.attend();
  }

  /** Publishes the object: from here on anybody may find it. Returns its ID. (iommufd_object_finalize) */
  finalize(): number {
    const { kernel, file } = this.owner;
    const id = check(kernel.core.finalize(file, this.end("finalize")), "finalize");
    kernel.attend();
    return id >>> 0;
  }

  /** Undoes the allocation: the ID is free again, its holds are dropped. (iommufd_object_abort) */
  abort(): void {
    const { kernel, file } = this.owner;
    check(kernel.core.abort(file, this.end("abort")), "abort");
    kernel.attend();
  }
}

/** A published object that cannot be destroyed meanwhile. Ends by `put` or `putKeepUser`. */
export class LockedObject extends Handle {
  /** Lets go. (iommufd_put_object) */
  put(): void {
    this.owner.context.put(this.end("put"));
  }

  /** Lets go of the lock but keeps the users reference. (iommufd_put_object_keep_user) */
  putKeepUser(): ObjectReference {
    const { kernel, file } = this.owner;
    check(kernel.core.putKeepUser(file, this.end("putKeepUser")), "putKeepUser");
    const serial = (kernel.result(0) >>> 0) + (kernel.result(1) >>> 0) * 2 ** 32;
    const reference = new ObjectReference(this.owner, this.id, serial);
    kernel.attend();
    return reference;
  }

  /**
   * Drops one users reference that any thread kept; the lock stays. (refcount_dec)
   *
   * @throws IommufdError EINVAL when none is kept.
   */
  dropUser(): void {
    const { kernel, file } = this.owner;
    check(kernel.core.dropUser(file, this.use("dropUser")), "dropUser", "no users reference is kept");
    kernel.attend();
  }
}

/** What a reference says while `destroyUserAsync` waits. */
const WAITING = "destroyUserAsync";

/** A users reference that is held beyond one call. It does not keep the file open. */
export class ObjectReference {
  /** The object's ID. */
  readonly id: number;
  readonly #owner: Owner;
  /** Tells the object from all others that had its ID. */
  readonly #serial: number;
  #ended: string | undefined;

  /** Made by `LockedObject.putKeepUser`. */
  constructor(owner: Owner, id: number, serial: number) {
    this.#owner = owner;
    this.id = id;
    this.#serial = serial;
  }

  /**
   * Drops the reference. (refcount_dec)
   *
   * @throws IommufdError EBADF when the file was released; EINVAL when it is used up, also by another thread's `dropUser`.
   */
  drop(): void {
    const { kernel, file, byReference } = this.#owner;
    this.consume("drop", (id, serial) => kernel.core.dropReference(file, byReference, id, serial));
  }

  /**
   * Destroys the object if this reference is the last besides the table's, waiting for short-term holders as far as this thread may.
   * The reference is consumed in either case. (iommufd_object_destroy_user)
   *
   * @returns Whether the object was destroyed.
   * @throws IommufdError with the reference kept: EAGAIN (this thread may not block), ETIMEDOUT, EDEADLK, ENOSYS, EBADF, EINVAL.
   */
  destroyUser(options: { timeoutMs?: number } = {}): boolean {
    const { kernel, file, context } = this.#owner;
    const deadline = kernel.deadline(options);
    return this.#answer(kernel.settle(this.#begin(true), file, context, deadline, this.#used));
  }

  /** As `destroyUser`, without blocking. The reference is kept when the promise rejects, unless a destroy callback threw. */
  async destroyUserAsync(options: WaitOptions = {}): Promise<boolean> {
    const { kernel, file, context } = this.#owner;
    const deadline = kernel.deadline(options);
    const begun = this.#begin(false);
    this.#ended = WAITING; // nobody else may use it meanwhile
    try {
      return this.#answer(await kernel.settleAsync(begun, file, context, deadline, options.signal, this.#used));
    } finally {
      if (this.#ended === WAITING) this.#ended = undefined;
    }
  }

  /** The object is gone, whatever its callback does. */
  readonly #used = (): void => {
    this.#ended = "destroyUser";
  };

  #begin(blocking: boolean): number {
    const { kernel, file, byReference } = this.#owner;
    this.#check("destroyUser");
    return kernel.core.destroyReference(file, byReference, this.id, this.#serial, Number(blocking));
  }

  #answer(result: number): boolean {
    if (result !== 0 && result !== -Errno.EBUSY) check(result, "destroyUser");
    this.#used();
    return result === 0;
  }

  /** @internal Hands the reference over to a call of the core; it is used up unless the call fails. */
  consume(operation: string, call: (id: number, serial: number) => number): void {
    this.#check(operation);
    const result = call(this.id, this.#serial);
    const { kernel } = this.#owner;
    kernel.attend(); // also when it failed: the mark it took may have been the last
    check(result, operation);
    this.#ended = operation;
  }

  /** @internal */
  isOf(owner: Owner): boolean {
    return isSameOpen(this.#owner, owner);
  }

  #check(operation: string): void {
    if (this.#ended === undefined) return;
    throw invalid(operation, `ObjectReference ${this.id} was used up by ${this.#ended}()`);
  }
}

/** Whether both belong to this thread and to one open of one file: a row that was opened again is another file. */
function isSameOpen(one: Owner, other: Owner): boolean {
  return one.kernel === other.kernel && one.file === other.file && one.byReference === other.byReference;
}

/** The state that a reference to a file expects, from a state of the same open. */
export function byReferenceState(state: number): number {
  return (state & ~Layout.FILE_PHASE_MASK) | Layout.FILE_CLOSED;
}

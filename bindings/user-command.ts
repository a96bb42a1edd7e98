// SPDX-License-Identifier: GPL-2.0-only
/**
 * An ioctl that is being executed by JavaScript, and its argument in the caller's memory.
 *
 * The struct was copied in once and validated before `execute` runs; nothing that the caller does to its memory meanwhile is
 * seen. The reply goes back by `respond`, and further memory that the struct points to is reached by address.
 *
 * Kernel counterpart: struct iommufd_ucmd, iommufd_ucmd_respond(), copy_to_user(), copy_from_user().
 */
import type { IoctlCommand, Output } from "./command.js";
import type { IommufdContext } from "./context.js";
import { IommufdError, invalid, isWithin } from "./error.js";
import type { Kernel } from "./kernel.js";
import type { Fields } from "./struct.js";
import { readUser, writeUser } from "./user-space.js";

/** The memory behind an ioctl's argument: a JavaScript buffer's bytes, or a user address. */
export type UserBuffer = Uint8Array | bigint;

/** What `execute` of a defined ioctl gets. Valid until it returns. */
export class UserCommand<F extends Fields> {
  /** The file of the call, which cannot be released before the call ends. */
  readonly context: IommufdContext;
  /** The struct's fields; what the caller's shorter struct left out is zero. Write the reply here, then `respond`. */
  readonly fields: Output<F>;
  /** The size that the caller declared, in bytes; may be smaller or larger than the struct. */
  readonly userSize: number;
  readonly #kernel: Kernel;
  readonly #command: IoctlCommand<F>;
  readonly #struct: Uint8Array;
  readonly #buffer: UserBuffer;
  readonly #hasMemory: boolean;
  #running = true;

  /** Made for each call of the command's `execute`. */
  constructor(
    kernel: Kernel,
    context: IommufdContext,
    command: IoctlCommand<F>,
    struct: Uint8Array,
    userSize: number,
    buffer: UserBuffer,
    hasMemory: boolean,
  ) {
    this.#kernel = kernel;
    this.#hasMemory = hasMemory;
    this.context = context;
    this.#command = command;
    this.#struct = struct;
    this.userSize = userSize;
    this.#buffer = buffer;
    this.fields = command.decode(struct);
  }

  /**
   * Copies the struct with its present field values back to the caller: the first min(userSize, length) bytes.
   * (iommufd_ucmd_respond)
   *
   * @param length - Bytes of the reply; default the whole struct.
   * @throws IommufdError EFAULT when a byte cannot be written (those before it were); EINVAL for a field or length out of range.
   */
  respond(length: number = this.#command.size): void {
    this.#check();
    if (!isWithin(length, 0, this.#command.size)) {
      throw invalid("respond", `length must be 0 … ${this.#command.size}`, this.#command.name);
    }
    this.#command.write(this.#struct, this.fields);
    const reply = this.#struct.subarray(0, Math.min(this.userSize, length));
    const buffer = this.#buffer;
    if (typeof buffer === "bigint") {
      writeUser(this.#kernel, buffer, reply);
      return;
    }
    if (buffer.length > 0) buffer.set(reply.subarray(0, buffer.length)); // a detached one has no length
    if (reply.length > buffer.length) throw new IommufdError("EFAULT", { command: this.#command.name });
  }

  /** Copies bytes to user memory. (copy_to_user) @throws IommufdError EFAULT; the bytes before the bad one were written. */
  copyToUser(address: bigint, bytes: Uint8Array): void {
    this.#checkAccess();
    writeUser(this.#kernel, address, bytes);
  }

  /** Copies `length` bytes from user memory. (copy_from_user) @throws IommufdError EFAULT */
  copyFromUser(address: bigint, length: number): Uint8Array {
    this.#checkAccess();
    return readUser(this.#kernel, address, length);
  }

  /** @internal The call is over. */
  end(): void {
    this.#running = false;
  }

  /** A remote caller's pointers point into no memory of this process: whatever they say, nothing is there. */
  #checkAccess(): void {
    this.#check();
    if (!this.#hasMemory) throw new IommufdError("EFAULT", { command: this.#command.name });
  }

  #check(): void {
    if (!this.#running) throw invalid("ioctl", "the command has returned already", this.#command.name);
  }
}

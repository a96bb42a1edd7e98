// SPDX-License-Identifier: GPL-2.0-only
/**
 * One ioctl from its argument to its answer: bytes in, dispatch in the core, commands executed here, bytes out.
 *
 * A JavaScript buffer travels through the thread's window: its first bytes are copied in, the core validates and copies the
 * struct. What a command of the core writes there is taken back into the buffer; commands that are executed here write into it
 * themselves.
 */
import type { IoctlCommand } from "./command.js";
import type { IommufdContext } from "./context.js";
import type { CoreExports } from "./core.js";
import { IommufdError } from "./error.js";
import { Errno } from "./generated/errno.js";
import { Layout } from "./generated/layout.js";
import type { Kernel } from "./kernel.js";
import type { Fields } from "./struct.js";
import { builtElsewhere } from "./uapi.js";
import { UserCommand } from "./user-command.js";
import { type UserAddress, isAddress, readUser } from "./user-space.js";

/** The argument of an ioctl: a buffer, a user address, or the null pointer. */
export type Argument = ArrayBufferView | UserAddress | null;

/** Up to this many bytes a loop beats TypedArray.set, and needs no view. A multiple of four; the structs of MAP and COPY have 40. */
const LOOP_BYTES = 48;
/** Bytes of an argument that a trace shows. */
const TRACE_BYTES = Layout.COMMAND_BYTES;
const MAX_ERRNO = 4095;
/** More than the structs of the commands that unmap. */
const KEPT_BYTES = 64;

export class IoctlCall {
  readonly #kernel: Kernel;
  readonly #core: CoreExports;
  readonly #context: IommufdContext;
  readonly #hasMemory: boolean;
  /** Index in `words` of the thread's word that says how much of the window is a reply. */
  readonly #windowWritten: number;

  /** @param hasMemory - Whether the caller has memory here: without, every address in its structs is EFAULT. */
  constructor(kernel: Kernel, context: IommufdContext, hasMemory = true) {
    this.#hasMemory = hasMemory;
    this.#kernel = kernel;
    this.#core = kernel.core;
    this.#windowWritten = (kernel.thread + Layout.THREAD_WINDOW_WRITTEN) >> 2;
    this.#context = context;
  }

  /** Runs an ioctl, blocking where it must and may. Returns ≥ 0 or -errno. */
  run(request: number, arg: Argument, deadline: number): number {
    if (this.#kernel.traceListener !== undefined) return this.#runTraced(request, arg, deadline);
    const result = this.#dispatch(request, arg, 1);
    if (result > Layout.MUST_WAIT && this.#kernel.words[this.#kernel.attention] === 0) return result;
    return this.#kernel.settle(result, this.#context.fileAddress, this.#context, deadline);
  }

  /**
   * Runs a built-in command that never waits, whose struct of `size` bytes the caller has written into the thread's window; the reply is
   * there afterwards. Allocates nothing.
   */
  runWindow(request: number, size: number): number {
    const kernel = this.#kernel;
    if (kernel.traceListener !== undefined) {
      const bytes = kernel.window.slice(0, size);
      const result = this.#runTraced(request, bytes, Infinity);
      kernel.window.set(bytes);
      return result;
    }
    const { fileAddress, expected } = this.#context;
    let result = this.#core.ioctlWindow(fileAddress, expected, request, size, 1);
    if (result === Layout.MUST_NOTIFY) result = this.#unmapPinned(request, null);
    kernel.words[this.#windowWritten] = 0;
    if (kernel.words[kernel.attention] !== 0) this.#attendWindow(size);
    return result;
  }

  /** What is attended to may call ioctls of its own. */
  #attendWindow(size: number): void {
    const reply = this.#kernel.window.slice(0, size);
    this.#kernel.attend();
    this.#kernel.window.set(reply);
  }

  /** As `run`, without blocking. */
  async runAsync(request: number, arg: Argument, deadline: number, signal: AbortSignal | undefined): Promise<number> {
    const kernel = this.#kernel;
    const { pid } = kernel; // the thread may act for another one when this is over
    const before = kernel.traceListener === undefined ? undefined : this.#peek(arg);
    const begun = this.#dispatch(request, arg, 0);
    const result = await kernel.settleAsync(begun, this.#context.fileAddress, this.#context, deadline, signal);
    if (before !== undefined) kernel.within(pid, () => this.#trace(request, arg, before, result));
    return result;
  }

  /** Whether the machine has the command, and not another one of its number that JavaScript defined. */
  isBuiltIn<F extends Fields>(command: IoctlCommand<F>): boolean {
    return (this.#kernel.commands.get(command.nr)?.command as unknown) === command;
  }

  /** What a call of a command throws that this machine lacks. */
  missing<F extends Fields>({ request, name }: IoctlCommand<F>): IommufdError {
    const profile = this.#kernel.word(Layout.IDENTITY_PROFILE);
    return IommufdError.fromErrno(-Errno.ENOTTY, builtElsewhere(request, -Errno.ENOTTY, profile) ?? { command: name });
  }

  /** What `ioctl` throws for -errno. */
  errorOf(request: number, result: number): IommufdError {
    const name = this.#commandOf(request)?.name;
    if (name !== undefined) return IommufdError.fromErrno(result, { command: name });
    const profile = this.#kernel.word(Layout.IDENTITY_PROFILE);
    return IommufdError.fromErrno(result, builtElsewhere(request, result, profile) ?? {});
  }

  /** The command that this thread knows by the whole request. */
  #commandOf(request: number): IoctlCommand<Fields> | undefined {
    const command = this.#kernel.commands.get(request & 0xff)?.command;
    return command?.request === request ? command : undefined;
  }

  #dispatch(request: number, arg: Argument, blocking: number): number {
    const context = this.#context;
    // What is no 32-bit number is no request; 0 is none either, and the order of errors stays the kernel's.
    if ((request | 0) !== request && request >>> 0 !== request) request = 0;
    let result: number;
    if (arg === null || typeof arg === "bigint") {
      const address = arg ?? 0n;
      // An address beyond 64 bits is as unmapped as the last byte of the 64.
      const user = isAddress(address) ? address : -1n;
      result = this.#core.ioctlUser(context.fileAddress, context.expected, request, user, blocking);
    } else {
      const bytes = arg instanceof Uint8Array ? arg : bytesOf(arg);
      this.#fillWindow(bytes, 0);
      result = this.#core.ioctlWindow(context.fileAddress, context.expected, request, bytes.length, blocking);
      if (result === Layout.MUST_REFILL) result = this.#scanTail(request, bytes, blocking);
      const written = this.#kernel.words[this.#windowWritten] ?? 0;
      if (written !== 0) this.#takeReply(bytes, written);
    }
    if (result === Layout.MUST_NOTIFY) result = this.#unmapPinned(request, arg);
    return result === Layout.MUST_EXECUTE ? this.#execute(request, arg) : result;
  }

  /**
   * An UNMAP found pins of accesses: each is asked to let go, then it goes on, round by round. The call's words, its struct and its
   * window are kept meanwhile, because the callbacks may make calls of their own. What they throw is thrown when the UNMAP is over.
   */
  #unmapPinned(request: number, arg: Argument): number {
    const { bytes, command, core, thread, window } = this.#kernel;
    const file = this.#context.fileAddress;
    const failures: unknown[] = [];
    let result: number = Layout.MUST_NOTIFY;
    while (result === Layout.MUST_NOTIFY) {
      const words = bytes.slice(thread + Layout.THREAD_CALL, thread + Layout.THREAD_CALL + Layout.THREAD_CALL_BYTES);
      const struct = command.slice(0, KEPT_BYTES);
      const view = window.slice(0, KEPT_BYTES);
      this.#notify(file, words, failures);
      bytes.set(words, thread + Layout.THREAD_CALL);
      command.set(struct);
      window.set(view);
      result = core.ioctlAgain(file, request);
    }
    if (arg !== null && typeof arg !== "bigint") {
      const written = this.#kernel.words[this.#windowWritten] ?? 0;
      if (written !== 0) this.#takeReply(bytesOf(arg), written);
    }
    if (failures.length === 0) return result;
    this.#kernel.words[this.#windowWritten] = 0;
    this.#kernel.attend();
    throw failures[0];
  }

  /** Asks every access of this thread on the address space to let go of the area whose bounds the words tell. */
  #notify(file: number, words: Uint8Array, failures: unknown[]): void {
    const view = new DataView(words.buffer);
    const first = view.getBigUint64(Layout.THREAD_RANGE_FIRST - Layout.THREAD_CALL, true);
    const last = view.getBigUint64(Layout.THREAD_RANGE_LAST - Layout.THREAD_CALL, true);
    this.#core.describe(file, view.getUint32(Layout.THREAD_UNMAP_HANDLE - Layout.THREAD_CALL, true));
    const ioasId = this.#kernel.result(1) >>> 0;
    // Who comes to be while they are asked has nothing there that could be in the way.
    for (const access of [...this.#kernel.accesses]) {
      if (!access.isOn(file, ioasId)) continue;
      try {
        access.notify(first, last - first + 1n);
      } catch (error) {
        failures.push(error);
      }
    }
  }

  /** The command's reply: the first bytes of the window. */
  #takeReply(bytes: Uint8Array, length: number): void {
    const { window } = this.#kernel;
    this.#kernel.words[this.#windowWritten] = 0;
    length = Math.min(length, bytes.length);
    if (length > LOOP_BYTES) bytes.set(window.subarray(0, length));
    else for (let at = 0; at < length; at++) bytes[at] = window[at] ?? 0;
  }

  /** The window gets the buffer's bytes from `offset` on. */
  #fillWindow(bytes: Uint8Array, offset: number): void {
    const length = Math.min(bytes.length - offset, Layout.COMMAND_BYTES);
    if (length > LOOP_BYTES) this.#kernel.window.set(bytes.subarray(offset, offset + length));
    else fillWords(this.#kernel.windowWords, bytes, offset, length);
  }

  /** The unknown tail of a buffer that is longer than the window. */
  #scanTail(request: number, bytes: Uint8Array, blocking: number): number {
    const { fileAddress, expected } = this.#context;
    const size = this.#kernel.result(1) >>> 0;
    let result: number = Layout.MUST_REFILL;
    while (result === Layout.MUST_REFILL) {
      const offset = this.#kernel.result(0);
      this.#fillWindow(bytes, offset);
      result = this.#core.ioctlTail(offset, size, bytes.length);
    }
    if (result !== 0) return result;
    this.#fillWindow(bytes, 0);
    return this.#core.ioctlHead(fileAddress, expected, request, size, bytes.length, blocking);
  }

  /** Executes a command that this thread defined. */
  #execute(request: number, arg: Argument): number {
    const kernel = this.#kernel;
    const bound = kernel.commands.get(request & 0xff);
    const { fileAddress: file } = this.#context;
    const userSize = kernel.result(0) >>> 0;
    const size = bound?.command.size ?? 0;
    const struct = kernel.command.slice(0, size);
    const buffer =
      arg === null || typeof arg === "bigint" ? (arg ?? 0n) : arg instanceof Uint8Array ? arg : bytesOf(arg);
    let cmd: UserCommand<Fields> | undefined;
    try {
      const execute = bound?.execute;
      if (bound === undefined || execute === undefined) return -Errno.ENOTTY;
      const state = (kernel.word(file + Layout.FILE_STATE) & ~Layout.FILE_PHASE_MASK) | Layout.FILE_DRAINING;
      const context = kernel.contextOn(file, state);
      const running = new UserCommand(kernel, context, bound.command, struct, userSize, buffer, this.#hasMemory);
      cmd = running;
      return answerOf(
        kernel.callUser(() => execute(running)),
        bound.command.name,
      );
    } catch (error) {
      if (error instanceof IommufdError) return error.errno;
      throw error;
    } finally {
      cmd?.end();
      this.#core.ioctlEnd(file);
      if (kernel.words[kernel.attention] !== 0) kernel.attend();
    }
  }

  // -------------------------------------------------------------------------------------------------- tracing

  #runTraced(request: number, arg: Argument, deadline: number): number {
    const before = this.#peek(arg);
    const begun = this.#dispatch(request, arg, 1);
    const result = this.#kernel.settle(begun, this.#context.fileAddress, this.#context, deadline);
    this.#trace(request, arg, before, result);
    return result;
  }

  #trace(request: number, arg: Argument, before: Uint8Array, result: number): void {
    this.#kernel.traceListener?.({
      fd: this.#context.fd,
      request,
      address: arg === null || typeof arg === "bigint" ? arg : undefined,
      before,
      bytes: this.#peek(arg),
      result,
      command: this.#commandOf(request),
    });
  }

  /** A copy of the argument's bytes: all of a buffer, or what a user address declares, as far as it can be read. */
  #peek(arg: Argument): Uint8Array {
    if (arg !== null && typeof arg !== "bigint") return bytesOf(arg).slice(0, TRACE_BYTES);
    const none = new Uint8Array(0);
    if (arg === null) return none;
    try {
      const head = readUser(this.#kernel, arg, 4);
      const size = new DataView(head.buffer).getUint32(0, true);
      if (size <= head.length) return head;
      return readUser(this.#kernel, arg, Math.min(size, TRACE_BYTES));
    } catch {
      return none;
    }
  }
}

/** Word by word, as the core reads them: a wide load that follows narrow stores waits for them. */
function fillWords(words: Int32Array, bytes: Uint8Array, offset: number, length: number): void {
  const whole = length & ~3;
  for (let at = 0; at < whole; at += 4) {
    const from = offset + at;
    words[at >> 2] =
      (bytes[from] ?? 0) |
      ((bytes[from + 1] ?? 0) << 8) |
      ((bytes[from + 2] ?? 0) << 16) |
      ((bytes[from + 3] ?? 0) << 24);
  }
  let rest = 0;
  for (let at = length - 1; at >= whole; at--) rest = (rest << 8) | (bytes[offset + at] ?? 0);
  if (whole < length) words[whole >> 2] = rest;
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  if (!ArrayBuffer.isView(view)) {
    throw new TypeError("the argument of an ioctl is an ArrayBufferView, a bigint address, or null");
  }
  try {
    return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  } catch {
    return new Uint8Array(0); // detached, or resized away from under the view: no byte is accessible
  }
}

/** What `execute` returned, as an answer of ioctl(2). */
function answerOf(value: number | void, command: string): number {
  if (value === undefined) return 0;
  if (Number.isInteger(value) && value >= -MAX_ERRNO && value <= 0x7fff_ffff) return value + 0; // never -0
  throw new TypeError(`execute of ${command} must return nothing, a number ≥ 0 or -errno, not ${String(value)}`);
}

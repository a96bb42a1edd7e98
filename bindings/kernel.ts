// SPDX-License-Identifier: GPL-2.0-only
/**
 * This thread's side of the shared memory: the core's instance, the views on it, and what the core leaves to JavaScript.
 *
 * After every call of the core its `attention` word says whether something is to be done before the caller gets its answer:
 * run a file's release, or hand out warnings. No callback of the user runs while the core is inside a locked section,
 * because the core never calls out; it returns, and is called again.
 *
 * Internal: the public classes share one Kernel per Iommufd.
 */
import type { Access as DriverAccess } from "./access.js";
import type { IoctlCommand } from "./command.js";
import type { Access, IommufdContext } from "./context.js";
import { type CoreExports, disarm, instantiate } from "./core.js";
import { IommufdError, check, failure } from "./error.js";
import type { ExternalMemory } from "./external-memory.js";
import { Errno } from "./generated/errno.js";
import { Layout } from "./generated/layout.js";
import { Life } from "./life.js";
import { type ObjectTypeDefinition, ObjectType } from "./object-type.js";
import { DEFAULT_PID } from "./process.js";
import type { ReapReport } from "./reap.js";
import type { Fields } from "./struct.js";
import type { TraceListener } from "./trace-event.js";
import type { UserCommand } from "./user-command.js";
import { type WaitOptions, canBlock, deadlineOf, waitAsync, waitSync } from "./wait.js";
import { type IommufdWarning, WARNING_KINDS } from "./warnings.js";

/** A command that this thread can call; built-in ones have no `execute`. */
export interface BoundCommand {
  readonly command: IoctlCommand<Fields>;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the fields' type is known at the definition only
  readonly execute?: (cmd: UserCommand<any>) => number | void;
}

/** Makes a context on a file; given by the public class, because contexts know the kernel and not the other way round. */
export type ContextFactory = (kernel: Kernel, file: number, expected: number, access: Access) => IommufdContext;

export class Kernel {
  readonly core: CoreExports;
  readonly memory: WebAssembly.Memory;
  readonly module: WebAssembly.Module;
  /** The whole memory, in 32-bit words, bytes and 64-bit words. */
  readonly words: Int32Array;
  readonly bytes: Uint8Array;
  readonly longs: BigInt64Array;
  readonly mayBlock: boolean;
  /** Address of this thread's slot. */
  readonly thread: number;
  /** Index in `words` of the thread's attention word: not 0 after a call means `attend` must run. */
  readonly attention: number;
  /** That word alone. */
  readonly attentionWord: Int32Array;
  /** How this thread's death will be known. */
  readonly life: Life;
  /** The two argument buffers of the thread. */
  window: Uint8Array;
  windowWords: Int32Array;
  command: Uint8Array;

  readonly commands = new Map<number, BoundCommand>();
  traceListener: TraceListener | undefined;
  onWarning: ((warning: IommufdWarning) => void) | undefined;

  readonly #types = new Map<number, ObjectType>();
  readonly #callbacks = new Map<number, NonNullable<ObjectTypeDefinition["destroy"]>>();
  #detached = false;
  /** Contexts that fget made: the references of this thread on files. */
  readonly references = new Set<IommufdContext>();
  /** Dead threads that this one is reaping, by number and incarnation. */
  readonly reaping = new Map<number, Promise<ReapReport>>();
  /** Accesses that this thread has made: UNMAP asks them to let go. */
  readonly accesses = new Set<DriverAccess>();
  /** Wakes the asynchronous waits of this thread. */
  readonly pendingWaits = new Set<() => void>();
  /** Callbacks of the user that run now. */
  #callbacksRunning = 0;

  /** Memories of external mappings that this thread knows, by the mapping's number. */
  readonly externals = new Map<number, ExternalMemory>();
  /** Number of the process for which this thread's calls act; it may have ended. */
  #pid = DEFAULT_PID;

  readonly #makeContext: ContextFactory;

  constructor(module: WebAssembly.Module, memory: WebAssembly.Memory, makeContext: ContextFactory) {
    this.#makeContext = makeContext;
    this.module = module;
    this.memory = memory;
    this.core = instantiate(module, memory);
    this.words = new Int32Array(memory.buffer);
    this.bytes = new Uint8Array(memory.buffer);
    this.longs = new BigInt64Array(memory.buffer);
    this.mayBlock = canBlock(this.words);
    if (this.core.isCompatible() === 0) {
      throw failure(
        "EINVAL",
        "attach",
        `the memory was made by another version of this library (this one has ABI ${Layout.ABI_VERSION})`,
      );
    }
    this.thread = this.core.attachThread(Number(this.mayBlock));
    if (this.thread === 0) {
      throw failure("EAGAIN", "attach", `all ${Layout.MAX_THREADS} thread slots are taken`);
    }
    this.life = new Life(this);
    this.attention = (this.thread + Layout.THREAD_ATTENTION) >> 2;
    this.attentionWord = this.words.subarray(this.attention, this.attention + 1);
    this.window = this.bytes.subarray(this.thread + Layout.THREAD_WINDOW).subarray(0, Layout.COMMAND_BYTES);
    this.windowWords = new Int32Array(this.window.buffer, this.window.byteOffset, this.window.length >> 2);
    this.command = this.bytes.subarray(this.thread + Layout.THREAD_COMMAND).subarray(0, Layout.COMMAND_BYTES);
  }

  /** A context of this thread for what runs on a file's behalf: a callback (closed), or a command in flight. */
  contextOn(file: number, expected: number): IommufdContext {
    return this.#makeContext(this, file, expected, "call");
  }

  /** A 32-bit word of the memory, unsigned. */
  word(address: number): number {
    return (this.words[address >> 2] ?? 0) >>> 0;
  }

  /** A word of a thread's slot. */
  wordOf(thread: number, offset: number): number {
    return this.word(Layout.THREADS + thread * Layout.THREAD_BYTES + offset);
  }

  /** The n-th result word of the call that just returned. */
  readonly result = (n: 0 | 1 | 2 | 3): number => this.words[((this.thread + Layout.THREAD_RESULT0) >> 2) + n] ?? 0;

  /** This thread's number, 0 … 63. */
  get threadNumber(): number {
    return (this.thread - Layout.THREADS) / Layout.THREAD_BYTES;
  }

  // -------------------------------------------------------------------------------------------------- types

  /** Registers a type's callback and returns its ObjectType. */
  bindType(number: number, definition: ObjectTypeDefinition): ObjectType {
    if (definition.destroy) this.#callbacks.set(number, definition.destroy.bind(definition));
    const type = this.typeOf(number);
    this.drainQueue();
    return type;
  }

  /** The type of that number, whether this thread defined it or not. */
  typeOf(number: number): ObjectType {
    let type = this.#types.get(number);
    if (type === undefined) {
      const row = Layout.TYPES + number * Layout.TYPE_BYTES;
      const name = row + Layout.TYPE_NAME;
      const bytes = this.bytes.slice(name, name + this.word(row + Layout.TYPE_NAME_BYTES));
      type = new ObjectType(this, number, new TextDecoder().decode(bytes), this.word(row + Layout.TYPE_PAYLOAD_BYTES));
      this.#types.set(number, type);
    }
    return type;
  }

  // -------------------------------------------------------------------------------------------------- attention

  /** Does what the last call of the core left to do. Rethrows what a callback threw, once all of it is done. */
  attend(): void {
    if (this.words[this.attention] === 0) return;
    const failures: unknown[] = [];
    for (;;) {
      const flags = this.words[this.attention] ?? 0;
      if ((flags & Layout.ATTENTION_WARNINGS) !== 0) this.#report(failures);
      else if ((flags & Layout.ATTENTION_RELEASE) !== 0) this.#release(failures);
      else break;
    }
    if (failures.length > 0) throw failures[0];
  }

  /** Runs a release that this thread won, from stop to stop. */
  #release(failures: unknown[]): void {
    const file = this.word(this.thread + Layout.THREAD_RELEASING);
    const context = this.contextOn(file, Layout.FILE_NEVER);
    let slot: number;
    do {
      slot = this.core.releaseNext(file);
      if (slot > Layout.RELEASE_AGAIN) this.#callback(slot, context, failures);
      if (((this.words[this.attention] ?? 0) & Layout.ATTENTION_WARNINGS) !== 0) this.#report(failures);
    } while (slot !== 0);
  }

  /** Hands the thread's warnings out. */
  #report(failures: unknown[]): void {
    const countAt = (this.thread + Layout.THREAD_WARNING_COUNT) >> 2;
    const lostAt = (this.thread + Layout.THREAD_WARNINGS_LOST) >> 2;
    const warnings: IommufdWarning[] = [];
    const count = this.words[countAt] ?? 0;
    for (let index = 0; index < count; index++) {
      const at = this.thread + Layout.THREAD_WARNINGS + index * Layout.WARNING_BYTES;
      const kind = WARNING_KINDS[this.word(at + Layout.WARNING_KIND)] ?? "unknown";
      const id = this.word(at + Layout.WARNING_ID);
      const context = this.word(at + Layout.WARNING_FD);
      warnings.push(id === 0 ? { kind, count: 1, context } : { kind, count: 1, context, id });
    }
    const lost = this.words[lostAt] ?? 0;
    if (lost > 0) warnings.push({ kind: "warnings:lost", count: lost });
    this.words[countAt] = 0;
    this.words[lostAt] = 0;
    this.words[this.attention] = (this.words[this.attention] ?? 0) & ~Layout.ATTENTION_WARNINGS;
    for (const warning of warnings) {
      try {
        this.onWarning?.(warning);
      } catch (error) {
        failures.push(error);
      }
    }
  }

  /** Runs the destroy callback for a slot that nobody can find any more. */
  #callback(slot: number, context: IommufdContext, failures: unknown[]): void {
    const type = this.typeOf(this.word(slot + Layout.SLOT_OWNER) & Layout.SLOT_TYPE_MASK);
    const payload = new DataView(this.memory.buffer, slot + Layout.SLOT_PAYLOAD, type.payloadBytes);
    const id = this.word(slot + Layout.SLOT_ID);
    this.core.callbackBegins(slot);
    try {
      this.callUser(() => this.#callbacks.get(type.number)?.({ id, type, payload, context }));
    } catch (error) {
      failures.push(error);
    }
  }

  /** Runs the callbacks of queued objects that this thread can run. */
  drainQueue(): void {
    const failures: unknown[] = [];
    for (let slot = this.core.queueTake(); slot !== 0; slot = this.core.queueTake()) {
      const handle = this.result(0);
      const context = this.contextOn(
        Layout.FILES + (this.word(slot + Layout.SLOT_OWNER) & Layout.SLOT_FILE_MASK),
        Layout.FILE_NEVER,
      );
      this.#callback(slot, context, failures);
      this.core.queueFree(handle);
    }
    if (failures.length > 0) throw failures[0];
  }

  // -------------------------------------------------------------------------------------------------- destroying

  /**
   * Turns the core's MUST_WAIT and MUST_DESTROY into an answer, waiting as far as this thread may. `destroyed` is called before a
   * callback, which may throw.
   */
  settle(result: number, file: number, context: IommufdContext, deadline: number, destroyed?: () => void): number {
    if (result === Layout.MUST_WAIT) result = waitSync(this, file, this.result(0), deadline);
    if (result === Layout.MUST_DESTROY) {
      destroyed?.();
      result = this.#finishDestroy(file, context);
    }
    this.attend();
    return result;
  }

  /** As `settle`, without ever blocking. */
  async settleAsync(
    result: number,
    file: number,
    context: IommufdContext,
    deadline: number,
    signal: AbortSignal | undefined,
    destroyed?: () => void,
  ): Promise<number> {
    const pid = this.#pid;
    const settle = (answer: number): number =>
      this.within(pid, () => this.settle(answer, file, context, deadline, destroyed));
    return result === Layout.MUST_WAIT
      ? waitAsync(this, file, this.result(0), deadline, signal, settle)
      : settle(result);
  }

  /** The deadline of a wait. @throws IommufdError EINVAL; the signal's reason when it has fired already. */
  deadline(options: WaitOptions | undefined): number {
    options?.signal?.throwIfAborted();
    return deadlineOf(options?.timeoutMs);
  }

  #finishDestroy(file: number, context: IommufdContext): number {
    const handle = this.result(0);
    const failures: unknown[] = [];
    this.#callback(this.result(1) >>> 0, context, failures);
    this.core.destroyFinish(file, handle);
    if (failures.length === 0) return 0;
    this.attend();
    throw failures[0];
  }

  // -------------------------------------------------------------------------------------------------- processes

  /** Number of the process for which this thread's calls act. */
  get pid(): number {
    return this.#pid;
  }

  /** From here on this thread's calls act for that process. @throws IommufdError ESRCH; nothing has changed */
  enter(pid: number): void {
    check(this.core.useProcess(pid), "enter", `process ${pid} has ended`);
    this.#pid = pid;
  }

  /** Runs `call` as that process; as one without memory when it has ended. */
  within<T>(pid: number, call: () => T): T {
    const before = this.#pid;
    if (pid === before) return call();
    this.#use(pid);
    try {
      return call();
    } finally {
      if (!this.#detached) this.#use(before);
    }
  }

  #use(pid: number): void {
    if (this.core.useProcess(pid) < 0) this.core.useProcess(0);
    this.#pid = pid;
  }

  // -------------------------------------------------------------------------------------------------- leaving

  /** Runs a callback of the user for which the core waits, so that the thread cannot leave meanwhile. */
  callUser<T>(callback: () => T): T {
    this.#callbacksRunning++;
    try {
      return callback();
    } finally {
      this.#callbacksRunning--;
    }
  }

  /** Gives back what the thread still holds, frees its slot, and disarms the instance. Idempotent. @throws IommufdError EBUSY in a callback */
  detach(): void {
    if (this.#detached) return;
    if (this.#callbacksRunning > 0) {
      throw failure("EBUSY", "detach", "a callback of this thread is running");
    }
    const failures: unknown[] = [];
    const attempt = (step: () => void): void => {
      try {
        step();
      } catch (error) {
        failures.push(error);
      }
    };
    while (this.core.detachNext() !== 0) attempt(() => this.attend());
    for (const context of this.references) attempt(() => context.close());
    this.#detached = true;
    this.core.detachThread();
    this.life.end();
    disarm(this.core);
    // The slot's buffers may be another thread's from now on; who still writes an argument writes into nothing.
    this.window = new Uint8Array(Layout.COMMAND_BYTES);
    this.windowWords = new Int32Array(this.window.buffer);
    this.command = new Uint8Array(Layout.COMMAND_BYTES);
    for (const wake of this.pendingWaits) wake();
    if (failures.length > 0) throw failures[0];
  }

  get detached(): boolean {
    return this.#detached;
  }

  /** -EBADF as an error. */
  badFile(syscall: string, fd: number): IommufdError {
    return IommufdError.fromErrno(-Errno.EBADF, { syscall, message: `no open file has the number ${fd}` });
  }
}

// SPDX-License-Identifier: GPL-2.0-only
/**
 * `Iommufd`: one "kernel", that is a shared memory and this thread's instance of the core on it.
 *
 * One thread creates, others attach to its `share`; from then on all are equal. The class here knows everything but where
 * the compiled core comes from, which is what the entry points add.
 *
 * Kernel counterpart: the iommu misc device and its file operations, seen from a process.
 */
import { IoctlCommand, shapeOf } from "./command.js";
import { IommufdContext } from "./context.js";
import { type CoreSource, instantiate } from "./core.js";
import { dispose } from "./dispose.js";
import { DyingQueue } from "./dying-queue.js";
import type { IommufdError } from "./error.js";
import { check, failure, invalid, isWithin } from "./error.js";
import { Errno } from "./generated/errno.js";
import { Layout } from "./generated/layout.js";
import { FaultFile } from "./fault-file.js";
import { Kernel } from "./kernel.js";
import { type WatchableWorker, watchDeaths, writeNonce } from "./life.js";
import { Memfd, type MemfdShare, makeMemfd, openMemfds } from "./memfd.js";
import type { ObjectType, ObjectTypeDefinition } from "./object-type.js";
import { DEFAULT_PID, type UserSpaceOptions, livingPids, makeProcess, rowOf } from "./process.js";
import { type ReapReport, reap, reapKnown } from "./reap.js";
import { type IommufdStats, readStats } from "./stats.js";
import type { Fields } from "./struct.js";
import { type Support, readSupport } from "./support.js";
import type { TraceListener } from "./trace-event.js";
import { type KernelRelease, builtInCommands, tableEndOf } from "./uapi.js";
import type { UserCommand } from "./user-command.js";
import { UserSpace } from "./user-space.js";
import type { IommufdWarning } from "./warnings.js";

/** Whose rules apply: the RFC's (the seed), or today's kernel's. */
export type Abi = "rfc" | "mainline";

/** Options of `create`. */
export interface IommufdOptions {
  /** Default "rfc". */
  abi?: Abi;
  /** mainline: the kernel whose table of commands is played; what came later is ENOTTY. Default the newest that is known, 7.3. */
  release?: KernelRelease;
  /** The whole shared memory in bytes, fixed for life; rounded up to 64 KiB. 2.5 MiB … 2 GiB, default 64 MiB; untouched pages cost nothing. */
  memoryBytes?: number;
  /** An already compiled core. */
  module?: WebAssembly.Module;
  /** Gets each kernel warning that a call of this thread causes, after that call's work is done. */
  onWarning?: (warning: IommufdWarning) => void;
  /** Highest object ID that is ever handed out; default the kernel's 2^32-1 (rfc) or 2^31-1 (mainline). */
  idLimit?: number;
}

/** What another thread needs to attach: post it to a worker. */
export interface IommufdShare {
  /** The compiled core. */
  readonly module: WebAssembly.Module;
  /** The shared memory with everything in it. */
  readonly memory: WebAssembly.Memory;
}

/** Options of `Iommufd.watch`. */
export interface WatchOptions {
  /** Called when a dead thread has been reaped. */
  onReaped?: (report: ReapReport) => void;
}

/** A definition for `Iommufd.defineIoctl`. */
export interface IoctlDefinition<F extends Fields> {
  /** E.g. "LAB_ECHO". */
  name: string;
  /** The number within the type ';': 0x80 … 0xff, not taken by another command. */
  nr: number;
  /** The struct's fields in order; `size: u32` is put in front. */
  fields: F;
  /** The last mandatory field: the smallest struct ends with it. Default the last field. */
  last?: keyof F;
  /** Runs for each valid call of this thread: returns nothing, a value ≥ 0 or -errno, or throws an IommufdError. */
  execute(cmd: UserCommand<F>): number | void;
}

const DEFAULT_MEMORY = 64 * 1024 * 1024;
const MAX_MEMORY = 2 ** 31;
const ID_LIMIT: Readonly<Record<Abi, number>> = { rfc: 2 ** 32 - 1, mainline: 2 ** 31 - 1 };
const PROFILE: Readonly<Record<Abi, number>> = { rfc: Layout.PROFILE_RFC, mainline: Layout.PROFILE_MAINLINE };

/** All of `Iommufd` but how it is made. */
export abstract class IommufdBase {
  /** What another thread needs to attach; structured-cloneable. */
  readonly share: IommufdShare;
  /** The profile, chosen at creation. */
  readonly abi: Abi;
  /** The default process, in which every thread begins: uid 0, all capabilities, no limit. */
  readonly userSpace: UserSpace;
  readonly #kernel: Kernel;
  readonly #queue: DyingQueue;
  readonly #watches = new Set<() => void>();

  /** Attaches this thread to the memory. */
  protected constructor({ module, memory }: IommufdShare, onWarning?: (warning: IommufdWarning) => void) {
    const kernel = new Kernel(
      module,
      memory,
      (kernel, file, expected, access) => new IommufdContext(kernel, file, expected, access),
    );
    this.#kernel = kernel;
    this.#queue = new DyingQueue(kernel);
    this.share = Object.freeze({ module, memory });
    this.abi = kernel.word(Layout.IDENTITY_PROFILE) === Layout.PROFILE_RFC ? "rfc" : "mainline";
    this.userSpace = new UserSpace(kernel, DEFAULT_PID);
    const builtIn = builtInCommands(kernel.word(Layout.IDENTITY_PROFILE), kernel.word(Layout.IDENTITY_TABLE_END));
    for (const command of builtIn) kernel.commands.set(command.nr, { command });
    kernel.onWarning = onWarning;
  }

  /** @internal Settled once the host will tell of this thread's death. */
  protected async announced(): Promise<this> {
    await this.#kernel.life.announced;
    return this;
  }

  /** Whether this host can run the library, and on several threads. */
  static isSupported(): Support {
    return readSupport();
  }

  // -------------------------------------------------------------------------------------------------- files

  /** open("/dev/iommu"). (iommufd_fops_open) @throws IommufdError EMFILE when all 1024 files are open. */
  open(): IommufdContext {
    const file = check(this.#kernel.core.open(), "open", "/dev/iommu");
    return new IommufdContext(this.#kernel, file, this.#kernel.result(0), "open");
  }

  /** One more reference on an open file: it lives on when its number is closed. (iommufd_fget) @throws IommufdError EBADF; EIO; EMFILE (32,767 of one file in one thread) */
  fget(fd: number): IommufdContext {
    const file = this.#fileOf(fd, "fget");
    const expected = this.#kernel.core.fget(file);
    this.#kernel.attend();
    if (expected === -Errno.EBADF) throw this.#kernel.badFile("fget", fd);
    check(expected, "fget");
    const context = new IommufdContext(this.#kernel, file, expected, "fget");
    this.#kernel.references.add(context);
    return context;
  }

  /** A file by its number, without a reference: looked up at each call, which is EBADF once it is closed. @throws IommufdError EBADF */
  file(fd: number): IommufdContext {
    return new IommufdContext(this.#kernel, this.#fileOf(fd, "file"), Layout.FILE_BY_NUMBER, "file");
  }

  /**
   * The file of a fault queue, by the number that IOMMU_FAULT_QUEUE_ALLOC answered.
   *
   * @throws IommufdError EBADF
   */
  faultFile(fd: number): FaultFile {
    return new FaultFile(this.#kernel, fd);
  }

  #fileOf(fd: number, syscall: string): number {
    const file = Number.isInteger(fd) && (fd | 0) === fd ? this.#kernel.core.fileByNumber(fd) : -1;
    if (file < 0) throw this.#kernel.badFile(syscall, fd);
    return file;
  }

  /**
   * A new file without a name, of `bytes` zeros. (memfd_create, ftruncate)
   *
   * @param options - `maxBytes`: how far it can grow, rounded up to whole pages, which are taken from the heap at once; default `bytes`.
   * @throws IommufdError EINVAL, EMFILE (128 memfds), ENOMEM.
   */
  createMemfd(bytes: number, options: { maxBytes?: number } = {}): Memfd {
    return makeMemfd(this.#kernel, bytes, options.maxBytes);
  }

  /** Another thread's memfd, by its `share`. @throws IommufdError EBADF when it is closed. */
  memfd(share: MemfdShare): Memfd {
    return new Memfd(this.#kernel, share);
  }

  /** All open memfds, whichever thread made them, by number: for looking and for cleaning up. (/proc/self/fd) */
  memfds(): Memfd[] {
    return openMemfds(this.#kernel).map((share) => new Memfd(this.#kernel, share));
  }

  // -------------------------------------------------------------------------------------------------- processes

  /**
   * A new process, with an empty address space.
   *
   * @throws IommufdError EINVAL, EAGAIN (64 processes; one that has ended counts while a thread acts for it or a device has its pages).
   */
  createUserSpace(options: UserSpaceOptions = {}): UserSpace {
    const pid = makeProcess(this.#kernel, options);
    const userSpace = new UserSpace(this.#kernel, pid);
    this.#kernel.core.mapDone();
    return userSpace;
  }

  /** The process of that number, whichever thread made it. @throws IommufdError ESRCH */
  userSpaceOf(pid: number): UserSpace {
    if (pid === DEFAULT_PID) return this.userSpace;
    rowOf(this.#kernel, pid, "userSpaceOf");
    return new UserSpace(this.#kernel, pid);
  }

  /** All processes that have not ended, the default one first: for looking and for cleaning up. (/proc) */
  userSpaces(): UserSpace[] {
    return livingPids(this.#kernel).map((pid) =>
      pid === DEFAULT_PID ? this.userSpace : new UserSpace(this.#kernel, pid),
    );
  }

  /** From here on this thread's calls act for that process, until the next `enter`. @throws IommufdError ESRCH, EINVAL */
  enter(userSpace: UserSpace): void {
    if (!(userSpace instanceof UserSpace)) throw invalid("enter", "not a UserSpace");
    this.#kernel.enter(userSpace.pid);
  }

  // -------------------------------------------------------------------------------------------------- definitions

  /**
   * Defines a type of objects, or binds this thread's callback to the type of that name.
   *
   * @throws IommufdError EINVAL (name, size), EEXIST (another shape by that name: payload size, or a callback where the first
   *   definition had none), ENOSPC (62 types).
   */
  defineObjectType(definition: ObjectTypeDefinition): ObjectType {
    const { name, payloadBytes } = definition;
    const bad = (message: string) => invalid("defineObjectType", message);
    const bytes = new TextEncoder().encode(typeof name === "string" ? name : "");
    if (bytes.length === 0 || bytes.length > Layout.NAME_BYTES)
      throw bad(`name must have 1 … ${Layout.NAME_BYTES} bytes`);
    if (!isWithin(payloadBytes, 0, Layout.MAX_PAYLOAD)) {
      throw bad(`payloadBytes must be 0 … ${Layout.MAX_PAYLOAD}, not ${String(payloadBytes)}`);
    }
    if (definition.destroy !== undefined && typeof definition.destroy !== "function")
      throw bad("destroy must be a function");
    this.#kernel.window.set(bytes);
    const flags = definition.destroy === undefined ? 0 : Layout.TYPE_HAS_DESTROY;
    const number = this.#kernel.core.defineType(bytes.length, payloadBytes, flags);
    check(number, "defineObjectType", `type ${name}`);
    const type = this.#kernel.bindType(number, definition);
    if (definition.destroy !== undefined) this.#queue.watch();
    return type;
  }

  /**
   * Adds an ioctl to the table, which then behaves like a built-in one in every thread that defines it. Where it is not defined,
   * its number is ENOTTY.
   *
   * @throws IommufdError EINVAL (number, fields), EEXIST (the number is taken by another name or struct).
   */
  defineIoctl<F extends Fields>(definition: IoctlDefinition<F>): IoctlCommand<F> {
    const command = new IoctlCommand(definition);
    if (typeof definition.execute !== "function")
      throw invalid("defineIoctl", "execute must be a function", command.name);
    const [low, high] = shapeOf(command);
    const result = this.#kernel.core.defineCommand(command.nr, command.size, command.minSize, low, high);
    check(result, "defineIoctl", `number 0x${command.nr.toString(16)} for ${command.name}`);
    this.#kernel.commands.set(command.nr, {
      command: command,
      execute: (cmd: UserCommand<F>) => definition.execute(cmd),
    });
    return command;
  }

  /** The ioctls that this thread can call, by ascending number. */
  commands(): IoctlCommand<Fields>[] {
    return [...this.#kernel.commands.values()].map(({ command }) => command).sort((a, b) => a.nr - b.nr);
  }

  // -------------------------------------------------------------------------------------------------- watching

  /** Counts, and who waits for whom: plain JSON. */
  stats(): IommufdStats {
    return readStats(this.#kernel, this.abi);
  }

  /**
   * Reports each `ioctl`, `tryIoctl`, `ioctlAsync` and `call` of this thread to `listener` when it has been answered. One listener at
   * a time; unset, an ioctl pays for one look at a field. What the listener throws leaves by the ioctl.
   *
   * @returns A function that unsets this listener.
   */
  onTrace(listener: TraceListener): () => void {
    if (typeof listener !== "function") throw invalid("onTrace", "listener must be a function");
    this.#kernel.traceListener = listener;
    return () => {
      if (this.#kernel.traceListener === listener) this.#kernel.traceListener = undefined;
    };
  }

  /** Sets what gets this thread's kernel warnings; undefined for nothing. */
  onWarning(listener: ((warning: IommufdWarning) => void) | undefined): void {
    this.#kernel.onWarning = listener;
  }

  /** This thread's number, 0 … 63, as in `stats` and `reap`. */
  get thread(): number {
    return this.#kernel.threadNumber;
  }

  // -------------------------------------------------------------------------------------------------- other threads' death

  /**
   * Reaps what ends with `worker`: when it has died, by `terminate()` or otherwise, without `detach`, everything that its threads held
   * is given back, and whoever waited for them goes on. In Node the worker's `exit` event tells. In a browser it is a Web Lock that
   * tells, which is not the worker's: there one call watches all threads of this memory.
   *
   * The thread that watches must not block meanwhile: it would not hear of the death. Errors of destroy callbacks are uncaught
   * exceptions of this thread.
   *
   * @returns A function that stops watching.
   * @throws IommufdError EINVAL for what is no worker; ESRCH for a worker of Node that has ended already.
   */
  watch(worker: WatchableWorker, options: WatchOptions = {}): () => void {
    if (typeof worker !== "object" || worker === null) throw invalid("watch", "worker must be a worker");
    const stop = watchDeaths(this.#kernel, worker, (thread, incarnation) => {
      reap(this.#kernel, thread, incarnation)
        .then((report) => options.onReaped?.(report))
        .catch((error: unknown) => {
          if (this.#kernel.detached || (error as IommufdError).code === "ESRCH") return; // somebody else has reaped it
          queueMicrotask(() => {
            throw error;
          });
        });
    });
    this.#watches.add(stop);
    return () => {
      this.#watches.delete(stop);
      stop();
    };
  }

  /**
   * Gives back what the thread of that number held when it died: locks, reservations, waits, references, what it was in the middle of.
   * Kept users and holds belong to their context and stay. `watch` calls this by itself.
   *
   * @throws IommufdError EBUSY: it is alive, or nobody knows that it is not (see `watch`); ESRCH: no such thread; EINVAL; ENOSYS where the
   *   host has no Atomics.waitAsync. What a destroy callback throws, once all is done.
   */
  async reap(thread: number): Promise<ReapReport> {
    return reapKnown(this.#kernel, thread);
  }

  // -------------------------------------------------------------------------------------------------- leaving

  /**
   * This thread leaves: its slot is free for another. Open numbers stay open; its references from `fget` are given back. So is what
   * it still holds, which is reported as "detach:held". Its pending asynchronous calls end with ESRCH. Later calls on this object and its handles throw ESRCH; `stats` and `commands` still read. Idempotent.
   *
   * @throws IommufdError EBUSY inside a callback of this thread.
   */
  detach(): void {
    this.#kernel.detach();
    this.#queue.stop();
    for (const stop of this.#watches) stop();
  }

  /** `detach`, for `using`. */
  [dispose](): void {
    this.detach();
  }
}

/** Makes a memory for `create`. @throws IommufdError EINVAL for an option that makes no sense, ENOMEM. */
export async function prepare(source: CoreSource, options: IommufdOptions): Promise<IommufdShare> {
  return makeMemory(options.module ?? (await source.compile()), options);
}

/** As `prepare`, without waiting. */
export function prepareSync(source: CoreSource, options: IommufdOptions): IommufdShare {
  return makeMemory(options.module ?? source.compileSync(), options);
}

function makeMemory(module: WebAssembly.Module, options: IommufdOptions): IommufdShare {
  const { abi = "rfc", memoryBytes = DEFAULT_MEMORY } = options;
  if (!Object.hasOwn(PROFILE, abi)) throw invalid("create", `abi must be "rfc" or "mainline", not ${String(abi)}`);
  const tableEnd = tableEndOf(options.release);
  if (tableEnd === undefined) throw invalid("create", `no release ${String(options.release)}`);
  if (abi === "rfc" && options.release !== undefined) {
    throw invalid("create", "only mainline has releases");
  }
  const idLimit = options.idLimit ?? ID_LIMIT[abi];
  if (!isWithin(idLimit, 1, ID_LIMIT[abi])) {
    throw invalid("create", `idLimit must be 1 … ${ID_LIMIT[abi]}`);
  }
  if (!isWithin(memoryBytes, 1, MAX_MEMORY)) {
    throw invalid("create", `memoryBytes must be at most ${MAX_MEMORY}, not ${String(memoryBytes)}`);
  }
  const pages = Math.ceil(memoryBytes / Layout.WASM_PAGE_SIZE);
  let memory: WebAssembly.Memory;
  try {
    memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  } catch (cause) {
    throw failure("ENOMEM", "create", `${memoryBytes} bytes of shared memory`, cause);
  }
  const result = instantiate(module, memory).init(pages * Layout.WASM_PAGE_SIZE, PROFILE[abi], idLimit, tableEnd);
  check(result, "create", `memoryBytes ${memoryBytes} is too small`);
  writeNonce(new Int32Array(memory.buffer));
  return { module, memory };
}

/** Checks what came through a message. @throws IommufdError EINVAL */
export function received(share: IommufdShare): IommufdShare {
  const { module, memory } = (share ?? {}) as Partial<IommufdShare>;
  if (module instanceof WebAssembly.Module && memory instanceof WebAssembly.Memory) return { module, memory };
  throw invalid("attach", "not the share of an Iommufd; without cross-origin isolation it cannot be posted");
}

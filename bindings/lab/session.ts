// SPDX-License-Identifier: GPL-2.0-only
//
// What the elements of a page look at together: one Iommufd, one open file, the commands that can be composed, and the
// calls that were made.
//
// An element without a `session` of its own takes the page's shared one, so four lines of HTML show four views of the same
// kernel. The shared session has the lab's types and ioctls (`defineLab`), because the RFC's own table has one row, which
// can destroy but not create. There is another one for what only mainline has, address spaces: `LabSession.shared("mainline")`. Who
// has an Iommufd already wraps it: `LabSession.of(iommufd, context)`.
//
// Invariant: `context` is the file that was opened until `close()`, though anybody may close its number; `reopen()` and `show()` replace it and
// say so before anybody can use the old one. A page's shared session is never one that was closed.
//
// Events, all without bubbling:
//   calls     LabCallsEvent: ioctls were made, oldest first; by this thread or reported by another one
//   context   the file was closed and opened again: IDs mean other objects now
//   commands  there is another command to compose
//   close     the session is over

import {
  type Abi,
  type Fields,
  type IoctlCommand,
  Iommufd,
  type IommufdContext,
  IommufdError,
  IOMMUFD_COMMANDS,
  IOMMU_DESTROY,
  type TraceEvent,
} from "../index.js";
import { defineLab, type Lab } from "../replay/lab.js";

/** One finished ioctl, of whichever thread. */
export interface LabCall extends Omit<TraceEvent, "command"> {
  /** Who made it, e.g. "page" or "worker 1". */
  readonly thread: string;
  /** When it was reported, in milliseconds of `performance.now()`. */
  readonly time: number;
  /** The command, when the session knows it. */
  readonly command: IoctlCommand<Fields> | undefined;
}

/** The name under which calls of the page's own thread are reported. */
export const PAGE_THREAD = "page";

/** Ioctls were made, oldest first. */
export class LabCallsEvent extends Event {
  constructor(readonly calls: readonly LabCall[]) {
    super("calls");
  }
}

/** The page's shared sessions: being made, or made. */
const shared = new Map<Abi, Promise<LabSession>>();

/** One kernel and one open file that elements show. */
export class LabSession extends EventTarget {
  /** The kernel. */
  readonly iommufd: Iommufd;
  /**
   * The lab's types, ioctls and log, where the session has defined them itself. Another thread's own lab needs this log: the objects of
   * a file that was closed meanwhile are destroyed by the thread whose call ends last.
   */
  readonly lab: Lab | undefined;
  #commands: readonly IoctlCommand<Fields>[];
  #context: IommufdContext;
  #stopTrace: () => void;
  #closed = false;
  /** Takes it from the shared ones. */
  #forget = (): void => undefined;

  private constructor(iommufd: Iommufd, context: IommufdContext, commands: readonly IoctlCommand<Fields>[], lab?: Lab) {
    super();
    this.iommufd = iommufd;
    this.lab = lab;
    this.#commands = commands;
    this.#context = context;
    this.#stopTrace = iommufd.onTrace((event) => this.#report(event));
  }

  /**
   * The page's shared session, made at the first call, and at the first one after it was closed. Rejects as `Iommufd.create` does; the
   * next call tries again.
   *
   * @param abi the one of the profile
   */
  static shared(abi: Abi = "rfc"): Promise<LabSession> {
    let session = shared.get(abi);
    if (session === undefined) {
      session = LabSession.create(abi);
      shared.set(abi, session);
      const forget = (): void => {
        if (shared.get(abi) === session) shared.delete(abi);
      };
      session.then((made) => (made.#forget = forget), forget);
    }
    return session;
  }

  /** A session on a kernel of its own: rfc with the lab's types and ioctls, mainline with all of its commands. */
  static async create(abi: Abi = "rfc"): Promise<LabSession> {
    const iommufd = await Iommufd.create({ abi });
    if (abi === "mainline") return LabSession.of(iommufd, iommufd.open(), IOMMUFD_COMMANDS.slice(1));
    const lab = defineLab(iommufd);
    return new LabSession(iommufd, iommufd.open(), [IOMMU_DESTROY, ...lab.commands], lab);
  }

  /**
   * A session on a kernel that exists. It takes the kernel's trace listener.
   *
   * @param commands what can be composed besides IOMMU_DESTROY
   */
  static of(iommufd: Iommufd, context: IommufdContext, commands: readonly IoctlCommand<Fields>[] = []): LabSession {
    return new LabSession(iommufd, context, [IOMMU_DESTROY, ...commands]);
  }

  /** Commands that can be composed and are known by name: IOMMU_DESTROY first. */
  get commands(): readonly IoctlCommand<Fields>[] {
    return this.#commands;
  }

  /** Makes a command composable that was defined on `iommufd` meanwhile; it takes the place of one with its number. */
  addCommand(command: IoctlCommand<Fields>): void {
    this.#commands = [...this.#commands.filter(({ nr }) => nr !== command.nr), command];
    this.dispatchEvent(new Event("commands"));
  }

  /** The open file. */
  get context(): IommufdContext {
    return this.#context;
  }

  /** Whether there is nothing to look at any more: the session was closed, or this thread has left the kernel. */
  get isClosed(): boolean {
    if (this.#closed) return true;
    try {
      this.#context.inspect(0);
      return false;
    } catch (error) {
      return error instanceof IommufdError && error.code === "ESRCH";
    }
  }

  /**
   * Closes the file, which releases every object in it, and opens a new one.
   *
   * @throws IommufdError EMFILE; ESRCH after `close()`. What a destroy callback throws is rethrown when the new file is the session's.
   */
  reopen(): IommufdContext {
    const before = this.#context;
    this.#context = this.iommufd.open();
    try {
      before.close();
    } finally {
      this.dispatchEvent(new Event("context"));
    }
    return this.#context;
  }

  /** Shows another open file of the same kernel. Nobody closes the one before: who opened it still has it. */
  show(context: IommufdContext): void {
    this.#context = context;
    this.dispatchEvent(new Event("context"));
  }

  /** Reports calls that another thread made. */
  addCalls(calls: readonly LabCall[]): void {
    if (calls.length > 0) this.dispatchEvent(new LabCallsEvent(calls));
  }

  /**
   * Closes the file and leaves the kernel; idempotent. What a destroy callback throws is rethrown when all that is done.
   *
   * @throws IommufdError EBUSY in a callback of this thread, which cannot leave then
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#forget();
    this.#stopTrace();
    try {
      this.#context.close();
    } finally {
      try {
        this.iommufd.detach();
      } finally {
        this.dispatchEvent(new Event("close"));
      }
    }
  }

  #report(event: TraceEvent): void {
    this.addCalls([{ ...event, thread: PAGE_THREAD, time: performance.now() }]);
  }
}

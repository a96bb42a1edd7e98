// SPDX-License-Identifier: GPL-2.0-only
/**
 * The client: one open file's ioctls, made by a server behind a port. It holds no core and no memory of a kernel.
 *
 * A call's bytes are copied when it is made, and go as soon as the server has room for them: it said how many calls may be in flight,
 * and the rest queue here, first come, first served. Calls begin in that order; answers come in any.
 *
 * Invariant: each call settles exactly once: by its answer; by its signal, while it is queued; or by the connection's end.
 *
 * What differs from a local context: there is no user space, so every address is EFAULT, as null is. A struct's unknown tail that is
 * longer than the server takes is E2BIG. A call in flight at the end of the connection is ECONNRESET: it may have happened.
 */
import type { IoctlCommand, Output } from "../command.js";
import { dispose } from "../dispose.js";
import { IommufdError } from "../error.js";
import { Errno } from "../generated/errno.js";
import type { Argument } from "../ioctl-call.js";
import type { Fields, Input } from "../struct.js";
import { tryDeadlineOf, type WaitOptions } from "../wait.js";
import { holdLock, onLeaving } from "./liveness.js";
import { type PendingCall, bytesOf, requestOf, structLength, writeBack } from "./pending-call.js";
import { type RemotePort, listen } from "./port.js";
import {
  type ClientMessage,
  MOST_BYTES,
  PROTOCOL_VERSION,
  type RemoteEnd,
  type ServerMessage,
  readServerMessage,
} from "./protocol.js";

/** Connects to the file that is served at the other end of the port. Calls may be made at once: they wait for the server. */
export function connect(port: RemotePort): RemoteContext {
  return new RemoteContext(port);
}

/** One open file, behind a port. Made by `connect`. */
export class RemoteContext {
  /** Fulfilled when the server has answered; rejects with ECONNRESET when the connection ends before. */
  readonly ready: Promise<void>;
  /** How the connection ended. Never rejects. */
  readonly closed: Promise<RemoteEnd>;

  readonly #port: RemotePort;
  /** In the order in which they were made. */
  readonly #queued = new Set<PendingCall>();
  readonly #inFlight = new Map<number, PendingCall>();
  #lastId = 0;
  #isWelcome = false;
  /** What the server allows; nothing before it said so. */
  #maxInFlight = 0;
  #maxBytes = MOST_BYTES;
  #state: "open" | "closing" | "closed" = "open";
  #stopListening = (): void => undefined;
  #releaseLock = (): void => undefined;
  readonly #stopLeaving: () => void;
  #settleClosed = (_end: RemoteEnd): void => undefined;
  #settleReady = (): void => undefined;
  #failReady = (_reason: IommufdError): void => undefined;

  constructor(port: RemotePort) {
    this.#port = port;
    this.closed = new Promise((resolve) => (this.#settleClosed = resolve));
    this.ready = new Promise((resolve, reject) => {
      this.#settleReady = resolve;
      this.#failReady = reject;
    });
    this.ready.catch(() => undefined); // who does not look at it learns from the calls
    this.#stopListening = listen(port, {
      heard: (data, ports) => this.#hear(data, ports),
      garbled: () => this.#end({ code: "protocol", message: "a message that the host could not decode" }),
      gone: () => this.#end({ code: "gone", message: "the server's end of the port is closed" }),
    });
    this.#stopLeaving = onLeaving(() => this.close());
    this.#say({ kind: "hello", version: PROTOCOL_VERSION });
  }

  // -------------------------------------------------------------------------------------------------- ioctl

  /**
   * ioctl(2), made by the server.
   *
   * @param arg - The struct: replies are written into it, as far as the kernel would. Null and every address are EFAULT.
   * @param options - `timeoutMs`: how long the command may wait, counted from now; `signal`: gives the call up. What is in flight
   *   then is undone by the server if it still waits; if it was decided already, its answer counts.
   * @returns What the command answers, ≥ 0.
   * @throws IommufdError as a local call, and EPERM (not allowed here), E2BIG (more bytes than the server takes), EAGAIN (too many
   *   calls a second), EIO (the command failed on the server), ECANCELED (given up by the server), EBADF (the connection is over),
   *   ECONNRESET (it ended meanwhile: the call may have happened); the signal's reason; EINVAL for `timeoutMs`.
   */
  async ioctl(request: number, arg: Argument, options: WaitOptions = {}): Promise<number> {
    return this.#checked(await this.#call(request, arg, options), undefined);
  }

  /** As `ioctl`, but resolves with -errno. Rejects only with the signal's reason, and for an argument of the wrong kind. */
  async tryIoctl(request: number, arg: Argument, options: WaitOptions = {}): Promise<number> {
    return this.#call(request, arg, options);
  }

  /** Calls a command with typed fields: fills in `size`, gives all fields as the reply left them. @throws IommufdError as `ioctl`. */
  async call<F extends Fields>(
    command: IoctlCommand<F>,
    fields: Input<F>,
    options: WaitOptions = {},
  ): Promise<Output<F>> {
    const bytes = command.encode(fields);
    this.#checked(await this.#call(command.request, bytes, options), command.name);
    return command.decode(bytes);
  }

  #checked(result: number, command: string | undefined): number {
    if (result >= 0) return result;
    throw IommufdError.fromErrno(result, command === undefined ? {} : { command });
  }

  async #call(request: number, arg: Argument, { signal, timeoutMs }: WaitOptions): Promise<number> {
    const target = bytesOf(arg);
    signal?.throwIfAborted();
    const deadline = tryDeadlineOf(timeoutMs);
    if (Number.isNaN(deadline)) return -Errno.EINVAL;
    if (this.#state !== "open") return -Errno.EBADF;
    const length = structLength(target);
    if (length > this.#maxBytes) return -Errno.E2BIG;
    const bytes = new Uint8Array(length);
    bytes.set(target.subarray(0, length));
    return new Promise<number>((resolve, reject) => {
      const forget = (): void => signal?.removeEventListener("abort", abort);
      const call: PendingCall = {
        id: 0,
        request: requestOf(request),
        bytes,
        target,
        deadline,
        signal,
        settle(result) {
          forget();
          resolve(result);
        },
        fail(reason) {
          forget();
          // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- a signal's reason is whatever its owner gave
          reject(reason);
        },
      };
      const abort = (): void => this.#giveUp(call);
      signal?.addEventListener("abort", abort, { once: true });
      this.#queued.add(call);
      this.#sendQueued();
    });
  }

  /** As many of the queued calls as there is room for. */
  #sendQueued(): void {
    for (const call of this.#queued) {
      if (this.#inFlight.size >= this.#maxInFlight || this.#state !== "open") return;
      this.#queued.delete(call);
      if (call.bytes.length > this.#maxBytes) {
        call.settle(-Errno.E2BIG); // made before the server said how much it takes
        continue;
      }
      call.id = ++this.#lastId;
      this.#inFlight.set(call.id, call);
      const { id, request, bytes } = call;
      const timeoutMs = Math.max(0, call.deadline - performance.now());
      this.#say({ kind: "call", id, request, bytes, timeoutMs });
    }
  }

  #giveUp(call: PendingCall): void {
    if (this.#queued.delete(call)) call.fail(call.signal?.reason);
    else this.#say({ kind: "cancel", id: call.id });
  }

  // -------------------------------------------------------------------------------------------------- messages

  #hear(data: unknown, ports: readonly unknown[]): void {
    if (this.#state === "closed") return; // the host had it in hand already
    const message = ports.length === 0 ? readServerMessage(data) : undefined;
    if (message === undefined || !this.#accept(message)) {
      this.#end({ code: "protocol", message: "the server said what is none of the protocol's" });
    }
  }

  /** Whether the message makes sense now. */
  #accept(message: ServerMessage): boolean {
    if (message.kind === "bye") {
      if (message.calls > this.#lastId) return false;
      for (const call of this.#inFlight.values()) if (call.id > message.calls) call.settle(-Errno.EBADF);
      this.#end({ code: message.code, message: message.message });
      return true;
    }
    if (message.kind === "welcome") return this.#enter(message);
    const call = this.#inFlight.get(message.id);
    if (call === undefined) return false;
    this.#inFlight.delete(message.id);
    if (message.kind === "answer") {
      if (message.bytes.length > call.bytes.length) return this.#lose(call);
      const isWritten = writeBack(call.target, message.bytes);
      call.settle(isWritten || message.result < 0 ? message.result : -Errno.EFAULT);
    } else if (call.signal?.aborted === true) call.fail(call.signal.reason);
    else call.settle(-Errno.ECANCELED);
    this.#sendQueued();
    return true;
  }

  /** Calls go once the host will tell the server of our death, where it can: then no call of a dead client waits for ever. */
  #enter({ version, maxInFlight, maxBytes, lock }: ServerMessage & { kind: "welcome" }): boolean {
    if (this.#isWelcome || version !== PROTOCOL_VERSION) return false;
    this.#isWelcome = true;
    this.#maxBytes = maxBytes;
    const enter = (isHeld: boolean): void => {
      if (this.#state !== "open") return;
      if (isHeld) this.#say({ kind: "alive" });
      this.#maxInFlight = maxInFlight;
      this.#settleReady();
      this.#sendQueued();
    };
    if (lock === "") enter(false);
    else this.#releaseLock = holdLock(lock, enter);
    return true;
  }

  #lose(call: PendingCall): false {
    call.settle(-Errno.ECONNRESET);
    return false;
  }

  // -------------------------------------------------------------------------------------------------- the end

  /**
   * Closes the connection, and with it the file, unless the server keeps that. Never waits: `closed` tells when it is over. Calls that wait
   * on the server are undone, and are ECANCELED; those that had no room yet are EBADF.
   *
   * Called again, it no longer waits for the server's last word: for one that may be dead, where the host does not tell. Calls in
   * flight are ECONNRESET then.
   */
  close(): void {
    if (this.#state === "closing") this.#end({ code: "closed", message: "the client closed the connection" });
    if (this.#state !== "open") return;
    this.#state = "closing";
    this.#say({ kind: "bye" });
    this.#dropQueued();
  }

  /** `close`, for `using`. */
  [dispose](): void {
    this.close();
  }

  #dropQueued(): void {
    for (const call of this.#queued) call.settle(-Errno.EBADF);
    this.#queued.clear();
  }

  #end(end: RemoteEnd): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#stopListening();
    this.#stopLeaving();
    this.#releaseLock();
    for (const call of this.#inFlight.values()) call.settle(-Errno.ECONNRESET);
    this.#inFlight.clear();
    this.#dropQueued();
    this.#failReady(new IommufdError("ECONNRESET", { syscall: "connect", message: end.message }));
    this.#settleClosed(end);
  }

  #say(message: ClientMessage): void {
    this.#port.postMessage(message);
  }
}

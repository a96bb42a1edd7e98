// SPDX-License-Identifier: GPL-2.0-only
/**
 * The server: makes a client's ioctls on one open file, and nothing else.
 *
 * What the client can reach: the commands of that file, as `ioctlAsync` makes them. It has no memory here, so that an address in a
 * struct is EFAULT in every command (`withoutMemory`); it names no file, no handle and no payload. What a command does for its
 * caller is the business of who defined it.
 *
 * Invariant: each call of the client is answered exactly once, by its number, or the connection ends. Calls begin in the order in
 * which they came; those that wait are answered when they are decided, so answers may overtake.
 *
 * What a client can cost, whatever it sends:
 *   memory   `maxInFlight` × (2 × `maxBytes` + a record) for calls that wait, one answer's bytes for each call that is made, and a fixed
 *            state. Objects in the kernel are not the server's: `memoryBytes` and `idLimit` of `Iommufd.create` bound them, in the core.
 *   time     for each message a constant, the copies of at most `maxBytes`, and the command itself. Nothing blocks: what waits is
 *            awaited. `maxCallsPerSecond` bounds how often, and cancels are never more than calls.
 * A message that an honest client cannot have sent ends the connection, and unread ones go with the port. What the host spends on
 * carrying a message, before it is read here, cannot be bounded from here.
 *
 * A command that does not wait is over before the next message is read: only waiting calls are ever in flight together.
 *
 * Vocabulary: `in flight` is a call that has come and has no answer yet. `end` happens once, for the first reason that comes.
 */
import type { IommufdContext } from "../context.js";
import { IommufdError, invalid } from "../error.js";
import { Errno } from "../generated/errno.js";
import { type Limits, type ServeOptions, limitsOf } from "./limits.js";
import { lockNameFor, onRemoval, outlive } from "./liveness.js";
import { type RemotePort, listen } from "./port.js";
import {
  type ClientMessage,
  PROTOCOL_VERSION,
  type EndCode,
  type RemoteEnd,
  type ServerMessage,
  readClientMessage,
} from "./protocol.js";

/** What a server has done so far. */
export interface ServeStats {
  /** "waiting": the client has not said hello; "closing": answers are still to come. */
  readonly state: "waiting" | "open" | "closing" | "closed";
  /** Calls that came. */
  readonly calls: number;
  /** Calls without an answer yet. */
  readonly inFlight: number;
  /** Calls that a limit refused: EPERM, E2BIG, EAGAIN, ESHUTDOWN. */
  readonly refused: number;
  /** Calls that were given up before they were decided. */
  readonly cancelled: number;
  /** Commands and callbacks that threw what is no IommufdError. */
  readonly failures: number;
  /** Bytes of structs that came, and that went back. */
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** How a server is to be closed. */
export interface CloseOptions {
  /** Lets calls in flight be decided first; default they are given up, which undoes them. New ones are ESHUTDOWN. */
  drain?: boolean;
}

/** What `serve` returns. */
export interface RemoteServer {
  /** How the connection ended, once no call is in flight, and the context is closed if it is to be. Never rejects. */
  readonly closed: Promise<RemoteEnd>;
  /** Ends the connection. Idempotent; without `drain` it also ends the draining of an earlier one. Resolves as `closed`. */
  close(options?: CloseOptions): Promise<RemoteEnd>;
  stats(): ServeStats;
}

type Call = ClientMessage & { kind: "call" };
type Counted = "calls" | "refused" | "cancelled" | "failures" | "bytesIn" | "bytesOut";

const NOTHING = new Uint8Array(0);

/**
 * Serves one open file on a port, from now on until either side closes it. Whoever has the other end of the port has the file's ioctls.
 *
 * @param context - The file, of this thread. It is closed with the connection; to keep yours, serve `iommufd.fget(context.fd)`.
 * @throws IommufdError EINVAL for an option that makes no sense.
 */
export function serve(port: RemotePort, context: IommufdContext, options: ServeOptions = {}): RemoteServer {
  if (typeof context?.withoutMemory !== "function") throw invalid("serve", "context must be an IommufdContext");
  return new Server(port, context, limitsOf(options), options);
}

class Server implements RemoteServer {
  readonly closed: Promise<RemoteEnd>;
  readonly #port: RemotePort;
  readonly #context: IommufdContext;
  readonly #limits: Limits;
  readonly #options: ServeOptions;
  readonly #calls: ReturnType<IommufdContext["withoutMemory"]>;
  readonly #lock: string;
  /** Calls in flight, by number, and how to give them up. */
  readonly #inFlight = new Map<number, AbortController>();
  readonly #counts: Record<Counted, number> = {
    calls: 0,
    refused: 0,
    cancelled: 0,
    failures: 0,
    bytesIn: 0,
    bytesOut: 0,
  };
  #state: ServeStats["state"] = "waiting";
  #end: RemoteEnd | undefined;
  #isAlive = false;
  /** Cancels that an honest client can still send. */
  #cancellable = 0;
  #stopListening = (): void => undefined;
  /** Ends what tells of the client's death, and the wait for the signal. */
  readonly #stops: (() => void)[] = [];
  #settleClosed = (_end: RemoteEnd): void => undefined;

  constructor(port: RemotePort, context: IommufdContext, limits: Limits, options: ServeOptions) {
    this.#port = port;
    this.#context = context;
    this.#limits = limits;
    this.#options = options;
    this.#calls = context.withoutMemory();
    this.#lock = lockNameFor(port);
    this.closed = new Promise((resolve) => (this.#settleClosed = resolve));
    this.#stopListening = listen(port, {
      heard: (data, ports) => this.#hear(data, ports),
      garbled: () => this.#endWith("protocol", "a message that the host could not decode"),
      gone: () => this.#endWith("gone", "the client's end of the port is closed"),
    });
    const { signal, frame } = options;
    if (frame) this.#stops.push(onRemoval(frame, () => this.#endWith("gone", "the client's frame was removed")));
    if (signal === undefined) return;
    const close = (): void => void this.close();
    signal.addEventListener("abort", close, { once: true });
    this.#stops.push(() => signal.removeEventListener("abort", close));
    if (signal.aborted) close();
  }

  stats(): ServeStats {
    return { state: this.#state, inFlight: this.#inFlight.size, ...this.#counts };
  }

  close({ drain = false }: CloseOptions = {}): Promise<RemoteEnd> {
    if (this.#state === "closed") return this.closed;
    if (drain && this.#inFlight.size > 0) {
      this.#state = "closing";
      this.#end ??= { code: "closed", message: "the server closed the connection" };
    } else this.#endWith("closed", "the server closed the connection");
    return this.closed;
  }

  // -------------------------------------------------------------------------------------------------- messages

  #hear(data: unknown, ports: readonly unknown[]): void {
    if (this.#state === "closed") return; // the host had it in hand already
    const message = ports.length === 0 ? readClientMessage(data) : undefined;
    if (message === undefined) return this.#endWith("protocol", "a message that is none of the protocol's");
    const isHello = message.kind === "hello";
    if (isHello !== (this.#state === "waiting") && message.kind !== "bye") {
      return this.#endWith("protocol", isHello ? "a second hello" : "a message before the hello");
    }
    switch (message.kind) {
      case "hello":
        return this.#welcome(message.version);
      case "call":
        return this.#take(message);
      case "cancel":
        return this.#cancel(message.id);
      case "alive":
        return this.#watch();
      case "bye":
        return this.#endWith("closed", "the client closed the connection");
    }
  }

  #welcome(version: number): void {
    if (version !== PROTOCOL_VERSION) {
      return this.#endWith("version", `the client speaks protocol ${version}, the server ${PROTOCOL_VERSION}`);
    }
    this.#state = "open";
    const { maxInFlight, maxBytes } = this.#limits;
    this.#say({ kind: "welcome", version: PROTOCOL_VERSION, maxInFlight, maxBytes, lock: this.#lock });
  }

  #watch(): void {
    if (this.#lock === "" || this.#isAlive) return this.#endWith("protocol", "alive, which nobody asked for");
    this.#isAlive = true;
    this.#stops.push(outlive(this.#lock, () => this.#endWith("gone", "the client's thread has ended")));
  }

  #cancel(id: number): void {
    // One that crossed its answer means nothing any more; one of a call that never came cannot be honest.
    if (id > this.#counts.calls) return this.#endWith("protocol", "a cancel of a call that never came");
    if (this.#cancellable === 0) return this.#endWith("protocol", "more cancels than calls to give up");
    this.#cancellable--;
    this.#inFlight.get(id)?.abort();
  }

  // -------------------------------------------------------------------------------------------------- calls

  #take(call: Call): void {
    const counts = this.#counts;
    // One number is enough to know every replay: of a call in flight, and of one that is over.
    if (call.id !== counts.calls + 1) return this.#endWith("protocol", "a call out of its turn, or a second time");
    counts.calls++;
    // Once each, and no more at a time than it believes to be in flight: so cancels are never more than the calls that are counted.
    this.#cancellable = Math.min(this.#cancellable + 1, this.#limits.maxInFlight);
    counts.bytesIn += call.bytes.length;
    if (this.#inFlight.size >= this.#limits.maxInFlight) return this.#endWith("flood", "more calls than were allowed");
    const refusal = this.#refusalOf(call);
    if (refusal === undefined) void this.#run(call);
    else if (refusal === "end") this.#endWith("rate", "calls went on although they were refused");
    else {
      counts.refused++;
      this.#answer(call.id, -refusal, NOTHING);
    }
  }

  /** The errno that a limit answers to the call. */
  #refusalOf({ request, bytes }: Call): number | "end" | undefined {
    const { rate, requests, maxBytes } = this.#limits;
    const verdict = rate?.judge(performance.now()) ?? "run";
    if (verdict === "end") return verdict;
    if (verdict === "refuse") return Errno.EAGAIN;
    if (this.#state === "closing") return Errno.ESHUTDOWN;
    if (requests?.has(request) === false) return Errno.EPERM;
    return bytes.length > maxBytes ? Errno.E2BIG : undefined;
  }

  async #run({ id, request, bytes, timeoutMs }: Call): Promise<void> {
    const controller = new AbortController();
    const { signal } = controller;
    const before = bytes.slice();
    this.#inFlight.set(id, controller);
    let result: number;
    try {
      const deadline = performance.now() + Math.min(timeoutMs, this.#limits.maxWaitMs);
      result = await this.#calls.runAsync(request, bytes, deadline, signal);
    } catch (error) {
      if (signal.aborted && error === signal.reason) return this.#settle(id, undefined, NOTHING);
      result = error instanceof IommufdError ? error.errno : this.#fail(error);
    }
    this.#settle(id, result, changedHead(before, bytes));
  }

  /** What is no errno is the embedder's to know; the client learns only that it does not know how far the call went. */
  #fail(error: unknown): number {
    const { onError } = this.#options;
    this.#counts.failures++;
    // In a job of its own, so that what it throws is reported by the host and changes nothing here.
    if (onError !== undefined) queueMicrotask(() => onError(error));
    return -Errno.EIO;
  }

  /** The call is decided, or given up where there is no result. */
  #settle(id: number, result: number | undefined, bytes: Uint8Array): void {
    this.#inFlight.delete(id);
    if (result !== undefined) this.#answer(id, result, bytes);
    else {
      this.#counts.cancelled++;
      this.#say({ kind: "cancelled", id });
    }
    if (this.#state === "closing" && this.#inFlight.size === 0) this.#endWith("closed", "");
    else if (this.#state === "closed") this.#finishClosing();
  }

  #answer(id: number, result: number, bytes: Uint8Array): void {
    this.#counts.bytesOut += bytes.length;
    this.#say({ kind: "answer", id, result, bytes });
  }

  // -------------------------------------------------------------------------------------------------- the end

  /** The first reason counts. Gives up what is in flight; the port is closed when the last of it is undone. */
  #endWith(code: EndCode, message: string): void {
    if (this.#state === "closed") return;
    this.#end = this.#end !== undefined && code === "closed" ? this.#end : { code, message };
    this.#state = "closed";
    for (const stop of this.#stops) stop();
    for (const controller of this.#inFlight.values()) controller.abort();
    this.#finishClosing();
  }

  #finishClosing(): void {
    if (this.#inFlight.size > 0 || this.#end === undefined) return;
    this.#say({ kind: "bye", calls: this.#counts.calls, ...this.#end });
    this.#stopListening();
    if (this.#options.closeContext ?? true) {
      try {
        this.#context.close();
      } catch (error) {
        this.#fail(error); // a destroy callback
      }
    }
    this.#settleClosed(this.#end);
  }

  #say(message: ServerMessage): void {
    this.#port.postMessage(message);
  }
}

/** The bytes up to the last that differs: commands write the beginning of their struct. */
function changedHead(before: Uint8Array, after: Uint8Array): Uint8Array {
  let end = after.length;
  while (end > 0 && before[end - 1] === after[end - 1]) end--;
  return after.slice(0, end);
}

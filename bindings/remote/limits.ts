// SPDX-License-Identifier: GPL-2.0-only
/**
 * What a client may consume, and its account of calls.
 *
 * Calls per second are counted without a timer, by two buckets that fill with time: a call takes a token of the first. Without one it
 * is refused with EAGAIN, and takes a token of the second; without one of those either the connection ends. So a client costs
 * at most twice `maxCallsPerSecond` calls a second for long, and no more cancels than calls (`serve.ts` sees to that).
 */
import type { IoctlCommand } from "../command.js";
import { invalid, isWithin } from "../error.js";
import { Layout } from "../generated/layout.js";
import type { Fields } from "../struct.js";
import { MOST_BYTES, MOST_IN_FLIGHT } from "./protocol.js";

/** Options of `serve`. */
export interface ServeOptions {
  /** Calls that the client may have in flight at a time, 1 … 1024; default 8. A waiting destroy is one. */
  maxInFlight?: number;
  /** Bytes of a struct, 8 … 65,536; default 4096, as many as a command's struct can have. More is E2BIG. */
  maxBytes?: number;
  /** Commands, or their request numbers, that the client may call; default all that this thread can. Others are EPERM. */
  commands?: Iterable<IoctlCommand<Fields> | number>;
  /** Longest wait of a call, milliseconds, whatever the client asks for: then ETIMEDOUT. Default for ever. */
  maxWaitMs?: number;
  /** Calls a second; as many may come at once. More is EAGAIN, and soon the end. Default no limit. */
  maxCallsPerSecond?: number;
  /** Whether the context is closed with the connection, however that ends; default true. */
  closeContext?: boolean;
  /** Ends the connection when it fires, as `close()` does. */
  signal?: AbortSignal;
  /** The frame that has the other end of the port: its removal ends the connection, whatever the client does. */
  frame?: HTMLIFrameElement;
  /** Gets what a command or a destroy callback threw that is no IommufdError; the client sees EIO only. */
  onError?: (error: unknown) => void;
}

/** Options, checked, with their defaults. */
export interface Limits {
  readonly maxInFlight: number;
  readonly maxBytes: number;
  readonly maxWaitMs: number;
  readonly requests: ReadonlySet<number> | undefined;
  readonly rate: Rate | undefined;
}

const FEWEST_BYTES = 8;
const MOST_CALLS_PER_SECOND = 1e9;
const MAX_REQUEST = 0xffff_ffff;

/** @throws IommufdError EINVAL for an option that makes no sense. */
export function limitsOf(options: ServeOptions): Limits {
  const { maxInFlight = 8, maxBytes = Layout.COMMAND_BYTES, maxWaitMs = Infinity, maxCallsPerSecond } = options;
  if (!isWithin(maxInFlight, 1, MOST_IN_FLIGHT)) throw invalid("serve", `maxInFlight must be 1 … ${MOST_IN_FLIGHT}`);
  if (!isWithin(maxBytes, FEWEST_BYTES, MOST_BYTES)) {
    throw invalid("serve", `maxBytes must be ${FEWEST_BYTES} … ${MOST_BYTES}`);
  }
  if (!(typeof maxWaitMs === "number" && maxWaitMs >= 0)) throw invalid("serve", "maxWaitMs must be milliseconds");
  if (maxCallsPerSecond !== undefined && !isWithin(maxCallsPerSecond, 1, MOST_CALLS_PER_SECOND)) {
    throw invalid("serve", `maxCallsPerSecond must be 1 … ${MOST_CALLS_PER_SECOND}`);
  }
  const { signal, frame, onError } = options;
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw invalid("serve", "signal must be an AbortSignal");
  if (frame !== undefined && frame?.isConnected !== true) {
    throw invalid("serve", "frame must be a frame in its document");
  }
  if (onError !== undefined && typeof onError !== "function") throw invalid("serve", "onError must be a function");
  return {
    maxInFlight,
    maxBytes,
    maxWaitMs,
    requests: requestsOf(options.commands),
    rate: maxCallsPerSecond === undefined ? undefined : new Rate(maxCallsPerSecond),
  };
}

function requestsOf(commands: ServeOptions["commands"]): ReadonlySet<number> | undefined {
  if (commands === undefined) return undefined;
  const requests = new Set<number>();
  for (const command of commands) {
    const request = typeof command === "number" ? command : command?.request;
    if (!isWithin(request, 0, MAX_REQUEST)) throw invalid("serve", "commands must be commands or request numbers");
    requests.add(request);
  }
  return requests;
}

/** Tokens that come back with time: at first, and at most, as many as come in a second. */
class Bucket {
  readonly #perSecond: number;
  #tokens: number;
  #filledAt: number;

  constructor(perSecond: number, now: number) {
    this.#perSecond = perSecond;
    this.#tokens = perSecond;
    this.#filledAt = now;
  }

  /** Takes a token, if there is a whole one. `now` in milliseconds. */
  take(now: number): boolean {
    const come = (Math.max(0, now - this.#filledAt) / 1000) * this.#perSecond;
    this.#tokens = Math.min(this.#perSecond, this.#tokens + come);
    this.#filledAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}

/** What to do with the next call. */
export type Verdict = "run" | "refuse" | "end";

/** The calls of a client by time. */
export class Rate {
  readonly #calls: Bucket;
  readonly #refusals: Bucket;

  constructor(perSecond: number, now = performance.now()) {
    this.#calls = new Bucket(perSecond, now);
    this.#refusals = new Bucket(perSecond, now);
  }

  /** Counts a call at `now`, milliseconds. */
  judge(now: number): Verdict {
    if (this.#calls.take(now)) return "run";
    return this.#refusals.take(now) ? "refuse" : "end";
  }
}

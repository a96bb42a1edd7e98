// SPDX-License-Identifier: GPL-2.0-only
/**
 * What two ends of a port say to each other, and what counts as said.
 *
 * Every message is a plain object with a `kind` and exactly the fields of that kind (README.md has the table). The readers here
 * take what the port delivered, which is hostile: whatever is no message of the protocol, in kind, field, type or range, is
 * `undefined`, and ends the connection, because there is no number under which it could be answered.
 *
 * Cost: a message of the protocol is read in constant time, and its bytes are looked at only by their length. What is none is never
 * walked through: at most its own keys are listed, once, which is less than the host spent on receiving it, before we are asked.
 *
 * Structured clone leaves no getter, proxy, prototype or symbol of the sender's, so reading a field runs no foreign code.
 * A port that hands over objects uncloned is no port for this protocol.
 */
import { isWithin } from "../error.js";

/** Both ends must have the same. */
export const PROTOCOL_VERSION = 1;

/** Calls are numbered 1, 2, 3 … and never reach this. */
const MOST_CALLS = Number.MAX_SAFE_INTEGER;
/** Bytes of a struct that any server can take; each says how many it does take. */
export const MOST_BYTES = 65_536;
/** Calls in flight that any server can allow. */
export const MOST_IN_FLIGHT = 1024;
const MAX_ERRNO = 4095;
const MAX_ANSWER = 0x7fff_ffff;
const MAX_REQUEST = 0xffff_ffff;
/** Characters of a reason. */
const MOST_TEXT = 1000;

/** What the name of every lock begins with; a UUID follows. */
const LOCK_PREFIX = "iommufd-wasm remote ";
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Why a connection is over. */
export type EndCode =
  /** One side closed it. */
  | "closed"
  /** The other side is gone without a word: terminated, reloaded, crashed, or its port was closed. */
  | "gone"
  /** A message that is none of the protocol's. */
  | "protocol"
  /** The other side speaks another version of the protocol. */
  | "version"
  /** More calls at a time than were allowed. */
  | "flood"
  /** Calls went on and on although they were too many for a second. */
  | "rate";

const END_CODES: readonly string[] = ["closed", "gone", "protocol", "version", "flood", "rate"] satisfies EndCode[];

/** How a connection ended. */
export interface RemoteEnd {
  readonly code: EndCode;
  /** For a person. */
  readonly message: string;
}

/** What the client says. */
export type ClientMessage =
  | { readonly kind: "hello"; readonly version: number }
  | {
      readonly kind: "call";
      /** The number of this call: one more than the last. */
      readonly id: number;
      readonly request: number;
      /** The struct; empty for a null pointer and for an address. */
      readonly bytes: Uint8Array;
      /** How long the command may wait, milliseconds; Infinity for ever. */
      readonly timeoutMs: number;
    }
  | { readonly kind: "cancel"; readonly id: number }
  | { readonly kind: "alive" }
  | { readonly kind: "bye" };

/** What the server says. */
export type ServerMessage =
  | {
      readonly kind: "welcome";
      readonly version: number;
      /** Calls that may be in flight at a time. */
      readonly maxInFlight: number;
      /** Bytes of a struct. */
      readonly maxBytes: number;
      /** A Web Lock to hold as long as the client lives; "" for none. */
      readonly lock: string;
    }
  /** The result, ≥ 0 or -errno, and how the struct begins now, as far as it has changed. */
  | { readonly kind: "answer"; readonly id: number; readonly result: number; readonly bytes: Uint8Array }
  /** The call was given up before it was decided: nothing has changed. */
  | { readonly kind: "cancelled"; readonly id: number }
  /** The last message. `calls` of the client's came, and are answered; later ones were never looked at. */
  | ({ readonly kind: "bye"; readonly calls: number } & RemoteEnd);

type Untrusted = Readonly<Record<string, unknown>>;
type Check = (value: unknown) => boolean;

const isId: Check = (value) => isWithin(value, 1, MOST_CALLS);
const isVersion: Check = (value) => isWithin(value, 0, MAX_REQUEST);
const isRoom: Check = (value) => isWithin(value, 1, MOST_IN_FLIGHT);
const isLength: Check = (value) => isWithin(value, 1, MOST_BYTES);
const isText: Check = (value) => typeof value === "string" && value.length <= MOST_TEXT;
/** No lock of anybody else's: a server could have its client block what other scripts of the client's origin wait for. */
const isLock: Check = (value) =>
  value === "" ||
  (typeof value === "string" && value.startsWith(LOCK_PREFIX) && UUID.test(value.slice(LOCK_PREFIX.length)));
const isMilliseconds: Check = (value) => typeof value === "number" && value >= 0;

const OF_CLIENT: Readonly<Record<string, Readonly<Record<string, Check>>>> = {
  hello: { version: isVersion },
  call: {
    id: isId,
    request: (value) => isWithin(value, 0, MAX_REQUEST),
    bytes: isOwnBytes,
    timeoutMs: isMilliseconds,
  },
  cancel: { id: isId },
  alive: {},
  bye: {},
};

const OF_SERVER: typeof OF_CLIENT = {
  welcome: { version: isVersion, maxInFlight: isRoom, maxBytes: isLength, lock: isLock },
  answer: { id: isId, result: (value) => isWithin(value, -MAX_ERRNO, MAX_ANSWER), bytes: isOwnBytes },
  cancelled: { id: isId },
  bye: {
    calls: (value) => isWithin(value, 0, MOST_CALLS),
    code: (value) => END_CODES.includes(value as string),
    message: isText,
  },
};

/** A lock's name that no other connection has. Secure contexts only. */
export function newLockName(): string {
  return LOCK_PREFIX + globalThis.crypto.randomUUID();
}

/** The client's message, or undefined when it is none. */
export function readClientMessage(data: unknown): ClientMessage | undefined {
  return isMessage(data, OF_CLIENT) ? (data as ClientMessage) : undefined;
}

/** The server's message, or undefined when it is none. */
export function readServerMessage(data: unknown): ServerMessage | undefined {
  return isMessage(data, OF_SERVER) ? (data as ServerMessage) : undefined;
}

function isMessage(data: unknown, kinds: typeof OF_CLIENT): boolean {
  if (typeof data !== "object" || data === null || Array.isArray(data)) return false;
  if (!Object.hasOwn(data, "kind")) return false;
  const message = data as Untrusted;
  const { kind } = message;
  if (typeof kind !== "string" || !Object.hasOwn(kinds, kind)) return false;
  let fields = 1;
  for (const name in kinds[kind]) {
    if (!Object.hasOwn(message, name) || kinds[kind][name]?.(message[name]) !== true) return false;
    fields++;
  }
  return Object.keys(message).length === fields;
}

/**
 * A Uint8Array that is all of its buffer, which is fixed in size and shared with nobody. A view of a part would bring along, and
 * keep, what its limits do not count; a shared or growing buffer could change after it was looked at.
 */
function isOwnBytes(value: unknown): boolean {
  if (tagOf(value) !== "Uint8Array") return false;
  const { buffer, byteLength } = value as Uint8Array;
  if (tagOf(buffer) !== "ArrayBuffer" || isResizable(buffer)) return false;
  return buffer.byteLength === byteLength && byteLength <= MOST_BYTES;
}

/** By tag, because an object of another realm is no `instanceof` anything here. */
function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice("[object ".length, -1);
}

function isResizable(buffer: ArrayBufferLike): boolean {
  return (buffer as { resizable?: boolean }).resizable === true;
}

// SPDX-License-Identifier: GPL-2.0-only
//
// The page's side of `forwardCalls`: takes the calls of another thread and reports them to a session.
//
// Once a frame, what has arrived goes to the session as one event, and only then may the worker send more: however fast
// it is, the page has a bounded amount to do in a frame. Commands are named by the session's own ones.
//
// Invariant: a message is exactly what forward-message.ts says, or it is ignored; so is one that was sent without leave.
// The other side can make the page list calls that never happened, and nothing else. Each batch that was taken is given leave for
// once, also when nobody reports any more: a later receiver of the port begins with a worker that may send.

import { type LabCall, type LabSession, PAGE_THREAD } from "../session.js";
import { readBatch } from "./call-batch.js";
import { LOST, OUTSTANDING, TAKEN } from "./forward-message.js";

/** Calls of a thread found no room and are missing in the trace. */
export class LabLostEvent extends Event {
  constructor(
    readonly thread: string,
    /** How many more. */
    readonly count: number,
  ) {
    super("lost");
  }
}

/** Where batches come from: a Worker, or a MessagePort. */
export interface ReceivePort {
  addEventListener(type: "message", listener: (event: MessageEvent) => void): void;
  removeEventListener(type: "message", listener: (event: MessageEvent) => void): void;
  /** A MessagePort delivers only once it was started. */
  start?(): void;
}

/** Characters of a thread's name. */
const NAME_LENGTH = 40;

/**
 * Reports the calls that another thread forwards. Other messages of the port are left alone.
 *
 * Call it before the other side can have said who speaks, which it says once. Later it may be called for the same port again: the
 * calls go to the newest session then. Between the two, the other side keeps its newest calls until its room is used up.
 *
 * @param session gets "calls" events, and "lost" events (`LabLostEvent`) for what had no room
 * @param port the worker, or the port that was given to it
 * @returns A function that reports what has arrived and stops.
 */
export function receiveCalls(session: LabSession, port: ReceivePort): () => void {
  let speaker = speakers.get(port);
  if (speaker === undefined) speakers.set(port, (speaker = new Speaker(port)));
  return speaker.reportTo(session);
}

const speakers = new WeakMap<ReceivePort, Speaker>();

/** The other side of a port. It is listened to as long as the port lives, so that leave which it has used is never forgotten. */
class Speaker {
  #thread: string | undefined;
  #credit: Int32Array | undefined;
  #session: LabSession | undefined;
  /** Counts the sessions, so that each can stop only itself. */
  #turn = 0;
  #lostBefore = 0;
  /** Batches that arrived since the last delivery. */
  #waiting: LabCall[][] = [];
  /** Batches that arrived while there was no session: they are not shown, and their leave is given back to the next one. */
  #unheard = 0;
  #frame: number | undefined;

  constructor(port: ReceivePort) {
    port.addEventListener("message", (event) => this.#onMessage(event));
    port.start?.();
  }

  /** Reports to this session from now on, and to no other; returns what stops that. */
  reportTo(session: LabSession): () => void {
    this.#rest();
    const turn = ++this.#turn;
    this.#session = session;
    if (this.#credit !== undefined) this.#lostBefore = Atomics.load(this.#credit, LOST) >>> 0;
    this.#giveLeave(this.#unheard);
    this.#unheard = 0;
    return () => {
      if (turn === this.#turn) this.#rest();
    };
  }

  #rest(): void {
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    this.#deliver();
    this.#session = undefined;
  }

  #deliver(): void {
    this.#frame = undefined;
    const session = this.#session;
    if (session === undefined || this.#thread === undefined || this.#credit === undefined) return;
    const batches = this.#waiting;
    this.#waiting = [];
    session.addCalls(batches.flat());
    this.#giveLeave(batches.length);
    const lost = Atomics.load(this.#credit, LOST) >>> 0;
    const more = (lost - this.#lostBefore) >>> 0;
    this.#lostBefore = lost;
    if (more > 0) session.dispatchEvent(new LabLostEvent(this.#thread, more));
  }

  /** Lets the other side send so many batches more. */
  #giveLeave(batches: number): void {
    if (this.#credit === undefined || batches === 0) return;
    Atomics.add(this.#credit, TAKEN, batches);
    Atomics.notify(this.#credit, TAKEN);
  }

  #onMessage({ data }: MessageEvent): void {
    if (typeof data !== "object" || data === null) return;
    const message = data as Readonly<Record<string, unknown>>;
    if (message["iommufd"] === "thread" && this.#thread === undefined) {
      const name = nameOf(message["thread"]);
      if (name === undefined || !isCredit(message["credit"])) return;
      this.#thread = name;
      this.#credit = message["credit"];
      return;
    }
    const thread = this.#thread;
    if (message["iommufd"] !== "calls" || thread === undefined) return;
    if (this.#waiting.length + this.#unheard >= OUTSTANDING) return;
    const calls = readBatch(message["calls"]);
    if (calls === undefined) return;
    const session = this.#session;
    if (session === undefined) {
      this.#unheard++;
      return;
    }
    this.#waiting.push(
      calls.map((call) => ({
        ...call,
        thread,
        time: call.time - performance.timeOrigin,
        command: session.commands.find(({ request }) => request === call.request),
      })),
    );
    this.#frame ??= requestAnimationFrame(() => this.#deliver());
  }
}

/** A thread may have any printable name but the page's own. */
function nameOf(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  const name = value.slice(0, NAME_LENGTH).replaceAll(/\p{C}/gu, "").trim();
  return name === "" || name === PAGE_THREAD ? undefined : name;
}

function isCredit(value: unknown): value is Int32Array {
  return value instanceof Int32Array && value.buffer instanceof SharedArrayBuffer && value.length === 2;
}

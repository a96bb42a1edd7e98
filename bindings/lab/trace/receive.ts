// SPDX-License-Identifier: GPL-2.0-only
//
// The page's side of `forwardCalls`: takes the calls of another thread and reports them to a session.
//
// Once a frame, what has arrived goes to the session as one event, and only then may the worker send more: however fast
// it is, the page has a bounded amount to do in a frame. Commands are named by the session's own ones.
//
// Invariant: a message is exactly what forward-message.ts says, or it is ignored; so is one that was sent without leave.
// The other side can make the page list calls that never happened, under any name but the page's, and nothing else. For each batch
// leave for another one is given once, where it came from: also for one that is not listed, so that whoever sends next may send.

import { type LabCall, type LabSession, PAGE_THREAD } from "../session.js";
import { readBatch } from "./call-batch.js";
import { CREDIT_WORDS, LOST, OUTSTANDING, TAKEN, type BatchMessage } from "./forward-message.js";

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
 * Call it before the other side can have made a call: a worker's message that nobody listens to is gone. Later it may be called for the
 * same port again: the calls go to the newest session then. Between the two, the other side keeps its newest calls until its room is
 * used up.
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

/** A batch that arrived, as the session gets it. */
interface Arrived extends Pick<BatchMessage, "thread" | "credit"> {
  readonly calls: readonly LabCall[];
}

/** The other side of a port. It is listened to as long as the port lives, so that leave which it has used is never forgotten. */
class Speaker {
  #session: LabSession | undefined;
  /** Counts the sessions, so that each can stop only itself. */
  #turn = 0;
  /** Since the last delivery. */
  #waiting: Arrived[] = [];
  /** Credit of batches that arrived while there was no session: they are not shown, and the next session's start gives leave for them. */
  #unheard: Int32Array[] = [];
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
    for (const credit of this.#unheard.splice(0)) {
      takeLost(credit); // not this session's
      giveLeave(credit);
    }
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
    if (session === undefined) return;
    const batches = this.#waiting.splice(0);
    session.addCalls(batches.flatMap(({ calls }) => calls));
    for (const { credit } of batches) giveLeave(credit);
    for (const { thread, credit } of batches) {
      const lost = takeLost(credit);
      if (lost > 0) session.dispatchEvent(new LabLostEvent(thread, lost));
    }
  }

  #onMessage({ data }: MessageEvent): void {
    if (typeof data !== "object" || data === null) return;
    const message = data as Readonly<Record<keyof BatchMessage, unknown>>;
    const { credit } = message;
    if (message.iommufd !== "calls" || !isCredit(credit)) return;
    const thread = nameOf(message.thread);
    if (thread === undefined) return;
    if (this.#waiting.length + this.#unheard.length >= OUTSTANDING) {
      giveLeave(credit);
      return;
    }
    const calls = readBatch(message.calls);
    if (calls === undefined) return;
    const session = this.#session;
    if (session === undefined) {
      this.#unheard.push(credit);
      return;
    }
    this.#waiting.push({
      thread,
      credit,
      calls: calls.map((call) => ({
        ...call,
        thread,
        time: call.time - performance.timeOrigin,
        command: session.commands.find(({ request }) => request === call.request),
      })),
    });
    this.#frame ??= requestAnimationFrame(() => this.#deliver());
  }
}

/** Lets the other side send one batch more. */
function giveLeave(credit: Int32Array): void {
  Atomics.add(credit, TAKEN, 1);
  Atomics.notify(credit, TAKEN);
}

/** How many calls found no room since the last time. */
function takeLost(credit: Int32Array): number {
  return Atomics.exchange(credit, LOST, 0) >>> 0;
}

/** A thread may have any printable name but the page's own. */
function nameOf(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  const name = value.slice(0, NAME_LENGTH).replaceAll(/\p{C}/gu, "").trim();
  return name === "" || name === PAGE_THREAD ? undefined : name;
}

function isCredit(value: unknown): value is Int32Array {
  return value instanceof Int32Array && value.buffer instanceof SharedArrayBuffer && value.length === CREDIT_WORDS;
}

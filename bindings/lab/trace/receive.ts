// SPDX-License-Identifier: GPL-2.0-only
//
// The page's side of `forwardCalls`: takes the calls of another thread and reports them to a session.
//
// Once a frame, what has arrived goes to the session as one event, and only then may the worker send more: however fast
// it is, the page has a bounded amount to do in a frame. Commands are named by the session's own ones.
//
// Invariant: a message is exactly what forward-message.ts says, or it is ignored; so is one that was sent without leave.
// The other side can make the page list calls that never happened, and nothing else.

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
 * @param session gets "calls" events, and "lost" events (`LabLostEvent`) for what had no room
 * @param port the worker, or the port that was given to it
 * @returns A function that stops.
 */
export function receiveCalls(session: LabSession, port: ReceivePort): () => void {
  let thread: string | undefined;
  let credit: Int32Array | undefined;
  let lostBefore = 0;
  let waiting: LabCall[][] = [];
  let frame: number | undefined;

  const deliver = (): void => {
    frame = undefined;
    if (credit === undefined || thread === undefined) return;
    const batches = waiting;
    waiting = [];
    session.addCalls(batches.flat());
    Atomics.add(credit, TAKEN, batches.length);
    Atomics.notify(credit, TAKEN);
    const lost = Atomics.load(credit, LOST) >>> 0;
    const more = (lost - lostBefore) >>> 0;
    lostBefore = lost;
    if (more > 0) session.dispatchEvent(new LabLostEvent(thread, more));
  };

  const onMessage = ({ data }: MessageEvent): void => {
    if (typeof data !== "object" || data === null) return;
    const message = data as Readonly<Record<string, unknown>>;
    if (message["iommufd"] === "thread" && thread === undefined) {
      const name = nameOf(message["thread"]);
      if (name === undefined || !isCredit(message["credit"])) return;
      thread = name;
      credit = message["credit"];
      return;
    }
    if (message["iommufd"] !== "calls" || thread === undefined || waiting.length >= OUTSTANDING) return;
    const calls = readBatch(message["calls"]);
    if (calls === undefined) return;
    const from = thread;
    waiting.push(
      calls.map((call) => ({
        ...call,
        thread: from,
        time: call.time - performance.timeOrigin,
        command: session.commands.find(({ request }) => request === call.request),
      })),
    );
    frame ??= requestAnimationFrame(deliver);
  };

  port.addEventListener("message", onMessage);
  port.start?.();
  return () => {
    port.removeEventListener("message", onMessage);
    if (frame !== undefined) cancelAnimationFrame(frame);
    frame = undefined;
  };
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

// SPDX-License-Identifier: GPL-2.0-only
//
// Takes down the calls on a session's file, so that they can be made again from nothing: what the file contained at the
// start, then every ioctl of this thread, also those that others than the console made, because later answers depend on them.
//
// Invariant: `start` and then `calls` lead to what the file is now, as far as ioctls of this thread do. When the list is full,
// it begins again with what the file contains then; what was in it is counted.

import { unlessClosed } from "../closed-file.js";
import type { ObjectInfo } from "../../index.js";
import { type LabCall, type LabCallsEvent, type LabSession, PAGE_THREAD } from "../session.js";
import type { DraftRun } from "./run-draft.js";

/** Calls that are kept. */
const MOST_CALLS = 1_000;
/** A file with an object of this ID has more of them than a trace could make again; IDs are handed out lowest first. */
const TOO_MANY = 4_000;

/** What a session's file went through since `start`. */
export class CallRecorder {
  readonly session: LabSession;
  #start: readonly ObjectInfo[] | undefined;
  #calls: LabCall[] = [];
  #forgotten = 0;
  #foreign = 0;
  readonly #runs = new WeakMap<LabCall, DraftRun>();
  readonly #stop: () => void;

  /** Records from now on. */
  constructor(session: LabSession) {
    this.session = session;
    this.#start = contentOf(session);
    const onCalls = (event: Event): void => this.#add((event as LabCallsEvent).calls);
    const onContext = (): void => this.#beginAgain();
    session.addEventListener("calls", onCalls);
    session.addEventListener("context", onContext);
    this.#stop = () => {
      session.removeEventListener("calls", onCalls);
      session.removeEventListener("context", onContext);
    };
  }

  /** What the file contained before the first of `calls`; undefined when that is too much to look at in between. */
  get start(): readonly ObjectInfo[] | undefined {
    return this.#start;
  }

  /** This thread's calls, oldest first. */
  get calls(): readonly LabCall[] {
    return this.#calls;
  }

  /** Calls that `start` has made unnecessary: they were too many, or on a file that was closed since. */
  get forgotten(): number {
    return this.#forgotten;
  }

  /** Calls of other threads: in which order the kernel saw them is not known. */
  get foreign(): number {
    return this.#foreign;
  }

  /** What the console knows of a call beyond what was reported. */
  runOf(call: LabCall): DraftRun | undefined {
    return this.#runs.get(call);
  }

  /** Tells what the console knows of a call. */
  remember(run: DraftRun): void {
    this.#runs.set(run.call, run);
  }

  /** Stops to record. */
  stop(): void {
    this.#stop();
  }

  #add(calls: readonly LabCall[]): void {
    for (const call of calls) {
      if (call.thread !== PAGE_THREAD) this.#foreign++;
      // The list begins again only between two calls: the newest one is in what the file contains then.
      else if (this.#calls.length >= MOST_CALLS) this.#beginAgain(1);
      else this.#calls.push(call);
    }
  }

  #beginAgain(more = 0): void {
    this.#forgotten += this.#calls.length + more;
    this.#calls = [];
    this.#foreign = 0;
    this.#start = contentOf(this.session);
  }
}

/** A file that is closed contains nothing. */
function contentOf({ context }: LabSession): readonly ObjectInfo[] | undefined {
  return unlessClosed(() => (context.inspect(TOO_MANY) === undefined ? context.objects() : undefined), []);
}

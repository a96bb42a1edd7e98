// SPDX-License-Identifier: GPL-2.0-only
//
// The page's workers: started when there is something to do for one, used again when they are idle, replaced when they die.
//
// A job is one ioctl that blocks its worker for a while. Each goes to an idle worker, or to a new one up to MOST_WORKERS; beyond that
// there is none to give it to, and nobody is kept waiting in a queue.
//
// Invariant: a worker that was killed, or that could not start or go on, is no member any more, and the kernel's watch gives back what it
// held. Event "change": the members or what they do are others now; `news` says what happened last.

import { type LabSession, receiveCalls } from "iommufd-wasm/lab";
import { errnoName, TYPE } from "./lessons/evidence.js";
import type { Job, JobMessage, StartMessage, WorkerMessage } from "./worker-message.js";

/** As many at a time: enough for several holders of an object, and each takes some megabytes. */
const MOST_WORKERS = 3;

interface Member {
  readonly worker: Worker;
  readonly name: string;
  /** Its number in the kernel; undefined until it has attached. */
  thread: number | undefined;
  /** To be killed as soon as the kernel would know of its death. */
  isDoomed: boolean;
  /** What it does; undefined while it is idle. */
  job: JobMessage | undefined;
}

/** A worker that is doing something. */
export interface BusyWorker {
  /** As the trace calls it. */
  readonly name: string;
  readonly job: Job;
}

/** The workers of a session. */
export class WorkerCrew extends EventTarget {
  readonly #session: LabSession;
  #members: readonly Member[] = [];
  #started = 0;
  #isWatched = false;
  /** Those that have died and were not reaped yet, by their number in the kernel. */
  readonly #dead = new Map<number, string>();
  #news = "";

  constructor(session: LabSession) {
    super();
    this.#session = session;
  }

  /** Who is doing what. */
  get busy(): readonly BusyWorker[] {
    return this.#members.flatMap(({ name, job }) => (job === undefined ? [] : [{ name, job: job.job }]));
  }

  /** Whether nobody could take another job. */
  get isFull(): boolean {
    return this.busy.length >= MOST_WORKERS;
  }

  /** What happened last, in a sentence. */
  get news(): string {
    return this.#news;
  }

  /** Gives the job to a worker; when all are busy, to none. */
  give(job: Job): void {
    if (this.isFull) return;
    const member = this.#members.find((each) => each.job === undefined) ?? this.#start();
    if (member === undefined) return;
    member.job = { fd: this.#session.context.fd, job };
    if (member.thread !== undefined) member.worker.postMessage(member.job);
    this.#say(`${member.name} ${doing(job)}.`);
  }

  /** Ends a worker in the middle of what it does; one that is still starting, when it has started. */
  kill(name: string): void {
    const member = this.#members.find((each) => each.name === name);
    if (member === undefined) return;
    if (member.thread === undefined) member.isDoomed = true;
    else this.#lose(member, "was killed");
  }

  #start(): Member | undefined {
    const name = `worker ${this.#started + 1}`;
    let worker: Worker;
    try {
      worker = new Worker(new URL("./lab-worker.ts", import.meta.url), { type: "module", name });
    } catch (error) {
      this.#say(`The page could not start a worker: ${error instanceof Error ? error.message : String(error)}.`);
      return undefined;
    }
    this.#started++;
    const member: Member = { worker, name, thread: undefined, isDoomed: false, job: undefined };
    this.#members = [...this.#members, member];
    receiveCalls(this.#session, worker);
    worker.addEventListener("message", ({ data }: MessageEvent<WorkerMessage>) => this.#hear(member, data));
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      this.#lose(member, member.thread === undefined ? "could not start" : "could not go on");
    });
    const { iommufd } = this.#session;
    // A page is told of every thread of the memory by one watch.
    if (!this.#isWatched) iommufd.watch(worker, { onReaped: ({ number }) => this.#bury(number) });
    this.#isWatched = true;
    worker.postMessage({ share: iommufd.share, thread: name } satisfies StartMessage);
    return member;
  }

  #hear(member: Member, message: WorkerMessage): void {
    const { job } = member;
    switch (message.lab) {
      case "ready":
        member.thread = message.thread;
        if (member.isDoomed) this.#lose(member, "was killed");
        else if (job !== undefined) member.worker.postMessage(job);
        break;
      case "destroyed":
        this.#session.lab?.log.append(message.type, message.id);
        break;
      case "ended":
        member.job = undefined;
        if (job !== undefined) this.#say(`${member.name} ${done(job.job, message.result)}.`);
    }
  }

  #lose(member: Member, how: string): void {
    member.worker.terminate();
    this.#members = this.#members.filter((each) => each !== member);
    if (member.thread !== undefined) this.#dead.set(member.thread, member.name);
    this.#say(`${member.name} ${how}.`);
  }

  #bury(thread: number): void {
    const name = this.#dead.get(thread);
    if (name === undefined) return;
    this.#dead.delete(thread);
    this.#say(`${name} is dead. The kernel has taken back what it had in hand.`);
  }

  #say(news: string): void {
    this.#news = news;
    this.dispatchEvent(new Event("change"));
  }
}

/** What a worker with that job is doing, behind its name. */
export function doing(job: Job): string {
  const seconds = job.msecs / 1000;
  return job.kind === "hold"
    ? `calls LAB_HOLD: object ${job.id}, ${seconds}\u00a0s`
    : `calls LAB_RESERVE: an ${typeName(job.type)}, ${seconds}\u00a0s`;
}

function done(job: Job, result: number): string {
  if (result < 0) {
    const what = job.kind === "hold" ? `could not hold object ${job.id}` : "could not reserve an ID";
    return `${what}: ${errnoName(result)}`;
  }
  return job.kind === "hold" ? `has let go of object ${job.id}` : `has published its ${typeName(job.type)}`;
}

function typeName(type: number): string {
  return Object.entries(TYPE).find(([, value]) => value === type)?.[0] ?? `type ${type}`;
}

// SPDX-License-Identifier: GPL-2.0-only
//
// A race on real threads, from the page's side: a kernel of its own, one worker for each actor, and their counts.
//
// The page never blocks. The workers' leader measures the run's time. What the page watches is that they get on: where all have not met
// for STALL_BOUND, one of them is stuck in a call, and the run has stalled. A run that has stalled, or is stopped, ends by the board: who
// waits there is woken up, and the leader counts the tries that came to their end. Is the leader the one that is stuck, then what
// it reported last counts, STOP_GRACE later. In whatever way a run ends, no worker is left.

import { Iommufd } from "../../index.js";
import { RaceBoard } from "./race-board.js";
import type { CountedOutcome, ReportMessage, StartMessage } from "./race-worker.js";
import type { Race } from "./race.js";

/** How long a run goes on in which no try comes to its end, in milliseconds; at most half as long again. */
export const STALL_BOUND = 5000;
/** How long workers may take to start, in milliseconds: they are loaded first. */
const START_BOUND = 30_000;
/** How long the leader of a run that is to end has for its last count, in milliseconds. */
const STOP_GRACE = 500;

/** What came of a run so far. */
export interface RunCounts {
  readonly outcomes: readonly CountedOutcome[];
  /** How often the race was run. */
  readonly tries: number;
}

/** What came of a run. */
export interface RunResult extends RunCounts {
  /** Whether a worker got stuck, in a try that is not counted. */
  readonly stalled: boolean;
}

export interface RunOptions {
  /** How long, in milliseconds. */
  readonly milliseconds: number;
  /** Ends the race early; what was counted by then is the result. */
  readonly signal: AbortSignal;
  /** Called some times a second. */
  readonly onCounts: (counts: RunCounts) => void;
}

/** Runs the race. Context: the page is cross-origin isolated. Rejects when a worker fails, or they do not start within START_BOUND. */
export async function runRace(race: Race, { milliseconds, signal, onCounts }: RunOptions): Promise<RunResult> {
  const iommufd = await Iommufd.create();
  const board = new RaceBoard();
  const workers: Worker[] = [];
  const over = new AbortController();
  try {
    return await new Promise<RunResult>((resolve, reject) => {
      let reported: RunCounts = { outcomes: [], tries: 0 };
      let stalled = false;
      const end = (): void => resolve({ ...reported, stalled });
      const stop = (): void => {
        board.stop();
        AbortSignal.timeout(STOP_GRACE).addEventListener("abort", end);
      };
      signal.addEventListener("abort", stop, { once: true, signal: over.signal });
      if (signal.aborted) stop();
      watch(board, over.signal, () => {
        if (board.isStopped) return; // it ends already
        if (board.meetings === 0) {
          reject(new Error(`its workers did not start within ${START_BOUND / 1000} seconds`));
          return;
        }
        stalled = true;
        stop();
      });
      const { name, setup, actors, after_calls } = race;
      for (const actor of actors.keys()) {
        const worker = startWorker(`race ${name}`);
        workers.push(worker);
        worker.onmessage = ({ data: { outcomes, tries, done } }: MessageEvent<ReportMessage>) => {
          reported = { outcomes, tries };
          onCounts(reported);
          if (done) end();
        };
        worker.onerror = (event) => reject(new Error(event.message || "a worker of the race could not be started"));
        const message: StartMessage = {
          share: iommufd.share,
          board: board.buffer,
          race: { setup, actors, after_calls },
          actor,
          milliseconds,
        };
        worker.postMessage(message);
      }
    });
  } finally {
    over.abort();
    for (const worker of workers) worker.terminate();
    iommufd.detach();
  }
}

/**
 * Calls `onStall` once, when the workers have not met for their bound. Half a STALL_BOUND is the most that a computer which was asleep
 * counts for.
 */
function watch(board: RaceBoard, over: AbortSignal, onStall: () => void, idle = 0): void {
  const seen = board.meetings;
  const interval = STALL_BOUND / 2;
  AbortSignal.timeout(interval).addEventListener("abort", () => {
    if (over.aborted) return;
    const longer = board.meetings === seen ? idle + interval : 0;
    if (longer >= (seen === 0 ? START_BOUND : STALL_BOUND)) onStall();
    else watch(board, over, onStall, longer);
  });
}

/** Bundlers know the first form, and bundle the worker with it. */
function startWorker(name: string): Worker {
  try {
    return new Worker(new URL("./race-worker.js", import.meta.url), { type: "module", name });
  } catch (error) {
    if (!(error instanceof DOMException) || error.name !== "SecurityError") throw error;
    importer ??= importerOf("race-worker.js");
    return new Worker(importer, { type: "module", name });
  }
}

/** Address of a script of the page's origin that imports the worker's; made once, since a worker may load it at any time. */
let importer: string | undefined;

/** A worker's first script must be of the page's origin; where ours is not, as from a CDN, one that imports it is. */
function importerOf(file: string): string {
  const script = `import ${JSON.stringify(new URL(file, import.meta.url).href)};`;
  return URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
}

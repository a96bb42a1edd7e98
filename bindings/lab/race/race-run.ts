// SPDX-License-Identifier: GPL-2.0-only
//
// A race on real threads, from the page's side: a kernel of its own, one worker for each actor, and their counts.
//
// The page never blocks and has no clock here: the workers' leader ends the race when its time is over, or when the board says STOP. In
// whatever way it ends, no worker is left.

import { Iommufd } from "../../index.js";
import { RaceBoard } from "./race-board.js";
import type { CountedOutcome, ReportMessage, StartMessage } from "./race-worker.js";
import type { Race } from "./race.js";

/** What came of a run so far. */
export interface RunCounts {
  readonly outcomes: readonly CountedOutcome[];
  /** How often the race was run. */
  readonly tries: number;
}

export interface RunOptions {
  /** How long, in milliseconds. */
  readonly milliseconds: number;
  /** Ends the race early; what was counted by then is the result. */
  readonly signal: AbortSignal;
  /** Called some times a second. */
  readonly onCounts: (counts: RunCounts) => void;
}

/** Runs the race. Context: the page is cross-origin isolated. Rejects when a worker fails. */
export async function runRace(race: Race, { milliseconds, signal, onCounts }: RunOptions): Promise<RunCounts> {
  const iommufd = await Iommufd.create();
  const board = new RaceBoard();
  const workers = race.actors.map(() => startWorker(`race ${race.name}`));
  const stop = (): void => board.stop();
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  try {
    return await new Promise<RunCounts>((resolve, reject) => {
      workers.forEach((worker, actor) => {
        worker.onmessage = ({ data: { outcomes, tries, done } }: MessageEvent<ReportMessage>) => {
          onCounts({ outcomes, tries });
          if (done) resolve({ outcomes, tries });
        };
        worker.onerror = (event) => reject(new Error(event.message || "a worker of the race could not be started"));
        const { setup, actors, after_calls } = race;
        const message: StartMessage = {
          share: iommufd.share,
          board: board.buffer,
          race: { setup, actors, after_calls },
          actor,
          milliseconds,
        };
        worker.postMessage(message);
      });
    });
  } finally {
    signal.removeEventListener("abort", stop);
    for (const worker of workers) worker.terminate();
    iommufd.detach();
  }
}

/** Bundlers know the first form, and bundle the worker with it. */
function startWorker(name: string): Worker {
  try {
    return new Worker(new URL("./race-worker.js", import.meta.url), { type: "module", name });
  } catch (error) {
    if (!(error instanceof DOMException) || error.name !== "SecurityError") throw error;
    return new Worker(importerOf("race-worker.js"), { type: "module", name });
  }
}

/** A worker's first script must be of the page's origin; where ours is not, as from a CDN, one that imports it is. */
function importerOf(file: string): string {
  const script = `import ${JSON.stringify(new URL(file, import.meta.url).href)};`;
  return URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
}

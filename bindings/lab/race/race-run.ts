// SPDX-License-Identifier: GPL-2.0-only
//
// A race on real threads, from the page's side: a kernel of its own, one worker for each actor, and their counts.
//
// The page never blocks and measures no time: the workers' leader ends the race when its time is over, or when the board says STOP. It
// looks at the board once a try, so where a worker stalls it never does: then the page ends a stopped run itself, with what was reported
// last. In whatever way a run ends, no worker is left.

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

/** How long the leader of a stopped run has for its last count, in milliseconds. */
const STOP_GRACE = 500;

/** Runs the race. Context: the page is cross-origin isolated. Rejects when a worker fails. */
export async function runRace(race: Race, { milliseconds, signal, onCounts }: RunOptions): Promise<RunCounts> {
  const iommufd = await Iommufd.create();
  const board = new RaceBoard();
  const workers: Worker[] = [];
  const over = new AbortController();
  try {
    return await new Promise<RunCounts>((resolve, reject) => {
      let reported: RunCounts = { outcomes: [], tries: 0 };
      const stop = (): void => {
        board.stop();
        AbortSignal.timeout(STOP_GRACE).addEventListener("abort", () => resolve(reported));
      };
      signal.addEventListener("abort", stop, { once: true, signal: over.signal });
      if (signal.aborted) stop();
      const { name, setup, actors, after_calls } = race;
      for (const actor of actors.keys()) {
        const worker = startWorker(`race ${name}`);
        workers.push(worker);
        worker.onmessage = ({ data: { outcomes, tries, done } }: MessageEvent<ReportMessage>) => {
          reported = { outcomes, tries };
          onCounts(reported);
          if (done) resolve(reported);
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

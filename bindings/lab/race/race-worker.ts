// SPDX-License-Identifier: GPL-2.0-only
//
// One actor of a running race: a module worker, bundled as dist/race-worker.js.
//
// Its first message says everything (StartMessage). Then, until the time is over or the page stops the board: the leader, actor 0, opens
// a file and makes the calls of the set-up; all meet; each makes its call; all meet; the leader makes the calls afterwards and counts
// the outcome. Nobody else looks at a clock: the leader says before each try whether there is one.
//
// The leader reports what it has counted a few times a second, and once more at the end with `done`: tries that all have come through,
// and not the one that a stop came into. An error in a worker is the worker's error event.

import { Iommufd, type IommufdShare } from "../../index.js";
import { RaceBoard, Stopped } from "./race-board.js";
import { RaceCaller } from "./race-caller.js";
import { type Race, type RaceOutcome, keyOf } from "./race.js";

/** What a worker is told. */
export interface StartMessage {
  readonly share: IommufdShare;
  readonly board: SharedArrayBuffer;
  readonly race: Pick<Race, "setup" | "actors" | "after_calls">;
  readonly actor: number;
  /** How long the race goes on, in milliseconds. */
  readonly milliseconds: number;
}

/** An outcome and how often it came up. */
export interface CountedOutcome extends RaceOutcome {
  readonly count: number;
}

/** What the leader says. */
export interface ReportMessage {
  readonly outcomes: readonly CountedOutcome[];
  readonly tries: number;
  readonly done: boolean;
}

/** Milliseconds between two reports: each is shown, and nobody reads more of them. */
const REPORT_EVERY = 250;
/**
 * Delays in front of a call are up to 2^n rounds, n below this: calls of 100 ns and of 10 µs race one another, and over many tries
 * each part of the one is to meet each part of the other.
 */
const DELAY_SCALES = 11;

addEventListener("message", ({ data }: MessageEvent<StartMessage>) => play(data));

function play({ share, board: buffer, race, actor, milliseconds }: StartMessage): void {
  const board = new RaceBoard(buffer);
  const caller = new RaceCaller(Iommufd.attachSync(share), board);
  const { setup, actors, after_calls } = race;
  const own = actors[actor];
  if (own === undefined) throw new Error(`the race has no actor ${actor}`);
  const leads = actor === 0;
  const counts = new Map<string, { outcome: RaceOutcome; count: number }>();
  let tries = 0;
  const report = (done: boolean): void => {
    const outcomes = [...counts.values()].map(({ outcome, count }) => ({ ...outcome, count }));
    postMessage({ outcomes, tries, done } satisfies ReportMessage);
  };

  try {
    board.meet(actors.length); // all are attached; the time begins
    const begin = performance.now();
    let nextReport = begin;
    for (;;) {
      if (leads) {
        const now = performance.now();
        board.goesOn = now - begin < milliseconds;
        if (board.goesOn) {
          board.fd = caller.iommufd.open().fd;
          for (const call of setup) caller.call(call, board.fd);
        }
        if (now >= nextReport) {
          report(false);
          nextReport = now + REPORT_EVERY;
        }
      }
      board.meet(actors.length);
      if (!board.goesOn) break;
      const run = caller.prepare(own, board.fd);
      const delay = Math.random() * 2 ** (Math.random() * DELAY_SCALES);
      board.meet(actors.length);
      board.dawdle(delay);
      board.setResult(actor, run());
      board.meet(actors.length);
      if (!leads) continue;
      const results = actors.map((call, index) => caller.inWords(call, board.result(index)));
      const after = after_calls.map((call) => caller.call(call, board.fd));
      caller.prepare({ call: "CLOSE", fd: 0 }, board.fd)();
      const outcome = { results, after, warn: oncePerTry(board.takeWarnings()) };
      const key = keyOf(outcome);
      const known = counts.get(key);
      if (known === undefined) counts.set(key, { outcome, count: 1 });
      else known.count++;
      tries++;
    }
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
  }
  if (leads) report(true);
  caller.iommufd.detach();
}

/** The kernel's refcount warnings are of the kind that warns once per call; the library reports each. */
function oncePerTry(kinds: readonly string[]): string[] {
  return kinds.filter((kind, index) => !kind.startsWith("refcount:") || kinds.indexOf(kind) === index);
}

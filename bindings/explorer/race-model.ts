// SPDX-License-Identifier: GPL-2.0-only
//
// A race in lab calls as a model of the explorer: the text of an execution is its outcome, and an outcome that is not allowed fails
// that execution.
//
// What programs share in JavaScript is the destroy log and the list of warnings, which the search does not see. Nothing is
// decided by them, and in the races here the objects' counts order the log.

import { bootThreads, describeCore } from "./core-setup.js";
import { expect } from "./failure.js";
import type { Core, Model } from "./model.js";
import { type CoreLayout, type CoreProgram, LabThread, type LabWorld, type SystemCall } from "./lab-programs.js";

const PAGES = 6;

/** What one thread of a race does: a call, or several in a row. */
export type Actor = SystemCall | readonly SystemCall[];

/** Calls that are made alone, then by one thread each, then alone again when all are done. */
export interface LabRace {
  readonly race: string;
  readonly setup: readonly SystemCall[];
  readonly actors: readonly Actor[];
  readonly after_calls: readonly SystemCall[];
}

/** An allocation and its abort: afterwards the file has its ID table, as after any earlier use; making it is no part of a race here. */
const WARM_UP: SystemCall = { call: "ALLOC", fd: 0, args: [1, 0, 0, 1] };

/** What the set-up leaves. */
export interface LabState {
  readonly slots: number[];
  readonly file: number;
  readonly layout: CoreLayout;
  readonly describe: (address: number) => string | undefined;
}

/** `check` is told each outcome's text and answers what is wrong with it. */
export function raceModel(
  { race, setup, actors, after_calls }: LabRace,
  check: (outcome: string) => string | undefined,
): Model<LabState> {
  return {
    name: race,
    pages: PAGES,
    setup(core) {
      const layout = core.constants as CoreLayout;
      const slots = bootThreads(core, "rfc", actors.length);
      slots.forEach((slot, thread) => runNow(core, thread, new LabThread(core, slot, newWorld([]), layout).define()));
      const file = core.call(0, "open");
      const first = new LabThread(core, slots[0] ?? 0, newWorld([file]), layout);
      for (const call of [WARM_UP, ...setup]) runNow(core, 0, first.call(call));
      return { slots, file, layout, describe: describeCore(core, { slots, file, expected: 0, type: 1 }) };
    },
    run(core, { slots, file, layout }) {
      const world = newWorld([file]);
      const thread = (index: number) => new LabThread(core, slots[index] ?? 0, world, layout);
      return {
        threads: actors.map((actor, index) => ({
          name: callsOf(actor).map(nameOf).join(", "),
          program: () => callAll(thread(index), callsOf(actor)),
        })),
        finish(results) {
          const after = after_calls.map((call) => runNow(core, 0, thread(0).call(call)));
          runNow(core, 0, thread(0).call({ call: "CLOSE", fd: 0 }));
          const outcome = JSON.stringify({ results, after, warn: world.warnings });
          const wrong = check(outcome);
          expect(wrong === undefined, wrong ?? "");
          return outcome;
        },
      };
    },
    describeAddress: (address, { describe }) => describe(address),
  };
}

function newWorld(files: readonly number[]): LabWorld {
  return { files, log: [], warnings: [] };
}

function callsOf(actor: Actor): readonly SystemCall[] {
  return "call" in actor ? [actor] : actor;
}

function nameOf({ call, args = [] }: SystemCall): string {
  return `${call} ${args.join(" ")}`.trimEnd();
}

function* callAll(thread: LabThread, calls: readonly SystemCall[]): CoreProgram<string> {
  const answers: string[] = [];
  for (const call of calls) answers.push(yield* thread.call(call));
  return answers.join(" ");
}

/** Outside of the schedule: all of a program's calls at once. */
function runNow<T>(core: Core, thread: number, program: CoreProgram<T>): T {
  let next = program.next();
  while (!next.done) next = program.next(core.call(thread, next.value.name, ...next.value.args) ?? 0);
  return next.value;
}

// SPDX-License-Identifier: GPL-2.0-only
//
// The lab's programs on a compiled core, every order of their calls of the core: each call is one step.
//
// Coarser than an explorer that stops inside of calls, but it needs no special build: the threads are instances of the core
// on one memory, played by one JavaScript thread. A destroyWait is played as what it does: it sleeps until the word that the
// core named has another value, then asks again.
//
// Each try opens a file anew, and finds the thread slots as they were at first: otherwise the generations of handles would go on
// from try to try, and after the last one a put takes another way. What a try leaves behind is leaked objects at most.

import { type CoreExports, instantiate } from "../../../bindings/core.js";
import { Layout } from "../../../bindings/generated/layout.js";
import type { Race } from "../../support/races.ts";
import { explore } from "./explore.ts";
import type { Actor, Call, Outcome } from "./outcomes.ts";
import {
  type CoreMemory,
  type CoreProgram,
  LabThread,
  type LabWorld,
} from "../../../bindings/explorer/lab-programs.js";
import { type Steps, step } from "./steps.ts";

const MEMORY_PAGES = 512;
const MAX_ACTORS = 3;
const ID_LIMIT = 2 ** 32 - 1;

interface Player {
  readonly core: CoreExports;
  /** Address of its thread slot. */
  readonly thread: number;
}

/** A memory with some threads, on which one try after the other is made. */
export class CallExplorer {
  readonly #words: Uint32Array;
  readonly #memory: CoreMemory;
  readonly #players: Player[];
  /** Copies of the thread slots. */
  readonly #slots: Uint32Array[];

  /** The profile is the seed's. */
  constructor(module: WebAssembly.Module) {
    const memory = new WebAssembly.Memory({ initial: MEMORY_PAGES, maximum: MEMORY_PAGES, shared: true });
    this.#words = new Uint32Array(memory.buffer);
    this.#memory = {
      u32: (address) => this.#words[address >> 2] ?? 0,
      setU32: (address, value) => {
        this.#words[address >> 2] = value;
      },
    };
    instantiate(module, memory).init(
      memory.buffer.byteLength,
      Layout.PROFILE_RFC,
      ID_LIMIT,
      Layout.MAINLINE_COMMAND_LIMIT,
    );
    this.#players = Array.from({ length: MAX_ACTORS }, () => {
      const core = instantiate(module, memory);
      const player = { core, thread: core.attachThread(1) };
      runToEnd(this.#stepsOf(player, new LabThread(this.#memory, player.thread, noWorld(), Layout).define()));
      return player;
    });
    this.#slots = this.#players.map(({ thread }) =>
      this.#words.slice(thread >> 2, (thread + Layout.THREAD_BYTES) >> 2),
    );
  }

  /** Everything that comes of these actors in any order of their calls of the core. */
  outcomes(setup: readonly Call[], actors: readonly Actor[], after: readonly Call[]): Outcome[] {
    const start = () => {
      const world = this.#open();
      for (const call of setup) this.#now(world, call);
      return {
        tasks: actors.map((actor, index) => this.#actor(world, index, actor)),
        snapshot: () => "",
        finish: (results: string[]) => {
          const answers = after.map((call) => this.#now(world, call));
          this.#now(world, { call: "CLOSE", fd: 0 });
          return { results, after: answers, warn: [...world.warnings] };
        },
      };
    };
    return explore(start, "any", false).outcomes;
  }

  raceOutcomes(race: Race): Outcome[] {
    const actors = race.actors.map(({ call, fd, args = [] }) => ({ call, fd, args }));
    return this.outcomes(race.setup, actors, race.after_calls);
  }

  #open(): LabWorld {
    this.#players.forEach(({ thread }, index) => this.#words.set(this.#slots[index] ?? [], thread >> 2));
    const file = this.#player(0).core.open();
    if (file < 0) throw new Error(`open: ${file}`);
    return { ...noWorld(), files: [file] };
  }

  #player(index: number): Player {
    const player = this.#players[index];
    if (player === undefined) throw new Error(`at most ${MAX_ACTORS} actors`);
    return player;
  }

  /** Makes a call at once, in the first thread. */
  #now(world: LabWorld, call: Call): string {
    return runToEnd(this.#call(world, 0, call));
  }

  #call(world: LabWorld, index: number, call: Call): Steps<string> {
    const player = this.#player(index);
    return this.#stepsOf(player, new LabThread(this.#memory, player.thread, world, Layout).call(call));
  }

  *#actor(world: LabWorld, index: number, actor: Actor): Steps<string> {
    const answers: string[] = [];
    for (const call of "call" in actor ? [actor] : actor) answers.push(yield* this.#call(world, index, call));
    return answers.join(" ");
  }

  *#stepsOf<T>(player: Player, program: CoreProgram<T>): Steps<T> {
    let next = program.next();
    while (!next.done) {
      const { name, args } = next.value;
      const answer =
        name === "destroyWait" ? yield* this.#wait(player, args) : yield* step(name, () => invoke(player, name, args));
      next = program.next(answer);
    }
    return next.value;
  }

  *#wait({ core, thread }: Player, [file = 0, handle = 0]: readonly number[]): Steps<number> {
    for (;;) {
      const [entry = 0, low, high] = this.#words.subarray(((thread + Layout.THREAD_RESULT0) >> 2) + 1);
      const changed = () => this.#words[entry >> 2] !== low || this.#words[(entry >> 2) + 1] !== high;
      const answer = yield* step("destroyWait", () => core.destroyPoll(file, handle), changed);
      if (answer !== Layout.MUST_WAIT) return answer;
    }
  }
}

function noWorld(): LabWorld {
  return { files: [], log: [], warnings: [] };
}

function invoke({ core }: Player, name: keyof CoreExports, args: readonly number[]): number {
  const function_ = core[name] as (...args: readonly number[]) => number | undefined;
  return function_(...args) ?? 0;
}

/** Takes all steps of a program that nobody disturbs. */
function runToEnd<T>(program: Steps<T>): T {
  let next = program.next();
  while (!next.done) {
    if (next.value.when?.() === false) throw new Error(`waits for ever: ${next.value.label}`);
    next = program.next(next.value.run());
  }
  return next.value;
}

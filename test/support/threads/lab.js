// SPDX-License-Identifier: GPL-2.0-only
//
// For test/races.test.ts: one of the threads of a race, with the lab on a shared Iommufd.
//
//   attach     defines the lab; answers when that is done
//   call       makes one call; a LAB_HOLD says when it holds, and waits for its gate
//   together   an actor of a race: makes its call once per try, released together with the other actors; actor 0 also sets
//              each try up, looks at it afterwards, and answers with the outcomes
//   alloc      many LAB_ALLOCs; answers with the IDs
//   stress     random calls; answers with how each of them ended

import { Iommufd } from "iommufd-wasm";
import { Board, Stopped } from "../lab-board.js";
import { LabCaller, asRecorded } from "../lab-calls.js";
import { random } from "../seeded.js";
import { stress } from "../lab-stress.js";
import { post, receive } from "../thread-port.js";

/**
 * Delays in front of a call are up to 2^n rounds, n below this: calls of 100 ns and of 10 µs race one another, and over many
 * tries each part of the one is to meet each part of the other.
 */
const DELAY_SCALES = 11;
/** What a HOLD of 1 ms is where nobody looks at the clock: long enough for another actor to come by. */
const SHORT_HOLD = 500;

let board;
let caller;
let whileHolding = () => undefined;

const tasks = {
  attach({ share, buffer, page }) {
    board = new Board(buffer);
    caller = new LabCaller(Iommufd.attachSync(share), board, page, () => whileHolding());
    post("attached");
  },

  call({ actor, call, fd }) {
    whileHolding = () => {
      post({ actor, holds: true });
      board.passGate(actor);
    };
    const result = caller.call(call, fd);
    board.setDone(actor);
    post({ actor, result });
  },

  together({ race, actor, tries, logFd, seed }) {
    const { setup, actors, after_calls } = race;
    const next = random(seed + actor);
    const isFirst = actor === 0;
    const outcomes = new Map();
    whileHolding = () => {
      for (let spin = 0; spin < SHORT_HOLD; spin++) Atomics.load(board.words, 0);
    };
    for (let attempt = 0; attempt < tries; attempt++) {
      if (isFirst) {
        const context = caller.iommufd.open();
        board.fd = context.fd;
        for (const call of setup) caller.call(call, context.fd);
      }
      board.meet(actors.length);
      const run = caller.prepare(actors[actor], board.fd);
      const delay = next() % (1 << (next() % DELAY_SCALES));
      board.meet(actors.length);
      for (let spin = 0; spin < delay; spin++) Atomics.load(board.words, 0);
      board.setResult(actor, run());
      board.meet(actors.length);
      if (isFirst) count(outcomes, outcomeOf(actors, after_calls, logFd));
    }
    post({ outcomes: [...outcomes.values()] });
  },

  alloc({ fd, count, threads }) {
    board.meet(threads);
    const ids = [];
    for (let n = 0; n < count; n++) ids.push(caller.call({ call: "ALLOC", fd: 0, args: [1, 0, 0, 0] }, fd));
    post({ ids });
  },

  stress({ fd, seed, operations, threads }) {
    whileHolding = () => undefined;
    board.meet(threads);
    post({ tally: stress(caller, fd, random(seed), operations) });
  },
};

function outcomeOf(actors, afterCalls, logFd) {
  const results = actors.map((call, actor) => caller.describe(call, board.result(actor)));
  const after = afterCalls.map((call) => caller.call(call, call.fd === 0 ? board.fd : logFd));
  const left = caller.prepare({ call: "CLOSE", fd: 0 }, board.fd);
  left();
  return { results, after, warn: asRecorded(board.takeWarnings()) };
}

function count(outcomes, outcome) {
  const key = JSON.stringify(outcome);
  const known = outcomes.get(key);
  if (known) known.count++;
  else outcomes.set(key, { ...outcome, count: 1 });
}

receive((message) => {
  try {
    tasks[message.task](message);
  } catch (error) {
    if (error instanceof Stopped) return;
    board?.stop();
    throw error;
  }
});

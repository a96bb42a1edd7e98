// SPDX-License-Identifier: GPL-2.0-only
//
// The board of the lab's races (bindings/lab/race/race-board.ts), with what tests of the threads need beyond it:
//
//   a log with room for a whole storm
//   GATES   one per actor: a LAB_HOLD of this actor goes on when its gate is opened
//   DONE    one per actor: 1 once its call has returned
//
// A plain thread file imports this, so it takes the module as it was compiled.

import * as compiled from "../../build/ts/lab/race/race-board.js";

/** @type {typeof import("../../bindings/lab/race/race-board.js")} */
const { MAX_ACTORS, RaceBoard, Stopped } = compiled;

const MAX_LOG = 1 << 16;

export { Stopped };

export class Board extends RaceBoard {
  #gates;
  #done;

  /** @param {SharedArrayBuffer} [buffer] */
  constructor(buffer) {
    super(buffer, MAX_LOG, 2 * MAX_ACTORS);
    this.#gates = this.words.length - 2 * MAX_ACTORS;
    this.#done = this.words.length - MAX_ACTORS;
  }

  /** Ends every wait on the board, now and later. */
  stop() {
    super.stop();
    for (let actor = 0; actor < MAX_ACTORS; actor++) this.openGate(actor);
  }

  closeGates() {
    for (let actor = 0; actor < MAX_ACTORS; actor++) {
      Atomics.store(this.words, this.#gates + actor, 0);
      Atomics.store(this.words, this.#done + actor, 0);
    }
    if (this.isStopped) this.stop(); // it may have opened them before they were closed
  }

  openGate(actor) {
    Atomics.store(this.words, this.#gates + actor, 1);
    Atomics.notify(this.words, this.#gates + actor);
  }

  /** Sleeps until the actor's gate is open. */
  passGate(actor) {
    while (Atomics.load(this.words, this.#gates + actor) === 0) Atomics.wait(this.words, this.#gates + actor, 0);
    this.checkStop();
  }

  setDone(actor) {
    Atomics.store(this.words, this.#done + actor, 1);
  }

  /** @returns {boolean} */
  isDone(actor) {
    return Atomics.load(this.words, this.#done + actor) === 1;
  }
}

// SPDX-License-Identifier: GPL-2.0-only
//
// The frame of a thread file that does what it is told: each message names a task, and each task is answered once.
//
// The answer is what the task returns, or the Linux name of the error that it throws. Any other error ends all waits on the
// board, so that it is the one to be reported. The tasks `attach`, `detach` and `idle` are in every such file; see ./crew.ts for
// the other side.

import { Iommufd, IommufdError } from "iommufd-wasm";
import { Board, Stopped } from "./lab-board.js";
import { post, receive } from "./thread-port.js";

/** What the thread has: its number among its crew, the board that they share, and its side of the kernel. */
export const me = {
  number: 0,
  /** @type {Board} */
  board: undefined,
  /** @type {Iommufd} */
  iommufd: undefined,
};

const always = {
  async attach({ share, buffer, number }) {
    me.board = new Board(buffer);
    me.number = number;
    me.iommufd = await Iommufd.attach(share); // not attachSync: from the answer on, its death is to be known
    return "attached";
  },
  detach() {
    me.iommufd.detach();
    return "detached";
  },
  /** Answers once the thread has nothing else to do. */
  idle: () => "idle",
};

/** @param {Record<string, (args: any) => unknown>} tasks */
export function serve(tasks) {
  const all = { ...always, ...tasks };
  receive(({ task, args }) => {
    try {
      const result = answerOf(() => all[task](args));
      if (result instanceof Promise) result.then(post, (error) => setTimeout(() => fail(error)));
      else post(result);
    } catch (error) {
      fail(error);
    }
  });
}

function fail(error) {
  if (error instanceof Stopped) return;
  me.board?.stop();
  throw error;
}

/** What the call returns or resolves to, or the name of its error. @param {() => unknown} call */
export function answerOf(call) {
  try {
    const result = call();
    return result instanceof Promise ? result.catch(codeOf) : result;
  } catch (error) {
    return codeOf(error);
  }
}

function codeOf(error) {
  if (error instanceof IommufdError) return error.code;
  throw error;
}

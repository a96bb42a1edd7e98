// SPDX-License-Identifier: GPL-2.0-only
//
// A crew: threads that are attached to one Iommufd and do the tasks that they are given (thread-tasks.js).
//
// A task that blocks leaves its answer outstanding: `begin` it, look at what there is to see, and take the answer with `next`.
// The starting thread never blocks. Nothing here needs the test runner: tests use ./crew.ts.

import type { Iommufd } from "iommufd-wasm";
import { Board } from "./lab-board.js";
import { startThread } from "./thread.ts";

export interface Member {
  /** 0, 1, 2 … within the crew. */
  readonly number: number;
  /** Gives the thread a task. Its answer is the next message that nobody took. */
  readonly begin: (task: string, args?: object) => void;
  readonly next: <T = unknown>() => Promise<T>;
  /** `begin`, then `next`. */
  readonly call: <T = unknown>(task: string, args?: object) => Promise<T>;
}

export interface CrewThreads {
  readonly board: Board;
  readonly members: readonly Member[];
  /** Gives all of them the same task; their answers, in their order. */
  readonly all: <T = unknown>(task: string, args?: object) => Promise<T[]>;
  /** Attaches all to an Iommufd. */
  readonly attachTo: (iommufd: Iommufd) => Promise<void>;
  /** Ends all threads. */
  readonly end: () => Promise<void>;
}

/** Starts `count` threads of test/support/threads/`file`. */
export async function startCrewThreads(file: string, count: number): Promise<CrewThreads> {
  const board = new Board();
  const threads = await Promise.all(Array.from({ length: count }, () => startThread(file)));
  const members = threads.map((thread, number): Member => {
    const begin = (task: string, args: object = {}): void => thread.post({ task, args });
    const next = <T>(): Promise<T> => thread.next<T>();
    return {
      number,
      begin,
      next,
      call: <T>(task: string, args?: object) => {
        begin(task, args);
        return next<T>();
      },
    };
  });
  return {
    board,
    members,
    all: <T>(task: string, args?: object) => Promise.all(members.map((member) => member.call<T>(task, args))),
    async attachTo({ share }) {
      for (const { call, number } of members) {
        const answer = await call("attach", { share, number, buffer: board.buffer });
        if (answer !== "attached") throw new Error(`thread ${number} cannot attach: ${String(answer)}`);
      }
    },
    async end() {
      board.stop();
      await Promise.all(threads.map((thread) => thread.terminate()));
    },
  };
}

/** Objects, files, mappings, waits and handles that are still there; leaked objects do not count. */
export function whatIsLeft(iommufd: Iommufd): object {
  const { objects, files, mappings, waiting, threads } = iommufd.stats();
  const held = threads.list.filter(({ locked, reserved, waiting }) => locked + reserved + waiting > 0);
  return { objects: { ...objects, leaked: 0 }, open: files.open, mappings, waiting, held };
}

/** What `whatIsLeft` says of a machine at rest. */
export const NOTHING = {
  objects: { live: 0, reserved: 0, leaked: 0, queued: 0 },
  open: 0,
  mappings: 0,
  waiting: [],
  held: [],
};

/** Resolves once `condition` holds; between two looks the host does something else. */
export async function until(condition: () => boolean): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  while (!condition()) {
    await new Promise((resolve) => {
      port1.onmessage = resolve;
      port2.postMessage(null);
    });
  }
  port1.close();
}

/** Empties the destroy log: the entries' pairs, in order. */
export function takeLog(board: Board): [member: number, value: number][] {
  const pairs: [number, number][] = [];
  board.log.take(Infinity, (flat) => {
    for (let at = 0; at < flat.length; at += 2) pairs.push([flat[at] ?? -1, flat[at + 1] ?? -1]);
  });
  return pairs;
}

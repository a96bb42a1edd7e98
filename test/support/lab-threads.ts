// SPDX-License-Identifier: GPL-2.0-only
//
// The lab on several threads: an Iommufd, the board that its threads share, and a number of workers (threads/lab.js) that
// are attached to it and wait for tasks. The test's own thread has the lab too, and never blocks.

import { Iommufd } from "iommufd-wasm";
import { Board } from "./lab-board.js";
import { type Call, LabCaller } from "./lab-calls.js";
import { type Thread, startThread } from "./thread.ts";

export interface LabThreads {
  iommufd: Iommufd;
  board: Board;
  /** The test's own side. */
  caller: LabCaller;
  /** A file for LAB_LOG: label 1 of the recorded races. */
  logFd: number;
  workers: readonly Thread[];
  /** Opens a file for label 0, and makes the calls that prepare a race. */
  setUp(calls: readonly Call[]): number;
  end(): Promise<void>;
}

const PAGE = 4096;

export async function startLabThreads(count: number): Promise<LabThreads> {
  const iommufd = await Iommufd.create();
  const board = new Board();
  const page = iommufd.userSpace.map(PAGE).va;
  const caller = new LabCaller(iommufd, board, page, () => undefined);
  const logFd = iommufd.open().fd;
  const workers = await Promise.all(Array.from({ length: count }, () => startThread("lab.js")));
  for (const worker of workers) worker.post({ task: "attach", share: iommufd.share, buffer: board.buffer, page });
  for (const worker of workers) await worker.next();
  return {
    iommufd,
    board,
    caller,
    logFd,
    workers,
    setUp(calls) {
      const { fd } = iommufd.open();
      for (const call of calls) caller.call(call, call.fd === 0 ? fd : logFd);
      return fd;
    },
    async end() {
      board.stop();
      await Promise.all(workers.map((worker) => worker.terminate()));
      iommufd.detach();
    },
  };
}

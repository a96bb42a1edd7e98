// SPDX-License-Identifier: GPL-2.0-only
//
// A second thread on the page's kernel: makes one ioctl after the other, each of which blocks it for a while.
//
// The file is meant by its number, as a thread of a program would mean it; while an ioctl runs, the kernel keeps the file. So a
// file that the page closes meanwhile ends in this thread, and what is destroyed then is told to the page, which has the log.

import { Iommufd, type IoctlCommand, type Fields } from "iommufd-wasm";
import { forwardCalls, type ForwardPort } from "iommufd-wasm/lab/worker";
import { defineLab, type DestroyLog } from "iommufd-wasm/replay";
import { defineReserve } from "./reserve-ioctl.js";
import type { Job, JobMessage, StartMessage, WorkerMessage } from "./worker-message.js";

const port = self as unknown as ForwardPort;

/** LAB_LOG is the page's to call; here only the end of a file writes to it. */
const log: DestroyLog = {
  append: (type, id) => say({ lab: "destroyed", type, id }),
  take(_capacity, deliver) {
    deliver(new Uint32Array());
    return 0;
  },
};

addEventListener("message", ({ data }: MessageEvent<StartMessage>) => void start(data), { once: true });

async function start({ share, thread }: StartMessage): Promise<void> {
  // Awaited: from here on the page would hear of this thread's death.
  const iommufd = await Iommufd.attach(share);
  const { commands, types } = defineLab(iommufd, { log });
  const all: readonly IoctlCommand<Fields>[] = [...commands, defineReserve(iommufd, types)];
  forwardCalls(iommufd, port, { thread });
  addEventListener("message", ({ data: { fd, job } }: MessageEvent<JobMessage>) => {
    const [name, fields] = callOf(job);
    const command = all.find((each) => each.name === name);
    if (command === undefined) throw new Error(`there is no ${name}`);
    say({ lab: "ended", result: iommufd.file(fd).tryIoctl(command.request, command.encode(fields)) });
  });
  say({ lab: "ready", thread: iommufd.thread });
}

function callOf(job: Job): [name: string, fields: Record<string, number>] {
  if (job.kind === "hold") return ["LAB_HOLD", { id: job.id, msecs: job.msecs }];
  return ["LAB_RESERVE", { type: job.type, msecs: job.msecs }];
}

function say(message: WorkerMessage): void {
  port.postMessage(message, []);
}

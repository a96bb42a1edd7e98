// SPDX-License-Identifier: GPL-2.0-only
//
// How long a worker takes from the message with the share to its first answered ioctl. The worker itself measures, so its
// start, which is the host's business, is not in the figure; each sample is a fresh worker with a cold instance.

import { Worker } from "node:worker_threads";
import { Iommufd } from "iommufd-wasm";
import { show, summary } from "./rounds.mjs";

/** Milliseconds: the bar of the project. */
const BAR = 5;

export const name = "attach";

export async function run({ smoke }) {
  const iommufd = Iommufd.createSync();
  const context = iommufd.open();
  const samples = [];
  for (let sample = 0; sample < (smoke ? 3 : 40); sample++) samples.push(await attachOnce(iommufd.share, context.fd));
  iommufd.detach();
  const figure = summary(samples);
  return {
    unit: "ms",
    figures: { "share received → first ioctl answered": figure },
    ratios: {},
    bars: { "share received → first ioctl answered": BAR },
    lines: [`share received → first ioctl answered: ${show(figure, " ms")}`],
  };
}

async function attachOnce(share, fd) {
  const worker = new Worker(new URL("./attach-worker.mjs", import.meta.url));
  try {
    await new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));
    const answer = new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));
    worker.postMessage({ share, fd });
    const { milliseconds, result } = await answer;
    if (result !== -2) throw new Error(`the worker's ioctl answered ${result}`);
    return milliseconds;
  } finally {
    await worker.terminate();
  }
}

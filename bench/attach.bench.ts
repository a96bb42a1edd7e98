// SPDX-License-Identifier: GPL-2.0-only
/**
 * How long a worker takes from the message with the share to its first answered ioctl.
 *
 * The worker itself measures, so its start, which is the host's business, is not in the figure; each sample is a fresh worker with a cold
 * instance. Beside it stands a bare instance of the floor's module, which is as small as a module can be, in this thread.
 */
import { Iommufd } from "iommufd-wasm";
import type { Bench, Host, Result } from "./harness/bench.ts";
import { summary } from "./harness/rounds.ts";
import { attachFloor, compileFloor, floorMemory } from "./rivals/floor.ts";

const OURS = "share received → first ioctl answered";
const ENOENT = -2;

const BARS: Result["bars"] = [
  { ratio: OURS, limit: 5, kind: "most", text: "a worker, from the message with the share to its first ioctl, ms" },
];

export default {
  title: "attach",
  async run(host) {
    const iommufd = Iommufd.createSync();
    const context = iommufd.open();
    const module = await compileFloor(host);
    const ours: number[] = [];
    const floor: number[] = [];
    for (let sample = 0; sample < (host.smoke ? 3 : 40); sample++) {
      ours.push(await attachOnce(host, iommufd, context.fd));
      const start = performance.now();
      attachFloor(module, floorMemory(64)).increment(0);
      floor.push(performance.now() - start);
    }
    if (iommufd.stats().threads.attached !== 1) throw new Error("a thread is left");
    iommufd.detach();
    return {
      unit: "ms",
      candidates: { [OURS]: summary(ours), "floor (instance of a tiny module, warm)": summary(floor) },
      ratios: {},
      bars: BARS,
    };
  },
} satisfies Bench;

async function attachOnce(host: Host, { share }: Iommufd, fd: number): Promise<number> {
  const peer = await host.spawn("attach");
  try {
    peer.post({ share, fd });
    const { milliseconds, result } = (await peer.next()) as { milliseconds: number; result: number };
    if (result !== ENOENT) throw new Error(`the worker's ioctl answered ${result}`);
    return milliseconds;
  } finally {
    await peer.end();
  }
}

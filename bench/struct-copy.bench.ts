// SPDX-License-Identifier: GPL-2.0-only
/**
 * copy_struct_from_user: an ioctl whose struct is larger than what is known of it, so that its tail is looked at and must be zero. 8
 * bytes are the struct without a tail.
 *
 * From a JavaScript buffer all bytes are copied into the thread's window and looked at there; from a user address they are looked
 * at where they lie. The command is IOMMU_DESTROY of an ID that nobody has, so beyond the struct as little as possible happens. The
 * rivals copy as many bytes, and look at none.
 */
import { IOMMU_DESTROY, Iommufd } from "iommufd-wasm";
import type { Bench, Spread } from "./harness/bench.ts";
import { type Candidate, alternate, fresh, ratiosOf, summaries, summary, within } from "./harness/rounds.ts";
import { loadFloor } from "./rivals/floor.ts";

const SIZES = [8, 64, 512, 4096, 65_536];
const BUFFER = "tryIoctl (buffer)";
const ADDRESS = "tryIoctl (user address)";
const SET = "TypedArray.set";
const COPY = "memory.copy";
const MISSING = 1_000_000;

export default {
  title: "a struct with a tail of zeros",
  async run(host) {
    const iommufd = Iommufd.createSync();
    const context = iommufd.open();
    const { request } = IOMMU_DESTROY;
    const most = Math.max(...SIZES);
    const { va, bytes: mapped } = iommufd.userSpace.map(most);
    const floor = await loadFloor(host, 2 * most);
    const target = new Uint8Array(floor.memory.buffer);
    const candidates: Record<string, Spread> = {};
    const ratios: Record<string, Spread> = {};
    const notes: string[] = [];

    for (const size of SIZES) {
      const buffer = new Uint8Array(size);
      new Uint32Array(buffer.buffer).set([size, MISSING]);
      mapped.set(buffer);
      const each: Record<string, Candidate> = {
        [BUFFER]: answering(() => context.tryIoctl(request, buffer)),
        [ADDRESS]: answering(() => context.tryIoctl(request, va)),
        [SET]: {
          run(operations) {
            for (let index = 0; index < operations; index++) target.set(buffer);
            return operations;
          },
        },
        [COPY]: {
          run(operations) {
            for (let index = 0; index < operations; index++) floor.copyBytes(0, most, size);
            return operations;
          },
        },
      };
      const bytesEachRound = 2 ** 25;
      const operations = host.smoke ? 100 : Math.min(100_000, Math.max(1000, bytesEachRound / size));
      const samples = alternate(each, { operations, rounds: host.smoke ? 3 : 21 });
      const situation = `${size.toLocaleString("en-US")} B: `;
      Object.assign(candidates, within(situation, summaries(samples)));
      Object.assign(ratios, ratiosOf(samples, [BUFFER, ADDRESS], situation));
      if (size === most) notes.push(...Object.entries(samples).map(([name, values]) => bandwidth(name, values, size)));
    }
    iommufd.detach();
    return { unit: "ns per call", candidates, ratios, bars: [], notes };
  },
} satisfies Bench;

function answering(call: () => number): Candidate {
  const loop = fresh(countMissing);
  return { run: (operations) => loop(call, operations) };
}

// Uses its arguments only: `fresh` makes a copy for each candidate.
function countMissing(call: () => number, operations: number): number {
  let sum = 0;
  for (let index = 0; index < operations; index++) sum += call() === -2 ? 1 : 0;
  return sum;
}

function bandwidth(name: string, nanoseconds: readonly number[], size: number): string {
  return `${size.toLocaleString("en-US")} B by ${name}: ${(size / summary(nanoseconds).median).toFixed(1)} bytes per ns`;
}

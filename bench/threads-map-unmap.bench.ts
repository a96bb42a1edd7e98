// SPDX-License-Identifier: GPL-2.0-only
/**
 * map + unmap of a page by several threads at a time: how much more two do than one, on one IOAS, on IOASes of one file, on files.
 *
 * A file has one lock for the maps of all its address spaces, so threads on one file take turns, whichever IOAS is theirs; threads
 * on files of their own share nothing. The control is a package in each thread's own memory: what it misses, the machine does not give.
 */
import { Iommufd } from "iommufd-wasm";
import type { Bench, Host, Result, Spread } from "./harness/bench.ts";
import { Crew } from "./harness/crew.ts";
import { ratio, summary } from "./harness/rounds.ts";
import { PAGE } from "./rivals/address-space.ts";
import { IoctlSpace, allocIoas } from "./rivals/ioas.ts";
import type { MapSetup, MapTask } from "./workers/map-unmap.ts";

const ONE = "one IOAS";
const SAME_FILE = "one file, an IOAS each";
const FILES = "a file each";
const OURS = "iommufd-wasm";
const CONTROL = "sorted-btree, memory of its own";

/** Holes that a thread takes in turn; an area lies before each. */
const HOLES = 256;
const STRIDE = 16 * PAGE;

const threadsOf = (count: number): string => (count === 1 ? "1 thread" : `${count} threads`);
const taskOf = (thread: number): MapTask => ({ first: (thread * HOLES + 1) * STRIDE, holes: HOLES, stride: STRIDE });

interface Measured {
  readonly situation: string;
  readonly name: string;
  readonly crew: Crew;
  readonly threads: number;
  readonly samples: number[];
}

export default {
  title: "map + unmap by several threads",
  async run(host) {
    const iommufd = Iommufd.createSync({ abi: "mainline" });
    const counts = [...new Set([1, 2, host.cores])].sort((a, b) => a - b);
    const most = counts.at(-1) ?? 1;
    const { share } = iommufd;
    const place = (): { fd: number; ioas: number } => {
      const context = iommufd.open();
      return { fd: context.fd, ioas: filled(iommufd, context.fd, most) };
    };
    const one = place();
    const file = iommufd.open();
    const each = Array.from({ length: most }, place);
    const crewOf = (setup: (thread: number) => MapSetup): Promise<Crew> =>
      Crew.start(
        host,
        "map-unmap",
        Array.from({ length: most }, (_, thread) => ({ message: setup(thread) })),
      );
    const all: Measured[] = [];
    const add = (situation: string, name: string, crew: Crew): void => {
      for (const threads of counts) all.push({ situation, name, crew, threads, samples: [] });
    };
    const ours = (where: { fd: number; ioas: number }): MapSetup => ({ kind: "ours", share, ...where });
    const crews = {
      [ONE]: await crewOf(() => ours(one)),
      [SAME_FILE]: await crewOf(() => ours({ fd: file.fd, ioas: filled(iommufd, file.fd, most) })),
      [FILES]: await crewOf((thread) => ours(each[thread] ?? one)),
    };
    for (const [situation, crew] of Object.entries(crews)) add(situation, OURS, crew);
    const control = await crewOf(() => ({ kind: "control" }));
    add(FILES, CONTROL, control);
    await measure(host, all);
    await Promise.all([...Object.values(crews), control].map((crew) => crew.end()));
    return resultOf(all);
  },
} satisfies Bench;

/** An IOAS with an area before each hole of each thread. Returns its ID. */
function filled(iommufd: Iommufd, fd: number, threads: number): number {
  const context = iommufd.fget(fd);
  const ioas = allocIoas(context);
  const space = new IoctlSpace(context, ioas);
  for (let hole = 1; hole <= threads * HOLES; hole++) {
    if (space.map(hole * STRIDE - PAGE, PAGE) !== 0)
      throw new Error(`the area before hole ${hole} could not be mapped`);
  }
  context.close();
  return ioas;
}

/** Each round lets every candidate work for a while, in rotating order. */
async function measure(host: Host, all: readonly Measured[]): Promise<void> {
  const [rounds, warmup, milliseconds] = host.smoke ? [2, 0, 5] : [13, 1, 200];
  for (let round = -warmup; round < rounds; round++) {
    for (let turn = 0; turn < all.length; turn++) {
      const each = all[(round + warmup + turn) % all.length];
      if (each === undefined) continue;
      const tasks = Array.from({ length: each.threads }, (_, thread) => taskOf(thread));
      const rate = await each.crew.perSecond(tasks, milliseconds);
      if (round >= 0) each.samples.push(rate);
    }
  }
}

function resultOf(all: readonly Measured[]): Result {
  const candidates: Record<string, Spread> = {};
  const ratios: Record<string, Spread> = {};
  for (const { situation, name, threads, samples } of all) {
    candidates[`${threadsOf(threads)}, ${situation}: ${name}`] = summary(samples);
    const alone = all.find((other) => other.situation === situation && other.name === name && other.threads === 1);
    if (threads > 1 && alone) {
      ratios[`${situation}, ${name}: ${threadsOf(threads)} / ${threadsOf(1)}`] = ratio(samples, alone.samples);
    }
  }
  return { unit: "pairs per second", candidates, ratios, bars: [] };
}

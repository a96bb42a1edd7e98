// SPDX-License-Identifier: GPL-2.0-only
/**
 * get + put by several threads at a time: how much more two do than one.
 *
 * What they share grows from situation to situation: nothing but the memory (a context each), the context (256 objects of each
 * thread, apart), cache lines (every second object each), the object. Only the last two have to cost: their state words
 * travel between the cores.
 *
 * The control is the same threads on memory of their own: what it misses, the machine does not give. On a machine with less than
 * two free cores no bar says anything.
 */
import { Iommufd, type IommufdContext, type ObjectType } from "iommufd-wasm";
import type { Bench, Host, Result, Spread } from "./harness/bench.ts";
import { Crew, type Setup } from "./harness/crew.ts";
import { ratio, summary } from "./harness/rounds.ts";
import { AtomicsTable } from "./rivals/atomics.ts";
import { compileFloor } from "./rivals/floor.ts";
import { SharedMapTable } from "./rivals/sharedmap.ts";
import type { TableSetup, Task } from "./workers/operations.ts";

/** Objects that a thread takes in turn, and the distance between those of two threads. */
const IDS = 256;
const APART = 1024;
/** The scaling that the control must show before the bar says anything about the code. */
const CONTROL_SCALES = 1.9;

const CONTROL = "floor (memory of its own)";
const OURS = "iommufd-wasm";
const ATOMICS = "Atomics by hand";
const SHAREDMAP = "sharedmap";

const SEPARATE = "a context each";
const APART_IDS = "one context, objects apart";
const NEIGHBOURS = "one context, neighbours";
const SAME = "one object";

const threadsOf = (count: number): string => (count === 1 ? "1 thread" : `${count} threads`);
const scalingOf = (situation: string, name: string, count: number): string =>
  `${situation}, ${name}: ${threadsOf(count)} / ${threadsOf(1)}`;

const BARS: Result["bars"] = [
  {
    ratio: scalingOf(APART_IDS, OURS, 2),
    limit: 1.7,
    kind: "least",
    text: `two threads, one context, objects apart, against one thread (where the control shows ${CONTROL_SCALES} ×)`,
  },
];

interface Measured {
  readonly situation: string;
  readonly name: string;
  readonly crew: Crew;
  readonly tasks: readonly Task[];
  readonly samples: number[];
}

const task = (first: number, stride: number): Task => ({ operation: "get + put", first, stride });
const apart = (thread: number): Task => task(1 + thread * APART, 1);

export default {
  title: "get + put by several threads",
  async run(host) {
    const iommufd = Iommufd.createSync();
    const type = iommufd.defineObjectType({ name: "BENCH", payloadBytes: 16 });
    const counts = [...new Set([1, 2, host.cores])].sort((a, b) => a - b);
    const most = counts.at(-1) ?? 1;
    const shared = filled(iommufd, type, most * APART);
    const own = Array.from({ length: most }, () => filled(iommufd, type, IDS));
    const tables = rivals(most * APART);

    const crewOf = (setups: readonly TableSetup[]): Promise<Crew> =>
      Crew.start(host, "operations", setups.map(setupOf));
    const each = <S extends TableSetup>(setup: (thread: number) => S): Promise<Crew> =>
      crewOf(Array.from({ length: most }, (_, thread) => setup(thread)));
    const module = await compileFloor(host);
    const { share } = iommufd;
    const together = await each(() => ({ kind: "ours", share, fd: shared.fd }));
    const separate = await each((thread) => ({ kind: "ours", share, fd: own[thread]?.fd ?? 0 }));
    const control = await each(() => ({ kind: "control", module }));
    const atomics = await each(() => ({ kind: "atomics", buffer: tables.atomics.buffer }));
    const sharedmap = await each(() => ({ kind: "sharedmap", share: tables.sharedmap.share }));

    const all: Measured[] = [];
    const add = (situation: string, name: string, crew: Crew, taskOf: (thread: number) => Task): void => {
      for (const count of counts) {
        const tasks = Array.from({ length: count }, (_, thread) => taskOf(thread));
        all.push({ situation, name, crew, tasks, samples: [] });
      }
    };
    add(SEPARATE, OURS, separate, () => task(1, 1));
    add(SEPARATE, CONTROL, control, () => task(1, 1));
    add(APART_IDS, OURS, together, apart);
    add(APART_IDS, ATOMICS, atomics, apart);
    add(APART_IDS, SHAREDMAP, sharedmap, apart);
    add(NEIGHBOURS, OURS, together, (thread) => task(1 + thread, most));
    add(NEIGHBOURS, ATOMICS, atomics, (thread) => task(1 + thread, most));
    add(SAME, OURS, together, () => task(1, 0));
    add(SAME, ATOMICS, atomics, () => task(1, 0));

    await measure(host, all);
    for (const context of [shared, ...own]) checkUnlocked(context);
    for (let id = 1; id <= most * APART; id++) {
      if (tables.atomics.usersOf(id) !== 1 || tables.sharedmap.usersOf(id) !== 1) throw new Error(`${id} is in use`);
    }
    await Promise.all([together, separate, control, atomics, sharedmap].map((crew) => crew.end()));
    return resultOf(all);
  },
} satisfies Bench;

const setupOf = (message: TableSetup): Setup => ({ message });

function filled(iommufd: Iommufd, type: ObjectType, objects: number): IommufdContext {
  const context = iommufd.open();
  for (let made = 0; made < objects; made++) context.finalize(context.tryAlloc(type));
  return context;
}

function rivals(objects: number): { atomics: AtomicsTable; sharedmap: SharedMapTable } {
  const atomics = AtomicsTable.create(objects);
  for (let made = 0; made < objects; made++) atomics.finalize(atomics.tryAlloc(1));
  return { atomics, sharedmap: SharedMapTable.create(objects) };
}

/** Each round lets every candidate work for a while, in rotating order. */
async function measure(host: Host, all: readonly Measured[]): Promise<void> {
  const [rounds, warmup, milliseconds] = host.smoke ? [2, 0, 5] : [13, 1, 200];
  for (let round = -warmup; round < rounds; round++) {
    for (let turn = 0; turn < all.length; turn++) {
      const each = all[(round + warmup + turn) % all.length];
      if (each === undefined) continue;
      const rate = await each.crew.perSecond(each.tasks, milliseconds);
      if (round >= 0) each.samples.push(rate);
    }
  }
}

function checkUnlocked(context: IommufdContext): void {
  const wrong = context.objects().find(({ users, holders }) => users !== 1 || holders !== 0);
  if (wrong) throw new Error(`object ${wrong.id} is left with ${wrong.users} users, ${wrong.holders} holders`);
}

function resultOf(all: readonly Measured[]): Result {
  const candidates: Record<string, Spread> = {};
  const ratios: Record<string, Spread> = {};
  for (const { situation, name, tasks, samples } of all) {
    const threads = tasks.length;
    candidates[`${threadsOf(threads)}, ${situation}: ${name}`] = summary(samples);
    const same = all.filter((other) => other.situation === situation);
    for (const other of same) {
      if (other.name === name && other.tasks.length === 1 && threads > 1) {
        ratios[scalingOf(situation, name, threads)] = ratio(samples, other.samples);
      }
      if (name === OURS && other.name !== OURS && other.tasks.length === threads) {
        ratios[`${threadsOf(threads)}, ${situation}: ${OURS} / ${other.name}`] = ratio(samples, other.samples);
      }
    }
  }
  const control = ratios[scalingOf(SEPARATE, CONTROL, 2)]?.median ?? 0;
  const notes =
    control < CONTROL_SCALES
      ? [`two threads that share nothing do ${control.toFixed(2)} × what one does here, so the bar says nothing`]
      : [];
  return { unit: "pairs per second", candidates, ratios, bars: BARS, notes };
}

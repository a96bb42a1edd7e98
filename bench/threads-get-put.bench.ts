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

const CONTROL = "floor, memory of its own";
const OURS = "iommufd-wasm";

const BARS: Result["bars"] = [
  {
    ratio: `one context, objects apart: ${OURS}, 2 threads / ${OURS}, 1 thread`,
    limit: 1.7,
    kind: "least",
    text: `two threads, one context, objects apart, against one thread (where the control shows ${CONTROL_SCALES} ×)`,
  },
];

interface Measured {
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
        const threads = `${count} ${count === 1 ? "thread" : "threads"}`;
        const tasks = Array.from({ length: count }, (_, thread) => taskOf(thread));
        all.push({ name: `${situation}: ${name}, ${threads}`, crew, tasks, samples: [] });
      }
    };
    add("a context each", OURS, separate, () => task(1, 1));
    add("one context, objects apart", OURS, together, apart);
    add("one context, objects apart", "Atomics by hand", atomics, apart);
    add("one context, objects apart", "sharedmap", sharedmap, apart);
    add("one context, neighbours", OURS, together, (thread) => task(1 + thread, most));
    add("one object", OURS, together, () => task(1, 0));
    add("nothing shared", CONTROL, control, () => task(1, 1));

    await measure(host, all);
    for (const context of [shared, ...own]) checkUnlocked(context);
    for (let id = 1; id <= most * APART; id++) {
      if (tables.atomics.usersOf(id) !== 1 || tables.sharedmap.usersOf(id) !== 1) throw new Error(`${id} is in use`);
    }
    await Promise.all([together, separate, control, atomics, sharedmap].map((crew) => crew.end()));
    return resultOf(all, counts);
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

function resultOf(all: readonly Measured[], counts: readonly number[]): Result {
  const samples = new Map(all.map((each) => [each.name, each.samples]));
  const candidates = Object.fromEntries(all.map(({ name, samples }) => [name, summary(samples)]));
  const ratios: Record<string, Spread> = {};
  const compare = (situation: string, a: string, b: string): Spread => {
    const [over, under] = [a, b].map((name) => samples.get(`${situation}: ${name}`) ?? []);
    return (ratios[`${situation}: ${a} / ${b}`] = ratio(over ?? [], under ?? []));
  };
  const scaling = (situation: string, name: string): Spread[] =>
    counts
      .filter((count) => count > 1)
      .map((count) => compare(situation, `${name}, ${count} threads`, `${name}, 1 thread`));
  for (const situation of ["a context each", "one context, objects apart", "one context, neighbours", "one object"]) {
    scaling(situation, OURS);
  }
  for (const rival of ["Atomics by hand", "sharedmap"]) {
    scaling("one context, objects apart", rival);
    compare("one context, objects apart", `${OURS}, 2 threads`, `${rival}, 2 threads`);
  }
  const [control] = scaling("nothing shared", CONTROL);
  const notes =
    control && control.median < CONTROL_SCALES
      ? [`two threads that share nothing do ${control.median.toFixed(2)} × what one does here: no bar says anything`]
      : [];
  return { unit: "pairs per second", candidates, ratios, bars: BARS, notes };
}

// SPDX-License-Identifier: GPL-2.0-only
/**
 * Does size matter? A context is filled with 2^20 objects and released as a whole, beside contexts with 1,024 objects each.
 *
 *   alloc     alloc + finalize of the objects of a window: all of a small context; the last 2^16 of the large one
 *   get       get + put of all objects in turn
 *   release   close of the context, with everything in it
 *
 * Each round does all of it for ours and for each rival; the first round, in which memory is touched for the first time, does not
 * count. Small contexts are many in each round, so that as many objects are timed.
 */
import { Iommufd } from "iommufd-wasm";
import type { Bar, Bench } from "./harness/bench.ts";
import { CLOCK_STEP, fresh, ratio, summaries } from "./harness/rounds.ts";
import { RIVALS } from "./rivals/all.ts";
import type { ObjectTable } from "./rivals/rival.ts";

const SMALL = 1024;

const BARS: readonly Bar[] = [
  {
    ratio: "alloc: iommufd-wasm at 1 M / at 1,024",
    limit: 2,
    kind: "most",
    text: "alloc + finalize at 1 M objects, against the same at 1,024",
  },
  {
    ratio: "get: iommufd-wasm at 1 M / at 1,024",
    limit: 2,
    kind: "most",
    text: "get + put at 1 M objects in turn, against the same at 1,024",
  },
];

const NOTES = [
  "release: the Map only looks at each object's users, and Atomics by hand at nothing; ours also destroys one by one and gives the memory back",
];

/** Makes an empty context that has room for so many objects. */
type Open = (objects: number) => ObjectTable<unknown>;

// The loops use their arguments only: `fresh` makes a copy for each candidate. IDs come in order, from 1.

function fillTo(table: ObjectTable<unknown>, type: unknown, from: number, to: number): number {
  let wrong = 0;
  for (let id = from; id <= to; id++) wrong += table.finalize(table.tryAlloc(type)) === id ? 0 : 1;
  return wrong;
}

function getAll(table: ObjectTable<unknown>, objects: number): number {
  let wrong = 0;
  for (let id = 1; id <= objects; id++) {
    const handle = table.tryGet(id);
    wrong += handle > 0 ? 0 : 1;
    table.put(handle);
  }
  return wrong;
}

export default {
  title: "1 M objects",
  run(host) {
    const many = host.smoke ? 2 ** 12 : 2 ** 20;
    const rounds = host.smoke ? 1 : 9;
    const iommufd = Iommufd.createSync({ memoryBytes: host.smoke ? 2 ** 25 : 2 ** 29 });
    const type = iommufd.defineObjectType({ name: "BENCH", payloadBytes: 16 });
    const subjects = [
      new Subject("iommufd-wasm", () => iommufd.open(), type, many),
      ...Object.entries(RIVALS).map(([name, make]) => new Subject(name, make, 1, many)),
    ];
    for (let round = -1; round < rounds; round++) {
      for (let turn = 0; turn < subjects.length; turn++) {
        subjects[(round + 1 + turn) % subjects.length]?.round(round >= 0);
      }
    }
    const samples = Object.assign({}, ...subjects.map(({ samples }) => samples)) as Record<string, number[]>;
    iommufd.detach();
    const candidates = Object.fromEntries(Object.entries(summaries(samples)).sort(([a], [b]) => place(a) - place(b)));
    const ratios = Object.fromEntries([
      ...subjects.flatMap(({ name }) =>
        ["alloc", "get"].map(
          (what) =>
            [
              `${what}: ${name} at 1 M / at 1,024`,
              ratio(samples[`${what} at 1 M: ${name}`] ?? [], samples[`${what} at 1,024: ${name}`] ?? []),
            ] as const,
        ),
      ),
      ...subjects
        .slice(1)
        .map(
          ({ name }) =>
            [
              `release of 1 M: iommufd-wasm / ${name}`,
              ratio(samples["release of 1 M: iommufd-wasm"] ?? [], samples[`release of 1 M: ${name}`] ?? []),
            ] as const,
        ),
    ]);
    return Promise.resolve({ unit: "ns per object", candidates, ratios, bars: BARS, notes: NOTES });
  },
} satisfies Bench;

const SITUATIONS = [
  "alloc at 1,024",
  "alloc at 1 M",
  "get at 1,024",
  "get at 1 M",
  "release of 1,024",
  "release of 1 M",
];

function place(name: string): number {
  return SITUATIONS.findIndex((situation) => name.startsWith(`${situation}: `));
}

class Subject {
  readonly samples: Record<string, number[]> = {};
  readonly #fill = fresh(fillTo);
  readonly #get = fresh(getAll);

  constructor(
    readonly name: string,
    readonly open: Open,
    readonly type: unknown,
    readonly many: number,
  ) {}

  round(counts: boolean): void {
    const { many } = this;
    const window = Math.min(2 ** 16, many / 2);
    const spent = { alloc: 0, get: 0, release: 0 };
    for (let done = 0; done < window; done += SMALL) {
      const table = this.open(SMALL);
      spent.alloc += this.#time(() => this.#fill(table, this.type, 1, SMALL));
      spent.get += this.#time(() => this.#get(table, SMALL));
      spent.release += this.#time(() => this.#close(table));
    }
    const small = (nanoseconds: number): number => nanoseconds / (Math.ceil(window / SMALL) * SMALL);
    const table = this.open(many);
    this.#time(() => this.#fill(table, this.type, 1, many - window));
    const last = this.#time(() => this.#fill(table, this.type, many - window + 1, many));
    const got = this.#time(() => this.#get(table, many));
    const released = this.#time(() => this.#close(table));
    if (!counts) return;
    this.#add("alloc at 1,024", small(spent.alloc));
    this.#add("alloc at 1 M", last / window);
    this.#add("get at 1,024", small(spent.get));
    this.#add("get at 1 M", got / many);
    this.#add("release of 1,024", small(spent.release));
    this.#add("release of 1 M", released / many);
  }

  #close(table: ObjectTable<unknown>): number {
    table.close();
    return 0;
  }

  /** Nanoseconds of an act that answers how often it went wrong. */
  #time(act: () => number): number {
    const start = performance.now();
    const wrong = act();
    const elapsed = Math.max(performance.now() - start, CLOCK_STEP);
    if (wrong !== 0) throw new Error(`${this.name} went wrong ${wrong} times`);
    return elapsed * 1e6;
  }

  #add(situation: string, value: number): void {
    (this.samples[`${situation}: ${this.name}`] ??= []).push(value);
  }
}

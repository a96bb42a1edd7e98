// SPDX-License-Identifier: GPL-2.0-only
/**
 * get + put: an object is looked up by its ID, locked, and let go. From JavaScript, with every check on.
 *
 * Four situations: the same object again and again; 1,024 objects in turn, which fit the first cache; 2^20 objects in turn and in
 * random order, which do not. In random order the floor is what nobody can do without: a load that says which object, and an
 * atomic operation on a word that is elsewhere.
 */
import { Iommufd, type IommufdContext, type ObjectType } from "iommufd-wasm";
import type { Bar, Bench, Spread } from "./harness/bench.ts";
import { type Candidate, type RoundOptions, alternate, fresh, ratiosOf, summaries, within } from "./harness/rounds.ts";
import { RIVALS } from "./rivals/all.ts";
import { type Floor, STRIDE, floorPairs, loadFloor } from "./rivals/floor.ts";
import type { ObjectTable, Rival } from "./rivals/rival.ts";

const OURS = "tryGet + put";
const TYPED = "tryGet(type) + put";
const FLOOR = "floor";
const NEAR = "1,024 objects: ";
const RANDOM = "1 M objects at random: ";
const FIRST_TOUCH = "floor (load, add)";

const BARS: readonly Bar[] = [
  {
    ratio: `${NEAR}${OURS} / ${FLOOR}`,
    limit: 2.2,
    aim: 1.8,
    kind: "most",
    text: "get + put of 1,024 objects, against two bare atomic Wasm calls",
  },
  {
    ratio: `${NEAR}${OURS} / Map`,
    limit: 2.2,
    kind: "most",
    text: "get + put of 1,024 objects, against a plain `Map`",
  },
  {
    ratio: `${RANDOM}${OURS} / ${FIRST_TOUCH}`,
    limit: 1.5,
    kind: "most",
    text: "get + put of 1 M objects at random, against an index load and an atomic add",
  },
];

const NOTES = [
  `at random, the bar's floor is one half of a pair: an index load and an addition; the other floor does put's subtraction, too`,
];

// The loops use their arguments only: `fresh` makes a copy for each candidate. IDs begin at 1.

function inTurn<T>(table: ObjectTable<T>, operations: number, mask: number): number {
  let sum = 0;
  for (let index = 0; index < operations; index++) {
    const handle = table.tryGet((index & mask) + 1);
    sum += handle > 0 ? 1 : 0;
    table.put(handle);
  }
  return sum;
}

function inTurnTyped<T>(table: ObjectTable<T>, operations: number, mask: number, type: T): number {
  let sum = 0;
  for (let index = 0; index < operations; index++) {
    const handle = table.tryGet((index & mask) + 1, type);
    sum += handle > 0 ? 1 : 0;
    table.put(handle);
  }
  return sum;
}

function inOrder<T>(table: ObjectTable<T>, operations: number, order: Uint32Array): number {
  let sum = 0;
  for (let index = 0; index < operations; index++) {
    const handle = table.tryGet((order[index] ?? 0) + 1);
    sum += handle > 0 ? 1 : 0;
    table.put(handle);
  }
  return sum;
}

function floorFirstTouch(floor: Floor, operations: number, index: number, words: number): number {
  const { incrementThrough } = floor;
  let sum = 0;
  for (let at = index; at < index + operations * 4; at += 4) sum += incrementThrough(at, words) >= 0 ? 1 : 0;
  return sum;
}

function floorBoth(floor: Floor, operations: number, index: number, words: number): number {
  const { incrementThrough, decrementThrough } = floor;
  let sum = 0;
  for (let at = index; at < index + operations * 4; at += 4) {
    sum += incrementThrough(at, words) >= 0 ? 1 : 0;
    decrementThrough(at, words);
  }
  return sum;
}

export default {
  title: "get + put",
  async run(host) {
    const many = host.smoke ? 2 ** 12 : 2 ** 20;
    const iommufd = Iommufd.createSync({ memoryBytes: host.smoke ? 2 ** 24 : 2 ** 29 });
    const type = iommufd.defineObjectType({ name: "BENCH", payloadBytes: 16 });
    const words = many * 4; // behind the order
    const floor = await loadFloor(host, words + many * STRIDE);
    const bench = new Situations(iommufd, type);

    const few = { operations: host.smoke ? 2 ** 12 : 2 ** 18, rounds: host.smoke ? 3 : 41 };
    const all = { operations: many, rounds: host.smoke ? 3 : 13, warmup: host.smoke ? 1 : 2 };
    const near = bench.tables(1024);
    const far = bench.tables(many);
    const inTurnOf = (tables: Tables, mask: number): Record<string, Candidate> => ({
      [OURS]: looping(fresh(inTurn<ObjectType>), tables.context, mask),
      ...byRival(tables, (table) => looping(fresh(inTurn<number>), table, mask)),
      [FLOOR]: looping(fresh(floorPairs), floor, mask),
    });

    bench.measure("same object: ", inTurnOf(near, 0), few);
    const typedLoop = fresh(inTurnTyped<ObjectType>);
    const typed: Candidate = { run: (operations) => typedLoop(near.context, operations, 1023, type) };
    const { [OURS]: plain = typed, ...others } = inTurnOf(near, 1023);
    bench.measure(NEAR, { [OURS]: plain, [TYPED]: typed, ...others }, few);
    bench.measure("1 M objects in turn: ", inTurnOf(far, many - 1), all);

    const order = shuffled(many);
    new Uint32Array(floor.memory.buffer, 0, many).set(order);
    const throughIndex = (loop: typeof floorBoth): Candidate => ({
      run: (operations) => loop(floor, operations, 0, words),
    });
    bench.measure(
      RANDOM,
      {
        [OURS]: looping(fresh(inOrder<ObjectType>), far.context, order),
        ...byRival(far, (table) => looping(fresh(inOrder<number>), table, order)),
        [FIRST_TOUCH]: throughIndex(floorFirstTouch),
        "floor (load, add, sub)": throughIndex(floorBoth),
      },
      all,
    );

    for (const id of [1, 2, 1024, many]) checkUnlocked(far.context, id);
    for (const { id } of near.context.objects()) checkUnlocked(near.context, id);
    iommufd.detach();
    return { unit: "ns per pair", candidates: bench.candidates, ratios: bench.ratios, bars: BARS, notes: NOTES };
  },
} satisfies Bench;

interface Tables {
  readonly context: IommufdContext;
  readonly rivals: readonly (readonly [string, Rival])[];
}

class Situations {
  readonly candidates: Record<string, Spread> = {};
  readonly ratios: Record<string, Spread> = {};
  readonly #iommufd: Iommufd;
  readonly #type: ObjectType;

  constructor(iommufd: Iommufd, type: ObjectType) {
    this.#iommufd = iommufd;
    this.#type = type;
  }

  /** A context and a rival of each kind, with so many objects. */
  tables(objects: number): Tables {
    const context = this.#iommufd.open();
    fill(context, this.#type, objects);
    const rivals = Object.entries(RIVALS).map(([name, make]) => {
      const table = make(objects);
      fill(table, 1, objects);
      return [name, table] as const;
    });
    return { context, rivals };
  }

  measure(situation: string, candidates: Record<string, Candidate>, options: RoundOptions): void {
    const samples = alternate(candidates, options);
    const ours = [OURS, TYPED].filter((name) => name in samples);
    Object.assign(this.candidates, within(situation, summaries(samples)));
    Object.assign(this.ratios, ratiosOf(samples, ours, situation));
  }
}

function byRival({ rivals }: Tables, candidateOf: (table: Rival) => Candidate): Record<string, Candidate> {
  return Object.fromEntries(rivals.map(([name, table]) => [name, candidateOf(table)]));
}

function looping<S, A>(
  loop: (subject: S, operations: number, argument: A) => number,
  subject: S,
  argument: A,
): Candidate {
  return { run: (operations) => loop(subject, operations, argument) };
}

function fill<T>(table: ObjectTable<T>, type: T, objects: number): void {
  for (let id = 1; id <= objects; id++) {
    if (table.finalize(table.tryAlloc(type)) !== id) throw new Error(`object ${id} got another ID`);
  }
}

function checkUnlocked(context: IommufdContext, id: number): void {
  const { users, holders } = context.inspect(id) ?? {};
  if (users !== 1 || holders !== 0) throw new Error(`object ${id} is left with ${users} users, ${holders} holders`);
}

/** 0 … length − 1, shuffled, always in the same way. */
function shuffled(length: number): Uint32Array {
  const order = Uint32Array.from({ length }, (_, index) => index);
  let state = 1;
  for (let index = length - 1; index > 0; index--) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const other = Math.floor((state / 2 ** 32) * (index + 1));
    const value = order[index] ?? 0;
    order[index] = order[other] ?? 0;
    order[other] = value;
  }
  return order;
}

// SPDX-License-Identifier: GPL-2.0-only
//
// The sets of ranges by themselves, with four entries a node: random insertions and removals, from nothing to some hundred ranges and
// back. After each, lookup and first fit are those of a list that is searched from its beginning; now and then every node of the tree is
// asked whether what it says is true. The explorer watches that no node is used that was given back; the same walk again takes no more
// memory.
//
// One thread: nothing is interleaved. The sets are an address space's reservations and its list of what is allowed, which have no areas.

import { audit } from "../audit.ts";
import { closeAll } from "../closing.ts";
import { makeWorld, type World } from "../world.ts";
import { expect } from "../../../bindings/explorer/failure.js";
import type { Core, Model } from "../../../bindings/explorer/model.js";
import type { Property } from "../property.ts";
import { CallbackLog } from "../reaper.ts";
import { Random } from "../../support/random.ts";
import { makeSpace } from "../space-calls.ts";

const LAST = 2n ** 64n - 1n;
const SEEDS = 4;
/** Per seed: twice so many steps, first mostly insertions, then mostly removals. */
const STEPS = 350;
const RESERVED = 1;
const ALLOWED = 2;

interface Range {
  first: bigint;
  last: bigint;
}

interface State extends World {
  readonly ready: number;
}

/** A set as a sorted list. */
class Ranges {
  readonly list: Range[] = [];

  meets(first: bigint, last: bigint): boolean {
    return this.list.some((range) => range.first <= last && range.last >= first);
  }
  add(first: bigint, last: bigint): void {
    this.list.push({ first, last });
    this.list.sort((a, b) => (a.first < b.first ? -1 : 1));
  }
  remove(key: bigint): boolean {
    const index = this.list.findIndex(({ first, last }) => first <= key && key <= last);
    if (index >= 0) this.list.splice(index, 1);
    return index >= 0;
  }
  seek(key: bigint): Range | undefined {
    return this.list.find(({ last }) => last >= key);
  }
}

/** The first place in [start, last] that meets no range of either: every hole is tried. */
function firstFit(
  sets: readonly Ranges[],
  start: bigint,
  last: bigint,
  length: bigint,
  quantum: bigint,
  offset: bigint,
): bigint | undefined {
  const all = sets.flatMap(({ list }) => list).sort((a, b) => (a.first < b.first ? -1 : 1));
  for (let from = start; from <= last;) {
    const covering = all.find((range) => range.first <= from && from <= range.last);
    if (covering) {
      from = covering.last + 1n;
      continue;
    }
    const next = all.find((range) => range.first > from);
    const end = next && next.first <= last ? next.first - 1n : last;
    const aligned = from + quantum - 1n > LAST ? undefined : (from + quantum - 1n) & ~(quantum - 1n);
    if (aligned !== undefined) {
      const at = aligned | offset;
      if (at < end && end - at >= length - 1n) return at;
    }
    from = end + 1n;
  }
  return undefined;
}

/** Keys are dense in one half of the walks, so that ranges touch, and spread over all 64 bits in the other. */
function randomKey(random: Random, isDense: boolean): bigint {
  if (random.oneIn(40)) return random.pick([0n, 1n, LAST, LAST - 1n]);
  if (isDense) return BigInt(random.below(1200));
  return (BigInt(random.next()) << 32n) | BigInt(random.next());
}

function walk(core: Core, state: State, id: number, seed: number): void {
  const random = new Random(seed);
  const isDense = seed % 2 === 0;
  const ioas = core.call(0, "ioasAt", state.file, id);
  const trees = [RESERVED, ALLOWED].map((set) => core.call(0, "treeOf", ioas, set));
  const sets = [new Ranges(), new Ranges()];
  const of = `seed ${seed}`;
  const read = (name: string): bigint => core.u64(state.slots[0]! + core.constant(`THREAD_${name}`));
  for (let step = 0; step < 2 * STEPS; step++) {
    // The second set is small: it is the one whose ranges cut the first one's holes.
    const which = random.oneIn(8) ? 1 : 0;
    const [tree, set] = [trees[which]!, sets[which]!];
    const key = randomKey(random, isDense);
    if (random.below(100) < (step < STEPS ? 88 : 12)) {
      const length = random.pick([1n, 1n, 2n, 5n, isDense ? 9n : BigInt(random.next())]);
      const last = key + length - 1n > LAST ? LAST : key + length - 1n;
      const meets = set.meets(key, last);
      expect(
        core.call(0, "addRange", state.file, tree, key, last) === (meets ? 1 : 0),
        `${of}: ${key} cannot be added`,
      );
      if (!meets) set.add(key, last);
    } else {
      const range = set.list.length > 0 && !random.oneIn(5) ? random.pick(set.list) : undefined;
      const gone = range?.last ?? key;
      const removed = core.call(0, "removeRange", state.file, tree, gone);
      expect((removed !== 0) === set.remove(gone), `${of}: ${gone} is removed or not`);
    }
    const sought = randomKey(random, isDense);
    const is = core.call(0, "seekRange", state.file, tree, sought) !== 0;
    const wanted = set.seek(sought);
    expect(is === (wanted !== undefined), `${of}: something is found behind ${sought}, or not`);
    if (wanted) {
      expect(
        read("RANGE_FIRST") === wanted.first && read("RANGE_LAST") === wanted.last,
        `${of}: ${sought} finds another`,
      );
    }
    tryToFit(core, state, random, isDense, trees, sets, of);
    if (step % 16 === 0 || set.list.length < 6) {
      expect(
        core.call(0, "lookAtTree", tree) === set.list.length,
        `${of}: after step ${step} a node does not tell the truth`,
      );
    }
  }
  for (const [index, set] of sets.entries()) {
    while (set.list.length > 0) {
      const { first } = random.pick(set.list);
      expect(core.call(0, "removeRange", state.file, trees[index]!, first) !== 0, `${of}: ${first} cannot be removed`);
      set.remove(first);
      expect(core.call(0, "lookAtTree", trees[index]!) === set.list.length, `${of}: a node does not tell the truth`);
    }
  }
}

function tryToFit(
  core: Core,
  state: State,
  random: Random,
  isDense: boolean,
  trees: readonly number[],
  sets: readonly Ranges[],
  of: string,
): void {
  const [one, two] = [randomKey(random, isDense), random.oneIn(3) ? LAST : randomKey(random, isDense)];
  const [start, last] = one <= two ? [one, two] : [two, one];
  const length = random.pick([1n, 2n, 3n, 7n, 20n, isDense ? 60n : BigInt(random.next())]);
  const quantum = random.pick([1n, 1n, 2n, 8n, 64n]);
  const offset = random.oneIn(2) ? 0n : random.pick([1n, 3n, 4n]) % quantum;
  const found =
    core.call(0, "fitRange", state.file, ...([...trees, start, last, length, quantum, offset] as const)) !== 0;
  const wanted = firstFit(sets, start, last, length, quantum, offset);
  const where = `${length} bytes in ${start} … ${last}, by ${quantum}, ${offset} behind`;
  expect(found === (wanted !== undefined), `${of}: there is a place for ${where}, or not`);
  if (wanted !== undefined) {
    const at = core.u64(state.slots[0]! + core.constant("THREAD_CURSOR"));
    expect(at === wanted, `${of}: ${where} lie at ${at}, not at ${wanted}`);
  }
}

function model(): Model<State> {
  return {
    name: "trees",
    pages: 5,
    setup: (core) => ({ ...makeWorld(core, "mainline", 1), ready: 1 }),
    run: (core, state) => ({
      threads: [
        {
          name: "nothing",
          // eslint-disable-next-line require-yield -- all is done when no thread runs
          *program() {
            return "ok";
          },
        },
      ],
      finish() {
        const log = new CallbackLog(core, state.slots);
        for (let seed = 1; seed <= SEEDS; seed++) {
          const id = makeSpace(core, state);
          walk(core, state, id, seed);
          const chunks = core.call(0, "chunksOf", state.file);
          walk(core, state, id, seed);
          expect(core.call(0, "chunksOf", state.file) === chunks, `seed ${seed}: the same again takes more memory`);
        }
        audit(core, state.slots, []);
        closeAll(core, 0, log);
        return "as a list";
      },
    }),
  };
}

export const trees: Property = {
  name: "trees",
  promise: "a set of ranges answers as a sorted list does, whatever is added and removed",
  profiles: ["mainline"],
  quick: true,
  model,
  twins: [
    {
      name: "gap-of-the-seam-is-forgotten",
      edits: [
        {
          file: "core/interval_tree.ts",
          find: "largest = max(largest, max(gapAt(node, at), firstAt(node, at) - lastAt(node, at - 1) - 1));",
          replace: "largest = max(largest, gapAt(node, at));",
        },
      ],
    },
    {
      name: "united-node-is-not-given-back",
      edits: [{ file: "core/interval_tree.ts", find: "  arenaGive(file, ARENA_NODE, right);\n", replace: "" }],
    },
    {
      name: "parent-does-not-hear-of-a-removal",
      edits: [
        {
          file: "core/interval_tree.ts",
          find: "  const isOther = describe(node, at, child);",
          replace: "  const isOther = true;",
        },
      ],
    },
  ],
};

// SPDX-License-Identifier: GPL-2.0-only
//
// The oracle: a random sequence runs on the library and on the reference, and every answer, callback and warning is compared.
//
// A sequence is played twice on the same machine. Whatever the first time leaves behind shows the second time: in an answer, or
// as memory that is in use and was not before. A mismatch is shrunk to a short sequence that still differs.

import { Iommufd, type IommufdOptions } from "iommufd-wasm";
import type { Abi } from "../reference/objects.ts";
import { Random } from "../support/random.ts";
import { Generator } from "./generator.ts";
import { LibrarySide } from "./library-side.ts";
import type { Answer, Operation } from "./operations.ts";
import { ReferenceSide } from "./reference-side.ts";

const MEMORY_BYTES = 8 * 1024 * 1024;
/** IDs end here in some sequences, so that they run out. */
const FEW_IDS = [7, 24];
const ALL_IDS: Readonly<Record<Abi, number>> = { rfc: 2 ** 32 - 1, mainline: 2 ** 31 - 1 };

/** What a sequence needs to be played again. */
export interface Setting {
  abi: Abi;
  idLimit: number;
  gentle: boolean;
}

export interface Mismatch {
  /** Place in the sequence; the second time through counts on. */
  at: number;
  operation: Operation | undefined;
  library: Answer;
  reference: Answer;
}

export interface Batch {
  seed: number;
  setting: Setting;
  operations: Operation[];
  /** Calls made, both times, without those that were skipped. */
  calls: number;
  /** How often each operation gave a value or an errno. */
  tally: Map<string, number>;
  mismatch: Mismatch | undefined;
}

/** One sequence of about `length` operations, from its seed alone. */
export async function runBatch(seed: number, abi: Abi, length: number): Promise<Batch> {
  const random = new Random(seed);
  const idLimit = random.oneIn(3) ? random.pick(FEW_IDS) : ALL_IDS[abi];
  const setting: Setting = { abi, idLimit, gentle: random.oneIn(3) };
  const machine = await boot(setting);
  const generator = new Generator(random, machine.reference, setting.gentle);
  const batch: Batch = { seed, setting, operations: [], calls: 0, tally: new Map(), mismatch: undefined };
  try {
    const play = (operation: Operation): boolean => {
      batch.operations.push(operation);
      batch.mismatch = compare(machine, operation, batch.operations.length - 1, batch);
      generator.note(operation);
      return batch.mismatch === undefined;
    };
    while (batch.operations.length < length) if (!play(generator.next())) return batch;
    for (const operation of generator.epilogue()) if (!play(operation)) return batch;
    if (!machine.reference.isAtRest()) throw new Error(`the sequence of seed ${seed} does not end at rest`);
    batch.mismatch = playAgain(machine, batch.operations, batch);
    return batch;
  } finally {
    machine.library.end();
  }
}

/** Plays a sequence from nothing, twice. */
export async function replay(setting: Setting, operations: readonly Operation[]): Promise<Mismatch | undefined> {
  const machine = await boot(setting);
  try {
    for (const [at, operation] of operations.entries()) {
      const mismatch = compare(machine, operation, at);
      if (mismatch !== undefined) return mismatch;
    }
    return playAgain(machine, operations);
  } finally {
    machine.library.end();
  }
}

/** The shortest sequence found that still differs: halves, quarters and so on are left out as long as that works. */
export async function shrink(
  setting: Setting,
  operations: readonly Operation[],
  milliseconds: number,
): Promise<{ operations: Operation[]; mismatch: Mismatch | undefined }> {
  const end = performance.now() + milliseconds;
  let mismatch = await replay(setting, operations);
  let rest = operations.slice(0, mismatch === undefined ? undefined : mismatch.at + 1);
  if (mismatch !== undefined && mismatch.at < operations.length) {
    for (let piece = rest.length >> 1; piece > 0; piece >>= 1) {
      let removed = true;
      while (removed && performance.now() < end) {
        removed = false;
        for (let at = rest.length - piece; at >= 0 && performance.now() < end; at -= piece) {
          const without = [...rest.slice(0, at), ...rest.slice(at + piece)];
          const found = await replay(setting, without);
          if (found === undefined || found.operation?.op !== mismatch?.operation?.op) continue; // another one
          rest = without.slice(0, found.at + 1);
          mismatch = found;
          removed = true;
        }
        if (piece > 1) break;
      }
    }
  }
  return { operations: rest, mismatch };
}

export interface Machines {
  library: LibrarySide;
  reference: ReferenceSide;
}

/** Both sides, at their beginning. */
async function boot(setting: Setting): Promise<Machines> {
  return machinesOf(setting, await Iommufd.create(optionsOf(setting)));
}

/** As `boot`, where the host may compile without waiting. */
export function bootSync(setting: Setting): Machines {
  return machinesOf(setting, Iommufd.createSync(optionsOf(setting)));
}

function optionsOf({ abi, idLimit }: Setting): IommufdOptions {
  return { abi, idLimit, memoryBytes: MEMORY_BYTES };
}

function machinesOf({ abi, idLimit }: Setting, iommufd: Iommufd): Machines {
  const library = new LibrarySide(iommufd);
  const reference = new ReferenceSide({ abi, idLimit, mayBlock: library.mayBlock, memoryBytes: MEMORY_BYTES });
  return { library, reference };
}

/**
 * The whole sequence once more on the same machine; then no memory may be in use that was not before.
 *
 * Only when the first time ended at rest, as whole sequences do; parts of one need not, and what they left would be in the way.
 */
function playAgain(machine: Machines, operations: readonly Operation[], counts?: Counts): Mismatch | undefined {
  const { library, reference } = machine;
  if (!reference.isAtRest()) return undefined;
  const [used, leaked] = [library.usedBytes(), reference.machine.leaked];
  library.reset();
  reference.reset();
  for (const [at, operation] of operations.entries()) {
    const mismatch = compare(machine, operation, operations.length + at, counts);
    if (mismatch !== undefined) return mismatch;
  }
  const grown = library.usedBytes() - used;
  if (!reference.isAtRest() || reference.machine.leaked > leaked || grown === 0) return undefined;
  const expected = "no byte more in use than after the first time";
  return { at: 2 * operations.length, operation: undefined, library: `${grown} bytes more`, reference: expected };
}

interface Counts {
  calls: number;
  tally: Map<string, number>;
}

/** Runs one operation on both sides. */
export function compare(
  { library, reference }: Machines,
  operation: Operation,
  at: number,
  counts?: Counts,
): Mismatch | undefined {
  const expected = reference.run(operation);
  const answer = library.run(operation);
  const [heard, wanted] = [library.takeEvents(), reference.takeEvents()];
  if (counts !== undefined && expected !== "skipped") {
    counts.calls++;
    const key = `${operation.op} ${typeof expected === "string" && /^E[A-Z0-9]+$/.test(expected) ? expected : "done"}`;
    counts.tally.set(key, (counts.tally.get(key) ?? 0) + 1);
  }
  const inOrder = reference.isInOrder(operation);
  if (isSame(answer, expected) && areSameEvents(heard, wanted, inOrder)) return undefined;
  const withEvents = (value: Answer, events: Answer) => (events === undefined ? value : { value, events });
  return {
    ...{ at, operation },
    library: withEvents(answer, heard),
    reference: withEvents(expected, wanted),
  };
}

function isSame(a: Answer, b: Answer): boolean {
  return a === b || (typeof a === "object" && JSON.stringify(a) === JSON.stringify(b));
}

function areSameEvents(a: Answer, b: Answer, inOrder: boolean): boolean {
  if (a === undefined || b === undefined) return a === b;
  return inOrder ? isSame(a, b) : isSame(sorted(a), sorted(b));
}

function sorted(events: Answer): Answer {
  return Object.values(events as Record<string, unknown[]>).map((list) =>
    list.map((event) => JSON.stringify(event)).sort(),
  );
}

// SPDX-License-Identifier: GPL-2.0-only
/**
 * ioctl(2) with IOMMU_DESTROY and a plain Uint8Array of 8 bytes: of an ID that nobody has (ENOENT), and of an object that goes.
 *
 * The struct is copied in, its size and its tail are checked, the number is looked up in the table of commands. The rivals do as much
 * by hand in JavaScript: size, tail, number, ID.
 */
import { IOMMU_DESTROY, Iommufd, type ObjectType } from "iommufd-wasm";
import type { Bar, Bench } from "./harness/bench.ts";
import { type Candidate, alternate, fresh, ratiosOf, summaries, within } from "./harness/rounds.ts";
import { RIVALS } from "./rivals/all.ts";
import { floorPairs, loadFloor } from "./rivals/floor.ts";
import type { ObjectTable, Rival } from "./rivals/rival.ts";
import { dispatchStruct } from "./rivals/struct-dispatch.ts";

const OURS = "tryIoctl";
const TYPED = "tryDestroy";
const MISSING = "ENOENT: ";
const SUCCESS = "success: ";
const FLOOR = "floor";
const REQUEST = IOMMU_DESTROY.request;
const ENOENT = -2;

const BARS: readonly Bar[] = [
  {
    ratio: `${MISSING}${OURS} / ${FLOOR}`,
    limit: 5,
    kind: "most",
    text: "`tryIoctl` DESTROY of a missing ID, against two bare atomic Wasm calls",
  },
  {
    ratio: `${SUCCESS}${OURS} / ${FLOOR}`,
    limit: 9,
    kind: "most",
    text: "`tryIoctl` DESTROY of an object, against two bare atomic Wasm calls",
  },
];

/** ioctl(2) of whoever it is. */
type Ioctl<S> = (subject: S, request: number, bytes: Uint8Array) => number;

// The loops use their arguments only: `fresh` makes a copy for each candidate.

function missing<S>(subject: S, operations: number, words: Uint32Array, ioctl: Ioctl<S>, request: number): number {
  const bytes = new Uint8Array(words.buffer, 0, 8);
  let sum = 0;
  for (let index = 0; index < operations; index++) {
    words[1] = 1_000_000 + (index & 1023);
    sum += ioctl(subject, request, bytes) === -2 ? 1 : 0;
  }
  return sum;
}

function existing<S>(subject: S, operations: number, words: Uint32Array, ioctl: Ioctl<S>, request: number): number {
  const bytes = new Uint8Array(words.buffer, 0, 8);
  let sum = 0;
  for (let id = 1; id <= operations; id++) {
    words[1] = id;
    sum += ioctl(subject, request, bytes) === 0 ? 1 : 0;
  }
  return sum;
}

function missingTyped<T>(table: ObjectTable<T>, operations: number): number {
  let sum = 0;
  for (let index = 0; index < operations; index++) sum += table.tryDestroy(1_000_000 + (index & 1023)) === -2 ? 1 : 0;
  return sum;
}

function existingTyped<T>(table: ObjectTable<T>, operations: number): number {
  let sum = 0;
  for (let id = 1; id <= operations; id++) sum += table.tryDestroy(id) === 0 ? 1 : 0;
  return sum;
}

function fill<T>(table: ObjectTable<T>, type: T, objects: number): void {
  for (let id = 1; id <= objects; id++) table.finalize(table.tryAlloc(type));
}

export default {
  title: "ioctl IOMMU_DESTROY, a Uint8Array of 8 bytes",
  async run(host) {
    const iommufd = Iommufd.createSync();
    const context = iommufd.open();
    const type = iommufd.defineObjectType({ name: "BENCH", payloadBytes: 16 });
    const operations = host.smoke ? 2000 : 2 ** 16;
    const rounds = host.smoke ? 3 : 41;
    const words = new Uint32Array([8, 0]);
    const rivals = Object.entries(RIVALS).map(([name, make]) => [name, make(operations)] as const);
    const floor = await loadFloor(host, 64);
    const bare: Candidate = { run: (operations) => floorPairs(floor, operations, 0) };

    const measure = (
      byStruct: typeof missing,
      typed: typeof missingTyped,
      prepared: boolean,
    ): Record<string, number[]> => {
      const candidate = <T>(table: ObjectTable<T>, type: T, run: Candidate["run"]): Candidate => ({
        prepare: (operations) => prepared && fill(table, type, operations),
        run,
      });
      const ours = fresh(byStruct<typeof context>);
      const oursTyped = fresh(typed<ObjectType>);
      const ofRival = (table: Rival): Candidate => {
        const [loop, dispatch] = [fresh(byStruct<Rival>), fresh(dispatchStruct)];
        return candidate(table, 1, (operations) => loop(table, operations, words, dispatch, REQUEST));
      };
      return alternate(
        {
          [OURS]: candidate(context, type, (operations) =>
            ours(context, operations, words, (subject, request, bytes) => subject.tryIoctl(request, bytes), REQUEST),
          ),
          [TYPED]: candidate(context, type, (operations) => oursTyped(context, operations)),
          ...Object.fromEntries(rivals.map(([name, table]) => [name, ofRival(table)])),
          [FLOOR]: bare,
        },
        { operations, rounds },
      );
    };
    if (context.tryDestroy(1) !== ENOENT) throw new Error("there is an object already");
    const none = measure(missing, missingTyped, false);
    const some = measure(existing, existingTyped, true);
    if (context.objects().length > 0) throw new Error("an object is left");
    iommufd.detach();
    return {
      unit: "ns per call",
      candidates: { ...within(MISSING, summaries(none)), ...within(SUCCESS, summaries(some)) },
      ratios: { ...ratiosOf(none, [OURS, TYPED], MISSING), ...ratiosOf(some, [OURS, TYPED], SUCCESS) },
      bars: BARS,
    };
  },
} satisfies Bench;

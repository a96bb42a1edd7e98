// SPDX-License-Identifier: GPL-2.0-only
/**
 * Against native C (bench/native): the seed's objects with the seed's locks, compiled by the machine's compiler; and the empty system
 * call, which a program pays before a kernel does anything.
 *
 * C and JavaScript are two processes, so they take turns in blocks of some rounds, and a ratio compares rounds of the same block. Both warm
 * up before they are timed.
 */
import { IOMMU_DESTROY, Iommufd, type IommufdContext, type ObjectType } from "iommufd-wasm";
import type { Bench, Host, Result, Spread } from "./harness/bench.ts";
import { type Candidate, alternate, ratio, summary } from "./harness/rounds.ts";

const OURS = "iommufd-wasm";
const NATIVE = "native C";
const PROGRAM = "iommufd-native";
const LIFE = "alloc + finalize + destroy";
const MISSING = "ioctl DESTROY of a missing ID";
const NEAR = 1024;

const BARS: Result["bars"] = [
  {
    ratio: `${LIFE}: ${OURS} / ${NATIVE}`,
    limit: 1,
    kind: "most",
    text: "alloc + finalize + destroy, against the seed's locking in native C",
    only: "node",
  },
];

/** What ours does, and the operations of the program that it is compared with, by their names there and for the reader. */
interface Comparison {
  readonly candidate: Candidate;
  readonly natives: Readonly<Record<string, string>>;
}

export default {
  title: "native C, and a system call",
  only: "node",
  async run(host) {
    const iommufd = Iommufd.createSync();
    const type = iommufd.defineObjectType({ name: "BENCH", payloadBytes: 16 });
    const context = iommufd.open();
    for (let made = 0; made < NEAR; made++) context.finalize(context.tryAlloc(type));
    const samples: Record<string, number[]> = {};
    const comparisons = Object.entries(comparisonsOf(context, iommufd.open(), type));
    for (let block = 0; block < (host.smoke ? 1 : 12); block++) {
      for (const [situation, comparison] of comparisons) {
        if (!(await measure(host, situation, comparison, samples))) return undefined; // no C compiler
      }
    }
    if (context.objects().some(({ users, holders }) => users !== 1 || holders !== 0)) throw new Error("a lock is left");
    iommufd.detach();
    return resultOf(samples, comparisons);
  },
} satisfies Bench;

function comparisonsOf(near: IommufdContext, empty: IommufdContext, type: ObjectType): Record<string, Comparison> {
  const bytes = new Uint8Array(new Uint32Array([8, NEAR + 1]).buffer);
  return {
    [LIFE]: {
      candidate: { run: (operations) => lives(empty, operations, type) },
      natives: { "alloc-destroy": NATIVE },
    },
    "alloc + abort": {
      candidate: { run: (operations) => reservations(empty, operations, type) },
      natives: { abort: NATIVE },
    },
    "get + put": { candidate: { run: (operations) => getPut(near, operations) }, natives: { "get-put-1k": NATIVE } },
    [MISSING]: {
      candidate: { run: (operations) => missing(near, operations, bytes) },
      natives: { "destroy-enoent": NATIVE, syscall: "empty system call" },
    },
  };
}

/** One block: some rounds of ours, and as many of each native operation. Return: false when there is no program. */
async function measure(
  host: Host,
  situation: string,
  { candidate, natives }: Comparison,
  samples: Record<string, number[]>,
): Promise<boolean> {
  const operations = host.smoke ? 2000 : 200_000;
  const rounds = host.smoke ? 2 : 5;
  const { [OURS]: ours = [] } = alternate({ [OURS]: candidate }, { operations, rounds, warmup: 2 });
  (samples[`${situation}: ${OURS}`] ??= []).push(...ours);
  for (const [operation, name] of Object.entries(natives)) {
    const output = await host.native?.(PROGRAM, [operation, `${rounds}`, `${operations}`]);
    if (output === undefined) return false;
    if (!output["sum"]?.every((sum) => sum === operations))
      throw new Error(`${operation} computed ${output["sum"]?.join()}`);
    (samples[`${situation}: ${name}`] ??= []).push(...(output["ns"] ?? []));
  }
  return true;
}

function resultOf(
  samples: Readonly<Record<string, readonly number[]>>,
  comparisons: readonly (readonly [string, Comparison])[],
): Result {
  const ratios: Record<string, Spread> = {};
  for (const [situation, { natives }] of comparisons) {
    const name = `${situation}: ${OURS}`;
    for (const native of Object.values(natives)) {
      ratios[`${name} / ${native}`] = ratio(samples[name] ?? [], samples[`${situation}: ${native}`] ?? []);
    }
  }
  const candidates = Object.fromEntries(Object.entries(samples).map(([name, values]) => [name, summary(values)]));
  return { unit: "ns per operation", candidates, ratios, bars: BARS };
}

function lives(context: IommufdContext, operations: number, type: ObjectType): number {
  let sum = 0;
  for (let index = 0; index < operations; index++) {
    const id = context.finalize(context.tryAlloc(type));
    sum += context.tryDestroy(id) === 0 ? 1 : 0;
  }
  return sum;
}

function reservations(context: IommufdContext, operations: number, type: ObjectType): number {
  let sum = 0;
  for (let index = 0; index < operations; index++) {
    const handle = context.tryAlloc(type);
    sum += handle > 0 ? 1 : 0;
    context.abort(handle);
  }
  return sum;
}

function getPut(context: IommufdContext, operations: number): number {
  let sum = 0;
  for (let index = 0; index < operations; index++) {
    const handle = context.tryGet((index & (NEAR - 1)) + 1);
    sum += handle > 0 ? 1 : 0;
    context.put(handle);
  }
  return sum;
}

function missing(context: IommufdContext, operations: number, bytes: Uint8Array): number {
  let sum = 0;
  for (let index = 0; index < operations; index++) {
    sum += context.tryIoctl(IOMMU_DESTROY.request, bytes) === -2 ? 1 : 0;
  }
  return sum;
}

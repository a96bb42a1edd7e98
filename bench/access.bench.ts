// SPDX-License-Identifier: GPL-2.0-only
/**
 * Bandwidth of a device's copies: access.read and access.write of 64 B to 16 MiB by IOVA, beside TypedArray.set and memory.copy of the
 * same bytes.
 *
 * The memory is one mapping, so a copy is one piece; "in 64 KiB" it is mapped in areas of 64 KiB, of which each is a piece. The
 * rivals know where the bytes are, check nothing, and keep nobody from taking them away meanwhile. IOVAs are bigint, as a device
 * model has them at hand.
 *
 * A JavaScript buffer is compared with TypedArray.set, the only way between it and shared memory: engines copy there word by word. A
 * buffer in the shared memory is compared with memory.copy.
 */
import { Iommufd } from "iommufd-wasm";
import type { Bar, Bench, Spread } from "./harness/bench.ts";
import { type Candidate, alternate, fresh, ratiosOf, summaries, summary, within } from "./harness/rounds.ts";
import { loadFloor } from "./rivals/floor.ts";

const KIB = 1024;
const MIB = KIB * KIB;
const SIZES = [64, 512, 4 * KIB, 64 * KIB, MIB, 16 * MIB];
const PIECE = 64 * KIB;
const READ = "access.read";
const WRITE = "access.write";
const PIECES = "access.read, in 64 KiB";
const SHARED = "access.read, into shared memory";
const SET = "TypedArray.set";
const COPY = "memory.copy";

/** From this size on there is a bar. */
const BARRED = 64 * KIB;

function situationOf(size: number): string {
  return size < MIB ? `${size.toLocaleString("en-US")} B: ` : `${size / MIB} MiB: `;
}

const BARS: readonly Bar[] = SIZES.filter((size) => size >= BARRED).flatMap((size) =>
  [
    { name: READ, rival: SET },
    { name: WRITE, rival: SET },
    { name: SHARED, rival: COPY },
  ].map(({ name, rival }) => ({
    ratio: `${situationOf(size)}${rival} / ${name}`,
    limit: 0.8,
    kind: "least" as const,
    text: `${name} of ${situationOf(size).slice(0, -2)}: its speed against \`${rival}\``,
  })),
);

export default {
  title: "copies of a device by IOVA",
  async run(host) {
    const most = Math.max(...SIZES);
    const iommufd = Iommufd.createSync({ abi: "mainline", memoryBytes: 96 * MIB });
    const ioas = iommufd.open().ioasAlloc();
    const memory = iommufd.userSpace.map(most);
    const target = iommufd.userSpace.map(most).bytes;
    const whole = ioas.map(memory);
    const inPieces = whole + BigInt(4 * most);
    for (let at = 0; at < most; at += PIECE) {
      ioas.map(memory.va + BigInt(at), PIECE, { iova: inPieces + BigInt(at) });
    }
    const access = ioas.access();
    const floor = await loadFloor(host, 2 * most);
    memory.bytes.forEach((_, index, all) => (all[index] = index));
    const floorBytes = new Uint8Array(floor.memory.buffer);
    floorBytes.set(memory.bytes);

    const candidates: Record<string, Spread> = {};
    const ratios: Record<string, Spread> = {};
    const notes: string[] = [];
    for (const size of SIZES) {
      const buffer = new Uint8Array(size);
      const shared = target.subarray(0, size);
      const mapped = memory.bytes.subarray(0, size);
      const source = new Uint8Array(size).fill(1, 1, 2);
      const each: Record<string, Candidate> = {
        [READ]: copying(() => access.read(whole, buffer), buffer),
        [WRITE]: copying(() => access.write(whole, source), memory.bytes),
        [SHARED]: copying(() => access.read(whole, shared), shared),
        ...(size > PIECE && { [PIECES]: copying(() => access.read(inPieces, buffer), buffer) }),
        [SET]: copying(() => buffer.set(mapped), buffer),
        [COPY]: copying(() => floor.copyBytes(most, 0, size), floorBytes.subarray(most)),
      };
      const operations = host.smoke ? 2 : Math.min(100_000, Math.max(4, 2 ** 26 / size));
      const samples = alternate(each, { operations, rounds: host.smoke ? 3 : 21 });
      const situation = situationOf(size);
      Object.assign(candidates, within(situation, summaries(samples)));
      Object.assign(ratios, ratiosOf(samples, [SET, COPY], situation));
      notes.push(...Object.entries(samples).map(([name, values]) => bandwidth(`${situation}${name}`, values, size)));
    }
    iommufd.detach();
    return { unit: "ns per copy", candidates, ratios, bars: BARS, notes };
  },
} satisfies Bench;

/** `target`: where the bytes arrive; of each copy the second byte is 1. */
function copying(call: () => unknown, target: Uint8Array): Candidate {
  const loop = fresh(copyAll);
  return { run: (operations) => loop(call, operations, target) };
}

// Uses its arguments only: `fresh` makes a copy for each candidate.
function copyAll(call: () => unknown, operations: number, target: Uint8Array): number {
  let right = 0;
  for (let index = 0; index < operations; index++) {
    target[1] = 0;
    call();
    right += target[1];
  }
  return right;
}

function bandwidth(name: string, nanoseconds: readonly number[], size: number): string {
  return `${name}: ${(size / summary(nanoseconds).median).toFixed(1)} bytes per ns`;
}

// SPDX-License-Identifier: GPL-2.0-only
//
// Structure-aware fuzzing of ioctl(2): requests, structs, sizes and where the argument lies, by fast-check, against the reference's
// dispatch.
//
// One input is a short sequence of operations on a fresh file: two objects, six pages in a row of which each has a protection of
// its own and the last is a hole, the argument's bytes written before the protections are set, the ioctl, and a look at the bytes
// of all pages and at all objects. A buffer is fenced, so bytes outside of it are looked at too. fast-check shrinks an input that is
// answered differently; seed and path bring it back.

import fc from "fast-check";
import { withoutAddressSpaces } from "./arguments.ts";
import { COMMANDS } from "./commands.ts";
import { type IoctlArgument, type Operation, hexOf } from "./operations.ts";
import { type Machines, type Mismatch, bootSync, compare } from "./oracle.ts";

const PAGE = 4096;
const PAGES = ["rw", "r", "rw", "none", "rw", "hole"] as const;
const HOLE = PAGES.indexOf("hole");
const ROWS = [{ nr: 0x80, size: 8, minSize: 8 }, ...COMMANDS.slice(0, 3)];
/** Requests around the ends of both profiles' tables, and of what is defined here. */
const NEAR_THE_TABLE = [0x7f, 0x80, 0x81, 0x95, 0x96, 0x97, 0xa6, 0xa8, 0xaf, 0xb1, 0xfe, 0xff].map(
  (nr) => 0x3b00 | nr,
);
const LONGEST = 9000;
/** Then another one, so that what one input leaves behind is not for ever. */
const INPUTS_PER_MACHINE = 1000;

interface Place {
  /** Page from the start of the mapping; -1: `absolute`. */
  page: number;
  /** Bytes before the page's end. */
  before: number;
  absolute: bigint;
}

interface Input {
  row: number;
  request: number;
  /** What the struct says its size is. */
  claimed: number;
  /** Bytes that are there. */
  length: number;
  /** Nonzero byte behind the known struct: its distance from there, or -1 for none. */
  tailAt: number;
  fields: { id: number; word: number; from: Place; to: Place };
  place: Place | "buffer";
  /** The second thread defines no command. */
  thread: 0 | 1;
  /** On a machine where nobody has: the table is shorter there. */
  bare: boolean;
}

const anyPlace: fc.Arbitrary<Place> = fc.record({
  page: fc.constantFrom(0, 0, 1, 2, 3, 4, 4, -1),
  before: fc.oneof(fc.constantFrom(0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 16, 24, 31, 32, 33, 55, 56, 57), fc.nat(PAGE)),
  absolute: fc.oneof(
    fc.constantFrom(0n, 1n, 0x1000n, 2n ** 47n, 2n ** 63n),
    fc.nat(64).map((below) => 2n ** 64n - 1n - BigInt(below)),
    fc.nat(64).map((below) => 0x7fff_ffff_f000n - BigInt(below)),
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  ),
});

const anyInput: fc.Arbitrary<Input> = fc.nat(ROWS.length - 1).chain((row) => {
  const { nr, size, minSize } = ROWS[row] as (typeof ROWS)[0];
  const good = 0x3b00 | nr;
  const sizes = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(minSize, size, size, size) },
    {
      weight: 6,
      arbitrary: fc.constantFrom(0, 3, 4, minSize - 1, size - 1, size + 1, size + 8, PAGE, PAGE + 1, LONGEST),
    },
    { weight: 2, arbitrary: fc.constantFrom(2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1) },
    { weight: 1, arbitrary: fc.nat(2 ** 31 - 1) },
  );
  return fc.record({
    row: fc.constant(row),
    request: fc.oneof(
      { weight: 8, arbitrary: fc.constant(good) },
      { weight: 2, arbitrary: fc.constantFrom(...NEAR_THE_TABLE) },
      { weight: 1, arbitrary: fc.nat(255).map((byte) => 0x3b00 | byte) },
      { weight: 1, arbitrary: fc.nat(31).map((bit) => (good ^ (1 << bit)) >>> 0) },
      { weight: 1, arbitrary: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }) },
      { weight: 1, arbitrary: fc.constantFrom(good - 2 ** 32, good + 2 ** 32, good + 0.5, -good) },
    ),
    claimed: sizes,
    length: fc.oneof(
      { weight: 4, arbitrary: fc.constant(-1) },
      { weight: 2, arbitrary: fc.constantFrom(0, 1, 3, 4, minSize - 1, minSize, size - 1, size, size + 1) },
      { weight: 1, arbitrary: fc.nat(LONGEST) },
    ),
    tailAt: fc.oneof({ weight: 3, arbitrary: fc.constant(-1) }, fc.constantFrom(0, 1, 7, 8, PAGE), fc.nat(LONGEST)),
    fields: fc.record({
      id: fc.constantFrom(1, 1, 2, 3, 0, 2 ** 32 - 1),
      word: fc.oneof(fc.nat(7), fc.constantFrom(64, PAGE, 6000, 6001, 2 ** 32 - 1)),
      from: anyPlace,
      to: anyPlace,
    }),
    place: fc.oneof({ weight: 2, arbitrary: fc.constant("buffer" as const) }, { weight: 5, arbitrary: anyPlace }),
    thread: fc.constantFrom<0 | 1>(0, 0, 0, 0, 0, 1),
    bare: fc.nat(5).map((n) => n === 5),
  });
});

/** Where an address of the input is, in a mapping that begins at `va`. */
function addressOf({ page, before, absolute }: Place, va: bigint): bigint {
  return page < 0 ? absolute : va + BigInt((page + 1) * PAGE - before);
}

function bytesOfInput(input: Input, va: bigint): Uint8Array {
  const { nr, size } = ROWS[input.row] as (typeof ROWS)[0];
  const { claimed, fields, tailAt } = input;
  const length = input.length < 0 ? Math.min(Math.max(claimed, 4), LONGEST) : input.length;
  const bytes = new Uint8Array(Math.max(length, size));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, claimed, true);
  view.setUint32(4, nr === 0x80 ? fields.id : fields.word, true);
  if (nr === 0xb0) {
    view.setBigUint64(8, addressOf(fields.from, va), true);
    view.setBigUint64(16, addressOf(fields.to, va), true);
  } else if (nr !== 0x80) {
    view.setUint32(8, fields.id, true);
  }
  if (tailAt >= 0 && size + tailAt < bytes.length) bytes[size + tailAt] = 0x80;
  return bytes.subarray(0, length);
}

// ---------------------------------------------------------------------------------------------------- running one

/** Names of the sequence. */
const [FIRST, SECOND, FILE, OTHER_FILE, A, B, AREA] = [0, 1, 2, 3, 4, 5, 6];

class Bench {
  #machines: { full: Machines; bare: Machines } | undefined;
  #calls = 0;
  readonly #abi: "rfc" | "mainline";

  constructor(abi: "rfc" | "mainline") {
    this.#abi = abi;
  }

  end(): void {
    this.#machines?.full.library.end();
    this.#machines?.bare.library.end();
    this.#machines = undefined;
  }

  /** Runs one input; a machine on which the two differed is not used again. */
  run(input: Input): Mismatch | undefined {
    if (this.#calls++ % INPUTS_PER_MACHINE === 0) this.end();
    this.#machines ??= { full: this.#boot([0, 1, 2]), bare: this.#boot([]) };
    const machines = input.bare ? this.#machines.bare : this.#machines.full;
    for (const operation of operationsOf(input, machines)) {
      const mismatch = compare(machines, operation, 0);
      if (mismatch === undefined) continue;
      this.end();
      return mismatch;
    }
    return undefined;
  }

  #boot(commands: readonly number[]): Machines {
    const machines = bootSync({ abi: this.#abi, idLimit: 2 ** 31 - 1, gentle: true });
    const preparation: Operation[] = [
      { op: "attach", as: FIRST },
      { op: "attach", as: SECOND },
      ...[FIRST, SECOND].map((thread) => ({ op: "type" as const, thread, name: "T", bytes: 8, callback: false })),
      ...commands.map((command) => ({ op: "command" as const, thread: FIRST, command })),
    ];
    for (const operation of preparation) compare(machines, operation, 0);
    return machines;
  }
}

/** The sequence of an input. */
function* operationsOf(input: Input, { reference: { mappings } }: Machines): Iterable<Operation> {
  yield { op: "open", thread: FIRST, as: FILE };
  yield { op: "file", thread: SECOND, fd: 3, as: OTHER_FILE };
  for (const as of [A, B]) {
    yield { op: "tryAlloc", context: FILE, type: "T", value: as, as };
    yield { op: "finalizeHandle", context: FILE, handle: as };
  }
  yield { op: "map", thread: FIRST, length: HOLE * PAGE, prot: "rw", as: AREA };
  const va = mappings.get(AREA)?.va ?? 0n;
  const bytes = bytesOfInput(input, va);
  let argument: IoctlArgument = { buffer: hexOf(bytes) };
  if (input.place !== "buffer") {
    const address = { at: `0x${addressOf(input.place, va).toString(16)}` };
    yield { op: "write", thread: FIRST, address, bytes: hexOf(bytes) };
    argument = { user: address };
  }
  for (const [page, prot] of PAGES.entries()) {
    if (prot === "hole" || prot === "rw") continue;
    yield { op: "protect", thread: FIRST, address: { mapping: AREA, offset: page * PAGE }, length: PAGE, prot };
  }
  yield {
    op: "ioctl",
    context: input.thread === 0 ? FILE : OTHER_FILE,
    request: withoutAddressSpaces(input.request),
    argument,
  };
  yield { op: "memory" };
  yield { op: "objects", context: FILE };
  yield { op: "close", context: FILE };
  yield { op: "close", context: OTHER_FILE };
  yield { op: "unmap", mapping: AREA };
  yield { op: "stats" };
}

export interface IoctlResult {
  inputs: number;
  seed: number;
  /** In words, with the path to replay it; undefined when all answers were right. */
  failure: string | undefined;
}

export interface IoctlOptions {
  seed: number;
  runs: number;
  path?: string | undefined;
  milliseconds?: number | undefined;
}

/** Fuzzes one profile. */
export function fuzzIoctls(abi: "rfc" | "mainline", { seed, runs, path, milliseconds }: IoctlOptions): IoctlResult {
  const bench = new Bench(abi);
  let last: Mismatch | undefined;
  const property = fc.property(anyInput, (input) => {
    const mismatch = bench.run(input);
    if (mismatch !== undefined) last = mismatch;
    return mismatch === undefined;
  });
  try {
    const details = fc.check(property, {
      ...{ seed, numRuns: runs, endOnFailure: false },
      ...(path !== undefined && { path }),
      ...(milliseconds !== undefined && { interruptAfterTimeLimit: milliseconds }),
    });
    if (!details.failed || details.counterexample === null)
      return { inputs: details.numRuns, seed, failure: undefined };
    const input = fc.stringify(details.counterexample[0]);
    const failure = [
      `${abi}, --seed ${seed} --path ${details.counterexamplePath ?? ""}: ${input}`,
      `library   ${JSON.stringify(last?.library)}`,
      `reference ${JSON.stringify(last?.reference)} (${last?.operation?.op ?? ""})`,
    ].join("\n");
    return { inputs: details.numRuns, seed, failure };
  } finally {
    bench.end();
  }
}

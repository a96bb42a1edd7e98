// SPDX-License-Identifier: GPL-2.0-only
/**
 * What a bench is, and what it gets from the host that runs it.
 *
 * The same bench files run in Node and in Chromium, so they name no module of either: whatever a host must do goes through
 * `Host`. Each bench runs in a process of its own (in Chromium: a page of its own, and there in a worker, which may block), so that
 * no bench is measured with what the compiler has learnt in another one.
 *
 * Names. A candidate is called by who it is ("floor", "Map"), or, where a bench has several situations, by both:
 * "1,024 objects: floor". A ratio is called by the two: "tryGet + put / floor", "1,024 objects: tryGet + put / floor".
 * Tables and charts cut such names at ": ", and in each situation compare with the candidate whose name starts with "floor", or,
 * where there is none, with the second one.
 */

/** Median, 10th and 90th percentile over the rounds. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** What the project demands of a ratio, or of a candidate's own figure. */
export interface Bar {
  /** A key of `ratios`, or of `candidates`. */
  readonly ratio: string;
  readonly limit: number;
  /** Whether the limit is the most or the least that is allowed. */
  readonly kind: "most" | "least";
  /** What is measured, for the README's table. */
  readonly text: string;
  /** Better than the limit: what was hoped for. */
  readonly aim?: number;
  /** The bar stands in this host only. */
  readonly only?: "node";
}

export interface Result {
  /** Of the candidates: "ns per pair", "pairs per second", "bytes per object", "ms". */
  readonly unit: string;
  /** Ours and rivals, by the name shown to the reader; ours come first. */
  readonly candidates: Readonly<Record<string, Spread>>;
  /** Computed round by round. */
  readonly ratios: Readonly<Record<string, Spread>>;
  readonly bars: readonly Bar[];
  /** What a reader must know, e.g. that a control misses its own bar on this machine. */
  readonly notes?: readonly string[];
}

/** The default export of each *.bench.ts: `export default { … } satisfies Bench`. */
export interface Bench {
  readonly title: string;
  /** It needs what a page has not; elsewhere it is left out. */
  readonly only?: "node";
  /** Undefined where the machine has not what the bench needs. */
  run(host: Host): Promise<Result | undefined>;
}

export interface Host {
  readonly name: "node" | "chromium";
  readonly cores: number;
  /** Few operations and rounds: function, not time. */
  readonly smoke: boolean;
  /** A file of the project, e.g. "build/floor.wasm". */
  bytes(path: string): Promise<Uint8Array<ArrayBuffer>>;
  /** Starts a worker. `entry` is a file of bench/workers without its ending. Resolves when the worker has said that it is up. */
  spawn(entry: string): Promise<Peer>;
  /** Runs a program of bench/native: its samples by name. Only in Node, and undefined where there is no C compiler. */
  native?: (program: string, args: string[]) => Promise<Record<string, number[]>> | undefined;
  /** Runs bench/programs/NAME.mjs in a process of its own: the numbers that it prints. Only in Node. */
  program?: (name: string) => Promise<Record<string, number>>;
}

/** The other side of a worker: messages arrive in order, none is lost while nobody asks for it. */
export interface Peer {
  post(message: unknown, transfer?: Transferable[]): void;
  /** The next message. Rejects when the worker has failed or ended. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- what it is, the two sides of a bench know
  next(): Promise<any>;
  /** Ends the worker. */
  end(): Promise<void>;
  /** The host's Worker, for libraries that want one. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- a Worker of either host
  readonly raw: any;
}

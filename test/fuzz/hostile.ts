// SPDX-License-Identifier: GPL-2.0-only
//
// Hostile numbers: every export of the compiled core that takes IDs, handles, requests, lengths or addresses is called with
// arbitrary 32- and 64-bit values, past the bindings and their checks.
//
// Invariants: nothing traps; a refused call changes nothing (the statistics and all objects are as before); what succeeds by
// chance is undone, and then nothing has changed either. File addresses, types and the phases of files are trusted by contract
// and stay real; so are the names in the window.

import { Errno, Iommufd, type IommufdContext } from "iommufd-wasm";
import type { Abi } from "../reference/objects.ts";
import { Random } from "../support/random.ts";

/** What the core answers besides values ≥ 0 and -errno: assembly/core/results.ts. */
const MUST_WAIT = -0x10001;
const MUST_DESTROY = -0x10002;
const MUST_EXECUTE = -0x10003;
const MUST_REFILL = -0x10004;
/** In an answer of `get`: getConfirm must decide. */
const HANDLE_UNCONFIRMED = 1 << 30;

const EDGES = [0, 1, 2, 3, 4, 7, 8, 0x7f, 0x80, 0xff, 0x100, 0x3ff, 0x400, 0xfff, 0x1000, 0x1001, 0xffff, 0x10000];
const WORDS = [...EDGES, ...[2 ** 30, 2 ** 31].flatMap((at) => [at - 1, at, at + 1]), 2 ** 32 - 1, 2 ** 32 - 4096];
const LONGS = [0n, 1n, 4095n, 4096n, 0x7fff_ffff_efffn, 0x7fff_ffff_f000n, 2n ** 47n, 2n ** 63n, 2n ** 64n - 1n];

type Exports = Record<string, (...values: (number | bigint)[]) => number>;

export interface HostileResult {
  calls: number;
  seed: number;
  failure: string | undefined;
}

/** Makes `calls` calls on one machine. */
export async function callHostilely(abi: Abi, seed: number, calls: number): Promise<HostileResult> {
  const scene = new Scene(await Iommufd.create({ abi, memoryBytes: 8 * 1024 * 1024 }), new Random(seed));
  const before = scene.state();
  for (let call = 0; call < calls; call++) {
    let what: string;
    try {
      what = scene.call();
    } catch (error) {
      return { calls: call, seed, failure: `seed ${seed}, call ${call}: ${scene.last} threw ${String(error)}` };
    }
    // Looking costs more than calling: after each call that was not plainly refused, and now and then.
    if (what !== "refused" || call % 64 === 0) {
      const after = scene.state();
      if (after !== before) {
        return {
          calls: call,
          seed,
          failure: `seed ${seed}, call ${call}: ${scene.last} changed\n${before}\nto\n${after}`,
        };
      }
    }
  }
  scene.end();
  return { calls, seed, failure: undefined };
}

/** A machine with something in it: two files, published, locked, reserved and held objects, mappings, commands. */
class Scene {
  last = "";
  readonly #random: Random;
  readonly #iommufd: Iommufd;
  readonly #context: IommufdContext;
  readonly #core: Exports;
  /** Addresses of the open files, and what their opener expects of their state. */
  readonly #file: number;
  readonly #expected: number;
  readonly #other: number;
  readonly #handles: number[] = [];
  readonly #va: bigint;
  readonly #type: number;

  constructor(iommufd: Iommufd, random: Random) {
    this.#random = random;
    this.#iommufd = iommufd;
    const { module, memory } = iommufd.share;
    this.#core = new WebAssembly.Instance(module, { env: { memory } }).exports as Exports;
    if (this.#on("attachThread", 0) === 0) throw new Error("no thread slot");
    this.#context = iommufd.open();
    const type = iommufd.defineObjectType({ name: "plain", payloadBytes: 8 });
    this.#type = type.number;
    iommufd.defineIoctl({ name: "FUZZ", nr: 0xa0, fields: { word: "u32" }, execute: () => 0 });
    const target = this.#context.alloc(type).finalize();
    const lock = this.#context.get(target);
    const holder = this.#context.alloc(type);
    holder.hold(lock);
    holder.finalize();
    this.#context.alloc(type); // stays reserved, as the other thread's
    this.#file = this.#on("fileByNumber", this.#context.fd);
    this.#other = this.#on("open");
    this.#expected = this.#stateOf(this.#file);
    for (let n = 0; n < 3; n++) this.#handles.push(this.#on("alloc", this.#file, this.#expected, this.#type));
    for (let n = 0; n < 3; n++) this.#handles.push(this.#on("get", this.#file, this.#expected, target));
    this.#va = iommufd.userSpace.map(4096 * 2).va;
    const own = { name: "MINE", nr: 0xa1, fields: { word: "u32" }, execute: () => 0 } as const;
    iommufd.defineIoctl(own);
  }

  /** The first word of a file's row is its state. */
  #stateOf(file: number): number {
    return new Int32Array(this.#iommufd.share.memory.buffer)[file >> 2] ?? 0;
  }

  #on(name: string, ...values: (number | bigint)[]): number {
    const call = this.#core[name];
    if (call === undefined) throw new Error(`the core has no export ${name}`);
    this.last = `${name}(${values.join(", ")})`;
    return call(...values);
  }

  state(): string {
    const { bytes, ...stats } = this.#iommufd.stats();
    const objects = this.#context.objects().map(({ id, state, users, holders, references }) => {
      return [id, state, users, holders, ...references].join(" ");
    });
    return JSON.stringify([bytes.total, stats, objects]);
  }

  end(): void {
    this.#iommufd.detach();
  }

  // -------------------------------------------------------------------------------------------------- numbers

  #number(): number {
    const random = this.#random;
    const value = random.pick([
      random.pick(WORDS),
      random.next(),
      random.next() >>> random.below(32),
      -random.below(9),
    ]);
    return random.oneIn(6) ? random.pick([...this.#handles, 1, 2, 3]) ^ (1 << random.below(31)) : value;
  }

  #handle(): number {
    const value = this.#number();
    // Its own handles would succeed and use the scene up.
    return this.#handles.includes(value | 0) ? 0 : value;
  }

  #id(): number {
    const value = this.#number();
    return value >>> 0 <= 8 ? value + 100 : value;
  }

  #long(): bigint {
    const random = this.#random;
    const bits = (BigInt(random.next()) << 32n) | BigInt(random.next());
    return random.pick([
      random.pick(LONGS),
      bits,
      bits >> BigInt(random.below(64)),
      this.#va + BigInt(random.below(9000)),
    ]);
  }

  // -------------------------------------------------------------------------------------------------- calls

  /** One call. Returns "refused", or what was undone. */
  call(): string {
    const random = this.#random;
    const file = random.oneIn(8) ? this.#other : this.#file;
    const expected = random.oneIn(8) ? this.#number() : this.#expected;
    const kind = random.pick(CALLS);
    switch (kind) {
      case "fileByNumber":
        this.#on(kind, this.#number());
        return "looked";
      case "finalize":
      case "abort":
      case "putSlowly":
      case "putKeepUser":
      case "dropUser":
      case "destroyPoll":
      case "destroyCancel":
      case "destroyFinish":
        return this.#refused(this.#on(kind, file, this.#handle()));
      case "put":
        return this.#refused(this.#on(kind, file, this.#handle()) === 1 ? -Errno.EINVAL : 0);
      case "describe":
        this.#on(kind, file, this.#number());
        return "looked";
      case "destroyWait":
        return this.#refused(this.#on(kind, file, this.#handle(), 0));
      case "hold":
        return this.#refused(this.#on(kind, file, this.#handle(), random.pick([this.#handle(), ...this.#handles])));
      case "dropReference":
        return this.#refused(this.#on(kind, file, expected, this.#number(), this.#serial()));
      case "holdReference":
        return this.#refused(this.#on(kind, file, this.#number(), this.#number(), this.#serial()));
      case "destroyReference":
        return this.#refused(this.#on(kind, file, expected, this.#number(), this.#serial(), random.below(2)));
      case "get":
      case "getTyped":
      case "getSlowly":
        return this.#get(kind, file, expected);
      case "destroy":
        return this.#refused(this.#on(kind, file, expected, this.#id(), random.below(2)));
      case "inspect":
        this.#on(kind, file, expected, this.#number(), random.below(2), this.#number());
        return "looked";
      case "inspectRanges":
        this.#on(kind, file, expected, this.#number(), this.#number(), this.#long(), this.#number());
        return "looked";
      case "ioctlWindow":
        return this.#ioctl(file, this.#on(kind, file, expected, this.#number(), this.#number(), 0));
      case "ioctlUser":
        return this.#ioctl(file, this.#on(kind, file, expected, this.#request(), this.#long(), 0));
      case "map":
        return this.#map();
      case "protect":
        return this.#protect();
      case "unmap": {
        const va = this.#long();
        return va === this.#va ? "skipped" : this.#refused(this.#on(kind, va));
      }
      case "readUser":
      case "writeUser":
        this.#on(kind, this.#long(), this.#number());
        return "copied";
      case "defineCommand":
        // Numbers above the table only: a row in it would stay.
        return this.#refused(this.#on(kind, 0x100 + (this.#number() >>> 1), ...[0, 0, 0, 0].map(() => this.#number())));
    }
  }

  #serial(): number {
    return this.#random.pick([-1, 0.5, 2 ** 53, NaN, Infinity, 1e300, -0.5, 2 ** 40 + this.#random.below(9)]);
  }

  #request(): number {
    return this.#random.oneIn(2) ? 0x3b00 | this.#random.below(256) : this.#number();
  }

  #refused(result: number): string {
    if (result >= 0 || !KNOWN.has(result)) throw new Error(`answered ${result}`);
    return "refused";
  }

  #get(kind: "get" | "getTyped" | "getSlowly", file: number, expected: number): string {
    const type = this.#random.pick([this.#type, this.#type, 0]);
    const id = this.#number();
    let handle = kind === "get" ? this.#on(kind, file, expected, id) : this.#on(kind, file, expected, id, type);
    if (handle > 0 && (handle & HANDLE_UNCONFIRMED) !== 0) {
      handle = this.#on("getConfirm", file, expected, handle & ~HANDLE_UNCONFIRMED);
    }
    if (handle <= 0) return "refused";
    if (this.#on("putSlowly", file, handle) !== 0) throw new Error("a lock cannot be given back");
    return "undone";
  }

  #ioctl(file: number, result: number): string {
    if (result === MUST_EXECUTE) this.#on("ioctlEnd", file);
    else if (result === MUST_REFILL) while (this.#on("ioctlTail", 2 ** 31, 2 ** 32 - 1, 2 ** 31) === MUST_REFILL);
    else if (result === MUST_WAIT || result === MUST_DESTROY) throw new Error(`answered ${result}`);
    return result < 0 && KNOWN.has(result) ? "refused" : "undone";
  }

  #map(): string {
    const [va, length] = [this.#long(), this.#long()];
    const row = this.#on("map", va, length, this.#number());
    if (row < 0) return this.#refused(row);
    const at = this.#rowVa(row);
    if (this.#on("unmap", at) !== 0) throw new Error("what was mapped cannot be unmapped");
    return "undone";
  }

  #rowVa(row: number): bigint {
    return BigInt.asUintN(64, new BigInt64Array(this.#iommufd.share.memory.buffer, row, 1)[0] ?? 0n);
  }

  #protect(): string {
    const result = this.#on("protect", this.#long(), this.#long(), this.#number());
    if (result < 0) return this.#refused(result);
    this.#on("protect", this.#va, 8192n, 3);
    return "undone";
  }
}

const KNOWN = new Set(Object.values(Errno).map((errno) => -errno));

const CALLS = [
  ...([
    "fileByNumber",
    "finalize",
    "abort",
    "put",
    "putSlowly",
    "putKeepUser",
    "dropUser",
    "describe",
    "hold",
  ] as const),
  ...(["destroy", "destroyPoll", "destroyWait", "destroyCancel", "destroyFinish"] as const),
  ...([
    "dropReference",
    "holdReference",
    "destroyReference",
    "get",
    "getTyped",
    "getSlowly",
    "inspect",
    "inspectRanges",
  ] as const),
  ...(["ioctlWindow", "ioctlUser", "ioctlUser", "map", "protect", "unmap", "readUser", "writeUser"] as const),
  "defineCommand" as const,
];

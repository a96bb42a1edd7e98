// SPDX-License-Identifier: GPL-2.0-only
//
// The instrumented module in as many instances as there are threads, on one memory, in one JavaScript thread.
//
//   0 ┌───────────────────────┐
//     │ the core's memory     │ `bytes`, what init() gets
//     ├───────────────────────┤
//     │ suspended stacks      │ STACK_BYTES for each thread, written by asyncify only
//     └───────────────────────┘
//
// The memory after set-up is kept; restore() brings it back by copying the lines that were written since.

const PAGE = 65536;
const STACK_BYTES = 16384;
const LINE_SHIFT = 6;

export const MAX_THREADS = 6;

/** What an instance calls; `thread` is the number of the instance. */
export interface Hooks {
  point(thread: number, kind: number, address: number, aLow: number, aHigh: number, bLow: number, bHigh: number): void;
  range(thread: number, kind: number, address: number, bytes: number): void;
  load(thread: number, address: number, bytes: number): void;
  store(thread: number, address: number, bytes: number): void;
}

type Export = (...args: unknown[]) => unknown;

export interface Instance {
  readonly exports: Record<string, Export>;
  readonly startUnwind: (stack: number) => void;
  readonly stopUnwind: () => void;
  readonly startRewind: (stack: number) => void;
  readonly stopRewind: () => void;
  /** Address of the asyncify stack's descriptor. */
  readonly stack: number;
  readonly self: WebAssembly.Global | undefined;
  keptSelf: number;
}

export class Machine {
  readonly bytes: number;
  readonly allBytes: number;
  readonly u8: Uint8Array;
  readonly u32: Uint32Array;
  readonly instances: Instance[] = [];
  #kept: Uint32Array;
  readonly #dirty: Uint8Array;
  readonly #dirtyLines: Int32Array;
  #dirtyCount = 0;

  constructor(module: WebAssembly.Module, pages: number, hooks: Hooks) {
    const stackPages = Math.ceil((MAX_THREADS * STACK_BYTES) / PAGE);
    this.bytes = pages * PAGE;
    this.allBytes = this.bytes + stackPages * PAGE;
    const memory = new WebAssembly.Memory({ initial: pages + stackPages, maximum: 32768, shared: true });
    this.u8 = new Uint8Array(memory.buffer);
    this.u32 = new Uint32Array(memory.buffer);
    this.#kept = new Uint32Array(0);
    this.#dirty = new Uint8Array(this.bytes >> LINE_SHIFT);
    this.#dirtyLines = new Int32Array(this.bytes >> LINE_SHIFT);
    for (let thread = 0; thread < MAX_THREADS; thread++)
      this.instances.push(this.#instantiate(module, memory, thread, hooks));
  }

  #instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory, thread: number, hooks: Hooks): Instance {
    const env = {
      memory,
      point: (kind: number, address: number, aLow: number, aHigh: number, bLow: number, bHigh: number) =>
        hooks.point(thread, kind, address >>> 0, aLow, aHigh, bLow, bHigh),
      range: (kind: number, address: number, bytes: number) => hooks.range(thread, kind, address >>> 0, bytes >>> 0),
      load_ptr: (_id: number, bytes: number, offset: number, address: number) => {
        hooks.load(thread, (address >>> 0) + offset, bytes);
        return address;
      },
      store_ptr: (_id: number, bytes: number, offset: number, address: number) => {
        hooks.store(thread, (address >>> 0) + offset, bytes);
        return address;
      },
      abort: () => {
        throw new WebAssembly.RuntimeError("abort");
      },
    };
    const exports = new WebAssembly.Instance(module, { env }).exports as Record<string, Export>;
    return {
      exports,
      startUnwind: exports["asyncify_start_unwind"] as (stack: number) => void,
      stopUnwind: exports["asyncify_stop_unwind"] as () => void,
      startRewind: exports["asyncify_start_rewind"] as (stack: number) => void,
      stopRewind: exports["asyncify_stop_rewind"] as () => void,
      stack: this.bytes + thread * STACK_BYTES,
      self: exports["self"] as unknown as WebAssembly.Global | undefined,
      keptSelf: 0,
    };
  }

  /** Before a suspension: the stack of that thread is empty. */
  resetStack(instance: Instance): void {
    this.u32[instance.stack >> 2] = instance.stack + 8;
    this.u32[(instance.stack >> 2) + 1] = instance.stack + STACK_BYTES;
  }

  /** The state that restore() brings back. */
  keep(): void {
    this.#kept = this.u32.slice(0, this.bytes >> 2);
    this.#dirty.fill(0);
    this.#dirtyCount = 0;
    for (const instance of this.instances) instance.keptSelf = (instance.self?.value as number | undefined) ?? 0;
  }

  /** To be called for every write, before or after it. */
  touch(address: number, bytes: number): void {
    const last = (address + bytes - 1) >> LINE_SHIFT;
    for (let line = address >> LINE_SHIFT; line <= last; line++) {
      if (this.#dirty[line] !== 0) continue;
      this.#dirty[line] = 1;
      this.#dirtyLines[this.#dirtyCount++] = line;
    }
  }

  restore(): void {
    const words = 1 << (LINE_SHIFT - 2);
    for (let index = 0; index < this.#dirtyCount; index++) {
      const line = this.#dirtyLines[index]!;
      this.#dirty[line] = 0;
      const from = line << (LINE_SHIFT - 2);
      for (let word = from; word < from + words; word++) this.u32[word] = this.#kept[word]!;
    }
    this.#dirtyCount = 0;
    for (const instance of this.instances) {
      if (instance.self && instance.self.value !== instance.keptSelf) instance.self.value = instance.keptSelf;
    }
  }

  u64(address: number): bigint {
    return (BigInt(this.u32[(address >> 2) + 1]!) << 32n) | BigInt(this.u32[address >> 2]!);
  }
}

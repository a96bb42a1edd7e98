// SPDX-License-Identifier: GPL-2.0-only
/**
 * Rival (f): the floor. Bare Wasm exports (assembly/bench/floor.ts) that do the unavoidable operation and nothing else.
 *
 * A floor has no checks and no results worth having; it says what a call from JavaScript, an atomic operation and a cache miss
 * cost on this machine at this moment.
 */
import type { Host } from "../harness/bench.ts";

export interface Floor {
  readonly memory: WebAssembly.Memory;
  /** Atomic + 1 of the word at the address; its value before. */
  readonly increment: (address: number) => number;
  readonly decrement: (address: number) => number;
  /** `increment` of the word whose number stands at `index`: words lie 16 bytes apart from `words` on. */
  readonly incrementThrough: (index: number, words: number) => number;
  readonly decrementThrough: (index: number, words: number) => number;
  readonly copyBytes: (to: number, from: number, length: number) => void;
}

/** Bytes from one word to the next, as in the ID table. */
export const STRIDE = 16;
const PAGE = 65_536;

/** An instance on a memory of its own. */
export async function loadFloor(host: Host, bytes: number): Promise<Floor> {
  return attachFloor(await compileFloor(host), floorMemory(bytes));
}

/** The compiled module: post it to a worker with the memory. */
export async function compileFloor(host: Host): Promise<WebAssembly.Module> {
  return WebAssembly.compile(await host.bytes("build/floor.wasm"));
}

export function floorMemory(bytes: number): WebAssembly.Memory {
  const pages = Math.ceil(bytes / PAGE);
  return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
}

export function attachFloor(module: WebAssembly.Module, memory: WebAssembly.Memory): Floor {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  return { ...(exports as unknown as Omit<Floor, "memory">), memory };
}

/** `operations` pairs of increment and decrement; word after word where `mask` is not 0. */
export function floorPairs(floor: Floor, operations: number, mask: number): number {
  const { increment, decrement } = floor;
  let sum = 0;
  for (let index = 0; index < operations; index++) {
    const word = (index & mask) * 16;
    sum += increment(word);
    decrement(word);
  }
  return sum + operations; // each word was 0
}

// SPDX-License-Identifier: GPL-2.0-only
/**
 * A module without the core, for tests of the explorer itself (test/node/model-engine.test.ts): single operations on any address.
 */
import { load32, modelAlloc, modelFree, pause, store32 } from "../core/atomics";

export {
  add32,
  compareExchange32,
  exchange32,
  load32,
  load64,
  loadRelaxed32,
  notify,
  pause,
  store32,
  store64,
  storeRelaxed32,
  wait32,
} from "../core/atomics";

export function plainLoad(address: usize): u32 {
  return load<u32>(address);
}
export function plainStore(address: usize, value: u32): void {
  store<u32>(address, value);
}
/** Two plain writes and an atomic one: three points of death. */
export function publish(data: usize, flag: usize): void {
  store<u32>(data, 1);
  store<u32>(data + 4, 2);
  store32(flag, 1);
}
export function allocRange(address: usize, bytes: usize): void {
  modelAlloc(address, bytes);
}
export function freeRange(address: usize, bytes: usize): void {
  modelFree(address, bytes);
}
/** Reads a word, lets the other thread go on until it sets the flag to 2, and reads the word again. */
export function readTwice(address: usize, flag: usize): u32 {
  const before = load<u32>(address);
  store32(flag, 1);
  pause(flag, 1);
  load32(flag);
  return before + load<u32>(address);
}

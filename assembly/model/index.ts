// SPDX-License-Identifier: GPL-2.0-only
/**
 * Entry of core.model.wasm: the core's exports and constants, and what models call directly besides.
 *
 * Only the model build has the latter. Addresses are trusted: models name words that they own.
 */
import { add32, load32, notify, pause, store32, wait32 } from "../core/atomics";
import { PAGES, PageState } from "../core/memory-map";
import { RANK_PAGE, lock, unlock } from "../core/mutex";

export * from "../core/index";
export * from "../core/layout";
export * from "./evidence";
export * from "./spaces";
export * from "./state-word";
export { allocPages, freePages } from "../core/page-alloc";
export { slabAlloc, slabFree } from "../core/slab";
export { memfdGet, memfdHold, memfdPut } from "../core/memfd";
export { dropPin, keepPin, pinIn, unpin } from "../core/gup";
export { chargeMm, chargeUser, dropSource, holdSource, unchargeMm, unchargeUser } from "../core/process";

/** A word of the identity page that nothing else uses, for models of a lock. */
export function pageLock(): usize {
  return PAGES + offsetof<PageState>("lock");
}

export function lockPage(): void {
  lock(PAGES + offsetof<PageState>("lock"), RANK_PAGE);
}

export function unlockPage(): void {
  unlock(PAGES + offsetof<PageState>("lock"), RANK_PAGE);
}

/** A plain word of the page state, which the page lock protects: one more. Return: the value before. */
export function countUnderLock(): u32 {
  const state = changetype<PageState>(PAGES);
  return state.used++;
}

export function modelLoad(address: usize): u32 {
  return load32(address);
}
export function modelStore(address: usize, value: u32): void {
  store32(address, value);
}
export function modelAdd(address: usize, value: u32): u32 {
  return add32(address, value);
}
export function modelPause(address: usize, seen: u32): void {
  pause(address, seen);
}
export function modelWait(address: usize, expected: u32, nanoseconds: i64): void {
  wait32(address, expected, nanoseconds);
}
export function modelNotify(address: usize, count: i32): void {
  notify(address, count);
}

// SPDX-License-Identifier: GPL-2.0-only
/**
 * Fault injection: the places where something may run out or a user copy may fail, and a switch that makes one of them do so.
 *
 * Each place asks `mayFail` right before it takes what it needs, so an injected failure is exactly what the place would see
 * if there were nothing left. Two words say what happens: `countdown` n makes the n-th question from now on answer yes,
 * once; `attempts` counts the questions. `site` tells which kind of place it was, hence which error the call must give.
 *
 * Only a build with the switch FAULTS asks: elsewhere the question is the constant false, and nothing of it is compiled.
 * Words without locks: one thread at a time uses such a build.
 *
 * Kernel counterpart: CONFIG_FAIL_SLAB, CONFIG_FAIL_PAGE_ALLOC, CONFIG_FAULT_INJECTION_USERCOPY; iommufd_should_fail().
 */
import { FAULTS_STATE, Faults, PAGE_SIZE } from "./memory-map";

/** Places that may fail ask, and lookups always take their slow form, the one that asks. */
// @ts-ignore: a decorator on a constant
@inline export const FAULTS_BUILD: bool = isDefined(FAULTS);

/** Whether the place that asks must fail now. */
// @ts-ignore: a decorator on a function
@inline export function mayFail(site: u32): bool {
  return FAULTS_BUILD && isDue(site);
}

function isDue(site: u32): bool {
  const faults = changetype<Faults>(FAULTS_STATE);
  faults.attempts++;
  if (faults.countdown == 0 || --faults.countdown != 0) return false;
  faults.site = site;
  return true;
}

/** How far one step of a copy may go: a page at a time where it may fail in between, else as far as it can. */
// @ts-ignore: a decorator on a function
@inline export function copyStep(va: u64, length: u64): u64 {
  return FAULTS_BUILD ? min(length, PAGE_SIZE - (va & (PAGE_SIZE - 1))) : length;
}

// SPDX-License-Identifier: GPL-2.0-only
/**
 * Build switches and the sizes that a build may shrink.
 *
 * Four builds come from these sources: release, debug (`--use DEBUG=1`: every stated invariant is asserted), small
 * (`--use SMALL=1`: the fields of the state word are a few bits wide, so that saturation, overflow and the wrap of a
 * generation happen within a test instead of after billions of calls) and model (`--use MODEL=1`, with the other two: each
 * atomic operation reports to the explorer in test/model, tables are tiny, nobody spins). Nothing else tells the builds apart.
 */

/** Assertions and the lock-order check are compiled in. */
// @ts-ignore: a decorator on a constant
@inline export const DEBUG_BUILD: bool = isDefined(DEBUG);

/** Fields of the state word (refcount.ts) are as narrow as they can be. */
// @ts-ignore: a decorator on a constant
@inline export const SMALL_BUILD: bool = isDefined(SMALL);

/** Atomic operations are scheduling points of test/model (atomics.ts). */
// @ts-ignore: a decorator on a constant
@inline export const MODEL_BUILD: bool = isDefined(MODEL);

/**
 * A broken invariant stops a debug build at once; a release build does not look. Carries no text: no data segment. A condition that
 * reads memory belongs under `if (DEBUG_BUILD)`: the compiler keeps the read.
 */
// @ts-ignore: a decorator on a function
@inline export function assertInvariant(condition: bool): void {
  if (DEBUG_BUILD && !condition) unreachable();
}

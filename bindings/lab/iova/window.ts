// SPDX-License-Identifier: GPL-2.0-only
//
// Which part of the IOVA space is in sight: moved, zoomed, and turned into pixels and back.
//
// Vocabulary: `first` is the first IOVA in sight and `last` the inclusive last one; `span` is their number. All of it is exact, since 2^64
// does not fit into a number; only what goes to the screen is rounded, relative to `first`, so 4 KiB anywhere in the space are 4 KiB.
//
// Invariant: LEAST_SPAN ≤ span ≤ 2^64, and first + span ≤ 2^64.

/** IOVAs of the whole space. */
export const SPACE = 2n ** 64n;
/** The last IOVA. */
export const LAST_IOVA = SPACE - 1n;
/** Fewest IOVAs in sight. */
export const LEAST_SPAN = 64n;
/** Fewest IOVAs in sight when areas are fitted in: a page is seen with what is around it. */
const LEAST_FIT = 0x1_0000n;
/** Fractions of a window, as whole numbers of so many parts. */
const PARTS = 2 ** 32;

/** What is in sight. */
export interface IovaWindow {
  readonly first: bigint;
  readonly span: bigint;
}

/** All of it. */
export const WHOLE: IovaWindow = { first: 0n, span: SPACE };

/** The inclusive last IOVA in sight. */
export function lastOf({ first, span }: IovaWindow): bigint {
  return first + span - 1n;
}

/** The nearest window that there is. */
export function clamped(first: bigint, span: bigint): IovaWindow {
  const width = span < LEAST_SPAN ? LEAST_SPAN : span > SPACE ? SPACE : span;
  const most = SPACE - width;
  return { first: first < 0n ? 0n : first > most ? most : first, span: width };
}

/** That part of the window, from 0 at its beginning to 1 at its end, in IOVAs. */
function part(span: bigint, fraction: number): bigint {
  return (span * BigInt(Math.round(fraction * PARTS))) / BigInt(PARTS);
}

/** Moved by a part of its width: positive towards higher IOVAs. */
export function moved(window: IovaWindow, fraction: number): IovaWindow {
  return clamped(window.first + part(window.span, fraction), window.span);
}

/**
 * Zoomed, so that the IOVA at `fraction` of the width stays there.
 *
 * @param factor > 1 shows more, < 1 less
 */
export function zoomed(window: IovaWindow, factor: number, fraction = 0.5): IovaWindow {
  const wanted = part(window.span, factor);
  const span = clamped(0n, wanted).span;
  return clamped(window.first + part(window.span, fraction) - part(span, fraction), span);
}

/** A range with some room on both sides, and never less than LEAST_FIT. */
export function fitted(first: bigint, last: bigint): IovaWindow {
  const length = last - first + 1n;
  const wanted = length + length / 4n;
  const span = wanted < LEAST_FIT ? LEAST_FIT : wanted;
  return clamped(first - (span - length) / 2n, span);
}

/** Whether the window has that IOVA. */
export function shows({ first, span }: IovaWindow, iova: bigint): boolean {
  return iova >= first && iova < first + span;
}

/** Where an IOVA is: 0 at the window's beginning, 1 at its end; beyond these outside. */
export function fractionOf({ first, span }: IovaWindow, iova: bigint): number {
  return Number(iova - first) / Number(span);
}

/** The IOVA at a part of the width. */
export function iovaAt(window: IovaWindow, fraction: number): bigint {
  const iova = window.first + part(window.span, Math.min(Math.max(fraction, 0), 1));
  const last = lastOf(window);
  return iova > last ? last : iova;
}

/** Where lines of the scale stand: powers of two apart, at least `least` of the width. */
export function ticks(window: IovaWindow, least: number): bigint[] {
  const wanted = part(window.span, Math.min(least, 1));
  let step = 1n;
  while (step < wanted) step *= 2n;
  const found: bigint[] = [];
  const end = window.first + window.span;
  for (let at = ((window.first + step - 1n) / step) * step; at < end; at += step) found.push(at);
  return found;
}

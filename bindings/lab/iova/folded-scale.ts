// SPDX-License-Identifier: GPL-2.0-only
//
// The whole space on some hundred pixels: holes are folded, and what lies between them is drawn by the logarithm of its length, so one page in
// 2^64 has a place that can be seen and hit.
//
// Invariant: the segments follow each other from IOVA 0 to the last one; so do their places, from 0 to 1.

import { LAST_IOVA } from "./window.js";

/** A part of the space with one scale. */
export interface Segment {
  readonly kind: "areas" | "hole";
  readonly start: bigint;
  readonly last: bigint;
  /** Where it begins and ends: 0 … 1. */
  readonly from: number;
  readonly to: number;
}

const PAGE = 4096;
/** Least width of a segment, and how much a doubling of its length adds. */
const AREAS = { least: 1, doubling: 1 / 8 };
const HOLE = { least: 0.6, doubling: 1 / 40 };

/**
 * The scale.
 *
 * @param extent From the first area's first IOVA to the last one's last; undefined: there are no areas.
 * @param holes Those that are folded, ascending, within the extent.
 */
export function foldedScale(
  extent: { readonly start: bigint; readonly last: bigint } | undefined,
  holes: readonly { readonly start: bigint; readonly last: bigint }[],
): Segment[] {
  const parts: { kind: Segment["kind"]; start: bigint; last: bigint; weight: number }[] = [];
  const add = (kind: Segment["kind"], start: bigint, last: bigint): void => {
    if (last < start) return;
    const { least, doubling } = kind === "areas" ? AREAS : HOLE;
    parts.push({ kind, start, last, weight: least + doubling * Math.log2(1 + Number(last - start + 1n) / PAGE) });
  };
  let next = 0n;
  if (extent !== undefined) {
    add("hole", 0n, extent.start - 1n);
    next = extent.start;
    for (const { start, last } of holes) {
      add("areas", next, start - 1n);
      add("hole", start, last);
      next = last + 1n;
    }
    add("areas", next, extent.last);
    next = extent.last + 1n;
  }
  add("hole", next, LAST_IOVA);
  const whole = parts.reduce((sum, { weight }) => sum + weight, 0);
  let sum = 0;
  return parts.map(({ kind, start, last, weight }) => {
    const from = sum / whole;
    sum += weight;
    return { kind, start, last, from, to: sum / whole };
  });
}

/** Where an IOVA is, 0 … 1. */
export function placeOf(scale: readonly Segment[], iova: bigint): number {
  const segment = scale.find(({ last }) => iova <= last);
  if (segment === undefined) return 1;
  const { start, last, from, to } = segment;
  return from + ((to - from) * Number(iova - start)) / Number(last - start + 1n);
}

/** What is at a place. */
export function segmentAt(scale: readonly Segment[], place: number): Segment | undefined {
  return scale.find(({ to }) => place < to) ?? scale.at(-1);
}

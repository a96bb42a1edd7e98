// SPDX-License-Identifier: GPL-2.0-only
//
// How boxes come, go and move, one after the other, so that none ever lies on another one:
//
//   1  what vanished fades where it was; the next arrangement is not asked for before that is over (layout-queue.ts)
//   2  what was there already glides to its new place; who would touch another box on the way is there at once
//   3  what is new appears in its place, when all others have arrived
//
// All boxes that glide set out together and have gone the same share of their way at any time, so whether two of them meet is a matter
// of two straight lines, known before they set out.

import type { Place, Size } from "./arrange.js";

/** How long boxes glide, in milliseconds. */
export const MOVE_MS = 240;
/** How long a box appears or fades, in milliseconds. */
export const FADE_MS = 160;

/** From where to where; the same place for a box that stays. Places are middles of boxes. */
export interface Way {
  readonly from: Place;
  readonly to: Place;
}

/** Whether the reader's system asks for no motion. */
export function isMotionReduced(): boolean {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/** For each way, whether a box of that size may glide along it: nobody touches it then, wherever all boxes are on their ways. */
export function freeWays(ways: readonly Way[], size: Size): boolean[] {
  const taken = [...ways];
  // Who may not glide is where he goes from the start, and may be in the way of others there.
  for (let settled = false; !settled;) {
    settled = true;
    for (let a = 0; a < taken.length; a++) {
      for (let b = 0; b < a; b++) {
        if (!meet(taken[a], taken[b], size)) continue;
        for (const index of [a, b]) {
          const way = taken[index];
          if (way === undefined || !isMove(way)) continue;
          taken[index] = { from: way.to, to: way.to };
          settled = false;
        }
      }
    }
  }
  return taken.map((way, index) => way === ways[index]);
}

/** Whether two boxes of that size that take these ways at the same time ever overlap. */
export function meet(a: Way | undefined, b: Way | undefined, { width, height }: Size): boolean {
  if (a === undefined || b === undefined) return false;
  const [left, right] = closerThan(width, a.from.x - b.from.x, a.to.x - b.to.x);
  const [top, bottom] = closerThan(height, a.from.y - b.from.y, a.to.y - b.to.y);
  return Math.max(left, top) < Math.min(right, bottom);
}

/** The share of the way between which a distance that changes evenly is less than `limit`; an empty span when it never is. */
function closerThan(limit: number, before: number, after: number): [from: number, to: number] {
  if (before === after) return Math.abs(before) < limit ? [0, 1] : [1, 0];
  const crossings = [(-limit - before) / (after - before), (limit - before) / (after - before)];
  return [Math.max(0, Math.min(...crossings)), Math.min(1, Math.max(...crossings))];
}

function isMove({ from, to }: Way): boolean {
  return from.x !== to.x || from.y !== to.y;
}

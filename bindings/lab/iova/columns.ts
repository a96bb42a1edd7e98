// SPDX-License-Identifier: GPL-2.0-only
//
// From areas to shapes: each area a box of its own where there are few in sight, otherwise what the areas of each pixel add up to.
//
// Shapes have a lane for each right, so rights can be told without colours, and one for the memory behind. Boxes are as wide as they are to
// scale, but never narrower than LEAST_WIDTH, so nothing that is mapped is out of sight.

import { type AreaStore, READ, SHARED, TRANSITION, WRITE } from "./area-store.js";
import { type IovaWindow, fractionOf, lastOf } from "./window.js";

/** Areas in sight that are drawn one by one. */
export const MOST_BOXES = 600;
/** Fewest pixels of a box. */
const LEAST_WIDTH = 2;
/** Boxes that wide have room between them. */
const SPACED_WIDTH = 5;
/** Shades of a pixel that is partly mapped. */
export const SHADES = 4;
/** Colours of shared memory. */
export const COLOURS = 4;

/** One area's box: pixels, from the left edge. */
export interface Box {
  readonly x: number;
  readonly width: number;
  readonly read: boolean;
  readonly write: boolean;
  readonly transition: boolean;
  /** 1 … COLOURS for shared memory; 0: only this area shows it. */
  readonly colour: number;
}

/** Pixels with one shade: 1 … SHADES. */
export interface Run {
  readonly x: number;
  readonly width: number;
  readonly shade: number;
}

/** What is drawn. */
export type Drawn =
  | { readonly kind: "boxes"; readonly count: number; readonly boxes: readonly Box[] }
  | { readonly kind: "sums"; readonly count: number; readonly read: readonly Run[]; readonly write: readonly Run[] };

/** The shapes of the areas in sight, on so many pixels. */
export function drawn(store: AreaStore, window: IovaWindow, width: number): Drawn {
  const from = store.indexFrom(window.first);
  const to = store.indexBehind(lastOf(window));
  const count = Math.max(to - from, 0);
  return count <= MOST_BOXES
    ? { kind: "boxes", count, boxes: boxes(store, window, width, from, to) }
    : { kind: "sums", count, ...sums(store, window, width, from) };
}

/** The colour of memory that several areas show: 1 … COLOURS. */
export function colourOf(pages: number): number {
  return ((Math.imul(pages, 0x9e37_79b1) >>> 8) % COLOURS) + 1;
}

function boxes(store: AreaStore, window: IovaWindow, width: number, from: number, to: number): Box[] {
  const found: Box[] = [];
  for (let index = from; index < to; index++) {
    const flags = store.flags[index] ?? 0;
    const left = Math.max(fractionOf(window, store.starts[index] ?? 0n), 0) * width;
    const right = Math.min(fractionOf(window, (store.lasts[index] ?? 0n) + 1n), 1) * width;
    const space = right - left >= SPACED_WIDTH ? 1 : 0;
    const wide = Math.max(right - left - space, LEAST_WIDTH);
    found.push({
      x: rounded(Math.min(left, width - wide)),
      width: rounded(wide),
      read: (flags & READ) !== 0,
      write: (flags & WRITE) !== 0,
      transition: (flags & TRANSITION) !== 0,
      colour: (flags & SHARED) === 0 ? 0 : colourOf(store.pages[index] ?? 0),
    });
  }
  return found;
}

/** For each pixel how much of it is mapped: from sums, so the number of areas costs nothing. */
function sums(store: AreaStore, window: IovaWindow, width: number, from: number): { read: Run[]; write: Run[] } {
  const read = new Runs();
  const write = new Runs();
  const columns = BigInt(width);
  let index = from;
  for (let x = 0; x < width; x++) {
    const first = window.first + (window.span * BigInt(x)) / columns;
    const last = window.first + (window.span * BigInt(x + 1)) / columns - 1n;
    if (index < store.count && (store.lasts[index] ?? 0n) < first) index = store.indexFrom(first);
    const behind = Math.max(store.indexBehind(last), index);
    const length = Number(last - first + 1n);
    read.add(x, shadeOf(covered(store, store.readable, READ, index, behind, first, last), length));
    write.add(x, shadeOf(covered(store, store.writable, WRITE, index, behind, first, last), length));
  }
  return { read: read.all, write: write.all };
}

/** IOVAs of first … last that have the right. */
function covered(
  store: AreaStore,
  total: BigUint64Array,
  right: number,
  from: number,
  to: number,
  first: bigint,
  last: bigint,
): number {
  if (to <= from) return 0;
  let sum = BigInt.asUintN(64, (total[to] ?? 0n) - (total[from] ?? 0n));
  const [start, end] = [store.starts[from] ?? 0n, store.lasts[to - 1] ?? 0n];
  if (start < first && ((store.flags[from] ?? 0) & right) !== 0) sum -= first - start;
  if (end > last && ((store.flags[to - 1] ?? 0) & right) !== 0) sum -= end - last;
  return Number(sum);
}

function shadeOf(covered: number, length: number): number {
  return covered === 0 ? 0 : Math.min(Math.max(Math.ceil((covered / length) * SHADES), 1), SHADES);
}

/** Neighbours of one shade are one run. */
class Runs {
  readonly all: Run[] = [];

  add(x: number, shade: number): void {
    if (shade === 0) return;
    const before = this.all.at(-1);
    if (before?.shade === shade && before.x + before.width === x) {
      this.all[this.all.length - 1] = { ...before, width: before.width + 1 };
    } else this.all.push({ x, width: 1, shade });
  }
}

function rounded(pixels: number): number {
  return Math.round(pixels * 100) / 100;
}

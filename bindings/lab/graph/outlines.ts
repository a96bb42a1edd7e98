// SPDX-License-Identifier: GPL-2.0-only
//
// The shapes of boxes, marks and arrows, as SVG paths around the box's centre.
//
//   live        round corners
//   reserved    round corners, dashed; mark: an open ring
//   destroying  cut corners; mark: a cross
//   leaked      square corners; mark: an exclamation mark
//   type        round corners, a second outline behind

import type { Size } from "./arrange.js";
import type { Card } from "./cards.js";

/** Outline of a box. */
export function outline(state: Card["state"], { width, height }: Size): string {
  const x = width / 2;
  const y = height / 2;
  if (state === "leaked") return `M${-x},${-y}H${x}V${y}H${-x}Z`;
  if (state === "destroying") {
    const cut = Math.min(12, y / 1.5);
    return `M${cut - x},${-y}H${x - cut}L${x},${cut - y}V${y - cut}L${x - cut},${y}H${cut - x}L${-x},${y - cut}V${cut - y}Z`;
  }
  const r = Math.min(10, y);
  const box = `M${r - x},${-y}H${x - r}a${r},${r} 0 0 1 ${r},${r}V${y - r}a${r},${r} 0 0 1 ${-r},${r}H${r - x}a${r},${r} 0 0 1 ${-r},${-r}V${r - y}a${r},${r} 0 0 1 ${r},${-r}Z`;
  return state === "type" ? `${box}M${8 - x},${y}v4H${x + 4}V${8 - y}h-4V${y}Z` : box;
}

/** Mark of a state, within five units around the origin; "" for none. */
export const MARKS: Readonly<Record<Card["state"], string>> = {
  live: "",
  type: "",
  reserved: "M-4,0a4,4 0 1 0 8,0a4,4 0 1 0 -8,0",
  destroying: "M-4,-4L4,4M4,-4L-4,4",
  leaked: "M0,-5V1.5M0,4V5",
};

/** A point of an arrow's line. */
interface Point {
  readonly x: number;
  readonly y: number;
}

const HEAD = { length: 7, half: 4 } as const;

/** An arrow from box to box, past the points in between: its line and its head. */
export function arrow(from: Point, to: Point, between: readonly Point[], box: Size): { line: string; head: string } {
  const down = to.y >= from.y ? 1 : -1;
  const start = { x: from.x, y: from.y + (down * box.height) / 2 };
  const tip = { x: to.x, y: to.y - (down * box.height) / 2 };
  const end = { x: tip.x, y: tip.y - down * HEAD.length };
  let line = `M${round(start.x)},${round(start.y)}`;
  let at: Point = start;
  for (const next of [...between, end]) {
    const middle = (at.y + next.y) / 2;
    line += `C${round(at.x)},${round(middle)} ${round(next.x)},${round(middle)} ${round(next.x)},${round(next.y)}`;
    at = next;
  }
  const head = `M${round(tip.x)},${round(tip.y)}l${-HEAD.half},${-down * HEAD.length}h${2 * HEAD.half}Z`;
  return { line, head };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

// SPDX-License-Identifier: GPL-2.0-only
//
// The part of the space that is in sight, as a ribbon: a scale, a lane for each right, one for the memory, and what is reserved or allowed.
//
// Shapes of one look are one path, so their number does not matter, and colours are the style sheet's.

import { type TemplateResult, html, nothing, svg } from "lit";
import type { AreaWatch, Range } from "./area-watch.js";
import { type Box, type Drawn, COLOURS, type Run, SHADES } from "./columns.js";
import { hex } from "./texts.js";
import { type IovaWindow, fractionOf, lastOf, shows, ticks } from "./window.js";

/** From the top, in pixels. */
const LANES = { read: { y: 24, height: 34 }, write: { y: 58, height: 34 }, memory: { y: 98, height: 12 } };
const ALLOWED = { y: 116, height: 5 };
/** Pixels of the whole ribbon. */
export const HEIGHT = 152;
const TEXT_Y = HEIGHT - 12;
const TICK_Y = HEIGHT - 26;
/** Pixels of a digit on the scale, and between two texts. */
const DIGIT = 7.4;
const GAP = 20;
/** Boxes narrower than that have a mark above, while there are few. */
const MARKED_WIDTH = 4;
const MOST_MARKS = 60;
/** Where the marks' points are. */
const MARK_Y = LANES.read.y - 4;

/** What the ribbon shows. */
export interface Ribbon {
  readonly watch: AreaWatch;
  readonly window: IovaWindow;
  /** Pixels. */
  readonly width: number;
  readonly drawn: Drawn;
  /** The range that is chosen. */
  readonly chosen: Range | undefined;
}

/** The picture. */
export function ribbonView({ watch, window, width, drawn, chosen }: Ribbon): TemplateResult {
  const { read, write, memory } = LANES;
  return html`<svg
    class="ribbon"
    width=${width}
    height=${HEIGHT}
    viewBox=${`0 0 ${width} ${HEIGHT}`}
    aria-hidden="true"
  >
    <defs>
      <pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
        <path class="hatch" d="M0,0V6"></path>
      </pattern>
    </defs>
    <rect class="lane" x="0" y=${read.y} width=${width} height=${read.height}></rect>
    <rect class="lane" x="0" y=${write.y} width=${width} height=${write.height}></rect>
    <rect class="lane" x="0" y=${memory.y} width=${width} height=${memory.height}></rect>
    <path class="reserved" d=${rangesPath(watch.reserved, window, width, read.y, read.height + write.height)}></path>
    ${drawn.kind === "boxes" ? boxesView(drawn.boxes) : sumsView(drawn.read, drawn.write)}
    <path class="allowed" d=${rangesPath(watch.allowed, window, width, ALLOWED.y, ALLOWED.height)}></path>
    ${chosen === undefined ? nothing : chosenView(chosen, window, width)} ${scaleView(window, width)}
  </svg>`;
}

/** The lanes' names, to be put beside the picture. */
export function laneNames(): TemplateResult {
  return html`<div class="lane-names" aria-hidden="true">
    ${Object.entries(LANES).map(
      ([name, { y, height }]) => html`<span style=${`inset-block-start: ${y + height / 2}px`}>${name}</span>`,
    )}
  </div>`;
}

function boxesView(boxes: readonly Box[]): TemplateResult {
  const { read, write, memory } = LANES;
  const path = (some: readonly Box[], y: number, height: number): string =>
    some.map(({ x, width }) => rectangle(x, y, width, height)).join("");
  const settled = boxes.filter(({ transition }) => !transition);
  const narrow = boxes.filter(({ width }) => width < MARKED_WIDTH);
  const marks = narrow.length > MOST_MARKS ? [] : narrow;
  return svg`<path class="right read" d=${path(
    settled.filter((box) => box.read),
    read.y,
    read.height,
  )}></path>
    <path class="right write" d=${path(
      settled.filter((box) => box.write),
      write.y,
      write.height,
    )}></path>
    <path class="outline" d=${path(
      settled.filter(({ width }) => width >= MARKED_WIDTH),
      read.y,
      read.height + write.height,
    )}></path>
    <path class="transition" d=${path(
      boxes.filter(({ transition }) => transition),
      read.y,
      read.height + write.height,
    )}></path>
    ${Array.from({ length: COLOURS + 1 }, (_, colour) => {
      const some = settled.filter((box) => box.colour === colour);
      return svg`<path class=${`memory colour-${colour}`} d=${path(some, memory.y, memory.height)}></path>`;
    })}
    <path class="marks" d=${marks.map(({ x, width }) => `M${x + width / 2},${MARK_Y}l-4,-7h8Z`).join("")}></path>`;
}

function sumsView(read: readonly Run[], write: readonly Run[]): TemplateResult[] {
  return Array.from({ length: SHADES }, (_, index) => index + 1).flatMap((shade) =>
    (
      [
        ["read", read],
        ["write", write],
      ] as const
    ).map(([right, runs]) => {
      const { y, height } = LANES[right];
      const some = runs.filter((run) => run.shade === shade);
      return svg`<path class=${`right ${right} shade-${shade}`} d=${some.map((run) => rectangle(run.x, y, run.width, height)).join("")}></path>`;
    }),
  );
}

function chosenView({ start, last }: Range, window: IovaWindow, width: number): TemplateResult | typeof nothing {
  const [left, right] = pixels({ start, last }, window, width);
  if (right < 0 || left > width) return nothing;
  const height = LANES.memory.y + LANES.memory.height - LANES.read.y;
  const [x, end] = [Math.max(left, 1), Math.min(right, width - 1)];
  return svg`<rect class="chosen" x=${x - 1} y=${LANES.read.y - 2} width=${Math.max(end - x, 2) + 2} height=${height + 4}></rect>`;
}

function scaleView(window: IovaWindow, width: number): TemplateResult[] {
  const longest = hex(lastOf(window)).length * DIGIT + GAP;
  return ticks(window, longest / width).map((at) => {
    const x = fractionOf(window, at) * width;
    const text = hex(at);
    // A text that would stick out is left out; its line stays.
    const fits = x + text.length * DIGIT <= width;
    return svg`<path class="tick" d=${`M${x},${LANES.read.y}V${TICK_Y + 6}`}></path>
      ${fits ? svg`<text class="iova" x=${x + 3} y=${TEXT_Y}>${text}</text>` : nothing}`;
  });
}

function rangesPath(ranges: readonly Range[], window: IovaWindow, width: number, y: number, height: number): string {
  return ranges
    .filter(({ start, last }) => start <= lastOf(window) && (shows(window, start) || last >= window.first))
    .map((range) => {
      const [left, right] = pixels(range, window, width);
      const [x, end] = [Math.max(left, 0), Math.min(right, width)];
      return rectangle(x, y, Math.max(end - x, 2), height);
    })
    .join("");
}

function pixels({ start, last }: Range, window: IovaWindow, width: number): [number, number] {
  return [fractionOf(window, start) * width, fractionOf(window, last + 1n) * width];
}

function rectangle(x: number, y: number, width: number, height: number): string {
  return `M${x},${y}h${width}v${height}h${-width}Z`;
}

// SPDX-License-Identifier: GPL-2.0-only
// The whole space above the ribbon, holes folded: what is where, and which part is in sight.

import { type TemplateResult, html, svg } from "lit";
import { type Segment, placeOf } from "./folded-scale.js";
import { type IovaWindow, lastOf } from "./window.js";

/** Pixels. */
export const MINIMAP_HEIGHT = 30;
const BAR = { y: 8, height: 14 };
/** Fewest pixels of a segment with areas, and of the part in sight. */
const LEAST = 3;
const LEAST_SIGHT = 6;

/** The picture, so many pixels wide. */
export function minimapView(scale: readonly Segment[], window: IovaWindow, width: number): TemplateResult {
  const { y, height } = BAR;
  const [from, to] = [placeOf(scale, window.first) * width, placeOf(scale, lastOf(window)) * width];
  const sight = Math.max(to - from, LEAST_SIGHT);
  const left = Math.max(Math.min((from + to - sight) / 2, width - sight), 0);
  return html`<svg class="minimap" width=${width} height=${MINIMAP_HEIGHT} aria-hidden="true">
    ${scale.map((segment) => {
      const x = segment.from * width;
      const wide = (segment.to - segment.from) * width;
      return segment.kind === "hole"
        ? svg`<path class="fold" d=${`M${x},${y + height / 2}h${wide}`}></path>`
        : svg`<rect class="areas" x=${x} y=${y} width=${Math.max(wide, LEAST)} height=${height}></rect>`;
    })}
    <rect class="sight" x=${left + 1} y="2" width=${Math.max(sight - 2, 2)} height=${MINIMAP_HEIGHT - 4} rx="3"></rect>
  </svg>`;
}

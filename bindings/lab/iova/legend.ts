// SPDX-License-Identifier: GPL-2.0-only
// What shapes and colours mean.

import { type TemplateResult, html, svg } from "lit";

const SAMPLE = { width: 24, height: 18 };

/** The legend; of sums, it tells about shades. */
export function legendView(sums: boolean): TemplateResult {
  const half = SAMPLE.height / 2;
  const box = (y: number, height: number): string => `M1,${y}h${SAMPLE.width - 2}v${height}h${-(SAMPLE.width - 2)}Z`;
  return html`<ul class="legend" aria-label="Legend">
    ${entry("may be read", svg`<path class="right read" d=${box(0, half)}></path><path class="outline" d=${box(0, SAMPLE.height)}></path>`)}
    ${entry("may be written", svg`<path class="right write" d=${box(half, half)}></path><path class="outline" d=${box(0, SAMPLE.height)}></path>`)}
    ${
      sums
        ? entry(
            "so much of a pixel is mapped, from little to all",
            svg`${[1, 2, 3, 4].map((shade) => svg`<rect class=${`right read shade-${shade}`} x=${(shade - 1) * 6} y="2" width="6" height="14"></rect>`)}`,
          )
        : entry(
            "memory that several areas show, one colour for each",
            svg`<path class="memory colour-1" d="M0,5h11v8h-11Z"></path><path class="memory colour-3" d="M13,5h11v8h-11Z"></path>`,
          )
    }
    ${entry("memory of one area", svg`<path class="memory colour-0" d="M0,5h24v8h-24Z"></path>`)}
    ${entry("in transition", svg`<path class="transition" d=${box(1, SAMPLE.height - 2)}></path>`)}
    ${entry("allowed: IOVAs are picked from here", svg`<path class="allowed" d="M0,7h24v5h-24Z"></path>`)}
    ${entry("reserved: nothing may be mapped", svg`<path class="reserved sample" d=${box(1, SAMPLE.height - 2)}></path>`)}
    ${entry("hole, folded", svg`<path class="fold" d="M0,9h24"></path>`)}
  </ul>`;
}

function entry(text: string, shapes: TemplateResult): TemplateResult {
  const { width, height } = SAMPLE;
  return html`<li><svg width=${width} height=${height} aria-hidden="true">${shapes}</svg><span>${text}</span></li>`;
}

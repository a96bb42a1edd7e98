// SPDX-License-Identifier: GPL-2.0-only
//
// What stands above the ribbon: which address space it is, how it is shown, and the buttons that move and zoom.

import { type TemplateResult, html } from "lit";
import type { AreaWatch } from "./area-watch.js";
import { counted, lengthInWords } from "./texts.js";

/** What is shown: the ribbon, or the same facts as a table. */
export type View = "ribbon" | "table";

/** What the bar shows and tells. */
export interface Bar {
  /** undefined: there is no address space. */
  readonly id: number | undefined;
  readonly ids: readonly number[];
  readonly watch: AreaWatch | undefined;
  /** Why nothing is known any more. */
  readonly ended: string | undefined;
  /** Areas that there are, for a first look that is not over. */
  readonly total: number;
  readonly view: View;
  choose(id: number): void;
  show(view: View): void;
}

const VIEWS: readonly (readonly [View, string])[] = [
  ["ribbon", "Ribbon"],
  ["table", "Table"],
];

/** The bar. */
export function barView(bar: Bar): TemplateResult {
  const ids = bar.id === undefined || bar.ids.includes(bar.id) ? bar.ids : [...bar.ids, bar.id];
  return html`<div class="bar">
    <div class="title">
      <h2>Address space</h2>
      <p class="muted">${captionOf(bar)}</p>
    </div>
    <label class="space"
      >IOAS
      <select
        ?disabled=${ids.length === 0}
        @change=${(event: Event) => bar.choose(Number((event.target as HTMLSelectElement).value))}
      >
        ${ids.map((id) => html`<option value=${id} .selected=${id === bar.id}>${id}</option>`)}
      </select>
    </label>
    <div class="switch" role="group" aria-label="View">
      ${VIEWS.map(
        ([view, text]) =>
          html`<button
            type="button"
            aria-pressed=${bar.view === view ? "true" : "false"}
            @click=${() => bar.show(view)}
          >
            ${text}
          </button>`,
      )}
    </div>
  </div>`;
}

function captionOf({ id, watch, ended, total }: Bar): string {
  if (ended !== undefined) return ended;
  if (id === undefined || watch === undefined) return "There is none.";
  const { count, mapped } = watch.store;
  if (!watch.complete) return `Looking … ${Math.floor((count / Math.max(total, count, 1)) * 100)} %`;
  const picked =
    watch.allowed.length === 0 ? "" : `, IOVAs picked from ${counted(watch.allowed.length, "allowed range")}`;
  return count === 0
    ? `Nothing is mapped${picked}`
    : `${counted(count, "area")}, ${lengthInWords(mapped)} mapped${picked}`;
}

/** What the buttons do. */
export interface Controls {
  readonly follows: boolean;
  readonly hasAreas: boolean;
  zoom(factor: number): void;
  move(fraction: number): void;
  step(direction: 1 | -1): void;
  fit(): void;
  whole(): void;
}

/** What a button's zoom and move are; the keys' are the same. */
export const ZOOM = 4;
export const MOVE = 0.25;

/** The buttons. */
export function controlsView(controls: Controls): TemplateResult {
  const button = (text: string, label: string, act: () => void, off = false): TemplateResult =>
    html`<button type="button" aria-label=${label} title=${label} ?disabled=${off} @click=${act}>${text}</button>`;
  return html`<div class="controls" role="group" aria-label="What is in sight">
    ${button("−", "Zoom out", () => controls.zoom(ZOOM))} ${button("+", "Zoom in", () => controls.zoom(1 / ZOOM))}
    ${button("←", "Lower IOVAs", () => controls.move(-MOVE))} ${button("→", "Higher IOVAs", () => controls.move(MOVE))}
    ${button("‹ Area", "Previous area", () => controls.step(-1), !controls.hasAreas)}
    ${button("Area ›", "Next area", () => controls.step(1), !controls.hasAreas)}
    <button type="button" aria-pressed=${controls.follows ? "true" : "false"} @click=${() => controls.fit()}>
      All areas
    </button>
    <button type="button" @click=${() => controls.whole()}>Whole space</button>
  </div>`;
}

// SPDX-License-Identifier: GPL-2.0-only
//
// What stands above the picture: how many objects there are, a way to one of them, and the choice of how they are shown.

import { type TemplateResult, html } from "lit";
import { counted } from "./facts.js";
import type { ObjectWatch } from "./object-watch.js";

/** What is shown: the picture, or the same facts as a table. */
export type View = "graph" | "table";

/** What the bar shows and tells. */
export interface Bar {
  readonly watch: ObjectWatch;
  /** Whether the file is closed. */
  readonly closed: boolean;
  readonly view: View;
  /** The reader asked for that object. */
  select(id: number): void;
  show(view: View): void;
}

const VIEWS: readonly (readonly [View, string])[] = [
  ["graph", "Graph"],
  ["table", "Table"],
];

/** The bar. */
export function renderBar(bar: Bar): TemplateResult {
  return html`<div class="bar">
    <div class="title">
      <h2>Objects</h2>
      <p class="muted">${bar.closed ? "The file is closed." : caption(bar.watch)}</p>
    </div>
    <form @submit=${(event: SubmitEvent) => goTo(event, bar)}>
      <label for="wanted">Object</label>
      <input id="wanted" name="id" inputmode="numeric" pattern="[0-9]+" placeholder="ID" autocomplete="off" required />
      <button type="submit">Show</button>
    </form>
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

function caption({ complete, count, summary, model }: ObjectWatch): string {
  if (!complete) return "Looking …";
  if (summary !== undefined) return `${counted(count, "object")}, too many to draw: added up by type`;
  let references = 0;
  for (const object of model.objects.values()) references += object.references.length;
  return `${counted(count, "object")}, ${counted(references, "reference")}`;
}

function goTo(event: SubmitEvent, bar: Bar): void {
  event.preventDefault();
  const input = (event.target as HTMLFormElement).querySelector("input");
  if (input === null || !/^\d+$/.test(input.value)) return;
  bar.select(Number(input.value));
  input.value = "";
}

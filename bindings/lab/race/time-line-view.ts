// SPDX-License-Identifier: GPL-2.0-only
//
// The swim lanes: a list box whose options are the steps, the selected one being where the reader is. What a thread does alone is
// between them, muted, and no option.

import { type TemplateResult, html, nothing } from "lit";
import { type Race, callInWords } from "./race.js";
import type { Row, ThreadState } from "./time-line.js";

export interface TimeLineView {
  readonly race: Race;
  readonly rows: readonly Row[];
  /** Index of the row that happened last; -1 before the first. */
  readonly row: number;
  readonly states: readonly ThreadState[];
  readonly label: string;
  readonly onRow: (row: number) => void;
  readonly onKey: (event: KeyboardEvent) => void;
}

const STATE_WORDS: Readonly<Record<ThreadState, string>> = { running: "runs", asleep: "asleep", done: "done" };

/** Renders lanes and heads. */
export function timeLineView({ race, rows, row, states, label, onRow, onKey }: TimeLineView): TemplateResult {
  return html`<div class="lanes" style=${`--lanes: ${race.actors.length}`}>
    <div class="heads">
      ${race.actors.map(
        (call, thread) =>
          html`<div class="head" data-lane=${thread + 1}>
            <span class="name">Thread ${thread + 1}</span>
            <span class="call">${callInWords(call)}</span>
            <span class=${`state ${states[thread] ?? ""}`}>${STATE_WORDS[states[thread] ?? "running"]}</span>
          </div>`,
      )}
    </div>
    <ol
      class="time"
      role="listbox"
      tabindex="0"
      aria-label=${label}
      aria-activedescendant=${row >= 0 ? `row-${row}` : nothing}
      @keydown=${onKey}
    >
      ${rows.map((each, index) => rowView(each, index, row, onRow))}
    </ol>
  </div>`;
}

function rowView(
  { kind, thread, text, within }: Row,
  index: number,
  current: number,
  onRow: TimeLineView["onRow"],
): TemplateResult {
  const when = index === current ? "now" : index < current ? "past" : "ahead";
  const lane = `--lane: ${thread + 1}`;
  if (kind === "own")
    return html`<li class=${`own ${when}`} style=${lane} data-lane=${thread + 1} role="presentation">
      <span class="dot" aria-hidden="true"></span><span class="cell" aria-hidden="true">${text}</span>
    </li>`;
  return html`<li
    id=${`row-${index}`}
    class=${`${kind} ${when}`}
    style=${lane}
    data-lane=${thread + 1}
    role="option"
    aria-selected=${index === current ? "true" : "false"}
    @click=${() => onRow(index)}
  >
    <span class="dot" aria-hidden="true">${thread + 1}</span>
    <span class="cell"
      ><span class="visually-hidden">Thread ${thread + 1} </span>${text}${
        within === "" ? nothing : html` <span class="within">${within}</span>`
      }</span
    >
  </li>`;
}

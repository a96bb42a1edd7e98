// SPDX-License-Identifier: GPL-2.0-only
//
// A state word, field by field and bit by bit; what a step changed is marked, by a frame and in words.

import { type TemplateResult, html, nothing } from "lit";
import { FIELD_MEANINGS, type StateWordLayout, type WordField, bitsOf } from "./state-word.js";

export interface WordView {
  readonly layout: StateWordLayout;
  /** The objects of the race, and the one whose word is shown. */
  readonly ids: readonly number[];
  readonly id: number;
  readonly word: bigint;
  readonly before: bigint;
  /** The word is still an entry of the file's table. */
  readonly isThere: boolean;
  readonly onPick: (id: number) => void;
}

/** Renders the panel. */
export function wordView(view: WordView): TemplateResult {
  const { layout, ids, id, word, before, isThere } = view;
  return html`<section class="word" aria-labelledby="word-title">
    <h2 id="word-title">State word of object ${id}</h2>
    ${ids.length > 1 ? pickView(view) : nothing}
    ${
      isThere
        ? html`<p class="summary">
              <span class="now">${layout.summary(word)}</span>
              <span class="muted"
                >${word === before ? "not changed by this step" : layout.changeInWords(before, word)}</span
              >
            </p>
            <dl class="fields">${layout.fields.map((field) => fieldView(layout, field, word, before))}</dl>
            ${
              layout.isFrozen(word)
                ? html`<p class="note">While it is frozen, the low bits name the thread that changes the object.</p>`
                : nothing
            }`
        : html`<p class="note">The file is released: its ID table is gone, and every object with it.</p>`
    }
    <details>
      <summary>What the fields mean</summary>
      <dl class="meanings">
        ${layout.fields.map(
          ({ name }) =>
            html`<div>
              <dt>${name}</dt>
              <dd>${FIELD_MEANINGS[name]}</dd>
            </div>`,
        )}
      </dl>
      <p>
        All of it is one word of 64 bits, so that one compare-and-swap decides who was first. This build of the core has
        narrower counts than the published one.
      </p>
    </details>
  </section>`;
}

function pickView({ ids, id, onPick }: WordView): TemplateResult {
  return html`<div class="pick" role="group" aria-label="Object">
    ${ids.map(
      (other) =>
        html`<button type="button" aria-pressed=${other === id ? "true" : "false"} @click=${() => onPick(other)}>
          Object ${other}
        </button>`,
    )}
  </div>`;
}

function fieldView(layout: StateWordLayout, field: WordField, word: bigint, before: bigint): TemplateResult {
  const now = layout.inWords(word, field.name);
  const was = layout.inWords(before, field.name);
  const changed = now !== was;
  return html`<div class=${changed ? "field changed" : "field"} style=${`--bits: ${field.bits}`}>
    <dt>${field.name}</dt>
    <dd>
      <span class="value">${now}</span>${changed ? html` <span class="was">was ${was}</span>` : nothing}
      <span class="bits" aria-hidden="true"
        >${bitsOf(word, before, field).map(
          ({ on, changed }) =>
            html`<span class=${`bit${on ? " on" : ""}${changed ? " changed" : ""}`}>${on ? 1 : 0}</span>`,
        )}</span
      >
    </dd>
  </div>`;
}

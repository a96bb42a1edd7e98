// SPDX-License-Identifier: GPL-2.0-only
//
// The finished calls, newest first: each can be run again or put into the form, and all can be saved.

import { html, nothing, type TemplateResult } from "lit";
import type { Finished } from "./finished-call.js";
import type { DraftRun } from "./run-draft.js";

/** What the history shows and tells. */
export interface HistoryView {
  /** Newest first. */
  readonly finished: readonly Finished[];
  /** What the last saving came to, or a call that could not be made; empty for nothing. */
  readonly message: string;
  /** Runs that call again. */
  again(run: DraftRun): void;
  /** Puts that call into the form. */
  edit(run: DraftRun): void;
  save(): void;
}

/** The history with its buttons. */
export function renderHistory(view: HistoryView): TemplateResult {
  const { finished, message } = view;
  const isEmpty = finished.length === 0;
  return html`<div class="history" role="group" aria-label="History">
    <div class="title">
      <p class="heading">${isEmpty ? "History" : "History, newest first"}</p>
      <button type="button" ?disabled=${isEmpty} @click=${() => view.save()}>Save as a trace</button>
    </div>
    <p role="status" class="muted" ?hidden=${message === ""}>${message}</p>
    ${
      isEmpty
        ? nothing
        : html`<ol tabindex="0" aria-label="Finished calls">
            ${finished.map((each) => renderFinished(each, view))}
          </ol>`
    }
  </div>`;
}

function renderFinished({ run, line }: Finished, view: HistoryView): TemplateResult {
  return html`<li>
    <code class=${run.result < 0 ? "bad" : ""}>${line}</code>
    <div>
      <button type="button" aria-label=${`Run again: ${line}`} @click=${() => view.again(run)}>Run again</button>
      <button type="button" aria-label=${`Edit: ${line}`} @click=${() => view.edit(run)}>Edit</button>
    </div>
  </li>`;
}

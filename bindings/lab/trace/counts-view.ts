// SPDX-License-Identifier: GPL-2.0-only
//
// The foot of the trace: how many calls there were, and of how many there is no more than the count.

import { html, nothing, type TemplateResult } from "lit";
import type { CallLog } from "./call-log.js";

/** What the foot says beside the log's own numbers. */
export interface CountsView {
  readonly isPaused: boolean;
  /** Calls of other threads that never arrived. */
  readonly lost: number;
  /** What the last copy came to; empty for nothing. */
  readonly message: string;
}

/** The counts, in sentences. */
export function renderCounts(log: CallLog, { isPaused, lost, message }: CountsView): TemplateResult {
  const { total, summarised, held, firstRow, endRow } = log;
  const shown = endRow - firstRow;
  const listed = total.calls - summarised.calls;
  return html`<div class="foot">
    <p>
      ${calls(total.calls)}, ${count(total.failed)} with an errno${shown === listed ? "" : `; ${count(shown)} shown`}
    </p>
    ${
      summarised.calls === 0
        ? nothing
        : html`<p>${count(summarised.calls)} older ones only counted, ${count(summarised.failed)} with an errno</p>`
    }
    ${
      isPaused
        ? html`<p class="busy">
            Paused: ${count(held.calls)} waiting${held.lost === 0 ? "" : `, ${count(held.lost)} of them only counted`}
          </p>`
        : nothing
    }
    ${lost === 0 ? nothing : html`<p class="busy">${calls(lost)} of other threads came too fast and are missing</p>`}
    <p role="status">${message}</p>
  </div>`;
}

/** A number as the foot writes it. */
export function count(value: number): string {
  return value.toLocaleString("en-US");
}

function calls(value: number): string {
  return `${count(value)} ${value === 1 ? "call" : "calls"}`;
}

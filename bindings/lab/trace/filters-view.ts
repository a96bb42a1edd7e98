// SPDX-License-Identifier: GPL-2.0-only
//
// The three choices of what is listed: by thread, by command, by result. They offer what the log has seen.

import { html, type TemplateResult } from "lit";
import { errnoName } from "../../trace.js";
import type { CallFilter, CallLog } from "./call-log.js";

/** The choices; `filter` gets the new one, whole. */
export function renderFilters(log: CallLog, filter: (filter: CallFilter) => void): TemplateResult {
  const { filter: present, threads, requests, errnos } = log;
  const choose = (change: (value: string) => CallFilter) => (event: Event) => {
    filter({ ...log.filter, ...change((event.target as HTMLSelectElement).value) });
  };
  return html`
    <label
      >Thread
      <select @change=${choose((value) => ({ thread: value === "" ? undefined : value }))}>
        ${renderOption("", "All", present.thread === undefined)}
        ${[...threads].map((thread) => renderOption(thread, thread, present.thread === thread))}
      </select>
    </label>
    <label
      >Command
      <select @change=${choose((value) => ({ request: value === "" ? undefined : Number(value) }))}>
        ${renderOption("", "All", present.request === undefined)}
        ${[...requests].map(([request, name]) =>
          renderOption(request, name ?? `0x${request.toString(16)}`, present.request === request),
        )}
      </select>
    </label>
    <label
      >Result
      <select @change=${choose((value) => ({ result: resultOf(value) }))}>
        ${renderOption("", "All", present.result === undefined)}
        ${renderOption("succeeded", "Success", present.result === "succeeded")}
        ${renderOption("failed", "Any errno", present.result === "failed")}
        ${[...errnos].map((errno) => renderOption(errno, errnoName(errno) ?? String(errno), present.result === errno))}
      </select>
    </label>
  `;
}

function renderOption(value: string | number, text: string, selected: boolean): TemplateResult {
  return html`<option value=${value} ?selected=${selected}>${text}</option>`;
}

function resultOf(value: string): CallFilter["result"] {
  if (value === "") return undefined;
  return value === "failed" || value === "succeeded" ? value : Number(value);
}

// SPDX-License-Identifier: GPL-2.0-only
//
// What came of a call: the answer, why, and the struct's bytes before and after it with the changed ones marked.

import { html, nothing, type TemplateResult } from "lit";
import type { Fields, IoctlCommand } from "../../index.js";
import { errnoName, errnoText } from "../../trace.js";
import { type FieldValue, hexOfByte, textOfValue } from "./field-text.js";
import type { Finished } from "./finished-call.js";
import type { DraftRun } from "./run-draft.js";
import { HEX_LINE } from "./struct-view.js";

type Values = Readonly<Record<string, FieldValue>>;

/** Lines of bytes that are shown. */
const MOST_LINES = 16;

/** The answer in one word and its text. */
function renderAnswer(result: number): TemplateResult {
  if (result >= 0) return html`<span class="answer good"><b>${result}</b> success</span>`;
  const name = errnoName(result) ?? `errno ${-result}`;
  return html`<span class="answer bad"><b>${name}</b> ${errnoText(result) ?? ""}</span>`;
}

/** The newest call's answer, why, and what it did to the memory that it got; while another one waits, only that. */
export function renderResult(
  newest: Finished | undefined,
  command: IoctlCommand<Fields> | undefined,
  isWaiting: boolean,
): TemplateResult {
  return html`<div class="result" role="group" aria-label="Result">
    <div class="verdict" aria-live="polite">${renderVerdict(newest, isWaiting)}</div>
    ${newest === undefined || isWaiting ? nothing : [renderChanges(newest.run, command), renderBytes(newest.run)]}
  </div>`;
}

function renderVerdict(newest: Finished | undefined, isWaiting: boolean): TemplateResult {
  if (isWaiting) return html`<p class="muted">There is no answer yet.</p>`;
  if (newest === undefined) {
    return html`<p class="muted">The kernel's answer will stand here, and why it is what it is.</p>`;
  }
  return html`<p class="headline">${renderAnswer(newest.run.result)}</p>
    <p class="why">${newest.explanation}</p>`;
}

function renderChanges({ draft, after, scratch }: DraftRun, command: IoctlCommand<Fields> | undefined): TemplateResult {
  const was: Values = command?.decode(draft.bytes) ?? {};
  const is: Values = command?.decode(after) ?? {};
  const changes = Object.keys(command?.fields ?? {})
    .map((name) => [name, was[name] as FieldValue, is[name] as FieldValue] as const)
    .filter(([, before, now]) => textOfValue(before) !== textOfValue(now));
  if (changes.length === 0 && scratch === undefined) {
    return html`<p class="muted">The kernel wrote nothing back.</p>`;
  }
  return html`<ul class="changes">
    ${changes.map(([name, before, now]) => html`<li><code>${name}</code> ${renderChange(before, now)}</li>`)}
    ${
      scratch === undefined
        ? nothing
        : html`<li>
            The memory at <code>0x${scratch.address.toString(16)}</code> now begins with
            <code>${Array.from(scratch.after.subarray(0, 2 * HEX_LINE), hexOfByte).join(" ")}</code>
          </li>`
    }
  </ul>`;
}

/** From one value to another; of an array, how much of it: the bytes stand below. */
function renderChange(before: FieldValue, now: FieldValue): TemplateResult {
  if (now instanceof Uint8Array && before instanceof Uint8Array) {
    const changed = now.filter((byte, at) => byte !== before[at]).length;
    return html`${changed} of ${now.length} bytes changed`;
  }
  return html`${textOfValue(before)} → <b>${textOfValue(now)}</b>`;
}

function renderBytes({ draft, after }: DraftRun): TemplateResult {
  const { bytes: before, pointer } = draft;
  if (pointer === "null" || pointer === "unmapped") {
    return html`<p class="muted">No byte was at the pointer.</p>`;
  }
  const lines: TemplateResult[] = [];
  for (let at = 0; at < before.length && lines.length < MOST_LINES; at += HEX_LINE) {
    const same = before.subarray(at, at + HEX_LINE).every((byte, index) => byte === after[at + index]);
    lines.push(
      html`<tr class=${same ? "same" : ""}>
        <th scope="row">${at}</th>
        <td>${renderLine(before, after, at, before)}</td>
        <td>${renderLine(before, after, at, after)}</td>
      </tr>`,
    );
  }
  const left = before.length - lines.length * HEX_LINE;
  return html`<div class="dump" tabindex="0" role="group" aria-label="Bytes before and after the call">
    <table>
      <thead>
        <tr>
          <th scope="col">Byte</th>
          <th scope="col">Before</th>
          <th scope="col">After</th>
        </tr>
      </thead>
      <tbody>
        ${lines}
      </tbody>
    </table>
    ${left > 0 ? html`<p class="muted">and ${left} bytes more</p>` : nothing}
  </div>`;
}

function renderLine(before: Uint8Array, after: Uint8Array, start: number, shown: Uint8Array): TemplateResult[] {
  return Array.from(shown.subarray(start, start + HEX_LINE), (byte, at) => {
    const changed = before[start + at] !== after[start + at];
    const text = hexOfByte(byte);
    return changed ? html`<mark>${text}</mark> ` : html`${text} `;
  });
}

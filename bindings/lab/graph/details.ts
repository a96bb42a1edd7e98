// SPDX-License-Identifier: GPL-2.0-only
//
// What is shown of the selected object: its facts, its neighbours to go on to, its payload, and what happened to it.

import { type TemplateResult, html, nothing } from "lit";
import { type ObjectFacts, counted, grouped } from "./facts.js";
import type { HistoryEntry, ObjectHistory } from "./history.js";
import { type PayloadBytes, hexRows } from "./payload.js";

/** The selected object. */
export interface Selection {
  readonly id: number;
  /** Undefined when there is no such object now. */
  readonly object: ObjectFacts | undefined;
  readonly heldBy: readonly number[];
  readonly history: ObjectHistory;
  readonly payload: PayloadBytes | undefined;
}

/** What the reader may do here. */
export interface DetailActions {
  readonly select: (id: number | undefined) => void;
  readonly readPayload: () => void;
}

/** The panel of the selected object. Where objects are only added up, nobody knows their history and who holds them. */
export function details(selection: Selection, summarised: boolean, actions: DetailActions): TemplateResult {
  const { id, object, heldBy, history } = selection;
  return html`<section class="details" aria-labelledby="details-title">
    <header>
      <h3 id="details-title">${object === undefined ? `Object ${id}` : `${object.type.name} ${id}`}</h3>
      <button type="button" @click=${() => actions.select(undefined)}>Close</button>
    </header>
    ${
      object === undefined
        ? html`<p class="muted">There is no ${summarised ? "published " : ""}object ${id} now.</p>`
        : facts(object, summarised ? undefined : heldBy, actions)
    }
    ${object === undefined ? nothing : payload(object, selection.payload, actions)}
    ${summarised ? nothing : historyList(history)}
  </section>`;
}

function facts(object: ObjectFacts, heldBy: readonly number[] | undefined, { select }: DetailActions): TemplateResult {
  return html`<dl>
    <div>
      <dt>State</dt>
      <dd>${object.state}</dd>
    </div>
    <div>
      <dt>Users</dt>
      <dd>${grouped(object.users)}</dd>
    </div>
    <div>
      <dt>In use by calls</dt>
      <dd>${grouped(object.holders)}</dd>
    </div>
    <div>
      <dt>Holds objects</dt>
      <dd>${neighbours(object.references, select)}</dd>
    </div>
    ${
      heldBy === undefined
        ? nothing
        : html`<div>
            <dt>Held by objects</dt>
            <dd>${neighbours(heldBy, select)}</dd>
          </div>`
    }
  </dl>`;
}

const MOST_NEIGHBOURS = 24;

function neighbours(ids: readonly number[], select: DetailActions["select"]): TemplateResult {
  if (ids.length === 0) return html`nothing`;
  const times = new Map<number, number>();
  for (const id of ids) times.set(id, (times.get(id) ?? 0) + 1);
  const shown = [...times].slice(0, MOST_NEIGHBOURS);
  const more = times.size - shown.length;
  return html`<span class="ids"
    >${shown.map(
      ([id, count]) =>
        html`<button type="button" class="id" @click=${() => select(id)}>
          <span class="visually-hidden">Go to object </span>${id}${count > 1 ? ` ×${count}` : ""}
        </button>`,
    )}${more > 0 ? html` and ${more} more` : nothing}</span
  >`;
}

function payload(object: ObjectFacts, read: PayloadBytes | undefined, { readPayload }: DetailActions): TemplateResult {
  return html`<div class="payload">
    <header>
      <h4>Payload</h4>
      <button type="button" ?disabled=${object.state !== "live"} @click=${() => readPayload()}>Read again</button>
    </header>
    ${payloadBytes(object, read)}
  </div>`;
}

function payloadBytes(object: ObjectFacts, read: PayloadBytes | undefined): TemplateResult {
  if (object.state === "reserved") return html`<p class="muted">No lookup finds it before it is published.</p>`;
  if (object.state !== "live") return html`<p class="muted">No lookup finds it any more.</p>`;
  if (read?.bytes === undefined) return html`<p class="muted">It could not be locked for reading.</p>`;
  if (read.length === 0) return html`<p class="muted">Objects of this type have none.</p>`;
  const rest = read.length - read.bytes.length;
  const rows = hexRows(read.bytes);
  const widest = Math.max(...rows.map(({ hex }) => hex.length));
  return html`<pre class="hex" tabindex="0" role="group" aria-label="Payload in hexadecimal">
${rows.map(({ offset, hex, text }) => `${offset}  ${hex.padEnd(widest)}  ${text}`).join("\n")}</pre>
    <p class="muted">${counted(read.length, "byte")}${rest > 0 ? `, the first ${read.bytes.length} shown` : ""}</p>`;
}

function historyList({ entries, dropped }: ObjectHistory): TemplateResult {
  return html`<div class="history">
    <h4>History</h4>
    ${
      entries.length === 0
        ? html`<p class="muted">Nothing was seen of it while it was drawn.</p>`
        : html`<ol reversed>
            ${[...entries].reverse().map(historyItem)}
          </ol>`
    }
    ${dropped > 0 ? html`<p class="muted">Older ones dropped: ${dropped}</p>` : nothing}
  </div>`;
}

function historyItem({ time, text, times }: HistoryEntry): TemplateResult {
  return html`<li>
    <span class="mono muted">${clockTime(time)}</span>
    <span>${text}${times > 1 ? html` <span class="muted">(${times} changes)</span>` : nothing}</span>
  </li>`;
}

/** Time of day of a moment of `performance.now()`, to the millisecond. */
function clockTime(time: number): string {
  const date = new Date(performance.timeOrigin + time);
  const two = (value: number): string => `${value}`.padStart(2, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${`${date.getMilliseconds()}`.padStart(3, "0")}`;
}

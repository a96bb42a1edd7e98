// SPDX-License-Identifier: GPL-2.0-only
//
// <iommufd-trace>: the ioctls of all threads as strace would print them, newest last.
//
// Thousands of calls a second may arrive. What keeps a frame short: calls go into a ring of fixed size; the element draws at
// most once a frame; it has rows only for what is visible, all of one height; and only those are decoded. What the ring
// had no room for is counted and said.
//
// The list follows its end until its reader scrolls away from it; then what he reads stays in place.

import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { Decoder, errnoName } from "../../trace.js";
import { LabElement } from "../lab-element.js";
import type { LabCall, LabCallsEvent, LabSession } from "../session.js";
import { theme } from "../theme.js";
import { CallLog, type CallFilter } from "./call-log.js";
import type { LabLostEvent } from "./receive.js";
import { ROW_PIXELS, traceStyles } from "./trace-styles.js";

/** Calls that are listed; older ones are only counted. */
const MOST_CALLS = 20_000;
/** Lines that are copied at once: decoding more would hold up the page. */
const MOST_COPIED = 5_000;
/** Rows above and below what is visible, so that a scroll has something to show before the next frame. */
const SPARE_ROWS = 8;

/** The log of all threads' ioctls. */
export class IommufdTrace extends LabElement {
  static override properties = {
    ...LabElement.properties,
    paused: { type: Boolean, reflect: true },
    message: { state: true },
    byHand: { state: true },
  };
  static override styles = [theme, traceStyles];

  /** Whether new calls are held back instead of listed. */
  declare paused: boolean;
  /** What the last copy came to. */
  declare message: string;
  /** Text to be copied by hand, where the page may not write to the clipboard. */
  declare byHand: string | undefined;
  readonly #log = new CallLog(MOST_CALLS);
  #decoder = new Decoder();
  #lost = 0;
  /** Whose calls are listed. */
  #shown: LabSession | undefined;
  #frame: number | undefined;
  #following = true;
  #scrollTop = 0;
  #height = 0;
  #firstRow = 0;
  readonly #resized = new ResizeObserver(([entry]) => {
    this.#height = entry?.contentRect.height ?? 0;
    this.#draw();
  });

  constructor() {
    super();
    this.paused = false;
    this.message = "";
    this.byHand = undefined;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#resized.disconnect();
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    this.#frame = undefined;
  }

  /** Forgets all calls. */
  clear(): void {
    this.#log.clear();
    this.#lost = 0;
    this.#following = true;
    this.message = "";
    this.byHand = undefined;
    this.requestUpdate();
  }

  /** The lines that the filter shows, oldest first; the newest 5,000 of them. */
  lines(): string[] {
    const { firstRow, endRow } = this.#log;
    const lines: string[] = [];
    for (let row = Math.max(firstRow, endRow - MOST_COPIED); row < endRow; row++) {
      const call = this.#log.row(row);
      if (call !== undefined) lines.push(`${this.#timeOf(call)} [${call.thread}] ${this.#lineOf(call)}`);
    }
    return lines;
  }

  protected override commandsChanged(session: LabSession): void {
    this.#decoder = new Decoder(session.commands);
  }

  protected override connectSession(session: LabSession): () => void {
    this.commandsChanged(session);
    if (session !== this.#shown) this.clear(); // not when the element only moves in the page
    this.#shown = session;
    const onCalls = (event: Event): void => {
      this.#log.add((event as LabCallsEvent).calls);
      this.#draw();
    };
    const onLost = (event: Event): void => {
      this.#lost += (event as LabLostEvent).count;
      this.#draw();
    };
    session.addEventListener("calls", onCalls);
    session.addEventListener("lost", onLost);
    return () => {
      session.removeEventListener("calls", onCalls);
      session.removeEventListener("lost", onLost);
    };
  }

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    if (changed.has("paused")) this.#log.paused = this.paused;
  }

  protected override renderSession(): TemplateResult {
    const { firstRow, endRow } = this.#log;
    return html`
      <div class="bar" role="group" aria-label="Trace">
        ${this.#renderFilters()}
        <div class="actions">
          <button type="button" aria-pressed=${this.paused} @click=${this.#togglePause}>
            ${this.paused ? "Resume" : "Pause"}
          </button>
          <button type="button" ?disabled=${firstRow === endRow} @click=${this.#copy}>Copy</button>
          <button type="button" @click=${() => this.clear()}>Clear</button>
        </div>
      </div>
      <div class="list">
        <div
          class="scroller"
          ?inert=${this.byHand !== undefined}
          tabindex="0"
          role="region"
          aria-label="Calls, newest last"
          @scroll=${this.#onScroll}
        >
          <div class="space"><div class="rows" role="list">${this.#renderRows()}</div></div>
        </div>
        ${firstRow === endRow ? html`<p class="empty">${this.#emptyText()}</p>` : nothing}
        ${this.byHand === undefined ? nothing : this.#renderByHand(this.byHand)}
        ${
          this.#following || this.byHand !== undefined
            ? nothing
            : html`<button type="button" class="newest" @click=${this.#follow}>Newest ↓</button>`
        }
      </div>
      ${this.#renderFoot()}
    `;
  }

  protected override updated(): void {
    const scroller = this.#scroller;
    if (scroller === null) return;
    this.#resized.observe(scroller);
    const { firstRow, endRow } = this.#log;
    const space = scroller.querySelector<HTMLElement>(".space");
    const rows = scroller.querySelector<HTMLElement>(".rows");
    if (space === null || rows === null) return;
    space.style.blockSize = `${(endRow - firstRow) * ROW_PIXELS}px`;
    rows.style.transform = `translateY(${(this.#window().from - firstRow) * ROW_PIXELS}px)`;
    const end = (endRow - firstRow) * ROW_PIXELS;
    if (this.#following) {
      scroller.scrollTop = end;
    } else if (this.#firstRow !== firstRow) {
      scroller.scrollTop = this.#scrollTop;
    }
    this.#firstRow = firstRow;
  }

  get #scroller(): HTMLElement | null {
    return this.renderRoot.querySelector(".scroller");
  }

  /** Draws once, in the next frame, however often it is asked. */
  #draw(): void {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = undefined;
      this.requestUpdate();
    });
  }

  /** The rows that are drawn. */
  #window(): { readonly from: number; readonly to: number } {
    const { firstRow, endRow } = this.#log;
    const visible = Math.ceil(this.#height / ROW_PIXELS) + 1;
    const top = this.#following ? endRow - visible : firstRow + Math.floor(this.#scrollTop / ROW_PIXELS);
    const from = Math.max(firstRow, Math.min(top, endRow - visible) - SPARE_ROWS);
    return { from, to: Math.min(endRow, Math.max(top, firstRow) + visible + SPARE_ROWS) };
  }

  #renderRows(): TemplateResult[] {
    const { firstRow, endRow } = this.#log;
    if (!this.#following && firstRow > this.#firstRow) {
      // Rows fell out above what is read: it moves up in the list, and the list is scrolled along.
      this.#scrollTop = Math.max(0, this.#scrollTop - (firstRow - this.#firstRow) * ROW_PIXELS);
    }
    const { from, to } = this.#window();
    const rows: TemplateResult[] = [];
    for (let row = from; row < to; row++) {
      const call = this.#log.row(row);
      if (call === undefined) continue;
      rows.push(
        html`<div
          class="row ${row % 2 === 0 ? "even" : "odd"} ${call.result < 0 ? "failed" : ""}"
          role="listitem"
          aria-setsize=${endRow - firstRow}
          aria-posinset=${row - firstRow + 1}
        >
          <span class="time">${this.#timeOf(call)}</span
          ><span class="thread">${call.thread}</span>${renderLine(this.#lineOf(call))}
        </div>`,
      );
    }
    return rows;
  }

  #renderFilters(): TemplateResult {
    const { filter, threads, requests, errnos } = this.#log;
    const choose = (change: (value: string) => CallFilter) => (event: Event) => {
      this.#log.filter = { ...this.#log.filter, ...change((event.target as HTMLSelectElement).value) };
      this.#following = true;
      this.requestUpdate();
    };
    const option = (value: string | number, text: string, selected: boolean): TemplateResult =>
      html`<option value=${value} ?selected=${selected}>${text}</option>`;
    return html`
      <label
        >Thread
        <select @change=${choose((value) => ({ thread: value === "" ? undefined : value }))}>
          ${option("", "All", filter.thread === undefined)}
          ${[...threads].map((thread) => option(thread, thread, filter.thread === thread))}
        </select>
      </label>
      <label
        >Command
        <select @change=${choose((value) => ({ request: value === "" ? undefined : Number(value) }))}>
          ${option("", "All", filter.request === undefined)}
          ${[...requests].map(([request, name]) =>
            option(request, name ?? `0x${request.toString(16)}`, filter.request === request),
          )}
        </select>
      </label>
      <label
        >Result
        <select @change=${choose((value) => ({ result: resultOf(value) }))}>
          ${option("", "All", filter.result === undefined)}
          ${option("succeeded", "Success", filter.result === "succeeded")}
          ${option("failed", "Any errno", filter.result === "failed")}
          ${[...errnos].map((errno) => option(errno, errnoName(errno) ?? String(errno), filter.result === errno))}
        </select>
      </label>
    `;
  }

  #renderFoot(): TemplateResult {
    const { total, summarised, held, firstRow, endRow } = this.#log;
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
        this.paused
          ? html`<p class="busy">
              Paused: ${count(held.calls)} waiting${held.lost === 0 ? "" : `, ${count(held.lost)} of them only counted`}
            </p>`
          : nothing
      }
      ${
        this.#lost === 0
          ? nothing
          : html`<p class="busy">${calls(this.#lost)} of other threads came too fast and are missing</p>`
      }
      <p role="status">${this.message}</p>
    </div>`;
  }

  #renderByHand(text: string): TemplateResult {
    return html`<div class="by-hand">
      <label for="by-hand">This page may not write to the clipboard. Copy the lines from here:</label>
      <button type="button" @click=${() => (this.byHand = undefined)}>Done</button>
      <textarea id="by-hand" readonly .value=${text}></textarea>
    </div>`;
  }

  #emptyText(): string {
    if (this.#log.total.calls > 0) return "No call passes the filter.";
    return this.paused ? "Paused." : "No call yet. Each ioctl of any thread becomes a line here.";
  }

  readonly #togglePause = (): void => {
    this.paused = !this.paused;
  };

  readonly #follow = (): void => {
    this.#following = true;
    this.requestUpdate();
    this.#scroller?.focus();
  };

  readonly #onScroll = (): void => {
    const scroller = this.#scroller;
    if (scroller === null) return;
    this.#scrollTop = scroller.scrollTop;
    const following = this.#scrollTop + scroller.clientHeight >= scroller.scrollHeight - ROW_PIXELS / 2;
    this.#following = following;
    this.#draw();
  };

  readonly #copy = async (): Promise<void> => {
    const lines = this.lines();
    const text = `${lines.join("\n")}\n`;
    const shown = this.#log.endRow - this.#log.firstRow;
    const what = lines.length < shown ? `the newest ${count(lines.length)} lines` : `${count(lines.length)} lines`;
    try {
      await navigator.clipboard.writeText(text);
      this.byHand = undefined;
      this.message = `Copied ${what}.`;
    } catch {
      this.byHand = text;
      await this.updateComplete;
      this.renderRoot.querySelector<HTMLTextAreaElement>("#by-hand")?.select();
    }
  };

  #timeOf(call: LabCall): string {
    return ((call.time - this.#log.started) / 1000).toFixed(3);
  }

  #lineOf({ request, before, bytes, result, fd, address }: LabCall): string {
    // What a call answered stands in its struct afterwards; where nothing could be read then, what was passed does.
    return this.#decoder.decode(request, bytes.length > 0 ? bytes : before, result, { fd, address });
  }
}

function resultOf(value: string): CallFilter["result"] {
  if (value === "") return undefined;
  return value === "failed" || value === "succeeded" ? value : Number(value);
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}

function calls(value: number): string {
  return `${count(value)} ${value === 1 ? "call" : "calls"}`;
}

/** A line in its parts, so that the answer can be seen however long the struct is: the call, what it returned, and in words. */
function renderLine(line: string): TemplateResult {
  const [, call = line, answer = "", words = ""] = /^(.*)( = -?\d+(?: E[A-Z0-9]+)?)( \(.*\))?$/s.exec(line) ?? [];
  return html`<span class="line">${call}<span class="answer">${answer}</span>${words}</span>`;
}

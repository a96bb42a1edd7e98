// SPDX-License-Identifier: GPL-2.0-only
//
// <iommufd-trace>: the ioctls of all threads as strace would print them, newest last.
//
// Thousands of calls a second may arrive. What keeps a frame short: calls go into a ring of fixed size; the element draws at
// most once a frame; it has rows only for what is visible, all of one height; and only those are decoded. What the ring
// had no room for is counted and said.

import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { LabElement } from "../lab-element.js";
import type { LabCallsEvent, LabSession } from "../session.js";
import { theme } from "../theme.js";
import { CallLines } from "./call-lines.js";
import { CallLog } from "./call-log.js";
import { count, renderCounts } from "./counts-view.js";
import { renderFilters } from "./filters-view.js";
import type { LabLostEvent } from "./receive.js";
import { RowWindow } from "./row-window.js";
import { traceStyles } from "./trace-styles.js";

/** Calls that are listed; older ones are only counted. */
const MOST_CALLS = 20_000;
/** Lines that are copied at once: decoding more would hold up the page. */
const MOST_COPIED = 5_000;

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
  readonly #lines = new CallLines();
  readonly #window = new RowWindow();
  /** Calls of other threads that never arrived. */
  #lost = 0;
  /** Whose calls are listed. */
  #shown: LabSession | undefined;
  #frame: number | undefined;
  readonly #resized = new ResizeObserver(([entry]) => {
    this.#window.height = entry?.contentRect.height ?? 0;
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
    this.#window.isFollowing = true;
    this.message = "";
    this.byHand = undefined;
    this.requestUpdate();
  }

  /** The lines that the filter shows, oldest first; the newest 5,000 of them. */
  lines(): string[] {
    const { firstRow, endRow, started } = this.#log;
    const lines: string[] = [];
    for (let row = Math.max(firstRow, endRow - MOST_COPIED); row < endRow; row++) {
      const call = this.#log.row(row);
      if (call !== undefined) lines.push(this.#lines.text(call, started));
    }
    return lines;
  }

  protected override commandsChanged(session: LabSession): void {
    this.#lines.use(session);
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
        ${renderFilters(this.#log, (filter) => {
          this.#log.filter = filter;
          this.#window.isFollowing = true;
          this.requestUpdate();
        })}
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
          this.#window.isFollowing || this.byHand !== undefined
            ? nothing
            : html`<button type="button" class="newest" @click=${this.#follow}>Newest ↓</button>`
        }
      </div>
      ${renderCounts(this.#log, { isPaused: this.paused, lost: this.#lost, message: this.message })}
    `;
  }

  protected override updated(): void {
    const scroller = this.#scroller;
    if (scroller === null) return;
    this.#resized.observe(scroller);
    const space = scroller.querySelector<HTMLElement>(".space");
    const rows = scroller.querySelector<HTMLElement>(".rows");
    if (space !== null && rows !== null) this.#window.place(scroller, space, rows, this.#log);
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

  #renderRows(): TemplateResult[] {
    const { firstRow, endRow, started } = this.#log;
    this.#window.keepPlace(this.#log);
    const { from, to } = this.#window.drawn(this.#log);
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
          ${this.#lines.render(call, started)}
        </div>`,
      );
    }
    return rows;
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
    this.#window.isFollowing = true;
    this.requestUpdate();
    this.#scroller?.focus();
  };

  readonly #onScroll = (): void => {
    if (this.#scroller === null) return;
    this.#window.scrolled(this.#scroller);
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
}

// SPDX-License-Identifier: GPL-2.0-only
//
// <iommufd-graph>: the objects of a session's file, and who holds whom.
//
//   attribute/property selected   the ID of the object whose details are shown
//   method select(id)             selects; scrolls to the object
//   event iommufd-select          the selection changed: detail { id: number | undefined }; bubbles, crosses shadow roots
//   --iommufd-graph-height        how tall the picture may become before it scrolls; none: as tall as the element's height lets it
//
// Objects change by calls of any thread, and nothing announces it, so the element looks: while it is connected, its page is
// shown and it is scrolled into view (frame-loop.ts), at most once in an animation frame, and for no more than a fixed share of
// the time (scan.ts). Looking disturbs no object but the selected one (payload.ts). The picture is changed by hand and at once
// (drawing.ts), the texts around it by lit and a few times a second; layouts come from a worker when they are ready.

import { type TemplateResult, html, nothing } from "lit";
import { isClosedFile, unlessClosed } from "../closed-file.js";
import { LabElement } from "../lab-element.js";
import type { LabSession } from "../session.js";
import { theme } from "../theme.js";
import { shortNames } from "./cards.js";
import { type Selection, details } from "./details.js";
import { Drawing } from "./drawing.js";
import { emptyState } from "./empty-state.js";
import { counted } from "./facts.js";
import { FrameLoop } from "./frame-loop.js";
import { type LegendType, legend } from "./legend.js";
import { nextStop } from "./navigation.js";
import { type Finding, ObjectWatch } from "./object-watch.js";
import { PayloadReader } from "./payload.js";
import { graphStyles } from "./styles.js";
import { objectTable, summaryTable } from "./tables.js";

/** Least milliseconds between two renderings of what is around the picture. */
const TEXT_MS = 250;
/** What an interaction is charged with, so that no look falls into the frame that shows what it did. */
const INTERACTION_MS = 15;
/** The width is rounded down to this, so that the picture is not laid out anew for every pixel. */
const WIDTH_STEP = 8;

/** The live object graph of a file. */
export class IommufdGraph extends LabElement {
  static override styles = [theme, graphStyles];
  static override properties = {
    ...LabElement.properties,
    selected: {
      reflect: true,
      converter: {
        fromAttribute: (value: string | null): number | undefined => (value === null ? undefined : Number(value)),
        toAttribute: (value: number | undefined): string | null => (value === undefined ? null : `${value}`),
      },
    },
    view: { state: true },
  };

  /** The ID of the object whose details are shown. */
  declare selected: number | undefined;
  /** What is shown: the picture, or the same facts as a table. */
  declare view: "graph" | "table";

  readonly #payload = new PayloadReader();
  readonly #resizing = new ResizeObserver(() => this.#measure());
  #watch: ObjectWatch | undefined;
  #drawing: { readonly svg: SVGSVGElement; readonly watch: ObjectWatch; readonly drawing: Drawing } | undefined;
  #textStale = false;
  #textTime = -Infinity;
  #closed = false;
  #isRepainted = false;
  /** Whether new layouts keep the selected box in sight: until the reader scrolls himself. */
  #isFollowed = false;
  #isRevealDue = false;
  #wasEmpty = true;

  constructor() {
    super();
    this.view = "graph";
    // What the reader does is shown before what the kernel does.
    for (const type of ["keydown", "keyup", "pointerdown", "pointerup"]) {
      this.addEventListener(type, () => this.#watch?.charge(INTERACTION_MS));
    }
  }

  /** Selects an object and scrolls to it; undefined selects none. */
  select(id: number | undefined): void {
    if (id === this.selected) return;
    this.selected = id;
    this.#isFollowed = id !== undefined;
    if (id !== undefined) this.#reveal(id);
    this.dispatchEvent(new CustomEvent("iommufd-select", { detail: { id }, bubbles: true, composed: true }));
  }

  protected override connectSession(session: LabSession): () => void {
    const begin = (): void => {
      this.select(undefined); // the ID will be another object's
      this.#begin(session);
    };
    session.addEventListener("context", begin);
    const loop = new FrameLoop(
      this,
      () => this.#onFrame(),
      (milliseconds) => this.#watch?.charge(milliseconds),
    );
    this.#begin(session);
    return () => {
      session.removeEventListener("context", begin);
      loop.stop();
      this.#endDrawing();
    };
  }

  // -------------------------------------------------------------------------------------------------- looking

  #begin(session: LabSession): void {
    this.#closed = false;
    this.#payload.forget();
    this.#watch = new ObjectWatch(
      (from, limit) => session.context.objects({ from, limit }),
      (finding) => this.#take(finding),
      () => performance.now(),
    );
    this.requestUpdate();
  }

  /** Looks and draws. Returns whether anything changed. */
  #onFrame(): boolean {
    if (this.#closed) return false;
    const now = performance.now();
    try {
      this.#watch?.step();
    } catch (error) {
      if (!isClosedFile(error)) throw error;
      this.#closed = true;
      this.requestUpdate();
    }
    const moved = this.#drawing?.drawing.tick(now) ?? false;
    const changed = moved || this.#isRepainted;
    // Only now: to ask where something lies makes the browser lay the page out, which it does anyway after this frame.
    if (this.#isRevealDue && this.selected !== undefined) this.#reveal(this.selected);
    this.#isRevealDue = false;
    this.#isRepainted = false;
    if (!this.#textStale || now - this.#textTime < TEXT_MS) return changed;
    this.#textStale = false;
    this.#textTime = now;
    this.requestUpdate();
    return true;
  }

  #take(finding: Finding): void {
    this.#isRepainted = true;
    const drawing = this.#drawing?.drawing;
    const isEmpty = this.#watch?.count === 0;
    // What is shown in place of a picture goes together with the picture.
    if (finding.modeChanged || isEmpty !== this.#wasEmpty) this.#textTime = -Infinity;
    this.#wasEmpty = isEmpty;
    if (finding.modeChanged) {
      drawing?.drawAll();
    } else if (finding.kind === "summary") drawing?.drawSummary(finding.summary);
    else drawing?.drawChanges(finding.changes);
    this.#textStale = true;
    const { selected } = this;
    if (finding.kind === "summary" || selected === undefined) return;
    const { appeared, changed, gone } = finding.changes;
    const touched = [...appeared, ...changed.map(({ after }) => after), ...gone];
    if (touched.some(({ id }) => id === selected)) this.#payload.outdate();
  }

  // -------------------------------------------------------------------------------------------------- rendering

  protected override renderSession(session: LabSession): TemplateResult {
    const { selected } = this;
    const watch = this.#watch;
    if (watch === undefined) return html``;
    return html`<div class="bar">
        <div class="title">
          <h2>Objects</h2>
          <p class="muted">${this.#caption(watch)}</p>
        </div>
        <form @submit=${(event: SubmitEvent) => this.#goTo(event)}>
          <label for="wanted">Object</label>
          <input
            id="wanted"
            name="id"
            inputmode="numeric"
            pattern="[0-9]+"
            placeholder="ID"
            autocomplete="off"
            required
          />
          <button type="submit">Show</button>
        </form>
        <div class="switch" role="group" aria-label="View">
          ${this.#viewButton("graph", "Graph")}${this.#viewButton("table", "Table")}
        </div>
      </div>
      <div class=${selected === undefined ? "columns" : "columns with-details"}>
        ${this.view === "graph" ? this.#graph(session, watch) : this.#table(session, watch)}
        ${selected === undefined ? nothing : this.#details(session, watch, selected)}
      </div>
      ${legend(legendTypes(watch), this.view === "graph" && this.#drawing?.drawing.detail === "chip")}`;
  }

  protected override updated(): void {
    const svg = this.renderRoot.querySelector<SVGSVGElement>("svg.picture");
    const ground = this.renderRoot.querySelector<SVGSVGElement>("svg.arrows");
    const watch = this.#watch;
    if (svg === null || ground === null || watch === undefined) this.#endDrawing();
    else if (this.#drawing?.svg !== svg || this.#drawing.watch !== watch) {
      this.#endDrawing();
      svg.replaceChildren();
      ground.replaceChildren();
      this.#drawing = { svg, watch, drawing: new Drawing(ground, svg, watch, () => this.#onPlaced()) };
      if (svg.parentElement !== null) this.#resizing.observe(svg.parentElement);
      this.#measure();
      if (watch.complete) this.#drawing.drawing.drawAll();
    }
    this.#drawing?.drawing.picture.select(watch?.summary === undefined ? this.selected : undefined);
  }

  #onPlaced(): void {
    this.#isRepainted = true;
    this.#textStale = true;
    this.#isRevealDue = this.#isFollowed;
  }

  #endDrawing(): void {
    this.#drawing?.drawing.stop();
    this.#drawing = undefined;
    this.#resizing.disconnect();
  }

  #measure(): void {
    const width = this.#drawing?.svg.parentElement?.clientWidth ?? 0;
    this.#drawing?.drawing.setWidth(Math.floor(width / WIDTH_STEP) * WIDTH_STEP);
  }

  #caption({ complete, count, summary, model }: ObjectWatch): string {
    if (this.#closed) return "The file is closed.";
    if (!complete) return "Looking …";
    if (summary !== undefined) return `${counted(count, "object")}, too many to draw: added up by type`;
    let references = 0;
    for (const object of model.objects.values()) references += object.references.length;
    return `${counted(count, "object")}, ${counted(references, "reference")}`;
  }

  #viewButton(view: IommufdGraph["view"], text: string): TemplateResult {
    const pressed = this.view === view ? "true" : "false";
    return html`<button type="button" aria-pressed=${pressed} @click=${() => (this.view = view)}>${text}</button>`;
  }

  #graph(session: LabSession, watch: ObjectWatch): TemplateResult {
    const empty = watch.complete && watch.count === 0 && !this.#closed;
    const role = watch.count === 0 ? nothing : "listbox";
    const unfollow = (): void => void (this.#isFollowed = false);
    return html`<div class="scroll" tabindex="-1" @wheel=${unfollow} @pointerdown=${unfollow}>
      <svg
        class=${watch.count > 150 && watch.summary === undefined ? "arrows crowded" : "arrows"}
        aria-hidden="true"
      ></svg>
      <svg
        class="picture"
        role=${role}
        aria-label=${watch.count === 0 ? nothing : "Objects; arrow keys follow references and rows, Enter shows details"}
        @click=${(event: MouseEvent) => this.#onClick(event)}
        @keydown=${(event: KeyboardEvent) => this.#onKey(event)}
      ></svg>
      ${empty ? emptyState(session) : nothing}
    </div>`;
  }

  #table(session: LabSession, watch: ObjectWatch): TemplateResult {
    const select = (id: number): void => this.select(id);
    const { summary, model } = watch;
    if (watch.complete && watch.count === 0 && !this.#closed)
      return html`<div class="scroll table">${emptyState(session)}</div>`;
    return html`<div class="scroll table" tabindex="0" role="group" aria-label="Table of objects">
      ${
        summary === undefined
          ? objectTable(model.objects.values(), (id) => model.heldBy(id), this.selected, select)
          : summaryTable(summary, select)
      }
    </div>`;
  }

  #details(session: LabSession, watch: ObjectWatch, id: number): TemplateResult {
    const object = watch.summary === undefined ? watch.model.objects.get(id) : this.#inspected(session, id);
    const isReadable = object?.state === "live" && !this.#closed;
    const selection: Selection = {
      id,
      object,
      heldBy: watch.model.heldBy(id),
      history: watch.histories.of(id),
      payload: isReadable ? this.#payload.read(session.context, id) : undefined,
    };
    return details(selection, watch.summary !== undefined, {
      select: (next) => this.select(next),
      readPayload: () => {
        this.#payload.forget();
        this.requestUpdate();
      },
    });
  }

  #inspected(session: LabSession, id: number): Selection["object"] {
    return unlessClosed(() => session.context.inspect(id), undefined);
  }

  // -------------------------------------------------------------------------------------------------- acting

  #goTo(event: SubmitEvent): void {
    event.preventDefault();
    const input = this.renderRoot.querySelector<HTMLInputElement>("#wanted");
    if (input === null || !/^\d+$/.test(input.value)) return;
    this.select(Number(input.value));
    input.value = "";
  }

  #onClick(event: MouseEvent): void {
    const key = keyOf(event);
    if (key === undefined) return;
    this.#drawing?.drawing.picture.focus(key);
    this.#choose(key);
  }

  #onKey(event: KeyboardEvent): void {
    const key = keyOf(event);
    const picture = this.#drawing?.drawing.picture;
    if (key === undefined || picture === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Enter" || event.key === " ") this.#choose(key);
    else if (event.key === "Escape") this.select(undefined);
    else {
      const next = nextStop(picture.stops(), key, event.key);
      if (next === undefined && !/^(Arrow|Home$|End$)/.test(event.key)) return;
      if (next !== undefined) picture.focus(next);
    }
    event.preventDefault();
  }

  /** Selects an object; of a type, the first object. */
  #choose(key: number): void {
    const { summary } = this.#watch ?? {};
    if (summary === undefined) this.select(key);
    else this.select(summary.types.find(({ number }) => number === key)?.first[0]);
  }

  #reveal(id: number): void {
    const picture = this.#watch?.summary === undefined ? this.#drawing?.drawing.picture : undefined;
    const extent = picture?.extent(id);
    const scroll = this.#drawing?.svg.parentElement;
    if (extent === undefined || !scroll) return;
    if (extent.top < scroll.scrollTop) scroll.scrollTop = extent.top;
    if (extent.bottom > scroll.scrollTop + scroll.clientHeight) scroll.scrollTop = extent.bottom - scroll.clientHeight;
  }
}

/** The box in which something happened. */
function keyOf(event: Event): number | undefined {
  const box = event.target instanceof Element ? event.target.closest<SVGElement>("[data-key]") : null;
  return box?.dataset.key === undefined ? undefined : Number(box.dataset.key);
}

function legendTypes({ summary, model }: ObjectWatch): LegendType[] {
  const types = summary?.types ?? [...model.objects.values()].map(({ type }) => type);
  const short = shortNames(types);
  const byNumber = new Map(types.map(({ name, number }) => [number, { name, number, short: short.get(name) ?? name }]));
  return [...byNumber.values()].sort((a, b) => a.number - b.number);
}

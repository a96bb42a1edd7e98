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
// shown and it is scrolled into view (../frame-loop.ts), at most once in an animation frame, seldom when nothing happens, and for no more than a fixed share of
// the time (scan.ts). Looking disturbs no object but the selected one (payload.ts). The picture is changed by hand and at once
// (drawing.ts), the texts around it by lit and a few times a second; layouts come from a worker when they are ready.

import { type TemplateResult, html, nothing } from "lit";
import { isClosedFile, unlessClosed } from "../closed-file.js";
import { LabElement } from "../lab-element.js";
import type { LabSession } from "../session.js";
import { theme } from "../theme.js";
import { type View, renderBar } from "./bar.js";
import { type Selection, details } from "./details.js";
import { emptyState } from "./empty-state.js";
import { FrameLoop } from "../frame-loop.js";
import { legend, legendTypes } from "./legend.js";
import { nextStop } from "./navigation.js";
import { type Finding, ObjectWatch } from "./object-watch.js";
import { PayloadReader } from "./payload.js";
import { pictureStyles } from "./picture-styles.js";
import { Stage } from "./stage.js";
import { graphStyles } from "./styles.js";
import { objectTable, summaryTable } from "./tables.js";
import { textStyles } from "./text-styles.js";

/** Least milliseconds between two renderings of what is around the picture. */
const TEXT_MS = 250;
/** What an interaction is charged with, so that no look falls into the frame that shows what it did. */
const INTERACTION_MS = 15;
/** The live object graph of a file. */
export class IommufdGraph extends LabElement {
  static override styles = [theme, graphStyles, pictureStyles, textStyles];
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
  declare view: View;

  readonly #payload = new PayloadReader();
  readonly #stage = new Stage(() => this.#onPlaced());
  #watch: ObjectWatch | undefined;
  #loop: FrameLoop | undefined;
  #textStale = false;
  #textTime = -Infinity;
  #closed = false;
  #isRepainted = false;
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
    this.#stage.follow(id);
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
      () => this.#watch?.isAmid ?? false,
      (milliseconds) => this.#watch?.charge(milliseconds),
    );
    this.#loop = loop;
    this.#begin(session);
    return () => {
      session.removeEventListener("context", begin);
      loop.stop();
      this.#stage.clear();
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
    const changed = this.#stage.tick(now) || this.#isRepainted;
    this.#isRepainted = false;
    if (!this.#textStale || now - this.#textTime < TEXT_MS) return changed;
    this.#textStale = false;
    this.#textTime = now;
    this.requestUpdate();
    return true;
  }

  #take(finding: Finding): void {
    this.#isRepainted = true;
    const { drawing } = this.#stage;
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
    return html`${renderBar({
        watch,
        closed: this.#closed,
        view: this.view,
        select: (id) => this.select(id),
        show: (view) => (this.view = view),
      })}
      <div class=${selected === undefined ? "columns" : "columns with-details"}>
        ${this.view === "graph" ? this.#graph(session, watch) : this.#table(session, watch)}
        ${selected === undefined ? nothing : this.#details(session, watch, selected)}
      </div>
      ${legend(legendTypes(watch), this.view === "graph" && this.#stage.drawing?.detail === "chip")}`;
  }

  protected override updated(): void {
    const watch = this.#watch;
    this.#stage.set(this.renderRoot, watch);
    this.#stage.drawing?.picture.select(watch?.summary === undefined ? this.selected : undefined);
  }

  #onPlaced(): void {
    this.#isRepainted = true;
    this.#textStale = true;
    this.#loop?.wake();
  }

  #graph(session: LabSession, watch: ObjectWatch): TemplateResult {
    const empty = watch.complete && watch.count === 0 && !this.#closed;
    const role = watch.count === 0 ? nothing : "listbox";
    const unfollow = (): void => this.#stage.unfollow();
    return html`<div class="scroll" tabindex="-1" @wheel=${unfollow} @pointerdown=${unfollow}>
      <div class="sheet">
        <svg
          class=${watch.count > 150 && watch.summary === undefined ? "arrows crowded" : "arrows"}
          aria-hidden="true"
        ></svg>
        <div
          class="picture"
          role=${role}
          aria-label=${watch.count === 0 ? nothing : "Objects; arrow keys follow references and rows, Enter shows details"}
          @click=${(event: MouseEvent) => this.#onClick(event)}
          @keydown=${(event: KeyboardEvent) => this.#onKey(event)}
        ></div>
      </div>
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

  #onClick(event: MouseEvent): void {
    const key = keyOf(event);
    if (key === undefined) return;
    this.#stage.drawing?.picture.focus(key);
    this.#choose(key);
  }

  #onKey(event: KeyboardEvent): void {
    const key = keyOf(event);
    const picture = this.#stage.drawing?.picture;
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
}

/** The box in which something happened. */
function keyOf(event: Event): number | undefined {
  const box = event.target instanceof Element ? event.target.closest<SVGElement>("[data-key]") : null;
  return box?.dataset.key === undefined ? undefined : Number(box.dataset.key);
}

// SPDX-License-Identifier: GPL-2.0-only
//
// <iommufd-iova>: the IOVAs of an address space, and what is mapped where.
//
//   attribute/property ioas-id, ioasId   which address space; the file's first one unless set
//   method show(first, last)             brings these IOVAs into sight (bigint)
//   event iommufd-ioas                   the reader chose another one: detail { id }; bubbles, crosses shadow roots
//   event iommufd-example                may be prevented: see example.ts
//
// Areas change by calls of any thread, and nothing announces it, so the element looks, while somebody can see it (../frame-loop.ts), for no
// more than a fixed share of the time (../scan.ts). It disturbs nothing. What is in sight follows the areas until the reader moves or zooms.
//
// Address spaces are mainline's. An element without a `session` takes the page's shared one of that profile.

import { type PropertyValues, type TemplateResult, html, nothing } from "lit";
import { type Ioas, IommufdError } from "../../index.js";
import { isClosedFile } from "../closed-file.js";
import { FrameLoop } from "../frame-loop.js";
import { LabElement } from "../lab-element.js";
import { LabSession } from "../session.js";
import { theme } from "../theme.js";
import { tablePage, tableView } from "./area-table.js";
import { AreaWatch } from "./area-watch.js";
import { barView, controlsView, MOVE, type View, ZOOM } from "./bar.js";
import { type Drawn, drawn } from "./columns.js";
import { emptyView } from "./example.js";
import { segmentAt } from "./folded-scale.js";
import { Gestures } from "./gestures.js";
import { legendView } from "./legend.js";
import { minimapView } from "./minimap.js";
import { pictureStyles } from "./picture-styles.js";
import { laneNames, ribbonView } from "./ribbon.js";
import { otherPlaces, type Place, spacesOf } from "./spaces.js";
import { rangeOf, type Spot, spotAt, spotInWords, spotView } from "./spot.js";
import { iovaStyles } from "./styles.js";
import { counted, hex, lengthInWords } from "./texts.js";
import * as sight from "./window.js";

/** Least milliseconds between two looks for address spaces. */
const SPACES_MS = 250;
/** What an interaction is charged with, so that no look falls into the frame that shows what it did. */
const INTERACTION_MS = 15;
/** Pixels of a ribbon that has not been measured. */
const FIRST_WIDTH = 320;

/** The IOVA space of an IOAS. */
export class IommufdIova extends LabElement {
  static override styles = [theme, iovaStyles, pictureStyles];
  static override properties = {
    ...LabElement.properties,
    ioasId: { type: Number, attribute: "ioas-id", reflect: true },
    view: { state: true },
    window: { state: true },
    cursor: { state: true },
    hovered: { state: true },
    width: { state: true },
    failure: { state: true },
    tableFrom: { state: true },
  };

  /** Which address space is wanted; undefined: the file's first one. */
  declare ioasId: number | undefined;
  declare view: View;
  /** What is in sight. */
  declare window: sight.IovaWindow;
  /** The IOVA that the reader chose. */
  declare cursor: bigint | undefined;
  /** The IOVA under the pointer. */
  declare hovered: bigint | undefined;
  /** Pixels of the ribbon. */
  declare width: number;
  /** What the example came to. */
  declare failure: string | undefined;
  /** Where the table's page begins. */
  declare tableFrom: bigint;

  #watch: AreaWatch | undefined;
  #ioas: Ioas | undefined;
  #drawn: { readonly window: sight.IovaWindow; readonly width: number; readonly shapes: Drawn } | undefined;
  #ids: readonly number[] = [];
  #idsTime = -Infinity;
  /** What was wanted at that time. */
  #wanted: number | undefined;
  #ended: string | undefined;
  /** Whether what is in sight follows the areas. */
  #follows = true;
  readonly #resized = new ResizeObserver(([entry]) => {
    this.width = Math.max(Math.floor(entry?.contentRect.width ?? FIRST_WIDTH), 1);
  });
  #measured: Element | undefined;
  readonly #gestures = new Gestures({
    zoom: (factor, place) => this.#zoom(factor, place),
    move: (fraction) => this.#look(sight.moved(this.window, fraction)),
    choose: (place) => (this.cursor = sight.iovaAt(this.window, place)),
    hover: (place) => (this.hovered = place === undefined ? undefined : sight.iovaAt(this.window, place)),
  });

  constructor() {
    super();
    this.ioasId = undefined;
    this.view = "ribbon";
    this.window = sight.WHOLE;
    this.cursor = undefined;
    this.hovered = undefined;
    this.width = FIRST_WIDTH;
    this.failure = undefined;
    this.tableFrom = 0n;
    // What the reader does is shown before what the kernel does.
    for (const type of ["keydown", "pointerdown", "pointerup", "wheel"]) {
      this.addEventListener(type, () => this.#watch?.charge(INTERACTION_MS), { passive: true });
    }
  }

  /** Brings IOVAs from `first` to the inclusive `last` into sight, with some room around them. */
  show(first: bigint, last: bigint): void {
    this.#look(sight.fitted(first, last));
  }

  protected override sharedSession(): Promise<LabSession> {
    return LabSession.shared("mainline");
  }

  protected override connectSession(session: LabSession): () => void {
    if (session.iommufd.abi !== "mainline") return () => undefined;
    const begin = (): void => this.#begin(undefined);
    session.addEventListener("context", begin);
    const loop = new FrameLoop(
      this,
      () => this.#onFrame(session),
      () => this.#watch?.isAmid ?? false,
      (milliseconds) => this.#watch?.charge(milliseconds),
    );
    this.#ids = [];
    begin();
    return () => {
      session.removeEventListener("context", begin);
      loop.stop();
    };
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#resized.disconnect();
    this.#measured = undefined;
  }

  protected override updated(changed: PropertyValues): void {
    super.updated(changed);
    const strip = this.renderRoot.querySelector(".strip") ?? undefined;
    if (strip === this.#measured) return;
    this.#resized.disconnect();
    this.#measured = strip;
    if (strip !== undefined) this.#resized.observe(strip);
  }

  // -------------------------------------------------------------------------------------------------- looking

  /** Shows that address space from the beginning. */
  #begin(ioas: Ioas | undefined): void {
    this.#ioas = ioas;
    this.#watch = ioas === undefined ? undefined : new AreaWatch(ioas, () => performance.now());
    this.#drawn = undefined;
    this.#ended = undefined;
    this.#idsTime = -Infinity;
    this.#follows = true;
    this.window = sight.WHOLE;
    this.cursor = undefined;
    this.hovered = undefined;
    this.tableFrom = 0n;
    this.requestUpdate();
  }

  #onFrame(session: LabSession): boolean {
    try {
      const changed = this.#findSpaces(session) || this.#watch?.step() === true;
      if (changed) {
        this.#drawn = undefined;
        if (this.#follows) this.#fit();
        this.requestUpdate();
      }
      return changed;
    } catch (error) {
      return this.#onLost(error);
    }
  }

  /** Now and then: which address spaces there are, and whether another one is to be shown. Returns whether anything is different. */
  #findSpaces({ context }: LabSession): boolean {
    const now = performance.now();
    const wanted = this.ioasId;
    if (now - this.#idsTime < SPACES_MS && wanted === this.#wanted) return false;
    const ids = spacesOf(context);
    const changed = ids.length !== this.#ids.length || ids.some((id, at) => id !== this.#ids[at]);
    this.#ids = ids;
    const shown = this.#ioas?.id;
    const isGone = shown !== undefined && !ids.includes(shown) && openedOf(context, shown) === undefined;
    const id = wanted ?? (shown === undefined || isGone ? ids[0] : shown);
    const isSettled = id === shown && !isGone;
    const next = isSettled || id === undefined ? undefined : openedOf(context, id);
    const ended = next === undefined && id !== undefined ? endOf(id) : undefined;
    if (!isSettled && (next !== undefined || shown !== undefined || ended !== this.#ended)) {
      this.#begin(next);
      this.#ended = ended;
    }
    this.#idsTime = now;
    this.#wanted = wanted;
    return changed || !isSettled;
  }

  /** The file, or the address space, went while it was looked at. */
  #onLost(error: unknown): boolean {
    if (!(error instanceof IommufdError)) throw error;
    const ended = isClosedFile(error)
      ? "The file is closed."
      : error.code === "ENOENT"
        ? endOf(this.#ioas?.id ?? 0)
        : `It cannot be read: ${error.message}`;
    if (this.#ioas === undefined && this.#ended === ended) return false;
    this.#begin(undefined);
    this.#ended = ended;
    return true;
  }

  // ------------------------------------------------------------------------------------------------- what is in sight

  #fit(): void {
    const extent = this.#watch?.extent;
    this.window = extent === undefined ? sight.WHOLE : sight.fitted(extent.start, extent.last);
  }

  #look(window: sight.IovaWindow): void {
    this.#follows = false;
    this.window = window;
    this.hovered = undefined;
  }

  #zoom(factor: number, place?: number): boolean {
    const before = this.window;
    const at = place ?? this.#cursorPlace();
    const after = sight.zoomed(before, factor, at);
    if (after.span === before.span) return false;
    this.#look(after);
    return true;
  }

  /** Where keys and buttons zoom: at what was chosen, if it is in sight. */
  #cursorPlace(): number {
    const { cursor, window } = this;
    return cursor === undefined || !sight.shows(window, cursor) ? 0.5 : sight.fractionOf(window, cursor);
  }

  /** Chooses the next area, or the one before, and brings it into sight. */
  #step(direction: 1 | -1): void {
    const store = this.#watch?.store;
    if (store === undefined || store.count === 0) return;
    const { cursor } = this;
    let index: number;
    if (cursor === undefined) index = direction > 0 ? 0 : store.count - 1;
    else if (direction > 0) index = store.indexBehind(cursor);
    else index = store.indexFrom(cursor) - 1;
    index = Math.min(Math.max(index, 0), store.count - 1);
    const [start, last] = [store.starts[index] ?? 0n, store.lasts[index] ?? 0n];
    this.cursor = start;
    this.hovered = undefined;
    const { window } = this;
    // A window that shows it well stays: the reader sees how far it is from the one before.
    const wide = (sight.fractionOf(window, last + 1n) - sight.fractionOf(window, start)) * this.width;
    if (!sight.shows(window, start) || !sight.shows(window, last) || wide < 1) this.show(start, last);
  }

  /** Brings what was chosen into sight, or all areas. */
  #enter(): void {
    const spot = this.#spot(this.cursor);
    if (spot === undefined) return;
    const { start, last } = rangeOf(spot);
    this.show(start, last);
  }

  #choosePlace({ id, start }: Place): void {
    if (id !== this.#ioas?.id) this.#chooseSpace(id);
    this.cursor = start;
  }

  #chooseSpace(id: number): void {
    const { session } = this;
    if (session === undefined) return;
    this.ioasId = id;
    try {
      this.#findSpaces(session);
    } catch (error) {
      this.#onLost(error);
    }
    this.dispatchEvent(new CustomEvent("iommufd-ioas", { detail: { id }, bubbles: true, composed: true }));
  }

  readonly #onKey = (event: KeyboardEvent): void => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const act = {
      ArrowLeft: () => this.#look(sight.moved(this.window, -MOVE)),
      ArrowRight: () => this.#look(sight.moved(this.window, MOVE)),
      "+": () => this.#zoom(1 / ZOOM),
      "=": () => this.#zoom(1 / ZOOM),
      "-": () => this.#zoom(ZOOM),
      Home: () => this.#look(sight.clamped(0n, this.window.span)),
      End: () => this.#look(sight.clamped(sight.SPACE, this.window.span)),
      PageDown: () => this.#step(1),
      PageUp: () => this.#step(-1),
      Enter: () => this.#enter(),
      Escape: () => (this.cursor = undefined),
    }[event.key];
    if (act === undefined) return;
    act();
    event.preventDefault();
  };

  readonly #onWhole = (event: MouseEvent): void => {
    const { left, width } = (event.currentTarget as Element).getBoundingClientRect();
    const segment = segmentAt(this.#watch?.scale ?? [], (event.clientX - left) / width);
    if (segment !== undefined) this.show(segment.start, segment.last);
  };

  // -------------------------------------------------------------------------------------------------- rendering

  protected override renderSession(session: LabSession): TemplateResult {
    if (session.iommufd.abi !== "mainline") {
      return html`<p class="plain" role="status">
        This kernel has no address spaces: it has the rfc profile. One of
        <code>Iommufd.create({ abi: "mainline" })</code>
        has them.
      </p>`;
    }
    const ioas = this.#ioas;
    const watch = this.#watch;
    return html`${barView({
      id: ioas?.id ?? this.ioasId,
      ids: this.#ids,
      watch,
      ended: this.#ended,
      total: watch?.complete === false ? this.#total() : 0,
      view: this.view,
      choose: (id) => this.#chooseSpace(id),
      show: (view) => (this.view = view),
    })}
    ${
      ioas === undefined || watch === undefined
        ? this.#nothing(session)
        : this.view === "ribbon"
          ? this.#ribbon(session, ioas, watch)
          : this.#table(ioas, watch)
    }`;
  }

  #nothing(session: LabSession): TemplateResult {
    const offers = this.#ended === undefined || (this.#ids.length === 0 && this.#ended !== "The file is closed.");
    return html`${offers ? emptyView(session, (problem) => (this.failure = problem)) : nothing}
    ${this.failure === undefined ? nothing : html`<p class="problem" role="alert">${this.failure}</p>`}`;
  }

  #ribbon(session: LabSession, ioas: Ioas, watch: AreaWatch): TemplateResult {
    const { window, width } = this;
    const shapes = this.#shapes(watch);
    const spot = this.#spot(this.hovered ?? this.cursor);
    const chosen = this.#spot(this.cursor);
    const last = sight.lastOf(window);
    return html`${controlsView({
        follows: this.#follows,
        hasAreas: watch.store.count > 0,
        zoom: (factor) => this.#zoom(factor),
        move: (fraction) => this.#look(sight.moved(this.window, fraction)),
        step: (direction) => this.#step(direction),
        fit: () => {
          this.#follows = true;
          this.#fit();
          this.requestUpdate();
        },
        whole: () => this.#look(sight.WHOLE),
      })}
      <div class="pictures">
        <div class="whole" title="The whole space, holes folded: a click shows that part" @click=${this.#onWhole}>
          ${minimapView(watch.scale, window, width)}
        </div>
        <p class="sight-text">
          <span><code>${hex(window.first)}</code> … <code>${hex(last)}</code></span>
          <span class="muted">${lengthInWords(window.span)} in sight, ${counted(shapes.count, "area")}</span>
        </p>
        <div class="lanes">
          ${laneNames()}
          <div
            class="strip"
            role="application"
            tabindex="0"
            aria-label=${`Ribbon of IOAS ${ioas.id}`}
            aria-describedby="keys"
            @keydown=${this.#onKey}
            @wheel=${this.#gestures.wheel}
            @pointerdown=${this.#gestures.down}
            @pointermove=${this.#gestures.moved}
            @pointerup=${this.#gestures.up}
            @pointercancel=${this.#gestures.up}
            @pointerleave=${this.#gestures.leave}
          >
            ${ribbonView({ watch, window, width, drawn: shapes, chosen: chosen && rangeOf(chosen) })}
          </div>
        </div>
        <p id="keys" class="visually-hidden">
          Arrows move, plus and minus zoom, Home and End go to the ends. Page down and page up go from area to area,
          Enter brings it into sight, Escape lets it go.
        </p>
      </div>
      <div class="spot" role="group" aria-label="What is there">
        ${
          spot === undefined
            ? html`<p class="muted">
                Point at the ribbon, or go from area to area: what is there is told here. A wheel or two fingers zoom, a
                drag moves.
              </p>`
            : spotView(spot, this.#places(session, spot), (place) => this.#choosePlace(place))
        }
      </div>
      <p class="visually-hidden" role="status">${chosen === undefined ? "" : spotInWords(chosen)}</p>
      ${legendView(shapes.kind === "sums")}`;
  }

  /** Made once for what is in sight, however often the pointer moves over it. */
  #shapes({ store }: AreaWatch): Drawn {
    const { window, width } = this;
    const before = this.#drawn;
    if (before?.window === window && before.width === width) return before.shapes;
    const shapes = drawn(store, window, width);
    this.#drawn = { window, width, shapes };
    return shapes;
  }

  #table(ioas: Ioas, watch: AreaWatch): TemplateResult {
    const page = this.#ifThere(() => tablePage(ioas, watch, this.tableFrom));
    if (page === undefined) return html``;
    return tableView(
      page,
      this.tableFrom,
      (iova) => {
        this.view = "ribbon";
        this.cursor = iova;
        this.#enter();
      },
      (from) => (this.tableFrom = from),
    );
  }

  #spot(iova: bigint | undefined): Spot | undefined {
    const [ioas, watch] = [this.#ioas, this.#watch];
    if (iova === undefined || ioas === undefined || watch === undefined) return undefined;
    return this.#ifThere(() => spotAt(ioas, watch, iova));
  }

  /** For what was chosen only: it is a longer search. */
  #places({ context }: LabSession, spot: Spot): readonly Place[] {
    const ioas = this.#ioas;
    if (spot.kind !== "area" || spot.area.shared < 2 || this.hovered !== undefined || ioas === undefined) return [];
    return this.#ifThere(() => otherPlaces(context, this.#ids, ioas.id, spot.area)) ?? [];
  }

  #total(): number {
    return this.#ifThere(() => this.#ioas?.areaCount) ?? 0;
  }

  /** What `look` finds; undefined when file or address space is gone, which the next frame says. */
  #ifThere<T>(look: () => T): T | undefined {
    try {
      return look();
    } catch (error) {
      if (error instanceof IommufdError) return undefined;
      throw error;
    }
  }
}

/** Nothing for an object of another type. */
function openedOf(context: LabSession["context"], id: number): Ioas | undefined {
  try {
    return context.ioas(id);
  } catch (error) {
    if (error instanceof IommufdError && error.code === "ENOENT") return undefined;
    throw error;
  }
}

function endOf(id: number): string {
  return `IOAS ${id} is not there.`;
}

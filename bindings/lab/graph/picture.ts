// SPDX-License-Identifier: GPL-2.0-only
//
// The graph as SVG, changed by hand: an element of a box lives as long as its object, and a frame touches only what differs.
//
// All arrows are two paths (lines and heads), and those of the selected box two more over them, because hundreds of elements that
// change in every frame cost more than one long path. Boxes share SVGs by the score, wherever they are: when a box changes, browsers go
// through all of the SVG that it is in, and through no other. The arrows lie in an element of their own under the boxes, so that a box that
// changes is painted without them. A box is drawn once an arrangement has a place for it and nothing moves any more; how boxes come, go
// and move is in motion.ts. With reduced motion, all of that happens at once.
//
// Invariants: exactly one box can be reached by Tab, if there is any (roving focus). Boxes glide towards their places in the last
// arrangement, all since it was taken.

import type { Arrangement, Bend, Place } from "./arrange.js";
import { BOX, type Card, type Link } from "./cards.js";
import { Arrows } from "./arrows.js";
import { CardView } from "./card-view.js";
import { FADE_MS, MOVE_MS, freeWays, isMotionReduced, meet } from "./motion.js";
import type { Stop } from "./navigation.js";

/** Where there are more boxes, they move at once: to paint so many in every frame would take too long. */
const MOST_GLIDING = 120;

/** When a frame took longer, boxes that move arrive at once. */
const SLOW_FRAME_MS = 70;

const RING_ROOM = 10;

const SVG = "http://www.w3.org/2000/svg";

/** Boxes in one SVG. */
const MOST_IN_BAND = 20;

/** The SVGs' heights are multiples of this, in CSS pixels, and so seldom change. */
const HEIGHT_STEP = 1024;

/** What is drawn. */
export class GraphPicture {
  readonly #ground: SVGSVGElement;
  readonly #arrows: Arrows;
  readonly #boxes: HTMLElement;
  readonly #bands: SVGSVGElement[] = [];
  #size: Readonly<Record<"width" | "height", string>> = { width: "0", height: "0" };
  readonly #views = new Map<number, CardView>();
  /** Boxes that fade, oldest first. */
  readonly #leaving: { readonly view: CardView; readonly until: number }[] = [];
  #cards: ReadonlyMap<number, Card> = new Map();
  #links: readonly Link[] = [];
  /** Of the last arrangement; only of boxes that have been there since. */
  #places = new Map<number, Place>();
  #bends: readonly Bend[] = [];
  #gliding = new Set<CardView>();
  #selected: number | undefined;
  #stop: number | undefined;
  #arrowsStale = true;
  #ticked = -Infinity;

  /** Draws into two empty elements, one above the other, the second one in a sheet that is cut to size. */
  constructor(arrows: SVGSVGElement, boxes: HTMLElement) {
    this.#ground = arrows;
    this.#boxes = boxes;
    this.#arrows = new Arrows(arrows);
  }

  /** The box that Tab reaches. */
  get stop(): number | undefined {
    return this.#stop;
  }

  /** Whether the last arrangement has a place for everything there is. */
  get isPlaced(): boolean {
    return this.#cards.size === this.#places.size;
  }

  /** When the last box has faded, in milliseconds of `performance.now()`; in the past when none fades. */
  get fadedAt(): number {
    return this.#leaving.at(-1)?.until ?? -Infinity;
  }

  /** Takes what there is. */
  show(cards: ReadonlyMap<number, Card>, links: readonly Link[], now: number): void {
    this.#cards = cards;
    // An ID that is given again is another object, which has to wait for a place of its own.
    for (const key of this.#places.keys()) if (!cards.has(key)) this.#places.delete(key);
    this.#links = links;
    this.#arrowsStale = true;
    this.#reconcile(now);
  }

  /** Takes one card again, whose object changed. */
  refresh(card: Card): void {
    this.#views.get(card.key)?.update(card);
  }

  /** Takes where everything goes. Returns when all of it is there, in milliseconds of `performance.now()`. */
  place({ width, height, places, bends }: Arrangement, now: number): number {
    this.#places = new Map(places.filter(({ id }) => this.#cards.has(id)).map(({ id, x, y }) => [id, { x, y }]));
    this.#bends = bends;
    this.#arrowsStale = true;
    this.#resize(width, Math.ceil(height));
    const isStill = this.#views.size > MOST_GLIDING || isMotionReduced();
    this.#setOut(now, isStill);
    const hasNew = this.#places.size > this.#views.size;
    this.#reconcile(now);
    return now + (this.#gliding.size > 0 ? MOVE_MS : 0) + (hasNew && !isStill ? FADE_MS : 0);
  }

  /** What the SVGs stand in cuts them to what is used: when an SVG itself becomes taller, browsers lay out each of its texts anew. */
  #resize(width: number, height: number): void {
    const sheet = this.#boxes.parentElement;
    if (sheet !== null) {
      sheet.style.inlineSize = `${width}px`;
      sheet.style.blockSize = `${height}px`;
    }
    this.#size = { width: `${width}`, height: `${Math.ceil(height / HEIGHT_STEP) * HEIGHT_STEP}` };
    for (const svg of [this.#ground, ...this.#bands]) this.#fit(svg);
  }

  #fit(svg: SVGSVGElement): void {
    for (const [name, value] of Object.entries(this.#size)) {
      if (svg.getAttribute(name) !== value) svg.setAttribute(name, value);
    }
  }

  /** Where there is room for a box more. */
  #bandWithRoom(): SVGSVGElement {
    let band = this.#bands.find(({ childElementCount }) => childElementCount < MOST_IN_BAND);
    if (band === undefined) {
      band = this.#boxes.ownerDocument.createElementNS(SVG, "svg");
      band.setAttribute("class", "band");
      band.setAttribute("role", "presentation");
      this.#fit(band);
      this.#boxes.append(band);
      this.#bands.push(band);
    }
    return band;
  }

  /** Sends all boxes to their places, at once or along the ways that are free. */
  #setOut(now: number, isStill: boolean): void {
    for (const view of this.#gliding) view.glide(Infinity);
    this.#gliding.clear();
    const views = [...this.#views.values()];
    const ways = views.map(({ card: { key }, at }) => ({ from: at, to: this.#places.get(key) ?? at }));
    const size = BOX[views[0]?.card.detail ?? "card"];
    const free = isStill ? [] : freeWays(ways, size);
    views.forEach((view, index) => {
      const { to } = ways[index] ?? { to: view.at };
      if (view.isHeadedFor(to)) return;
      view.goTo(to, now, free[index] === true ? MOVE_MS : 0);
      if (!view.glide(now)) this.#gliding.add(view);
    });
    // What has not faded yet gives way.
    const paths = ways.map((way, index) => (free[index] === true ? way : { from: way.to, to: way.to }));
    for (const place of this.#places.values()) paths.push({ from: place, to: place });
    for (const { view } of this.#leaving) {
      if (paths.some((path) => meet(path, { from: view.at, to: view.at }, size))) view.remove();
    }
  }

  /** Goes on with what moves; to be called in each frame. Returns whether anything changed. */
  tick(now: number): boolean {
    // Where frames take long, the rest of the way is skipped.
    const then = now - this.#ticked > SLOW_FRAME_MS ? Infinity : now;
    this.#ticked = now;
    while (this.#leaving[0] !== undefined && this.#leaving[0].until <= now) {
      const { view } = this.#leaving.shift() ?? {};
      if (view === undefined) break;
      view.remove();
      this.#gliding.delete(view);
    }
    if (this.#gliding.size > 0) {
      this.#arrowsStale = true;
      for (const view of this.#gliding) if (view.glide(then)) this.#gliding.delete(view);
      if (this.#gliding.size === 0) this.#reconcile(now);
    }
    if (!this.#arrowsStale) return false;
    this.#drawArrows();
    return true;
  }

  /** Marks the selected box. */
  select(key: number | undefined): void {
    if (key === this.#selected) return;
    if (this.#selected !== undefined) this.#views.get(this.#selected)?.setSelected(false);
    this.#selected = key;
    const view = key === undefined ? undefined : this.#views.get(key);
    view?.setSelected(true);
    if (view !== undefined && key !== undefined) this.#setStop(key);
    // Stale arrows are drawn in the next frame, the selected ones among them.
    if (!this.#arrowsStale) this.#arrows.select(key);
  }

  /** Makes a box the one that Tab reaches, and moves the focus there. */
  focus(key: number): void {
    this.#setStop(key);
    this.#views.get(key)?.element.focus();
  }

  /** The boxes as the arrow keys see them. */
  stops(): Stop[] {
    const holds = new Map<number, number[]>();
    const heldBy = new Map<number, number[]>();
    for (const { from, to } of this.#links) {
      listAt(holds, from).push(to);
      listAt(heldBy, to).push(from);
    }
    return [...this.#views].map(([id, { target }]) => ({
      id,
      x: target.x,
      y: target.y,
      holds: holds.get(id) ?? [],
      heldBy: heldBy.get(id) ?? [],
    }));
  }

  /** Upper and lower edge of a box's place, with room for its ring. */
  extent(key: number): { top: number; bottom: number } | undefined {
    const card = this.#cards.get(key);
    const place = this.#places.get(key);
    if (card === undefined || place === undefined) return undefined;
    const half = BOX[card.detail].height / 2 + RING_ROOM;
    return { top: place.y - half, bottom: place.y + half };
  }

  /** Takes everything away at once. */
  clear(): void {
    for (const view of this.#views.values()) view.remove();
    for (const { view } of this.#leaving.splice(0)) view.remove();
    this.#views.clear();
    this.#gliding.clear();
    this.#cards = new Map();
    this.#links = [];
    this.#places = new Map();
    this.#bends = [];
    this.#stop = undefined;
    this.#drawArrows();
  }

  #reconcile(now: number): void {
    let hadFocus: Place | undefined;
    const still = isMotionReduced();
    for (const [key, view] of this.#views) {
      if (this.#cards.has(key)) continue;
      if (view.isFocused()) hadFocus = view.target;
      this.#views.delete(key);
      if (key === this.#stop) this.#stop = undefined;
      if (still) {
        view.remove();
        this.#gliding.delete(view);
      } else {
        // It goes on to its place: where it is now, another box may be about to pass.
        view.leave();
        this.#leaving.push({ view, until: now + FADE_MS });
      }
    }
    for (const [key, card] of this.#cards) {
      const view = this.#views.get(key);
      const place = this.#places.get(key);
      if (view !== undefined) view.update(card);
      else if (place !== undefined && this.#gliding.size === 0) this.#add(card, place);
    }
    this.#keepStop(hadFocus);
  }

  #add(card: Card, place: Place): void {
    const view = new CardView(this.#boxes.ownerDocument, card, place);
    view.setSelected(card.key === this.#selected);
    this.#bandWithRoom().append(view.element);
    this.#views.set(card.key, view);
    if (card.key === this.#selected) this.#setStop(card.key);
    this.#arrowsStale = true;
  }

  /** After boxes came and went: one is the stop, and a focus that was on a vanished one goes to the nearest. */
  #keepStop(hadFocus: Place | undefined): void {
    if (this.#stop === undefined) {
      const distance = ({ target: { x, y } }: CardView): number =>
        hadFocus === undefined ? y * 1e5 + x : Math.hypot(x - hadFocus.x, y - hadFocus.y);
      let nearest: CardView | undefined;
      for (const view of this.#views.values()) {
        if (nearest === undefined || distance(view) < distance(nearest)) nearest = view;
      }
      if (nearest !== undefined) this.#setStop(nearest.card.key);
    }
    if (hadFocus === undefined) return;
    if (this.#stop !== undefined) this.focus(this.#stop);
    else this.#boxes.closest<HTMLElement>(".scroll")?.focus();
  }

  #setStop(key: number): void {
    if (this.#stop !== undefined) this.#views.get(this.#stop)?.setStop(false);
    this.#stop = key;
    this.#views.get(key)?.setStop(true);
  }

  #drawArrows(): void {
    this.#arrowsStale = false;
    this.#arrows.draw(this.#links, this.#views, this.#bends);
    this.#arrows.select(this.#selected);
  }
}

function listAt(map: Map<number, number[]>, key: number): number[] {
  let list = map.get(key);
  if (list === undefined) map.set(key, (list = []));
  return list;
}

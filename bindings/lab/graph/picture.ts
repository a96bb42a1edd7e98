// SPDX-License-Identifier: GPL-2.0-only
//
// The graph as SVG, changed by hand: an element of a box lives as long as its object, and a frame touches only what differs.
//
// All arrows are four paths (lines and heads, of the selected box and of the others), because hundreds of elements that
// change in every frame cost more than one long path. They lie in an element of their own under the boxes, so that a box that
// changes is painted without them. A box is drawn once an arrangement has a place for it; one that
// vanished fades where it was; one that moved glides. With reduced motion, all of that happens at once.
//
// Invariant: exactly one box can be reached by Tab, if there is any (roving focus).

import type { Arrangement, Bend, Place } from "./arrange.js";
import { BOX, type Card, type Link } from "./cards.js";
import { Arrows } from "./arrows.js";
import { CardView } from "./card-view.js";
import type { Stop } from "./navigation.js";

/** A move, or a fading, in milliseconds. */
export const MOTION_MS = 320;
/** Where there are more boxes, they move at once: to paint so many in every frame would take too long. */
const MOST_GLIDING = 120;

/** When a frame took longer, boxes that move arrive at once. */
const SLOW_FRAME_MS = 70;

const RING_ROOM = 10;

/** What is drawn. */
export class GraphPicture {
  readonly #ground: SVGSVGElement;
  readonly #arrows: Arrows;
  readonly #boxes: SVGSVGElement;
  readonly #views = new Map<number, CardView>();
  readonly #leaving: { readonly view: CardView; readonly until: number }[] = [];
  #cards: ReadonlyMap<number, Card> = new Map();
  #links: readonly Link[] = [];
  #places: ReadonlyMap<number, Place> = new Map();
  #bends: readonly Bend[] = [];
  #gliding = new Set<CardView>();
  #selected: number | undefined;
  #stop: number | undefined;
  #arrowsStale = true;
  #ticked = -Infinity;

  /** Draws into two empty elements, one above the other. */
  constructor(arrows: SVGSVGElement, boxes: SVGSVGElement) {
    this.#ground = arrows;
    this.#boxes = boxes;
    this.#arrows = new Arrows(arrows);
  }

  /** The box that Tab reaches. */
  get stop(): number | undefined {
    return this.#stop;
  }

  /** How many boxes are drawn. */
  get size(): number {
    return this.#views.size;
  }

  /** Takes what there is. */
  show(cards: ReadonlyMap<number, Card>, links: readonly Link[], now: number): void {
    this.#cards = cards;
    this.#links = links;
    this.#arrowsStale = true;
    this.#reconcile(now);
  }

  /** Takes one card again, whose object changed. */
  refresh(card: Card): void {
    this.#views.get(card.key)?.update(card);
  }

  /** Takes where everything goes. */
  place({ width, height, places, bends }: Arrangement, now: number): void {
    this.#places = new Map(places.map(({ id, x, y }) => [id, { x, y }]));
    this.#bends = bends;
    this.#arrowsStale = true;
    for (const svg of [this.#ground, this.#boxes]) {
      svg.setAttribute("width", `${width}`);
      svg.setAttribute("height", `${Math.ceil(height)}`);
    }
    const moved = [...this.#views].filter(([key, view]) => {
      const place = this.#places.get(key);
      return place !== undefined && !view.isHeadedFor(place);
    });
    const glide = this.#views.size <= MOST_GLIDING && !isMotionReduced();
    for (const [key, view] of moved) {
      const place = this.#places.get(key);
      if (place !== undefined) view.goTo(place, now, glide ? MOTION_MS : 0);
      this.#gliding.add(view);
    }
    this.#reconcile(now);
  }

  /** Goes on with what moves; to be called in each frame. Returns whether anything changed. */
  tick(now: number): boolean {
    // Where frames take long, the rest of the way is skipped.
    const then = now - this.#ticked > SLOW_FRAME_MS ? Infinity : now;
    this.#ticked = now;
    if (this.#gliding.size > 0) this.#arrowsStale = true;
    for (const view of this.#gliding) if (view.glide(then)) this.#gliding.delete(view);
    while (this.#leaving[0] !== undefined && this.#leaving[0].until <= now) this.#leaving.shift()?.view.remove();
    if (!this.#arrowsStale) return false;
    this.#drawArrows();
    return true;
  }

  /** Marks the selected box. */
  select(key: number | undefined): void {
    if (this.#selected !== undefined) this.#views.get(this.#selected)?.setSelected(false);
    this.#selected = key;
    const view = key === undefined ? undefined : this.#views.get(key);
    view?.setSelected(true);
    if (view !== undefined && key !== undefined) this.#setStop(key);
    this.#arrowsStale = true;
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

  /** Upper and lower edge of a box, with room for its ring. */
  extent(key: number): { top: number; bottom: number } | undefined {
    const view = this.#views.get(key);
    if (view === undefined) return undefined;
    const half = BOX[view.card.detail].height / 2 + RING_ROOM;
    return { top: view.target.y - half, bottom: view.target.y + half };
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
      this.#gliding.delete(view);
      if (key === this.#stop) this.#stop = undefined;
      if (still) view.remove();
      else {
        view.leave();
        this.#leaving.push({ view, until: now + MOTION_MS });
      }
    }
    for (const [key, card] of this.#cards) {
      const view = this.#views.get(key);
      const place = this.#places.get(key);
      if (view !== undefined) view.update(card);
      else if (place !== undefined) this.#add(card, place);
    }
    this.#keepStop(hadFocus);
  }

  #add(card: Card, place: Place): void {
    const view = new CardView(this.#boxes.ownerDocument, card, place);
    view.setSelected(card.key === this.#selected);
    this.#boxes.append(view.element);
    this.#views.set(card.key, view);
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
    else this.#boxes.parentElement?.focus();
  }

  #setStop(key: number): void {
    if (this.#stop !== undefined) this.#views.get(this.#stop)?.setStop(false);
    this.#stop = key;
    this.#views.get(key)?.setStop(true);
  }

  #drawArrows(): void {
    this.#arrowsStale = false;
    this.#arrows.draw(this.#links, this.#views, this.#bends, this.#selected);
  }
}

function listAt(map: Map<number, number[]>, key: number): number[] {
  let list = map.get(key);
  if (list === undefined) map.set(key, (list = []));
  return list;
}

function isMotionReduced(): boolean {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

// SPDX-License-Identifier: GPL-2.0-only
//
// From what is known to what is drawn: chooses how much each box says, makes the boxes and arrows, asks for a layout when
// boxes or arrows are others than before, and only then.

import type { Changes } from "./model.js";
import { BOX, type Card, type Detail, type Link, MOST_CARDS, objectCard, shortNames, typeCard } from "./cards.js";
import { type ObjectFacts, grouped } from "./facts.js";
import { LayoutQueue } from "./layout-queue.js";
import type { ObjectWatch } from "./object-watch.js";
import { GraphPicture } from "./picture.js";
import type { Summary } from "./summary.js";

/** Once chips, boxes are cards again from this number down. */
const CARDS_AGAIN = MOST_CARDS - 10;

/** Draws what a watch knows. */
export class Drawing {
  readonly picture: GraphPicture;
  readonly #watch: ObjectWatch;
  readonly #layout: LayoutQueue;
  #detail: Detail = "card";
  #short: ReadonlyMap<string, string> = new Map();
  #made = new WeakMap<ObjectFacts, { readonly key: string; readonly card: Card }>();
  #width = 0;
  #boxes: readonly { readonly id: number; readonly holds: readonly number[] }[] = [];

  /** @param placed called when an arrangement was taken */
  constructor(arrows: SVGSVGElement, boxes: HTMLElement, watch: ObjectWatch, placed: () => void) {
    this.picture = new GraphPicture(arrows, boxes);
    this.#watch = watch;
    this.#layout = new LayoutQueue((arrangement) => {
      const arrived = this.picture.place(arrangement, performance.now());
      placed();
      return arrived;
    });
  }

  /** How much each box says. */
  get detail(): Detail {
    return this.#detail;
  }

  /** Sets how wide the picture may be, in CSS pixels. */
  setWidth(width: number): void {
    if (width === this.#width) return;
    this.#width = width;
    this.#arrange();
  }

  /** Draws everything that is known. */
  drawAll(): void {
    const { summary } = this.#watch;
    if (summary !== undefined) this.drawSummary(summary);
    else this.#drawObjects();
  }

  /** Draws what a look found new. */
  drawChanges({ structure, changed }: Changes): void {
    if (structure) this.#drawObjects();
    else for (const { after } of changed) this.picture.refresh(this.#cardOf(after));
  }

  /** Draws sums in place of objects. */
  drawSummary({ types, edges }: Summary): void {
    this.#setDetail("type");
    const cards = new Map(types.map((type) => [type.number, typeCard(type, edges)]));
    this.#draw(
      cards,
      edges.map(({ from, to, references }) => ({ from, to, label: grouped(references) })),
    );
  }

  /** Moves on; to be called in each frame. Returns whether anything changed. */
  tick(now: number): boolean {
    this.#layout.step(now);
    return this.picture.tick(now);
  }

  /** Ends what runs beside the page. */
  stop(): void {
    this.#layout.stop();
  }

  #drawObjects(): void {
    const { objects } = this.#watch.model;
    const most = this.#detail === "chip" ? CARDS_AGAIN : MOST_CARDS;
    this.#setDetail(objects.size > most ? "chip" : "card");
    this.#short = shortNames([...objects.values()].map(({ type }) => type));
    const cards = new Map([...objects].map(([id, object]) => [id, this.#cardOf(object)]));
    const links = [...objects.values()].flatMap(({ id, references }) => references.map((to) => ({ from: id, to })));
    this.#draw(cards, links);
  }

  /** The box of an object; the same as before for one that did not change. */
  #cardOf(object: ObjectFacts): Card {
    const { name } = object.type;
    const detail = this.#detail === "chip" ? "chip" : "card";
    const short = this.#short.get(name) ?? name;
    const heldBy = this.#watch.model.heldBy(object.id).length;
    const key = `${detail} ${short} ${heldBy}`;
    const made = this.#made.get(object);
    if (made?.key === key) return made.card;
    const card = objectCard(object, heldBy, detail, short);
    this.#made.set(object, { key, card });
    return card;
  }

  #setDetail(detail: Detail): void {
    if (detail === this.#detail) return;
    this.#detail = detail;
    this.picture.clear();
  }

  #draw(cards: ReadonlyMap<number, Card>, links: readonly Link[]): void {
    this.picture.show(cards, links, performance.now());
    const holds = new Map([...cards.keys()].map((id): [number, number[]] => [id, []]));
    for (const { from, to } of links) holds.get(from)?.push(to);
    const boxes = [...holds].map(([id, targets]) => ({ id, holds: [...new Set(targets)] }));
    const same = JSON.stringify(boxes) === JSON.stringify(this.#boxes);
    this.#boxes = boxes;
    if (!same || !this.picture.isPlaced) this.#arrange();
  }

  #arrange(): void {
    if (this.#width === 0) return;
    this.#layout.request({ boxes: this.#boxes, width: this.#width, box: BOX[this.#detail] }, this.picture.fadedAt);
  }
}

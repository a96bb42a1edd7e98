// SPDX-License-Identifier: GPL-2.0-only
//
// One box's elements. Attributes are written only when they change.

import type { Place } from "./arrange.js";
import { BOX, type Card } from "./cards.js";
import { MARKS, outline } from "./outlines.js";

const SVG = "http://www.w3.org/2000/svg";
const TYPE_COLOURS = 6;
/** Distance of texts from the box's side, and of the mark. */
const INSET = 12;
const LINE_HEIGHT = 18;

interface Glide {
  readonly from: Place;
  readonly begun: number;
  readonly duration: number;
}

/** A box on the picture. */
export class CardView {
  readonly element: SVGGElement;
  /** The box's name for who does not see it, and its tooltip. */
  readonly #name: SVGElement;
  readonly #ring: SVGElement;
  readonly #shape: SVGElement;
  readonly #mark: SVGElement;
  readonly #texts: SVGElement[] = [];
  readonly #aside: SVGElement;
  readonly #body: SVGElement;
  #card: Card;
  #target: Place;
  #at: Place;
  #glide: Glide | undefined;

  constructor(document: Document, card: Card, place: Place) {
    const make = (name: string, className: string): SVGElement => {
      const element = document.createElementNS(SVG, name);
      element.setAttribute("class", className);
      return element;
    };
    this.#card = card;
    this.#target = place;
    this.#at = place;
    this.element = document.createElementNS(SVG, "g");
    this.element.setAttribute("role", "option");
    this.element.setAttribute("tabindex", "-1");
    this.element.setAttribute("aria-selected", "false");
    this.element.dataset.key = `${card.key}`;
    this.#name = document.createElementNS(SVG, "title");
    this.#body = make("g", "body");
    this.#ring = make("path", "ring");
    this.#shape = make("path", "shape");
    this.#mark = make("path", "mark");
    this.#aside = make("text", "aside");
    this.#body.append(this.#ring, this.#shape, this.#mark);
    const { width, height } = BOX[card.detail];
    // Chips have one line and no more; a card's title stands on the first of its lines.
    const lines = card.detail === "chip" ? 1 : 1 + card.lines.length;
    const first = card.detail === "chip" ? 4 : -((lines - 1) * LINE_HEIGHT) / 2 + 4;
    for (let line = 0; line < lines; line++) {
      const text = make("text", line === 0 ? "title" : "line");
      text.setAttribute("x", `${(card.detail === "chip" ? 9 : INSET) - width / 2}`);
      text.setAttribute("y", `${first + line * LINE_HEIGHT}`);
      this.#texts.push(text);
    }
    this.#aside.setAttribute("x", `${width / 2 - 9}`);
    this.#aside.setAttribute("y", `${first}`);
    const markX = card.detail === "chip" ? width / 2 - 3 : width / 2 - INSET - 4;
    const markY = card.detail === "chip" ? 1 - height / 2 : first - 4;
    this.#mark.setAttribute("transform", `translate(${markX} ${markY})`);
    this.#body.append(...this.#texts, this.#aside);
    this.element.append(this.#name, this.#body);
    this.#write(card, undefined);
    this.#move(place);
  }

  get card(): Card {
    return this.#card;
  }

  /** Where it goes, or is. */
  get target(): Place {
    return this.#target;
  }

  /** Where it is. */
  get at(): Place {
    return this.#at;
  }

  /** Shows another card of the same object. */
  update(card: Card): void {
    if (card === this.#card) return;
    this.#write(card, this.#card);
    this.#card = card;
  }

  /** Whether it is at that place, or on the way there. */
  isHeadedFor({ x, y }: Place): boolean {
    return this.#target.x === x && this.#target.y === y;
  }

  /** Sets out for a place. Who still appears is quite there then: that may begin late on a busy page, and nothing moves while it appears. */
  goTo(place: Place, now: number, duration: number): void {
    this.#body.style.animation = "none";
    this.#target = place;
    this.#glide = { from: this.#at, begun: now, duration };
  }

  /** Moves on. Returns whether it has arrived. */
  glide(now: number): boolean {
    if (this.#glide === undefined) return true;
    const { from, begun, duration } = this.#glide;
    const passed = duration === 0 ? 1 : Math.min(1, Math.max(0, now - begun) / duration);
    const eased = 1 - (1 - passed) ** 3;
    const { x, y } = this.#target;
    this.#move(passed === 1 ? this.#target : { x: from.x + (x - from.x) * eased, y: from.y + (y - from.y) * eased });
    if (passed < 1) return false;
    this.#glide = undefined;
    return true;
  }

  setSelected(selected: boolean): void {
    this.element.setAttribute("aria-selected", `${selected}`);
  }

  /** Whether Tab reaches it. */
  setStop(stop: boolean): void {
    this.element.setAttribute("tabindex", stop ? "0" : "-1");
  }

  isFocused(): boolean {
    return (this.element.getRootNode() as Document | ShadowRoot).activeElement === this.element;
  }

  /** Fades; the caller removes it. */
  leave(): void {
    this.element.setAttribute("aria-hidden", "true");
    this.element.removeAttribute("role");
    this.element.removeAttribute("tabindex");
    this.element.removeAttribute("aria-selected");
    delete this.element.dataset.key;
    this.element.classList.add("leaving");
  }

  remove(): void {
    this.element.remove();
  }

  #move(place: Place): void {
    this.#at = place;
    this.element.setAttribute("transform", `translate(${place.x.toFixed(1)} ${place.y.toFixed(1)})`);
  }

  #write(card: Card, before: Card | undefined): void {
    if (card.typeNumber !== before?.typeNumber) {
      this.element.style.setProperty("--type", `var(--type-${((card.typeNumber - 1) % TYPE_COLOURS) + 1})`);
    }
    if (card.label !== before?.label) this.#name.textContent = card.label;
    if (card.state !== before?.state) {
      this.element.setAttribute("class", `box ${card.detail} ${card.state}`);
      const { width, height } = BOX[card.detail];
      this.#shape.setAttribute("d", outline(card.state, { width, height }));
      this.#ring.setAttribute("d", outline("live", { width: width + 8, height: height + 8 }));
      this.#mark.setAttribute("d", MARKS[card.state]);
    }
    [card.title, ...card.lines].forEach((text, index) => {
      const element = this.#texts[index];
      if (element !== undefined && element.textContent !== text) element.textContent = text;
    });
    for (const extra of this.#texts.slice(1 + card.lines.length)) extra.textContent = "";
    if (card.aside !== before?.aside) this.#aside.textContent = card.aside;
  }
}

// SPDX-License-Identifier: GPL-2.0-only
//
// The picture's place in the element: a drawing for the two elements that lit has rendered, as wide as what they stand in, and
// scrolled so that the selected box is in sight until the reader scrolls himself.
//
// Invariant: there is a drawing exactly while they are there, and it is of the watch that was given last.

import { Drawing } from "./drawing.js";
import type { ObjectWatch } from "./object-watch.js";

/** The width is rounded down to this, so that the picture is not laid out anew for every pixel. */
const WIDTH_STEP = 8;

/** Where the picture is drawn. */
export class Stage {
  readonly #placed: () => void;
  readonly #resizing = new ResizeObserver(() => this.#measure());
  #current:
    | {
        readonly boxes: HTMLElement;
        /** What the picture is scrolled in. */
        readonly scroll: Element;
        readonly watch: ObjectWatch;
        readonly drawing: Drawing;
      }
    | undefined;
  /** The box that new layouts keep in sight. */
  #followed: number | undefined;
  #isRevealDue = false;

  /** @param placed called when an arrangement was taken */
  constructor(placed: () => void) {
    this.#placed = placed;
  }

  /** What is drawn now; undefined while the picture is not shown. */
  get drawing(): Drawing | undefined {
    return this.#current?.drawing;
  }

  /** Draws into what was rendered, if that is the picture. */
  set(root: ParentNode, watch: ObjectWatch | undefined): void {
    const boxes = root.querySelector<HTMLElement>(".picture");
    const ground = root.querySelector<SVGSVGElement>("svg.arrows");
    const scroll = boxes?.closest(".scroll") ?? null;
    if (boxes === null || ground === null || scroll === null || watch === undefined) {
      this.clear();
      return;
    }
    if (this.#current?.boxes === boxes && this.#current.watch === watch) return;
    this.clear();
    boxes.replaceChildren();
    ground.replaceChildren();
    const drawing = new Drawing(ground, boxes, watch, () => {
      this.#isRevealDue = this.#followed !== undefined;
      this.#placed();
    });
    this.#current = { boxes, scroll, watch, drawing };
    this.#resizing.observe(scroll);
    this.#measure();
    if (watch.complete) drawing.drawAll();
  }

  /** Ends the drawing. */
  clear(): void {
    this.drawing?.stop();
    this.#current = undefined;
    this.#resizing.disconnect();
  }

  /** Moves on; to be called in each frame. Returns whether anything changed. */
  tick(now: number): boolean {
    const changed = this.drawing?.tick(now) ?? false;
    // Only now: to ask where something lies makes the browser lay the page out, which it does anyway after this frame.
    if (this.#isRevealDue) this.#reveal();
    this.#isRevealDue = false;
    return changed;
  }

  /** Scrolls to that box, now and after each new layout; undefined leaves the picture where it is. */
  follow(key: number | undefined): void {
    this.#followed = key;
    this.#reveal();
  }

  /** The reader scrolls himself. */
  unfollow(): void {
    this.#followed = undefined;
  }

  #measure(): void {
    const width = this.#current?.scroll.clientWidth ?? 0;
    this.drawing?.setWidth(Math.floor(width / WIDTH_STEP) * WIDTH_STEP);
  }

  #reveal(): void {
    if (this.#current === undefined || this.#followed === undefined) return;
    const { scroll, watch, drawing } = this.#current;
    // Boxes of types have other keys.
    const extent = watch.summary === undefined ? drawing.picture.extent(this.#followed) : undefined;
    if (extent === undefined) return;
    if (extent.top < scroll.scrollTop) scroll.scrollTop = extent.top;
    if (extent.bottom > scroll.scrollTop + scroll.clientHeight) scroll.scrollTop = extent.bottom - scroll.clientHeight;
  }
}

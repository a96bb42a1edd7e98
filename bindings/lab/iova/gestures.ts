// SPDX-License-Identifier: GPL-2.0-only
//
// Wheel, drag and pinch on the ribbon, as zooming, moving and choosing.
//
// One finger or the mouse button moves; two fingers zoom; a press that does not move chooses. A wheel zooms where the pointer is, its other
// direction moves. A wheel that can show no more than there is is left to the page, which scrolls then.

/** What gestures come to. Places are parts of the width, 0 … 1. */
export interface GestureHandler {
  /** Returns whether there was anything to zoom. */
  zoom(factor: number, place: number): boolean;
  move(fraction: number): void;
  choose(place: number): void;
  /** The pointer rests there; undefined: it is gone. */
  hover(place: number | undefined): void;
}

/** Pixels of a wheel's turn that double what is in sight. */
const WHEEL_PIXELS = 180;
/** Pixels of a line, where a wheel counts lines. */
const LINE = 16;
/** Pixels that a press may move and still chooses. */
const STILL = 4;

/** Listens to an element. */
export class Gestures {
  readonly #handler: GestureHandler;
  /** Pressed pointers, with where they are. */
  readonly #pressed = new Map<number, number>();
  #travelled = 0;

  constructor(handler: GestureHandler) {
    this.#handler = handler;
  }

  /** For `@wheel`, not passive. */
  readonly wheel = {
    passive: false,
    handleEvent: (event: WheelEvent): void => {
      const scale = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE : 1;
      const [x, y] = event.shiftKey ? [event.deltaY, 0] : [event.deltaX, event.deltaY];
      const { left, width } = boxOf(event);
      if (Math.abs(x) > Math.abs(y)) {
        this.#handler.move((x * scale) / width);
        event.preventDefault();
      } else if (this.#handler.zoom(2 ** ((y * scale) / WHEEL_PIXELS), (event.clientX - left) / width)) {
        event.preventDefault();
      }
    },
  };

  readonly down = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    if (this.#pressed.size === 0) this.#travelled = 0;
    (event.currentTarget as Element).setPointerCapture(event.pointerId);
    this.#pressed.set(event.pointerId, event.clientX);
  };

  readonly moved = (event: PointerEvent): void => {
    const { left, width } = boxOf(event);
    const before = this.#pressed.get(event.pointerId);
    if (before === undefined) {
      if (event.pointerType !== "touch") this.#handler.hover((event.clientX - left) / width);
      return;
    }
    this.#travelled += Math.abs(event.clientX - before);
    this.#pressed.set(event.pointerId, event.clientX);
    if (this.#travelled < STILL) return;
    this.#handler.hover(undefined);
    const other = [...this.#pressed].find(([id]) => id !== event.pointerId)?.[1];
    if (other === undefined) this.#handler.move((before - event.clientX) / width);
    else {
      const [was, is] = [Math.abs(before - other), Math.abs(event.clientX - other)];
      if (was > 0 && is > 0) this.#handler.zoom(was / is, (other - left) / width);
    }
  };

  readonly up = (event: PointerEvent): void => {
    if (!this.#pressed.delete(event.pointerId)) return;
    const { left, width } = boxOf(event);
    if (event.type === "pointerup" && this.#travelled < STILL) this.#handler.choose((event.clientX - left) / width);
  };

  readonly leave = (): void => this.#handler.hover(undefined);
}

function boxOf({ currentTarget }: Event): DOMRect {
  return (currentTarget as Element).getBoundingClientRect();
}

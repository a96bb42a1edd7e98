// SPDX-License-Identifier: GPL-2.0-only
//
// Calls once in each animation frame, as long as somebody can see the element: its page is shown, and it is scrolled into view.

/** A loop of animation frames that rests while nobody looks. */
export class FrameLoop {
  readonly #onFrame: () => void;
  readonly #observer: IntersectionObserver;
  readonly #wake = (): void => this.#ask();
  #inView = false;
  #frame: number | undefined;
  #stopped = false;

  constructor(element: Element, onFrame: () => void) {
    this.#onFrame = onFrame;
    this.#observer = new IntersectionObserver((entries) => {
      this.#inView = entries.at(-1)?.isIntersecting ?? false;
      this.#ask();
    });
    this.#observer.observe(element);
    document.addEventListener("visibilitychange", this.#wake);
  }

  /** Ends the loop for good. */
  stop(): void {
    this.#stopped = true;
    this.#observer.disconnect();
    document.removeEventListener("visibilitychange", this.#wake);
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    this.#frame = undefined;
  }

  #ask(): void {
    if (this.#frame !== undefined || this.#stopped || !this.#inView || document.hidden) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = undefined;
      this.#onFrame();
      this.#ask();
    });
  }
}

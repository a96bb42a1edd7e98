// SPDX-License-Identifier: GPL-2.0-only
//
// Calls once in each animation frame, as long as somebody can see the element: its page is shown, and it is scrolled into view.
//
// After a frame that changed something it tells how long the browser needed to show that. A message to oneself that is posted
// in a frame arrives when styles, layout and painting of the frame are done, which are otherwise not to be measured.

/** A loop of animation frames that rests while nobody looks. */
export class FrameLoop {
  readonly #onFrame: () => boolean;
  readonly #observer: IntersectionObserver;
  readonly #wake = (): void => this.#ask();
  readonly #painted = new MessageChannel();
  #inView = false;
  #frame: number | undefined;
  #stopped = false;
  #frameEnd = 0;

  /**
   * @param onFrame returns whether it changed what is shown
   * @param onPainted takes the milliseconds that showing it took the page's thread
   */
  constructor(element: Element, onFrame: () => boolean, onPainted: (milliseconds: number) => void) {
    this.#onFrame = onFrame;
    this.#painted.port1.onmessage = () => onPainted(performance.now() - this.#frameEnd);
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
    this.#painted.port1.close();
  }

  #ask(): void {
    if (this.#frame !== undefined || this.#stopped || !this.#inView || document.hidden) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = undefined;
      const changed = this.#onFrame();
      this.#frameEnd = performance.now();
      if (changed) this.#painted.port2.postMessage(undefined);
      this.#ask();
    });
  }
}

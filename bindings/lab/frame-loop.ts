// SPDX-License-Identifier: GPL-2.0-only
//
// Calls in an animation frame, as long as somebody can see the element: its page is shown, and it is scrolled into view. In each frame as
// long as there is something to do, and some times a second while there is not: also a frame that changes nothing costs the page's
// thread and the browser's others a millisecond or two, which the reader's next click would wait for.
//
// After a frame that changed something it tells how long the browser needed to show that. A message to oneself that is posted
// in a frame arrives when styles, layout and painting of the frame are done, which are otherwise not to be measured.

/** Milliseconds without a frame after one in which there was nothing to do. */
const REST_MS = 40;

/** A loop of animation frames that rests while nobody looks. */
export class FrameLoop {
  readonly #onFrame: () => boolean;
  readonly #isAmid: () => boolean;
  readonly #observer: IntersectionObserver;
  readonly #wake = (): void => this.#ask();
  readonly #painted = new MessageChannel();
  #inView = false;
  #frame: number | undefined;
  /** The rest that is under way. */
  #rest: AbortSignal | undefined;
  #stopped = false;
  #frameEnd = 0;

  /**
   * @param onFrame returns whether it changed what is shown
   * @param isAmid whether the next frame has something to do that this one has begun
   * @param onPainted takes the milliseconds that showing it took the page's thread
   */
  constructor(
    element: Element,
    onFrame: () => boolean,
    isAmid: () => boolean,
    onPainted: (milliseconds: number) => void,
  ) {
    this.#onFrame = onFrame;
    this.#isAmid = isAmid;
    this.#painted.port1.onmessage = () => onPainted(performance.now() - this.#frameEnd);
    this.#observer = new IntersectionObserver((entries) => {
      this.#inView = entries.at(-1)?.isIntersecting ?? false;
      this.#ask();
    });
    this.#observer.observe(element);
    document.addEventListener("visibilitychange", this.#wake);
  }

  /** There is something to do: the next frame is called in. */
  wake(): void {
    this.#ask();
  }

  /** Ends the loop for good. */
  stop(): void {
    this.#stopped = true;
    this.#rest = undefined;
    this.#observer.disconnect();
    document.removeEventListener("visibilitychange", this.#wake);
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    this.#frame = undefined;
    this.#painted.port1.close();
  }

  #ask(rest = 0): void {
    if (this.#frame !== undefined || this.#stopped || !this.#inView || document.hidden) return;
    this.#rest = undefined;
    if (rest > 0) {
      const over = AbortSignal.timeout(rest);
      this.#rest = over;
      over.addEventListener("abort", () => {
        if (this.#rest === over) this.#ask();
      });
      return;
    }
    this.#frame = requestAnimationFrame(() => {
      this.#frame = undefined;
      const changed = this.#onFrame();
      this.#frameEnd = performance.now();
      if (changed) this.#painted.port2.postMessage(undefined);
      this.#ask(changed || this.#isAmid() ? 0 : REST_MS);
    });
  }
}

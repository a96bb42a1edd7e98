// SPDX-License-Identifier: GPL-2.0-only
//
// Keeps the layout off the page's thread: at most one request is with the worker, and of those made meanwhile only the last
// one is sent. A page whose policy forbids workers from blobs, or a host without any, gets the plain layering at once.
//
// Between two layouts lies REST_MS and more for each box, or as long as the last one took, and in any case until the boxes of the last
// one have arrived: a graph that changes in every frame is laid out about twice a second, and the reader sees boxes move rather than
// tremble.

import { type ArrangeRequest, type Arrangement, Arranger } from "./arrange.js";
import { LAYOUT_WORKER } from "./layout-worker-text.js";
import { plainLayers } from "./plain-layers.js";

const REST_MS = 120;
const REST_MS_PER_BOX = 0.8;

/** Arranges the latest graph. */
export class LayoutQueue {
  readonly #done: (arrangement: Arrangement) => number;
  readonly #plain = new Arranger(plainLayers);
  #worker: Worker | undefined;
  #refused = LAYOUT_WORKER === "" || typeof Worker === "undefined";
  #sent: { readonly request: ArrangeRequest; readonly time: number } | undefined;
  #waiting: ArrangeRequest | undefined;
  #notBefore = -Infinity;

  /** @param done takes each arrangement; returns when its boxes have arrived, in milliseconds of `performance.now()` */
  constructor(done: (arrangement: Arrangement) => number) {
    this.#done = done;
  }

  /**
   * Asks for an arrangement, in place of those asked for before and not begun.
   *
   * @param notBefore when it may begin, in milliseconds of `performance.now()`; it does not put off what waits already
   */
  request(request: ArrangeRequest, notBefore: number): void {
    if (this.#waiting === undefined) this.#notBefore = Math.max(this.#notBefore, notBefore);
    this.#waiting = request;
  }

  /** Sends what waits, if it may; to be called in each frame. */
  step(now: number): void {
    if (this.#waiting === undefined || this.#sent !== undefined || now < this.#notBefore) return;
    const request = this.#waiting;
    this.#waiting = undefined;
    const worker = this.#refused ? undefined : (this.#worker ??= this.#start());
    if (worker === undefined) this.#arrangeHere(request, now);
    else {
      this.#sent = { request, time: now };
      worker.postMessage(request);
    }
  }

  /** Ends the worker; a later request starts another one. */
  stop(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#sent = undefined;
    this.#waiting = undefined;
  }

  #start(): Worker | undefined {
    const url = URL.createObjectURL(new Blob([LAYOUT_WORKER], { type: "text/javascript" }));
    try {
      const worker = new Worker(url);
      worker.onmessage = ({ data }: MessageEvent<Arrangement>) => {
        const begun = this.#sent?.time ?? 0;
        this.#sent = undefined;
        this.#finish(data, begun);
      };
      // A policy may refuse the worker only now.
      worker.onerror = (event) => {
        event.preventDefault();
        this.#refuse();
      };
      return worker;
    } catch {
      this.#refused = true;
      return undefined;
    } finally {
      URL.revokeObjectURL(url);
    }
  }

  #refuse(): void {
    this.#refused = true;
    this.#waiting ??= this.#sent?.request;
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#sent = undefined;
  }

  #arrangeHere(request: ArrangeRequest, begun: number): void {
    this.#finish(this.#plain.arrange(request), begun);
  }

  #finish(arrangement: Arrangement, begun: number): void {
    const end = performance.now();
    const rested = end + Math.max(REST_MS + REST_MS_PER_BOX * arrangement.places.length, end - begun);
    this.#notBefore = Math.max(this.#notBefore, rested, this.#done(arrangement));
  }
}

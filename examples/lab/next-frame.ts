// SPDX-License-Identifier: GPL-2.0-only
// When the next picture is drawn: what many events in a row came to is shown then, once.

/** Returns a function that has `update` run before the next picture, however often it is called until then. */
export function onNextFrame(update: () => void): () => void {
  let isAsked = false;
  return () => {
    if (isAsked) return;
    isAsked = true;
    requestAnimationFrame(() => {
      isAsked = false;
      update();
    });
  };
}

/** Resolves when the next picture is about to be drawn. */
export function nextFrame(): Promise<unknown> {
  return new Promise(requestAnimationFrame);
}
